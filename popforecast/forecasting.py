"""forecast(): the one verb that every surface calls, and the frozen result it returns."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import popforecast.models as models
from popforecast import intervals
from popforecast.display import format_population
from popforecast.errors import ModelError, YearError
from popforecast.models.base import Array, Fitted, Model, Note, Prediction, check_levels, freeze
from popforecast.panel import Panel, describe_years
from popforecast.sources import REVISIONS, get_revision
from popforecast.version import __version__

if TYPE_CHECKING:
    from popforecast.plots import Chart

DEFAULT_MODEL = "ar1"
DEFAULT_LEVELS = (80, 95)
DEFAULT_STEPS = 10

# The UN's own projections end here; no model that sees total population alone has anything to say beyond.
LAST_YEAR = 2100

# For panels whose years are not the UN's calendar: as far ahead as the longest horizon above.
MOST_STEPS = 150

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
            "citation": get_revision(revision).citation if revision in REVISIONS else None,
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
            f"{self.model.name} from {self.origin}>"
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
) -> Forecast:
    """Forecast the population of locations from nothing but the panel's history.

    The model is always fitted to the whole panel, so choosing a subset never changes a number.

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

    Returns
    -------
    Forecast

    Raises
    ------
    UnknownLocationError, RepeatedLocationError, UnknownModelError, YearError, LevelError, ModelError
        If an argument is not valid; the error names it and what would be.

    Examples
    --------
    >>> import popforecast as pf
    >>> fc = pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2031, model="ar1")
    >>> fc.to_frame()["population"].round(-3).tolist()
    [8745733000, 8844029000]
    """
    rows = panel.rows(locations)
    years = _grid(panel, start, end)
    levels = check_levels(levels)
    fitted = model if isinstance(model, Fitted) else fit(panel, model)
    if fitted.checksum != panel.checksum:
        raise ModelError(
            f"{fitted.model.name} was fitted to another panel (origin {fitted.origin}, checksum "
            f"{fitted.checksum[:12]}) than this one (origin {panel.origin}, checksum {panel.checksum[:12]}): fit it to "
            "this panel first"
        )
    history = panel if locations is None else panel.take(rows)
    past = years <= panel.origin
    horizon = max((int(years[-1]) - panel.origin) // panel.step, 0)
    path = _take(intervals.predict(fitted, horizon, levels), rows)
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
        tuple(note for note in fitted.notes(horizon) if note.location_code in codes),
        describe_provenance(panel, fitted.model),
    )


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
    return intervals.fit(panel, models.get(model))


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


def check_years(panel: Panel, start: int, end: int) -> None:
    """Check a period against the panel.

    Raises
    ------
    YearError
        If a year is off the panel's grid, before it, after 2100, or the period ends before it begins.
    """
    first, step = int(panel.years[0]), panel.step
    last = last_year(panel)
    for name, year in (("first", start), ("last", end)):
        if isinstance(year, bool) or not isinstance(year, Real) or year % 1 != 0:
            raise YearError(f"the {name} year {year!r} is not a whole year: expected one from {first} to {last}")
        if not first <= year <= last:
            raise YearError(f"the {name} year {year} is out of range: expected one from {first} to {last}")
        if (year - first) % step:
            below = year - (year - first) % step
            raise YearError(
                f"the {name} year {year} is off the panel's grid of {step} years: expected {below} or {below + step}"
            )
    if start > end:
        raise YearError(f"the first year {start} comes after the last, {end}: expected from <= to")


def last_year(panel: Panel) -> int:
    """Return the last year that can be asked for: 2100 for the UN's revisions, else 150 steps after the origin."""
    if panel.revision is None:
        return panel.origin + MOST_STEPS * panel.step
    return LAST_YEAR - (LAST_YEAR - panel.origin) % panel.step


def _grid(panel: Panel, start: int | None, end: int | None) -> np.ndarray:
    start = panel.origin + panel.step if start is None else start
    if end is None:
        check_years(panel, start, last_year(panel))
        first = max(int(start), panel.origin + panel.step)
        end = min(first + (DEFAULT_STEPS - 1) * panel.step, last_year(panel))
    check_years(panel, start, end)
    return np.arange(int(start), int(end) + 1, panel.step)


def _take(prediction: Prediction, rows: np.ndarray) -> Prediction:
    return Prediction(
        prediction.population[rows],
        {level: bound[rows] for level, bound in prediction.lower.items()},
        {level: bound[rows] for level, bound in prediction.upper.items()},
    )


def _whole(values: Array) -> pd.api.extensions.ExtensionArray | np.ndarray:
    flat = np.rint(values.ravel())
    missing = np.isnan(flat)
    if not (np.abs(flat[~missing]) < 2.0**63).all():
        # An explosive plain AR can leave the whole numbers a computer has; the figure stays, as a float.
        return flat
    if not missing.any():
        return flat.astype(np.int64)
    return pd.arrays.IntegerArray(np.where(missing, 0, flat).astype(np.int64), missing)
