"""Periods: which years can be forecast."""

from __future__ import annotations

from numbers import Real

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import YearError
from popforecast.panel.panel import Panel

DEFAULT_STEPS = 10

# The UN's estimates begin here.
FIRST_YEAR = 1950

# The UN's projections end here, and models of total population have no skill beyond.
LAST_YEAR = 2100

# For other panels: as far ahead as the longest horizon above.
MOST_STEPS = 150


def check_years(panel: Panel, start: int, end: int) -> None:
    """Check that a period can be forecast from a panel.

    Raises
    ------
    YearError
        If a year is before the panel, off its grid or after :func:`last_year`, or the period ends before it begins.
    """
    first, step = int(panel.years[0]), panel.step
    last = last_year(panel)
    for name, year in (("first", start), ("last", end)):
        if isinstance(year, bool) or not isinstance(year, Real) or year % 1 != 0:
            raise YearError(f"the {name} year {year!r} is not a whole year: expected one from {first} to {last}")
        if not first <= year <= last:
            raise YearError(f"the {name} year {year} is out of range: expected one from {first} to {last}")
        if (year - first) % step:
            below = year - (year - first) % step
            raise YearError(
                f"the {name} year {year} is off the panel's grid of {step} years: expected {below} or {below + step}"
            )
    if start > end:
        raise YearError(f'"From" ({start}) must not be later than "To" ({end})')


def last_year(panel: Panel) -> int:
    """Return the last year that can be forecast: 2100 for UN revisions, otherwise 150 steps after the origin."""
    if panel.source is None:
        return panel.origin + MOST_STEPS * panel.step
    return LAST_YEAR - (LAST_YEAR - panel.origin) % panel.step


def choose_years(panel: Panel, start: int | None = None, end: int | None = None) -> NDArray[np.int64]:
    """Return the years of a period on the panel's grid (default: ten steps after the origin).

    Raises
    ------
    YearError
        As :func:`check_years` does.
    """
    start = panel.origin + panel.step if start is None else start
    if end is None:
        check_years(panel, start, last_year(panel))
        first = max(int(start), panel.origin + panel.step)
        end = min(first + (DEFAULT_STEPS - 1) * panel.step, last_year(panel))
    check_years(panel, start, end)
    return np.arange(int(start), int(end) + 1, panel.step)
