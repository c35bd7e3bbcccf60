"""Mortality: death rates decline as in the last twenty years in countries with similar life expectancy."""

from __future__ import annotations

import numpy as np

from popforecast.models.base import Array
from popforecast.models.cohort.lifetable import build_life_table

# Periods over which the decline is measured.
PERIODS = 4

# Similar countries are within this rank distance (of 1); their weight rises from 0 at the first rank to 1 at the next.
NEAR, FROM, ALONE = 0.2, 0.4, 0.7


def measure_improvement(rates: Array, by_likeness: bool = True) -> Array:
    r"""Return the decline of log death rates per five years, shape (n, 2, 22).

    The median over all countries of :math:`\ln(m_{k-j} / m_k) / j`, for j the last four periods or as many as there
    are. Where life is long, it is more and more the median of the countries nearest in rank of life expectancy; where
    it is short, it stays that of all, for the years of AIDS and war in those countries would else go on.

    Parameters
    ----------
    rates : ndarray, shape (n, 2, 22, periods)
    by_likeness : bool
        Whether long-lived countries follow their like.

    Examples
    --------
    >>> rates = np.full((3, 2, 22, 1), 0.02) * np.exp([0.1, 0])
    >>> measure_improvement(rates)[0, 0, :2].round(3).tolist()
    [0.1, 0.1]
    """
    last = rates.shape[-1] - 1
    lag = min(PERIODS, last)
    if not lag:
        return np.zeros(rates.shape[:-1])
    falls = np.log(rates[..., last - lag] / rates[..., last]) / lag
    pooled = np.median(falls, axis=0)
    if not by_likeness:
        return np.broadcast_to(pooled, falls.shape)
    expectancy = build_life_table(rates[..., last]).expectancy.mean(axis=1)
    rank = expectancy.argsort(kind="stable").argsort(kind="stable") / max(len(expectancy) - 1, 1)
    near = np.stack([_measure_near(falls, rank, at) for at in np.linspace(0, 1, 11)])
    at = np.minimum((10 * rank).astype(int), 9)
    between = (10 * rank - at)[:, None, None]
    alike = (1 - between) * near[at] + between * near[at + 1]
    weight = np.clip((rank - FROM) / (ALONE - FROM), 0, 1)[:, None, None]
    result: Array = pooled + weight * (alike - pooled)
    return result


def _measure_near(falls: Array, rank: Array, at: float) -> Array:
    """Return the median decline of the countries near a rank."""
    is_near = np.abs(rank - at) <= NEAR
    return np.median(falls[is_near], axis=0) if is_near.any() else np.median(falls, axis=0)
