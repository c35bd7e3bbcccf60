"""What predicts the size of an error, and how far errors scaled by it reach."""

from __future__ import annotations

import numpy as np

from popforecast.models.base import Array, normal_quantile
from popforecast.models.bounded import ROUNDING
from popforecast.models.features import LONG, USUAL, average, relate_size
from popforecast.models.rules import find_teachers
from popforecast.panel import Panel

# The quantiles kept; a level's bounds are interpolated between them.
PROBABILITIES = np.concatenate([[0.001, 0.0025], np.arange(1, 200) / 200, [0.9975, 0.999]])

# Scaled errors that differ by less are equal.
DECIMALS = 9

# The largest level that past errors speak of; beyond it their tails are taken to be normal.
WIDEST = 99.8


def describe_risk(panel: Panel) -> Array:
    """Return what predicts the size of an error, for every year and location: shape (t, n, 3).

    A constant, the log volatility of growth over ten years, and size within the panel. Nothing after a year enters it.
    """
    log, teachers = np.log(panel.values.T), find_teachers(panel)
    size = relate_size(log, teachers)
    # No aggregate is trusted to be calmer than the largest of those that were learnt from.
    size = np.minimum(size, size[:, teachers].max(axis=1, keepdims=True))
    return join_risk(log, size, panel.step)


def join_risk(log: Array, size: Array, step: int) -> Array:
    """Return the constant, the volatility of time-major log population and its size: shape (t, n, 3)."""
    change = np.zeros_like(log)
    change[2:] = np.diff(log, n=2, axis=0) / step
    volatility = np.sqrt(average(change**2, max(round(LONG / step), 4), 2)) + ROUNDING
    return np.stack([np.ones_like(log), np.log(volatility / USUAL), size], axis=-1)


def scale_errors(errors: Array, x: Array, weights: Array, luck: float) -> tuple[Array, Array]:
    """Return how the size of errors depends on features, and the quantiles of the errors so scaled.

    Parameters
    ----------
    errors : ndarray, shape (m,)
        Log errors.
    x : ndarray, shape (m, p)
        Features.
    weights : ndarray, shape (m,)
    luck : float
        Added to the size of an error before its logarithm is taken.

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
    # Errors of equal size, such as none at all, go by position, not by the last bits of a logarithm.
    order = np.argsort(scaled.round(DECIMALS), kind="stable")
    below = np.cumsum(weights[order])
    return slope, np.interp(PROBABILITIES, below / below[-1], scaled[order])


def reach_quantiles(quantiles: Array, level: float) -> tuple[Array, Array]:
    """Return how far a level reaches below and above nothing, along the last axis of quantiles; never negative.

    Beyond :data:`WIDEST` no past error is left to say: the reach grows from there as that of a normal error does.

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
