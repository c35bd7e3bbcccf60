"""Features of past growth; no feature uses a later year than its own.

All arrays are time-major: the first axis is the year, so that a past origin is one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.models.bounded import ROUNDING

SHORT, LONG = 5, 10

# Lagged changes carry information up to this many years; on a coarser grid they are noise.
MOMENTUM = 4

# Growth above the first has always slowed; slowing begins at the second.
KINKS = (0.03, 0.015)

# Typical volatility; log volatility is measured relative to it.
USUAL = 1e-3


@dataclass(frozen=True, eq=False)
class Features:
    """Features of n locations in t years; growth is annual.

    Attributes
    ----------
    growth : ndarray, shape (t, n)
        Log growth over the last step.
    base : ndarray, shape (t, n, p)
        Growth, its change and lagged changes, its 5- and 10-year means, kinks, the signed root of the change, and the
        growth and 10-year growth of the groups.
    sized : ndarray, shape (t, n, 2)
        Size relative to the panel, alone and multiplied by growth.
    slow, fast : ndarray, shape (t, n)
        Volatility: root mean square change in growth over 10 and 5 years.
    alike : ndarray, shape (t, n, q)
        Features by which histories are compared: growth, its recent changes in units of volatility, volatility, and
        the growth of the smallest group.
    """

    growth: Array
    base: Array
    sized: Array
    slow: Array
    fast: Array
    alike: Array

    def at(self, year: int) -> Features:
        """Return the features of one year, without the time axis."""
        return Features(*(getattr(self, name)[year] for name in self.__dataclass_fields__))


def describe(log: Array, group_growth: Sequence[Array], size: Array, step: int) -> Features:
    """Return the features of every location in every year.

    Parameters
    ----------
    log : ndarray, shape (t, n)
        Log population.
    group_growth : sequence of ndarray, shape (t, n)
        Annual growth of each location's groups, from the largest to the smallest.
    size : ndarray, shape (t, n)
        Log population relative to the panel.
    step : int
        Years between two rows.
    """
    growth = np.zeros_like(log)
    growth[1:] = np.diff(log, axis=0) / step
    change = np.zeros_like(log)
    change[2:] = np.diff(growth[1:], axis=0)
    short, long = max(round(SHORT / step), 2), max(round(LONG / step), 4)
    recent, usual = average(growth, short, 1), average(growth, long, 1)
    slow = np.sqrt(average(change**2, long, 2)) + ROUNDING
    fast = np.sqrt(average(change**2, max(short, 3), 2)) + ROUNDING
    lags = [_delay(change, k) for k in (1, 2) if (k + 1) * step <= MOMENTUM]
    base = [growth, change, *lags, recent, usual]
    base += [*(np.maximum(growth - kink, 0) for kink in KINKS), np.minimum(growth, 0)]
    base += [np.sign(change) * np.sqrt(np.abs(change))]
    for grown in group_growth:
        base += [grown, average(grown, long, 1)]
    course = [change, *lags[:1], growth - recent, recent - usual]
    alike = [growth, *(np.arcsinh(part / slow) for part in course), np.log(slow), *group_growth[-1:]]
    sized = np.stack([size / 100, size * growth], axis=-1)
    return Features(growth, np.stack(base, axis=-1), sized, slow, fast, np.stack(alike, axis=-1))


def grow_groups(values: Array, members: NDArray[np.bool_], step: int) -> Array:
    """Return annual growth of groups, weighted by population.

    Parameters
    ----------
    values : ndarray, shape (t, n)
        Population.
    members : ndarray, shape (n, k)
        The members of each of k groups, none of them empty.

    Returns
    -------
    ndarray, shape (t, k)

    Examples
    --------
    >>> members = np.array([[True, False], [True, False], [False, True]])
    >>> grown = grow_groups(np.array([[1.0, 3.0, 5.0], [2.0, 3.0, 5.0]]), members, 1)
    >>> (grown[1] / np.log(2)).round(3).tolist()
    [0.4, 0.0]
    """
    growth = np.zeros_like(values)
    growth[1:] = np.diff(np.log(values), axis=0) / step
    weights = members.astype(np.float64)
    return ((growth * values) @ weights) / (values @ weights)


def average(values: Array, width: int, first: int) -> Array:
    """Return moving averages over the last `width` rows from row `first` on; shorter at the start.

    Examples
    --------
    >>> average(np.array([0.0, 2.0, 4.0, 6.0]), 2, 1).tolist()
    [0.0, 2.0, 3.0, 5.0]
    """
    sums = np.cumsum(values[first:], axis=0)
    sums = np.concatenate([np.zeros_like(values[:1]), sums])
    end = np.arange(1, len(sums))
    count = np.minimum(end, width)
    result = np.zeros_like(values)
    result[first:] = (sums[end] - sums[end - count]) / count.reshape(-1, *[1] * (values.ndim - 1))
    return result


def relate_size(log: Array, among: NDArray[np.intp]) -> Array:
    """Return log population relative to the median of some locations, in their standard deviations, by year."""
    middle, spread = measure_size(log, among)
    return (log - middle) / spread


def measure_size(log: Array, among: NDArray[np.intp]) -> tuple[Array, Array]:
    """Return the median log population of some locations and its standard deviation by year, each of shape (t, 1)."""
    middle = np.median(log[:, among], axis=1, keepdims=True)
    spread = log[:, among].std(axis=1, keepdims=True)
    return middle, np.where(spread > 1e-9, spread, 1)


def _delay(values: Array, rows: int) -> Array:
    delayed = np.zeros_like(values)
    delayed[rows:] = values[:-rows]
    return delayed
