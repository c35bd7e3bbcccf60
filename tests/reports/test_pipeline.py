"""Only what is stale runs, in order, and the plan says why; what a run leaves is the same each time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from fnmatch import fnmatch
from pathlib import Path

import nbformat
import pytest

from popforecast.errors import ReportError
from popforecast.reports import make_reports, plan_reports, site
from popforecast.reports.notebooks import find_notebooks
from popforecast.reports.pipeline import run_in_order

ROOT = Path(__file__).parents[2]
PARAMETERS = 'lags = 1  # how many\ntable = ""  # a file to read, or to write\n'


def write_notebook(folder: Path, name: str, code: str = "pass", **order: list[str]) -> None:
    cell = nbformat.v4.new_code_cell
    tags = lambda tag: {"metadata": {"tags": [tag]}}  # noqa: E731
    cells = [cell(PARAMETERS, **tags("parameters")), cell(code), cell("print('Found', lags)", **tags("summary"))]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"popforecast": order} if order else {})
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three notebooks: first, then second and third, which rest on it."""
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder, "first")
    write_notebook(folder, "second", after=["first"])
    write_notebook(folder, "third", after=["first"])
    return folder


@pytest.fixture(scope="module")
def made(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three, published."""
    output = tmp_path_factory.mktemp("made")
    assert [result.fresh for result in make_reports(None, None, output, jobs=2, folder=folder)] == [False] * 3
    return output


@pytest.fixture
def own(folder: Path, made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Notebooks and pages of one's own, to be changed."""
    return shutil.copytree(folder, tmp_path / "notebooks"), shutil.copytree(made, tmp_path / "made")


def snapshot(output: Path) -> dict[str, bytes]:
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def list_published(output: Path) -> dict[str, bytes]:
    return {name: content for name, content in snapshot(output).items() if not name.startswith("notebooks")}


def plan(folder: Path, output: Path, parameters: dict | None = None) -> list[str]:
    return [str(step) for step in plan_reports(None, parameters, output, folder)]


def test_what_is_fresh_is_not_run_and_no_byte_changes(own):
    folder, output = own
    before = snapshot(output)
    assert [(result.ok, result.fresh) for result in make_reports(None, None, output, folder=folder)] == [
        (True, True)
    ] * 3
    assert snapshot(output) == before
    assert plan(folder, output) == ["first: fresh", "second: fresh (after first)", "third: fresh (after first)"]


def test_a_fresh_clone_runs_every_notebook_once_and_changes_no_byte_that_git_carries(own):
    folder, output = own
    before = list_published(output)
    shutil.rmtree(output / "notebooks")
    assert plan(folder, output)[0] == "first: stale: not made in this checkout"
    # Until then, and in the index of who makes one of them only, the committed pages are listed.
    make_reports(["third"], None, output, folder=folder)
    assert list_published(output) == before
    assert [result.fresh for result in make_reports(None, None, output, folder=folder)] == [False, False, True]
    assert all(result.fresh for result in make_reports(None, None, output, folder=folder))
    assert list_published(output) == before


def test_a_page_that_another_checkout_made_is_made_again_here(own, tmp_path: Path):
    folder, output = own
    write_notebook(folder, "second", "1 + 1", after=["first"])
    pulled = shutil.copytree(output, tmp_path / "pulled")
    make_reports(None, None, output, folder=folder)
    for name in ("second.html", "status.json"):
        shutil.copy(output / name, pulled / name)
    assert plan(folder, pulled) == [
        *("first: fresh", "second: stale: not made in this checkout (after first)", "third: fresh (after first)"),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("first.html", "first.html is missing"),
        ("notebooks/first.ipynb", "notebooks/first.ipynb is missing"),
        ("notebooks/made.json", "not made in this checkout"),
        ("status.json", "never made"),
    ],
)
def test_what_is_deleted_by_hand_is_made_again(own, name: str, reason: str):
    folder, output = own
    before = list_published(output)
    (output / name).unlink()
    assert plan(folder, output)[0] == f"first: stale: {reason}"
    make_reports(None, None, output, folder=folder)
    assert list_published(output) == before


@pytest.mark.parametrize("content", ["", "[]", '{"first": 3}', '{"first": {"good": null}}'])
def test_a_damaged_record_of_what_was_made_here_counts_as_none(own, content: str):
    folder, output = own
    (output / "notebooks/made.json").write_text(content)
    assert plan(folder, output)[0] == "first: stale: not made in this checkout"


