"""Layout of the SVG chart: scale, plot area and labels without overlaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from popforecast.charts.forecast import Chart
from popforecast.charts.lettering import LEADING, clean, measure, spread, wrap
from popforecast.charts.lines import Line
from popforecast.charts.svg.scales import LARGEST, Points, Scale, choose_scale
from popforecast.models.base import Array

# To show whole intervals, the axis may extend beyond the lines by this multiple of their range or, on a logarithmic
# scale, by this factor.
MOST_SPREAD, MOST_RATIO = 1.5, 4

# If the lowest tick is below this in the chart's unit, each tick is written in its own unit.
FINEST = 0.001

# Space between elements, in pixels.
GAP = 8

# Heights in ems: a label, the row of years, and a row of the key.
LABEL, YEARS, KEY = 1.4, 1.8, 1.6


@dataclass(frozen=True)
class Layout:
    """The dimensions of a drawing, in pixels.

    Attributes
    ----------
    name : str
        CSS class.
    width, height : int
    size : float
        Font size.
    beside : float
        Maximum width of the labels.
    label_lines : int
        Maximum number of lines of a label.
    ticks : int
        Maximum number of steps on the vertical axis.
    """

    name: str
    width: int
    height: int
    size: float
    beside: float
    label_lines: int
    ticks: int


WIDE = Layout("wide", 760, 420, 13, 170, 4, 6)
NARROW = Layout("narrow", 320, 350, 12, 92, 7, 5)


@dataclass(frozen=True)
class Label:
    """A label, wrapped into lines, and the y coordinate of its middle."""

    lines: list[str]
    y: float


@dataclass(frozen=True)
class Frame:
    """The positions of a chart's values and labels in a drawing.

    Attributes
    ----------
    layout : Layout
    scale : Scale
        The vertical axis.
    unit : str
        Unit of the ticks.
    ticks : list of str
        Text of the ticks.
    x0, x1, y0, y1 : float
        The plot area; y0 is its top.
    first, last : int
        Years at x0 and x1.
    labels : dict of int to Label
        The labels that fit, by line.
    """

    layout: Layout
    scale: Scale
    unit: str
    ticks: list[str]
    x0: float
    x1: float
    y0: float
    y1: float
    first: int
    last: int
    labels: Mapping[int, Label]

    def points(self, years: Array, values: Array) -> Points:
        """Return pixel coordinates; NaN for values that cannot be drawn."""
        x = self.x0 + (np.asarray(years) - self.first) / max(self.last - self.first, 1) * (self.x1 - self.x0)
        y = self.y1 - self.scale.place(values) * (self.y1 - self.y0)
        return list(zip(x.tolist(), y.tolist(), strict=True))


def frame_chart(chart: Chart, layout: Layout, key_rows: int) -> Frame:
    """Return the positions in a drawing with this number of rows in the key."""
    scale = _choose_scale(chart, layout)
    unit, ticks = _write_ticks(chart, scale)
    first = min(int((line.years if len(line.years) else line.ahead)[0]) for line in chart.lines)
    last = max(int(line.ahead[-1]) for line in chart.lines)
    y0 = layout.size * LEADING * (2 if chart.has_forecast else 1) + 1.5 * GAP
    y1 = layout.height - layout.size * (YEARS + KEY * key_rows)
    labels = _place_labels(chart, layout, scale, y0, y1)
    beside = max((measure(text, layout.size) for label in labels.values() for text in label.lines), default=0)
    x0 = max(measure(text, layout.size) for text in (*ticks, "000")) + GAP
    x1 = layout.width - max(beside + 2 * GAP, measure(str(last), layout.size) / 2)
    return Frame(layout, scale, unit, ticks, x0, x1, y0, y1, first, last, labels)


def _choose_scale(chart: Chart, layout: Layout) -> Scale:
    """Return a scale that includes all lines, and all intervals unless they are far wider than the lines' range."""
    log, few = chart.scale == "log", chart.shows_fans
    core = _pool(
        chart, log, lambda line: [line.values, line.median, *([line.reference[1]] if few and line.reference else [])]
    )
    low, high = (core.min(), core.max()) if core.size else (1.0, 10.0)
    fan = (
        _pool(chart, log, lambda line: [side for sides in line.bounds.values() for side in sides]) if few else core[:0]
    )
    if chart.scale == "absolute":
        low = min(low, 0.0)
    if fan.size and log:
        low, high = max(min(low, fan.min()), low / MOST_RATIO), min(max(high, fan.max()), high * MOST_RATIO)
    elif fan.size:
        more = MOST_SPREAD * max(high - low, abs(high) / 4)
        # Population cannot be negative, although the bounds of a plain autoregression can.
        low = min(low, max(fan.min(), low - more, 0.0))
        high = min(max(high, fan.max()), high + more)
    return choose_scale(low, high, layout.ticks, log)


def _pool(chart: Chart, log: bool, choose: Callable[[Line], Sequence[Array]]) -> Array:
    """Return the values of all lines that can be drawn, clipped to avoid overflow."""
    values = np.concatenate([part for line in chart.lines for part in choose(line)] or [np.empty(0)])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    return np.clip(values, -LARGEST, LARGEST)


def _place_labels(chart: Chart, layout: Layout, scale: Scale, y0: float, y1: float) -> dict[int, Label]:
    """Return the labels that fit, by line: the largest values first, without overlaps.

    Histories shared by several forecasts are not labelled: the labels of the forecasts identify them.
    """
    ends = np.nan_to_num(np.array([line.median[-1] for line in chart.lines]), nan=-np.inf)
    whole = chart.find_whole()
    room, chosen, heights = y1 - y0, {}, []
    for i in np.argsort(-ends, kind="stable").tolist():
        if i not in whole:
            continue
        lines = wrap(clean(chart.lines[i].label), layout.beside, layout.size, layout.label_lines)
        height = (LABEL + LEADING * (len(lines) - 1)) * layout.size
        if height > room:
            break
        room -= height
        chosen[i] = lines
        heights.append(height)
    at = np.nan_to_num(scale.place(np.clip(ends[list(chosen)], scale.low, scale.high)))
    middles = spread(y1 - at * (y1 - y0), np.array(heights), within=(y0, y1))
    return {i: Label(lines, y) for (i, lines), y in zip(chosen.items(), middles.tolist(), strict=True)}


def _write_ticks(chart: Chart, scale: Scale) -> tuple[str, list[str]]:
    """Return the unit and the text of the ticks."""
    if scale.log and chart.divisor > 1 and scale.ticks[:1] < (FINEST,):
        # No single unit suits both villages and the world.
        return "persons", [_abbreviate(tick * chart.divisor) for tick in scale.ticks]
    return chart.unit, [_write(tick) for tick in scale.ticks]


def _abbreviate(persons: float) -> str:
    size, sign = next((pair for pair in ((1e9, "bn"), (1e6, "m"), (1e3, "k")) if persons >= pair[0]), (1, ""))
    return f"{_write(persons / size)} {sign}".strip()


def _write(tick: float) -> str:
    if tick < 0:
        return f"−{_write(-tick)}"
    return f"{tick:,.10g}" if abs(tick) < 1e9 else f"{tick:.3g}".replace("e+", "e")
