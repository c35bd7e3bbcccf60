"""The benchmarks run; what they measure is for people to judge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import popforecast as pf

ROOT = Path(__file__).parent.parent


def run(*names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tests.benchmarks", *names], cwd=ROOT, capture_output=True, text=True)


def test_a_subject_prints_its_figures() -> None:
    finished = run("loading")
    assert finished.returncode == 0, finished.stderr
    heading, *figures = finished.stdout.splitlines()
    assert heading.split() == ["what", "measured", "asked", "holds"]
    assert [line.split()[0] for line in figures] == [*(f"load_panel({name!r})" for name in pf.REVISIONS), "fitted"]


def test_an_unknown_subject_is_refused_with_those_there_are() -> None:
    finished = run("speed")
    assert finished.returncode != 0
    assert "'speed': expected some of engine" in finished.stderr
