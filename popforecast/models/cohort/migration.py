"""Migration: recent rates return to their level over the last thirty years."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from popforecast.models.base import Array
from popforecast.models.cohort.exodus import find_exodus, mix_returns
from popforecast.models.cohort.past import Past
from popforecast.models.regression import regress_absolutely

# Bounds on rates in the regression, and kinks that separate refugee movements from other migration.
WIDEST, BEND, WIDE_BEND = 0.30, 0.025, 0.05

# The residual below which errors are squared, in net migrants per person in five years.
EXACT = 2e-4

# Share of a deviation from the long-run rate that remains after five years, beyond the estimated steps.
FADING = 0.65

# Long-run rate: median of this many five-year windows, within these bounds (original: plus or minus the second).
WINDOWS, LEAST_USUAL, MOST_USUAL = 6, -0.05, 0.02

# Years of past origins in the training data: mended, original by year and by period; and years of history needed.
WINDOW, WINDOW_ANNUAL, WINDOW_PERIODS, WARM_UP = 30, 25, 50, 10

# Share of the last rate that continues if the rate cannot be estimated.
SHARE = 0.6

# Years over which volatility is measured, and a medium-sized population in persons.
JAGGED, MIDDLING = 20, 5e6


class MigrationPath(NamedTuple):
    """Net migration rates by five-year step before the world balance, shape (n, steps), and their coefficients.

    `leavers` are the net emigrants in an exodus of the last five years (:mod:`popforecast.models.cohort.exodus`), or 0.
    """

    rates: Array
    coefficients: list[Array]
    leavers: Array


def forecast_migration(past: Past, steps: int, mended: bool = True) -> MigrationPath:
    r"""Return net migrants per person by five-year step.

    The rates of the first and second step ahead, :math:`r_1` and :math:`r_2`, are learnt by least absolute deviations
    from all countries at past origins of thirty years, on :func:`describe`; later steps fade to the usual rate l:

    .. math:: r_s = l + 0.65^{s - 2} (r_2 - l)

    with l the median rate of the last six windows of five years, within -0.05 and 0.02: emigration can last, the
    largest inflows do not.

    Parameters
    ----------
    past : Past
    steps : int
    mended : bool
        Whether jagged migration keeps less of the last year's, exoduses end, and emigration may last.

    References
    ----------
    Azose, J. J. and Raftery, A. E. (2015). Bayesian probabilistic projection of international migration. *Demography*
    52, 1627-1650: rates return to a country's own level, as here.
    """
    now = past.now
    described: dict[int, Array] = {}

    def recall(at: int) -> Array:
        if at not in described:
            described[at] = describe(past, at, mended)
        return described[at]

    ahead, learnt = [], []
    for step in (1, 2):
        known = list(_list_origins(past, step, mended))
        if not known:
            break
        outcomes = [past.migration_rate(at + 5 * step - 5, at + 5 * step) for at in known]
        rows = np.concatenate([recall(at) for at in known])
        learnt.append(regress_absolutely(rows, np.concatenate(outcomes), EXACT))
        ahead.append(recall(now) @ learnt[-1])
    if not ahead:
        ahead = [SHARE * _clip(past.migration_rate(now - 5, now), WIDEST)]
    usual = np.median([past.migration_rate(at - 5, at) for at in _list_windows(now)], axis=0)
    usual = np.clip(usual, LEAST_USUAL if mended else -MOST_USUAL, MOST_USUAL)
    exodus = find_exodus(past) if mended else None
    if exodus is not None and exodus.fled.any():
        ahead = mix_returns(past, exodus, [*ahead, ahead[-1]][:2])
    last = len(ahead) - 1
    path = [usual + (ahead[min(step, last)] - usual) * FADING ** max(0, step - last) for step in range(steps)]
    leavers = np.zeros(len(past.totals)) if exodus is None else np.where(exodus.fled, exodus.leavers, 0)
    return MigrationPath(np.stack(path, axis=1), learnt, leavers)


def describe(past: Past, at: int, mended: bool = True) -> Array:
    """Return the regressors of migration at a column, shape (n, features), without a constant.

    The rate of the last five years a, of the five before, and the mean m of six such windows; a within two narrower
    bounds, and a and its narrow part times size. Where births are known by year, the last year's rate b likewise, and
    all of these times jaggedness: where yearly migration leaps up and down, the last year says little.
    """

    def rate(end: int) -> Array:
        return _clip(past.migration_rate(end - 5, end), WIDEST)

    last = rate(at)
    mean = np.mean([rate(end) for end in _list_windows(at)], axis=0)
    size = np.log(past.totals[:, at] / MIDDLING) / 3
    columns = [last, rate(at - 5) if at >= 10 else last, mean, _clip(last, BEND), _clip(last, WIDE_BEND)]
    columns += [size * last, size * _clip(last, BEND)]
    if past.is_annual:
        year = _clip(5 * past.migration[:, at - 1] / past.totals[:, at - 1], WIDEST)
        columns += [year, _clip(year, BEND), _clip(year, WIDE_BEND), size * year]
        if mended:
            jagged = measure_jaggedness(past, at)
            columns += [jagged * part for part in (year, _clip(year, BEND), last, _clip(last, BEND), mean)]
    return np.stack(columns, axis=1)


def measure_jaggedness(past: Past, at: int) -> Array:
    """Return the roughness of annual migration over twenty years: -1: ramp, 0: random walk, above: noise."""
    start = max(0, at - JAGGED)
    rates = past.migration[:, start:at] / past.totals[:, start:at]
    first, second = (np.abs(np.diff(rates, n=n, axis=1)).mean(axis=1) for n in (1, 2))
    result: Array = np.clip(second / np.maximum(first, 1e-7), 0, 2) - 1
    return result


def _list_origins(past: Past, step: int, mended: bool) -> Iterable[int]:
    """Return the past origins whose outcome this many steps ahead is known, latest first."""
    latest = past.now - 5 * step
    window = WINDOW if mended else WINDOW_ANNUAL if past.is_annual else WINDOW_PERIODS
    return range(latest, max(WARM_UP, latest - window) - 1, -1 if past.is_annual else -5)


def _list_windows(at: int) -> list[int]:
    """Return the ends of the last six five-year windows."""
    return [at - 5 * i for i in range(min(WINDOWS, at // 5))]


def _clip(values: Array, bound: float) -> Array:
    return np.clip(values, -bound, bound)
