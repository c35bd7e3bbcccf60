"""UnevenPanel: locations whose histories begin or end in different years."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError, YearError
from popforecast.panel.frozen import Frozen, freeze
from popforecast.panel.locations import LocationIndex, build_index
from popforecast.text import write_cell

if TYPE_CHECKING:
    from popforecast.panel import Panel


@dataclass(frozen=True, eq=False, repr=False)
class UnevenPanel(Frozen):
    """Panels with the same step and grid, one for each combination of first and last year.

    ``forecast`` and ``backtest`` accept it like a panel. Each location is forecast from its own last year and its full
    history; pooled estimates (growth, bounds, past errors) use all locations that cover its years, cut to those years
    (:meth:`cover`).

    Attributes
    ----------
    panels : tuple of Panel
    codes : tuple
        All location codes, in the order of the input table.

    Examples
    --------
    >>> from popforecast import Panel
    >>> rows = {"id": [*"AAABB"], "year": [2000, 2001, 2002, 2001, 2002], "pop": [1, 2, 3, 4, 5]}
    >>> both = Panel.from_frame(pd.DataFrame(rows), id="id", value="pop")
    >>> both
    <UnevenPanel: 2 locations, 2000 to 2002, from 2000 to 2001 until 2002>
    >>> both.cover(1).values.tolist()
    [[4.0, 5.0], [2.0, 3.0]]
    """

    panels: tuple[Panel, ...]
    codes: tuple[Hashable, ...]

    @property
    def step(self) -> int:
        """Years between two figures."""
        return self.panels[0].step

    @property
    def years(self) -> NDArray[np.int64]:
        """All years from the first to the last figure of any location."""
        first = min(int(panel.years[0]) for panel in self.panels)
        years = np.arange(first, self.origin + 1, self.step)
        freeze(years)
        return years

    @property
    def origin(self) -> int:
        """The last year of any location; some end earlier."""
        return max(panel.origin for panel in self.panels)

    @property
    def revision(self) -> str | None:
        """The source of the figures."""
        return self.panels[0].revision

    @property
    def locations(self) -> pd.DataFrame:
        """All locations, in the order of the input table."""
        return self._locations.copy(deep=False)

    @cached_property
    def _locations(self) -> pd.DataFrame:
        return pd.concat([panel.locations for panel in self.panels]).loc[list(self.codes)]

    @cached_property
    def index(self) -> LocationIndex:
        """The names by which locations are found."""
        return build_index(self.locations)

    @cached_property
    def homes(self) -> Mapping[Hashable, int]:
        """The number of the panel that contains each location."""
        homes = {code: number for number, panel in enumerate(self.panels) for code in panel.locations.index}
        return MappingProxyType(homes)

    def rows(self, locations: Iterable[Hashable] | Hashable | None = None) -> NDArray[np.intp]:
        """Return the row numbers of some locations (default: all)."""
        if locations is None:
            return np.arange(len(self))
        if isinstance(locations, str) or not isinstance(locations, Iterable):
            locations = [locations]
        codes = self.index.find_all(locations)
        if not codes:
            raise PanelError("no location was given: expected at least one code, name or alias")
        return self.locations.index.get_indexer(pd.Index(codes, tupleize_cols=False))

    def cover(self, number: int) -> Panel:
        """Return one of the panels followed by all other locations that cover its years, cut to those years."""
        own = panel = self.panels[number]
        for other in self.panels:
            if other is not own and other.years[0] <= own.years[0] and other.origin >= own.origin:
                at = int(np.searchsorted(other.years, own.years[0]))
                panel = panel.append(other.values[:, at : at + len(own.years)], other.locations)
        return panel

    def common(self) -> Panel:
        """Return the panel of all locations over their common years.

        Raises
        ------
        PanelError
            If there are fewer than two such years.
        """
        first = max(int(panel.years[0]) for panel in self.panels)
        last = min(panel.origin for panel in self.panels)
        if last <= first:
            raise PanelError(
                f"locations have fewer than two years in common: one begins in {first}, one ends in {last}"
            )
        parts = [(p.values[:, (p.years >= first) & (p.years <= last)], p.locations) for p in self.panels]
        values, places = np.vstack([part[0] for part in parts]), pd.concat([part[1] for part in parts])
        order = places.index.get_indexer(pd.Index(list(self.codes), tupleize_cols=False))
        years = np.arange(first, last + 1, self.step)
        return replace(self.panels[0], values=values[order], years=years, locations=places.iloc[order])

    def select(self, locations: Iterable[Hashable] | Hashable) -> Panel | UnevenPanel:
        """Return some locations: a :class:`Panel` if they share their first and last years."""
        codes = self.locations.index[self.rows(locations)].tolist()
        if len(set(codes)) < len(codes):
            raise PanelError("a location was given twice: expected each once")
        kept = {number: [code for code in codes if self.homes[code] == number] for number in range(len(self.panels))}
        panels = [self.panels[number].select(own) for number, own in kept.items() if own]
        return panels[0] if len(panels) == 1 else UnevenPanel(tuple(panels), tuple(codes))

    def until(self, year: int) -> UnevenPanel:
        """Return the figures up to and including a year, for locations with at least two of them."""
        if year not in self.years:
            raise YearError(f"{year} is not a year of the panel, which has {self.years[0]} to {self.origin}")
        known = [p for p in self.panels if p.years[1] <= year]
        if not known:
            raise PanelError(f"up to {year} no location has two years")
        cut = tuple(p.until(min(year, p.origin)) for p in known)
        held = {code for panel in cut for code in panel.locations.index}
        return UnevenPanel(cut, tuple(code for code in self.codes if code in held))

    def to_frame(self) -> pd.DataFrame:
        """Return a long table: location_code, location, year, population (whole persons)."""
        table = pd.concat([panel.to_frame() for panel in self.panels], ignore_index=True)
        place = {code: i for i, code in enumerate(self.codes)}
        return table.sort_values("location_code", key=lambda codes: codes.map(place), kind="stable", ignore_index=True)

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        starts, ends = ([int(panel.years[i]) for panel in self.panels] for i in (0, -1))
        return (
            f"<UnevenPanel: {len(self)} locations, {self.years[0]} to {self.origin}, "
            f"from {_say_range(starts)} until {_say_range(ends)}>"
        )

    def _repr_html_(self) -> str:
        rows = [{"first": panel.years[0], "last": panel.origin, "locations": len(panel)} for panel in self.panels]
        return write_cell(pd.DataFrame(rows), repr(self), index=False)


def _say_range(years: list[int]) -> str:
    low, high = min(years), max(years)
    return str(low) if low == high else f"{low} to {high}"
