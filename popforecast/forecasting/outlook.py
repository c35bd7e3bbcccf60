"""Outlook: the forecast of a whole panel to the last possible year, from which any forecast is taken.

The model forecasts countries; aggregates and groups are sums of their countries.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import LevelError, ModelError
from popforecast.forecasting import calibration
from popforecast.forecasting.cautions import note_structure
from popforecast.forecasting.joint_errors import JointErrors, join_errors, predict_sums
from popforecast.forecasting.reconciliation import is_whole
from popforecast.forecasting.result import Forecast
from popforecast.forecasting.revision_error import learn_from_vintages, widen
from popforecast.forecasting.risk import WIDEST, describe_risk
from popforecast.forecasting.structure import describe_structure
from popforecast.models.base import Array, Fitted, LogPrediction, Model, Note, Prediction
from popforecast.models.levels import check_levels
from popforecast.models.numeric import use_one_thread
from popforecast.panel import Panel, describe_years
from popforecast.panel.frozen import Frozen
from popforecast.panel.groups import Membership, add_groups, build_membership, check_groups
from popforecast.panel.years import choose_years
from popforecast.version import __version__
from popforecast.wpp.editions import find_edition, load_members
from popforecast.wpp.outdated import note_outdated

Groups = Mapping[str, Iterable[Hashable]]
Locations = Iterable[Hashable] | Hashable | None
Remainders = dict[Hashable, Array]

# Kinds of intervals: for figures as later revised, for final figures, or from the formulas of a plain model.
REAL_TIME, FINAL, ANALYTIC, NONE = "real-time", "final", "analytic", "none"

UNCALIBRATED = "too few past origins to calibrate the interval: it is analytic (random error only)"
BELOW_ZERO = "falls below zero from {}: the model has no lower limit, so do not use it that far ahead"
ALONE = "forecast on its own, because not all its countries are in the data"
BEYOND = "too few past errors beyond {:g}%: the {:g}% interval assumes normal tails"


@dataclass(frozen=True, eq=False, repr=False)
class Outlook(Frozen):
    """The forecast of all locations of a panel to the last possible year.

    Returned by :func:`popforecast.forecast_all`. It is immutable, so threads can share it. Forecasts taken from it have
    the numbers of :func:`popforecast.forecast`, and only user-defined groups need any computation.

    Attributes
    ----------
    panel : Panel
        The history.
    fitted : Fitted
    prediction : Prediction, shape (n, horizon)
        Prediction of all locations of the panel.
    intervals : str
        Kind of intervals: ``real-time``, ``final``, or ``analytic`` for a plain model.
    membership : Membership or None
        The countries of each aggregate; None for a plain model, which forecasts each series separately.
    errors : JointErrors or None
        Joint errors of the countries; None for a plain model.
    """

    panel: Panel
    fitted: Fitted
    prediction: Prediction
    intervals: str
    membership: Membership | None = None
    errors: JointErrors | None = None

    @property
    def model(self) -> Model:
        """The specification that made the forecast."""
        return self.fitted.model

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels of the intervals."""
        return tuple(self.prediction.lower)

    def forecast(
        self,
        locations: Locations = None,
        start: int | None = None,
        end: int | None = None,
        levels: Sequence[float] | None = None,
        groups: Groups | None = None,
    ) -> Forecast:
        """Return the forecast of some locations, years and levels.

        Parameters
        ----------
        locations, start, end, groups
            As for :func:`popforecast.forecast`.
        levels : sequence of float, optional
            Levels of the outlook (default: all).

        Raises
        ------
        UnknownLocationError, RepeatedLocationError, YearError, LevelError, ModelError, PanelError
            If an argument is invalid; the error names it and the valid values.
        """
        years = choose_years(self.panel, start, end)
        levels = self.levels if levels is None else self._check_levels(levels)
        locations, groups = list_locations(locations), check_groups(groups)
        whole = self.add(groups, levels) if groups else self
        rows = _choose_rows(whole.panel, locations, groups)
        history = whole.panel if locations is None else whole.panel.take(rows)
        horizon = max((int(years[-1]) - self.panel.origin) // self.panel.step, 0)
        path = whole.prediction.take(rows, slice(horizon), levels)
        steps = (years[years > self.panel.origin] - self.panel.origin) // self.panel.step - 1
        known = history.values[:, np.isin(self.panel.years, years)]
        unknown = np.full(known.shape, np.nan)

        def join(before: Array, after: Array) -> Array:
            return np.hstack([before, after[:, steps]])

        codes = set(history.codes)
        replaced = (Note(code, text) for code, text in note_outdated(whole.panel, whole.membership))
        notes = (*replaced, *whole.list_notes(horizon, levels), *note_structure(self.panel, self.model, horizon))
        remainders = whole.measure_remainders(rows, np.flatnonzero(np.isin(self.panel.years, years)), steps)
        return Forecast(
            history,
            years,
            join(known, path.population),
            {level: join(unknown, bound) for level, bound in path.lower.items()},
            {level: join(unknown, bound) for level, bound in path.upper.items()},
            path,
            self.model,
            tuple(note for note in notes if note.location_code in codes),
            {
                "revision": self.panel.revision,
                "source": self.panel.title,
                "checksum": self.panel.checksum,
                "origin": self.panel.origin,
                "model": self.model.name,
                "parameters": self.model.parameters,
                "version": __version__,
                "intervals": self.intervals,
            },
            remainders,
            structure=describe_structure(self.panel, self.model, whole.membership, history),
        )

    def add(self, groups: Groups, levels: Sequence[float]) -> Outlook:
        """Return the outlook with user-defined groups as further locations, at some levels; no other number changes.

        Raises
        ------
        ModelError
            If the model is plain.
        PanelError, UnknownLocationError, RepeatedLocationError
            If a group is invalid.
        """
        if self.membership is None or self.errors is None:
            raise ModelError(f"{self.model.name} forecasts each series on its own: groups need another model")
        together, membership = add_groups(self.panel, self.membership, groups)
        added = membership.take(np.arange(len(self.membership.aggregates), len(membership.aggregates)))
        ours, sums = self.prediction, predict_sums(together, self.prediction.population, added, self.errors, levels)
        more = sums.exponentiate()
        stacked = Prediction(
            np.vstack([ours.population, more.population]),
            {level: np.vstack([ours.lower[level], more.lower[level]]) for level in levels},
            {level: np.vstack([ours.upper[level], more.upper[level]]) for level in levels},
        )
        return replace(self, panel=together, prediction=stacked, membership=membership)

    def measure_remainders(self, rows: NDArray[np.intp], past: NDArray[np.intp], steps: NDArray[np.intp]) -> Remainders:
        """Return the population of each aggregate that is outside its listed countries, for some rows and years.

        UN totals include places that the tables do not list, and rounding. Forecasts keep this share constant.

        Parameters
        ----------
        rows : ndarray of int
            Rows of the panel.
        past, steps : ndarray of int
            The years, as columns of the panel and then of the prediction.
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

    def list_notes(self, horizon: int, levels: Sequence[float]) -> tuple[Note, ...]:
        """Return cautions about forecasts to this horizon, at these levels."""
        notes, below_zero = list(self.fitted.notes(horizon)), self._note_below_zero(horizon)
        if self.membership is None or self.errors is None:
            return (*notes, *below_zero)
        if levels and self.errors.past is None:
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

    def _check_levels(self, levels: Sequence[float]) -> tuple[float, ...]:
        chosen = check_levels(levels)
        for level in chosen:
            if level not in self.levels:
                held = ", ".join(f"{held:g}" for held in self.levels) or "none"
                raise LevelError(f"level {level!r} is not in this outlook: expected one of {held}")
        return chosen

    def __repr__(self) -> str:
        horizon = self.prediction.population.shape[1]
        years = self.panel.origin + self.panel.step * np.arange(1, horizon + 1)
        ahead = describe_years(years) if horizon else "no year"
        return f"<Outlook: {self.panel!r}, {ahead}, {self.model.name}, {self.intervals} intervals>"


def predict_panel(panel: Panel, fitted: Fitted, horizon: int, levels: Sequence[float], intervals: str) -> Outlook:
    """Return the outlook of a panel.

    The model forecasts countries. An aggregate whose countries are in the panel is their sum, with an interval from
    their joint past errors (:mod:`popforecast.forecasting.reconciliation`). A plain autoregression forecasts each
    series separately. Numbers do not depend on the horizon.

    Parameters
    ----------
    panel : Panel
    fitted : Fitted
        A model fitted to the panel.
    horizon : int
        Steps after the origin.
    levels : sequence of float
    intervals : {"real-time", "final", "analytic"}
        Kind of intervals.
    """
    if not fitted.model.calibrated:
        return Outlook(panel, fitted, calibration.predict(fitted, horizon, levels), intervals)
    learnt = fitted.calibration
    longest = horizon if learnt is None else max(horizon, int(learnt.knots[-1]))
    growth = calibration.predict_logs(fitted, longest, levels)
    risk = describe_risk(panel)[-1] if intervals == REAL_TIME else None
    membership = match_members(panel)
    with use_one_thread():
        errors = join_errors(panel, growth, learnt, risk, membership)
        whole = growth if risk is None else widen(growth, learn_from_vintages(), risk)
        if membership.aggregates:
            sums = predict_sums(panel, whole.population, membership, errors, levels)
            whole = _place(whole, sums, membership.aggregate_rows)
    # Steps beyond the horizon only serve interpolation; the errors keep them for groups.
    prediction = whole.take(steps=slice(horizon)).exponentiate()
    return Outlook(panel, fitted, prediction, intervals, membership, errors)


def match_members(panel: Panel) -> Membership:
    """Return the countries of each aggregate in the panel's edition; other panels have no known members."""
    edition = find_edition(panel)
    return build_membership(panel, load_members(edition.name) if edition else {})


def list_locations(locations: Locations) -> Locations:
    """Return an iterable of locations as a list, because an iterator could be read only once."""
    return list(locations) if isinstance(locations, Iterable) and not isinstance(locations, str) else locations


def _choose_rows(panel: Panel, locations: Locations, groups: Groups | None) -> NDArray[np.intp]:
    rows = panel.rows(locations)
    if locations is None or not groups:
        return rows
    added = panel.locations.index.get_indexer(pd.Index(list(groups), tupleize_cols=False))
    return np.concatenate([rows, added[~np.isin(added, rows)]])


def _place(whole: LogPrediction, sums: LogPrediction, rows: NDArray[np.intp]) -> LogPrediction:
    """Return the prediction with some rows replaced."""

    def put(given: Array, new: Array) -> Array:
        result = given.copy()
        result[..., rows, :] = new
        return result

    widths = {level: put(width, sums.widths[level]) for level, width in whole.widths.items()}
    return LogPrediction(put(whole.population, sums.population), widths)
