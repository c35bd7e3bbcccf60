"""How long a fresh Python takes to import the package and the app, beside an empty program and pandas alone."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from statistics import median

from .figure import Figure, time_once

PROGRAMS = {"nothing": "pass", "pandas": "import pandas", "popforecast": "import popforecast", "app": "import app"}
ASKED = {"popforecast": 0.7, "app": 1.2}
TIMES = 9


def measure() -> list[Figure]:
    """Time fresh processes, in turn, so that a busy moment of the machine falls on all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(TIMES):
        for name, program in PROGRAMS.items():
            seconds[name].append(time_once(partial(subprocess.run, [sys.executable, "-c", program], check=True)))
    took = {name: median(times) for name, times in seconds.items()}
    beside = f"an empty program {took['nothing']:.2f} s, pandas alone {took['pandas']:.2f} s"
    return [
        Figure(f"import {name}", took[name], "s", asked, f"least {min(seconds[name]):.2f} s; {beside}")
        for name, asked in ASKED.items()
    ]
