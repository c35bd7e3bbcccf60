"""Pooled estimation: robust regression and nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array

# Huber's constant for 95% efficiency under normality, and the factor that makes the MAD a standard deviation.
HUBER, MAD = 1.345, 1.4826

# Least absolute deviations: rounds of reweighting, and the ridge.
ROUNDS, RIDGE = 40, 1e-3

# Queries per batch: 300 x 3,000 distances (7 MB) stay close to the size of the processor's cache.
CHUNK = 300

# The minimum of each block of rows is found first, so most rows are never sorted.
BLOCK = 8

# Features are rounded to multiples of this many interquartile ranges, and clipped to this many from the median.
# Distances are then sums of integers below 2**53, which are exact on every processor; ties are broken by position.
GRID, FARTHEST = 2.0**-16, 2.0**7


def regress_robustly(x: Array, y: Array, ridge: float, rounds: int, start: Array | None = None) -> Array:
    r"""Return the coefficients of a Huber regression with a ridge penalty, by iterated reweighting.

    .. math:: \min_b \sum_i \rho(y_i - x_i' b) + \frac{\lambda}{2} \Big(\sum_i w_i\Big) \sum_j (s_j b_j)^2,
       \qquad \rho(e) = \begin{cases} e^2 / 2 & |e| \le s \\ s |e| - s^2 / 2 & |e| > s \end{cases}

    where s is 1.345 robust standard deviations of the residuals, :math:`w_i = \min(1, s / |e_i|)` are Huber's weights,
    and :math:`s_j` is the root mean square of column j.

    Parameters
    ----------
    x : ndarray, shape (m, p)
    y : ndarray, shape (m,)
    ridge : float
        The penalty :math:`\lambda` on standardised columns.
    rounds : int
        Number of reweightings.
    start : ndarray, shape (p,), optional
        Initial coefficients (default: least squares).

    References
    ----------
    Huber, P. J. (1964). Robust estimation of a location parameter. *Annals of Mathematical Statistics* 35, 73-101.

    Examples
    --------
    >>> x = np.arange(1.0, 10.0)[:, None]
    >>> y = 2 * x[:, 0] + np.array([0, 0.1, -0.1, 50, 0.1, -0.1, 0, 0.1, -0.1])
    >>> regress_robustly(x, y, 0, 1).round(1).tolist(), regress_robustly(x, y, 0, 30).round(1).tolist()
    ([2.7], [2.0])
    """
    unit = np.sqrt(np.einsum("ij,ij->j", x, x) / len(x)) + 1e-12
    z = x / unit
    coefficients = None if start is None else start * unit
    for _ in range(rounds):
        if coefficients is None:
            weighted, total = z, float(len(z))
        else:
            error = np.abs(y - z @ coefficients)
            usual = MAD * HUBER * np.median(error) + 1e-15
            weights = usual / np.maximum(error, usual)
            weighted, total = z * weights[:, None], weights.sum()
        moments = weighted.T @ z / total
        moments.flat[:: len(moments) + 1] += ridge
        coefficients = np.linalg.solve(moments, weighted.T @ y / total)
    return coefficients / unit


def regress_absolutely(x: Array, y: Array, least: float, weights: Array | None = None) -> Array:
    r"""Return the coefficients of least absolute deviations, by 40 rounds of reweighted least squares from zero.

    .. math:: \min_b \sum_i w_i |y_i - x_i' b|

    Residuals below `least` are squared instead, and a ridge of 1e-3 keeps coefficients finite where columns are alike.

    Parameters
    ----------
    x : ndarray, shape (m, p)
    y : ndarray, shape (m,)
    least : float
        In the unit of y. With hardly any residual below it, 40 rounds do not converge, and the coefficients depend on
        the rounding errors of the processor.
    weights : ndarray, shape (m,), optional

    References
    ----------
    Schlossmacher, E. J. (1973). An iterative technique for absolute deviations curve fitting. *JASA* 68, 857-859.

    Examples
    --------
    >>> x = np.arange(1.0, 6.0)[:, None]
    >>> regress_absolutely(x, np.array([2, 4, 60, 8, 10.0]), 1e-3).round(2).tolist()
    [2.0]
    """
    # On orthogonal columns, rounding errors are not multiplied by the squared condition number of x.
    ridge = np.sqrt(RIDGE) * np.eye(x.shape[1])
    basis = np.linalg.inv(np.linalg.qr(np.concatenate([x, ridge]), mode="r"))
    z, penalty = x @ basis, RIDGE * basis.T @ basis
    coefficients: Array = np.zeros(x.shape[1])
    for _ in range(ROUNDS):
        steepness = 1 / np.maximum(np.abs(y - z @ coefficients), least)
        if weights is not None:
            steepness *= weights
        coefficients = np.asarray(np.linalg.solve(z.T @ (z * steepness[:, None]) + penalty, z.T @ (steepness * y)))
    return np.asarray(basis @ coefficients)


def follow_neighbours(rows: Array, questions: Array, outcomes: Sequence[Array], count: int) -> list[Array]:
    """Return the median outcome of the nearest neighbours of each query, for several outcomes.

    Distances are Euclidean, in interquartile ranges, between features rounded to `GRID`: the choice of neighbours must
    not depend on the last bits of a logarithm. Ties are broken by position.

    Parameters
    ----------
    rows : ndarray, shape (m, q)
        Past histories.
    questions : ndarray, shape (n, q)
        The histories to find neighbours of.
    outcomes : sequence of ndarray, shape (m,)
        Outcomes of the rows.
    count : int
        Number of neighbours.

    Examples
    --------
    >>> rows = np.arange(5.0)[:, None]
    >>> follow_neighbours(rows, np.array([[0.0], [4.0]]), [10 * rows[:, 0]], 3)[0].tolist()
    [10.0, 30.0]
    """
    low, middle, high = np.percentile(rows, [25, 50, 75], axis=0)
    unit = high - low + 1e-9
    scaled, asked = (np.rint(np.clip((part - middle) / unit, -FARTHEST, FARTHEST) / GRID) for part in (rows, questions))
    count = min(count, len(rows))
    half = (scaled * scaled).sum(axis=1) / 2
    found = [np.empty(len(questions)) for _ in outcomes]
    for first in range(0, len(questions), CHUNK):
        part = slice(first, first + CHUNK)
        nearest = find_least(half - asked[part] @ scaled.T, count)
        for result, outcome in zip(found, outcomes, strict=True):
            result[part] = np.median(outcome[nearest], axis=1)
    return found


def find_least(values: Array, count: int) -> NDArray[np.intp]:
    """Return the columns of the `count` smallest values of each row in increasing order, ties by position.

    The `count`-th smallest block minimum is an upper bound, so that only a few values have to be sorted.

    Examples
    --------
    >>> find_least(np.array([[5.0, 1.0, 3.0, 1.0]]), 3).tolist()
    [[1, 3, 2]]
    """
    n, m = values.shape
    width = m // min(BLOCK, m // count)
    blocks = values[:, : m // width * width].reshape(n, -1, width)
    bound = np.partition(blocks.min(axis=1), count - 1, axis=1)[:, count - 1]
    rows, columns = divmod(np.flatnonzero(values <= bound[:, None]), m)
    order = np.lexsort((values[rows, columns], rows))
    first = np.searchsorted(rows, np.arange(n))
    return columns[order][first[:, None] + np.arange(count)]
