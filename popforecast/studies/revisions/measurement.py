"""Changes between two revisions by country: estimates, forecasts and errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

import popforecast.models as models
from popforecast.errors import UnknownRevisionError, YearError
from popforecast.evaluation.backtesting import backtest
from popforecast.evaluation.record import UNRECORDED
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL, fit, forecast_all
from popforecast.forecasting.calibration import predict_logs
from popforecast.forecasting.outlook import Outlook
from popforecast.forecasting.revision_error import RevisionSpread, learn_as_published, learn_from_vintages, widen
from popforecast.forecasting.risk import describe_risk
from popforecast.models.base import Fitted, LogPrediction, Model, Prediction
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen
from popforecast.panel.years import last_year
from popforecast.wpp.editions import REVISIONS, get_revision, load_panel
from popforecast.wpp.pairing import Pairing, pair, take_years

LEVELS: tuple[float, ...] = DEFAULT_LEVELS
HORIZONS = (1, 5, 10, 20)
FIRST_ORIGIN, EVERY = 1988, 5

MOST = 10

# Smaller countries, by base-year population in either edition, are not listed among the largest changes: rounding to
# thousands causes large percentage changes. The notebook 1-prepare omits them too.
SMALL = 100_000

# Kinds of intervals, by the revisions they allow for: those published at the time, those known since, or none.
THEN, SINCE, PLAIN = "published", "real-time", "analytic"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Frozen, tables=("changes", "held", "errors")):
    """Changes between two revisions.

    Attributes
    ----------
    pairing : Pairing
        Countries that both revisions define alike, and reasons for omitting others.
    model : str
    year : int
        Year for which forecasts are compared.
    changes : DataFrame
        Indexed by code, one row per country: location, region; base_then, base_now (persons in the last year of the
        earlier revision), past (their change, percent); forecast_then, forecast_now (our
        forecasts from each revision for `year`), forecast (the change in percent), growth (the part of the change, in
        percent, not due to the base-year population); largest (the largest change in any common year, percent),
        largest_year.
    held : DataFrame
        Indexed by code, year and intervals, from the last year of the earlier revision to that of the later: now
        (persons), and for each level whether the earlier revision's interval contained it. Intervals are ``published``
        (allow for changes to past editions known at the time), ``real-time`` (allow for changes known today, as in all
        interfaces) or, for plain models, ``analytic`` (which start a year later).
    errors : DataFrame
        One row per country, revision, origin and horizon: code, revision, origin, horizon, ape (percent).
    """

    pairing: Pairing
    model: str
    year: int
    changes: pd.DataFrame
    held: pd.DataFrame
    errors: pd.DataFrame

    @property
    def base(self) -> int:
        """The last year of the earlier revision."""
        return self.pairing.earlier.origin

    def __repr__(self) -> str:
        old, new = self.pairing.earlier.revision, self.pairing.later.revision
        return f"<Comparison: {old} and {new}, {len(self.changes)} countries, {self.model} for {self.year}>"


def compare_revisions(old: str, new: str, model: str = DEFAULT_MODEL, year: int = 2050) -> Comparison:
    """Return the changes between two revisions, for countries that both define alike.

    Parameters
    ----------
    old, new : str
        Names of the earlier and the later revision.
    model : str
        Name of the model used for both forecasts.
    year : int
        Year for which forecasts are compared; after the last year of both revisions.

    Raises
    ------
    UnknownRevisionError, UnknownModelError, YearError
        If a revision or model is unknown, the revisions are not in order, or the year is not after both.

    Examples
    --------
    >>> compare_revisions("wpp2019", "wpp2024")
    <Comparison: wpp2019 and wpp2024, 232 countries, cohort for 2050>
    """
    if get_revision(old).edition >= get_revision(new).edition:
        raise UnknownRevisionError(
            f"old {old!r} and new {new!r}: expected an earlier revision and a later one of {', '.join(REVISIONS)}"
        )
    specification = models.get(model)
    before, after = load_panel(old), load_panel(new)
    last = min(last_year(before), last_year(after))
    if not isinstance(year, int) or not after.origin < year <= last:
        raise YearError(f"year {year!r}: expected one from {after.origin + 1} to {last}, which both revisions forecast")
    pairing = pair(before, after)
    fits = [fit(panel, specification) for panel in (before, after)]
    tested = [panel for panel in (before, after) if (panel.revision, specification.name) not in UNRECORDED]
    outlooks = [forecast_all(*pair, LEVELS) for pair in zip((before, after), fits, strict=True)]
    return Comparison(
        pairing,
        specification.name,
        year,
        _measure_changes(pairing, outlooks, year),
        _measure_held(pairing, before, fits[0], outlooks[0]),
        pd.concat([_measure_errors(panel, specification, pairing) for panel in tested], ignore_index=True),
    )


def find_moved(comparison: Comparison, most: int = MOST) -> pd.DataFrame:
    """Return the countries with the largest changes of the forecast, up or down, largest first.

    Countries with fewer than 100,000 people in the base year, by either edition, are omitted.
    """
    changes = comparison.changes
    changes = changes[~is_small(comparison)]
    moved = pd.Series(np.log(changes["forecast_now"] / changes["forecast_then"]), changes.index)
    order = moved.abs().sort_values(ascending=False, kind="stable")
    return changes.loc[order.index[:most]]


def is_small(comparison: Comparison) -> pd.Series:
    """Return whether each country had fewer than 100,000 people in the base year, by either edition."""
    return comparison.changes[["base_then", "base_now"]].min(axis=1) < SMALL


def _measure_changes(pairing: Pairing, outlooks: Sequence[Outlook], year: int) -> pd.DataFrame:
    codes, base = pairing.earlier.locations.index, pairing.measure_base()
    then, now = (outlook.forecast(codes, year, year).population[:, 0] for outlook in outlooks)
    years = [year for year in pairing.earlier.years.tolist() if year in pairing.later.years]
    change = 100 * (take_years(pairing.later, years) / take_years(pairing.earlier, years) - 1)
    at = np.abs(change).argmax(axis=1)
    factor = base["now"] / base["then"]
    return pd.DataFrame(
        {
            "location": pairing.later.locations["name"],
            "region": pairing.later.locations["region"],
            "base_then": base["then"],
            "base_now": base["now"],
            "past": 100 * (factor - 1),
            "largest": change[np.arange(len(codes)), at],
            "largest_year": np.array(years)[at],
            "forecast_then": then,
            "forecast_now": now,
            "forecast": 100 * (now / then - 1),
            "growth": 100 * (now / then / factor - 1),
        }
    )


def _measure_held(pairing: Pairing, panel: Panel, fitted: Fitted, outlook: Outlook) -> pd.DataFrame:
    """Return whether the earlier revision's intervals contain the later estimates, from the base year on."""
    years = [year for year in pairing.later.years.tolist() if year > panel.origin]
    codes = pairing.earlier.locations.index
    if not fitted.model.calibrated:
        return _hold(pairing, years, PLAIN, _take(outlook, codes, years))
    rows, steps = panel.locations.index.get_indexer(codes), (np.array(years) - panel.origin) // panel.step
    growth = predict_logs(fitted, int(steps[-1]), LEVELS).take(rows, steps - 1)
    risk, last = describe_risk(panel)[-1][rows], panel.values[rows, -1:]
    base = LogPrediction(last, dict.fromkeys(LEVELS, np.zeros((2, *last.shape))))
    spread = learn_as_published(panel)
    kinds = {
        THEN: (_widen(base, spread, risk), _widen(growth, spread, risk)),
        SINCE: (widen(base, learn_from_vintages(), risk).exponentiate(), _take(outlook, codes, years)),
    }
    tables = [_hold(pairing, [panel.origin, *years], kind, _join(*parts)) for kind, parts in kinds.items()]
    return pd.concat(tables)


