"""One chart preparation for three renderers.

Matplotlib draws for reports and downloads, Plotly for the explorer, :mod:`popforecast.svg` for the web page.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from popforecast.errors import PopforecastError
from popforecast.figures import COLOURS, MEDIAN, REFERENCE, Drawing, label_ends
from popforecast.models.base import Array
from popforecast.panel import Panel, describe_years

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects
    from matplotlib.axes import Axes

    from popforecast.forecasting import Forecast

SCALES = ("absolute", "log", "indexed")
UNITS = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"), (1, "persons"))

# More labels than these do not fit beside the lines.
MOST_LABELS = 14

# Where the UN's line stands beside ours, it alone is dashed.
REFERENCE_DASHES = (0, (4, 2.5))


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
    years: Array
    values: Array
    ahead: Array
    median: Array
    bounds: Mapping[float, tuple[Array, Array]]
    reference: tuple[Array, Array] | None = None
    colour: str | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Chart(Drawing):
    """Lines over years, prepared and not yet drawn. In a notebook cell it shows itself.

    Attributes
    ----------
    title, unit, description : str
        The description is the text alternative.
    lines : tuple of Line
    scale : {"absolute", "log", "indexed"}
    """

    lines: tuple[Line, ...]
    scale: str

    def paint(self, axes: Axes) -> None:
        """Draw history, median, fan and a mark at the origin, with each line's name at its end."""
        for i, line in enumerate(self.lines):
            colour = self.find_colour(i)
            for level in sorted(line.bounds, reverse=True):
                axes.fill_between(line.ahead, *line.bounds[level], color=colour, alpha=0.18, linewidth=0)
            axes.plot(line.years, line.values, color=colour, linewidth=1.8)
            if len(line.ahead) > 1:
                dashes = (0, (3, 1.5)) if line.reference is None else "-"
                axes.plot(line.ahead, line.median, color=colour, linewidth=1.8, linestyle=dashes)
            if line.reference is not None:
                axes.plot(*line.reference, color=colour, linewidth=1, linestyle=REFERENCE_DASHES)
        if self.scale == "log":
            _scale_by_logarithm(axes)
        else:
            axes.yaxis.set_major_formatter("{x:,g}")
        if self.scale == "absolute":
            axes.set_ylim(bottom=min(0, *(line.median.min() for line in self.lines)))
        axes.margins(x=0)
        axes.set_title(self.unit, loc="left", fontsize=9)
        ahead = self.lines[0].ahead
        if len(ahead) > 1 and len(self.lines[0].years):
            axes.axvline(ahead[0], color="#808080", linewidth=0.8, linestyle=(0, (1, 2)))
            axes.annotate(
                f"estimates to {ahead[0]} ", (ahead[0], 1), xycoords=("data", "axes fraction"), ha="right", fontsize=8
            )
        ends = [(line.label, *_last_point(line), self.find_colour(i)) for i, line in enumerate(self.lines)]
        label_ends(axes, sorted(ends, key=lambda end: end[2], reverse=True)[:MOST_LABELS])
        if any(line.reference is not None for line in self.lines):
            handles = [
                axes.plot([], [], color="#808080", linewidth=1.8, label=MEDIAN)[0],
                axes.plot([], [], color="#808080", linewidth=1, linestyle=REFERENCE_DASHES, label=REFERENCE)[0],
            ]
            axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=2, fontsize=8)

    def find_colour(self, i: int) -> str:
        """Return what a line is drawn in."""
        return self.lines[i].colour or COLOURS[i % len(COLOURS)]

    def plotly(self) -> plotly.graph_objects.Figure:
        """Return the chart as a Plotly figure."""
        from popforecast.interactive import draw_figure

        return draw_figure(self)

    def __repr__(self) -> str:
        return f"<Chart: {self.title}; {', '.join(line.label for line in self.lines)}>"


