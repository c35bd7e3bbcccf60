"""A whole panel forecast once, and what is then taken from it, beside the verb that does all of it each time."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from statistics import median

import popforecast as pf

from .figure import Figure

LEVELS = (50, 80, 90, 95, 99)
MARKETS = ["NGA", 356, 50, 586, "World"]
GROUPS = {"My markets": ["NGA", 356, 50, 586]}

# The first look of a process learns how the UN revises its figures; the fit itself may come from a file.
FIRST = f"""
import time, popforecast as pf
panel = pf.load_panel("wpp2024")
fitted = pf.fit(panel)
started = time.process_time()
pf.forecast_all(panel, fitted, {LEVELS})
print(time.process_time() - started)
"""


def measure() -> list[Figure]:
    """Take the processor time of making an outlook to 2100, and of what is taken from it."""
    panel = pf.load_panel("wpp2024")
    fitted = pf.fit(panel)
    first = float(subprocess.run([sys.executable, "-c", FIRST], check=True, capture_output=True, text=True).stdout)
    made = spend_median(lambda: pf.forecast_all(panel, fitted, LEVELS), 15)
    tracemalloc.start()
    outlook = pf.forecast_all(panel, fitted, LEVELS)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    five = spend_median(lambda: outlook.forecast(MARKETS, 2030, 2050, (80, 95)), 200)
    verb = spend_median(lambda: pf.forecast(panel, MARKETS, 2030, 2050, fitted), 15)
    group = spend_median(lambda: outlook.forecast(MARKETS, 2030, 2050, (80, 95), GROUPS), 100)
    return [
        Figure(
            "forecast_all() to 2100, five levels", 1e3 * made, "ms", 150, f"the first of a process {1e3 * first:.0f} ms"
        ),
        Figure("memory of an outlook", kept / 1e6, "MB", 10, f"{peak / 1e6:.0f} MB at most while it is made"),
        Figure("outlook.forecast() of 5 locations", 1e3 * five, "ms", 2, f"forecast() takes {1e3 * verb:.0f} ms"),
        Figure("outlook.forecast() with a group of one's own", 1e3 * group, "ms", 5),
    ]


def spend_median(run: Callable[[], object], times: int) -> float:
    """Return the median of the processor's seconds: milliseconds of waiting for other work would hide these."""
    run()
    spent = []
    for _ in range(times):
        started = time.process_time()
        run()
        spent.append(time.process_time() - started)
    return median(spent)
