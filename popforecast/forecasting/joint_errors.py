"""Joint errors of countries, from past forecasts and past revisions, for intervals of aggregates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.forecasting.calibration import Calibration
from popforecast.forecasting.origins import EVERY
from popforecast.forecasting.reconciliation import (
    PastErrors,
    add_widths,
    combine_widths,
    divide,
    is_whole,
    measure_shares,
    sum_members,
)
from popforecast.forecasting.revision_error import learn_from_vintages, list_past_revisions
from popforecast.models.base import Array, LogPrediction
from popforecast.models.numeric import interpolate
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen
from popforecast.panel.groups import Membership


@dataclass(frozen=True, eq=False)
class JointErrors(Frozen):
    """Errors of a panel's n countries, from which errors of their sums follow.

    Attributes
    ----------
    population : ndarray, shape (n, horizon)
        Forecasts of the countries.
    growth : dict of float to ndarray, shape (2, n, horizon)
        Lower and upper half-widths of growth, in logs, by level.
    spread : ndarray, shape (n, horizon)
        Mean absolute errors of growth, in logs.
    past : PastErrors or None
        Past errors of growth, at the calibrated horizons.
    now : ndarray, shape (n, 1)
        Base figures of the countries.
    base : dict of float to ndarray, shape (2, n, 1)
        Lower and upper half-widths of revisions of base figures, by level; empty if they are final.
    revised : PastErrors or None
        Past revisions of base figures.
    """

    population: Array
    growth: Mapping[float, Array]
    spread: Array
    past: PastErrors | None
    now: Array
    base: Mapping[float, Array]
    revised: PastErrors | None

    def reach(self, matrix: NDArray[np.bool_], levels: Sequence[float]) -> dict[float, Array]:
        """Return the half-widths of sums in logs, shape (2, a, horizon), by level; `matrix` (a, n) has the members.

        Errors of growth and revisions of base figures are independent, so their squared widths add up. The interval of
        a sum is never wider than the sum of its members' bounds; with a single member, it is the member's interval.
        """
        members = {level: self.growth[level] for level in levels}
        reached = self._reach_growth(matrix, members)
        if self.revised is not None:
            base = {level: self.base[level] for level in levels}
            based = combine_widths(self.now, base, matrix, self.revised)
            reached, members = (
                {level: np.hypot(width, revised[level]) for level, width in growth.items()}
                for growth, revised in ((reached, based), (members, base))
            )
        together = add_widths(self.population, members, matrix)
        single, only = matrix.sum(axis=1)[:, None] == 1, matrix.argmax(axis=1)
        return {
            level: np.where(single, members[level][:, only], np.minimum(width, together[level]))
            for level, width in reached.items()
        }

    def _reach_growth(self, matrix: NDArray[np.bool_], members: Mapping[float, Array]) -> dict[float, Array]:
        if self.past is None:
            return add_widths(self.population, members, matrix)
        # Joint errors are known at the knots only. Widths are interpolated in between, as for countries; beyond the
        # last knot they grow like the countries' errors, at the same rate for all levels.
        knots, steps = self.past.horizons, np.arange(1, self.population.shape[1] + 1)
        far = steps > knots[-1]
        growing = _average(matrix, self.population, self.spread)
        beyond = divide(growing[:, far], growing[:, [knots[-1] - 1]])
        at_knots = {level: width[..., knots - 1] for level, width in members.items()}
        reached = {}
        for level, joint in combine_widths(self.population[:, knots - 1], at_knots, matrix, self.past).items():
            widths = np.stack([interpolate(side, knots, steps) for side in joint])
            widths[..., far] *= beyond
            reached[level] = np.maximum.accumulate(widths, axis=-1)
        return reached


def join_errors(
    panel: Panel,
    growth: LogPrediction,
    calibration: Calibration | None,
    risk: Array | None,
    membership: Membership,
) -> JointErrors:
    """Return the joint errors of the countries; `risk` is None if base figures are final."""
    rows, spacing = membership.country_rows, max(1, round(EVERY / panel.step))
    countries = growth.take(rows)
    past, mean = None, np.zeros_like(countries.population)
    if calibration is not None:
        mean = calibration.spread(mean.shape[1])[rows]
        errors, then, now = (getattr(calibration, name)[rows] for name in ("errors", "scale_then", "scale"))
        past = PastErrors(errors, then, now, calibration.knots, spacing)
    base, revised = {}, None
    if risk is not None:
        spread = learn_from_vintages()
        revisions, scales = list_past_revisions(membership.countries, spread)
        scale = np.exp(risk[rows] @ spread.slope)[:, None]
        revised = PastErrors(revisions[..., None], scales[..., None], scale, np.array([1]))
        base = {level: spread.reach(risk[rows], level) for level in growth.widths}
    return JointErrors(countries.population, countries.widths, mean, past, panel.values[rows, -1:], base, revised)


def predict_sums(
    panel: Panel, population: Array, membership: Membership, errors: JointErrors, levels: Sequence[float]
) -> LogPrediction:
    """Return the forecasts of aggregates, shape (a, horizon), from those of all locations of a panel."""
    shares, horizon = measure_shares(panel, membership), population.shape[1]
    points = sum_members(population[membership.country_rows], membership, shares, whole=is_whole(panel))
    widths = errors.reach(membership.matrix, levels)
    return LogPrediction(points, {level: width[..., :horizon] for level, width in widths.items()})


def _average(matrix: NDArray[np.bool_], population: Array, values: Array) -> Array:
    """Return the population-weighted mean of values (n, h) in each aggregate, shape (a, h)."""
    weights = matrix.astype(np.float64)
    return divide(np.einsum("an,nh->ah", weights, population * values), np.einsum("an,nh->ah", weights, population))
