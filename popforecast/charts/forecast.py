"""Preparation of charts, shared by three renderers.

Matplotlib draws reports and downloads, Plotly the explorer, and :mod:`popforecast.charts.svg` the web page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from popforecast.charts.lines import UNITS, Course, Line, prepare_lines, select_references
from popforecast.charts.strokes import FAINT, Entry, Kind, choose_stroke, list_key
from popforecast.charts.style import COLOURS, Drawing, label_ends, mark_origin, write_key
from popforecast.models.base import Prediction
from popforecast.panel import Panel, describe_years
from popforecast.text import join_words

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects
    from matplotlib.axes import Axes

    from popforecast.forecasting.result import Forecast

# Diameter in points of the dot at the end of the estimates.
DOT = 4

# Maximum number of labels that fit next to the lines.
MOST_LABELS = 14

# Charts with more lines show no intervals and no UN projections.
MOST_FANS = 6


@dataclass(frozen=True, eq=False, repr=False)
class Chart(Drawing):
    """A line chart over years that is prepared but not yet drawn. Notebooks display it.

    Attributes
    ----------
    title, unit, description : str
        Texts; the description is the text alternative.
    lines : tuple of Line
    scale : {"absolute", "log", "indexed"}
    """

    lines: tuple[Line, ...]
    scale: str

    def paint(self, axes: Axes) -> None:
        """Draw history, median and intervals, mark the origins, and label each line at its end."""
        for i, line in enumerate(self.lines):
            colour = self.find_colour(i)
            for level in self.list_levels(line):
                axes.fill_between(line.ahead, *line.bounds[level], color=colour, alpha=FAINT, linewidth=0)
            for course in self.list_courses(line):
                draw_course(axes, course, colour)
            if self.marks_ends:
                axes.plot(line.ahead[0], line.median[0], "o", color=colour, markersize=DOT)
        if self.scale == "log":
            _scale_by_logarithm(axes)
        else:
            axes.yaxis.set_major_formatter("{x:,g}")
        if self.scale == "absolute":
            drawn = [part for line in self.lines for part in (line.median, line.values) if len(part)]
            drawn += [line.bounds[level][0] for line in self.lines for level in self.list_levels(line)]
            lowest = min(0.0, *(float(np.min(values)) for values in drawn))
            # A negative bound needs a margin below it.
            axes.set_ylim(bottom=lowest * 1.05)
        axes.margins(x=0)
        if self.has_forecast and len(self.lines[0].years):
            mark_origin(axes, self.origins[-1], self.say_origin(), with_rule=not self.marks_ends)
        whole = [(self.lines[i], self.find_colour(i)) for i in sorted(self.find_whole())]
        ends = [(line.label, float(line.ahead[-1]), float(line.median[-1]), colour) for line, colour in whole]
        label_ends(axes, sorted(ends, key=lambda end: end[2], reverse=True)[:MOST_LABELS])
        write_key(axes, self.list_key())

    @property
    def has_forecast(self) -> bool:
        """Whether there are years after the origin."""
        return any(len(line.ahead) > 1 for line in self.lines)

    @cached_property
    def origins(self) -> list[int]:
        """The last years of estimates, sorted; several if histories end in different years."""
        return sorted({int(line.ahead[0]) for line in self.lines})

    @property
    def marks_ends(self) -> bool:
        """Whether a dot marks the end of each line's estimates, because the origins differ."""
        return self.has_forecast and len(self.origins) > 1

    def say_origin(self) -> str:
        """Return the label of the origin, with the last years of estimates."""
        return f"{'dots: end of estimates,' if self.marks_ends else 'estimates to'} {_say_range(self.origins)}"

    @cached_property
    def shows_fans(self) -> bool:
        """Whether there are few enough lines to show intervals and UN projections."""
        return len(self.find_whole()) <= MOST_FANS

    def find_whole(self) -> set[int]:
        """Return the lines to label; the others are histories shared by several forecasts."""
        return {i for i, line in enumerate(self.lines) if line.whole}

    def list_courses(self, line: Line) -> list[Course]:
        """Return the courses of a line that this chart shows."""
        return [course for course in line.list_courses() if self.shows_fans or course.kind is not Kind.REFERENCE]

    def list_levels(self, line: Line) -> list[float]:
        """Return the levels of the intervals to draw for a line, widest first."""
        return sorted(line.bounds, reverse=True) if self.shows_fans and len(line.ahead) > 1 else []

    def list_key(self) -> list[Entry]:
        """Return the key to the lines and areas; empty for a chart of estimates only."""
        if not self.has_forecast:
            return []
        kinds = {kind for line in self.lines for kind, _, _ in self.list_courses(line)}
        return list_key(kinds, {level for line in self.lines for level in self.list_levels(line)})

    @property
    def divisor(self) -> float:
        """The chart's unit in persons; 1 if the unit is not a number of persons."""
        return next((size for size, unit in UNITS if unit == self.unit), 1)

    def find_colour(self, i: int) -> str:
        """Return the colour of a line."""
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
    """Return the chart of a forecast: history, median and intervals.

    Parameters
    ----------
    forecast : Forecast
    scale : {"absolute", "log", "indexed"}
        Population, log population, or population as a percentage of that at the origin.
    since : int, optional
        First year of history to show (default: all).
    medium : DataFrame, optional
        The UN's medium variant, as returned by :func:`popforecast.load_projections`, to draw for comparison where it
        is available, for the years of the forecast.

    Raises
    ------
    InputError
        If the scale is unknown.
    """
    references = {} if medium is None else select_references(forecast, medium)
    by_code, unit = prepare_lines([(panel, part.path) for panel, part in forecast.split()], scale, since, references)
    lines = tuple(by_code[code] for code in forecast.locations.index)
    title, years = _name_chart(forecast.locations), forecast.years
    period = str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
    if not forecast.path.population.shape[1]:
        return Chart(title, unit, f"{title}, {unit}: estimates, including {period}.", lines, scale)
    description = (
        f"{title}, {unit}: estimates to {_say_range(sorted(forecast.origins.tolist()))} and the {forecast.model.name} "
        f"forecast for {period}. {_say_ends(lines[:4])}"
    ) + (f" Dashed: {Kind.REFERENCE}." if references and len(lines) <= MOST_FANS else "")
    return Chart(title, unit, description, lines, scale)


