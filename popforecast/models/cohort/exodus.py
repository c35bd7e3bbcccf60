"""Exoduses: recent mass emigration, and the return of some emigrants."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.models.cohort.past import Past

# Annual net emigration that marks an exodus, the minimum in each of its years, and the smallest population considered.
EXODUS, LEAVING, SMALLEST = 0.03, 0.01, 1e5

# Years searched for an exodus, years of past cases for returns, and cases needed for their median to count in full.
YEARS, WINDOW, CASES = 5, 60, 20


class Exodus(NamedTuple):
    """Countries with an exodus, whether it is under way, and the number of emigrants, each of shape (n,)."""

    fled: NDArray[np.bool_]
    goes_on: NDArray[np.bool_]
    leavers: Array


def find_exodus(past: Past) -> Exodus | None:
    """Return the exoduses of the last five calendar years; None without annual migration.

    The revision's own last year is looked at where it is published whole; at a past origin, the year is half in the
    future, and the one before is the last.
    """
    flows = past.net_migration
    return _find(past, flows.shape[1], past.now) if past.is_annual and flows.shape[1] >= YEARS else None


def mix_returns(past: Past, exodus: Exodus, ahead: list[Array]) -> list[Array]:
    """Return the rates of the first two steps; after an exodus, half of each comes from past exoduses.

    Of those who left, the median share that the first and second five years after past exoduses brought (some came
    back, or more left), learnt apart where people still leave and where they do not.
    """
    mixed = []
    for step, rate in enumerate(ahead, start=1):
        shares = [_learn_returns(past, step, goes_on) for goes_on in (False, True)]
        back = np.where(exodus.goes_on, shares[1], shares[0]) * exodus.leavers / past.totals[:, -1]
        mixed.append(np.where(exodus.fled, (rate + back) / 2, rate))
    return mixed


def _find(past: Past, end: int, at: int) -> Exodus:
    """Return the exoduses in the five calendar years before column `end`, for populations at column `at`."""
    flows = past.net_migration[:, end - YEARS : end]
    rates = flows / past.totals[:, end - YEARS : end]
    worst = rates.min(axis=1)
    fled = (worst < -EXODUS) & (past.totals[:, at] > SMALLEST)
    return Exodus(fled, rates[:, -1] < worst / 2, -np.where(rates < -LEAVING, flows, 0).sum(axis=1))


def _learn_returns(past: Past, step: int, goes_on: bool) -> float:
    """Return the median share of emigrants who returned after past exoduses, shrunk to zero if cases are few."""
    is_published = past.net_migration.shape[1] > past.now
    shares: list[float] = []
    for at in range(past.now - 5 * step, max(5, past.now - 5 * step - WINDOW) - 1, -1):
        exodus = _find(past, at + is_published, at)
        cases = exodus.fled & (exodus.goes_on == goes_on)
        came = past.migration[:, at + 5 * step - 5 : at + 5 * step].sum(axis=1)
        shares += (came[cases] / np.maximum(exodus.leavers[cases], 1e-6)).tolist()
    return float(np.median(shares)) * min(1, len(shares) / CASES) if shares else 0.0
