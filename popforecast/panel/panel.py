"""Panel: population by location and year, checked for completeness and regularity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from popforecast.errors import PanelError, YearError
from popforecast.panel.checks import check_figures, check_grid, complete_locations, describe_years
from popforecast.panel.components import Components
from popforecast.panel.frames import read_frame
from popforecast.panel.frozen import Frozen, freeze
from popforecast.panel.locations import LocationIndex, build_index
from popforecast.panel.matching import check_fit
from popforecast.panel.rectangles import UnevenPanel
from popforecast.panel.source import Source, Update
from popforecast.text import write_cell

COUNTRY = "Country/Area"

# The default, which raises the error for a panel without locations.
NOWHERE = pd.DataFrame()


@dataclass(frozen=True, eq=False, repr=False)
class Panel(Frozen, tables=("locations",)):
    """Population of locations over years: complete, regular and immutable.

    Parameters
    ----------
    values : array_like, shape (n, t)
        Population in persons: finite and non-negative.
    years : array_like, shape (t,)
        Whole years, increasing in equal steps.
    locations : DataFrame of n rows, indexed by code
        Columns ``name``, ``type``, ``iso3``, ``parent``, ``region``; absent columns are left empty.
    revision : str, optional
        The edition of World Population Prospects the figures come from.
    updates : tuple of Update
        Interim updates to that edition (:mod:`popforecast.wpp.updates`), oldest first.
    source : Source, optional
        The edition the figures were read from. Loading and reading attach it; naming a revision does not.
    attached : Components or callable, optional
        The source of :attr:`components`, or a function that loads them at first use.

    Raises
    ------
    PanelError
        If a population is missing or invalid, or the years are not regular.

    Examples
    --------
    >>> places = pd.DataFrame({"name": ["Arda", "Midgard"]}, index=["AR", "MI"])
    >>> panel = Panel([[100, 110, 121], [50, 50, 50]], [2000, 2005, 2010], places)
    >>> panel.step, panel.origin
    (5, 2010)
    >>> panel.until(2005).values.shape
    (2, 2)
    """

    values: NDArray[np.float64]
    years: NDArray[np.int64]
    locations: pd.DataFrame = NOWHERE
    revision: str | None = None
    updates: tuple[Update, ...] = ()
    source: Source | None = None
    attached: Components | Callable[[], Components] | None = None

    if TYPE_CHECKING:
        # Accepts anything NumPy can convert to an array, and keeps that array.
        def __init__(
            self,
            values: ArrayLike,
            years: ArrayLike,
            locations: pd.DataFrame | None = None,
            revision: str | None = None,
            updates: tuple[Update, ...] = (),
            source: Source | None = None,
            attached: Components | Callable[[], Components] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        locations = complete_locations(self._places)
        years = check_grid(self.years)
        values = check_figures(self.values, years, locations)
        for name, checked in (("values", values), ("years", years), ("locations", locations)):
            object.__setattr__(self, name, checked)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        id: str = "location_code",
        time: str = "year",
        value: str = "population",
        group: str | None = None,
        name: str | None = None,
        revision: str | None = None,
    ) -> Panel | UnevenPanel:
        """Build a panel from a long table with one row per location and year.

        Years may be dates, if all fall on the same day of the year. If locations begin or end in different years, the
        result is an :class:`~popforecast.panel.rectangles.UnevenPanel` with one panel for each span of years;
        ``forecast`` and ``backtest`` accept it like a panel.

        Parameters
        ----------
        frame : DataFrame
            The table; rows may be in any order.
        id, time, value : str
            Columns with location codes, years and population (persons).
        group, name : str, optional
            Columns with each location's region and display name (default: its code).
        revision : str, optional
            The source of the figures.

        Raises
        ------
        PanelError
            If a column is missing, a cell is not a number, or a location repeats a year or lacks one between its first
            and last.

        Examples
        --------
        >>> rows = {"fips": ["A", "A", "B", "B"], "year": [2000, 2001] * 2, "pop": [1, 2, 3, 4]}
        >>> Panel.from_frame(pd.DataFrame(rows), id="fips", value="pop").values.tolist()
        [[1.0, 2.0], [3.0, 4.0]]
        """
        panels = tuple(cls(*block, revision) for block in read_frame(frame, id, time, value, group, name))
        return panels[0] if len(panels) == 1 else UnevenPanel(panels, tuple(dict.fromkeys(frame[id].tolist())))

    @property
    def _places(self) -> pd.DataFrame:
        # The table itself: nothing here changes it, and a copy would take longer than most lookups.
        places: pd.DataFrame = self.__dict__["locations"]
        return places

    @property
    def codes(self) -> pd.Index[Any]:
        """The location codes, in the order of the rows."""
        return self._places.index.view()

    @property
    def title(self) -> str | None:
        """The revision and its updates, in one line.

        Examples
        --------
        >>> places = pd.DataFrame({"name": ["Togo"]}, index=[768])
        >>> Panel([[1, 2]], [2022, 2023], places, "wpp2024", (Update("2026-01-19", (768,), ""),)).title
        'wpp2024 + update 2026-01-19'
        """
        return self.revision and " + update ".join([self.revision, *(update.date for update in self.updates)])

    @property
    def step(self) -> int:
        """Years between consecutive columns."""
        return int(self.years[1] - self.years[0])

    @property
    def origin(self) -> int:
        """The last year of the panel, from which models forecast."""
        return int(self.years[-1])

    @cached_property
    def index(self) -> LocationIndex:
        """The names by which locations are found."""
        return build_index(self._places)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of codes, years, values and updates; the same on any machine."""
        digest = hashlib.sha256("\x1f".join(map(str, self._places.index)).encode())
        digest.update(self.years.astype("<i8").tobytes())
        digest.update(self.values.astype("<f8").tobytes())
        # An update may change projections only; anything stored under this checksum must still become stale.
        for update in self.updates:
            digest.update(f"{update.date} {update.sha256}".encode())
        # (The components of an edition have their own checksum.)
        if isinstance(self.attached, Components) and self.components:
            digest.update(self.components.checksum.encode())
        return digest.hexdigest()

    @cached_property
    def components(self) -> Components | None:
        """Ages, births, deaths and migration of these places up to the origin; None if not known."""
        whole = self.attached() if callable(self.attached) else self.attached
        return whole and whole.cut(self._places.index, self.origin)

    def with_components(self, components: Components) -> Panel:
        """Return the panel with components of some of its places; PanelError if they do not match its figures."""
        check_fit(components, self._places.index, self.years, self.values)
        return replace(self, attached=components)

    def rows(self, locations: Iterable[Hashable] | Hashable | None = None) -> NDArray[np.intp]:
        """Return the row numbers of some locations (default: all)."""
        if locations is None:
            return np.arange(len(self._places))
        if isinstance(locations, str) or not isinstance(locations, Iterable):
            locations = [locations]
        if not (codes := self.index.find_all(locations)):
            raise PanelError("no location was given: expected at least one code, ISO3 code, name or alias")
        return self._places.index.get_indexer(pd.Index(codes, tupleize_cols=False))

    def select(self, locations: Iterable[Hashable] | Hashable) -> Panel:
        """Return the panel of some locations, in the given order."""
        return self.take(self.rows(locations))

    def countries(self) -> Panel:
        """Return the panel of countries and areas, without aggregates."""
        if not len(rows := np.flatnonzero(self._places["type"] == COUNTRY)):
            raise PanelError(f"no location is of type {COUNTRY!r}, so there are no countries to take")
        return self.take(rows)

    def until(self, year: int) -> Panel:
        """Return the panel up to and including a year."""
        if year not in self.years:
            raise YearError(f"{year} is not a year of the panel, which has {describe_years(self.years)}")
        if (kept := int(np.searchsorted(self.years, year)) + 1) < 2:
            raise PanelError(f"up to {year} the panel has only one year: expected at least two")
        return self._derive(self.values[:, :kept], self.years[:kept], self._places)

    def common(self) -> Panel:
        """Return the panel itself; the counterpart of :meth:`UnevenPanel.common`."""
        return self

    def to_frame(self) -> pd.DataFrame:
        """Return the panel as a long table: location_code, location, year, population (whole persons)."""
        n, t = self.values.shape
        return pd.DataFrame(
            {
                "location_code": np.repeat(self._places.index.to_numpy(), t),
                "location": np.repeat(self._places["name"].to_numpy(), t),
                "year": np.tile(self.years, n),
                "population": np.rint(self.values).astype(np.int64).ravel(),
            }
        )

    def take(self, rows: NDArray[np.intp]) -> Panel:
        """Return the panel of some rows, in the given order."""
        locations = self._places.iloc[rows]
        if not len(locations) or not locations.index.is_unique:
            return replace(self, values=self.values[rows], locations=locations)
        return self._derive(self.values[rows], self.years, locations)

    def append(self, values: ArrayLike, locations: pd.DataFrame) -> Panel:
        """Return the panel with further locations appended.

        Raises
        ------
        PanelError
            If their figures are not populations for the same years, or a code is already in the panel.

        Examples
        --------
        >>> panel = Panel([[1, 2]], [2000, 2001], pd.DataFrame({"name": ["Arda"]}, index=["AR"]))
        >>> panel.append([[3, 4]], pd.DataFrame({"name": ["Midgard"]}, index=["MI"])).select("Midgard").values.tolist()
        [[3.0, 4.0]]
        """
        added = Panel(values, self.years, locations, self.revision)
        shared = [code for code in added.locations.index if str(code) in self.index.codes]
        if shared:
            raise PanelError(f"location code {shared[0]!r} is repeated: expected each code once")
        # All cells are objects, and stacking arrays is faster than concatenating tables.
        together = pd.DataFrame(
            np.vstack([self._places.to_numpy(), added.locations.to_numpy()]),
            self._places.index.append(added.locations.index),
            self._places.columns,
        )
        panel = self._derive(np.vstack([self.values, added.values]), self.years, together)
        # Only the appended names need indexing.
        panel.__dict__["index"] = self.index.join(added.index)
        return panel

    def _derive(self, values: NDArray[np.float64], years: NDArray[np.int64], locations: pd.DataFrame) -> Panel:
        """Return a panel made of parts of this one, which need no further checks."""
        panel = object.__new__(Panel)
        parts = {"values": np.array(values, order="C"), "years": np.array(years)}
        freeze(*parts.values())
        others = {name: getattr(self, name) for name in ("revision", "updates", "source", "attached")}
        panel.__dict__.update(parts, locations=locations, **others)
        return panel

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        title = f", {self.title}" if self.title else ""
        return f"<Panel: {len(self)} locations, {describe_years(self.years)}{title}>"

    def _repr_html_(self) -> str:
        table = pd.DataFrame(self.values, index=self._places["name"], columns=self.years).rename_axis(None)
        return write_cell(table, repr(self), max_rows=10, max_cols=8, float_format="{:,.0f}".format)