def test_changed_parameters_make_a_page_of_their_own_and_leave_the_others(own):
    folder, output = own
    before = snapshot(output)
    (one,) = make_reports(["second"], {"lags": "2"}, output, folder=folder)
    (two,) = make_reports(["second"], {"lags": 3, "table": "no/such table"}, output, folder=folder)
    assert one.path == output / "second.lags-2.html"
    assert re.fullmatch(r"second\.lags-3\.table-such-table-[0-9a-f]{8}\.html", two.path.name)
    now = snapshot(output)
    kept = {name for name in before if now[name] == before[name]}
    assert before.keys() - kept == {"index.html", "status.json", "notebooks/made.json"}
    text = one.path.read_text()
    assert "With changed parameters: lags 2" in text
    assert "(lags 2) · popforecast</title>" in text
    assert "With changed parameters" not in (output / "second.html").read_text()
    index = (output / "index.html").read_text()
    # Each by its own address, and the notebook's own before those that somebody tried.
    assert re.findall(r'<h2><a href="([^"]+)"', index) == [
        *("first.html", "second.html", "second.lags-2.html", two.path.name, "third.html"),
    ]
    assert index.count("With changed parameters") == 2
    assert all(result.fresh for result in make_reports(None, None, output, folder=folder))
    assert make_reports(["second"], {"lags": 2}, output, folder=folder)[0].fresh


def test_a_parameter_that_is_as_the_notebook_has_it_changes_nothing(own):
    folder, output = own
    before = snapshot(output)
    (result,) = make_reports(["second"], {"lags": "1", "table": ""}, output, folder=folder)
    assert (result.fresh, result.path) == (True, output / "second.html")
    assert snapshot(output) == before


def test_what_git_carries_stays_as_it_is_when_somebody_tries_parameters(own, monkeypatch: pytest.MonkeyPatch):
    folder, output = own
    monkeypatch.setattr(site, "COMMITTED", output)
    before = snapshot(output)
    (result,) = make_reports(["second"], {"lags": 2}, output, folder=folder)
    assert (result.ok, result.listed) == (True, False)
    (failed,) = make_reports(["second"], {"table": "x" * 300}, output, folder=folder, timeout=60)
    assert failed.ok
    new = {name for name, content in snapshot(output).items() if content != before.get(name)}
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    carried = {
        name for name in new if not any(fnmatch(f"reports/{name}", rule + "*" * rule.endswith("/")) for rule in ignored)
    }
    assert carried == set()
    assert make_reports(["second"], {"lags": 2}, output, folder=folder)[0].fresh
    # The same checksums, read from where git does not look.
    assert plan(folder, output, {"lags": 2})[1].startswith("second.lags-2: fresh")


def test_a_notebook_that_was_touched_is_made_again_and_no_other(own):
    folder, output = own
    before = snapshot(output)
    write_notebook(folder, "second", "1 + 1", after=["first"])
    assert plan(folder, output)[1] == "second: stale: notebook changed (after first)"
    results = make_reports(None, None, output, folder=folder)
    assert [result.name for result in results if not result.fresh] == ["second"]
    changed = {name for name, content in snapshot(output).items() if content != before.get(name)}
    assert changed == {
        *("second.html", "status.json", "index.html", "notebooks/second.ipynb", "notebooks/made.json"),
    }


def test_the_plan_says_what_changed(own):
    folder, output = own
    status = json.loads((output / "status.json").read_text())
    for name, part in {"first": "package", "second": "data", "third": "lock"}.items():
        status[name]["good"]["key"][part] = "0" * 64
    (output / "status.json").write_text(json.dumps(status))
    (output / "first.html").write_text("mine")
    (output / "second.html").unlink()
    assert plan(folder, output) == [
        "first: stale: not made in this checkout, package changed, first.html changed since",
        "second: stale: not made in this checkout, data changed, second.html is missing (after first)",
        "third: stale: not made in this checkout, lock file changed (after first)",
    ]
    # Nothing but a plan.
    assert (output / "first.html").read_text() == "mine"
    assert not (output / "second.html").exists()


def test_a_plan_for_an_empty_folder_makes_no_folder(folder: Path, tmp_path: Path):
    assert plan(folder, tmp_path / "out")[0] == "first: stale: never made"
    assert not (tmp_path / "out").exists()


def test_two_forced_runs_give_the_same_bytes(own):
    folder, output = own
    assert not any(result.fresh for result in make_reports(None, None, output, folder=folder, force=True))
    assert list_published(output) == list_published(own[0].parent / "made")
    before = list_published(output)
    make_reports(["third"], None, output, folder=folder, force=True)
    assert list_published(output) == before


def test_a_real_report_made_twice_in_two_folders_has_the_same_bytes(published: Path, tmp_path: Path):
    # Once among all the others, and once alone.
    (result,) = make_reports(["5-peers"], None, tmp_path, force=True)
    assert result.error is None
    alone, among = list_published(tmp_path), list_published(published)
    assert {name for name, content in alone.items() if content != among[name]} == {"index.html", "status.json"}
    status, all_status = (json.loads(files["status.json"]) for files in (alone, among))
    assert status == {"5-peers": all_status["5-peers"]}
    times = json.loads((tmp_path / "notebooks/made.json").read_text())["5-peers"]
    # The only place that tells the time.
    assert times["seconds"] > 0
    assert times["ended"][:10].encode() not in b"".join(alone.values())


