"""Confidence intervals for ratios of two errors, by a bootstrap over locations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from popforecast.errors import ScoreError

REPLICATES = 10_000
SEED = 1988

# Errors (percent) are converted to integers in this unit, because integer sums are the same on every processor.
UNIT = 1e-6

# Number of replicates whose medians are computed at once, to use only a few megabytes.
BATCH = 1_000


Measure = Literal["mean", "median"]
MEASURES: tuple[Measure, ...] = ("mean", "median")


class Ratio(NamedTuple):
    """A ratio of two errors with its interval (95% by default), to two decimals; the verdict uses these.

    Examples
    --------
    >>> str(Ratio(0.9, 0.79, 1.04)), Ratio(0.9, 0.79, 1.04).verdict, Ratio(0.83, 0.75, 0.91).verdict
    ('0.90 [0.79, 1.04]', 'tie', 'win')
    """

    value: float
    lower: float
    upper: float

    @property
    def verdict(self) -> Literal["win", "tie", "loss"]:
        """``win`` if the whole interval is below 1, ``loss`` if it is above 1, ``tie`` if it contains 1."""
        return "win" if self.upper < 1 else "loss" if self.lower > 1 else "tie"

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.lower:.2f}, {self.upper:.2f}]"


def bound_ratio(ours: ArrayLike, theirs: ArrayLike, places: ArrayLike, measure: Measure = "mean") -> Ratio:
    """Return the ratio of two mean (or median) errors with a 95% interval, from a bootstrap over locations.

    Whole locations are drawn with replacement, because the errors of one location at several origins are not
    independent. The result is a percentile interval from 10,000 replicates with a fixed seed.

    Parameters
    ----------
    ours, theirs : array_like, shape (m,)
        Absolute errors of the same forecasts, in percent.
    places : array_like, shape (m,)
        The location of each forecast.
    measure : {"mean", "median"}

    Raises
    ------
    ScoreError
        If there are no errors, their numbers differ, one is not finite, or the second mean or median is zero.

    References
    ----------
    Efron, B. and Tibshirani, R. J. (1993). *An Introduction to the Bootstrap*, chapters 8 and 13.

    Examples
    --------
    >>> print(bound_ratio([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0], ["A", "A", "B", "B"]))
    0.50 [0.50, 0.50]
    """
    return pool_ratios([(ours, theirs, places)], measure)


def pool_ratios(
    targets: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]], measure: Measure = "mean", level: float = 95
) -> Ratio:
    """Return the mean over targets of the ratio of two errors, with an interval from a bootstrap over locations.

    Every replicate draws the locations once for all targets, because the errors of one location at several targets are
    not independent. Otherwise as :func:`bound_ratio`, which also lists the errors raised.

    Parameters
    ----------
    targets : sequence of (ours, theirs, places)
        The arguments of :func:`bound_ratio` for each target, such as a year of one vintage.
    measure : {"mean", "median"}
    level : float
        Level of the interval, in percent.

    Examples
    --------
    >>> near, far = ([1.0, 2.0], [2.0, 4.0], ["A", "B"]), ([3.0, 6.0], [3.0, 6.0], ["A", "B"])
    >>> print(pool_ratios([near, far], level=90))
    0.75 [0.75, 0.75]
    """
    names = np.unique(np.concatenate([np.asarray(places) for _, _, places in targets]))
    average = _average if measure == "mean" else _find_medians
    once, drawn = np.ones((1, len(names)), dtype=np.int64), draw(len(names))
    values, replicates = [], []
    for ours, theirs, places in targets:
        rows = np.searchsorted(names, np.asarray(places))
        whole = _count_units(ours, theirs, rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            values += [np.divide(*(average(each, rows, once) for each in whole))]
            replicates += [np.divide(*(average(each, rows, drawn) for each in whole))]
    value, ratios = np.mean(values), np.mean(replicates, axis=0)
    if not np.isfinite(value):
        raise ScoreError(f"the {measure} error to compare with is 0: expected one above 0")
    # The ratio is undefined in replicates where both errors are zero.
    ratios = ratios[~np.isnan(ratios)]
    tail = (1 - level / 100) / 2
    lower, upper = np.quantile(ratios, [tail, 1 - tail], method="inverted_cdf")
    # Rounded to six digits first, so that ties at two decimals are rounded the same way on every processor.
    return Ratio(*(round(round(float(each), 6), 2) for each in (value, lower, upper)))


def _count_units(ours: ArrayLike, theirs: ArrayLike, rows: NDArray[np.intp]) -> list[NDArray[np.int64]]:
    """Return both errors as whole numbers of the unit, once they are checked."""
    errors = [np.asarray(each, dtype=float) for each in (ours, theirs)]
    if not len(rows) or any(each.shape != rows.shape for each in errors):
        raise ScoreError(f"{[len(each) for each in errors]} errors of {len(rows)} forecasts: expected one of each")
    if not all(np.isfinite(each).all() for each in errors):
        raise ScoreError("an error is not a finite number: expected percent of the outcome")
    return [np.rint(each / UNIT).astype(np.int64) for each in errors]


@lru_cache(maxsize=8)
def draw(n: int) -> NDArray[np.int64]:
    """Return how often each of n locations is drawn in every replicate: shape (replicates, n)."""
    drawn = np.random.default_rng(SEED).integers(n, size=(REPLICATES, n))
    counts = np.zeros((REPLICATES, n), dtype=np.int64)
    np.add.at(counts, (np.arange(REPLICATES)[:, None], drawn), 1)
    counts.setflags(write=False)
    return counts


def _average(errors: NDArray[np.int64], rows: NDArray[np.intp], counts: NDArray[np.int64]) -> NDArray[Any]:
    """Return the mean error in each replicate."""
    sums, sizes = np.zeros(counts.shape[1], dtype=np.int64), np.bincount(rows, minlength=counts.shape[1])
    np.add.at(sums, rows, errors)
    return (counts @ sums) / (counts @ sizes)


def _find_medians(errors: NDArray[np.int64], rows: NDArray[np.intp], counts: NDArray[np.int64]) -> NDArray[Any]:
    """Return the median error in each replicate (the mean of the two middle errors for even numbers)."""
    order = np.argsort(errors, kind="stable")
    ranked, at = errors[order], rows[order]
    medians = []
    for start in range(0, len(counts), BATCH):
        below = np.cumsum(counts[start : start + BATCH][:, at], axis=1)
        whole = below[:, -1:]
        first, second = (2 * below >= whole).argmax(axis=1), (2 * below > whole).argmax(axis=1)
        medians.append((ranked[first] + ranked[second]) / 2)
    return np.concatenate(medians)
