"""One coherent forecast of a whole panel: countries by the model, aggregates and groups as sums of their countries."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import ModelError
from popforecast.forecasting import calibration as intervals
from popforecast.forecasting.calibration import EVERY
from popforecast.forecasting.reconciliation import (
    PastErrors,
    add_widths,
    combine_widths,
    divide,
    measure_shares,
    sum_members,
    surround_sums,
)
from popforecast.forecasting.revision_error import learn_from_vintages, list_past_revisions, widen
from popforecast.forecasting.risk import WIDEST, describe_risk, measure_reach
from popforecast.models.base import Array, Fitted, Note, Prediction
from popforecast.models.numeric import interpolate, use_one_thread
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen
from popforecast.panel.groups import Membership, add_groups, build_membership
from popforecast.wpp.editions import find_edition, load_members

Groups = Mapping[str, Iterable[Hashable]]
Remainders = dict[Hashable, Array]

UNCALIBRATED = "too few past origins to calibrate the interval: it is analytic (random error only)"
BELOW_ZERO = "falls below zero from {}: the model has no lower limit, so do not use it that far ahead"
ALONE = "forecast on its own, because not all its countries are in the data"
BEYOND = "too few past errors beyond {:g}%: the {:g}% interval assumes normal tails"


@dataclass(frozen=True, eq=False)
class JointErrors(Frozen):
    """What is known of how the errors of a panel's n countries add up in a sum of some of them.

    Attributes
    ----------
    population : ndarray, shape (n, horizon)
        Their forecasts.
    growth : dict of float to ndarray, shape (2, n, horizon)
        By level, how far in logs growth may be off below and above.
    spread : ndarray, shape (n, horizon)
        The mean size of its errors, in logs.
    past : PastErrors or None
        Of growth, at the horizons that were calibrated.
    now : ndarray, shape (n, 1)
        Their base figures.
    base : dict of float to ndarray, shape (2, n, 1)
        By level, how far those may be revised; empty where they are final.
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
        """Return how far sums may be off in logs, shape (2, a, horizon), by level; `matrix` (a, n) says of whom.

        Widths of growth and of base figures are variances of their own, and independent of each other. No sum reaches
        further than the bounds of its members together.
        """
        reached, members = self._reach_growth(matrix, levels), {level: self.growth[level] for level in levels}
        if self.revised is not None:
            base = {level: self.base[level] for level in levels}
            based = combine_widths(self.now, base, matrix, self.revised)
            reached, members = (
                {level: np.hypot(width, revised[level]) for level, width in growth.items()}
                for growth, revised in ((reached, based), (members, base))
            )
        together = add_widths(self.population, {level: members[level] for level in reached}, matrix)
        return {level: np.minimum(width, together[level]) for level, width in reached.items()}

    def _reach_growth(self, matrix: NDArray[np.bool_], levels: Sequence[float]) -> dict[float, Array]:
        if self.past is None:
            return add_widths(self.population, {level: self.growth[level] for level in levels}, matrix)
        # Joint errors are known at the knots only. Between them widths are interpolated, as those of countries are;
        # beyond the last they grow as the errors of the countries do, whatever the level.
        knots, steps = self.past.horizons, np.arange(1, self.population.shape[1] + 1)
        far = steps > knots[-1]
        growing = _average(matrix, self.population, self.spread)
        beyond = divide(growing[:, far], growing[:, [knots[-1] - 1]])
        at_knots = {level: self.growth[level][..., knots - 1] for level in levels}
        reached = {}
        for level, joint in combine_widths(self.population[:, knots - 1], at_knots, matrix, self.past).items():
            widths = np.stack([interpolate(side, knots, steps) for side in joint])
            widths[..., far] *= beyond
            reached[level] = np.maximum.accumulate(widths, axis=-1)
        return reached


