"""Numerical routines shared by models: batched least squares, interpolation, single-threaded linear algebra."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from popforecast.models.base import Array, Steps

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

# A regressor with a smaller share unexplained by those before it adds only rounding noise.
RANK_TOLERANCE = 1e-12


def least_squares(columns: Sequence[Array], y: Array) -> tuple[Array, Array]:
    """Solve n least-squares problems at once by modified Gram-Schmidt.

    The right-hand side is orthogonalised like an additional column. This is as stable as Householder's method (Björck
    1967) and, unlike the normal equations, does not square the condition number. Linearly dependent columns get a
    coefficient of zero.

    Parameters
    ----------
    columns : sequence of k ndarrays, each of shape (n, t)
        The regressors.
    y : ndarray, shape (n, t)
        The right-hand sides.

    Returns
    -------
    coefficients : ndarray, shape (n, k)
    residuals : ndarray, shape (n, t)

    References
    ----------
    Björck, Å. (1967). Solving linear least squares problems by Gram-Schmidt orthogonalization. *BIT* 7, 1-21.
    """
    k, n = len(columns), len(y)
    bases = [column.copy() for column in columns]
    rest = y.copy()
    triangle = np.zeros((n, k, k))
    projections = np.zeros((n, k))
    for j in range(k):
        norm = np.sqrt(dot_rows(bases[j], bases[j]))
        dependent = norm <= RANK_TOLERANCE * np.sqrt(dot_rows(columns[j], columns[j]))
        bases[j] /= np.where(dependent, np.inf, norm)[:, None]
        triangle[:, j, j] = np.where(dependent, 1, norm)
        for later in range(j + 1, k):
            triangle[:, j, later] = dot_rows(bases[j], bases[later])
            bases[later] -= triangle[:, j, later, None] * bases[j]
        projections[:, j] = dot_rows(bases[j], rest)
        rest -= projections[:, j, None] * bases[j]
    coefficients = np.zeros((n, k))
    for j in reversed(range(k)):
        known = np.sum(triangle[:, j, j + 1 :] * coefficients[:, j + 1 :], axis=1)
        coefficients[:, j] = (projections[:, j] - known) / triangle[:, j, j]
    return coefficients, rest


def interpolate(values: Array, knots: Steps, steps: Steps) -> Array:
    """Interpolate each row linearly between the knots, constant before the first and after the last.

    Examples
    --------
    >>> interpolate(np.array([[1.0, 3.0]]), np.array([1, 3]), np.array([1, 2, 3, 4])).tolist()
    [[1.0, 2.0, 3.0, 3.0]]
    """
    right = np.clip(np.searchsorted(knots, steps), 1, max(1, len(knots) - 1))
    if len(knots) == 1:
        return np.repeat(values, len(steps), axis=1)
    share = np.clip((steps - knots[right - 1]) / (knots[right] - knots[right - 1]), 0, 1)
    return values[:, right - 1] * (1 - share) + values[:, right] * share


def use_one_thread() -> AbstractContextManager[object]:
    """Return a context in which linear algebra uses one thread.

    Thousands of small products are faster in one thread than in several that wait for each other: up to six times on a
    busy machine.
    """
    return _find_libraries().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _find_libraries() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def dot_rows(a: Array, b: Array) -> Array:
    """Return the dot products of the rows of a and b.

    Examples
    --------
    >>> dot_rows(np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])).tolist()
    [11.0, 18.0]
    """
    return np.sum(a * b, axis=1)


def exponentiate(log: Array) -> Array:
    """Return exp(log); overflow returns infinity, without a warning."""
    with np.errstate(over="ignore"):
        return np.exp(log)
