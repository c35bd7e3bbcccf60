"""One chart preparation, two renderers: Matplotlib for pages and reports, Plotly for the explorer."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from popforecast.errors import PopforecastError
from popforecast.models.base import Array

if TYPE_CHECKING:
    import plotly.graph_objects
    from matplotlib.figure import Figure

    from popforecast.forecasting import Forecast

# Okabe and Ito's colours, which colour-blind readers can tell apart, darkened where white paper asks for it.
COLOURS = ("#0072b2", "#d55e00", "#007f5f", "#b0467f", "#8a6d00", "#3d6fd6", "#7a4b9d", "#5c6670")
SCALES = ("absolute", "log", "indexed")
UNITS = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"), (1, "persons"))

# Replaced by currentColor, so that a page's own text colour (light or dark) is the chart's.
INK = "#010203"


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
    """

    label: str
    years: Array
    values: Array
    ahead: Array
    median: Array
    bounds: Mapping[float, tuple[Array, Array]]


@dataclass(frozen=True, eq=False, repr=False)
class Chart:
    """A chart prepared, and not yet drawn. In a notebook cell it shows itself.

    Attributes
    ----------
    title, unit, description : str
        The description is the text alternative.
    lines : tuple of Line
    scale : {"absolute", "log", "indexed"}
    """

    title: str
    unit: str
    description: str
    lines: tuple[Line, ...]
    scale: str

    def draw(self, width: float = 7.2, height: float = 4.0) -> Figure:
        """Draw the chart with Matplotlib (inches)."""
        return _draw_lines(self, width, height)

    def svg(self, width: float = 7.2, height: float = 4.0) -> str:
        """Return the chart as SVG: the same chart gives the same bytes."""
        return render_svg(self.draw(width, height), self.description)

    def png(self, width: float = 7.2, height: float = 4.0, dpi: int = 144) -> bytes:
        """Return the chart as PNG on white."""
        content = io.BytesIO()
        self.draw(width, height).savefig(content, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
        return content.getvalue()

    def plotly(self) -> plotly.graph_objects.Figure:
        """Return the chart as a Plotly figure."""
        return _draw_plotly(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": self.description}

    def __repr__(self) -> str:
        return f"<Chart: {self.title}; {', '.join(line.label for line in self.lines)}>"


def chart_forecast(forecast: Forecast, scale: str = "absolute", since: int | None = None) -> Chart:
    """Prepare the chart of a forecast: history, median and a fan of intervals.

    Parameters
    ----------
    forecast : Forecast
    scale : {"absolute", "log", "indexed"}
        Population, its logarithm, or percent of the origin's population.
    since : int, optional
        First year of history to show (default: all).

    Raises
    ------
    PopforecastError
        If the scale is unknown.
    """
    if scale not in SCALES:
        raise PopforecastError(f"scale {scale!r}: expected one of {', '.join(SCALES)}")
    panel = forecast.history
    shown = panel.years >= (panel.years[0] if since is None else since)
    path, horizon = forecast.path, forecast.path.population.shape[1]
    ahead = forecast.origin + panel.step * np.arange(horizon + 1)
    largest = max(panel.values.max(), path.population.max(initial=0))
    divisor, unit = next(u for u in UNITS if largest >= u[0] or u[0] == 1)
    if scale == "indexed":
        unit = f"{forecast.origin} = 100"
    names = forecast.locations["name"]
    lines = []
    for i, name in enumerate(names):
        last = panel.values[i, -1:]
        factor = 100 / last[0] if scale == "indexed" and last[0] else 1 / divisor
        bounds = {
            level: tuple(np.concatenate([last, side[level][i]]) * factor for side in (path.lower, path.upper))
            for level in forecast.levels
        }
        median = np.concatenate([last, path.population[i]]) * factor
        lines.append(Line(str(name), panel.years[shown], panel.values[i, shown] * factor, ahead, median, bounds))
    what = _enumerate(list(names))
    period = f"{forecast.years[0]} to {forecast.years[-1]}"
    title = f"Population of {what}" if len(names) <= 3 else f"Population of {len(names)} locations"
    description = f"{title}: {unit}, history to {forecast.origin} and the {forecast.model.name} forecast for {period}."
    if horizon:
        ends = [f"{line.label} {line.median[-1]:,.4g}" for line in lines[:4]]
        description += f" In {forecast.years[-1]}: {'; '.join(ends)}."
    return Chart(title, unit, description, tuple(lines), scale)


def render_svg(figure: Figure, description: str) -> str:
    """Return a Matplotlib figure as an SVG element with a text alternative, the same bytes each time."""
    import matplotlib

    content = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "popforecast", "svg.fonttype": "none"}):
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = content.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    label = description.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def new_figure(width: float = 7.2, height: float = 4.0, columns: int = 1, rows: int = 1) -> tuple[Figure, Any]:
    """Return a Matplotlib figure in the house's style, without global state, and its axes."""
    import matplotlib
    from matplotlib.figure import Figure

    style = {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "axes.grid": True,
        "grid.color": "#8080804d",
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "legend.frameon": False,
        "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns)
    return figure, axes


def _draw_lines(chart: Chart, width: float, height: float) -> Figure:
    figure, axes = new_figure(width, height)
    for i, line in enumerate(chart.lines):
        colour = COLOURS[i % len(COLOURS)]
        for level in sorted(line.bounds, reverse=True):
            axes.fill_between(line.ahead, *line.bounds[level], color=colour, alpha=0.16, linewidth=0)
        axes.plot(line.years, line.values, color=colour, linewidth=1.6, label=line.label)
        axes.plot(line.ahead, line.median, color=colour, linewidth=1.6, linestyle=(0, (4, 2)))
    if chart.scale == "log":
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    elif chart.scale == "absolute":
        axes.set_ylim(bottom=0)
    axes.set_ylabel(chart.unit)
    axes.legend(loc="upper left", fontsize=9)
    axes.margins(x=0.01)
    return figure


def _draw_plotly(chart: Chart) -> plotly.graph_objects.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, line in enumerate(chart.lines):
        colour = COLOURS[i % len(COLOURS)]
        shared = {"legendgroup": line.label, "mode": "lines"}
        for level in sorted(line.bounds, reverse=True):
            lower, upper = line.bounds[level]
            figure.add_scatter(
                x=np.concatenate([line.ahead, line.ahead[::-1]]).tolist(),
                y=np.concatenate([upper, lower[::-1]]).tolist(),
                fill="toself",
                fillcolor=_fade(colour, 0.16),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                **shared,
            )
        hover = "%{x}: %{y:,.6~g} " + chart.unit + f"<extra>{line.label}</extra>"
        solid = {"color": colour, "width": 2}
        figure.add_scatter(
            x=line.years.tolist(), y=line.values.tolist(), name=line.label, line=solid, hovertemplate=hover, **shared
        )
        figure.add_scatter(
            x=line.ahead.tolist(),
            y=line.median.tolist(),
            line=solid | {"dash": "dash"},
            hovertemplate=hover,
            showlegend=False,
            **shared,
        )
    figure.update_layout(
        title={"text": chart.title},
        yaxis={"title": {"text": chart.unit}, "type": "log" if chart.scale == "log" else "linear"},
        template="plotly_white",
        hovermode="closest",
        legend={"orientation": "h", "y": -0.15},
        margin={"l": 60, "r": 20, "t": 50, "b": 40},
    )
    if chart.scale == "absolute":
        figure.update_yaxes(rangemode="tozero")
    return figure


def _fade(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def _enumerate(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
