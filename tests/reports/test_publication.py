"""Notebooks become pages: whole, light, the same each time, and a failure takes nothing with it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup

from popforecast.errors import LockError, ReportError
from popforecast.reports import make_reports
from popforecast.reports.notebooks import find_notebooks, name_page
from popforecast.reports.site import LOCK
from tests.reports.starting import start_python

REPORTS = (
    "1-prepare",
    "2-validate-ar",
    "3-backtest",
    "4-vintages",
    "5-peers",
    "6-ages",
    "country-profile",
    "revision-diff",
)
LARGEST_PAGE = 300_000

PARAMETERS = """
divisor = 2  # what to divide by
ratio = 0.5  # a number
loud = False  # whether to shout
names = ["ar1"]  # a list
"""
FIGURE = """
import pandas as pd
from popforecast.charts.scores import chart_bars

chart_bars(pd.Series({"left": 1.0, "right": -2.0}), "Two bars", "percent")
"""


def write_notebook(folder: Path, name: str, *more: str) -> None:
    code = nbformat.v4.new_code_cell
    cells = [
        nbformat.v4.new_markdown_cell(f"# The {name} report\n\nWhat it is about."),
        code(PARAMETERS, metadata={"tags": ["parameters"]}),
        code('print("Six divided is", 6 / divisor, "or 5%")', metadata={"tags": ["summary"]}),
        *(code(source, metadata={"tags": ["figure"]}) for source in more),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small notebooks; dividing by zero makes them fail."""
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder, "alpha", FIGURE)
    write_notebook(folder, "beta")
    return folder


CHANGED = "divisor-3.names-ar1-naive-422550d8"


