"""Names are text everywhere: what a file, a request or an address says is shown, and never run."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

import popforecast as pf
from app import create_app
from app.settings import Settings
from popforecast import explorer
from popforecast.charts.svg import draw_chart
from popforecast.cli import main
from popforecast.models.base import Note
from popforecast.reports import make_reports
from popforecast.text import guard_formulas

MARKUP = """<img class="hostile" src=x onerror=a()>"'&amp;</b>-->"""

# What would steer a terminal, or turn the text round.
CONTROLS = "\x1b[2J\x07\x9b31m\u202eevil"

YEARS = range(1950, 2024)


class Finder(HTMLParser):
    """What a browser would make of a page: its elements, and all texts and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.hostile: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "hostile" in (given.get("class") or "").split() or any(name.startswith("on") for name in given):
            self.hostile.append(tag)
        self.texts += [value for value in given.values() if value]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def check_page(page: str, shown: str = 'class="hostile" src=x') -> None:
    """Check that a page shows the text and that none of it became an element."""
    finder = Finder()
    finder.feed(page)
    assert finder.hostile == []
    assert shown in " ".join(finder.texts)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """A long table whose columns and texts are all hostile."""
    rng = np.random.default_rng(0)
    growth = rng.normal(0.01, 0.01, (8, len(YEARS)))
    values = np.rint(1e5 * np.exp(growth.cumsum(axis=1)))
    return pd.DataFrame(
        {
            f"{MARKUP} id": np.repeat([f"{MARKUP} {i}" for i in range(8)], len(YEARS)),
            f"{MARKUP} name": np.repeat([f"{MARKUP} name {i}" for i in range(8)], len(YEARS)),
            f"{MARKUP} region": np.repeat([f"{MARKUP} region {i % 2}" for i in range(8)], len(YEARS)),
            f"{MARKUP} year": np.tile(YEARS, 8),
            f"{MARKUP} value": values.ravel(),
        }
    )


COLUMNS = {word: f"{MARKUP} {word}" for word in ("id", "name", "year", "value")}


@pytest.fixture(scope="module")
def panel(rows: pd.DataFrame) -> pf.Panel:
    made = pf.Panel.from_frame(
        rows,
        COLUMNS["id"],
        COLUMNS["year"],
        COLUMNS["value"],
        group=f"{MARKUP} region",
        name=COLUMNS["name"],
    )
    return pf.Panel(made.values, made.years, made.locations, revision=f"{MARKUP} revision")


@pytest.fixture(scope="module")
def uneven(rows: pd.DataFrame) -> pf.UnevenPanel:
    """The same where one location ends earlier."""
    early = rows[(rows[COLUMNS["id"]] != f"{MARKUP} 0") | (rows[COLUMNS["year"]] < 2015)]
    return pf.Panel.from_frame(early, COLUMNS["id"], COLUMNS["year"], COLUMNS["value"], name=COLUMNS["name"])


def forecast(panel: pf.Panel | pf.UnevenPanel, model: str = "naive", **options: object) -> pf.Forecast:
    return pf.forecast(panel, f"{MARKUP} 1", 2024, 2026, model, **options)


# In a notebook ---------------------------------------------------------------------------------------------------

CELLS: dict[str, Callable[[pf.Panel], object]] = {
    "panel": lambda panel: panel,
    "forecast": forecast,
    "forecast with notes": lambda panel: replace(forecast(panel), notes=(Note(f"{MARKUP} 1", MARKUP),)),
    "group": lambda panel: pf.forecast(panel, [MARKUP], 2024, 2026, "naive", groups={MARKUP: [f"{MARKUP} 1"]}),
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_notebook_shows_names_as_text(panel: pf.Panel, cell: str) -> None:
    check_page(CELLS[cell](panel)._repr_html_())


def test_a_notebook_shows_names_as_text_where_locations_have_different_years(uneven: pf.UnevenPanel) -> None:
    check_page(forecast(uneven)._repr_html_())
    check_page(uneven._repr_html_(), "locations")


def test_a_notebook_shows_a_revision_and_models_as_text(panel: pf.Panel) -> None:
    scores = pf.backtest(panel, ["naive"], [2000, 2010], [1])
    check_page(scores._repr_html_(), "naive")
    check_page(replace(scores, errors=scores.errors.assign(model=MARKUP))._repr_html_())


def test_no_name_is_mathematics_in_a_notebook(panel: pf.Panel) -> None:
    for shown in (panel, forecast(panel)):
        assert shown._repr_html_().startswith('<div class="tex2jax_ignore mathjax_ignore">')


# In the app ------------------------------------------------------------------------------------------------------

GROUPED = {"from": "2030", "to": "2031", "group": f"{MARKUP}:NGA,356"}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(rate_limits=False)).test_client()


@pytest.mark.parametrize("path", ["/forecast", "/embed"])
@pytest.mark.parametrize("scale", ["absolute", "log", "indexed"])
def test_a_page_shows_a_group_s_name_as_text(client: FlaskClient, path: str, scale: str) -> None:
    answer = client.get(path, query_string=GROUPED | {"scale": scale})
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    check_page(answer.text)


def test_a_chart_shows_a_group_s_name_as_text() -> None:
    groups = {MARKUP: ["NGA"]}
    chart = pf.forecast(pf.load_panel(), [MARKUP], 2030, 2031, groups=groups).plot()
    for svg in draw_chart(chart).splitlines():
        root = ET.fromstring(svg)
        assert not [element for element in root.iter() if element.get("class") == "hostile"]
    check_page(draw_chart(chart))


def test_the_api_answers_names_as_json_and_as_nothing_else(client: FlaskClient) -> None:
    answer = client.get("/api/v1/forecast", query_string=GROUPED)
    assert answer.mimetype == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json["forecasts"][0]["location"] == GROUPED["group"].partition(":")[0]


WRONG = ["location", "group", "from", "to", "model", "revision", "level", "scale", "release", MARKUP]


@pytest.mark.parametrize("name", WRONG, ids=lambda name: name[:8])
@pytest.mark.parametrize("path", ["/forecast", "/embed", "/forecast.svg", "/nothing"])
def test_an_error_page_shows_what_was_asked_as_text(client: FlaskClient, path: str, name: str) -> None:
    answer = client.get(path, query_string={"location": "NGA", "from": "2030", "to": "2031", name: MARKUP})
    assert 400 <= answer.status_code < 500
    check_page(answer.text, "")


@pytest.mark.parametrize("name", WRONG, ids=lambda name: name[:8])
@pytest.mark.parametrize("path", ["/api/v1/forecast", "/api/v1/forecast.csv", "/api/v1/locations", "/api/v1/nothing"])
def test_an_error_of_the_api_is_problem_details_whatever_was_asked(client: FlaskClient, path: str, name: str) -> None:
    answer = client.get(path, query_string={"location": "NGA", "from": "2030", "to": "2031", name: MARKUP})
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == answer.status_code


@pytest.mark.parametrize("path", [f"/{quote(MARKUP)}", f"/reports/{quote(MARKUP)}", f"/static/{quote(MARKUP)}"])
def test_an_address_that_is_nowhere_is_shown_as_text(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    check_page(answer.text, "")


# In the explorer -------------------------------------------------------------------------------------------------


def test_the_explorer_shows_names_as_text() -> None:
    page = explorer.build([MARKUP], revision="wpp2024")
    pages = [widget.value for widget in list_widgets(page) if isinstance(widget, ipywidgets.HTML)]
    check_page(" ".join(pages))


def list_widgets(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    return [widget, *(below for child in getattr(widget, "children", ()) for below in list_widgets(child))]


# In files, and on the command line ---------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", " =1+1", "\uff1d1+1", "a; =1+1"]


@pytest.mark.parametrize("name", FORMULAS)
def test_no_name_in_a_csv_is_a_formula(name: str) -> None:
    values = [[1.0 + i for i in range(20)]]
    own = pf.Panel(values, range(2000, 2020), pd.DataFrame({"name": [name]}, index=[name]))
    (row, *_) = csv.DictReader(io.StringIO(pf.forecast(own, None, 2020, 2021, "naive").to_csv()))
    for written in (row["location"], row["location_code"]):
        assert written.replace("'", "", 1) == name.replace("\r", "\n")
        assert re.search(r"(^|; )\s*'[=+@\-\uff1d]", written)


def test_numbers_and_names_in_a_csv_are_as_they_were() -> None:
    table = pd.DataFrame({"name": ["-5", "+3.5", "Côte d'Ivoire", "A-B", "1=1", None], "change": [-1.5] * 6})
    pd.testing.assert_frame_equal(guard_formulas(table), table)


@pytest.fixture
def file(rows: pd.DataFrame, tmp_path: Path) -> Path:
    rows.to_csv(path := tmp_path / "own.csv", index=False)
    return path


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    return result.exit_code, result.output


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_the_command_line_steers_no_terminal(rows: pd.DataFrame, tmp_path: Path, form: str) -> None:
    names = rows[COLUMNS["name"]] + CONTROLS
    # The readers of CSV refuse control characters; Parquet holds them.
    rows.assign(**{COLUMNS["name"]: names}).to_parquet(path := tmp_path / "own.parquet")
    words = [word for name, column in COLUMNS.items() if name != "year" for word in (f"--{name}", column)]
    asked = ["--data", str(path), "--time", COLUMNS["year"], *words, "--to", "2025", "--model", "ar1"]
    status, output = run("forecast", *asked, "--format", form)
    assert status == 0, output
    if form == "table":
        assert not [letter for letter in output if not letter.isprintable() and letter != "\n"]
        assert "2Jevil" in output.replace("31m", "").replace("[", "")
    if form == "json":
        assert json.loads(output)["forecasts"][0]["location"] == names[0]
        assert "\x1b" not in output


def test_an_error_on_the_command_line_steers_no_terminal(file: Path) -> None:
    for words in (
        ["forecast", CONTROLS, "--from", "2030"],
        ["forecast", "--data", str(file), "--id", CONTROLS, "--time", COLUMNS["year"], "--value", COLUMNS["value"]],
        ["forecast", "NGA", "--model", CONTROLS],
        ["forecast", "NGA", "--revision", CONTROLS],
        ["request", "http://127.0.0.1:9", "NGA", "--group", f"{CONTROLS}:NGA", "--from", "2030", "--to", "2030"],
        ["forecast", "--data", f"/nowhere/{CONTROLS}.csv"],
    ):
        status, output = run(*words)
        assert status != 0
        assert not [letter for letter in output if not letter.isprintable() and letter != "\n"], words


# In reports --------------------------------------------------------------------------------------------------------


def test_a_report_on_one_s_own_file_shows_names_as_text(file: Path, tmp_path: Path) -> None:
    given = {"data": str(file), "models": "[naive, ar1]"} | {name: COLUMNS[name] for name in ("id", "value")}
    made = make_reports(["3-backtest"], given | {"time": COLUMNS["year"]}, tmp_path / "out")
    assert [result.error for result in made] == [None]
    for page in (tmp_path / "out").glob("*.html"):
        check_page(page.read_text(), 'class="hostile" src=x')
    for figure in (tmp_path / "out").glob("*.svg"):
        ET.fromstring(figure.read_text())
