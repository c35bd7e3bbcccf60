"""Learning from all locations at once: a robust regression, and the outcomes of similar histories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array

if TYPE_CHECKING:
    pass

# Huber's constant for 95% efficiency at the normal, and the factor that makes the median absolute deviation one.
HUBER, MAD = 1.345, 1.4826

# How many questions are compared with the rows at once: 300 x 3000 distances, 4 MB, stay in the processor's cache.
CHUNK = 300

# Of how many rows the nearest is found first: most rows are then never sorted.
BLOCK = 8

# Features are compared in whole steps of this size, in interquartile ranges, and up to so many ranges from the median.
# Distances are then sums of whole numbers below 2**53, which every processor adds up alike; equal ones go by position.
GRID, FARTHEST = 2.0**-16, 2.0**7


def regress_robustly(x: Array, y: Array, ridge: float, rounds: int, start: Array | None = None) -> Array:
    r"""Return the coefficients of a Huber regression with a ridge, by iterated reweighting.

    .. math:: \min_b \sum_i \rho(y_i - x_i' b) + \frac{\lambda}{2} \Big(\sum_i w_i\Big) \sum_j (s_j b_j)^2,
       \qquad \rho(e) = \begin{cases} e^2 / 2 & |e| \le s \\ s |e| - s^2 / 2 & |e| > s \end{cases}

    with s 1.345 robust standard deviations of the residuals, :math:`w_i = \min(1, s / |e_i|)` Huber's weights, and
    :math:`s_j` the root mean square of column j.

    Parameters
    ----------
    x : ndarray, shape (m, p)
    y : ndarray, shape (m,)
    ridge : float
        :math:`\lambda`, in units of standardised columns.
    rounds : int
        Reweightings.
    start : ndarray, shape (p,), optional
        Where to start from (default: least squares).

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


def follow_neighbours(rows: Array, questions: Array, outcomes: Sequence[Array], count: int) -> list[Array]:
    """Return the median outcome of the rows most like each question, for each of several outcomes.

    Distance is Euclidean in interquartile ranges, of features rounded to `GRID`: which rows are nearest must not
    depend on the last bits of a logarithm. Of rows at the same distance, the first are nearest.

    Parameters
    ----------
    rows : ndarray, shape (m, q)
        Past histories.
    questions : ndarray, shape (n, q)
        The histories to find likes of.
    outcomes : sequence of ndarray, shape (m,)
        What followed the rows.
    count : int
        How many neighbours.

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
    """Return the columns of the `count` least values of each row, the least first; of equal values, the first.

    The least of each block of columns are few, and the `count`-th of them bounds what is to be sorted.

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
