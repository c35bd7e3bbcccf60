"""A whole panel forecast once, and what is then taken from it, beside the verb that does all of it each time."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import popforecast as pf

from .figure import Figure, time_median

LEVELS = (50, 80, 90, 95, 99)
MARKETS = ["NGA", 356, 50, 586, "World"]
GROUPS = {"My markets": ["NGA", 356, 50, 586]}

# The first look of a process learns how the UN revises its figures; the fit itself may come from a file.
FIRST = f"""
import time, popforecast as pf
panel = pf.load_panel("wpp2024")
fitted = pf.fit(panel)
started = time.perf_counter()
pf.look_ahead(panel, fitted, {LEVELS})
print(time.perf_counter() - started)
"""


def measure() -> list[Figure]:
    """Time the making of an outlook to 2100 and what is taken from it."""
    panel = pf.load_panel("wpp2024")
    fitted = pf.fit(panel)
    first = float(subprocess.run([sys.executable, "-c", FIRST], check=True, capture_output=True, text=True).stdout)
    made = time_median(lambda: pf.look_ahead(panel, fitted, LEVELS), 15)
    tracemalloc.start()
    outlook = pf.look_ahead(panel, fitted, LEVELS)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    five = time_median(lambda: outlook.forecast(MARKETS, 2030, 2050, (80, 95)), 200)
    verb = time_median(lambda: pf.forecast(panel, MARKETS, 2030, 2050, fitted), 15)
    group = time_median(lambda: outlook.forecast(MARKETS, 2030, 2050, (80, 95), GROUPS), 100)
    return [
        Figure(
            "look_ahead() to 2100, five levels", 1e3 * made, "ms", 150, f"the first of a process {1e3 * first:.0f} ms"
        ),
        Figure("memory of an outlook", kept / 1e6, "MB", 10, f"{peak / 1e6:.0f} MB at most while it is made"),
        Figure("outlook.forecast() of 5 locations", 1e3 * five, "ms", 2, f"forecast() takes {1e3 * verb:.0f} ms"),
        Figure("outlook.forecast() with a group of one's own", 1e3 * group, "ms", 5),
    ]
