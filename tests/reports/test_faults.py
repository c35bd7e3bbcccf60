"""Whatever goes wrong: one clear sentence, an exit status that is not zero, and the last good site whole."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest

from popforecast.reports import make_reports
from tests.reports.starting import start_python

SCRIPT = """
import sys
from pathlib import Path
from popforecast.reports import notebooks
notebooks.FOLDERS = (Path(sys.argv.pop(1)),)
from popforecast.cli import main
main()
"""


def write_notebook(folder: Path, name: str, code: str = "pass") -> None:
    cell = nbformat.v4.new_code_cell
    cells = [
        cell("lags = 1  # how many", metadata={"tags": ["parameters"]}),
        cell(code),
        cell("print('Found', lags)", metadata={"tags": ["summary"]}),
    ]
    folder.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")


def start(folder: Path, output: Path, *words: str, **more) -> subprocess.Popen[str]:
    return start_python(SCRIPT, str(folder), "report", "--output", str(output), *words, **more)


def run(folder: Path, output: Path, *words: str, **more) -> tuple[int, str]:
    process = start(folder, output, *words, **more)
    _, errors = process.communicate(timeout=200)
    return process.returncode, errors


def snapshot(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in output.iterdir() if path.is_file()}


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a notebook and its page."""
    place = tmp_path_factory.mktemp("made")
    write_notebook(place / "notebooks", "alpha")
    assert all(result.ok for result in make_reports(None, None, place / "out", folder=place / "notebooks"))
    return place


@pytest.fixture
def site(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Notebook and page of one's own, to be changed: what is fresh does not depend on where it lies."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "notebooks", tmp_path / "out"


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 143), (signal.SIGKILL, -9)], ids=lambda value: str(value)
)
def test_a_run_that_is_stopped_leaves_the_site_whole_no_kernel_and_the_next_goes_on(site, sent, status):
    folder, output = site
    before = snapshot(output)
    started = folder.parent / "started"
    wait = f"from pathlib import Path; import time; Path({str(started)!r}).touch(); time.sleep(600)"
    write_notebook(folder, "alpha", wait)
    process = start(folder, output)
    wait_for(started.exists)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.send_signal(sent)
    process.communicate(timeout=60)
    assert process.returncode == status
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    assert snapshot(output) == before
    write_notebook(folder, "alpha", "'mended'")
    assert run(folder, output)[0] == 0
    assert "mended" in (output / "alpha.html").read_text()


def test_what_a_killed_run_left_half_written_is_cleared(site):
    folder, output = site
    before = snapshot(output)
    for name in (".alpha.html.a1b2c3d4", ".status.json.abcdefg_"):
        (output / name).write_text("half")
    (output / ".nojekyll").write_text("")
    make_reports(None, None, output, folder=folder)
    assert snapshot(output) == before | {".nojekyll": b""}


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["-p", "lag", "2"], "pass", "report alpha has no parameter 'lag' (nearest: lags): expected one of lags"),
        (["-p", "lags", "two"], "pass", "parameter lags of report alpha: 'two' is not a whole number"),
        (["alhpa"], "pass", "no report 'alhpa' (nearest: alpha)"),
        (["--only", "alhpa"], "pass", "no report 'alhpa' (nearest: alpha)"),
        ([], "1 / 0", "alpha: Cell 2: ZeroDivisionError: division by zero"),
        ([], "import popforecast as pf; pf.load_panel('wpp1999')", "no revision 'wpp1999': expected one of wpp2019"),
        (["--timeout", "2"], "import time; time.sleep(600)", "A cell took longer than 2 seconds and was stopped."),
        ([], "import os; os._exit(1)", "The kernel died while running a cell"),
    ],
    ids=["unknown parameter", "wrong type", "unknown name", "only", "raises", "revision", "never ends", "kernel dies"],
)
def test_bad_input_is_a_sentence_and_the_last_good_page_stays(site, words, code, sentence):
    folder, output = site
    page = (output / "alpha.html").read_bytes()
    write_notebook(folder, "alpha", code)
    status, errors = run(folder, output, *words)
    assert status == 1
    assert sentence in errors
    assert "Traceback" not in errors
    assert (output / "alpha.html").read_bytes() == page
    assert not [path for path in output.iterdir() if path.name.startswith(".")]


def test_a_file_that_grows_too_large_is_a_sentence_and_leaves_nothing_half_written(site):
    folder, output = site
    (output / "style.css").unlink()
    before = snapshot(output)
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))}
    status, errors = run(folder, output, **limit)
    assert (status, snapshot(output)) == (1, before)
    assert f"the reports cannot be written to {output} (File too large): choose a writable folder" in errors


def test_a_full_disk_is_a_sentence_and_leaves_the_site_whole(site, tmp_path: Path):
    folder, output = site
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        shutil.copytree(output, disk / "out")
        before = snapshot(disk / "out")
        write_notebook(folder, "alpha", "print('x' * 200_000)")
        status, errors = run(folder, disk / "out")
        assert (status, snapshot(disk / "out")) == (1, before)
        assert "(No space left on device): choose a writable folder with enough free space" in errors
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_may_not_be_written_to_is_a_sentence(site):
    folder, output = site
    before = snapshot(output)
    write_notebook(folder, "alpha", "'changed'")
    drop: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("nothing here takes the superuser's rights away")
        drop = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
    for place in (output, output / "notebooks"):
        place.chmod(0o555)
    try:
        status, errors = run(folder, output, before=drop)
    finally:
        for place in (output, output / "notebooks"):
            place.chmod(0o755)
    assert (status, snapshot(output)) == (1, before)
    assert "Traceback" not in errors
    assert str(output) in errors
    assert "choose a writable folder" in errors


def test_two_runs_at_once_on_one_folder_end_as_one_would(site):
    folder, output = site
    write_notebook(folder, "alpha", "'changed'")
    write_notebook(folder, "beta")
    both = [start(folder, output, "--jobs", "2") for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=200)
        assert (process.returncode, "Traceback" in errors) == (0, False)
    assert all(result.fresh for result in make_reports(None, None, output, folder=folder))
    alone = output.parent / "alone"
    make_reports(None, None, alone, folder=folder)
    assert snapshot(output) == snapshot(alone)