@pytest.fixture(scope="module")
def made(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small notebooks, published with parameters of our own."""
    output = tmp_path_factory.mktemp("made")
    assert name_page(find_notebooks(folder)["alpha"], {"divisor": 3, "names": ["ar1", "naive"]}) == f"alpha.{CHANGED}"
    results = make_reports(None, {"divisor": "3", "names": "ar1,naive"}, output, jobs=2, folder=folder)
    assert [(result.name, result.title, result.ok, result.error, result.path) for result in results] == [
        (name, f"The {name} report", True, None, output / f"{name}.{CHANGED}.html") for name in ("alpha", "beta")
    ]
    return output


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def snapshot(output: Path) -> dict[str, bytes]:
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def snapshot_but_record(output: Path) -> dict[str, bytes]:
    return {name: content for name, content in snapshot(output).items() if name != "notebooks/made.json"}


def test_a_report_shows_its_finding_its_figure_and_how_to_make_it_again(made: Path):
    page = soup(made / f"alpha.{CHANGED}.html")
    assert page.h1.text == "The alpha report"
    assert page.find(class_="finding").text == "Six divided is 2.0 or 5%"
    assert page.select_one("figure svg")["aria-label"] == "Two bars, percent: left 1.0; right -2.0."
    assert "popforecast report alpha -p divisor 3 -p names '[ar1, naive]'" in page.footer.text


def test_the_index_shows_each_finding_and_figure(made: Path):
    alpha, beta = soup(made / "index.html").select(".reports > li")
    assert alpha.find("a", string="The alpha report")["href"] == f"alpha.{CHANGED}.html"
    assert beta.find("a", string="The beta report")["href"] == f"beta.{CHANGED}.html"
    assert [item.find(class_="finding").text for item in (alpha, beta)] == ["Six divided is 2.0 or 5%"] * 2
    assert (alpha.svg is None, beta.svg is None) == (False, True)


def test_a_failed_report_is_listed_and_its_last_good_page_stays(tmp_path: Path):
    folder, made = tmp_path / "notebooks", tmp_path / "made"
    write_notebook(folder, "alpha")
    write_notebook(folder, "beta")
    make_reports(None, None, made, folder=folder)
    output = shutil.copytree(made, tmp_path / "out")
    write_notebook(folder, "alpha", "1 / 0")
    (failed,) = make_reports(["alpha"], None, output, folder=folder)
    assert not failed.ok
    assert failed.error == "Cell 3: ZeroDivisionError: division by zero"
    assert failed.path == output / "alpha.html"
    changed = {name for name, content in snapshot(output).items() if content != snapshot(made)[name]}
    assert changed == {"index.html", "status.json"}
    alpha, beta = soup(output / "index.html").select(".reports > li")
    assert "Failed" in alpha.text
    assert failed.error in alpha.text
    assert alpha.find("a", string="The last good page")["href"] == "alpha.html"
    assert "Failed" not in beta.text


def test_two_runs_at_once_on_one_folder_lose_nothing_of_each_other(folder: Path, tmp_path: Path):
    script = "import sys; from pathlib import Path; from popforecast.reports import make_reports; "
    script += "make_reports([sys.argv[1]], None, sys.argv[2], folder=Path(sys.argv[3]))"
    commands = [[sys.executable, "-c", script, name, str(tmp_path), str(folder)] for name in ("alpha", "beta")]
    runs = [subprocess.Popen(command) for command in commands]
    assert [run.wait(120) for run in runs] == [0, 0]
    listed = soup(tmp_path / "index.html").select(".reports > li a")
    assert [link["href"] for link in listed] == ["alpha.html", "beta.html"]


def test_a_report_that_never_succeeded_is_listed_without_a_page(folder: Path, tmp_path: Path):
    (result,) = make_reports(["beta"], {"divisor": 0}, tmp_path, folder=folder)
    assert (result.ok, result.path) == (False, None)
    index = soup(tmp_path / "index.html")
    assert "There is no earlier page" in index.text
    assert index.select(".reports a") == []


def test_a_report_made_again_alone_changes_no_byte_of_anything(published: Path, tmp_path: Path):
    output = shutil.copytree(published, tmp_path / "out")
    (output / "3-backtest.html").unlink()
    make_reports(["3-backtest"], None, output)
    assert snapshot_but_record(output) == snapshot_but_record(published)


@pytest.mark.parametrize(
    ("names", "parameters", "sentence"),
    [
        (["alfa"], {}, r"no report 'alfa' \(nearest: alpha\): expected one of alpha, beta"),
        (
            None,
            {"divisr": "1"},
            r"report alpha has no parameter 'divisr' \(nearest: divisor\): expected one of divisor",
        ),
        (None, {"divisor": "two"}, r"parameter divisor of report alpha: 'two' is not a whole number; .* such as 2"),
        (None, {"divisor": "2.5"}, "is not a whole number"),
        (None, {"divisor": "true"}, "is not a whole number"),
        (None, {"ratio": "nan"}, "is not a number"),
        (None, {"ratio": ".inf"}, "is not a number"),
        (None, {"loud": "1"}, "is not true or false"),
        (None, {"names": "[1, 2]"}, r"1 in '\[1, 2\]' does not fit; expected items like those of \['ar1'\]"),
        (None, {"names": "[ar1"}, "cannot be read"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(folder, tmp_path, names, parameters, sentence):
    with pytest.raises(ReportError, match=sentence):
        make_reports(names, parameters, tmp_path / "out", folder=folder)
    assert not (tmp_path / "out").exists()


def test_without_papermill_the_error_says_what_to_install(folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "papermill", None)
    with pytest.raises(
        ReportError, match=r"papermill is not installed: reports need pip install 'popforecast\[reports\]'"
    ):
        make_reports(None, None, tmp_path, folder=folder)


def test_no_jobs_at_a_time_is_refused(folder: Path, tmp_path: Path):
    with pytest.raises(ReportError, match="jobs 0: expected 1 or more"):
        make_reports(None, None, tmp_path, jobs=0, folder=folder)


def test_an_output_that_is_a_file_is_refused(folder: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        make_reports(None, None, tmp_path / "file", folder=folder)


def test_a_folder_that_cannot_be_held_is_said_as_that(folder: Path, tmp_path: Path):
    (tmp_path / LOCK).parent.mkdir()
    (tmp_path / LOCK).write_bytes(b"no database" * 100)
    with pytest.raises(LockError, match="is not a lock file"):
        make_reports(None, None, tmp_path, folder=folder)


def test_a_page_that_cannot_be_written_is_said_and_leaves_the_rest_as_it_was(folder: Path, made: Path, tmp_path: Path):
    output = shutil.copytree(made, tmp_path / "out")
    (output / "alpha.html").mkdir()
    before = snapshot(output)
    with pytest.raises(ReportError, match=r"cannot be written to .*out \(alpha\.html is a folder\)"):
        make_reports(["alpha"], None, output, folder=folder)
    assert snapshot(output) == before


def test_a_folder_without_reports_says_what_a_report_is(tmp_path: Path):
    with pytest.raises(ReportError, match="expected notebooks with cells tagged parameters and summary"):
        find_notebooks(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", '{"cells": [{"metadata": {}}, 3]}'])
def test_a_damaged_notebook_is_named(tmp_path: Path, content: str):
    (tmp_path / "broken.ipynb").write_text(content)
    with pytest.raises(ReportError, match=r"broken\.ipynb is not a notebook"):
        find_notebooks(tmp_path)


def test_a_cell_that_takes_too_long_is_stopped(tmp_path: Path):
    write_notebook(tmp_path / "notebooks", "slow", "import time; time.sleep(60)")
    (result,) = make_reports(None, None, tmp_path, folder=tmp_path / "notebooks", timeout=2)
    assert result.error == "A cell took longer than 2 seconds and was stopped."


def test_a_kernel_that_dies_is_a_failure_like_any_other(tmp_path: Path):
    write_notebook(tmp_path / "notebooks", "dying", "import os; os._exit(1)")
    (result,) = make_reports(None, None, tmp_path, folder=tmp_path / "notebooks")
    assert result.error == "The kernel died while running a cell, perhaps because it ran out of memory."


def test_an_interrupted_run_leaves_whole_files_and_no_kernel(tmp_path: Path):
    write_notebook(tmp_path / "notebooks", "alpha")
    write_notebook(tmp_path / "notebooks", "slow", "import time; time.sleep(60)")
    output = tmp_path / "out"
    script = (
        "from pathlib import Path; from popforecast.reports import make_reports; "
        f"make_reports(None, None, {str(output)!r}, jobs=2, folder=Path({str(tmp_path / 'notebooks')!r}))"
    )
    process = start_python(script)
    deadline = time.monotonic() + 60
    while not (output / "index.html").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0
    _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == []
    assert sorted(snapshot(output)) == [
        "alpha.html",
        "index.html",
        "notebooks/.lock",
        "notebooks/alpha.ipynb",
        "notebooks/made.json",
        "sort.js",
        "status.json",
        "style.css",
    ]
    assert soup(output / "alpha.html").footer is not None


@pytest.mark.kernel
def test_the_command_exits_with_an_error_when_a_report_fails(tmp_path: Path):
    command = [sys.executable, "-m", "popforecast", "report", "3-backtest", "-p", "revision", "wpp1999"]
    done = subprocess.run([*command, "--output", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "no revision 'wpp1999': expected one of wpp2019, wpp2024" in soup(tmp_path / "index.html").text


def test_the_real_reports_are_those_of_the_design(published: Path):
    assert tuple(find_notebooks()) == REPORTS
    assert sorted(snapshot(published)) == sorted(
        ["index.html", "sort.js", "status.json", "style.css", "notebooks/.lock", "notebooks/made.json"]
        + [f"{name}.{ending}" for name in REPORTS for ending in ("html", "svg")]
        + [f"notebooks/{name}.ipynb" for name in REPORTS]
    )


@pytest.mark.parametrize("name", ["index", *REPORTS])
def test_a_page_is_light_and_whole_without_a_network(published: Path, name: str):
    text = (published / f"{name}.html").read_text(encoding="utf-8")
    assert len(text.encode()) <= LARGEST_PAGE
    # What a strict content policy would block.
    assert soup(published / f"{name}.html").find_all("style") == []
    assert soup(published / f"{name}.html").find_all(style=True) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]+', text) == []
    assert [script.attrs for script in soup(published / f"{name}.html").find_all("script")] == (
        [] if name == "index" else [{"src": "sort.js", "defer": ""}]
    )
    assert re.findall(r"url\((?!#)[^)]*\)|@import", text + (published / "style.css").read_text()) == []
    assert "/tmp" not in text
    assert str(Path(sys.prefix)) not in text


@pytest.mark.parametrize("name", ["index", *REPORTS])
def test_a_page_can_be_read_by_a_screen_reader(published: Path, name: str):
    page = soup(published / f"{name}.html")
    assert page.html["lang"] == "en"
    assert len(page.find_all("h1")) == 1
    assert len(page.find_all("main")) == 1
    assert all(figure["role"] == "img" and figure["aria-label"] for figure in page.find_all("svg"))
    assert page.find_all("svg")
    assert all(cell.get("scope") for cell in page.find_all("th"))
    repeated = [own for own, n in Counter(tag["id"] for tag in page.find_all(id=True)).items() if n > 1]
    assert repeated == []


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_says_where_its_numbers_come_from(published: Path, name: str):
    footer = soup(published / f"{name}.html").footer.text
    assert re.search(r"wpp20\d\d, (1950 )?to 20\d\d, .*checksum [0-9a-f]{12}", footer)
    assert f"popforecast report {name}" in footer
    assert "revision" in footer or "vintages" in footer
    assert "CC BY 3.0 IGO" in footer


@pytest.mark.parametrize("name", REPORTS)
def test_code_is_there_and_folded(published: Path, name: str):
    page = soup(published / f"{name}.html")
    assert all(code.find_parent("details") for code in page.find_all(class_="highlight"))
    assert "import popforecast as pf" in page.text


@pytest.mark.parametrize("name", ["style.css", "sort.js"])
def test_what_all_pages_share_is_in_the_checkout_as_it_is_now(name: str):
    root = Path(__file__).parents[2]
    # With a stale one, `make reports` would leave a fresh checkout changed.
    assert (root / "reports" / name).read_bytes() == (root / "popforecast/theme" / name).read_bytes()


def test_a_link_between_pages_leads_somewhere(published: Path):
    for page in published.glob("*.html"):
        for link in soup(page).find_all("a", href=True):
            target = link["href"].split("#")[0]
            assert not target or (published / target).exists(), f"{page.name}: {link['href']}"


def test_a_process_that_runs_notebooks_compiles_no_grammar():
    script = "import sys; from popforecast.reports.kernels import skip_grammar; {}"
    script += "import jsonschema, nbformat; print('lark' in sys.modules)"
    answers = [
        subprocess.run([sys.executable, "-c", script.format(first)], capture_output=True, text=True, check=True).stdout
        for first in ("", "skip_grammar(); ")
    ]
    assert answers == ["True\n", "False\n"]