def _take(outlook: Outlook, codes: pd.Index, years: Sequence[int]) -> Prediction:
    stated = outlook.forecast(codes, years[0], years[-1])
    return Prediction(stated.population, stated.lower, stated.upper)


def _widen(logs: LogPrediction, spread: RevisionSpread | None, risk: np.ndarray) -> Prediction:
    return (logs if spread is None else widen(logs, spread, risk)).exponentiate()


def _join(base: Prediction, ahead: Prediction) -> Prediction:
    """Return predictions of the base year and of later years joined."""
    lower, upper = (
        {level: np.hstack([first[level], rest[level]]) for level in LEVELS}
        for first, rest in ((base.lower, ahead.lower), (base.upper, ahead.upper))
    )
    return Prediction(np.hstack([base.population, ahead.population]), lower, upper)


def _hold(pairing: Pairing, years: Sequence[int], kind: str, stated: Prediction) -> pd.DataFrame:
    now = take_years(pairing.later, years)
    held = {f"held_{level}": ((stated.lower[level] <= now) & (now <= stated.upper[level])).ravel() for level in LEVELS}
    index = pd.MultiIndex.from_product(
        [pairing.earlier.locations.index, years, [kind]], names=["code", "year", "intervals"]
    )
    return pd.DataFrame({"now": now.ravel()} | held, index)


def _measure_errors(panel: Panel, model: Model, pairing: Pairing) -> pd.DataFrame:
    """Return the backtest errors on one revision, up to the last common year, for the countries compared."""
    origins = [year for year in range(FIRST_ORIGIN, pairing.earlier.origin, EVERY) if year in panel.years]
    errors = backtest(panel.until(pairing.earlier.origin), model, origins, HORIZONS, ()).errors
    compared = errors.set_index("location_code").loc[pairing.earlier.locations.index].rename_axis("code").reset_index()
    return compared.assign(revision=str(panel.revision))[["code", "revision", "origin", "horizon", "ape"]]
