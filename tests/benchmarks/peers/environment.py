"""The peers' own environment, ``.venv-peers``: made when it is asked for, made anew when its pins change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from popforecast import Panel

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[2] / ".venv-peers"
PINS = HERE / "requirements.txt"

# One thread each: the processes are what a method is given.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def set_up() -> Path:
    """Return the Python of the peers' environment, with exactly the pinned packages."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "set-up.stamp"
    if not stamp.exists() or stamp.read_bytes() != PINS.read_bytes():
        print(f"Installing the peers into {ENVIRONMENT.name}: a minute, once", file=sys.stderr)
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        venv.create(ENVIRONMENT, with_pip=False, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(PINS)], check=True)
        stamp.write_bytes(PINS.read_bytes())
    return python


def run_methods(
    panel: Panel, names: Sequence[str], origins: Sequence[int], horizons: Sequence[int], processes: int
) -> Iterator[tuple[str, pd.DataFrame, dict[str, Any]]]:
    """Run the peers' methods; yield each one's name, forecasts (origin, horizon, code, forecast), and what it took."""
    python = set_up()
    with tempfile.TemporaryDirectory(prefix="popforecast-peers-") as temporary:
        folder = Path(temporary)
        table = pd.DataFrame(panel.values, panel.locations.index, panel.years)
        table.to_csv(folder / "panel.csv", index_label="code")
        task = {"origins": list(origins), "horizons": list(horizons), "processes": processes}
        (folder / "task.json").write_text(json.dumps(task))
        for name in names:
            command = [str(python), str(HERE / "methods.py"), str(folder), name]
            subprocess.run(command, check=True, cwd=folder, env=os.environ | ONE_THREAD)
            facts = json.loads((folder / f"{name}.json").read_text())
            yield name, pd.read_csv(folder / f"{name}.csv"), facts
