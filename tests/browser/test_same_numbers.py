"""Twenty random questions to every surface: notebook, report, explorer, web page, API and command line say the same."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlencode

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page

import popforecast as pf
from popforecast.cli import main
from popforecast.reports import make_reports
from popforecast.text import round_in_full

pytestmark = pytest.mark.browser

SEED = 20261122
VIEWS, LOCATIONS, MODELS = 5, 2, 2

NOTEBOOK = (
    ("parameters", "# What is asked: revision, locations, first and last year, model.\nquestions = []"),
    (
        "numbers",
        "import json\nimport popforecast as pf\n"
        "tables = [pf.forecast(pf.load_panel(q[0]), q[1], *q[2:]) for q in questions]\n"
        "print(json.dumps([table.to_frame()['population'].tolist() for table in tables]))",
    ),
    *(("table", f"tables[{i}].to_table()") for i in range(VIEWS * MODELS)),
    ("summary", "print('Twenty questions.')"),
)

READ_TABLE = """rows => rows.map(row => [...row.cells].map(cell => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll("small").forEach(small => small.remove());
    return copy.textContent.trim();
}))"""


@dataclass(frozen=True)
class View:
    """What one page of the explorer shows: as many questions as it has locations and models."""

    revision: str
    locations: tuple[int, ...]
    start: int
    end: int
    models: tuple[str, ...]

    def ask(self, model: str) -> list[tuple[str, Any]]:
        """The same as arguments of an address."""
        return [
            *(("location", code) for code in self.locations),
            *(("from", self.start), ("to", self.end), ("model", model), ("revision", self.revision)),
        ]


def draw_views() -> list[View]:
    chance = random.Random(SEED)
    views = []
    for _ in range(VIEWS):
        revision = chance.choice(list(pf.REVISIONS))
        panel = pf.load_panel(revision)
        start = chance.randint(panel.origin + 1, 2095)
        codes = tuple(chance.sample(panel.locations.index.tolist(), LOCATIONS))
        models = tuple(chance.sample(list(pf.models.MODELS), MODELS))
        views.append(View(revision, codes, start, chance.randint(start, start + 4), models))
    return views


ASKED = draw_views()
QUESTIONS = [(view, model) for view in ASKED for model in view.models]


def compute(view: View, model: str) -> pf.Forecast:
    return pf.forecast(pf.load_panel(view.revision), view.locations, view.start, view.end, model)


def write(view: View, model: str) -> list[list[str]]:
    """The figures of each location as people read them."""
    rows = compute(view, model).to_frame().drop(columns=["location", "year", "variant"])
    columns = []
    for _, group in rows.groupby("location_code", sort=False):
        rounding = round_in_full(group.drop(columns="location_code").to_numpy().ravel())
        columns.append([rounding.write(persons) for persons in group["population"]])
    return columns


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[list[int]], str]:
    """What a notebook of three lines prints when papermill runs it, and the page that is made of it."""
    folder = tmp_path_factory.mktemp("same")
    asked = [[view.revision, list(view.locations), view.start, view.end, model] for view, model in QUESTIONS]
    cells = [new_code_cell(source, metadata={"tags": [tag]}) for tag, source in NOTEBOOK]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel, "title": "Same numbers"})
    nbformat.write(notebook, folder / "numbers.ipynb")
    (result,) = make_reports(["numbers"], {"questions": asked}, folder / "site", folder=folder)
    assert result.error is None
    # Its parameter is changed, so that the page has a name of its own.
    (page,) = (folder / "site").glob("numbers.*.html")
    executed = nbformat.read(folder / "site" / "notebooks" / f"{page.stem}.ipynb", as_version=4)
    (printed,) = [cell.outputs[0].text for cell in executed.cells if "numbers" in cell.metadata.get("tags", ())]
    return json.loads(printed), page.read_text()


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1440, "height": 1000}) as context:
        context.set_default_timeout(60_000)
        yield context.new_page()


def read_columns(page: Page, table: str) -> list[list[str]]:
    """The columns of the table of figures, without the years."""
    _, *rows = page.locator(f"{table} tr").evaluate_all(READ_TABLE)
    return [list(column) for column in zip(*(row[1:] for row in rows), strict=True)]


def test_there_are_twenty_questions() -> None:
    assert len(QUESTIONS) * LOCATIONS == 20
    assert len({view.revision for view in ASKED}) == 2
    assert len({model for _, model in QUESTIONS}) >= 4


def test_a_notebook_prints_the_same(report: tuple[list[list[int]], str]) -> None:
    for printed, (view, model) in zip(report[0], QUESTIONS, strict=True):
        assert printed == compute(view, model).to_frame()["population"].tolist()


def test_a_report_shows_the_same(report: tuple[list[list[int]], str]) -> None:
    tables = re.findall(r"<table.*?</table>", report[1], re.DOTALL)[-len(QUESTIONS) :]
    for table, (view, model) in zip(tables, QUESTIONS, strict=True):
        cells = [unescape(re.sub(r"<.*?>", "", cell)) for cell in re.findall(r"<td.*?</td>", table, re.DOTALL)]
        columns = [cells[i :: len(view.locations)] for i in range(len(view.locations))]
        assert columns == write(view, model)


def test_the_explorer_shows_the_same(serve: Any, page: Page) -> None:
    command = [sys.executable, "-m", "popforecast.explorer", "--no-browser", "--port={port}"]
    server = serve(command, "/explorer/health")
    for view in ASKED:
        page.goto(f"{server.url}/?{urlencode([*view.ask(view.models[0]), *(('model', it) for it in view.models[1:])])}")
        page.locator("table.figures tbody tr").first.wait_for()
        by_model = [write(view, model) for model in view.models]
        assert read_columns(page, ".pf-explorer table.figures") == [
            columns[i] for i in range(LOCATIONS) for columns in by_model
        ]


def test_the_web_page_shows_the_same(url: str, page: Page) -> None:
    for view, model in QUESTIONS:
        page.goto(f"{url}/forecast?{urlencode(view.ask(model))}")
        assert read_columns(page, "section[aria-labelledby=figures] table") == write(view, model)


def test_the_api_answers_the_same(url: str) -> None:
    for view, model in QUESTIONS:
        with urllib.request.urlopen(f"{url}/api/v1/forecast?{urlencode(view.ask(model))}") as answer:
            rows = json.load(answer)["forecasts"]
        assert [row["population"] for row in rows] == compute(view, model).to_frame()["population"].tolist()


def test_the_command_line_prints_the_same() -> None:
    for number, (view, model) in enumerate(QUESTIONS):
        words = [*map(str, view.locations), "--from", view.start, "--to", view.end, "--model", model]
        options = ["--revision", view.revision, "--format", "json"]
        asked = ["forecast", *map(str, words), *options]
        if number:
            printed = CliRunner().invoke(main, asked, catch_exceptions=False).stdout
        else:
            # A process of its own runs the same function: once is enough.
            command = [sys.executable, "-m", "popforecast", *asked]
            printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        rows = json.loads(printed)["forecasts"]
        assert [row["population"] for row in rows] == compute(view, model).to_frame()["population"].tolist()
