"""Ages, births, deaths and migration behind a forecast of the model cohort: they add up to its totals."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import ModelError
from popforecast.models import Cohort, Model
from popforecast.models.base import Array, Prediction
from popforecast.models.cohort.projection import Projection
from popforecast.panel import Panel
from popforecast.panel.components import AGES, SEXES, SPAN
from popforecast.panel.frozen import Frozen
from popforecast.panel.groups import Membership
from popforecast.panel.rectangles import UnevenPanel

# Ages of a sum need members with ages to make up this share of its population; the others are assumed to be similar.
ENOUGH = 0.99


@dataclass(frozen=True, eq=False)
class Structure(Frozen):
    """The projected places behind each location of a forecast.

    Attributes
    ----------
    panel : Panel
        The whole panel, of which the projection is made anew when it is asked for: a tenth of a second.
    model : Model
    members : mapping of code to tuple of codes
        The countries of each location; of a country, itself.
    """

    panel: Panel
    model: Model
    members: Mapping[Hashable, tuple[Hashable, ...]]

    @cached_property
    def projection(self) -> tuple[dict[Hashable, int], Projection]:
        """The rows of the projected places, and their projection."""
        found = self.model.project(self.panel) if isinstance(self.model, Cohort) else None
        if found is None or self.panel.components is None:
            raise ModelError(
                f"{self.model.name} forecasts totals only here: ages and births need components of the panel's places"
            )
        return {code: row for row, code in enumerate(self.panel.codes[self.projected])}, found

    @property
    def projected(self) -> NDArray[np.intp]:
        """The rows of the panel that are projected by age."""
        return self.model.find_rows(self.panel) if isinstance(self.model, Cohort) else np.arange(0)

    def find(self, code: Hashable, name: str) -> NDArray[np.intp]:
        """Return the rows of the projection that make up a location.

        Raises
        ------
        ModelError
            If ages are not known of a location, or of too many of its members.
        """
        rows, projection = self.projection
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
        population: whole persons that sum to the forecast. Of years up to the origin, every fifth has ages.

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


def interpolate_ages(projection: Projection, rows: NDArray[np.intp], years: NDArray[np.int64]) -> Array:
    """Return the total of all rows by sex and age, shape (2, 21, years), interpolated linearly between the steps.

    Parameters
    ----------
    projection : Projection
    rows : ndarray of int
    years : ndarray of int
        After the origin, 0 for it; beyond the last step ages stay as they are there.
    """
    ages = projection.ages[rows].sum(axis=0)
    last = ages.shape[-1] - 1
    at = np.minimum(years // SPAN, last - 1)
    share = np.minimum(years / SPAN - at, 1)
    result: Array = ages[..., at] * (1 - share) + ages[..., at + 1] * share
    return result


def spread_flow(flow: Array, before: float, horizon: int) -> Array:
    """Return a five-year flow (steps,) by year, shape (horizon,), linear in time from the year before.

    In any five years of the projection it comes to the same.

    Examples
    --------
    >>> spread_flow(np.array([10.0, 15.0]), 2.0, 10).round(2).tolist()
    [1.89, 1.89, 1.89, 2.08, 2.26, 2.71, 2.92, 3.12, 3.12, 3.12]
    """
    middles = SPAN * np.arange(len(flow)) + SPAN / 2
    years = np.arange(SPAN * len(flow)) + 0.5
    path = np.interp(years, [-0.5, *middles], [before, *flow / SPAN]).reshape(-1, SPAN)
    sums = path.sum(axis=1, keepdims=True)
    by_year = (path * np.divide(flow[:, None], sums, out=np.ones_like(sums), where=sums != 0)).ravel()
    return np.concatenate([by_year, np.repeat(by_year[-1:], max(0, horizon - len(by_year)))])[:horizon]


def round_to_sum(parts: Array, total: float) -> NDArray[np.int64]:
    """Return parts rounded to integers that add up to a total; the largest remainders are rounded up.

    Examples
    --------
    >>> round_to_sum(np.array([1.4, 1.4, 1.2]), 4).tolist()
    [2, 1, 1]
    """
    scaled = parts * (total / parts.sum())
    whole = np.floor(scaled)
    lacking = round(total - whole.sum())
    flat = (scaled - whole).ravel()
    raised = whole.ravel()
    raised[np.argsort(-flat, kind="stable")[:lacking]] += 1
    return raised.reshape(parts.shape).astype(np.int64)


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
        Years after the origin are projected; earlier years are included if their ages were published.
    totals : ndarray, shape (n, m)
    """
    _, projection = structure.projection
    components, origin = structure.panel.components, structure.panel.origin
    assert components is not None
    of_place = {code: row for row, code in enumerate(components.codes)}
    tables = []
    for (code, name), row in zip(names.items(), totals, strict=True):
        rows = structure.find(code, name)
        published = [of_place[member] for member in structure.members[code] if member in of_place]
        for year, total in zip(years.tolist(), row.tolist(), strict=True):
            if year > origin:
                persons = interpolate_ages(projection, rows, np.array([year - origin]))[..., 0]
            elif year in components.years:
                persons = components.ages[published][..., components.years == year].sum(axis=0)[..., 0]
            else:
                continue
            tables.append((code, name, year, round_to_sum(persons, round(total))))
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
    _, projection = structure.projection
    origin, step = structure.panel.origin, structure.panel.step
    ahead = (years[years > origin] - origin) // step
    tables = []
    for (code, name), totals in zip(names.items(), np.rint(path), strict=True):
        rows = structure.find(code, name)
        horizon = step * int(ahead.max(initial=0))
        both = (projection.births, projection.deaths)
        born, died = (
            np.rint(spread_flow(flow[rows].sum(axis=0), last[rows].sum(), horizon).reshape(-1, step).sum(axis=1))
            for flow, last in zip(both, projection.before, strict=True)
        )
        moved = np.diff(totals[: len(born) + 1]) - born + died
        tables.append(
            pd.DataFrame(
                {
                    "location_code": [code] * len(ahead),
                    "location": name,
                    "year": origin + step * ahead,
                    "births": born[ahead - 1].astype(np.int64),
                    "deaths": died[ahead - 1].astype(np.int64),
                    "net_migration": moved[ahead - 1].astype(np.int64),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
