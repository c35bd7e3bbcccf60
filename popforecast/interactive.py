"""The explorer's renderer: a prepared chart as a Plotly figure, which answers the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from popforecast.figures import COLOURS, REFERENCE

if TYPE_CHECKING:
    import plotly.graph_objects

    from popforecast.plots import Chart, Line

# Greys that show on white and on dark paper.
GUIDE, GRID = "#7a848d", "rgba(128,128,128,0.25)"


def draw_figure(chart: Chart) -> plotly.graph_objects.Figure:
    """Return the chart as a Plotly figure."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, line in enumerate(chart.lines):
        colour = COLOURS[i % len(COLOURS)]
        # One click on the legend hides history, median and fan together. Two locations may share a name.
        shared = {"legendgroup": str(i), "mode": "lines", "name": line.label}
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
        solid = {"color": colour, "width": 2}
        hover = "%{y:,.4~g} " + chart.unit
        figure.add_scatter(x=line.years.tolist(), y=line.values.tolist(), line=solid, hovertemplate=hover, **shared)
        if line.reference is not None:
            years, values = line.reference
            figure.add_scatter(
                x=years[1:].tolist(),
                y=values[1:].tolist(),
                line={"color": colour, "width": 1, "dash": "dot"},
                hovertemplate=f"{hover}, {REFERENCE}",
                showlegend=False,
                **shared,
            )
        # The median starts at the last estimate, which the history has said already.
        figure.add_scatter(
            x=line.ahead.tolist(),
            y=line.median.tolist(),
            line=solid | {"dash": "dash"},
            customdata=[_describe_bounds(line, step) for step in range(len(line.ahead))],
            hovertemplate=[None] + [hover + "%{customdata}"] * (len(line.ahead) - 1),
            hoverinfo=["skip"] + ["all"] * (len(line.ahead) - 1),
            showlegend=False,
            **shared,
        )
    origin = chart.lines[0].ahead[0]
    figure.add_vline(
        x=int(origin),
        line={"color": GUIDE, "width": 1, "dash": "dot"},
        annotation={
            "text": f"last estimate, {origin}",
            "font": {"size": 11, "color": GUIDE},
            "xanchor": "right",
            "yanchor": "bottom",
        },
        annotation_position="top",
    )
    figure.update_layout(
        title={"text": chart.title},
        yaxis={"title": {"text": chart.unit}, "type": "log" if chart.scale == "log" else "linear"},
        template="plotly_white",
        font={"family": "system-ui, sans-serif"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0},
        margin={"l": 60, "r": 20, "t": 50, "b": 40},
    )
    figure.update_xaxes(gridcolor=GRID)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID)
    if chart.scale == "absolute":
        figure.update_yaxes(rangemode="tozero")
    return figure


def _describe_bounds(line: Line, step: int) -> str:
    sides = [(level, *(float(side[step]) for side in line.bounds[level])) for level in sorted(line.bounds)]
    return "".join(f"<br>{level:g} %: {lower:,.4g} to {upper:,.4g}" for level, lower, upper in sides)


def _fade(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
