"""forecast(): the one verb that every surface calls, and the frozen result it returns."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import popforecast.models as models
from popforecast.coherence import Groups, predict_panel
from popforecast.display import format_population
from popforecast.errors import ModelError
from popforecast.intervals import fit as fit_calibrated
from popforecast.models.base import Array, Fitted, Model, Note, Prediction, check_levels, freeze
from popforecast.panel import Panel, check_panel, describe_years
from popforecast.periods import choose_years
from popforecast.sources import REVISIONS, VINTAGES, get_edition
from popforecast.version import __version__

if TYPE_CHECKING:
    from popforecast.plots import Chart

DEFAULT_MODEL = "panel-ar"
DEFAULT_LEVELS = (80, 95)

REAL_TIME, FINAL, ANALYTIC = "real-time", "final", "analytic"

ESTIMATES, FORECAST = "estimates", "forecast"


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """Population of the chosen locations over the chosen years, with intervals and provenance.

    Attributes
    ----------
    history : Panel
        All that the model saw of these locations.
    years : ndarray, shape (m,)
        The years asked for. Those up to the origin are history, and have no interval.
    population : ndarray, shape (n, m)
        Persons: estimates up to the origin, the model's median after it.
    lower, upper : dict of float to ndarray, shape (n, m)
        Interval bounds by level; NaN in history.
    path : Prediction, shape (n, horizon)
        Every step from the origin to the last year, whichever years were asked for: what a chart draws.
        Widths grow with the horizon in logs; where a population shrinks, they may be fewer persons.
    model : Model
        The specification that made the forecast.
    notes : tuple of Note
        What readers must know, such as an explosive root.
    provenance : dict
        Revision, checksum, origin, model and its parameters, package version.
    """

    history: Panel
    years: np.ndarray
    population: Array
    lower: Mapping[float, Array]
    upper: Mapping[float, Array]
    path: Prediction
    model: Model
    notes: tuple[Note, ...]
    provenance: Mapping[str, Any]

    def __post_init__(self) -> None:
        freeze(self.years, self.population, *self.lower.values(), *self.upper.values())

    @property
    def locations(self) -> pd.DataFrame:
        """The chosen locations, indexed by code."""
        return self.history.locations

    @property
    def origin(self) -> int:
        """The last year that the model saw."""
        return self.history.origin

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels of the intervals."""
        return tuple(self.lower)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each location and year.

        Columns: location_code, location, year, population, then lower and upper for each level, all in whole
        persons, and variant: ``estimates`` for history (no interval there), ``forecast`` after the origin.
        """
        n, m = self.population.shape
        columns = {
            "location_code": np.repeat(self.locations.index.to_numpy(), m),
            "location": np.repeat(self.locations["name"].to_numpy(), m),
            "year": np.tile(self.years, n),
            "population": _whole(self.population),
        }
        for level in self.levels:
            columns[f"lower_{level:g}"] = _whole(self.lower[level])
            columns[f"upper_{level:g}"] = _whole(self.upper[level])
        columns["variant"] = np.tile(np.where(self.years <= self.origin, ESTIMATES, FORECAST), n)
        return pd.DataFrame(columns)

    def to_csv(self) -> str:
        """Return :meth:`to_frame` as CSV."""
        return self.to_frame().to_csv(index=False, lineterminator="\n")

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as plain values that JSON can hold: what the API and the CLI answer."""
        # JSON has no infinity: what outgrew the computer's numbers is null, like what is not there.
        frame = self.to_frame().replace([np.inf, -np.inf], np.nan).astype(object)
        names = self.locations["name"]
        revision = self.provenance["revision"]
        return {
            "forecasts": frame.where(frame.notna(), None).to_dict("records"),
            "notes": [
                {"location_code": note.location_code, "location": names[note.location_code], "text": note.text}
                for note in self.notes
            ],
            "provenance": dict(self.provenance),
            "citation": get_edition(revision).citation if revision in REVISIONS or revision in VINTAGES else None,
            "unit": "persons",
        }

    def to_table(self) -> pd.DataFrame:
        """Return years by locations, written for people; years up to the origin are marked as estimates."""
        years = [f"{year} ({ESTIMATES})" if year <= self.origin else str(year) for year in self.years]
        names = self.locations["name"]
        shared = names.duplicated(keep=False)
        headings = [f"{name} ({code})" if shared[code] else name for code, name in names.items()]
        texts = [[format_population(persons) for persons in row] for row in self.population.T]
        return pd.DataFrame(texts, pd.Index(years, name="year"), headings)

    def plot(self, scale: str = "absolute") -> Chart:
        """Return the chart of history and forecast, which shows itself in a notebook cell."""
        from popforecast.plots import chart_forecast

        return chart_forecast(self, scale=scale)

    def __repr__(self) -> str:
        return (
            f"<Forecast: {len(self.locations)} locations, {describe_years(self.years)}, "
            f"{self.model.name} from {self.origin}, {self.provenance['intervals']} intervals>"
        )

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{self.locations['name'][note.location_code]}: {note.text}</li>" for note in self.notes)
        return self.to_table().to_html(max_cols=12) + f"<p>{repr(self)[1:-1]}</p>" + (f"<ul>{notes}</ul>" * bool(notes))


