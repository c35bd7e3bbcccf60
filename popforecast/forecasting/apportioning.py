"""Ages and flows between the five-year steps of a projection, and whole persons that add up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.models.cohort.projection import Projection
from popforecast.panel.components import SPAN


def interpolate_ages(projection: Projection, rows: NDArray[np.intp], years: NDArray[np.int64]) -> Array:
    """Return the total of all rows by sex and age, shape (2, 21, years), interpolated linearly between the steps.

    Parameters
    ----------
    projection : Projection
    rows : ndarray of int
    years : ndarray of int
        After the origin, 0 for it; beyond the last step ages stay as they are there.
    """
    ages = projection.ages[rows].sum(axis=0)
    last = ages.shape[-1] - 1
    at = np.minimum(years // SPAN, last - 1)
    share = np.minimum(years / SPAN - at, 1)
    result: Array = ages[..., at] * (1 - share) + ages[..., at + 1] * share
    return result


def spread_flow(flow: Array, before: float, horizon: int) -> Array:
    """Return a five-year flow (steps,) by year, shape (horizon,), linear in time from the year before.

    In any five years of the projection it comes to the same.

    Examples
    --------
    >>> spread_flow(np.array([10.0, 15.0]), 2.0, 10).round(2).tolist()
    [1.89, 1.89, 1.89, 2.08, 2.26, 2.71, 2.92, 3.12, 3.12, 3.12]
    """
    middles = SPAN * np.arange(len(flow)) + SPAN / 2
    years = np.arange(SPAN * len(flow)) + 0.5
    path = np.interp(years, [-0.5, *middles], [before, *flow / SPAN]).reshape(-1, SPAN)
    sums = path.sum(axis=1, keepdims=True)
    by_year = (path * np.divide(flow[:, None], sums, out=np.ones_like(sums), where=sums != 0)).ravel()
    return np.concatenate([by_year, np.repeat(by_year[-1:], max(0, horizon - len(by_year)))])[:horizon]


def round_to_sum(parts: Array, total: float) -> NDArray[np.int64]:
    """Return parts rounded to integers that add up to a total; the largest remainders are rounded up.

    Examples
    --------
    >>> round_to_sum(np.array([1.4, 1.4, 1.2]), 4).tolist()
    [2, 1, 1]
    """
    scaled = parts * (total / parts.sum())
    whole = np.floor(scaled)
    lacking = round(total - whole.sum())
    flat = (scaled - whole).ravel()
    raised = whole.ravel()
    raised[np.argsort(-flat, kind="stable")[:lacking]] += 1
    return raised.reshape(parts.shape).astype(np.int64)
