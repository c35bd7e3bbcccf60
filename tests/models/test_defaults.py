"""A new default is a change of one line in one file: everything that has a default follows."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.models import MODELS

ROOT = Path(pf.__file__).parents[1]

CHANGES = {
    "models/__init__.py": ('OF_TOTALS = "cohort",', 'OF_TOTALS = "drift",'),
    "models/levels.py": ("DEFAULT_LEVELS = (80, 95)", "DEFAULT_LEVELS = (50, 90)"),
    "wpp/embedded.py": ('DEFAULT_REVISION = "wpp2024"', 'DEFAULT_REVISION = "wpp2019"'),
}

LOOK = """
import json, re
from click.testing import CliRunner
import popforecast as pf
from app import create_app
from app.settings import Settings
from popforecast.cli import main
from popforecast.explorer import build

panel = pf.load_panel()
fc, fitted, outlook = pf.forecast(panel, "World"), pf.fit(panel), pf.forecast_all(panel)
bt = pf.backtest(panel, origins=[2000], horizons=[1])
query = build().query
ask = create_app(Settings(rate_limits=False)).test_client()
schemas = {name: row["schema"] for name, row in ask.get("/openapi.json").json["components"]["parameters"].items()}
answer = ask.get("/api/v1/forecast?location=World").json
form = ask.get("/").text
print(json.dumps({
    "models": [
        fc.model.name, fitted.model.name, outlook.model.name, bt.errors["model"].iloc[0], query.models[0].name,
        schemas["model"]["default"], ask.get("/api/v1/models").json["default"], answer["provenance"]["model"],
        re.search(r'<option value="([^"]*)" selected>', form.partition('name="model"')[2])[1],
    ],
    "levels": [
        list(fc.levels), list(map(float, query.levels)), list(bt.levels),
        [float(name[6:]) for name in answer["forecasts"][0] if name.startswith("lower")],
        [float(level) for level in re.findall(r'name="level" value="([^"]*)"[^>]* checked', form)],
    ],
    "revisions": [panel.revision, query.revision, schemas["revision"]["default"], answer["provenance"]["revision"]],
    "help": CliRunner().invoke(main, ["forecast", "--help"]).output,
}))
"""


@pytest.mark.process
def test_every_surface_follows_one_changed_line(tmp_path: Path) -> None:
    for room in ("popforecast", "app"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (before, after) in CHANGES.items():
        path = tmp_path / "popforecast" / name
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, after))
    found = look(tmp_path)
    assert set(found["models"]) == {"drift"}
    assert [levels for levels in found["levels"] if levels != [50, 90]] == []
    assert set(found["revisions"]) == {"wpp2019"}
    text = " ".join(found["help"].split())
    assert "[default: drift]" in text
    assert "[default: wpp2019]" in text
    assert "50% and 90%" in text


def look(folder: Path) -> dict[str, Any]:
    environment = {"PYTHONPATH": str(folder), "PATH": "", "HOME": str(folder), "MPLCONFIGDIR": str(folder)}
    command = [sys.executable, "-c", LOOK]
    finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_the_command_line_leaves_the_choice_to_the_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "popforecast.models.choose", lambda panel=None: "naive" if panel and not panel.source else "drift"
    )
    rows = pd.DataFrame({"id": ["A"] * 20 + ["B"] * 20, "year": [*range(2000, 2020)] * 2, "pop": range(1, 41)})
    rows.to_csv(path := tmp_path / "own.csv", index=False)
    own = ["--data", str(path), "--id", "id", "--time", "year", "--value", "pop", "--format", "csv"]
    for asked, model in ((own, "naive"), ([*own, "--model", "ar1"], "ar1"), (["World", "--format", "csv"], "drift")):
        made = CliRunner().invoke(main, ["forecast", *asked])
        assert made.exit_code == 0, made.output
        assert set(pd.read_csv(io.StringIO(made.stdout))["model"]) == {model}


def test_the_choice_may_depend_on_the_panel(wpp2019: pf.Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "popforecast.models.choose", lambda panel=None: "naive" if panel and panel.origin < 2010 else "drift"
    )
    past = wpp2019.until(2000)
    assert pf.forecast(past, "World").model == pf.fit(past).model == pf.forecast_all(past).model == MODELS["naive"]
    assert pf.forecast(wpp2019, "World").model == MODELS["drift"]
    assert pf.backtest(past, origins=[1990], horizons=[1]).errors["model"].unique().tolist() == ["naive"]
