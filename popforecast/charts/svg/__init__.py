"""The web page's chart, written directly as SVG; its elements are listed in :mod:`popforecast.charts.svg.drawing`."""

from __future__ import annotations

from popforecast.charts.svg.drawing import MOST_READ, draw_chart, draw_layout

__all__ = ["MOST_READ", "draw_chart", "draw_layout"]
