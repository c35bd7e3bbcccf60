"""Scales with round ticks, and paths in pixels, for charts without a plotting library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from popforecast.models.base import Array

# Round steps between ticks, to be multiplied by a power of ten.
STEPS = (1, 2, 2.5, 5, 10)
YEAR_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500)

# Leading digits of the ticks of a logarithmic axis, from dense to sparse.
DIGITS = ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))

# Values beyond these could overflow or underflow in the arithmetic.
LARGEST, SMALLEST = 1e305, 1e-305

Points = list[tuple[float, float]]

# Paths omit points this close, in pixels, to the line between their neighbours.
UNSEEN = 0.2


@dataclass(frozen=True)
class Scale:
    """An axis from a low to a high value, with its ticks.

    Attributes
    ----------
    low, high : float
        Ends of the axis.
    ticks : tuple of float
        Round values between the ends, in increasing order.
    log : bool
        Whether the scale is logarithmic.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def place(self, values: Any) -> Array:
        """Return positions on the axis, from 0 at the low end to 1 at the high end.

        Values beyond an end are clipped to it; NaN, infinity and values without a logarithm give NaN.

        Examples
        --------
        >>> Scale(1, 100, (1, 10, 100), log=True).place([10, 0, 1000]).tolist()
        [0.5, nan, 1.0]
        """
        values = np.asarray(values, dtype=float)
        if not self.log:
            # Halved, because the distance between the ends may overflow.
            placed = (np.clip(values, self.low, self.high) / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        else:
            logs = np.log10(np.clip(np.where(values > 0, values, np.nan), self.low, self.high))
            ends = math.log10(self.low), math.log10(self.high)
            placed = (logs - ends[0]) / (ends[1] - ends[0])
        return np.clip(np.where(np.isfinite(values), placed, np.nan), 0, 1)


def choose_scale(low: float, high: float, most: int, log: bool = False) -> Scale:
    """Return an axis that includes two values and has at most this number of steps between ticks.

    A linear axis starts and ends at a tick. So does a logarithmic axis if the values differ by less than a factor of
    three; otherwise it starts and ends at the values.

    Examples
    --------
    >>> choose_scale(0, 10.8, 6).ticks
    (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0)
    >>> choose_scale(3, 1400, 6, log=True).ticks
    (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    """
    low, high = (float(np.clip(end, -LARGEST, LARGEST)) for end in (low, high))
    if log:
        low = max(low, SMALLEST)
        high = max(high, low)
        if high / low >= 3:
            return Scale(low, high, _choose_powers(low, high, most), log=True)
    if not high - low > abs(high) * 1e-9:
        # Centre a flat line.
        low, high = low - (abs(low) * 0.05 or 1), high + (abs(high) * 0.05 or 1)
    step = _choose_step((high - low) / most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(step * i for i in range(first, last + 1))
    if log and ticks[0] <= 0:
        return Scale(low, ticks[-1], tuple(tick for tick in ticks if tick > 0), log=True)
    return Scale(ticks[0], ticks[-1], ticks, log)


def choose_years(first: int, last: int, most: int) -> list[int]:
    """Return round years within a period, at most `most`.

    Examples
    --------
    >>> choose_years(1950, 2035, 6)
    [1960, 1980, 2000, 2020]
    >>> choose_years(2030, 2030, 6)
    [2030]
    """
    power = 1
    while True:
        for step in YEAR_STEPS:
            step *= power
            years = list(range(-(-first // step) * step, last + 1, step))
            if len(years) <= most:
                return years or [first]
        power *= YEAR_STEPS[-1]


def trace(points: Points) -> str:
    """Return the path through points, with gaps where a coordinate is not finite."""
    runs = ([*run] for finite, run in groupby(points, key=lambda point: math.isfinite(point[1])) if finite)
    return "".join(write_path(thin(run)) for run in runs)


def thin(points: Points) -> Points:
    """Return the points without those that are visually on the straight line between the others."""
    kept, i = points[:1], 0
    while i < len(points) - 1:
        (x, y), steepest_down, steepest_up, best = points[i], -math.inf, math.inf, i + 1
        for j in range(i + 1, len(points)):
            across, down = points[j]
            run = across - x
            slope, slack = (down - y) / run, UNSEEN / run
            if steepest_down <= slope <= steepest_up:
                best = j
            if slope - slack > steepest_down:
                steepest_down = slope - slack
            if slope + slack < steepest_up:
                steepest_up = slope + slack
            if steepest_down > steepest_up:
                break
        kept.append(points[best])
        i = best
    return kept


def write_path(points: Points) -> str:
    """Return a path in tenths of a pixel with relative coordinates; a single point becomes a dot."""
    tenths = [(round(10 * x), round(10 * y)) for x, y in points]
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(tenths)] or [(0, 0)]
    return f"M{_pair(*tenths[0])}l" + " ".join(_pair(*step) for step in steps).replace(" -", "-")


def _choose_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in STEPS if power * step >= least * (1 - 1e-9))


def _choose_powers(low: float, high: float, most: int) -> tuple[float, ...]:
    """Return ticks of a logarithmic axis: the densest set with at most `most`."""
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high))
    for digits in DIGITS:
        ticks = [digit * 10.0**power for power in range(first, last + 1) for digit in digits]
        inside = tuple(tick for tick in ticks if low * (1 - 1e-12) <= tick <= high * (1 + 1e-12))
        if len(inside) <= most:
            return inside
    return inside[:: -(-len(inside) // most)]


def _pair(x: int, y: int) -> str:
    return f"{x / 10:g} {y / 10:g}".replace(" -", "-")