def forecast(
    panel: Panel,
    locations: Iterable[Hashable] | Hashable | None = None,
    start: int | None = None,
    end: int | None = None,
    model: str | Model | Fitted = DEFAULT_MODEL,
    levels: Sequence[float] = DEFAULT_LEVELS,
    intervals: str | None = None,
    groups: Groups | None = None,
) -> Forecast:
    """Forecast the population of locations from nothing but the panel's history.

    The model is always fitted to the whole panel, so choosing a subset never changes a number. An aggregate is the sum
    of its countries, and its interval comes from their joint past errors; a plain autoregression (``ar1``, ``AR(...)``)
    forecasts each series on its own, with analytic intervals.

    Parameters
    ----------
    panel : Panel
        The history; its last year is the origin.
    locations : code, ISO3, name or alias, or several, optional
        Which series to return, in this order (default: every series of the panel).
    start, end : int, optional
        First and last year (default: the ten steps after the origin). Years up to the origin give history.
    model : str, Model or Fitted
        A model's name, a specification such as ``AR(2, "ct")``, or a model already fitted to this panel.
    levels : sequence of float
        Central coverage of the intervals, in percent.
    intervals : {"real-time", "final"}, optional
        Whether they are to hold what a later revision will publish (default for the UN's revisions), or figures that
        are not revised (default for any other panel).
    groups : mapping of str to locations, optional
        Groups of one's own, ``{"My markets": ["NGA", 356]}``: each is forecast as the sum of its countries, under its
        name. They come after the locations unless these name them.

    Returns
    -------
    Forecast

    Raises
    ------
    UnknownLocationError, RepeatedLocationError, UnknownModelError, YearError, LevelError, ModelError, PanelError
        If an argument is not valid; the error names it and what would be.

    Examples
    --------
    >>> import popforecast as pf
    >>> fc = pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2031, model="ar1")
    >>> fc.to_frame()["population"].round(-3).tolist()
    [8745733000, 8844029000]
    """
    check_panel(panel)
    years = choose_years(panel, start, end)
    levels = check_levels(levels)
    locations = list(locations) if isinstance(locations, Iterable) and not isinstance(locations, str) else locations
    if not groups:
        panel.rows(locations)
    fitted = model if isinstance(model, Fitted) else fit(panel, model)
    if fitted.checksum != panel.checksum:
        raise ModelError(
            f"{fitted.model.name} was fitted to another panel (origin {fitted.origin}, checksum "
            f"{fitted.checksum[:12]}) than this one (origin {panel.origin}, checksum {panel.checksum[:12]}): fit it to "
            "this panel first"
        )
    kind = choose_intervals(panel, fitted.model, intervals)
    horizon = max((int(years[-1]) - panel.origin) // panel.step, 0)
    whole = predict_panel(panel, fitted, horizon, levels, kind == REAL_TIME, groups)
    rows = _choose_rows(whole.panel, locations, groups)
    history = whole.panel if locations is None else whole.panel.take(rows)
    path = whole.prediction.take(rows)
    past = years <= panel.origin
    steps = (years[~past] - panel.origin) // panel.step - 1
    known = history.values[:, np.isin(panel.years, years)]
    unknown = np.full(known.shape, np.nan)
    codes = set(history.locations.index)
    return Forecast(
        history,
        years,
        np.hstack([known, path.population[:, steps]]),
        {level: np.hstack([unknown, path.lower[level][:, steps]]) for level in levels},
        {level: np.hstack([unknown, path.upper[level][:, steps]]) for level in levels},
        path,
        fitted.model,
        tuple(note for note in whole.notes if note.location_code in codes),
        describe_provenance(panel, fitted.model) | {"intervals": kind},
    )


def choose_intervals(panel: Panel, model: Model, intervals: str | None = None) -> str:
    """Return what the intervals of a forecast hold: ``real-time``, ``final``, or ``analytic`` for a plain model.

    Raises
    ------
    ModelError
        If the choice is unknown, or not possible for this panel or model.

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
    revised = panel.revision in REVISIONS or panel.revision in VINTAGES
    if intervals == REAL_TIME and not revised:
        raise ModelError(
            f"intervals {REAL_TIME!r} are for the UN's revisions ({', '.join(REVISIONS)}), whose past revisions are "
            f"known: expected {FINAL!r} for {panel!r}"
        )
    return intervals or (REAL_TIME if revised else FINAL)


def fit(panel: Panel, model: str | Model = DEFAULT_MODEL) -> Fitted:
    """Fit a model to every location of a panel, its intervals calibrated: what :func:`forecast` does first.

    Parameters
    ----------
    panel : Panel
    model : str or Model
        A model's name or a specification.

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
    return fit_calibrated(panel, models.get(model))


def describe_provenance(panel: Panel, model: Model) -> dict[str, Any]:
    """Return where a number comes from: revision, checksum, origin, model and its parameters, version."""
    return {
        "revision": panel.revision,
        "checksum": panel.checksum,
        "origin": panel.origin,
        "model": model.name,
        "parameters": model.parameters,
        "version": __version__,
    }


def _choose_rows(
    panel: Panel, locations: Sequence[Hashable] | Hashable | None, groups: Groups | None
) -> NDArray[np.intp]:
    rows = panel.rows(locations)
    if locations is None or not groups:
        return rows
    added = panel.locations.index.get_indexer(list(groups))
    return np.concatenate([rows, added[~np.isin(added, rows)]])


def _whole(values: Array) -> pd.api.extensions.ExtensionArray | np.ndarray:
    flat = np.rint(values.ravel())
    missing = np.isnan(flat)
    if not (np.abs(flat[~missing]) < 2.0**63).all():
        # An explosive plain AR can leave the whole numbers a computer has; the figure stays, as a float.
        return flat
    if not missing.any():
        return flat.astype(np.int64)
    return pd.arrays.IntegerArray(np.where(missing, 0, flat).astype(np.int64), missing)
