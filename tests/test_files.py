"""Runs that share a folder write one after the other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from popforecast.errors import LockError
from popforecast.files import hold

HOLD = """
import sys, time
from pathlib import Path
from popforecast.files import hold

with hold(Path(sys.argv[1], ".lock"), Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""

# Every write reads what is there and adds to it, as the record of the reports is kept.
COUNT = """
import json, sys
from pathlib import Path
from popforecast.files import hold

folder = Path(sys.argv[1])
for _ in range(50):
    with hold(folder / ".lock", folder):
        counts = json.loads((folder / "counts.json").read_text())
        counts[sys.argv[2]] = counts.get(sys.argv[2], 0) + 1
        (folder / "counts.json").write_text(json.dumps(counts))
"""

LOCK = ".lock"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def holder(folder: Path):
    """Another process that holds the folder, and would for a minute."""
    with run(HOLD, folder) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_no_addition_of_four_runs_at_once_is_lost(folder: Path) -> None:
    (folder / "counts.json").write_text("{}")
    runs = [run(COUNT, folder, name) for name in "abcd"]
    assert [process.wait(120) for process in runs] == [0] * 4
    for process in runs:
        process.stdout.close()
    assert json.loads((folder / "counts.json").read_text()) == dict.fromkeys("abcd", 50)


def test_who_waited_too_long_is_told_who_is_writing(folder: Path, holder: subprocess.Popen[str]) -> None:
    with (
        pytest.raises(LockError, match=r"another run is writing to .* did not end within 0\.2 seconds"),
        hold(folder / LOCK, folder, 0.2),
    ):
        pytest.fail("two runs hold one folder")


def test_a_run_that_is_killed_leaves_no_lock(folder: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait(10)
    start = time.monotonic()
    with hold(folder / LOCK, folder):
        assert time.monotonic() - start < 5


def test_a_failure_while_writing_is_not_hidden_and_frees_the_folder(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(folder / LOCK, folder):
        _ = 1 / 0
    with hold(folder / LOCK, folder, 0.2):
        assert (folder / LOCK).read_bytes() == b""


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be opened"), (b"no database" * 100, "is not a lock file")]
)
def test_a_lock_that_cannot_be_had_is_said(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content:
        (tmp_path / "there").mkdir()
        (tmp_path / "there" / LOCK).write_bytes(content)
    with pytest.raises(LockError, match=words), hold(tmp_path / "there" / LOCK, tmp_path):
        pytest.fail("held a file that is not a lock")
