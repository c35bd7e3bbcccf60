"""Past origins and horizons from which intervals are calibrated."""

from __future__ import annotations

import numpy as np

from popforecast.panel import Panel

# Horizons in years at which errors are collected; widths are interpolated in between.
KNOTS = (1, 3, 5, 10, 20, 30, 40)

# Years between past origins; errors of closer origins are nearly the same.
EVERY = 5

# Years of history before the first past origin; at most a third of a short panel.
WARM_UP = 14


def choose_past(panel: Panel, origin: int) -> list[int]:
    """Return the past origins for calibration: every fifth year back from the year before, with enough history.

    Examples
    --------
    >>> import popforecast as pf
    >>> choose_past(pf.load_panel("wpp2024"), 1990)
    [1989, 1984, 1979, 1974, 1969, 1964]
    """
    row = int(np.searchsorted(panel.years, origin))
    every = max(1, round(EVERY / panel.step))
    first = min(max(3, round(WARM_UP / panel.step)), max(2, (row + 1) // 3))
    return [int(panel.years[past]) for past in range(row - 1, first - 1, -every)]


def choose_knots(panel: Panel) -> list[int]:
    """Return the horizons, in steps, at which errors are collected."""
    return sorted({max(1, round(years / panel.step)) for years in KNOTS})