@dataclass(frozen=True, eq=False)
class Coherent(Frozen):
    """The forecast of all locations of a panel, and what forecasts groups of them.

    Attributes
    ----------
    panel : Panel
    fitted : Fitted
    prediction : Prediction, shape (n, horizon)
        Of every location of the panel.
    membership : Membership or None
        Which countries make up the aggregates; None for a plain model, which forecasts each series on its own.
    errors : JointErrors or None
        None for a plain model.
    """

    panel: Panel
    fitted: Fitted
    prediction: Prediction
    membership: Membership | None = None
    errors: JointErrors | None = None

    def add(self, groups: Groups, levels: Sequence[float]) -> Coherent:
        """Return the same with groups of one's own as further locations, at some of the levels; no number changes.

        Raises
        ------
        ModelError
            If the model is plain.
        PanelError, UnknownLocationError, RepeatedLocationError
            If a group is not valid.
        """
        if self.membership is None or self.errors is None:
            raise ModelError(f"{self.fitted.model.name} forecasts each series on its own: groups need another model")
        together, membership = add_groups(self.panel, self.membership, groups)
        added = membership.take(np.arange(len(self.membership.aggregates), len(membership.aggregates)))
        sums = _sum_prediction(together, self.prediction, added, self.errors, levels)
        stacked = (
            {level: np.vstack([bounds[level], more[level]]) for level in levels}
            for bounds, more in ((self.prediction.lower, sums.lower), (self.prediction.upper, sums.upper))
        )
        prediction = Prediction(np.vstack([self.prediction.population, sums.population]), *stacked)
        return Coherent(together, self.fitted, prediction, membership, self.errors)

    def measure_remainders(self, rows: NDArray[np.intp], past: NDArray[np.intp], steps: NDArray[np.intp]) -> Remainders:
        """Return the persons of each sum among some rows whom none of its countries holds, in some years.

        The UN's totals include places that its tables do not list, and rounding. A forecast keeps their share.

        Parameters
        ----------
        rows : ndarray of int
            Of the panel.
        past, steps : ndarray of int
            Columns of the panel and of the prediction: the years, in this order.
        """
        if self.membership is None:
            return {}
        sums = self.membership.take(np.flatnonzero(np.isin(self.membership.aggregate_rows, rows)))
        if not sums.aggregates:
            return {}
        listed = self._read(sums.country_rows, past, steps)
        listed = np.rint(listed) if is_whole(self.panel) else listed
        remainders = self._read(sums.aggregate_rows, past, steps) - sums.matrix.astype(np.float64) @ listed
        return dict(zip(sums.aggregates, remainders, strict=True))

    def _read(self, rows: NDArray[np.intp], past: NDArray[np.intp], steps: NDArray[np.intp]) -> Array:
        return np.hstack([self.panel.values[np.ix_(rows, past)], self.prediction.population[np.ix_(rows, steps)]])

    def describe(self, horizon: int, levels: Sequence[float]) -> tuple[Note, ...]:
        """Return what readers must know of a forecast that is shown so far ahead, at these levels."""
        notes, below_zero = list(self.fitted.notes(horizon)), self._note_below_zero(horizon)
        if self.membership is None or self.errors is None:
            return (*notes, *below_zero)
        if self.errors.past is None:
            notes += [Note(code, UNCALIBRATED) for code in self.fitted.codes]
        sums = set(self.membership.aggregates)
        notes = [note for note in notes if note.location_code not in sums]
        if len(self.membership.countries) > 1:
            notes += [Note(code, ALONE) for code in self.membership.alone]
        if horizon and self.errors.past is not None:
            beyond = [BEYOND.format(WIDEST, level) for level in levels if level > WIDEST]
            notes += [Note(code, text) for text in beyond for code in self.panel.codes]
        return (*notes, *below_zero)

    def _note_below_zero(self, horizon: int) -> list[Note]:
        below = self.prediction.population[:, :horizon] < 0
        codes = self.panel.codes.tolist()
        years = self.panel.origin + self.panel.step * np.arange(1, horizon + 1)
        return [Note(codes[i], BELOW_ZERO.format(years[below[i]][0])) for i in np.flatnonzero(below.any(axis=1))]


