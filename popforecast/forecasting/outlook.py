"""Outlook: a whole panel forecast to its last year, once, from which any forecast is taken."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import LevelError
from popforecast.forecasting.coherence import Coherent, Groups
from popforecast.forecasting.result import Forecast
from popforecast.models.base import Array, Model, Note, check_levels
from popforecast.panel import Panel, describe_years
from popforecast.panel.frozen import Frozen
from popforecast.panel.groups import check_groups
from popforecast.panel.years import choose_years
from popforecast.version import __version__
from popforecast.wpp.outdated import note_outdated

Locations = Iterable[Hashable] | Hashable | None


@dataclass(frozen=True, eq=False, repr=False)
class Outlook(Frozen):
    """The forecast of every location of a panel, as far as it can be asked for.

    :func:`popforecast.forecast_all` makes it. It never changes, so that threads may share one. Taking a forecast from
    it computes nothing but groups of one's own, and gives the numbers of :func:`popforecast.forecast`.

    Attributes
    ----------
    whole : Coherent
        The forecast of all locations, and what adds groups to it.
    levels : tuple of float
        Levels of its intervals.
    intervals : str
        What they hold: ``real-time``, ``final``, or ``analytic`` for a plain model.
    """

    whole: Coherent
    levels: tuple[float, ...]
    intervals: str

    @property
    def panel(self) -> Panel:
        """The history."""
        return self.whole.panel

    @property
    def model(self) -> Model:
        """The specification that made the forecast."""
        return self.whole.fitted.model

    def forecast(
        self,
        locations: Locations = None,
        start: int | None = None,
        end: int | None = None,
        levels: Sequence[float] | None = None,
        groups: Groups | None = None,
    ) -> Forecast:
        """Return the forecast of some locations, years and levels.

        Parameters
        ----------
        locations, start, end, groups
            As for :func:`popforecast.forecast`.
        levels : sequence of float, optional
            Some of the outlook's (default: all of them).

        Raises
        ------
        UnknownLocationError, RepeatedLocationError, YearError, LevelError, ModelError, PanelError
            If an argument is not valid; the error names it and what would be.
        """
        years = choose_years(self.panel, start, end)
        levels = self.levels if levels is None else self._check_levels(levels)
        locations = list_locations(locations)
        groups = check_groups(groups)
        whole = self.whole.add(groups, levels) if groups else self.whole
        rows = _choose_rows(whole.panel, locations, groups)
        history = whole.panel if locations is None else whole.panel.take(rows)
        horizon = max((int(years[-1]) - self.panel.origin) // self.panel.step, 0)
        path = whole.prediction.take(rows, slice(horizon), levels)
        past = years <= self.panel.origin
        steps = (years[~past] - self.panel.origin) // self.panel.step - 1
        known = history.values[:, np.isin(self.panel.years, years)]
        unknown = np.full(known.shape, np.nan)

        def join(before: Array, after: Array) -> Array:
            return np.hstack([before, after[:, steps]])

        codes = set(history.codes)
        replaced = (Note(code, text) for code, text in note_outdated(whole.panel, whole.membership))
        notes = (*replaced, *whole.describe(horizon, levels))
        remainders = whole.measure_remainders(rows, np.flatnonzero(np.isin(self.panel.years, years)), steps)
        return Forecast(
            history,
            years,
            join(known, path.population),
            {level: join(unknown, bound) for level, bound in path.lower.items()},
            {level: join(unknown, bound) for level, bound in path.upper.items()},
            path,
            self.model,
            tuple(note for note in notes if note.location_code in codes),
            describe_provenance(self.panel, self.model) | {"intervals": self.intervals},
            remainders,
        )

    def _check_levels(self, levels: Sequence[float]) -> tuple[float, ...]:
        chosen = check_levels(levels)
        for level in chosen:
            if level not in self.levels:
                held = ", ".join(f"{held:g}" for held in self.levels) or "none"
                raise LevelError(f"level {level!r} is not of this outlook: expected any of {held}")
        return chosen

    def __repr__(self) -> str:
        horizon = self.whole.prediction.population.shape[1]
        ahead = (
            describe_years(self.panel.origin + self.panel.step * np.arange(1, horizon + 1)) if horizon else "no year"
        )
        return f"<Outlook: {self.panel!r}, {ahead}, {self.model.name}, {self.intervals} intervals>"


def list_locations(locations: Locations) -> Locations:
    """Return the locations asked for as a list, for what gives them only once is read more than once."""
    return list(locations) if isinstance(locations, Iterable) and not isinstance(locations, str) else locations


def describe_provenance(panel: Panel, model: Model) -> dict[str, Any]:
    """Return where a number comes from: revision and its updates, checksum, origin, model and parameters, version."""
    return {
        "revision": panel.revision,
        "source": panel.title,
        "checksum": panel.checksum,
        "origin": panel.origin,
        "model": model.name,
        "parameters": model.parameters,
        "version": __version__,
    }


def _choose_rows(panel: Panel, locations: Locations, groups: Groups | None) -> NDArray[np.intp]:
    rows = panel.rows(locations)
    if locations is None or not groups:
        return rows
    added = panel.locations.index.get_indexer(pd.Index(list(groups), tupleize_cols=False))
    return np.concatenate([rows, added[~np.isin(added, rows)]])
