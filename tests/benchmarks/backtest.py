"""The full backtest: every model, origin and horizon with intervals, of the countries and of all locations."""

from __future__ import annotations

import json
import subprocess
import sys

from popforecast.models import MODELS

from .figure import Figure

ASKED = f"36 origins, 20 horizons, {len(MODELS)} models"

# In a process of its own, whose memory is the backtest's.
RUN = """
import json, resource, sys, time
import popforecast as pf
panel = pf.load_panel("wpp2024")
panel = panel.countries() if sys.argv[1] == "countries" else panel
started = time.perf_counter(), time.process_time()
pf.backtest(panel, list(pf.models.MODELS), range(1987, 2023), range(1, 21))
seconds, processor = time.perf_counter() - started[0], time.process_time() - started[1]
print(json.dumps([len(panel), seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def measure() -> list[Figure]:
    """Time both, and take the most memory that each process had."""
    figures = []
    for which in ("countries", "locations"):
        ran = subprocess.run([sys.executable, "-c", RUN, which], check=True, capture_output=True, text=True)
        count, seconds, processor, megabytes = json.loads(ran.stdout)
        name = f"backtest of {count} {which}"
        figures += [
            Figure(name, seconds, "s", 10, f"{processor:.1f} s of one processor; {ASKED}"),
            Figure(f"{name}, memory", megabytes, "MB", 500),
        ]
    return figures