def predict_panel(panel: Panel, fitted: Fitted, horizon: int, levels: Sequence[float], real_time: bool) -> Coherent:
    """Forecast every location of a panel.

    A country's forecast is the model's. An aggregate whose countries the panel has is their sum, and its interval comes
    from their joint past errors (:mod:`popforecast.forecasting.reconciliation`). A plain autoregression forecasts each
    series on its own. No number depends on how far ahead others are asked for.

    Parameters
    ----------
    panel : Panel
    fitted : Fitted
        A model fitted to it.
    horizon : int
        Steps after the origin.
    levels : sequence of float
    real_time : bool
        Whether intervals hold what a later revision will publish, or figures that are final.
    """
    if not fitted.model.calibrated:
        return Coherent(panel, fitted, intervals.predict(fitted, horizon, levels))
    calibration = fitted.calibration
    longest = horizon if calibration is None else max(horizon, int(calibration.knots[-1]))
    growth = intervals.predict(fitted, longest, levels)
    risk = describe_risk(panel)[-1] if real_time else None
    membership = match_members(panel)
    with use_one_thread():
        errors = _join_errors(panel, growth, calibration, risk, membership)
        whole = growth if risk is None else widen(growth, learn_from_vintages(), risk)
        if membership.aggregates:
            sums = _sum_prediction(panel, whole, membership, errors, levels)
            whole = _place(whole, sums, membership.aggregate_rows)
    # What lies beyond the horizon was needed to interpolate to it, and will be for groups.
    return Coherent(panel, fitted, whole.take(steps=slice(horizon)), membership, errors)


def is_whole(panel: Panel) -> bool:
    """Return whether a panel's figures are whole persons."""
    return bool((panel.values == np.rint(panel.values)).all())


def match_members(panel: Panel) -> Membership:
    """Return which countries make up each aggregate, as the panel's edition has them; of one's own none are known."""
    edition = find_edition(panel)
    return build_membership(panel, load_members(edition.name) if edition else {})


def _join_errors(
    panel: Panel,
    growth: Prediction,
    calibration: intervals.Calibration | None,
    risk: Array | None,
    membership: Membership,
) -> JointErrors:
    """Return what is known of the countries' errors; `risk` is None where base figures are final."""
    rows, spacing = membership.country_rows, max(1, round(EVERY / panel.step))
    population = growth.population[rows]
    reaches = {
        level: np.stack([measure_reach(population, bounds[level][rows]) for bounds in (growth.lower, growth.upper)])
        for level in growth.lower
    }
    past, mean = None, np.zeros_like(population)
    if calibration is not None:
        mean = calibration.spread(population.shape[1])[rows]
        errors, then, now = (getattr(calibration, name)[rows] for name in ("errors", "scale_then", "scale"))
        past = PastErrors(errors, then, now, calibration.knots, spacing)
    if risk is None:
        return JointErrors(population, reaches, mean, past, panel.values[rows, -1:], {}, None)
    spread = learn_from_vintages()
    revisions, scales = list_past_revisions(membership.countries, spread)
    scale = np.exp(risk[rows] @ spread.slope)[:, None]
    revised = PastErrors(revisions[..., None], scales[..., None], scale, np.array([1]))
    base = {level: np.stack(spread.reach(risk[rows], level))[..., None] for level in growth.lower}
    return JointErrors(population, reaches, mean, past, panel.values[rows, -1:], base, revised)


def _average(matrix: NDArray[np.bool_], population: Array, values: Array) -> Array:
    """Return the mean of values (n, h) in each aggregate, by population, shape (a, h)."""
    weights = matrix.astype(np.float64)
    return divide(np.einsum("an,nh->ah", weights, population * values), np.einsum("an,nh->ah", weights, population))


def _sum_prediction(
    panel: Panel, countries: Prediction, membership: Membership, errors: JointErrors, levels: Sequence[float]
) -> Prediction:
    """Return the forecast of the membership's aggregates, shape (a, horizon), from one that holds their countries."""
    shares = measure_shares(panel, membership)
    points = sum_members(countries.population[membership.country_rows], membership, shares, whole=is_whole(panel))
    return surround_sums(points, errors.reach(membership.matrix, levels), countries, membership)


def _place(whole: Prediction, sums: Prediction, rows: NDArray[np.intp]) -> Prediction:
    """Return the prediction with other rows in place of some."""

    def put(given: Array, new: Array) -> Array:
        result = given.copy()
        result[rows] = new
        return result

    return Prediction(
        put(whole.population, sums.population),
        {level: put(bound, sums.lower[level]) for level, bound in whole.lower.items()},
        {level: put(bound, sums.upper[level]) for level, bound in whole.upper.items()},
    )
