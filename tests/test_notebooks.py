"""The notebooks: prose and verbs, committed without output, run on the real data."""

from __future__ import annotations

import ast
import copy
from pathlib import Path

import nbformat
import nbstripout
import pytest

from popforecast.evaluation.reference import load_known_table
from popforecast.reports import make_reports
from popforecast.reports.notebooks import find_folder, find_notebooks
from popforecast.text import format_population
from popforecast.wpp import editions

REPORTS = [notebook.path for notebook in find_notebooks().values()]
WIDE_2019 = "WPP2019_POP_F01_1_TOTAL_POPULATION_BOTH_SEXES.csv"

HEADINGS = {
    "1-prepare": [
        "The source file",
        "What was dropped, and why",
        "The panel",
        "Do the countries add up to the world?",
        "Years of unusual growth",
        "Interim updates",
        "The embedded tables",
    ],
    "2-validate-ar": [
        "The known table",
        "The forecast",
        "The fit",
        "The same numbers as statsmodels",
        "Roots",
        "Residual diagnostics",
    ],
    "3-backtest": [
        "Read this first: final data",
        "Error by horizon",
        "By size",
        "By region",
        "Calibration",
        "Calibration at each origin",
        "The largest errors",
        "What to keep in mind",
    ],
    "4-vintages": [
        "What is compared",
        "Error in real time",
        "Error after rebasing",
        "Coverage of the intervals",
        "How much base-year figures were revised",
        "What to keep in mind",
    ],
    "5-peers": [
        "Read this first: two sets of countries, one history",
        "Compared with the best peer",
        "The tuning countries",
        "The reported countries",
        "All countries",
        "Methods and run times",
    ],
    "6-ages": [
        "From today's pyramid to the forecast",
        "Births, deaths and migration",
        "The rules",
        "How wrong each component was",
        "Change a rule",
        "What to keep in mind",
    ],
    "country-profile": [
        "History and forecast",
        "Growth",
        "How accurate have these forecasts been?",
        "Where we differ from the UN",
        "Peaks and other milestones",
        "What would change the forecast",
        "What to keep in mind",
    ],
    "revision-diff": [
        "What is compared",
        "The ten largest changes",
        "The past",
        "The forecast",
        "Coverage of the old intervals",
        "Backtest error",
        "Every country",
        "What to keep in mind",
    ],
}


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def sources_of(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def shown(notebook: nbformat.NotebookNode, kind: str = "text/html") -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.get("data", {}).get(kind, "") for output in outputs)


@pytest.mark.parametrize("path", sorted(find_folder().glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_output(path: Path):
    notebook = read(path)
    stripped = nbstripout.strip_output(copy.deepcopy(notebook), keep_output=False, keep_count=False, keep_id=True)
    assert stripped == notebook
    assert notebook.metadata.kernelspec.name == "python3"
    nbformat.validate(notebook)


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_notebook_is_prose_and_verbs(path: Path):
    code = "\n".join(sources_of(read(path), "code"))
    rooms = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While)
    assert [type(node).__name__ for node in ast.walk(ast.parse(code)) if isinstance(node, rooms)] == []
    assert "import popforecast as pf" in code


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_one_cell_holds_the_parameters_and_each_has_a_comment(path: Path):
    tagged = [cell for cell in read(path).cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    for line in tagged[0].source.splitlines():
        name, _, comment = line.partition("  # ")
        assert " = " in name, line
        assert comment, f"{path.name}: {line!r} has no comment"


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_headings_follow_the_story(path: Path):
    lines = "\n".join(sources_of(read(path), "markdown")).splitlines()
    assert len([line for line in lines if line.startswith("# ")]) == 1
    assert [line[3:] for line in lines if line.startswith("## ")] == HEADINGS[path.stem]


def test_the_executed_validation_holds_the_known_table(published: Path):
    tables = shown(read(published / "notebooks" / "2-validate-ar.ipynb"))
    page = (published / "2-validate-ar.html").read_text(encoding="utf-8")
    figures = [format_population(1000 * figure) for figure in load_known_table().to_numpy().T.ravel()]
    assert figures[0] == "8,745,733,000"
    for figure in figures:
        assert figure in tables
        assert figure in page
    assert tables.count("to the digit") == 6


def test_the_executed_backtest_holds_the_expected_errors(published: Path):
    table = shown(read(published / "notebooks" / "3-backtest.ipynb"))
    for figure in ("0.72", "2.27", "3.90", "8.68", "24.22"):
        assert f"<td>{figure}</td>" in table
    assert "Soufrière Hills volcano" in table
    page = (published / "3-backtest.html").read_text(encoding="utf-8")
    assert "Final data." in page
    assert "ar1 by 8.7 and 24.2%" in page


def test_the_executed_preparation_says_what_was_dropped(published: Path):
    page = (published / "1-prepare.html").read_text(encoding="utf-8")
    assert "Sustainable Development Goal (SDG) regions" in page
    assert "a label, without any figure" in page
    assert "the genocide of 1994" in page


def test_preparing_the_uns_own_file_writes_the_embedded_tables(raw: Path, tmp_path: Path):
    parameters = {"revision": "wpp2019", "raw": str(raw / WIDE_2019), "write_to": str(tmp_path / "tables")}
    (result,) = make_reports(["1-prepare"], parameters, tmp_path / "reports")
    assert result.error is None
    assert "2 536 431" in result.path.read_text(encoding="utf-8")
    for table in ("locations", "estimates"):
        name = f"wpp2019-{table}.csv"
        assert (tmp_path / "tables" / name).read_bytes() == (editions.DATA / name).read_bytes(), name
    assert editions.read_manifest(tmp_path / "tables")["wpp2019"] == editions.read_manifest(editions.DATA)["wpp2019"]


def test_the_validation_shows_history_where_the_period_is_past(tmp_path: Path):
    (result,) = make_reports(["2-validate-ar"], {"start": 2010, "end": 2015}, tmp_path)
    assert result.error is None
    assert "2015 (estimates)" in result.path.read_text(encoding="utf-8")


def test_the_notebooks_run_on_the_other_revision_too(tmp_path: Path):
    results = make_reports(["1-prepare", "2-validate-ar"], {"revision": "wpp2024"}, tmp_path, jobs=2)
    assert [result.error for result in results] == [None, None]
    assert "Kuwait" in results[0].path.read_text(encoding="utf-8")
