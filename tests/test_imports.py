"""Imports run downwards, and importing a surface loads nothing that only some of its uses need."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {
    "dask",
    "IPython",
    "ipywidgets",
    "matplotlib",
    "nbconvert",
    "papermill",
    "plotly",
    "pooch",
    "requests",
    "scipy",
    "statsmodels",
}
LIST_MODULES = "import {name}, json, sys; print(json.dumps(sorted({{module.split('.')[0] for module in sys.modules}})))"


@pytest.mark.parametrize("name", ["popforecast", "popforecast.cli", "app"])
def test_importing_loads_nothing_heavy(name: str) -> None:
    command = [sys.executable, "-c", LIST_MODULES.format(name=name)]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY.intersection(json.loads(listed.stdout))


def test_importing_prints_and_warns_nothing() -> None:
    command = [sys.executable, "-W", "error", "-c", "import popforecast, app"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_the_import_rules_hold_and_place_every_module() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["id"] == "layers")
    assert layers["containers"] == ["popforecast"]
    assert layers["exhaustive"]
    assert ["app", "popforecast"] in [contract.get("layers") for contract in contracts]
    linter = Path(sys.executable).with_name("lint-imports")
    linted = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout
