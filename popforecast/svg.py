"""The web page's chart: SVG written from a prepared chart in a few milliseconds, without a plotting library.

:func:`draw_chart` returns two SVG elements, for wide and for narrow screens; the page's stylesheet shows one of them.
They hold no style, no script and no id: only presentation attributes, classes and data. Text is ``currentColor``.

What stylesheet and script may rely on::

    <svg class="chart wide" viewBox="0 0 760 420" role="img" aria-label="..."
         data-x0 data-x1 data-y0 data-y1      pixels of the plot in the viewBox; y0 is its top, y1 its foot
         data-first data-last data-step       years from x0 to x1, and years between two points
         data-origin                          the last year of estimates
         data-low data-high data-log          values at y1 and y0; log is "true" or "false"
         data-unit data-divisor               what values are counted in, and how many persons that is
         data-scale>                          absolute, log or indexed
      <g class="grid"> <g class="years"> <text class="unit"> <g class="origin"> <g class="key">
      <g class="series" data-index="0" data-label="Nigeria">
        <path class="fan" data-level="95"> <path class="medium"> <path class="history"> <path class="median">
        <path class="leader"> <text class="label">
    <svg class="chart narrow" ...>            the same with other pixels

The numbers stand once, on the series of the wide chart; those of the narrow one have the same index. Each attribute is
numbers apart by spaces, rounded to five digits, in the chart's unit; ``-`` is a number that a computer does not have:

- ``data-values``: history and median, one for each step from ``data-first`` to ``data-last``;
- ``data-lower-80``, ``data-upper-80`` and so on: one for each step after ``data-origin``;
- ``data-medium``: the UN's medium variant at the steps after ``data-origin``, where the chart has it.

A value v lies at ``y1 - (v - low) / (high - low) * (y1 - y0)``, with logarithms of all three where the scale is one.

Fans and the UN's lines are for few locations: up to :data:`MOST_FANS`, above that history and medians alone. Up to
:data:`MOST_READ` carry numbers; up to 300 locations are drawn, and as many of the largest are named as have room.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import inf, isfinite

import numpy as np

from popforecast.figures import COLOURS, MEDIAN, REFERENCE, spread
from popforecast.lettering import LEADING, clean, measure, wrap
from popforecast.models.base import Array
from popforecast.plots import UNITS, Chart, Line
from popforecast.scales import LARGEST, Scale, choose_scale, choose_years

MOST_FANS = 6
MOST_READ = 60

# So many times the lines' range may be added to it, above and below, that a fan is whole; on a logarithmic scale, so
# many times the largest value.
MOST_SPREAD, MOST_RATIO = 1.5, 4

# A point this close to the line between its neighbours, in pixels, is left out of a path.
UNSEEN = 0.15

# Pixels between things, and of a sample of a line in the key.
GAP, SWATCH = 8, 22

# In ems: the height that a name takes, and from a text's middle down to its baseline.
LABEL, MIDDLE = 1.4, 0.35

# A grey that shows on white and on dark paper, and how much of its colour a fan has.
RULE, FAINT = "#808a94", 0.16

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Layout:
    """The measures of a drawing, in pixels.

    Attributes
    ----------
    name : str
        Its class on the page.
    width, height : int
    size : float
        Of the type.
    beside : float
        The most width that the lines' names may take.
    label_lines : int
        The most lines that a name breaks into.
    ticks : int
        The most steps on the upright axis.
    """

    name: str
    width: int
    height: int
    size: float
    beside: float
    label_lines: int
    ticks: int


WIDE = Layout("wide", 760, 420, 13, 170, 4, 6)
NARROW = Layout("narrow", 340, 360, 12, 96, 6, 5)


@dataclass(frozen=True)
class Frame:
    """Where a chart's values lie in a drawing: the plot's rectangle, its years and its scale."""

    x0: float
    x1: float
    y0: float
    y1: float
    first: int
    last: int
    scale: Scale

    def points(self, years: Array, values: Array) -> Points:
        """Return pixels; NaN where a value has no place."""
        x = self.x0 + (np.asarray(years) - self.first) / max(self.last - self.first, 1) * (self.x1 - self.x0)
        y = self.y1 - self.scale.place(values) * (self.y1 - self.y0)
        return list(zip(x.tolist(), y.tolist(), strict=True))


@dataclass(frozen=True)
class Label:
    """A line's name, broken into lines, and the height at which its middle stands."""

    lines: list[str]
    y: float


