"""Forecasting: :func:`forecast`, used by every interface, and :func:`forecast_all` for a whole panel at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import popforecast.models as models
from popforecast.errors import ModelError, PanelError, YearError
from popforecast.forecasting.calibration import complete
from popforecast.forecasting.calibration import fit as fit_anew
from popforecast.forecasting.joined import join
from popforecast.forecasting.outlook import ANALYTIC as ANALYTIC
from popforecast.forecasting.outlook import FINAL as FINAL
from popforecast.forecasting.outlook import NONE as NONE
from popforecast.forecasting.outlook import REAL_TIME as REAL_TIME
from popforecast.forecasting.outlook import Groups, Outlook, list_locations, predict_panel
from popforecast.forecasting.result import Forecast
from popforecast.forecasting.store import find_embedded
from popforecast.models import DEFAULT_MODEL as DEFAULT_MODEL
from popforecast.models.base import Fitted, Model, Prediction
from popforecast.models.levels import DEFAULT_LEVELS as DEFAULT_LEVELS
from popforecast.models.levels import check_levels
from popforecast.panel import Panel, check_panel, describe_years
from popforecast.panel.groups import check_groups
from popforecast.panel.rectangles import UnevenPanel
from popforecast.panel.years import choose_years, last_year
from popforecast.wpp.editions import REVISIONS, find_edition


def forecast(
    panel: Panel | UnevenPanel,
    locations: Iterable[Hashable] | Hashable | None = None,
    start: int | None = None,
    end: int | None = None,
    model: str | Model | Fitted | None = None,
    levels: Sequence[float] = DEFAULT_LEVELS,
    intervals: str | None = None,
    groups: Groups | None = None,
) -> Forecast:
    """Return the forecast of locations, made from past figures only.

    The model is always fitted to the whole panel, so the choice of locations never changes a number. An aggregate is
    the sum of its countries, plus the share of the total outside the listed countries (see
    :meth:`~popforecast.forecasting.result.Forecast.list_remainders`); its interval comes from their joint past errors.
    A plain autoregression (``ar1``, ``AR(...)``) forecasts each series separately, with analytic intervals.

    Parameters
    ----------
    panel : Panel or UnevenPanel
        The history, whose last year is the origin. In an uneven panel each location has its own origin: see
        :attr:`Forecast.origins <popforecast.forecasting.result.Forecast.origins>`.
    locations : code, ISO3, name or alias, or several, optional
        Locations to return, in this order (default: all locations of the panel).
    start, end : int, optional
        First and last year (default: the ten steps after the origin). Years up to the origin give history.
    model : str, Model or Fitted, optional
        Name of a model, a specification such as ``AR(2, "ct")``, or a model fitted to this panel (default: the choice
        of :func:`popforecast.models.choose` for the panel).
    levels : sequence of float
        Coverage of the intervals, in percent.
    intervals : {"real-time", "final"}, optional
        Whether intervals allow for later revisions of the figures (default for UN revisions), or treat the figures as
        final (default for any other panel).
    groups : mapping of str to locations, optional
        User-defined groups, such as ``{"My markets": ["NGA", 356]}``, forecast as sums of their countries. They follow
        the locations, unless their names are among these.

    Returns
    -------
    Forecast

    Raises
    ------
    UnknownLocationError, RepeatedLocationError, UnknownModelError, YearError, LevelError, ModelError, PanelError
        If an argument is invalid; the error names it and the valid values.

    Examples
    --------
    >>> import popforecast as pf
    >>> fc = pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2031, model="ar1")
    >>> fc.to_frame()["population"].round(-3).tolist()
    [8745733000, 8844029000]
    """
    groups = check_groups(groups)
    if isinstance(panel, UnevenPanel):
        return _forecast_each(panel, list_locations(locations), start, end, model, levels, intervals, groups)
    check_panel(panel)
    return _forecast_one(panel, list_locations(locations), start, end, model, levels, intervals, groups)


def forecast_all(
    panel: Panel,
    model: str | Model | Fitted | None = None,
    levels: Sequence[float] = DEFAULT_LEVELS,
    intervals: str | None = None,
) -> Outlook:
    """Return the outlook of a whole panel to the last possible year, from which any forecast is taken quickly.

    Parameters
    ----------
    panel, model, levels, intervals
        As for :func:`forecast`; only these levels are available later.

    Returns
    -------
    Outlook

    Raises
    ------
    UnknownModelError, LevelError, ModelError, PanelError
        If an argument is invalid.

    Examples
    --------
    >>> import popforecast as pf
    >>> outlook = pf.forecast_all(pf.load_panel("wpp2019"), model="ar1")
    >>> outlook
    <Outlook: <Panel: 285 locations, 1950 to 2020, wpp2019>, 2021 to 2100, ar1, analytic intervals>
    >>> outlook.forecast("World", 2030, 2031, levels=[80]).to_frame()["population"].round(-3).tolist()
    [8745733000, 8844029000]
    """
    check_panel(panel)
    levels = check_levels(levels)
    fitted = _fit_to(panel, model, levels)
    return _forecast_all(panel, fitted, last_year(panel), levels, choose_intervals(panel, fitted.model, intervals))


def choose_intervals(panel: Panel, model: Model, intervals: str | None = None) -> str:
    """Return the kind of intervals: ``real-time``, ``final``, or ``analytic`` for a plain model.

    Raises
    ------
    ModelError
        If the kind is unknown, or not available for this panel or model.

    Examples
    --------
    >>> import popforecast as pf
    >>> choose_intervals(pf.load_panel("wpp2024"), pf.models.get("damped-growth"))
    'real-time'
    """
    if intervals not in (None, REAL_TIME, FINAL):
        raise ModelError(f"intervals {intervals!r}: expected {REAL_TIME!r} or {FINAL!r}")
    if not model.calibrated:
        if intervals:
            raise ModelError(f"{model.name} has analytic intervals only: leave intervals={intervals!r} out")
        return ANALYTIC
    if not model.has_intervals:
        if intervals:
            raise ModelError(
                f"{model.name} is a what-if scenario, without intervals: leave intervals={intervals!r} out"
            )
        return NONE
    revised = find_edition(panel) is not None
    if intervals == REAL_TIME and not revised:
        raise ModelError(
            f"intervals {REAL_TIME!r} are for the UN's revisions ({', '.join(REVISIONS)}), whose past revisions are "
            f"known: expected {FINAL!r} for {panel!r}"
        )
    return intervals or (REAL_TIME if revised else FINAL)


def fit(panel: Panel, model: str | Model | None = None) -> Fitted:
    """Return a model fitted to all locations of a panel, with calibrated intervals, as :func:`forecast` uses it.

    For a complete embedded revision and the default model, an embedded fit is used, so that every machine has the
    same numbers. If it is missing or for other data, the model is fitted; if it is damaged or from another version,
    the model is fitted with a warning in the log.

    Parameters
    ----------
    panel : Panel
    model : str or Model, optional
        Name or specification of a model (default: as for :func:`forecast`).

    Raises
    ------
    UnknownModelError, ModelError
        If there is no such model, or it cannot be fitted.

    Examples
    --------
    >>> import popforecast as pf
    >>> panel = pf.load_panel("wpp2019")
    >>> fitted = pf.fit(panel, "ar1")
    >>> pf.forecast(panel, ["World"], 2030, 2030, model=fitted).to_table().iloc[0, 0]
    '8,745,733,000'
    """
    check_panel(panel)
    specification = models.get(model, panel)
    return find_embedded(panel, specification) or fit_anew(panel, specification)


def predict(fitted: Fitted, horizon: int, levels: Sequence[float] | float = DEFAULT_LEVELS) -> Prediction:
    """Return the forecast of a fit's whole panel to a horizon, with the default intervals of :func:`forecast`.

    Raises
    ------
    LevelError
        If a level is invalid.

    Examples
    --------
    >>> import popforecast as pf
    >>> panel = pf.load_panel("wpp2019")
    >>> predict(pf.fit(panel, "ar1"), 10).population[0, -1].round(-3).item()
    8745733000.0
    """
    levels = check_levels(levels) if fitted.model.has_intervals else ()
    # Without levels no calibration is needed.
    fitted = complete(fitted) if levels else fitted
    kind = choose_intervals(fitted.panel, fitted.model)
    return predict_panel(fitted.panel, fitted, horizon, levels, kind).prediction


def _forecast_one(
    panel: Panel,
    locations: Iterable[Hashable] | Hashable | None,
    start: int | None,
    end: int | None,
    model: str | Model | Fitted | None,
    levels: Sequence[float],
    intervals: str | None,
    groups: Groups,
) -> Forecast:
    years, levels = choose_years(panel, start, end), check_levels(levels)
    if not groups:
        panel.rows(locations)  # Unknown locations raise before the model is fitted.
    fitted = _fit_to(panel, model, levels)
    outlook = _forecast_all(panel, fitted, int(years[-1]), levels, choose_intervals(panel, fitted.model, intervals))
    return outlook.forecast(locations, start, end, outlook.levels, groups)


def _forecast_each(
    panel: UnevenPanel,
    locations: Iterable[Hashable] | Hashable | None,
    start: int | None,
    end: int | None,
    model: str | Model | Fitted | None,
    levels: Sequence[float],
    intervals: str | None,
    groups: Groups,
) -> Forecast:
    """Return forecasts from each location's own origin, fitted to the panel of all locations with its years."""
    if isinstance(model, Fitted):
        raise ModelError(
            f"{model.model.name} was fitted to one panel, but locations have different years here ({panel!r}): "
            "pass the model's name instead"
        )
    specification = models.get(model, panel)
    asked = [] if groups and locations == [] else panel.locations.index[panel.rows(locations)].tolist()
    homes = {name: _find_home(panel, name, members) for name, members in groups.items()}
    numbers = list(dict.fromkeys([*(panel.homes[code] for code in asked), *homes.values()]))
    latest = max((panel.panels[number] for number in numbers), key=lambda part: part.origin)
    if start is not None and end is None:
        end = int(choose_years(latest, max(start, int(latest.years[0])), None)[-1])
    parts = []
    for number in numbers:
        # A plain model does not use the other series.
        whole = panel.cover(number) if specification.calibrated else panel.panels[number]
        first = int(whole.years[0])
        own = [code for code in asked if panel.homes[code] == number]
        summed = {name: groups[name] for name, home in homes.items() if home == number}
        if end is not None and end < first:
            raise YearError(f"{[*own, *summed][0]!r} starts in {first}: expected a last year no earlier, not {end}")
        begin = start if start is None or start >= first else first
        parts.append(_forecast_one(whole, [*own, *summed], begin, end, specification, levels, intervals, summed))
    return join(parts, (*asked, *(name for name in groups if name not in asked)))


