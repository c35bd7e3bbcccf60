"""The lines of a chart: history, forecast and bounds of each location, in one unit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from popforecast.charts.lettering import clean
from popforecast.charts.strokes import Kind
from popforecast.errors import InputError
from popforecast.models.base import Array
from popforecast.panel import Panel

if TYPE_CHECKING:
    import pandas as pd

    from popforecast.forecasting.result import Forecast

SCALES = ("absolute", "log", "indexed")
UNITS = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"), (1, "persons"))


@dataclass(frozen=True, eq=False)
class Line:
    """One series of a chart: its history, and its forecast with bounds by level.

    Attributes
    ----------
    label : str
    years, values : ndarray, shapes (t,)
        History, up to the origin.
    ahead, median : ndarray, shapes (m,)
        Forecast; it starts with the last point of the history, so that the line is whole.
    bounds : dict of float to (ndarray, ndarray)
        Lower and upper by level, along `ahead`.
    reference : (ndarray, ndarray) or None
        Years and values of another forecast to set beside ours: the UN's medium variant.
    colour : str or None
        What it is drawn in (default: the colour of its place among the lines).
    """

    label: str
    years: NDArray[Any]
    values: Array
    ahead: NDArray[Any]
    median: Array
    bounds: Mapping[float, tuple[Array, Array]]
    reference: tuple[Array, Array] | None = None
    colour: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", clean(self.label))

    def list_courses(self) -> list[tuple[Kind, NDArray[Any], Array]]:
        """Return what is drawn of it, in this order: a kind, its years and its values."""
        reference = [] if self.reference is None else [(Kind.REFERENCE, *self.reference)]
        courses = [*reference, (Kind.ESTIMATES, self.years, self.values), (Kind.FORECAST, self.ahead, self.median)]
        # A forecast of one point is the last estimate.
        return [course for course in courses if len(course[1]) > (course[0] is Kind.FORECAST)]


def prepare_lines(
    panel: Panel,
    scale: str,
    population: Array,
    sides: Mapping[float, tuple[Array, Array]],
    since: int | None,
    references: Mapping[Hashable, tuple[Array, Array]] = MappingProxyType({}),
) -> tuple[tuple[Line, ...], str]:
    """Return the lines of a chart, one for each location of the panel, and their unit.

    Raises
    ------
    InputError
        If the scale is unknown.
    """
    if scale not in SCALES:
        raise InputError(f"scale {scale!r}: expected one of {', '.join(SCALES)}")
    shown = panel.years >= (panel.years[0] if since is None else since)
    ahead = panel.origin + panel.step * np.arange(population.shape[1] + 1)
    largest = max(panel.values.max(), population.max(initial=0))
    divisor, unit = next(u for u in UNITS if largest >= u[0] or u[0] == 1)
    lines = []
    for i, (code, name) in enumerate(panel.locations["name"].items()):
        last = panel.values[i, -1:]
        factor = 100 / last[0] if scale == "indexed" and last[0] else 1 / divisor
        bounds = {
            level: (np.concatenate([last, lower[i]]) * factor, np.concatenate([last, upper[i]]) * factor)
            for level, (lower, upper) in sides.items()
        }
        median = np.concatenate([last, population[i]]) * factor
        reference = None
        if code in references:
            # From the last estimate on, like the median, so that both lines are whole.
            years, values = references[code]
            reference = np.concatenate([ahead[:1], years]), np.concatenate([last, values]) * factor
        line = Line(str(name), panel.years[shown], panel.values[i, shown] * factor, ahead, median, bounds, reference)
        lines.append(line)
    return tuple(lines), f"{panel.origin} = 100" if scale == "indexed" else unit


def select_references(forecast: Forecast, medium: pd.DataFrame) -> dict[Hashable, tuple[Array, Array]]:
    """Return years and persons of the medium variant by location, over the years after the origin."""
    last = forecast.origin + forecast.history.step * forecast.path.population.shape[1]
    codes = forecast.locations.index
    kept = medium[medium["location_code"].isin(codes) & medium["year"].between(forecast.origin + 1, last)]
    return {
        code: (rows["year"].to_numpy(), rows["population"].to_numpy(np.float64))
        for code, rows in kept.groupby("location_code", sort=False)
    }
