"""Ages, births, deaths and migration behind a forecast of the model cohort: they add up to its totals."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import ModelError
from popforecast.forecasting.apportioning import interpolate_ages, round_to_sum, spread_flow
from popforecast.models import Cohort, Model
from popforecast.models.base import Array, Prediction
from popforecast.models.cohort.projection import Projection
from popforecast.panel import Panel
from popforecast.panel.age_ratios import tabulate_ratios
from popforecast.panel.components import AGES, SEXES
from popforecast.panel.frozen import Frozen
from popforecast.panel.groups import Membership
from popforecast.panel.rectangles import UnevenPanel

# Components of population change, as columns.
FLOWS = ("births", "deaths", "net_migration")

# Ages of a sum need members with ages to make up this share of its population; the others are assumed to be similar.
ENOUGH = 0.99


@dataclass(frozen=True, eq=False)
class Structure(Frozen):
    """The projected places behind each location of a forecast.

    Attributes
    ----------
    panel : Panel
        The whole panel.
    model : Model
    members : mapping of code to tuple of codes
        The countries of each location; of a country, itself.
    """

    panel: Panel
    model: Model
    members: Mapping[Hashable, tuple[Hashable, ...]]

    def project(self) -> tuple[dict[Hashable, int], Projection]:
        """Return the rows of the projected places, and their projection."""
        found = project(self.panel, self.model) if isinstance(self.model, Cohort) else None
        if found is None:
            raise ModelError(
                f"{self.model.name} forecasts totals only here: ages and births need components of the panel's places"
            )
        return found

    def find(self, code: Hashable, name: str) -> NDArray[np.intp]:
        """Return the rows of the projection that make up a location.

        Raises
        ------
        ModelError
            If ages are not known of a location, or of too many of its members.
        """
        rows, projection = self.project()
        own = self.members[code]
        known = [rows[member] for member in own if member in rows]
        all_rows = self.panel.codes.get_indexer(pd.Index(list(own), tupleize_cols=False))
        total = self.panel.values[all_rows, -1].sum()
        if projection.totals[known, 0].sum() < ENOUGH * total:
            raise ModelError(
                f"no ages are known of {name} ({code}): expected a place with components, or a sum of such"
            )
        return np.array(known)


def describe_structure(panel: Panel, model: Model, membership: Membership | None, history: Panel) -> Structure | None:
    """Return the projected places behind each location of a history; None if the model has no ages."""
    if not isinstance(model, Cohort):
        return None
    countries = np.array([] if membership is None else membership.countries, dtype=object)
    summed = {} if membership is None else dict(zip(membership.aggregates, membership.matrix, strict=True))
    codes = history.codes.tolist()
    own = {code: tuple(countries[summed[code]].tolist()) if code in summed else (code,) for code in codes}
    return Structure(panel, model, own)


@lru_cache(maxsize=8)
def project(panel: Panel, model: Cohort) -> tuple[dict[Hashable, int], Projection] | None:
    """Return the projection by age of a panel and its rows by place, kept because it takes a tenth of a second."""
    found = model.project(panel)
    return found and ({code: row for row, code in enumerate(panel.codes[model.find_rows(panel)])}, found)


class Structured:
    """Ages, births, deaths and migration of a forecast by the model ``cohort``."""

    if TYPE_CHECKING:
        history: Panel | UnevenPanel
        years: np.ndarray
        population: Array
        path: Prediction
        model: Model
        structure: Structure | None

    def ages(self) -> pd.DataFrame:
        """Return population by sex and age in each year of a forecast by the model ``cohort``.

        Columns: location_code, location, year, sex (``M``, ``F``), age (the first of five years; 100 is open),
        population: whole persons that sum to the forecast. Before the origin, every fifth year has ages, as published;
        those of the origin are carried forward from the last of these.

        Raises
        ------
        ModelError
            If the model knows no ages, or a location has none.

        Examples
        --------
        >>> import popforecast as pf
        >>> fc = pf.forecast(pf.load_panel("wpp2024"), "JPN", 2050, 2050, model=pf.Cohort())
        >>> old = fc.ages().query("age >= 65")["population"].sum() / fc.population[0, 0]
        >>> bool(0.35 < old < 0.4)
        True
        """
        return tabulate_ages(self._find_structure(), self._name(), self.years, self.population)

    def age_ratios(self) -> pd.DataFrame:
        """Return the share aged 65 and over, dependency ratios and the median age, by location and year.

        Columns: see :func:`popforecast.panel.age_ratios.tabulate_ratios`.

        Raises
        ------
        ModelError
            As for :meth:`ages`.
        """
        return tabulate_ratios(self.ages())

    def components(self) -> pd.DataFrame:
        """Return births, deaths and net migration before each year after the origin, by the model ``cohort``.

        Columns: location_code, location, year, births, deaths, net_migration: whole persons since the step of the panel
        before (a year, or five), whose balance is the change of the forecast. Net migration is what births and deaths
        leave of it: the world's sums to none over each five years of the projection, and within them nearly so.

        Raises
        ------
        ModelError
            As for :meth:`ages`.
        """
        structure, history = self._find_structure(), self.history
        assert isinstance(history, Panel)
        path = np.hstack([history.values[:, -1:], self.path.population])
        return tabulate_flows(structure, self._name(), self.years, path)

    def _find_structure(self) -> Structure:
        if self.structure is None or isinstance(self.history, UnevenPanel):
            raise ModelError(
                f"{self.model.name} forecasts totals only here: ages and births need the model cohort, and components"
            )
        return self.structure

    def _name(self) -> dict[Hashable, str]:
        names: dict[Hashable, str] = self.history.locations["name"].to_dict()
        return names


def count_ages(
    structure: Structure, code: Hashable, name: str, years: NDArray[np.int64], totals: Array
) -> dict[int, NDArray[np.int64]]:
    """Return a location's population by sex and age, whole persons of shape (2, 21) that sum to the total, by year.

    Parameters
    ----------
    structure : Structure
    code, name
        The location.
    years, totals : ndarray, shape (m,)
        Years from the origin on are projected; earlier years are included if their ages were published.
    """
    _, projection = structure.project()
    components, origin = structure.panel.components, structure.panel.origin
    assert components is not None
    rows, members = structure.find(code, name), set(structure.members[code])
    published = [row for row, place in enumerate(components.codes) if place in members]
    ahead = years[years >= origin]
    projected = interpolate_ages(projection, rows, ahead - origin)
    persons = dict(zip(ahead.tolist(), np.moveaxis(projected, -1, 0), strict=True))
    past = components.ages[published].sum(axis=0)
    persons |= {year: past[..., at] for at, year in enumerate(components.years.tolist()) if year < origin}
    return {
        year: round_to_sum(persons[year], round(total))
        for year, total in zip(years.tolist(), totals.tolist(), strict=True)
        if year in persons
    }


def tabulate_ages(
    structure: Structure, names: Mapping[Hashable, str], years: NDArray[np.int64], totals: Array
) -> pd.DataFrame:
    """Return population by sex and age, whole persons that sum to the totals: see :meth:`Structured.ages`.

    Parameters
    ----------
    structure : Structure
    names : mapping of code to str
        The locations, in order.
    years : ndarray, shape (m,)
        See :func:`count_ages`.
    totals : ndarray, shape (n, m)
    """
    tables = [
        (code, name, year, persons)
        for (code, name), row in zip(names.items(), totals, strict=True)
        for year, persons in count_ages(structure, code, name, years, row).items()
    ]
    groups = len(SEXES) * len(AGES)
    return pd.DataFrame(
        {
            "location_code": np.repeat(np.array([table[0] for table in tables], dtype=object), groups),
            "location": np.repeat(np.array([table[1] for table in tables], dtype=object), groups),
            "year": np.repeat(np.array([table[2] for table in tables], dtype=np.int64), groups),
            "sex": np.tile(np.repeat(SEXES, len(AGES)), len(tables)),
            "age": np.tile(AGES, len(SEXES) * len(tables)),
            "population": np.array([table[3] for table in tables], dtype=np.int64).ravel(),
        }
    )


def tabulate_flows(
    structure: Structure, names: Mapping[Hashable, str], years: NDArray[np.int64], path: Array
) -> pd.DataFrame:
    """Return births, deaths and net migration up to each year, whole persons: see :meth:`Structured.components`.

    Parameters
    ----------
    structure : Structure
    names : mapping of code to str
        The locations, in order.
    years : ndarray
        Years; those up to the origin are omitted.
    path : ndarray, shape (n, 1 + horizon)
        Totals at the origin and at every step of the panel after it.
    """
    origin, step = structure.panel.origin, structure.panel.step
    ahead = (years[years > origin] - origin) // step
    tables = [
        pd.DataFrame(
            {
                "location_code": [code] * len(ahead),
                "location": name,
                "year": origin + step * ahead,
                **dict(zip(FLOWS, count_flows(structure, code, name, totals)[:, ahead - 1], strict=True)),
            }
        )
        for (code, name), totals in zip(names.items(), path[:, : int(ahead.max(initial=0)) + 1], strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def count_flows(structure: Structure, code: Hashable, name: str, path: Array) -> NDArray[np.int64]:
    """Return a location's births, deaths and net migration in each step after the origin, shape (3, horizon).

    Parameters
    ----------
    structure : Structure
    code, name
        The location.
    path : ndarray, shape (1 + horizon,)
        Its totals at the origin and at every step of the panel after it.
    """
    _, projection = structure.project()
    rows, step, totals = structure.find(code, name), structure.panel.step, np.rint(path)
    both = (projection.births, projection.deaths)
    born, died = (
        np.rint(
            spread_flow(flow[rows].sum(axis=0), last[rows].sum(), step * (len(path) - 1)).reshape(-1, step).sum(axis=1)
        )
        for flow, last in zip(both, projection.before, strict=True)
    )
    return np.stack([born, died, np.diff(totals) - born + died]).astype(np.int64)