def _find_home(panel: UnevenPanel, name: str, members: Iterable[Hashable]) -> int:
    """Return the number of the panel with all members of a group."""
    codes = panel.locations.index[panel.rows(members)].tolist()
    homes = {panel.homes[code]: code for code in codes}
    if len(homes) > 1:
        (one, a), (two, b) = list(homes.items())[:2]
        raise PanelError(
            f"group {name!r} has {a!r} with {describe_years(panel.panels[one].years)} and {b!r} with "
            f"{describe_years(panel.panels[two].years)}: a sum needs members with the same first and last year"
        )
    return next(iter(homes))


def _fit_to(panel: Panel, model: str | Model | Fitted | None, levels: tuple[float, ...]) -> Fitted:
    # Without levels no calibration is needed.
    if not isinstance(model, Fitted):
        new = models.get(model, panel)
        return fit(panel, new) if levels else find_embedded(panel, new) or new.fit(panel)
    if model.checksum != panel.checksum:
        raise ModelError(
            f"{model.model.name} was fitted to another panel (origin {model.origin}, checksum "
            f"{model.checksum[:12]}) than this one (origin {panel.origin}, checksum {panel.checksum[:12]}): fit it to "
            "this panel first"
        )
    return complete(model) if levels else model


def _forecast_all(panel: Panel, fitted: Fitted, end: int, levels: tuple[float, ...], kind: str) -> Outlook:
    horizon = max((end - panel.origin) // panel.step, 0)
    return predict_panel(panel, fitted, horizon, () if kind == NONE else levels, kind)
