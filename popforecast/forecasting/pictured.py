"""Charts of ages, births, deaths and migration of a forecast."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import ModelError, YearError
from popforecast.forecasting.structure import FLOWS, Structured, count_ages, count_flows
from popforecast.models.base import Array
from popforecast.panel import Panel

if TYPE_CHECKING:
    from popforecast.charts.flows import Flow
    from popforecast.charts.forecast import Chart
    from popforecast.charts.pyramid import Pyramid


class Pictured(Structured):
    """Charts of a forecast by the model ``cohort``."""

    def plot_ages(
        self, year: int | None = None, location: Hashable | None = None, compared: int | None = None
    ) -> Pyramid:
        """Return the age pyramid of a location in one year, with the outline of another year.

        Parameters
        ----------
        year : int, optional
            Any year up to the last of the forecast (default); before the origin, every fifth.
        location : code, name or alias, optional
            One of the forecast's locations; not needed if there is only one.
        compared : int, optional
            The year of the outline (default: the origin).

        Raises
        ------
        ModelError
            If the model knows no ages, or the location has none, or was not chosen.
        YearError
            If there are no ages in a year.

        Examples
        --------
        >>> import popforecast as pf
        >>> fc = pf.forecast(pf.load_panel("wpp2024"), "JPN", 2050, 2050, model=pf.Cohort(), levels=())
        >>> fc.plot_ages(2050).description[:58]
        'Japan, age pyramid of 2050 (forecast) and 2023 (estimate):'
        """
        from popforecast.charts.pyramid import chart_pyramid

        structure, origin = self._find_structure(), self.history.origin
        code, name = self._choose(location)
        year = int(self.years[-1]) if year is None else year
        compared = origin if compared is None else compared
        counted = self.count_ages([year, compared], code)
        for wanted in (year, compared):
            if wanted not in counted:
                assert structure.panel.components is not None
                known = ", ".join(map(str, structure.panel.components.years.tolist()[-3:]))
                raise YearError(
                    f"no ages in {wanted}: expected {origin} to {self._last_year}, or every fifth year before ({known})"
                )
        return chart_pyramid(name, counted, year, compared, origin)

    def plot_components(self, location: Hashable | None = None) -> Chart:
        """Return the chart of a location's births, deaths and net migration: estimates, if published, and forecast.

        Estimates are of calendar years. The forecast of a year runs from the middle of the year before.

        Raises
        ------
        ModelError
            As for :meth:`plot_ages`.
        YearError
            If the forecast has only past years, and flows of the past are not published.
        """
        from popforecast.charts.flows import chart_flows

        structure = self._find_structure()
        code, name = self._choose(location)
        flows = self.list_flows(code)
        if not any(len(flow.past) + len(flow.ahead) for flow in flows.values()):
            raise YearError(
                f"births and deaths of past years are not known here: expected a year after {self.history.origin}"
            )
        return chart_flows(name, flows, structure.panel.step)

    def count_ages(self, years: Iterable[int], code: Hashable) -> dict[int, NDArray[np.int64]]:
        """Return a location's men and women by age, shape (2, 21), in those years that have ages and are in reach."""
        structure, path = self._find_structure(), self._join_path(code)
        columns = (np.array([*years]) - int(self.history.years[0])) // structure.panel.step
        kept = columns[(columns >= 0) & (columns < len(path))]
        known = self.history.years[0] + structure.panel.step * kept
        asked = known[np.isin(known, np.array([*years]))]
        totals = path[kept[np.isin(known, asked)]]
        return count_ages(structure, code, self._name()[code], asked, totals)

    def list_flows(self, code: Hashable) -> dict[str, Flow]:
        """Return a location's births, deaths and net migration: as published by calendar year, then forecast."""
        from popforecast.charts.flows import Flow

        structure, path = self._find_structure(), self._join_path(code)
        panel, components = structure.panel, structure.panel.components
        assert components is not None
        name, start = self._name()[code], len(self.history.years) - 1
        ahead = panel.origin + panel.step * np.arange(1, len(path) - start)
        counted = count_flows(structure, code, name, path[start:]).astype(np.float64)
        members = set(structure.members[code])
        rows = [row for row, place in enumerate(components.codes) if place in members]
        flows = {}
        for column, after in zip(FLOWS, counted, strict=True):
            before = getattr(components, column)[rows].sum(axis=0)
            is_known = np.isfinite(before)
            flows[column.replace("_", " ")] = Flow(components.calendar[is_known], before[is_known], ahead, after)
        return flows

    @property
    def _last_year(self) -> int:
        history = self.history
        assert isinstance(history, Panel)
        return history.origin + history.step * self.path.population.shape[1]

    def _join_path(self, code: Hashable) -> Array:
        """Return a location's totals, from the first year of history to the last of the forecast."""
        history = self.history
        assert isinstance(history, Panel)
        row = history.locations.index.get_loc(code)
        joined: Array = np.concatenate([history.values[row], self.path.population[row]])
        return joined

    def _choose(self, location: Hashable | None) -> tuple[Hashable, str]:
        names = self._name()
        if location is None and len(names) > 1:
            raise ModelError(f"ages of {len(names)} locations: expected one, such as location={next(iter(names))!r}")
        history = self.history
        assert isinstance(history, Panel)
        code = next(iter(names)) if location is None else history.locations.index[history.rows([location])[0]]
        return code, names[code]
