"""docs/api.md: every example runs, and every address, parameter and limit it names is the app's."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.api.http import LONGEST_LINK
from app.api.resources import RESOURCES
from popforecast.question import LONGEST_GROUP_NAME, MOST_GROUPS, MOST_LOCATIONS
from popforecast.question.ages import MOST_ROWS
from popforecast.question.table import MOST_LEVELS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
THERE = "http://127.0.0.1:5000"


def read_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("program", read_blocks("python"))
def test_every_program_runs_in_five_lines(url: str, program: str) -> None:
    assert len(program.splitlines()) <= 5
    run = subprocess.run([sys.executable, "-c", program.replace(THERE, url)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "264312323" in run.stdout


@pytest.mark.parametrize("command", "".join(read_blocks("sh")).splitlines())
def test_every_command_runs(url: str, command: str) -> None:
    program = command.split()[0]
    beside = Path(sys.executable).with_name(program)
    if not (beside.exists() or shutil.which(program)):
        pytest.skip(f"{program} is not installed")
    line = command.replace(THERE, url).replace(program, str(beside) if beside.exists() else f"{program} -sf", 1)
    run = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "2030" in run.stdout


def test_every_address_is_there_with_its_parameters() -> None:
    rows = re.findall(r"^\| `(/api/v1/[a-z]+)` \|[^|]*\|([^|]*)\|$", PAGE, flags=re.MULTILINE)
    assert {path: tuple(re.findall("`([a-z]+)`", names)) for path, names in rows} == {
        resource.path: resource.parameters for resource in RESOURCES
    }


def test_the_limits_are_the_app_s() -> None:
    assert f"`location` (up to {MOST_LOCATIONS}), `group` ({MOST_GROUPS}), `level` ({MOST_LEVELS})" in PAGE
    assert f"at most {LONGEST_GROUP_NAME} characters" in PAGE
    assert f"Beyond {LONGEST_LINK:,} characters" in PAGE
    assert f"at most {MOST_ROWS:,} rows" in PAGE
