"""Forecast: the immutable result of a forecast, with its output formats."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.forecasting.pictured import Pictured
from popforecast.forecasting.structure import Structure
from popforecast.models.base import Array, Model, Note, Prediction
from popforecast.panel import Panel, describe_years
from popforecast.panel.frozen import Frozen, freeze, release
from popforecast.panel.locations import disambiguate
from popforecast.panel.rectangles import UnevenPanel
from popforecast.text import Rounding, guard_formulas, round_in_full, write_cell
from popforecast.wpp.editions import cite

if TYPE_CHECKING:
    from popforecast.charts.forecast import Chart

ESTIMATES, FORECAST = "estimates", "forecast"

# Columns of provenance in CSV, before the citation.
PROVENANCE = ("revision", "checksum", "origin", "model", "intervals", "version")


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Frozen, Pictured):
    """Population of the chosen locations over the chosen years, with intervals and provenance.

    Attributes
    ----------
    history : Panel or UnevenPanel
        The figures of these locations that were available to the model.
    years : ndarray, shape (m,)
        The requested years. Those up to a location's origin are history, without intervals.
    population : ndarray, shape (n, m)
        Persons: estimates up to the origin, and the median of the forecast after it. NaN in years that a location does
        not have, because its history starts later or its forecast ends earlier than others.
    lower, upper : mapping of float to ndarray, shape (n, m)
        Interval bounds by level; NaN in history.
    path : Prediction, shape (n, horizon)
        Every step from a location's origin to its last year, whatever the requested years, for charts. Intervals widen
        with the horizon in logs; in persons they can narrow where a population shrinks.
    model : Model
        The specification that made the forecast.
    notes : tuple of Note
        Cautions, such as an explosive root.
    provenance : mapping
        Revision, source (the revision and its updates), checksum, origin, model and its parameters, package version.
        Read-only: ``describe()["provenance"]`` is the same as a dict, which ``json.dumps`` accepts.
        For unequal histories, ``origin`` is a range such as "2015 to 2023", and ``checksum`` has one value per part.
    remainders : mapping of location code to ndarray, shape (m,)
        For each sum of countries, the persons outside the listed countries: see :meth:`list_remainders`.
    parts : tuple of Forecast
        Where histories begin or end in different years, the forecast of each span of years; else empty.
    structure : Structure or None
        What ages, births and deaths are read from, where the model is ``cohort``.
    """

    history: Panel | UnevenPanel
    years: np.ndarray
    population: Array
    lower: Mapping[float, Array]
    upper: Mapping[float, Array]
    path: Prediction
    model: Model
    notes: tuple[Note, ...]
    provenance: Mapping[str, Any]
    remainders: Mapping[Hashable, Array] = field(default_factory=dict)
    parts: tuple[Forecast, ...] = ()
    structure: Structure | None = None

    @property
    def locations(self) -> pd.DataFrame:
        """The chosen locations, indexed by code."""
        return self.history.locations

    @property
    def origin(self) -> int:
        """The last year of history; for unequal histories the latest, after which every figure is a forecast."""
        return self.history.origin

    @cached_property
    def origins(self) -> NDArray[np.int64]:
        """The last year of history of each location, shape (n,).

        Examples
        --------
        >>> import popforecast as pf
        >>> rows = {"id": [*"AAABB"], "year": [2000, 2001, 2002, 2000, 2001], "pop": [1, 2, 3, 4, 5]}
        >>> fc = pf.forecast(pf.Panel.from_frame(pd.DataFrame(rows), id="id", value="pop"), model="naive")
        >>> fc.origins.tolist(), fc.origin
        ([2002, 2001], 2002)
        """
        origins = np.array([panel.origin for panel, _ in self.split()])[self._homes]
        freeze(origins)
        return origins

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels of the intervals."""
        return tuple(self.lower)

    @property
    def citation(self) -> str | None:
        """The citation for the figures; None for the user's own data."""
        return cite(self.split()[0][0])

    def split(self) -> list[tuple[Panel, Forecast]]:
        """Return history and forecast for each span of years; a single pair if histories have the same years."""
        if isinstance(self.history, UnevenPanel):
            return list(zip(self.history.panels, self.parts, strict=True))
        return [(self.history, self)]

    def to_frame(self) -> pd.DataFrame:
        """Return the forecast as a table with one row per location and year.

        Columns: location_code, location, year, population, then lower and upper for each level, all in whole
        persons, and variant: ``estimates`` for history (without interval), ``forecast`` after the origin. For unequal
        histories, the last column is the location's origin.
        """
        held = np.nonzero(self._held)
        cells = self._name_cells(*held) | {"population": _whole(self.population[held])}
        for level in self.levels:
            cells[f"lower_{level:g}"] = _whole(self.lower[level][held])
            cells[f"upper_{level:g}"] = _whole(self.upper[level][held])
        cells["variant"] = np.where(self._known[held], ESTIMATES, FORECAST)
        if self.parts:
            cells["origin"] = self.origins[held[0]]
        return pd.DataFrame(cells)

    def to_csv(self) -> str:
        """Return :meth:`to_frame` as CSV, with provenance in each row: see :func:`write_csv`."""
        rows, provenance = self.to_frame(), dict(self.provenance)
        if self.parts:
            own = np.repeat(np.array(provenance["checksum"])[self._homes], self._held.sum(axis=1))
            provenance |= {"origin": rows.pop("origin"), "checksum": own}
        return write_csv(rows, provenance, self.citation, self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as JSON-serialisable values, as in the API and the command line."""
        # JSON has no infinity: overflow becomes null, like missing values.
        frame = self.to_frame().replace([np.inf, -np.inf], np.nan).astype(object)
        return {
            "forecasts": frame.where(frame.notna(), None).to_dict("records"),
            "remainder": self.list_remainders().to_dict("records"),
        } | self.describe()

    def list_remainders(self) -> pd.DataFrame:
        """Return the population of each sum outside its listed countries, with one row per sum and year.

        Columns: location_code, location, year, persons. UN totals include places that the tables do not list, and
        rounding, so an aggregate is the sum of its countries and this remainder. User-defined groups have none.

        Examples
        --------
        >>> import popforecast as pf
        >>> fc = pf.forecast(pf.load_panel("wpp2024"), ["World", "NGA"], 2020, 2020)
        >>> fc.list_remainders().to_dict("records")
        [{'location_code': 900, 'location': 'World', 'year': 2020, 'persons': 524}]
        """
        codes = self.locations.index
        sums = np.flatnonzero(codes.isin(list(self.remainders)))
        persons = np.array([self.remainders[code] for code in codes[sums]]).reshape(len(sums), len(self.years))
        rows, columns = np.nonzero(self._held[sums])
        return pd.DataFrame(self._name_cells(sums[rows], columns) | {"persons": _whole(persons[rows, columns])})

    def describe(self) -> dict[str, Any]:
        """Return the part of :meth:`to_dict` without the rows: notes, provenance, citation and unit."""
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
        """Return years by locations as rounded text, with estimates marked by year or, if origins differ, by figure."""
        common: NDArray[np.bool_] = np.all(self._known, axis=0)
        years = [f"{year}" + f" ({ESTIMATES})" * known for year, known in zip(self.years, common.tolist(), strict=True)]
        headings = list(disambiguate(self.locations["name"]).values())
        rows = zip(choose_roundings(self), self.population.tolist(), strict=True)
        texts = np.array([[rounding.write(persons) for persons in row] for rounding, row in rows], object)
        texts[self._known & self._held & ~common] += f" ({ESTIMATES})"
        return pd.DataFrame(texts.T, pd.Index(years, name="year"), headings)

    def plot(self, scale: str = "absolute") -> Chart:
        """Return the chart of history and forecast, which notebooks display."""
        from popforecast.charts.forecast import chart_forecast

        return chart_forecast(self, scale=scale)

    def _name_cells(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> dict[str, Any]:
        codes, names = self.locations.index.to_numpy(), self.locations["name"].to_numpy()
        return {"location_code": codes[rows], "location": names[rows], "year": self.years[columns]}

    @cached_property
    def _homes(self) -> NDArray[np.intp]:
        """The number of each location's part, shape (n,)."""
        homes = {code: i for i, (panel, _) in enumerate(self.split()) for code in panel.codes}
        return np.array([homes[code] for code in self.locations.index], np.intp)

    @cached_property
    def _held(self) -> NDArray[np.bool_]:
        """Whether a location has a year, shape (n, m)."""
        return np.array([np.isin(self.years, part.years) for _, part in self.split()])[self._homes]

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        """Whether a year is in a location's history, shape (n, m)."""
        return self.years <= self.origins[:, None]

    def __repr__(self) -> str:
        return (
            f"<Forecast: {len(self.locations)} locations, {describe_years(self.years)}, "
            f"{self.model.name} from {self.provenance['origin']}, {self.provenance['intervals']} intervals>"
        )

    def _repr_html_(self) -> str:
        names = self.locations["name"].to_dict()
        notes = [f"{names[note.location_code]}: {note.text}" for note in self.notes]
        return write_cell(self.to_table(), repr(self), notes, max_cols=12)


def write_csv(
    rows: pd.DataFrame, provenance: Mapping[str, Any], citation: str | None, notes: Iterable[Note] = ()
) -> str:
    """Return the rows of a forecast as CSV, with provenance in further columns.

    Provenance is repeated in every row, so that it survives splitting and joining files. An apostrophe is put before
    names that spreadsheets would read as formulas.

    Parameters
    ----------
    rows : DataFrame
        As returned by :meth:`Forecast.to_frame`.
    provenance : mapping
        The columns are revision, checksum, origin, model, intervals, version and, after the citation, source.
    citation : str, optional
    notes : iterable of Note
        Notes; the last column has those of the row's location, separated by semicolons.
    """
    constants = {name: provenance[name] for name in PROVENANCE if name in provenance} | {
        "citation": citation,
        # New columns go last, because users may rely on the positions.
        "source": provenance["source"],
        "note": rows["location_code"].map(join_notes(notes)),
    }
    # A column with an infinite bound has floats, written like the whole numbers of other columns.
    return guard_formulas(rows).assign(**constants).to_csv(index=False, lineterminator="\n", float_format="%.15g")


def choose_roundings(forecast: Forecast) -> list[Rounding]:
    """Return the rounding of each location in a table, the same for its figures and bounds.

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
    flat = np.rint(values)
    missing = np.isnan(flat)
    if not (np.abs(flat[~missing]) < 2.0**63).all():
        # The forecast of an explosive AR can overflow integers, so keep floats.
        return flat
    if not missing.any():
        return flat.astype(np.int64)
    return pd.arrays.IntegerArray(np.where(missing, 0, flat).astype(np.int64), missing)
