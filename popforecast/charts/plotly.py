"""The explorer's renderer: a prepared chart as an interactive Plotly figure."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from popforecast.charts.lettering import clean
from popforecast.charts.strokes import FAINT, Kind, Stroke, choose_stroke
from popforecast.charts.style import GREY, GUIDE
from popforecast.models.base import Array
from popforecast.text import Rounding, round_in_words

if TYPE_CHECKING:
    import plotly.graph_objects

    from popforecast.charts.forecast import Chart
    from popforecast.charts.lines import Line

# Diameter in pixels of the dot at the end of the estimates.
DOT = 7


def fade(colour: str, alpha: float) -> str:
    """Return a hex colour with an opacity, in CSS notation.

    Examples
    --------
    >>> fade("#0072b2", 0.5)
    'rgba(0,114,178,0.5)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


GRID = fade(GREY, 0.25)
AXIS = {
    "automargin": True,
    "gridcolor": GRID,
    "linecolor": GRID,
    "ticks": "",
    "zerolinecolor": GRID,
    "zerolinewidth": 2,
}
LAYOUT = {
    "autotypenumbers": "strict",
    "font": {"family": "system-ui, sans-serif", "color": "#2a3f5f"},
    "hoverlabel": {"align": "left"},
    "hovermode": "x unified",
    "legend": {"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0},
    # The key goes above the plot and the label of the origin.
    "legend2": {"orientation": "h", "yanchor": "bottom", "y": 1.06, "itemclick": False, "itemdoubleclick": False},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "xaxis": AXIS,
}


def draw_figure(chart: Chart) -> plotly.graph_objects.Figure:
    """Return the chart as a Plotly figure."""
    import plotly.graph_objects as go

    figure = describe_figure(chart)
    # The layout sets the whole appearance, so no template is needed.
    return go.Figure(figure["data"], figure["layout"] | {"template": "none"})


def describe_figure(chart: Chart) -> dict[str, Any]:
    """Return the chart as Plotly JSON (data and layout) without importing Plotly, which takes a quarter of a second."""
    origin = chart.origins[-1]
    kind = {"type": "log" if chart.scale == "log" else "linear"}
    layout = LAYOUT | {
        "title": {"text": write_text(chart.title), "x": 0.05, "y": 1, "yanchor": "top", "pad": {"t": 12}},
        "yaxis": label_axis(chart.unit) | kind | ({"rangemode": "tozero"} if chart.scale == "absolute" else {}),
        "margin": {"l": 60, "r": 20, "t": 50, "b": 40},
        "shapes": [] if chart.marks_ends else [draw_rule(x0=origin, x1=origin, y0=0, y1=1, yref="y domain")],
        "annotations": [
            {
                "text": chart.say_origin(),
                "font": {"size": 11, "color": GUIDE},
                "showarrow": False,
                "x": origin,
                "xref": "x",
                "xanchor": "right",
                "y": 1,
                "yref": "y domain",
                "yanchor": "bottom",
            }
        ],
    }
    traces = [trace for i in range(len(chart.lines)) for trace in _trace(chart, i)]
    return {"data": [*traces, *_trace_key(chart)], "layout": layout}


def write_text(text: str) -> str:
    """Return text escaped for Plotly, which would otherwise parse markup and formulas.

    Examples
    --------
    >>> write_text("<b>A</b> & $B$")
    '&lt;b&gt;A&lt;/b&gt; &amp; &#36;B&#36;'
    """
    return html.escape(clean(text), quote=False).replace("$", "&#36;")


def label_axis(unit: str) -> dict[str, Any]:
    """Return a vertical axis titled with the unit."""
    return AXIS | {"title": {"text": unit, "standoff": 15}}


def draw_rule(**ends: Any) -> dict[str, Any]:
    """Return a straight line that is not part of any series."""
    return {"type": "line", "xref": "x", "yref": "y", "line": {"color": GUIDE, "width": 1, "dash": "dot"}} | ends


def list_numbers(values: Iterable[float]) -> list[float | None]:
    """Return numbers for JSON: NaN and infinity become null.

    Examples
    --------
    >>> list_numbers(np.array([1.5, np.nan, np.inf]))
    [1.5, None, None]
    """
    return [float(value) if isfinite(value) else None for value in values]


def _trace(chart: Chart, i: int) -> Iterator[dict[str, Any]]:
    """Yield the traces of one line: intervals, history, UN projection and median."""
    line, colour = chart.lines[i], chart.find_colour(i)
    # Clicking the legend hides history, median and intervals together. Grouped by number, as names may repeat.
    shared = {"type": "scatter", "legendgroup": str(i), "mode": "lines", "name": write_text(line.label)}
    silent = shared | {"showlegend": False}
    for level in chart.list_levels(line):
        lower, upper = line.bounds[level]
        yield silent | {
            **_place(np.concatenate([line.ahead, line.ahead[::-1]]), np.concatenate([upper, lower[::-1]])),
            **_fill(FAINT, colour),
            "hoverinfo": "skip",
        }
    yield (
        shared
        | _place(line.years, line.values)
        | {
            "line": _draw(choose_stroke(Kind.ESTIMATES), colour),
            "customdata": [_say(chart, [value]) for value in line.values.tolist()],
            "hovertemplate": "%{customdata}",
        }
    )
    if line.reference is not None and chart.shows_fans:
        years, values = line.reference
        yield silent | {
            **_place(years[1:], values[1:]),
            "line": _draw(choose_stroke(Kind.REFERENCE), colour),
            "customdata": [_say(chart, [value]) for value in values[1:].tolist()],
            "hovertemplate": f"%{{customdata}}, {Kind.REFERENCE}",
        }
    # The median starts at the last estimate, for which the history shows the hover text already.
    steps = len(line.ahead) - 1
    yield silent | {
        **_place(line.ahead, line.median),
        "line": _draw(choose_stroke(Kind.FORECAST), colour),
        "customdata": [_describe_step(chart, line, step) for step in range(steps + 1)],
        "hovertemplate": [None] + ["%{customdata}"] * steps,
        "hoverinfo": ["skip"] + ["all"] * steps,
    }
    if chart.marks_ends:
        dot = {"mode": "markers", "marker": {"color": colour, "size": DOT}, "hoverinfo": "skip"}
        yield silent | _place(line.ahead[:1], line.median[:1]) | dot


def _trace_key(chart: Chart) -> Iterator[dict[str, Any]]:
    """Yield a sample of each kind of line and area, for a legend without clicks, as it applies to all locations."""
    for text, sample in chart.list_key():
        yield {
            "type": "scatter",
            "mode": "lines",
            "name": text,
            "x": [None],
            "y": [None],
            "legend": "legend2",
            "showlegend": True,
            "hoverinfo": "skip",
            **({"line": _draw(sample, GUIDE)} if isinstance(sample, Stroke) else _fill(sample, GUIDE)),
        }


def _draw(stroke: Stroke, colour: str) -> dict[str, Any]:
    return {"color": colour, "width": stroke.width, "dash": stroke.dash}


def _fill(opacity: float, colour: str) -> dict[str, Any]:
    return {"fill": "toself", "fillcolor": fade(colour, opacity), "line": {"width": 0}}


def _place(years: Array, values: Array) -> dict[str, Any]:
    return {"x": years.tolist(), "y": list_numbers(values.tolist())}


def _describe_step(chart: Chart, line: Line, step: int) -> str:
    levels = sorted(line.bounds)
    return _say(chart, [line.median[step], *(side[step] for level in levels for side in line.bounds[level])], levels)


def _say(chart: Chart, figures: Sequence[float], levels: Sequence[float] = ()) -> str:
    """Return a figure and, below it, its bounds by level, with the rounding used on all pages."""
    persons = [figure * chart.divisor for figure in figures]
    rounding = Rounding(1, f"({chart.unit})", 1) if chart.scale == "indexed" else round_in_words(*persons)
    said = rounding.say(persons[0])
    for level, lower, upper in zip(levels, persons[1::2], persons[2::2], strict=True):
        said += f"<br>{level:g}%: {rounding.write(lower)} to {rounding.write(upper)}"
    return said
