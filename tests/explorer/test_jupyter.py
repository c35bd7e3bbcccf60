"""The explorer's notebook: clean as it lies in the repository, and whole when Jupyter runs it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

import popforecast as pf
from popforecast.reports.notebooks import find_folder

NOTEBOOK = find_folder() / "explore.ipynb"


@pytest.fixture(scope="module")
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def run(output: Path, **parameters: Any) -> Any:
    return papermill.execute_notebook(
        NOTEBOOK, output, parameters, kernel_name="python3", cwd=NOTEBOOK.parent, progress_bar=False
    )


def read_widgets(executed: Any) -> str:
    """All the HTML that the notebook's widgets hold after its run."""
    states = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    return "".join(state["state"]["value"] for state in states if state["model_name"] == "HTMLModel")


def test_it_holds_no_output_and_no_execution(notebook: Any) -> None:
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count is not None] == []
    assert set(notebook.metadata) <= {"kernelspec", "language_info", "title"}
    assert notebook.metadata.kernelspec.name == "python3"


def test_it_holds_prose_and_verbs_and_one_cell_of_parameters(notebook: Any) -> None:
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in nodes)
    assert sum("parameters" in cell.metadata.get("tags", ()) for cell in notebook.cells) == 1


def test_it_runs_and_shows_the_known_table(tmp_path: Path) -> None:
    asked = {"locations": ["WORLD", "More developed regions"], "start": 2030, "end": 2035, "revision": "wpp2019"}
    html = read_widgets(run(tmp_path / "explore.ipynb", model="ar1", **asked))
    figures = re.findall(r"<td>([\d,]+)<small>", html)
    table = pf.forecast(pf.load_panel("wpp2019"), asked["locations"], 2030, 2035, model="ar1").to_table()
    assert figures == table.to_numpy().ravel().tolist()
    assert figures[:2] == ["8,745,733,000", "1,304,051,000"]


def test_a_bad_parameter_is_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    html = read_widgets(run(tmp_path / "explore.ipynb", locations=["Nigria"]))
    assert 'role="alert">No location' in html


def test_results_show_themselves_in_a_cell(wpp2019: pf.Panel) -> None:
    forecast = pf.forecast(wpp2019, ["World", "Nigeria"], 2030, 2031, model="ar1")
    assert "8,745,733,000" in forecast._repr_html_()
    assert "explosive" in forecast._repr_html_()
    assert "285 locations" in wpp2019._repr_html_()
    data, _ = forecast.plot()._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg")
