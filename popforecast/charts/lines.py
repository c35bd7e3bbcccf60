"""The lines of a chart: history, forecast and intervals of each location, in one unit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.charts.lettering import clean
from popforecast.charts.strokes import Kind
from popforecast.errors import InputError
from popforecast.models.base import Array, Prediction
from popforecast.panel import Panel

if TYPE_CHECKING:
    import pandas as pd

    from popforecast.forecasting.result import Forecast

SCALES = ("absolute", "log", "indexed")
UNITS = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"), (1, "persons"))


class Course(NamedTuple):
    """One drawn line: its kind, years and values."""

    kind: Kind
    years: NDArray[Any]
    values: Array


@dataclass(frozen=True, eq=False)
class Line:
    """One series of a chart: history, and forecast with bounds by level.

    Attributes
    ----------
    label : str
    years, values : ndarray, shapes (t,)
        History, up to the origin.
    ahead, median : ndarray, shapes (m,)
        Forecast, starting at the last point of the history so that the line is unbroken.
    bounds : dict of float to (ndarray, ndarray)
        Lower and upper bounds by level, for the years in `ahead`.
    reference : (ndarray, ndarray) or None
        Years and values of the forecast to compare with: the UN's medium variant.
    colour : str or None
        Colour (default: chosen by position among the lines).
    whole : bool
        False for a history shared by several forecasts, which is not labelled.
    """

    label: str
    years: NDArray[Any]
    values: Array
    ahead: NDArray[Any]
    median: Array
    bounds: Mapping[float, tuple[Array, Array]]
    reference: tuple[Array, Array] | None = None
    colour: str | None = None
    whole: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", clean(self.label))

    def list_courses(self) -> list[Course]:
        """Return the lines to draw, in drawing order."""
        courses = [] if self.reference is None else [Course(Kind.REFERENCE, *self.reference)]
        courses += [Course(Kind.ESTIMATES, self.years, self.values), Course(Kind.FORECAST, self.ahead, self.median)]
        # A forecast with a single point is only the last estimate.
        return [course for course in courses if len(course.years) > (course.kind is Kind.FORECAST)]


def prepare_lines(
    parts: Sequence[tuple[Panel, Prediction]],
    scale: str,
    since: int | None = None,
    references: Mapping[Hashable, tuple[Array, Array]] = MappingProxyType({}),
) -> tuple[dict[Hashable, Line], str]:
    """Return the lines of a chart by location, and their unit; each panel has its own origin.

    Raises
    ------
    InputError
        If the scale is unknown.
    """
    if scale not in SCALES:
        raise InputError(f"scale {scale!r}: expected one of {', '.join(SCALES)}")
    largest = max(max(panel.values.max(), path.population.max(initial=0)) for panel, path in parts)
    divisor, unit = choose_unit(largest)
    lines = {}
    for panel, path in parts:
        shown = panel.years >= (panel.years[0] if since is None else since)
        ahead = panel.origin + panel.step * np.arange(path.population.shape[1] + 1)
        for i, (code, name) in enumerate(panel.locations["name"].items()):
            last = panel.values[i, -1:]
            factor = 100 / last[0] if scale == "indexed" and last[0] else 1 / divisor
            median, *sides = (
                np.concatenate([last, side[i]]) * factor
                for side in (path.population, *path.lower.values(), *path.upper.values())
            )
            bounds = dict(zip(path.lower, zip(sides, sides[len(path.lower) :], strict=False), strict=True))
            reference = None
            if code in references:
                # Starts at the last estimate, like the median, so that the line is unbroken.
                years, values = references[code]
                reference = np.concatenate([ahead[:1], years]), np.concatenate([last, values]) * factor
            values = panel.values[i, shown] * factor
            lines[code] = Line(str(name), panel.years[shown], values, ahead, median, bounds, reference)
    origins = {panel.origin for panel, _ in parts}
    indexed = f"{origins.pop() if len(origins) == 1 else 'last estimate'} = 100"
    return lines, indexed if scale == "indexed" else unit


def choose_unit(largest: float) -> tuple[float, str]:
    """Return the unit of an axis in persons, and its name, by the largest figure.

    Examples
    --------
    >>> choose_unit(2_500), choose_unit(30)
    ((1000.0, 'thousand'), (1, 'persons'))
    """
    return next(unit for unit in UNITS if largest >= unit[0] or unit[0] == 1)


def select_references(forecast: Forecast, medium: pd.DataFrame) -> dict[Hashable, tuple[Array, Array]]:
    """Return years and population of the medium variant by location, after each location's origin."""
    origins = dict(zip(forecast.locations.index, forecast.origins.tolist(), strict=True))
    kept = medium[medium["location_code"].isin(list(origins)) & (medium["year"] <= forecast.years[-1])]
    kept = kept[kept["year"] > kept["location_code"].map(origins)]
    return {
        code: (rows["year"].to_numpy(), rows["population"].to_numpy(np.float64))
        for code, rows in kept.groupby("location_code", sort=False)
    }
