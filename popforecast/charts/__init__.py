"""Charts of forecasts and scores, drawn with Matplotlib, Plotly or as SVG. They compute no statistics."""

from popforecast.charts.flows import Flow, chart_flows
from popforecast.charts.forecast import Chart, caption_forecast, chart_forecast, chart_panel
from popforecast.charts.pyramid import Pyramid, chart_pyramid
from popforecast.charts.scores import (
    Bars,
    Curves,
    Dots,
    chart_bars,
    chart_bounds,
    chart_coverage,
    chart_scores,
    chart_sources,
)

__all__ = [
    "Bars",
    "Chart",
    "Curves",
    "Dots",
    "Flow",
    "Pyramid",
    "caption_forecast",
    "chart_bars",
    "chart_bounds",
    "chart_coverage",
    "chart_flows",
    "chart_forecast",
    "chart_panel",
    "chart_pyramid",
    "chart_scores",
    "chart_sources",
]
