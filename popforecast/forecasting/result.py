"""Forecast: the frozen result of a forecast, and the forms it takes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from popforecast.models.base import Array, Model, Note, Prediction
from popforecast.panel import Panel, describe_years
from popforecast.panel.frozen import Frozen, release
from popforecast.panel.locations import disambiguate
from popforecast.text import Rounding, guard_formulas, round_in_full, write_cell
from popforecast.wpp.editions import cite

if TYPE_CHECKING:
    from popforecast.charts.forecast import Chart
    from popforecast.forecasting.joined import JoinedForecast

ESTIMATES, FORECAST = "estimates", "forecast"

# What a row of CSV says of where it came from, before its citation.
PROVENANCE = ("revision", "checksum", "origin", "model", "intervals", "version")


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Frozen):
    """Population of the chosen locations over the chosen years, with intervals and provenance.

    Attributes
    ----------
    history : Panel
        All that the model saw of these locations.
    years : ndarray, shape (m,)
        The years asked for. Those up to the origin are history, and have no interval.
    population : ndarray, shape (n, m)
        Persons: estimates up to the origin, the model's median after it.
    lower, upper : mapping of float to ndarray, shape (n, m)
        Interval bounds by level; NaN in history.
    path : Prediction, shape (n, horizon)
        Every step from the origin to the last year, whichever years were asked for: what a chart draws.
        Widths grow with the horizon in logs; where a population shrinks, they may be fewer persons.
    model : Model
        The specification that made the forecast.
    notes : tuple of Note
        What readers must know, such as an explosive root.
    provenance : mapping
        Revision, source (the revision and its updates), checksum, origin, model and its parameters, package version.
    remainders : mapping of location code to ndarray, shape (m,)
        For each location that is a sum of countries, the persons whom none of them holds: see :meth:`list_remainders`.
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
    remainders: Mapping[Hashable, Array] = field(default_factory=dict)

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

    @property
    def citation(self) -> str | None:
        """How to cite the figures; None where they are the reader's own."""
        return cite(self.history)

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
        """Return :meth:`to_frame` as CSV, each row with where it came from: see :func:`write_csv`."""
        return write_csv(self.to_frame(), self.provenance, self.citation, self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as plain values that JSON can hold: what the API and the CLI answer."""
        # JSON has no infinity: what outgrew the computer's numbers is null, like what is not there.
        frame = self.to_frame().replace([np.inf, -np.inf], np.nan).astype(object)
        return {
            "forecasts": frame.where(frame.notna(), None).to_dict("records"),
            "remainder": self.list_remainders().to_dict("records"),
        } | self.describe()

    def list_remainders(self) -> pd.DataFrame:
        """Return how many persons of each sum none of its countries holds, one row for each sum and year.

        Columns: location_code, location, year, persons. The UN's totals include places that its tables do not list, and
        rounding, so an aggregate is the sum of its countries and of this remainder. A group of one's own has none.

        Examples
        --------
        >>> import popforecast as pf
        >>> fc = pf.forecast(pf.load_panel("wpp2024"), ["World", "NGA"], 2020, 2020)
        >>> fc.list_remainders().to_dict("records")
        [{'location_code': 900, 'location': 'World', 'year': 2020, 'persons': 524}]
        """
        sums, m = self.locations[self.locations.index.isin(list(self.remainders))], len(self.years)
        persons = np.array([self.remainders[code] for code in sums.index]).reshape(len(sums), m)
        return pd.DataFrame(
            {
                "location_code": np.repeat(sums.index.to_numpy(), m),
                "location": np.repeat(sums["name"].to_numpy(), m),
                "year": np.tile(self.years, len(sums)),
                "persons": _whole(persons),
            }
        )

    def describe(self) -> dict[str, Any]:
        """Return what :meth:`to_dict` says beside the rows: notes, where the numbers come from, how to cite them."""
        names = self.locations["name"].to_dict()
        return {
            "notes": [
                {"location_code": note.location_code, "location": names[note.location_code], "text": note.text}
                for note in self.notes
            ],
            "provenance": release(self.provenance),
            "citation": self.citation,
            "unit": "persons",
        }

    def to_table(self) -> pd.DataFrame:
        """Return years by locations, written for people; years up to the origin are marked as estimates."""
        years = [f"{year} ({ESTIMATES})" if year <= self.origin else str(year) for year in self.years]
        headings = list(disambiguate(self.locations["name"]).values())
        rows = zip(choose_roundings(self), self.population.tolist(), strict=True)
        texts = np.array([[rounding.write(persons) for persons in row] for rounding, row in rows], object)
        return pd.DataFrame(texts.T, pd.Index(years, name="year"), headings)

    def plot(self, scale: str = "absolute") -> Chart:
        """Return the chart of history and forecast, which shows itself in a notebook cell."""
        from popforecast.charts.forecast import chart_forecast

        return chart_forecast(self, scale=scale)

    def __repr__(self) -> str:
        return (
            f"<Forecast: {len(self.locations)} locations, {describe_years(self.years)}, "
            f"{self.model.name} from {self.origin}, {self.provenance['intervals']} intervals>"
        )

    def _repr_html_(self) -> str:
        names = self.locations["name"].to_dict()
        notes = [f"{names[note.location_code]}: {note.text}" for note in self.notes]
        return write_cell(self.to_table(), repr(self), notes, max_cols=12)


def write_csv(
    rows: pd.DataFrame, provenance: Mapping[str, Any], citation: str | None, notes: Iterable[Note] = ()
) -> str:
    """Return the rows of a forecast as CSV, with where they came from as further columns, the same in every row.

    A file may be cut, joined and sent on: each of its rows still says what it is. A name that spreadsheets would take
    for a formula begins with an apostrophe.

    Parameters
    ----------
    rows : DataFrame
        As :meth:`Forecast.to_frame` returns it.
    provenance : mapping
        Of which the columns are revision, checksum, origin, model, intervals, version and, after the citation, source.
    citation : str, optional
    notes : iterable of Note
        The last column: those of the row's location, parted by semicolons.
    """
    constants = {name: provenance[name] for name in PROVENANCE} | {
        "citation": citation,
        # Later columns come after earlier ones, for whoever counts them.
        "source": provenance["source"],
        "note": rows["location_code"].map(join_notes(notes)),
    }
    return guard_formulas(rows).assign(**constants).to_csv(index=False, lineterminator="\n")


def choose_roundings(forecast: Forecast | JoinedForecast) -> list[Rounding]:
    """Return for each location how its figures and their bounds are written in a table: all alike.

    Examples
    --------
    >>> import popforecast as pf
    >>> fc = pf.forecast(pf.load_panel("wpp2024"), ["World", "Tokelau"], 2030, 2035)
    >>> [rounding.write(12_345.6) for rounding in choose_roundings(fc)]
    ['12,000', '12,346']
    """
    sides = [forecast.population, *forecast.lower.values(), *forecast.upper.values()]
    return [round_in_full(np.concatenate(rows).tolist()) for rows in zip(*sides, strict=True)]


def join_notes(notes: Iterable[Note]) -> dict[Hashable, str]:
    """Return the notes of each location as one text, separated by semicolons.

    Examples
    --------
    >>> join_notes([Note(768, "first"), Note(288, "other"), Note(768, "second")])
    {768: 'first; second', 288: 'other'}
    """
    told: dict[Hashable, list[str]] = {}
    for note in notes:
        told.setdefault(note.location_code, []).append(note.text)
    return {code: "; ".join(texts) for code, texts in told.items()}


def _whole(values: Array) -> pd.api.extensions.ExtensionArray | np.ndarray:
    flat = np.rint(values.ravel())
    missing = np.isnan(flat)
    if not (np.abs(flat[~missing]) < 2.0**63).all():
        # An explosive plain AR can leave the whole numbers a computer has; the figure stays, as a float.
        return flat
    if not missing.any():
        return flat.astype(np.int64)
    return pd.arrays.IntegerArray(np.where(missing, 0, flat).astype(np.int64), missing)
