"""What must not change unless it is meant to: recorded forecasts, and what others build on.

``python -m tests.golden`` records it anew; the diff of a commit then shows what changed. ``python -m tests.golden
FOLDER`` records pages, charts and command output as well, into a folder that another commit's can be compared with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.testing import CliRunner
from numpy.typing import NDArray

import popforecast as pf
from popforecast.cli import main
from popforecast.wpp.editions import VINTAGES

FOLDER = Path(__file__).parent

LEVELS = (80, 95)

# Years after the first that are recorded; the last one is, too.
YEARS = (0, 9, 26)

# A computed figure may differ by so much between processors.
TOLERANCE = 1e-9

COMMANDS = {
    "forecast": "forecast World Nigeria Tokelau --from 2030 --to 2035",
    "forecast-csv": "forecast World Nigeria --from 2030 --to 2031 --format csv",
    "forecast-json": "forecast Nigeria --from 2030 --to 2031 --format json",
    "ages-csv": "ages Nigeria --years 2030 --format csv",
    "components-csv": "components Nigeria --years 2030 --format csv",
    "backtest": "backtest Nigeria World --models ar1,panel-ar",
    "vintages": "vintages --revision wpp2012 Nigeria",
    "wrong-place": "forecast Nigerai",
    "wrong-year": "forecast Nigeria --from 2050 --to 2030",
}

ADDRESSES = {
    "home": "/",
    "page": "/forecast?location=NGA",
    "page-of-several": "/forecast?location=NGA&location=World&from=2030&to=2035&level=80",
    "page-wrong": "/forecast?location=Nigerai",
    "documents": "/docs",
    "chart.svg": "/forecast.svg?location=KOR",
    "forecast.json": "/api/v1/forecast?location=NGA&from=2030&to=2035",
    "forecast.csv": "/api/v1/forecast.csv?location=NGA&from=2030&to=2035",
    "ages.csv": "/api/v1/ages.csv?location=NGA&from=2030&to=2030",
    "components.csv": "/api/v1/components.csv?location=NGA&from=2030&to=2030",
    "milestones.json": "/api/v1/milestones?location=JPN",
    "milestones.csv": "/api/v1/milestones.csv?location=JPN",
    "backtest.json": "/api/v1/backtest?location=NGA",
    "backtest.csv": "/api/v1/backtest.csv?location=NGA",
    "vintages.json": "/api/v1/vintages?location=NGA",
    "vintages.csv": "/api/v1/vintages.csv?location=NGA",
    "locations.csv": "/api/v1/locations.csv",
    "models.json": "/api/v1/models",
    "models.csv": "/api/v1/models.csv",
    "wrong.json": "/api/v1/forecast?location=NGA&from=1800",
}


def compute_forecasts() -> dict[str, NDArray[np.float64]]:
    """Return the medians and bounds of every model and edition for every location, in the recorded years.

    Returns
    -------
    dict of str to ndarray, shape (n, years)
        By "edition/model/figure"; in locations' order.
    """
    computed = {}
    for edition in (*pf.REVISIONS, *VINTAGES):
        panel = pf.load_panel(edition)
        for model in pf.models.MODELS:
            fc = pf.forecast(panel, start=panel.origin + panel.step, end=2100, model=model, levels=LEVELS)
            columns = [*(year // panel.step for year in YEARS), len(fc.years) - 1]
            computed[f"{edition}/{model}/median"] = fc.population[:, columns]
            for level in LEVELS:
                computed[f"{edition}/{model}/lower {level}"] = fc.lower[level][:, columns]
                computed[f"{edition}/{model}/upper {level}"] = fc.upper[level][:, columns]
    return computed


def describe_contracts() -> dict[str, str]:
    """Return what others build on, by the name of the file that records it."""
    return {
        "names.txt": "\n".join(sorted(pf.__all__)) + "\n",
        "options.txt": "\n".join(_list_options()) + "\n",
        "columns.txt": "\n".join(f"{name}: {header}" for name, header in _list_headers()) + "\n",
        "openapi.json": json.dumps(_describe_api(), indent=1, ensure_ascii=False) + "\n",
    }


def describe_texts() -> Iterator[tuple[str, str]]:
    """Yield pages, answers, charts and command output, by name."""
    for name, command in COMMANDS.items():
        result = CliRunner().invoke(main, command.split())
        yield f"cli-{name}.txt", f"{result.exit_code}\n{result.output}"
    ask = _open_app()
    for name, address in ADDRESSES.items():
        yield f"web-{name}" if "." in name else f"web-{name}.html", ask(address)
    for name, command in main.commands.items():
        with click.Context(command, info_name=name) as context:
            yield f"help-{name}.txt", command.get_help(context) + "\n"


def record(folder: Path = FOLDER) -> None:
    """Record everything that is held, and in another folder than the own one the texts as well."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "forecasts.npz", **compute_forecasts())
    texts = dict(describe_contracts()) | (dict(describe_texts()) if folder != FOLDER else {})
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _list_options() -> Iterator[str]:
    for name, command in sorted(main.commands.items()):
        for parameter in command.params:
            yield f"{name}: {' '.join([*parameter.opts, *parameter.secondary_opts])}"


def _list_headers() -> Iterator[tuple[str, str]]:
    for name, command in COMMANDS.items():
        if name.endswith("-csv"):
            yield f"popforecast {command}", CliRunner().invoke(main, command.split()).output.splitlines()[0]
    ask = _open_app()
    for name, address in ADDRESSES.items():
        if name.endswith(".csv"):
            yield address, ask(address).splitlines()[0]


def _describe_api() -> Any:
    described = json.loads(_open_app()("/openapi.json"))
    # What changes with every release, and figures: not what others build on.
    described["info"].pop("version")
    return _leave_out(described, {"example", "examples"})


def _leave_out(node: Any, names: set[str]) -> Any:
    if isinstance(node, dict):
        return {key: _leave_out(value, names) for key, value in node.items() if key not in names}
    return [_leave_out(value, names) for value in node] if isinstance(node, list) else node


def _open_app() -> Callable[[str], str]:
    from app import create_app
    from app.settings import Settings

    client = create_app(Settings(rate_limits=False)).test_client()
    return lambda address: client.get(address).text
