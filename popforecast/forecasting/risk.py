"""Error-scale features and conformal quantiles."""

from __future__ import annotations

import numpy as np

from popforecast.models.base import Array, normal_quantile
from popforecast.models.bounded import ROUNDING
from popforecast.models.features import LONG, USUAL, average, relate_size
from popforecast.models.pooling import find_teachers
from popforecast.panel import Panel

# Probabilities of the stored quantiles; bounds for a level are interpolated.
PROBABILITIES = np.concatenate([[0.001, 0.0025], np.arange(1, 200) / 200, [0.9975, 0.999]])

# Decimals to which scaled errors are compared; smaller differences count as ties.
DECIMALS = 9

# The highest level with past errors as evidence; normal tails are assumed beyond it.
WIDEST = 99.8


def describe_risk(panel: Panel) -> Array:
    """Return the error-scale features for every year and location, shape (t, n, 3).

    A constant, the log volatility of growth over ten years, and relative size. Only data up to each year are used.
    """
    log, teachers = np.log(panel.values.T), find_teachers(panel)
    size = relate_size(log, teachers)
    # Capped at the largest training location, so that large aggregates do not get an extrapolated scale.
    size = np.minimum(size, size[:, teachers].max(axis=1, keepdims=True))
    return join_risk(log, size, panel.step)


def join_risk(log: Array, size: Array, step: int) -> Array:
    """Return a constant, the log volatility of time-major log population, and size, shape (t, n, 3)."""
    change = np.zeros_like(log)
    change[2:] = np.diff(log, n=2, axis=0) / step
    volatility = np.sqrt(average(change**2, max(round(LONG / step), 4), 2)) + ROUNDING
    return np.stack([np.ones_like(log), np.log(volatility / USUAL), size], axis=-1)


def scale_errors(errors: Array, x: Array, weights: Array, luck: float) -> tuple[Array, Array]:
    """Return the coefficients of the error scale, and the quantiles of the scaled errors.

    Parameters
    ----------
    errors : ndarray, shape (m,)
        Log errors.
    x : ndarray, shape (m, p)
        Features.
    weights : ndarray, shape (m,)
    luck : float
        Offset added to absolute errors before logs.

    Returns
    -------
    slope : ndarray, shape (p,)
    quantiles : ndarray, shape (len(PROBABILITIES),)
    """
    weighted = x * weights[:, None]
    moments = weighted.T @ x / weights.sum()
    moments.flat[:: len(moments) + 1] += 1e-6
    slope = np.linalg.solve(moments, weighted.T @ np.log(np.abs(errors) + luck) / weights.sum())
    scaled = errors / np.exp(x @ slope)
    # Ties, such as zero errors, are ordered by position, not by rounding errors of logs.
    order = np.argsort(scaled.round(DECIMALS), kind="stable")
    below = np.cumsum(weights[order])
    return slope, np.interp(PROBABILITIES, below / below[-1], scaled[order])


def reach_quantiles(quantiles: Array, level: float) -> tuple[Array, Array]:
    """Return the non-negative distances from zero to the bounds at a level, from quantiles along the last axis.

    Beyond :data:`WIDEST` there is no evidence from past errors, so the distances grow as for a normal distribution.

    Examples
    --------
    >>> errors = np.interp(PROBABILITIES, [0, 0.5, 1], [-1, 0, 2])
    >>> [tuple(side.round(3).item() for side in reach_quantiles(errors, level)) for level in (50, 99.8, 99.99)]
    [(0.5, 1.0), (0.998, 1.996), (1.256, 2.513)]
    """
    tail = (1 - min(level, WIDEST) / 100) / 2
    rows = quantiles.reshape(-1, len(PROBABILITIES))
    ends = np.array([np.interp((tail, 1 - tail), PROBABILITIES, row) for row in rows])
    low, high = ends.reshape(*quantiles.shape[:-1], 2).T
    beyond = normal_quantile(level) / normal_quantile(WIDEST) if level > WIDEST else 1.0
    return np.maximum(-low, 0) * beyond, np.maximum(high, 0) * beyond