def draw_chart(chart: Chart) -> str:
    """Return the chart as two SVG elements, wide and narrow, for a page to show one of them.

    Parameters
    ----------
    chart : Chart
        As :func:`popforecast.plots.chart_forecast` prepares it.

    Examples
    --------
    >>> import popforecast as pf
    >>> chart = pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2035, model="ar1").plot()
    >>> draw_chart(chart).count("<svg")
    2
    """
    return draw_layout(chart, WIDE) + "\n" + draw_layout(chart, NARROW, with_data=False)


def draw_layout(chart: Chart, layout: Layout = WIDE, with_data: bool = True) -> str:
    """Return the chart in one layout, as one SVG element that also is a file of its own."""
    key = _draw_key(chart, layout)
    scale = _choose_scale(chart, layout)
    y0 = layout.size * LEADING * (2 if _has_forecast(chart) else 1) + GAP
    y1 = layout.height - layout.size * (1.8 + 1.6 * len(key))
    labels = _place_labels(chart, layout, scale, y0, y1)
    widest = max((measure(text, layout.size) for label in labels.values() for text in label.lines), default=0)
    ticks = [_write(tick) for tick in scale.ticks]
    first, last = _period(chart)
    half_year = measure(str(last), layout.size) / 2
    frame = Frame(
        max(measure(text, layout.size) for text in (*ticks, "000")) + GAP,
        layout.width - max(widest + 2 * GAP, half_year),
        y0,
        y1,
        first,
        last,
        scale,
    )
    read = with_data and len(chart.lines) <= MOST_READ
    return "".join(
        [
            _open(chart, layout, frame),
            _draw_grid(frame, layout, ticks),
            _draw_years(frame, layout),
            f'<text class="unit" y="{layout.size}">{_escape(chart.unit)}</text>',
            _draw_origin(chart, layout, frame),
            *(_draw_series(chart, i, frame, layout, labels.get(i), read) for i in range(len(chart.lines))),
            *key,
            "</svg>",
        ]
    )


def _open(chart: Chart, layout: Layout, frame: Frame) -> str:
    line = chart.lines[0]
    grid = line.ahead if len(line.ahead) > 1 else line.years
    data = {
        **{name: f"{getattr(frame, name):.1f}" for name in ("x0", "x1", "y0", "y1")},
        "first": frame.first,
        "last": frame.last,
        "step": int(grid[1] - grid[0]) if len(grid) > 1 else 1,
        "origin": int(line.ahead[0]),
        "low": f"{frame.scale.low:.6g}",
        "high": f"{frame.scale.high:.6g}",
        "log": str(frame.scale.log).lower(),
        "unit": _escape(chart.unit),
        "divisor": f"{next((factor for factor, unit in UNITS if unit == chart.unit), 1):g}",
        "scale": chart.scale,
    }
    attributes = " ".join(f'data-{name}="{value}"' for name, value in data.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart {layout.name}" viewBox="0 0 {layout.width} '
        f'{layout.height}" role="img" aria-label="{_escape(chart.description)}" font-family="system-ui, sans-serif" '
        f'font-size="{layout.size}" fill="currentColor" {attributes}>'
    )


def _draw_grid(frame: Frame, layout: Layout, ticks: Sequence[str]) -> str:
    heights = [y for _, y in frame.points(np.full(len(ticks), frame.first), np.array(frame.scale.ticks))]
    lines = "".join(f"M{frame.x0:.1f} {y:.1f}H{frame.x1:.1f}" for y in heights)
    texts = "".join(
        f'<text x="{frame.x0 - GAP:.1f}" y="{y + MIDDLE * layout.size:.1f}">{text}</text>'
        for text, y in zip(ticks, heights, strict=True)
    )
    return f'<g class="grid" text-anchor="end"><path d="{lines}" stroke="{RULE}" stroke-opacity=".35"/>{texts}</g>'


def _draw_years(frame: Frame, layout: Layout) -> str:
    room = measure(str(frame.last), layout.size) * 1.3
    years = choose_years(frame.first, frame.last, max(int((frame.x1 - frame.x0) / room), 1))
    places = [x for x, _ in frame.points(np.array(years), np.full(len(years), frame.scale.low))]
    marks = "".join(f"M{x:.1f} {frame.y1:.1f}v5" for x in places)
    foot = frame.y1 + 5 + layout.size
    texts = "".join(f'<text x="{x:.1f}" y="{foot:.1f}">{year}</text>' for x, year in zip(places, years, strict=True))
    return (
        f'<g class="years" text-anchor="middle"><path d="M{frame.x0:.1f} {frame.y1:.1f}H{frame.x1:.1f}{marks}" '
        f'stroke="{RULE}" fill="none"/>{texts}</g>'
    )


