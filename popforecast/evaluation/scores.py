"""Accuracy measures of point forecasts and intervals: functions of arrays, in percent except MASE.

Each takes outcomes and forecasts of the same shape and returns one number for all of them. Different shapes, empty
arrays and relative errors of a zero outcome raise :class:`~popforecast.errors.ScoreError`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from popforecast.errors import ScoreError

Array = NDArray[np.float64]


def absolute_percentage_errors(outcome: ArrayLike, forecast: ArrayLike) -> Array:
    """Return the absolute errors relative to the outcome, in percent.

    Examples
    --------
    >>> absolute_percentage_errors([100, 200], [110, 150]).tolist()
    [10.0, 25.0]
    """
    outcome, forecast = _relative(outcome, forecast)
    return 100 * np.abs(forecast - outcome) / np.abs(outcome)


def mape(outcome: ArrayLike, forecast: ArrayLike) -> float:
    r"""Return the mean absolute percentage error, :math:`\frac{100}{n} \sum |f - y| / |y|`.

    Examples
    --------
    >>> mape([100, 200], [110, 150])
    17.5
    """
    return float(np.mean(absolute_percentage_errors(outcome, forecast)))


def median_ape(outcome: ArrayLike, forecast: ArrayLike) -> float:
    """Return the median absolute percentage error.

    Examples
    --------
    >>> median_ape([100, 200, 50], [110, 150, 50])
    10.0
    """
    return float(np.median(absolute_percentage_errors(outcome, forecast)))


def mase(outcome: ArrayLike, forecast: ArrayLike, scale: ArrayLike) -> float:
    r"""Return the mean absolute scaled error, :math:`\frac{1}{n} \sum |f - y| / q`.

    Parameters
    ----------
    scale : array_like
        q for each forecast: the mean absolute one-step change of its series up to the origin.

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy. *International Journal
    of Forecasting* 22, 679-688.

    Examples
    --------
    >>> mase([100, 200], [110, 150], [5, 25])
    2.0
    """
    outcome, forecast, scale = _align(outcome, forecast, scale)
    if (scale <= 0).any():
        raise ScoreError("a scale is zero: scaled errors of a series that never changed are undefined")
    return float(np.mean(np.abs(forecast - outcome) / scale))


def coverage(outcome: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    """Return the percentage of outcomes within the bounds.

    Examples
    --------
    >>> coverage([1, 2, 3, 4], [0, 0, 0, 0], [1, 1, 9, 9])
    75.0
    """
    outcome, lower, upper = _align(outcome, lower, upper)
    return float(100 * np.mean((lower <= outcome) & (outcome <= upper)))


def width(outcome: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    """Return the mean width of the interval relative to the outcome, in percent.

    Examples
    --------
    >>> width([100, 200], [90, 180], [110, 240])
    25.0
    """
    outcome, lower, upper = _relative(outcome, lower, upper)
    return float(np.mean(100 * (upper - lower) / np.abs(outcome)))


def wis(
    outcome: ArrayLike, forecast: ArrayLike, lower: Mapping[float, ArrayLike], upper: Mapping[float, ArrayLike]
) -> float:
    r"""Return the weighted interval score relative to the outcome, in percent.

    .. math:: \mathrm{WIS} = \frac{1}{K + 1/2} \left( \tfrac12 |y - m| + \sum_{k=1}^{K} \tfrac{\alpha_k}{2}
       \left[ (u_k - l_k) + \tfrac{2}{\alpha_k} (l_k - y)_+ + \tfrac{2}{\alpha_k} (y - u_k)_+ \right] \right)

    with m the median forecast and :math:`1 - \alpha_k` the coverage of the k-th of K intervals.

    References
    ----------
    Bracher, J., Ray, E. L., Gneiting, T. and Reich, N. G. (2021). Evaluating epidemic forecasts in an interval
    format. *PLOS Computational Biology* 17, e1008618.

    Examples
    --------
    >>> round(wis([100], [110], {80: [104]}, {80: [120]}), 6)
    7.066667
    """
    if lower.keys() != upper.keys():
        raise ScoreError(f"lower bounds at {list(lower)}, upper bounds at {list(upper)}: expected the same levels")
    y, median = _relative(outcome, forecast)
    total = np.abs(y - median) / 2
    for level in lower:
        alpha = 1 - level / 100
        _, low, high = _align(y, lower[level], upper[level])
        total = total + alpha / 2 * (high - low) + np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return float(np.mean(100 * total / np.abs(y)) / (len(lower) + 0.5))


def _align(*arrays: ArrayLike) -> list[Array]:
    aligned = [np.asarray(array, float) for array in arrays]
    shapes = {array.shape for array in aligned}
    if len(shapes) > 1:
        raise ScoreError(f"shapes {', '.join(map(str, sorted(shapes)))}: expected an outcome for every forecast")
    if not aligned[0].size:
        raise ScoreError("there is nothing to score: expected at least one outcome")
    return aligned


def _relative(outcome: ArrayLike, *others: ArrayLike) -> list[Array]:
    aligned = _align(outcome, *others)
    if (aligned[0] == 0).any():
        raise ScoreError("an outcome is zero: relative errors are undefined")
    return aligned
