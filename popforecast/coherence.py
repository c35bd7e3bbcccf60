"""One coherent forecast of a whole panel: countries by the model, aggregates and groups as sums of their countries."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast import intervals
from popforecast.errors import ModelError
from popforecast.groups import Membership, add_groups, build_membership
from popforecast.intervals import EVERY, describe_risk
from popforecast.models.base import Array, Fitted, Note, Prediction
from popforecast.models.panel_ar import interpolate
from popforecast.panel import Panel
from popforecast.realtime import learn_from_vintages, list_past_revisions, measure_reach, widen
from popforecast.reconcile import PastErrors, combine_widths, measure_shares, sum_members
from popforecast.sources import REVISIONS, VINTAGES, load_members

Groups = Mapping[str, Iterable[Hashable]]


class Coherent(NamedTuple):
    """A panel with the groups added, the forecast of all its locations, and what readers must know."""

    panel: Panel
    prediction: Prediction
    notes: tuple[Note, ...]


def predict_panel(
    panel: Panel, fitted: Fitted, horizon: int, levels: Sequence[float], real_time: bool, groups: Groups | None = None
) -> Coherent:
    """Forecast every location of a panel, and groups of one's own.

    A country's forecast is the model's. An aggregate whose countries the panel has, and a group, is their sum, and its
    interval comes from their joint past errors (:mod:`popforecast.reconcile`). A plain autoregression forecasts each
    series on its own.

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
    groups : mapping of str to locations, optional

    Raises
    ------
    ModelError
        If groups are asked of a plain model.
    PanelError, UnknownLocationError, RepeatedLocationError
        If a group is not valid.
    """
    calibration = intervals.from_arrays(fitted.arrays)
    notes = list(fitted.notes(horizon))
    if not fitted.model.calibrated:
        if groups:
            raise ModelError(f"{fitted.model.name} forecasts each series on its own: groups need another model")
        return Coherent(panel, fitted.predict(horizon, levels), tuple(notes))
    if calibration is None:
        notes += [Note(code, "too few past origins to calibrate on: the interval is analytic") for code in fitted.codes]
    longest = horizon if calibration is None else max(horizon, int(calibration.knots[-1]))
    growth = intervals.predict(fitted, longest, levels)
    risk = describe_risk(panel)[-1] if real_time else None
    whole = widen(growth, learn_from_vintages(), risk) if real_time else growth
    membership = build_membership(panel, _find_members(panel))
    together, membership = add_groups(panel, membership, groups or {})
    if membership.aggregates:
        reaches = _reach_sums(growth, calibration, membership, max(1, round(EVERY / panel.step)))
        if real_time:
            based = _reach_bases(panel, risk, levels, membership)
            reaches = {key: np.sqrt(width**2 + based[key] ** 2) for key, width in reaches.items()}
        whole = _add_sums(together, whole, membership, reaches)
        sums = set(membership.aggregates)
        notes = [note for note in notes if note.location_code not in sums]
    if len(membership.countries) > 1:
        notes += [Note(code, "its countries are not all here: forecast on its own") for code in membership.alone]
    return Coherent(together, whole.take(steps=slice(horizon)), tuple(notes))


def _find_members(panel: Panel) -> Mapping[Hashable, Iterable[Hashable]]:
    return load_members(panel.revision) if panel.revision in REVISIONS or panel.revision in VINTAGES else {}


def _measure_reaches(prediction: Prediction, rows: NDArray[np.intp]) -> dict[tuple[str, float], Array]:
    """Return how far, in logs, the bounds lie from the forecast, by side and level."""
    middle = prediction.population[rows]
    lower = {("lower", level): measure_reach(middle, bound[rows]) for level, bound in prediction.lower.items()}
    upper = {("upper", level): measure_reach(middle, bound[rows]) for level, bound in prediction.upper.items()}
    return lower | upper


def _reach_sums(
    growth: Prediction, calibration: intervals.Calibration | None, membership: Membership, spacing: float
) -> dict[tuple[str, float], Array]:
    """Return the reaches of every aggregate, shape (a, horizon): the joint errors are known at the knots only."""
    rows = membership.country_rows
    population = growth.population[rows]
    weights = membership.matrix[:, None] * population.T[None]
    weights /= weights.sum(axis=2, keepdims=True)
    reaches = _measure_reaches(growth, rows)
    adding = {key: np.einsum("ahn,nh->ah", weights, width) for key, width in reaches.items()}
    if calibration is None:
        return adding
    at, steps = calibration.knots - 1, np.arange(1, population.shape[1] + 1)
    past = PastErrors(
        calibration.errors[rows],
        calibration.scale_then[rows],
        calibration.scale[rows],
        calibration.knots,
        spacing,
    )
    combined = {}
    for side in ("lower", "upper"):
        widths = {key[1]: width[:, at] for key, width in reaches.items() if key[0] == side}
        for level, joint in combine_widths(population[:, at], widths, membership.matrix, past).items():
            whole = adding[side, level]
            left = joint / np.maximum(whole[:, at], 1e-12)
            combined[side, level] = np.maximum.accumulate(interpolate(left, calibration.knots, steps) * whole, axis=1)
    return combined


def _reach_bases(
    panel: Panel, risk: Array, levels: Sequence[float], membership: Membership
) -> dict[tuple[str, float], Array]:
    """Return how far the base figure of every aggregate may be revised, shape (a, 1)."""
    spread, rows = learn_from_vintages(), membership.country_rows
    revisions, scales = list_past_revisions(membership.countries, spread)
    past = PastErrors(
        revisions[..., None], scales[..., None], np.exp(risk[rows] @ spread.slope)[:, None], np.array([1])
    )
    widths = {level: spread.reach(risk[rows], level) for level in levels}
    combined = {}
    for i, side in enumerate(("lower", "upper")):
        given = {level: both[i][:, None] for level, both in widths.items()}
        joint = combine_widths(panel.values[rows, -1:], given, membership.matrix, past)
        combined |= {(side, level): width for level, width in joint.items()}
    return combined


def _add_sums(
    together: Panel, countries: Prediction, membership: Membership, reaches: Mapping[tuple[str, float], Array]
) -> Prediction:
    """Return the forecast of all locations: that of the countries, with the aggregates as their sums."""
    rows = membership.country_rows
    persons = bool((together.values == np.rint(together.values)).all())
    points = sum_members(countries.population[rows], membership, measure_shares(together, membership), whole=persons)
    single = membership.matrix.sum(axis=1) == 1
    only = rows[membership.matrix[single].argmax(axis=1)]

    def place(given: Array, sums: Array) -> Array:
        result = np.zeros((len(together), given.shape[1]))
        result[: len(given)] = given
        result[membership.aggregate_rows] = sums
        return result

    bounds: dict[str, dict[float, Array]] = {"lower": {}, "upper": {}}
    for (side, level), reach in reaches.items():
        given = (countries.lower if side == "lower" else countries.upper)[level]
        sums = points * np.exp(-reach if side == "lower" else reach)
        sums[single] = given[only] * (points[single] / countries.population[only])
        bounds[side][level] = place(given, sums)
    return Prediction(place(countries.population, points), bounds["lower"], bounds["upper"])
