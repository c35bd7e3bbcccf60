"""Forecasts from the data available at the time, scored against a later revision and compared with the UN's own."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from popforecast.errors import ModelError, YearError
from popforecast.evaluation.medium import add_medium, find_projections
from popforecast.evaluation.table import score, tabulate
from popforecast.forecasting import ANALYTIC, DEFAULT_LEVELS, FINAL, REAL_TIME, calibration
from popforecast.forecasting.revision_error import learn_as_published, widen, widen_crossfitted
from popforecast.forecasting.risk import describe_risk
from popforecast.models import choose, get_several
from popforecast.models.base import Array, LogPrediction, Model, Prediction
from popforecast.models.cohort import FEWEST, Cohort, knows_ages
from popforecast.models.combination import Combination
from popforecast.models.levels import check_levels
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen
from popforecast.text import write_cell
from popforecast.wpp.editions import DEFAULT_REVISION, load_panel
from popforecast.wpp.pairing import Pairing, pair, take_years

PUBLISHED = "published"
STATED = "stated"

# Intervals that could have been published at the time come first.
BOTH = (PUBLISHED, REAL_TIME)
KINDS = (*BOTH, FINAL)
UN = "UN medium"
RAW, REBASED = "raw", "rebased"
KEYS = ["source", "year", "horizon", "basis", "intervals"]


@dataclass(frozen=True, eq=False, repr=False)
class Vintages(Frozen, tables=("excluded", "base_errors", "errors")):
    """Forecasts from a vintage with their outcomes in a later revision.

    Attributes
    ----------
    vintage, truth : Panel
        The countries compared, in the vintage and in the later revision.
    excluded : DataFrame
        The countries left out, indexed by code: location and reason.
    base_errors : DataFrame
        Revisions of the base-year population, indexed by code, as returned by
        :meth:`popforecast.wpp.pairing.Pairing.measure_base`.
    errors : DataFrame
        One row for each source, basis, kind of intervals, location and year: source, basis, intervals, location_code,
        location, region, year, horizon (steps of the vintage), population (the forecast), outcome, ape, and bounds by
        level (NaN where the source gives none). Kinds of intervals are those of :func:`compare_vintages`, ``analytic``
        for plain models and ``stated`` for the UN's own. Rebased forecasts of calibrated models are ``final``.
    levels : tuple of float
    """

    vintage: Panel
    truth: Panel
    excluded: pd.DataFrame
    base_errors: pd.DataFrame
    errors: pd.DataFrame
    levels: tuple[float, ...]

    @property
    def origin(self) -> int:
        """The base year: the last year of the vintage."""
        return self.vintage.origin

    def scores(self, locations: Iterable[Hashable] | Hashable | None = None) -> pd.DataFrame:
        """Return the accuracy measures of each source by year, basis and kind of intervals.

        Parameters
        ----------
        locations : codes or names, optional
            The locations to score (default: all compared).

        Returns
        -------
        DataFrame
            source, year, horizon, n, basis (``raw``; or ``rebased``, after multiplying the forecast by the ratio of
            the revised to the original base-year population), intervals (what they allow for), mape, median_ape, wis,
            and coverage and width by level. All are in percent; interval measures are NaN if a source has no bounds.
        """
        errors = self.errors
        if locations is not None:
            errors = errors[errors["location_code"].isin(self.vintage.locations.index[self.vintage.rows(locations)])]
        table = score(errors, KEYS, self.levels).sort_values(["year", "basis"], kind="stable", ignore_index=True)
        first = ["source", "year", "horizon", "n", "basis", "intervals"]
        return table[first + [column for column in table.columns if column not in first]]

    def __repr__(self) -> str:
        names = ", ".join(self.errors["source"].unique())
        then, now = self.vintage.revision or "a panel", self.truth.revision or "a later panel"
        return f"<Vintages: {names}; {len(self.vintage)} countries, {then} at {self.origin} against {now}>"

    def _repr_html_(self) -> str:
        return write_cell(self.scores().round(2), repr(self), index=False)


def compare_vintages(
    vintage: str | Panel = "wpp2012",
    truth: str | Panel = DEFAULT_REVISION,
    models: Sequence[str | Model] | str | Model | None = None,
    levels: Sequence[float] = DEFAULT_LEVELS,
    projections: pd.DataFrame | None = None,
    alike: bool = True,
    intervals: Sequence[str] | str = BOTH,
) -> Vintages:
    """Return forecasts from a vintage and the UN's medium variant, both scored against a later revision.

    Models are fitted to all countries of the vintage, with its last year as origin; no later data are used. All steps
    with an outcome in the later revision are scored, for the same countries in every source: those projected by the
    UN and defined in the same way in both revisions.

    Parameters
    ----------
    vintage : str or Panel
        The data available at the time: a vintage, a revision, or any panel with countries.
    truth : str or Panel
        The later revision, for the outcomes.
    models : names or specifications, optional
        Default: the default model of :func:`popforecast.forecast` for the vintage.
    levels : sequence of float
        Levels of the intervals. The UN gives 80% and 95%, or none.
    projections : DataFrame, optional
        The UN's projections at the time, as returned by :func:`popforecast.load_projections` (default: those embedded
        for the vintage; if there are none, the UN is not scored).
    alike : bool
        Whether to leave out countries defined differently in the two revisions, such as Serbia with and without Kosovo.
    intervals : one or more of {"published", "real-time", "final"}
        What the intervals of a calibrated model allow for, in addition to errors of growth. ``published``: revisions of
        base-year population by the vintage's own edition, which were public at the time (nothing if no earlier edition
        is embedded). ``real-time``: later revisions of other countries' base-year population (five folds, so that no
        country's own revision is used), which could not be known in advance. ``final``: nothing. Rebased forecasts
        are always ``final``, because their base-year population is known.

    Raises
    ------
    YearError
        If the later revision lacks the last year of the vintage, or has no later year.
    ModelError
        If ``cohort`` is asked for and the vintage lacks the components that it needs.
    UnknownRevisionError, UnknownModelError, LevelError, PanelError
        If an argument is not valid.

    Examples
    --------
    >>> result = compare_vintages("wpp2012", models=["naive"])
    >>> result
    <Vintages: UN medium, naive; 198 countries, wpp2012 at 2010 against wpp2024>
    >>> result.scores()[["source", "year", "basis", "mape"]].round(1).values.tolist()[3:5]
    [['UN medium', 2015, 'rebased', 2.2], ['naive', 2015, 'rebased', 7.7]]
    >>> scores = compare_vintages("wpp2012").scores().query("year == 2020 and basis == 'raw'")
    >>> scores[["intervals", "coverage_95"]].round(1)
       intervals  coverage_95
    5     stated         38.4
    6  published         90.4
    7  real-time         93.9
    """
    then, now = _open(vintage), _open(truth)
    specifications, levels = get_several(choose(then) if models is None else models), check_levels(levels)
    if projections is None:
        projections = find_projections(then)
    pairing = pair(then, now, alike)
    kinds = _check_kinds(intervals)
    years = _list_years(pairing)
    pairing, medium = add_medium(pairing, projections, years, levels)
    known = then.countries()
    _check_ages(known, specifications)
    rows = known.locations.index.get_indexer(pairing.earlier.locations.index)
    forecasts = [] if medium is None else [(UN, basis, STATED, medium) for basis in (RAW, REBASED)]
    for model in specifications:
        fitted = calibration.fit(known, model)
        if not model.calibrated:
            plain = calibration.predict(fitted, len(years), levels).take(rows)
            forecasts += [(model.name, basis, ANALYTIC, plain) for basis in (RAW, REBASED)]
            continue
        growth = calibration.predict_logs(fitted, len(years), levels).take(rows)
        widened = [(RAW, kind, _widen(growth, pairing, known, rows, kind)) for kind in kinds]
        # Once the base-year population is known, only growth is uncertain.
        widened.append((REBASED, FINAL, growth))
        forecasts += [(model.name, basis, kind, logs.exponentiate()) for basis, kind, logs in widened]
    base_errors = pairing.measure_base()
    outcome = take_years(pairing.later, years)
    factors = {RAW: 1.0, REBASED: np.exp(base_errors["log_revision"].to_numpy())[:, None]}
    if not forecasts:
        raise ModelError(f"nothing to compare: {then!r} has no projections, so expected at least one model")
    at: dict[str, ArrayLike] = {"year": years, "horizon": np.arange(1, len(years) + 1)}
    tables = []
    for name, basis, kind, prediction in forecasts:
        of = {"source": name, "basis": basis, "intervals": kind}
        tables.append(tabulate(pairing.earlier, outcome, _scale(prediction, factors[basis]), levels, of, at))
    errors = pd.concat(tables, ignore_index=True)
    return Vintages(pairing.earlier, pairing.later, pairing.excluded, base_errors, errors, levels)


def _check_kinds(intervals: Sequence[str] | str) -> tuple[str, ...]:
    kinds = (intervals,) if isinstance(intervals, str) else tuple(intervals)
    if not kinds or len(set(kinds)) < len(kinds) or not set(kinds) <= set(KINDS):
        raise ModelError(f"intervals {intervals!r}: expected one or more of {', '.join(KINDS)}, each once")
    return kinds


def _check_ages(known: Panel, specifications: Sequence[Model]) -> None:
    """Check that no score of panel-ar, which stands in where components lack, is taken for that of a model by age."""
    by_age = [model.name for model in specifications if isinstance(model, Cohort | Combination)]
    if by_age and not knows_ages(known):
        lacks = "it has none" if known.components is None else f"they do not reach its {known.origin} for so many"
        raise ModelError(
            f"{by_age[0]} cannot be scored on {known!r}: expected ages, births and deaths of {FEWEST} countries "
            f"or more from {known.years[0]} on (panel.with_components), but {lacks}"
        )


def _open(edition: str | Panel) -> Panel:
    return edition if isinstance(edition, Panel) else load_panel(edition)


def _list_years(pairing: Pairing) -> list[int]:
    origin, step, known = pairing.earlier.origin, pairing.earlier.step, pairing.later.years
    years = [year for year in known[known > origin].tolist() if (year - origin) % step == 0]
    if not years or origin not in known:
        raise YearError(
            f"{pairing.later!r} has no outcome for {pairing.earlier!r}: expected a revision with the years {origin} "
            f"and {origin + step}"
        )
    # If the later revision lacks some years of the vintage's grid, only the years before the first gap are scored.
    grid = range(origin + step, years[-1] + 1, step)
    return [year for year, due in zip(years, grid, strict=False) if year == due]


def _widen(prediction: LogPrediction, pairing: Pairing, known: Panel, rows: np.ndarray, kind: str) -> LogPrediction:
    """Widen calibrated intervals for revisions of the base year, from earlier editions or from other countries."""
    spread = learn_as_published(known) if kind == PUBLISHED else None
    if kind == FINAL or (kind == PUBLISHED and spread is None):
        return prediction
    risk = describe_risk(known)[-1][rows]
    if spread is not None:
        return widen(prediction, spread, risk)
    return widen_crossfitted(prediction, risk, pairing.measure_base()["log_revision"].to_numpy())


def _scale(prediction: Prediction, factor: float | Array) -> Prediction:
    lower, upper = (
        {level: side * factor for level, side in sides.items()} for sides in (prediction.lower, prediction.upper)
    )
    return Prediction(prediction.population * factor, lower, upper)
