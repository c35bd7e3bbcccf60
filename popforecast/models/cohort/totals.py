"""Annual totals from five-yearly ones, with smooth growth."""

from __future__ import annotations

import numpy as np

from popforecast.models.base import Array

# Maximum difference between growth in the last year, which continues, and growth over the first five years.
JUMP = 0.02

STEP = 5


def fill_years(log: Array, last_growth: Array, horizon: int) -> Array:
    """Return log totals 1 to `horizon` years after the origin, shape (n, horizon), from five-yearly ones.

    Cubic Hermite between the five-yearly logs: growth at each is the mean of that before and after, at the origin the
    last year's, within 0.02 of the first step's. Beyond the last full step but one, growth stays.

    Parameters
    ----------
    log : ndarray, shape (n, steps + 1)
        Log totals at the origin and every fifth year after it.
    last_growth : ndarray, shape (n,)
        Log growth in the year before the origin.
    horizon : int

    Examples
    --------
    >>> log = np.log(100 * 1.02 ** np.arange(0, 20, 5))[None]
    >>> np.exp(fill_years(log, np.array([np.log(1.02)]), 3)).round(2).tolist()
    [[102.0, 104.04, 106.12]]
    """
    growth = np.diff(log, axis=1) / STEP
    first = np.clip(last_growth, growth[:, 0] - JUMP, growth[:, 0] + JUMP)[:, None]
    slopes = np.concatenate([first, (growth[:, :-1] + growth[:, 1:]) / 2, growth[:, -1:]], axis=1)
    years = np.arange(1, min(horizon, STEP * (growth.shape[1] - 1)) + 1)
    node = np.minimum(years // STEP, growth.shape[1] - 1)
    x = (years - STEP * node) / STEP
    path: Array = (
        (2 * x**3 - 3 * x**2 + 1) * log[:, node]
        + STEP * (x**3 - 2 * x**2 + x) * slopes[:, node]
        + (3 * x**2 - 2 * x**3) * log[:, node + 1]
        + STEP * (x**3 - x**2) * slopes[:, node + 1]
    )
    beyond = np.arange(1, horizon - len(years) + 1)
    return np.concatenate([path, path[:, -1:] + growth[:, -1:] * beyond], axis=1)