def _draw_origin(chart: Chart, layout: Layout, frame: Frame) -> str:
    if not _has_forecast(chart):
        return ""
    origin = chart.lines[0].ahead[:1]
    x = frame.points(origin, [frame.scale.low])[0][0]
    text = f"estimates to {origin[0]}"
    return (
        f'<g class="origin" text-anchor="end"><path d="M{x:.1f} {frame.y0 - GAP - layout.size:.1f}V{frame.y1:.1f}" '
        f'stroke="{RULE}" stroke-dasharray="1 3"/>'
        f'<text x="{max(x - 5, measure(text, layout.size)):.1f}" y="{frame.y0 - GAP:.1f}">{text}</text></g>'
    )


def _draw_series(chart: Chart, i: int, frame: Frame, layout: Layout, label: Label | None, read: bool) -> str:
    line, colour = chart.lines[i], COLOURS[i % len(COLOURS)]
    stroke = f'stroke="{colour}" stroke-linejoin="round" stroke-linecap="round" fill="none"'
    few = len(chart.lines) <= MOST_FANS
    width = 2 if few else 1.2
    data = "".join(f' data-{name}="{numbers}"' for name, numbers in _tell(line)) if read else ""
    parts = [f'<g class="series" data-index="{i}" data-label="{_escape(line.label)}"{data}>']
    if few and len(line.ahead) > 1:
        parts += [
            f'<path class="fan" data-level="{level:g}" d="{_outline(line, level, frame)}" fill="{colour}" '
            f'fill-opacity="{FAINT}"/>'
            for level in sorted(line.bounds, reverse=True)
        ]
    if few and line.reference is not None:
        path = _trace(frame.points(*line.reference))
        parts.append(f'<path class="medium" d="{path}" {stroke} stroke-width="1.3" stroke-dasharray="5 4"/>')
    for name, years, values in (("history", line.years, line.values), ("median", line.ahead, line.median)):
        path = _trace(frame.points(years, values)) if name == "history" or len(years) > 1 else ""
        if path:
            parts.append(f'<path class="{name}" d="{path}" {stroke} stroke-width="{width}"/>')
    if label:
        x, y = frame.points(line.ahead[-1:], line.median[-1:])[0]
        if np.isfinite(y):
            leader = f"M{x:.1f} {y:.1f}L{frame.x1 + 1.5 * GAP:.1f} {label.y:.1f}"
            parts.append(f'<path class="leader" d="{leader}" {stroke}/>')
        lead = LEADING * layout.size
        top = label.y - lead * (len(label.lines) - 1) / 2 + MIDDLE * layout.size
        spans = "".join(
            f'<tspan x="{frame.x1 + 2 * GAP:.1f}" y="{top + lead * k:.1f}">{_escape(text)}</tspan>'
            for k, text in enumerate(label.lines)
        )
        parts.append(f'<text class="label">{spans}</text>')
    return "".join([*parts, "</g>"])


def _draw_key(chart: Chart, layout: Layout) -> list[str]:
    """Return what the lines and fans mean, one group for each row at the foot of the drawing."""
    if not _has_forecast(chart):
        return []
    line = f'<path d="M0 0h{SWATCH}" stroke="currentColor" stroke-width="2"/>'
    dashes = f'<path d="M0 0h{SWATCH}" stroke="currentColor" stroke-width="1.3" stroke-dasharray="5 4"/>'
    fan = f'<rect y="-5" width="{SWATCH}" height="10" fill-opacity="{{}}"/>'
    items = [(line, MEDIAN)]
    if len(chart.lines) <= MOST_FANS:
        if any(line.reference is not None for line in chart.lines):
            items.append((dashes, REFERENCE))
        levels = sorted(chart.lines[0].bounds)
        # A narrower fan lies upon all that are wider.
        items += [
            (fan.format(round(1 - (1 - FAINT) ** (len(levels) - k), 3)), f"{level:g} % interval")
            for k, level in enumerate(levels)
        ]
    rows: list[list[str]] = []
    x = float(layout.width)
    for swatch, text in items:
        wide = SWATCH + GAP + measure(text, layout.size)
        if x + wide > layout.width:
            rows.append([])
            x = 0
        rows[-1].append(
            f'<g transform="translate({x:.1f})">{swatch}<text x="{SWATCH + GAP}" y="{MIDDLE * layout.size:.1f}">'
            f"{text}</text></g>"
        )
        x += wide + 2 * GAP
    foot = layout.height - layout.size * 0.8
    return [
        f'<g class="key" transform="translate(0 {foot - 1.6 * layout.size * k:.1f})">{"".join(row)}</g>'
        for k, row in enumerate(reversed(rows))
    ][::-1]


