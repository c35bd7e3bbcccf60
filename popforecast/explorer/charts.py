"""Charts of the explorer, as MIME bundles for the Plotly renderer of Jupyter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd

from popforecast.charts.forecast import Chart, chart_forecast
from popforecast.charts.lines import Line
from popforecast.charts.plotly import GUIDE, LAYOUT, describe_figure, draw_rule, label_axis, list_numbers, write_text
from popforecast.charts.style import COLOURS
from popforecast.explorer.residuals import Residuals
from popforecast.forecasting.result import Forecast
from popforecast.models.base import Array, Prediction
from popforecast.panel import Panel

PLOTLY = "application/vnd.plotly.v1+json"

# No toolbar: the page has its own controls, and a double click resets the view.
PLOTLY_CONFIG = {"responsive": True, "displayModeBar": False, "displaylogo": False, "typesetMath": False}

# Elements that belong to no model have a colour that no line uses.
PAST = GUIDE


def chart_answer(forecasts: Sequence[Forecast], scale: str = "absolute") -> Chart:
    """Return the chart of the forecasts of one or more models.

    With several models, the history of each location and each forecast are separate lines, named after location and
    model, so that the legend can hide each. If all years are estimates, there is one line per location.
    """
    first, *others = forecasts
    if not others or first.years[-1] <= first.origin:
        return chart_forecast(first, scale)
    chart = chart_forecast(_stack(forecasts), scale)
    each = chart.lines[:: len(forecasts)]
    pasts = [_keep_past(line, name) for line, name in zip(each, first.locations["name"], strict=True)]
    return replace(
        chart,
        title=chart_forecast(first, scale).title,
        description=_describe(forecasts, chart),
        lines=(*pasts, *map(_keep_future, chart.lines, cycle(COLOURS))),
    )


def draw_answer(chart: Chart) -> dict[str, Any]:
    """Return a chart as a MIME bundle: Plotly JSON and the text alternative."""
    figure = describe_figure(chart)
    if any(line.colour == PAST for line in chart.lines):
        for trace in figure["data"]:
            if len(trace["x"]) == 1 and "hovertemplate" in trace:
                trace["hoverinfo"] = "skip"
                del trace["hovertemplate"]
    del figure["layout"]["title"]
    return _bundle(figure, 440, {"l": 52, "r": 12, "t": 24, "b": 32}, chart.description)


def draw_residuals(residuals: Mapping[str, Residuals]) -> dict[str, Any]:
    """Return a chart of residuals by year, in percent of the population, with one line per name."""
    traces = [
        {
            "type": "scatter",
            "x": these.years.tolist(),
            "y": list_numbers(np.round(these.percent, 4).tolist()),
            "name": write_text(name),
            "mode": "lines+markers" if these.past else "lines",
            "line": {"color": COLOURS[i % len(COLOURS)], "width": 1.5},
            "hovertemplate": "%{y:+.2f}%",
        }
        for i, (name, these) in enumerate(residuals.items())
    ]
    layout = LAYOUT | {
        "yaxis": label_axis("percent") | {"zeroline": False},
        "shapes": [draw_rule(x0=0, x1=1, xref="x domain", y0=0, y1=0, line={"color": PAST, "width": 1})],
        "showlegend": True,
    }
    description = f"Residuals by year, in percent, of {', '.join(residuals)}."
    return _bundle({"data": traces, "layout": layout}, 320, {"l": 52, "r": 12, "t": 12, "b": 32}, description)


def label_line(forecast: Forecast, code: Any) -> str:
    """Return the label of a line if several models are shown."""
    return f"{forecast.locations['name'][code]}, {forecast.model.name}"


def _stack(forecasts: Sequence[Forecast]) -> Forecast:
    """Return all lines as locations of one forecast, so that they share unit and scale."""
    first = forecasts[0]
    labels = [label_line(forecast, code) for code in first.locations.index for forecast in forecasts]

    def join(values: Sequence[Array]) -> Array:
        # Ordered by location, then by model.
        return np.stack(values, axis=1).reshape(len(labels), -1)

    past = join([it.history.common().values for it in forecasts])
    history = Panel(past, first.history.years, pd.DataFrame({"name": labels}))
    path = Prediction(
        join([it.path.population for it in forecasts]),
        {level: join([it.path.lower[level] for it in forecasts]) for level in first.levels},
        {level: join([it.path.upper[level] for it in forecasts]) for level in first.levels},
    )
    return replace(
        first,
        history=history,
        population=join([it.population for it in forecasts]),
        lower={level: join([it.lower[level] for it in forecasts]) for level in first.levels},
        upper={level: join([it.upper[level] for it in forecasts]) for level in first.levels},
        path=path,
        notes=(),
    )


def _keep_past(line: Line, name: str) -> Line:
    first = replace(line, ahead=line.ahead[:1], median=line.median[:1], bounds={})
    return replace(first, label=str(name), colour=PAST, whole=False)


def _keep_future(line: Line, colour: str) -> Line:
    # A single point of history is invisible, but keeps the line in the legend.
    return replace(line, years=line.ahead[:1], values=line.median[:1], colour=colour)


def _describe(forecasts: Sequence[Forecast], chart: Chart) -> str:
    first = forecasts[0]
    names = ", ".join(forecast.model.name for forecast in forecasts)
    title = chart_forecast(first, chart.scale).title
    last = first.years[-1]
    if last <= first.origin:
        return f"{title}, {chart.unit}: estimates to {last}."
    ends = "; ".join(f"{line.label} {line.median[-1]:,.4g}".replace("inf", "∞") for line in chart.lines)
    return f"{title}, {chart.unit}: estimates to {first.origin} and the forecasts of {names}. In {last}: {ends}."


def _bundle(figure: dict[str, Any], height: int, margin: dict[str, int], description: str) -> dict[str, Any]:
    # Not FigureWidget, which sends 6.8 MB per page load and loses updates.
    layout = figure["layout"] | {"height": height, "margin": margin}
    return {PLOTLY: figure | {"layout": layout, "config": PLOTLY_CONFIG}, "text/plain": description}