def chart_forecast(
    forecast: Forecast, scale: str = "absolute", since: int | None = None, medium: pd.DataFrame | None = None
) -> Chart:
    """Prepare the chart of a forecast: history, median and a fan of intervals.

    Parameters
    ----------
    forecast : Forecast
    scale : {"absolute", "log", "indexed"}
        Population, its logarithm, or percent of the origin's population.
    since : int, optional
        First year of history to show (default: all).
    medium : DataFrame, optional
        The UN's medium variant, as :func:`popforecast.load_projections` returns it: it is drawn beside each location
        that it has, over the years of the forecast.

    Raises
    ------
    PopforecastError
        If the scale is unknown.
    """
    path = forecast.path
    sides = {level: (path.lower[level], path.upper[level]) for level in forecast.levels}
    references = {} if medium is None else _select_references(forecast, medium)
    lines, unit = _prepare_lines(forecast.history, scale, path.population, sides, since, references)
    title = f"Population of {_enumerate(list(forecast.locations['name']))}"
    period = _period(forecast.years)
    if not path.population.shape[1]:
        return Chart(title, unit, f"{title}, {unit}: estimates, with {period} asked for.", lines, scale)
    ends = "; ".join(f"{line.label} {_say(line.median[-1])}" for line in lines[:4])
    description = (
        f"{title}, {unit}: history to {forecast.origin} and the {forecast.model.name} forecast for {period}. "
        f"In {forecast.years[-1]}: {ends}."
    ) + (f" Dashed: {REFERENCE}." if references else "")
    return Chart(title, unit, description, lines, scale)


def caption_forecast(forecast: Forecast) -> str:
    """Return what a chart must carry when it leaves the page: which numbers these are, and whom to cite.

    Examples
    --------
    >>> import popforecast as pf
    >>> caption_forecast(pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2035, model="ar1"))[:77]
    'popforecast 0.1.0: ar1 forecast from 2020, analytic intervals, on wpp2019 (ch'
    """
    provenance = forecast.provenance
    return (
        f"popforecast {provenance['version']}: {provenance['model']} forecast from {provenance['origin']}, "
        f"{provenance['intervals']} intervals, on {provenance['source'] or 'own figures'} (checksum "
        f"{provenance['checksum'][:12]})." + (f" {forecast.citation}" if forecast.citation else "")
    )


def chart_panel(panel: Panel, scale: str = "absolute") -> Chart:
    """Prepare the chart of a panel: history alone.

    Raises
    ------
    PopforecastError
        If the scale is unknown.
    """
    lines, unit = _prepare_lines(panel, scale, np.empty((len(panel), 0)), {}, None)
    title = f"Population of {_enumerate(list(panel.locations['name']))}"
    ends = "; ".join(f"{line.label} {_say(line.values[-1])}" for line in lines[:8])
    description = f"{title}, {unit}: {describe_years(panel.years)}. In {panel.origin}: {ends}."
    return Chart(title, unit, description, lines, scale)


def _prepare_lines(
    panel: Panel,
    scale: str,
    population: Array,
    sides: Mapping[float, tuple[Array, Array]],
    since: int | None,
    references: Mapping[Hashable, tuple[Array, Array]] = MappingProxyType({}),
) -> tuple[tuple[Line, ...], str]:
    """Return the lines of the chart and their unit."""
    if scale not in SCALES:
        raise PopforecastError(f"scale {scale!r}: expected one of {', '.join(SCALES)}")
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


def _select_references(forecast: Forecast, medium: pd.DataFrame) -> dict[Hashable, tuple[Array, Array]]:
    """Return years and persons of the medium variant by location, over the years after the origin."""
    last = forecast.origin + forecast.history.step * forecast.path.population.shape[1]
    codes = forecast.locations.index
    kept = medium[medium["location_code"].isin(codes) & medium["year"].between(forecast.origin + 1, last)]
    return {
        code: (rows["year"].to_numpy(), rows["population"].to_numpy(np.float64))
        for code, rows in kept.groupby("location_code", sort=False)
    }


def _scale_by_logarithm(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _last_point(line: Line) -> tuple[float, float]:
    return float(line.ahead[-1]), float(line.median[-1])


def _say(value: float) -> str:
    # An explosive plain AR can leave the numbers a computer has.
    return f"{value:,.4g}".replace("inf", "∞")


def _period(years: np.ndarray) -> str:
    return str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"


def _enumerate(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{len(names)} locations"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
