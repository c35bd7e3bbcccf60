"""Forecasts of locations whose histories end in different years, as one table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from popforecast.forecasting.result import ESTIMATES, Forecast, choose_roundings, write_csv
from popforecast.models.base import Array, Model, Note
from popforecast.panel import describe_years
from popforecast.panel.frozen import Frozen, freeze, release
from popforecast.text import write_cell


@dataclass(frozen=True, eq=False, repr=False)
class JoinedForecast(Frozen):
    """Forecasts of several panels of one step, each from its own origin; its forms are those of a ``Forecast``.

    Attributes
    ----------
    parts : tuple of Forecast
        One for each span of years.
    codes : tuple
        All location codes, in the order in which they are shown.
    """

    parts: tuple[Forecast, ...]
    codes: tuple[Hashable, ...]

    @property
    def locations(self) -> pd.DataFrame:
        """The chosen locations, indexed by code."""
        return self._locations.copy(deep=False)

    @cached_property
    def _locations(self) -> pd.DataFrame:
        return pd.concat([part.locations for part in self.parts]).loc[list(self.codes)]

    @cached_property
    def years(self) -> np.ndarray:
        """Every year that a part has."""
        years = np.unique(np.concatenate([part.years for part in self.parts]))
        freeze(years)
        return years

    @property
    def population(self) -> Array:
        """Persons, shape (n, m); NaN in years that a location's part has not."""
        return self._spread([part.population for part in self.parts])

    @property
    def lower(self) -> Mapping[float, Array]:
        """Lower bounds by level, each of shape (n, m)."""
        return {level: self._spread([part.lower[level] for part in self.parts]) for level in self.levels}

    @property
    def upper(self) -> Mapping[float, Array]:
        """Upper bounds by level, each of shape (n, m)."""
        return {level: self._spread([part.upper[level] for part in self.parts]) for level in self.levels}

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels of the intervals."""
        return self.parts[0].levels

    @property
    def model(self) -> Model:
        """The specification that made the forecasts."""
        return self.parts[0].model

    @property
    def origins(self) -> dict[Hashable, int]:
        """The last year that the model saw of each location."""
        return {code: part.origin for part in self.parts for code in part.locations.index}

    @property
    def notes(self) -> tuple[Note, ...]:
        """What readers must know."""
        return tuple(note for part in self.parts for note in part.notes)

    @property
    def citation(self) -> str | None:
        """How to cite the figures; None where they are the reader's own."""
        return self.parts[0].citation

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the numbers come from; ``origin`` is the range of them, and ``checksum`` is a list."""
        origins = sorted(set(self.origins.values()))
        return release(self.parts[0].provenance) | {
            "origin": origins[0] if len(origins) == 1 else f"{origins[0]} to {origins[-1]}",
            "checksum": [part.provenance["checksum"] for part in self.parts],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each location and year, as :meth:`Forecast.to_frame` does, and the location's origin."""
        return self._order([part.to_frame().assign(origin=part.origin) for part in self.parts])

    def to_csv(self) -> str:
        """Return the rows as CSV, each with where it came from; ``origin`` and ``checksum`` are the location's own."""
        rows = self.to_frame().drop(columns="origin")
        own = {code: part.provenance for part in self.parts for code in part.locations.index}
        shared = self.parts[0].provenance
        varying = {
            key: rows["location_code"].map({c: p[key] for c, p in own.items()}) for key in ("checksum", "origin")
        }
        return write_csv(rows, {**shared, **varying}, self.citation, self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return the forecasts as plain values that JSON can hold."""
        frame = self.to_frame().replace([np.inf, -np.inf], np.nan).astype(object)
        return {
            "forecasts": frame.where(frame.notna(), None).to_dict("records"),
            "remainder": self.list_remainders().to_dict("records"),
        } | self.describe()

    def list_remainders(self) -> pd.DataFrame:
        """Return how many persons of each sum none of its members holds, as :meth:`Forecast.list_remainders` does."""
        return self._order([part.list_remainders() for part in self.parts])

    def describe(self) -> dict[str, Any]:
        """Return what :meth:`to_dict` says beside the rows."""
        parts = [part.describe() for part in self.parts]
        return parts[0] | {"notes": [note for part in parts for note in part["notes"]], "provenance": self.provenance}

    def to_table(self) -> pd.DataFrame:
        """Return years by locations, written for people; a year up to a location's origin is marked as an estimate."""
        names = self.locations["name"]
        shared = names.duplicated(keep=False)
        table = {}
        for code, name, twice, figures, rounding in zip(
            self.codes, names, shared, self.population, choose_roundings(self), strict=True
        ):
            heading = f"{name} ({code})" if twice else str(name)
            table[heading] = [
                rounding.write(persons) + f" ({ESTIMATES})" * bool(year <= self.origins[code] and persons == persons)
                for year, persons in zip(self.years, figures, strict=True)
            ]
        return pd.DataFrame(table, pd.Index(map(str, self.years), name="year"))

    def _order(self, tables: list[pd.DataFrame]) -> pd.DataFrame:
        place = {code: i for i, code in enumerate(self.codes)}
        rows = pd.concat(tables, ignore_index=True)
        return rows.iloc[np.argsort(rows["location_code"].map(place).to_numpy(), kind="stable")].reset_index(drop=True)

    def _spread(self, arrays: list[Array]) -> Array:
        whole = np.full((len(self.codes), len(self.years)), np.nan)
        place = {code: i for i, code in enumerate(self.codes)}
        for part, array in zip(self.parts, arrays, strict=True):
            rows = np.array([place[code] for code in part.locations.index], dtype=np.intp)
            whole[np.ix_(rows, np.searchsorted(self.years, part.years))] = array
        return whole

    def __repr__(self) -> str:
        return (
            f"<JoinedForecast: {len(self.codes)} locations, {describe_years(self.years)}, {self.model.name} from "
            f"{self.provenance['origin']}, {self.parts[0].provenance['intervals']} intervals>"
        )

    def _repr_html_(self) -> str:
        names = self.locations["name"].to_dict()
        notes = [f"{names[note.location_code]}: {note.text}" for note in self.notes]
        return write_cell(self.to_table(), repr(self), notes, max_cols=12)