def caption_forecast(forecast: Forecast) -> str:
    """Return the caption of a downloaded chart: provenance and citation.

    Examples
    --------
    >>> import popforecast as pf
    >>> caption_forecast(pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2035, model="ar1"))[:77]
    'popforecast 0.1.0: ar1 forecast from 2020, analytic intervals, on wpp2019 (ch'
    """
    provenance = forecast.provenance
    checksums = [part.provenance["checksum"][:12] for _, part in forecast.split()]
    return (
        f"popforecast {provenance['version']}: {provenance['model']} forecast from {provenance['origin']}, "
        f"{provenance['intervals']} intervals, on {provenance['source'] or 'own figures'} (checksum "
        f"{', '.join(checksums)})." + (f" {forecast.citation}" if forecast.citation else "")
    )


def chart_panel(panel: Panel, scale: str = "absolute") -> Chart:
    """Return the chart of a panel: history only.

    Raises
    ------
    InputError
        If the scale is unknown.
    """
    by_code, unit = prepare_lines([(panel, Prediction(np.empty((len(panel), 0)), {}, {}))], scale)
    lines = tuple(by_code.values())
    title = _name_chart(panel.locations)
    description = f"{title}, {unit}: {describe_years(panel.years)}. {_say_ends(lines[:8])}"
    return Chart(title, unit, description, lines, scale)


def draw_course(axes: Axes, course: Course, colour: str) -> None:
    """Draw a line in the style of its kind."""
    stroke = choose_stroke(course.kind)
    axes.plot(course.years, course.values, color=colour, linewidth=stroke.width, linestyle=stroke.linestyle)


def _scale_by_logarithm(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _say(value: float) -> str:
    # The forecast of an explosive AR can overflow.
    return f"{value:,.4g}".replace("inf", "∞")


def _name_chart(locations: pd.DataFrame) -> str:
    names = list(locations["name"])
    return f"Population of {join_words(names) if len(names) <= 3 else f'{len(names)} locations'}"


def _say_ends(lines: Sequence[Line]) -> str:
    """Return a sentence with the last figure of each line, by year."""
    by_year: dict[int, list[str]] = {}
    for line in lines:
        by_year.setdefault(int(line.ahead[-1]), []).append(f"{line.label} {_say(line.median[-1])}")
    return " ".join(f"In {year}: {'; '.join(ends)}." for year, ends in sorted(by_year.items()))


def _say_range(years: Sequence[int]) -> str:
    return str(years[0]) if years[0] == years[-1] else f"{years[0]}–{years[-1]}"