def test_what_rests_on_a_failed_report_is_not_made_and_says_so(own):
    folder, output = own
    before = list_published(output)
    write_notebook(folder, "first", "1 / 0")
    write_notebook(folder, "second", "1 + 1", after=["first"])
    first, second, third = make_reports(None, None, output, folder=folder)
    assert first.error == "Cell 2: ZeroDivisionError: division by zero"
    assert second.error == "Not made, because it depends on first, which failed."
    assert (third.ok, third.fresh) == (True, True)
    assert {name for name, content in list_published(output).items() if content != before[name]} == {
        *("index.html", "status.json"),
    }
    write_notebook(folder, "first")
    assert plan(folder, output)[:2] == [
        "first: stale: failed last time",
        "second: stale: failed last time, notebook changed (after first)",
    ]
    assert all(result.ok for result in make_reports(None, None, output, folder=folder))


def test_what_the_first_wrote_makes_the_second_stale(tmp_path: Path):
    folder, table = tmp_path / "notebooks", tmp_path / "table.csv"
    table.write_text("1")
    write_notebook(folder, "first", "from pathlib import Path; Path(table).write_text(str(lags))")
    write_notebook(folder, "second", "print(open(table).read())", after=["first"])
    parameters = {"table": str(table)}
    make_reports(["second"], parameters, tmp_path / "out", folder=folder)
    make_reports(["second"], parameters | {"lags": 2}, tmp_path / "out", folder=folder)
    first, second = make_reports(None, parameters | {"lags": 2}, tmp_path / "out", folder=folder)
    assert table.read_text() == "2"
    assert (first.fresh, second.fresh) == (False, False)
    assert "2\n" in second.path.read_text()


def test_a_report_that_writes_elsewhere_is_never_fresh(tmp_path: Path):
    folder = tmp_path / "notebooks"
    write_notebook(folder, "first", writes=["table"])
    make_reports(None, {"table": "elsewhere"}, tmp_path / "out", folder=folder)
    assert plan(folder, tmp_path / "out", {"table": "elsewhere"}) == [
        "first.table-elsewhere: stale: table elsewhere is to be written",
    ]


def test_reports_that_wait_for_each_other_are_refused(tmp_path: Path):
    write_notebook(tmp_path, "a", after=["b"])
    write_notebook(tmp_path, "b", after=["a"])
    with pytest.raises(ReportError, match="reports depend on one another in a cycle"):
        make_reports(None, None, tmp_path / "out", folder=tmp_path)


def test_tasks_run_side_by_side_but_never_before_what_they_come_after():
    meeting = threading.Barrier(2, timeout=30)
    ended: list[str] = []

    def run(name: str) -> str:
        if name in "bc":
            # Neither can go on alone.
            meeting.wait()
            assert "a" in ended
        if name == "d":
            assert set(ended) == {*"abc"}
        return name

    for name, outcome in run_in_order({"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}, 2, lambda _: True, run):
        assert name == outcome
        ended.append(name)
    assert len(ended) == 4


def test_every_report_rests_on_reports_that_there_are():
    notebooks = find_notebooks()
    assert all(set(notebook.after) <= notebooks.keys() for notebook in notebooks.values())
    assert all(set(notebook.writes) <= notebook.defaults.keys() for notebook in notebooks.values())
    assert [name for name, notebook in notebooks.items() if not notebook.after] == ["1-prepare"]


def test_off_a_terminal_progress_is_lines(folder: Path, tmp_path: Path):
    script = "import sys; from pathlib import Path; from popforecast.reports import make_reports; "
    script += "make_reports(['first', 'second'], None, sys.argv[1], progress=True, folder=Path(sys.argv[2]))"
    command = [sys.executable, "-c", script, str(tmp_path / "out"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    lines = done.stderr.splitlines()
    assert [line.partition(" in ")[0] for line in lines] == [
        *("first: begun", "first: made", "second: begun", "second: made"),
    ]
    assert "\r" not in done.stderr
    assert done.stdout == ""


def test_on_a_terminal_progress_is_bars_for_reports_and_for_cells(folder: Path, tmp_path: Path):
    import fcntl
    import os
    import pty
    import struct
    import termios

    script = "import sys; from pathlib import Path; from popforecast.reports import make_reports; "
    script += "make_reports(['first'], None, sys.argv[1], progress=True, folder=Path(sys.argv[2]))"
    ours, theirs = pty.openpty()
    # A new one has no rows and no columns, in which nothing can be shown.
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-c", script, str(tmp_path / "out"), str(folder)]
    process = subprocess.Popen(command, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        # Linux's way to say that the other end is closed.
        pass
    os.close(ours)
    assert process.wait(60) == 0
    assert b"reports: 100%" in shown
    assert b"first:  33%" in shown
