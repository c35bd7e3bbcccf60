"""Rolling-origin backtests: the accuracy a model would have had in the past."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

import popforecast.models as models
from popforecast.errors import ModelError, YearError
from popforecast.evaluation.table import score, tabulate
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.forecasting.calibration import calibrate
from popforecast.forecasting.origins import choose_knots, choose_past
from popforecast.forecasting.outlook import predict_panel
from popforecast.forecasting.rolling import (
    Rolling,
    check_horizons,
    check_origins,
    collect_outcomes,
    estimate,
    measure_scale,
    roll,
)
from popforecast.models.base import Fitted, Model, Prediction
from popforecast.models.levels import check_levels
from popforecast.panel import Panel, check_panel
from popforecast.panel.frozen import Frozen
from popforecast.panel.rectangles import UnevenPanel
from popforecast.text import write_cell

HORIZONS = (1, 3, 5, 10, 20)

# Minimum number of figures before an origin, where locations begin in different years.
EARLIEST = 10

# Errors measured within one revision, as opposed to those on data available at the time.
FINAL = "final"


@dataclass(frozen=True, eq=False, repr=False)
class Backtest(Frozen, tables=("errors",)):
    """Forecasts of a backtest with their outcomes.

    Attributes
    ----------
    panel : Panel or UnevenPanel
        The data used both as history and as outcomes ("final data").
    errors : DataFrame
        One row for each model, location, origin and horizon with a known outcome: model, location_code, location,
        region, origin, horizon, year, population (the forecast), outcome, ape, scale, and bounds by level.
    levels : tuple of float
    """

    panel: Panel | UnevenPanel
    errors: pd.DataFrame
    levels: tuple[float, ...]

    def scores(
        self, locations: Iterable[Hashable] | Hashable | None = None, by: Sequence[str] | str = ()
    ) -> pd.DataFrame:
        """Return the accuracy measures of each model by horizon and, if requested, by other columns.

        Parameters
        ----------
        locations : codes or names, optional
            The locations to score (default: all).
        by : "origin", "region", "location_code", "location", or several
            Further columns to group by.

        Returns
        -------
        DataFrame
            model, horizon, the columns of `by`, n, mape, median_ape, mase, wis, and for each level coverage and
            width. All are in percent except n and mase.
        """
        by = list(by) if isinstance(by, Iterable) and not isinstance(by, str) else [by]
        possible = ["origin", "region", "location_code", "location"]
        for column in by:
            if column not in possible or by.count(column) > 1:
                raise ModelError(f"cannot score by {column!r}: expected any of {', '.join(possible)}, each once")
        errors = self.errors
        if locations is not None:
            codes = self.panel.locations.index[self.panel.rows(locations)]
            errors = errors[errors["location_code"].isin(codes)]
        keys = ["model", "horizon", *by]
        return score(errors, keys, self.levels).sort_values(["horizon", *by], kind="stable", ignore_index=True)

    def __repr__(self) -> str:
        names = ", ".join(self.errors["model"].unique())
        return (
            f"<Backtest: {names}; {len(self.panel)} locations, {self.errors['origin'].nunique()} origins, {FINAL} data>"
        )

    def _repr_html_(self) -> str:
        return write_cell(self.scores().round(2), repr(self), index=False)


def backtest(
    panel: Panel | UnevenPanel,
    models: Sequence[str | Model] | str | Model | None = None,
    origins: Iterable[int] | None = None,
    horizons: Sequence[int] = HORIZONS,
    levels: Sequence[float] = DEFAULT_LEVELS,
    intervals: str = FINAL,
) -> Backtest:
    """Run models at past origins of one panel, and return their forecasts with the outcomes.

    All models are given the same data and forecast the same locations, origins and horizons, so their scores are
    comparable. Forecasts are those :func:`popforecast.forecast` would have made at the origin: an aggregate is the
    sum of its countries if the panel has them, with an interval from their joint errors known by then. Plain models
    (``ar1``, ``AR(...)``) forecast each series separately. The history is the panel as revised today, which makes
    every model look better than in real time.

    Parameters
    ----------
    panel : Panel or UnevenPanel
        In an UnevenPanel, each location is forecast from the origins within its own years, after its first ten
        figures or the first half of them.
    models : names or specifications, optional
        Default: the default model of :func:`popforecast.forecast` for the panel.
    origins : iterable of int, optional
        Years of the panel (default: every fifth from 1988, or from its middle if it starts later).
    horizons : sequence of int
        Steps after the origin.
    levels : sequence of float
        Levels of the intervals.
    intervals : "final"
        Intervals allow for forecast errors only, because a single revision does not show how its figures will be
        revised. To score forecasts against a later revision, use :func:`popforecast.compare_vintages`.

    Raises
    ------
    YearError, LevelError, UnknownModelError, ModelError
        If an argument is not valid.

    Examples
    --------
    >>> import popforecast as pf
    >>> world = pf.load_panel("wpp2019").select("World")
    >>> bt = pf.backtest(world, ["ar1", "naive"], origins=[2000, 2010], horizons=[10])
    >>> bt.scores()[["model", "n", "mape"]].round(1).values.tolist()
    [['ar1', 2, 2.0], ['naive', 2, 11.2]]
    """
    if isinstance(panel, UnevenPanel):
        return _backtest_each(panel, models, origins, horizons, levels, intervals)
    check_panel(panel)
    if intervals != FINAL:
        raise ModelError(
            f"intervals {intervals!r}: a backtest uses the final data of one revision, expected {FINAL!r}; "
            "to score a vintage against a later revision, use compare_vintages()"
        )
    specifications = _check_models(panel, models)
    levels = check_levels(levels)
    origins = check_origins(panel, _default_origins(panel) if origins is None else origins)
    steps = check_horizons(horizons)
    _check_outcomes(panel, origins, steps)
    tables = [_tabulate(hindcast(model, panel, origins, steps.tolist(), levels), panel) for model in specifications]
    return Backtest(panel, pd.concat(tables, ignore_index=True), levels)


def hindcast(
    model: Model, panel: Panel, origins: Iterable[int], horizons: Sequence[int], levels: Sequence[float]
) -> Rolling:
    """Return the forecasts that :func:`popforecast.forecast` would have made with a model at past origins.

    An aggregate is the sum of its countries if the panel has them, with an interval from their joint errors known by
    the origin. A plain model forecasts each series separately. The model is estimated only once for each year that
    is an origin or is used to calibrate one.

    Parameters
    ----------
    model, panel, origins, horizons, levels
        As for :func:`popforecast.forecasting.rolling.roll`. Intervals allow for forecast errors only.

    Examples
    --------
    >>> import popforecast as pf
    >>> panel = pf.load_panel("wpp2024").select(["Australia/New Zealand", "AUS", "NZL"])
    >>> then = hindcast(pf.models.get("damped-growth"), panel, [1990, 2000], [10], [80])
    >>> both, australia, new_zealand = then.prediction.population[:, 1, 0].round()
    >>> bool(both == australia + new_zealand)
    True
    """
    levels = check_levels(levels)
    if not model.calibrated:
        return roll(model, panel, origins, horizons, levels)
    origins, steps = check_origins(panel, origins), check_horizons(horizons)
    # Without levels no calibration is needed.
    past = sorted({year for origin in origins for year in choose_past(panel, int(origin)) if levels})
    years = sorted({*past, *origins.tolist()})
    estimates = dict(zip(years, estimate(model, panel, years), strict=True))
    errors = roll(model, panel, past, choose_knots(panel), (), [estimates[year] for year in past]) if past else None
    shape = (len(panel), len(origins), len(steps))
    population = np.empty(shape)
    lower, upper = ({level: np.empty(shape) for level in levels} for _ in range(2))
    for i, origin in enumerate(origins.tolist()):
        calibration = calibrate(errors, panel, origin) if errors else None
        fitted = Fitted(model, panel.until(origin), estimates[origin], calibration)
        then = predict_panel(fitted.panel, fitted, int(steps.max()), levels, FINAL).prediction
        then = then.take(steps=steps - 1)
        population[:, i] = then.population
        for level in levels:
            lower[level][:, i], upper[level][:, i] = then.lower[level], then.upper[level]
    outcome, scale = collect_outcomes(panel, origins, steps), measure_scale(panel, origins)
    return Rolling(model, origins, steps, outcome, Prediction(population, lower, upper), scale)


def _backtest_each(
    panel: UnevenPanel,
    names: Sequence[str | Model] | str | Model | None,
    origins: Iterable[int] | None,
    horizons: Sequence[int],
    levels: Sequence[float],
    intervals: str,
) -> Backtest:
    """Backtest each part with all locations that cover its years, and keep the errors of its own locations."""
    specifications, asked = _check_models(panel, names), None if origins is None else list(origins)
    longest = max(panel.panels, key=lambda part: len(part.years))
    if asked is not None and not set(asked) & {int(year) for part in panel.panels for year in part.years[1:-1]}:
        check_origins(longest, asked)
    steps = check_horizons(horizons)
    tables = []
    for number, own in enumerate(panel.panels):
        possible = own.years[min(EARLIEST, len(own.years) // 2) : -1]
        chosen = [year for year in (_default_origins(own) if asked is None else asked) if year in possible]
        if not chosen or min(chosen) + min(steps) * own.step > own.origin:
            continue
        plain = not any(model.calibrated for model in specifications)
        whole = own if plain else panel.cover(number)
        errors = backtest(whole, specifications, chosen, steps.tolist(), levels, intervals).errors
        tables.append(errors[errors["location_code"].isin(own.locations.index)])
    if not tables:
        raise YearError(
            f"no location of {panel!r} has an origin with an outcome at horizons {steps.tolist()}: expected longer "
            "histories, earlier origins or shorter horizons"
        )
    return Backtest(panel, pd.concat(tables, ignore_index=True), check_levels(levels))


def _check_outcomes(panel: Panel, origins: np.ndarray, horizons: np.ndarray) -> None:
    outcomes = collect_outcomes(panel, origins, horizons)
    if np.isnan(outcomes).all():
        raise YearError(
            f"no outcome is known for horizons {horizons.tolist()} after origins {origins.tolist()}: the panel ends "
            f"in {panel.origin}, so choose earlier origins or shorter horizons"
        )
    if (outcomes == 0).any():
        i, j, k = np.argwhere(outcomes == 0)[0]
        raise ModelError(
            f"{panel.locations['name'].iloc[i]} has population 0 in {origins[j] + horizons[k] * panel.step}: errors "
            "are relative to the outcome, expected one above zero"
        )


def _check_models(panel: Panel | UnevenPanel, names: Iterable[str | Model] | str | Model | None) -> list[Model]:
    specifications = models.get_several(models.choose(panel) if names is None else names)
    if not specifications:
        raise ModelError(f"no model was given: expected any of {', '.join(models.MODELS)}")
    return specifications


def _default_origins(panel: Panel) -> list[int]:
    years = panel.years[(panel.years >= 1988) & (panel.years < panel.origin)]
    if len(years) < 2 or panel.years[0] > 1978:
        years = panel.years[len(panel.years) // 2 : -1]
    return years[:: max(1, 5 // panel.step)].tolist()


def _tabulate(rolling: Rolling, panel: Panel) -> pd.DataFrame:
    origins = rolling.origins[:, None]
    at = {"origin": origins, "horizon": rolling.horizons, "year": origins + rolling.horizons * panel.step}
    of, levels = {"model": rolling.model.name}, list(rolling.prediction.lower)
    return tabulate(panel, rolling.outcome, rolling.prediction, levels, of, at, scale=rolling.scale[..., None])
