"""One chart preparation for three renderers.

Matplotlib draws for reports and downloads, Plotly for the explorer, :mod:`popforecast.charts.svg` for the web page.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from popforecast.charts.lines import UNITS, Line, prepare_lines, select_references
from popforecast.charts.strokes import FAINT, Entry, Kind, choose_stroke, list_key
from popforecast.charts.style import COLOURS, Drawing, label_ends, mark_origin, write_key
from popforecast.models.base import Array
from popforecast.panel import Panel, describe_years
from popforecast.text import join_words

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects
    from matplotlib.axes import Axes

    from popforecast.forecasting.result import Forecast

# More labels than these do not fit beside the lines.
MOST_LABELS = 14

# Above so many lines there are no fans and none of the UN's lines.
MOST_FANS = 6


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
            for level in self.list_levels(line):
                axes.fill_between(line.ahead, *line.bounds[level], color=colour, alpha=FAINT, linewidth=0)
            for kind, years, values in self.list_courses(line):
                stroke = choose_stroke(kind)
                axes.plot(years, values, color=colour, linewidth=stroke.width, linestyle=stroke.linestyle)
        if self.scale == "log":
            _scale_by_logarithm(axes)
        else:
            axes.yaxis.set_major_formatter("{x:,g}")
        if self.scale == "absolute":
            drawn = [line.median for line in self.lines]
            drawn += [line.bounds[level][0] for line in self.lines for level in self.list_levels(line)]
            lowest = min(0.0, *(float(np.min(values)) for values in drawn))
            # Below zero the lowest bound needs room of its own.
            axes.set_ylim(bottom=lowest * 1.05)
        axes.margins(x=0)
        if self.has_forecast and len(self.lines[0].years):
            mark_origin(axes, self.lines[0].ahead[0])
        whole = [(self.lines[i], self.find_colour(i)) for i in sorted(self.find_whole())]
        ends = [(line.label, float(line.ahead[-1]), float(line.median[-1]), colour) for line, colour in whole]
        label_ends(axes, sorted(ends, key=lambda end: end[2], reverse=True)[:MOST_LABELS])
        write_key(axes, self.list_key())

    @property
    def has_forecast(self) -> bool:
        """Whether there is anything after the origin."""
        return any(len(line.ahead) > 1 for line in self.lines)

    @cached_property
    def shows_fans(self) -> bool:
        """Whether a chart of so many lines is drawn with intervals and the UN's lines."""
        return len(self.find_whole()) <= MOST_FANS

    def find_whole(self) -> set[int]:
        """Return the lines that reach the last year; the others are histories that several forecasts go on from."""
        last = max(line.ahead[-1] for line in self.lines)
        return {i for i, line in enumerate(self.lines) if line.ahead[-1] == last}

    def list_courses(self, line: Line) -> list[tuple[Kind, Array, Array]]:
        """Return what is drawn of a line in this chart."""
        return [course for course in line.list_courses() if self.shows_fans or course[0] is not Kind.REFERENCE]

    def list_levels(self, line: Line) -> list[float]:
        """Return the levels whose intervals are drawn around a line, the widest first."""
        return sorted(line.bounds, reverse=True) if self.shows_fans and len(line.ahead) > 1 else []

    def list_key(self) -> list[Entry]:
        """Return what the lines and areas mean that are drawn; nothing where there are estimates alone."""
        if not self.has_forecast:
            return []
        kinds = {kind for line in self.lines for kind, _, _ in self.list_courses(line)}
        return list_key(kinds, {level for line in self.lines for level in self.list_levels(line)})

    @property
    def divisor(self) -> float:
        """How many persons the chart's unit is; 1 where it is no number of persons."""
        return next((size for size, unit in UNITS if unit == self.unit), 1)

    def find_colour(self, i: int) -> str:
        """Return what a line is drawn in."""
        return self.lines[i].colour or COLOURS[i % len(COLOURS)]

    def plotly(self) -> plotly.graph_objects.Figure:
        """Return the chart as a Plotly figure."""
        from popforecast.charts.plotly import draw_figure

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
    InputError
        If the scale is unknown.
    """
    path = forecast.path
    sides = {level: (path.lower[level], path.upper[level]) for level in forecast.levels}
    references = {} if medium is None else select_references(forecast, medium)
    lines, unit = prepare_lines(forecast.history, scale, path.population, sides, since, references)
    title, years = _name_chart(forecast.history), forecast.years
    period = str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
    if not path.population.shape[1]:
        return Chart(title, unit, f"{title}, {unit}: estimates, with {period} asked for.", lines, scale)
    ends = "; ".join(f"{line.label} {_say(line.median[-1])}" for line in lines[:4])
    description = (
        f"{title}, {unit}: history to {forecast.origin} and the {forecast.model.name} forecast for {period}. "
        f"In {years[-1]}: {ends}."
    ) + (f" Dashed: {Kind.REFERENCE}." if references and len(lines) <= MOST_FANS else "")
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
    InputError
        If the scale is unknown.
    """
    lines, unit = prepare_lines(panel, scale, np.empty((len(panel), 0)), {}, None)
    title = _name_chart(panel)
    ends = "; ".join(f"{line.label} {_say(line.values[-1])}" for line in lines[:8])
    description = f"{title}, {unit}: {describe_years(panel.years)}. In {panel.origin}: {ends}."
    return Chart(title, unit, description, lines, scale)


def _scale_by_logarithm(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _say(value: float) -> str:
    # An explosive plain AR can leave the numbers a computer has.
    return f"{value:,.4g}".replace("inf", "∞")


def _name_chart(panel: Panel) -> str:
    names = list(panel.locations["name"])
    return f"Population of {join_words(names) if len(names) <= 3 else f'{len(names)} locations'}"