def _choose_scale(chart: Chart, layout: Layout) -> Scale:
    """Return the scale that holds every line, and every fan unless it is out of all proportion to the lines."""
    log, few = chart.scale == "log", len(chart.lines) <= MOST_FANS
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
        # Nobody lives below zero, whatever the bounds of a plain autoregression say.
        low = min(low, max(fan.min(), low - more, 0.0))
        high = min(max(high, fan.max()), high + more)
    return choose_scale(low, high, layout.ticks, log)


def _pool(chart: Chart, log: bool, choose: Callable[[Line], Sequence[Array]]) -> Array:
    """Return the values of all lines that can be drawn, within what can be reckoned with."""
    values = np.concatenate([part for line in chart.lines for part in choose(line)] or [np.empty(0)])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    return np.clip(values, -LARGEST, LARGEST)


def _place_labels(chart: Chart, layout: Layout, scale: Scale, y0: float, y1: float) -> dict[int, Label]:
    """Return the names that have room, by line: the largest first, spread so that none covers another."""
    ends = np.nan_to_num(np.array([line.median[-1] for line in chart.lines]), nan=-np.inf)
    room, chosen = y1 - y0, {}
    for i in np.argsort(-ends, kind="stable").tolist():
        lines = wrap(clean(chart.lines[i].label), layout.beside, layout.size, layout.label_lines)
        room -= LABEL * layout.size + LEADING * layout.size * (len(lines) - 1)
        if room < 0:
            break
        chosen[i] = lines
    heights = np.array([LABEL * layout.size + LEADING * layout.size * (len(lines) - 1) for lines in chosen.values()])
    at = np.nan_to_num(scale.place(np.clip(ends[list(chosen)], scale.low, scale.high)))
    middles = spread(y1 - at * (y1 - y0), heights, within=(y0, y1))
    return {i: Label(lines, y) for (i, lines), y in zip(chosen.items(), middles.tolist(), strict=True)}


def _outline(line: Line, level: float, frame: Frame) -> str:
    lower, upper = (
        frame.points(line.ahead, np.clip(np.nan_to_num(side, nan=frame.scale.low), frame.scale.low, frame.scale.high))
        for side in line.bounds[level]
    )
    return _write_path([*_thin(upper), *_thin(lower)[::-1]]) + "z"


def _trace(points: Points) -> str:
    """Return the path through points, broken where one has no place."""
    runs = ([*run] for finite, run in groupby(points, key=lambda point: isfinite(point[1])) if finite)
    return "".join(_write_path(_thin(run)) for run in runs)


def _thin(points: Points) -> Points:
    """Leave out points that lie, to the eye, on the straight line between those that are kept."""
    kept, i = points[:1], 0
    while i < len(points) - 1:
        (x, y), low, high, best = points[i], -inf, inf, i + 1
        for j in range(i + 1, len(points)):
            run, rise = points[j][0] - x, points[j][1] - y
            if low <= rise / run <= high:
                best = j
            low, high = max(low, (rise - UNSEEN) / run), min(high, (rise + UNSEEN) / run)
            if low > high:
                break
        kept.append(points[best])
        i = best
    return kept


def _write_path(points: Points) -> str:
    """Return a path in tenths of a pixel, each point relative to the one before; a point alone is a dot."""
    tenths = [(round(10 * x), round(10 * y)) for x, y in points]
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(tenths)] or [(0, 0)]
    return f"M{_pair(*tenths[0])}l" + " ".join(_pair(*step) for step in steps).replace(" -", "-")


def _pair(x: int, y: int) -> str:
    return f"{x / 10:g} {y / 10:g}".replace(" -", "-")


def _tell(line: Line) -> Iterator[tuple[str, str]]:
    """Yield the series' numbers, each under its name."""
    yield "values", _join(np.concatenate([line.values, line.median[1:]]) if len(line.values) else line.median)
    for level, (lower, upper) in sorted(line.bounds.items()):
        yield f"lower-{level:g}", _join(lower[1:])
        yield f"upper-{level:g}", _join(upper[1:])
    if line.reference is not None:
        known = dict(zip(*(array.tolist() for array in line.reference), strict=True))
        yield "medium", _join(np.array([known.get(year, np.nan) for year in line.ahead[1:].tolist()]))


def _join(values: Array) -> str:
    return " ".join(f"{value:.5g}" if isfinite(value) else "-" for value in values.tolist())


def _period(chart: Chart) -> tuple[int, int]:
    line = chart.lines[0]
    return int((line.years if len(line.years) else line.ahead)[0]), int(line.ahead[-1])


def _has_forecast(chart: Chart) -> bool:
    return len(chart.lines[0].ahead) > 1


def _write(tick: float) -> str:
    return f"{tick:,.10g}" if abs(tick) < 1e9 else f"{tick:.3g}".replace("e+", "e")


def _escape(text: str) -> str:
    return html.escape(clean(text))
