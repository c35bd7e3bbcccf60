"""The web page's chart, written directly as SVG; its elements are listed in :mod:`popforecast.charts.svg.drawing`."""

from __future__ import annotations

from popforecast.charts.svg.drawing import MOST_READ, draw_chart, draw_layout
from popforecast.charts.svg.pyramid import draw_pyramid, draw_pyramid_layout, write_data

__all__ = ["MOST_READ", "draw_chart", "draw_layout", "draw_pyramid", "draw_pyramid_layout", "write_data"]
