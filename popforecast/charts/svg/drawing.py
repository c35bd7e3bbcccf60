"""The web page's chart: SVG written in milliseconds from a prepared chart, without a plotting library.

:func:`draw_chart` returns two SVG elements, for wide and narrow screens; the page's stylesheet shows one of them.
They have no styles, scripts or ids: only presentation attributes, classes and data. Text is ``currentColor``.

The interface for stylesheet and script::

    <svg class="chart wide" viewBox="0 0 760 420" role="img" aria-label="..."
         data-x0 data-x1 data-y0 data-y1      the plot area in pixels of the viewBox; y0 is the top, y1 the bottom
         data-first data-last data-step       years at x0 and x1, and years between two points
         data-origin                          the latest year of estimates of any series
         data-low data-high data-log          values at y1 and y0; log is "true" or "false"
         data-unit data-divisor               the unit of the values, and its size in persons
         data-scale>                          absolute, log or indexed
      <g class="grid"> <g class="years"> <text class="unit"> <g class="origin"> <g class="key">
      <g class="series" data-index="0" data-label="Nigeria">
        <path class="fan" data-level="95"> <path class="medium"> <path class="history"> <path class="median">
        <path class="leader"> <text class="label">
    <svg class="chart narrow" ...>            the same with other coordinates

Only the series of the wide chart carry the numbers; those of the narrow chart have the same index. Each attribute is a
list of numbers separated by spaces, in the chart's unit, rounded as in the read-out
(:func:`popforecast.text.round_in_words`) or, without intervals, to five digits; ``-`` marks NaN and infinity:

- ``data-values``: history and median, one number per step from ``data-first`` to ``data-last``;
- ``data-lower-80``, ``data-upper-80`` and so on: one number per step after ``data-origin``;
- ``data-medium``: the UN's medium variant at the steps after ``data-origin``, if the chart shows it.

The y coordinate of v is ``y1 - (v - low) / (high - low) * (y1 - y0)``, with logs of all three on a log scale.

Intervals and UN projections are drawn for up to :data:`popforecast.charts.forecast.MOST_FANS` locations, only history
and medians for more. Up to :data:`MOST_READ` locations carry numbers. Up to 300 are drawn, and the largest are labelled
as far as they fit.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from math import isfinite

import numpy as np

from popforecast.charts.forecast import Chart
from popforecast.charts.lettering import LEADING, clean, measure
from popforecast.charts.lines import Line
from popforecast.charts.strokes import FAINT, Kind, Stroke, choose_stroke
from popforecast.charts.style import RULE
from popforecast.charts.svg.framing import GAP, KEY, NARROW, WIDE, Frame, Layout, frame_chart
from popforecast.charts.svg.scales import choose_years, thin, trace, write_path
from popforecast.models.base import Array
from popforecast.text import Rounding, round_in_words

# Charts with more lines carry no numbers, which would make up most of the page; the table has them.
MOST_READ = 60

# Width in pixels of a sample in the key, and ems from the middle of text to its baseline.
SWATCH, MIDDLE = 18, 0.35

# Radius in pixels of the dot at the end of the estimates.
DOT = 3

# Line width in charts with many lines.
THIN = 1.2

# CSS classes of the kinds of line.
CLASSES = {Kind.ESTIMATES: "history", Kind.FORECAST: "median", Kind.REFERENCE: "medium"}


def draw_chart(chart: Chart) -> str:
    """Return the chart as two SVG elements, wide and narrow; a page shows one of them.

    Parameters
    ----------
    chart : Chart
        As returned by :func:`popforecast.charts.forecast.chart_forecast`.

    Examples
    --------
    >>> import popforecast as pf
    >>> chart = pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2035, model="ar1").plot()
    >>> draw_chart(chart).count("<svg")
    2
    """
    return draw_layout(chart, WIDE) + "\n" + draw_layout(chart, NARROW, with_data=False)


def draw_layout(chart: Chart, layout: Layout = WIDE, with_data: bool = True) -> str:
    """Return the chart in one layout, as an SVG element that is also valid as a file."""
    key = _draw_key(chart, layout)
    frame = frame_chart(chart, layout, len(key))
    # If estimates end in different years, the numbers of the series do not line up by year.
    read = with_data and len(chart.lines) <= MOST_READ and not chart.marks_ends
    return "".join(
        [
            _open(chart, frame),
            _draw_grid(frame),
            _draw_years(frame),
            f'<text class="unit" y="{layout.size}">{_escape(frame.unit)}</text>',
            _draw_origin(chart, frame),
            *(_draw_series(chart, i, frame, read) for i in range(len(chart.lines))),
            *key,
            "</svg>",
        ]
    )


def _open(chart: Chart, frame: Frame) -> str:
    # The last line has both history and forecast, even if shared histories come first.
    line, layout = chart.lines[-1], frame.layout
    grid = line.ahead if len(line.ahead) > 1 else line.years
    data = {
        **{name: f"{getattr(frame, name):.1f}" for name in ("x0", "x1", "y0", "y1")},
        "first": frame.first,
        "last": frame.last,
        "step": int(grid[1] - grid[0]) if len(grid) > 1 else 1,
        "origin": chart.origins[-1],
        "low": f"{frame.scale.low:.6g}",
        "high": f"{frame.scale.high:.6g}",
        "log": str(frame.scale.log).lower(),
        "unit": _escape(chart.unit),
        "divisor": f"{chart.divisor:.0f}",
        "scale": chart.scale,
    }
    attributes = " ".join(f'data-{name}="{value}"' for name, value in data.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart {layout.name}" viewBox="0 0 {layout.width} '
        f'{layout.height}" role="img" aria-label="{_escape(chart.description)}" font-family="system-ui, sans-serif" '
        f'font-size="{layout.size}" fill="currentColor" {attributes}>'
    )


def _draw_grid(frame: Frame) -> str:
    heights = [y for _, y in frame.points(np.full(len(frame.ticks), frame.first), np.array(frame.scale.ticks))]
    lines = "".join(f"M{frame.x0:.1f} {y:.1f}H{frame.x1:.1f}" for y in heights)
    texts = "".join(
        f'<text x="{frame.x0 - GAP:.1f}" y="{y + MIDDLE * frame.layout.size:.1f}">{text}</text>'
        for text, y in zip(frame.ticks, heights, strict=True)
    )
    return f'<g class="grid" text-anchor="end"><path d="{lines}" stroke="{RULE}" stroke-opacity=".35"/>{texts}</g>'


def _draw_years(frame: Frame) -> str:
    room = measure(str(frame.last), frame.layout.size) * 1.3
    years = choose_years(frame.first, frame.last, max(int((frame.x1 - frame.x0) / room), 1))
    places = [x for x, _ in frame.points(np.array(years), np.full(len(years), frame.scale.low))]
    marks = "".join(f"M{x:.1f} {frame.y1:.1f}v5" for x in places)
    foot = frame.y1 + 5 + frame.layout.size
    texts = "".join(f'<text x="{x:.1f}" y="{foot:.1f}">{year}</text>' for x, year in zip(places, years, strict=True))
    return (
        f'<g class="years" text-anchor="middle"><path d="M{frame.x0:.1f} {frame.y1:.1f}H{frame.x1:.1f}{marks}" '
        f'stroke="{RULE}" fill="none"/>{texts}</g>'
    )


def _draw_origin(chart: Chart, frame: Frame) -> str:
    if not chart.has_forecast:
        return ""
    x = frame.points(np.array(chart.origins[-1:]), np.array([frame.scale.low]))[0][0]
    text, foot = chart.say_origin(), frame.y0 - 1.25 * GAP
    path = f"M{x:.1f} {foot - frame.layout.size:.1f}V{frame.y1:.1f}"
    rule = "" if chart.marks_ends else f'<path d="{path}" stroke="{RULE}" stroke-dasharray="1 3"/>'
    left = max(x - 5, measure(text, frame.layout.size))
    return f'<g class="origin" text-anchor="end">{rule}<text x="{left:.1f}" y="{foot:.1f}">{text}</text></g>'


def _draw_series(chart: Chart, i: int, frame: Frame, read: bool) -> str:
    line, colour = chart.lines[i], chart.find_colour(i)
    stroke = f'stroke="{colour}" stroke-linejoin="round" stroke-linecap="round" fill="none"'
    data = "".join(f' data-{name}="{numbers}"' for name, numbers in _tell(chart, line)) if read else ""
    parts = [f'<g class="series" data-index="{i}" data-label="{_escape(line.label)}"{data}>']
    parts += [
        f'<path class="fan" data-level="{level:g}" d="{_outline(line, level, frame)}" fill="{colour}" '
        f'fill-opacity="{FAINT}"/>'
        for level in chart.list_levels(line)
    ]
    for kind, years, values in chart.list_courses(line):
        if path := trace(frame.points(years, values)):
            parts.append(f'<path class="{CLASSES[kind]}" d="{path}" {stroke} {_look(kind, chart.shows_fans)}/>')
    if chart.marks_ends:
        x, y = frame.points(line.ahead[:1], line.median[:1])[0]
        parts.append(f'<circle class="end" cx="{x:.1f}" cy="{y:.1f}" r="{DOT}" fill="{colour}"/>')
    return "".join([*parts, *_draw_label(line, i, frame, stroke), "</g>"])


@cache
def _look(kind: Kind, few: bool) -> str:
    stroke = choose_stroke(kind)
    return (stroke if few else replace(stroke, width=THIN)).attributes


def _draw_label(line: Line, i: int, frame: Frame, stroke: str) -> Iterator[str]:
    label = frame.labels.get(i)
    if label is None:
        return
    x, y = frame.points(line.ahead[-1:], line.median[-1:])[0]
    if isfinite(y):
        yield f'<path class="leader" d="M{x:.1f} {y:.1f}L{frame.x1 + 1.5 * GAP:.1f} {label.y:.1f}" {stroke}/>'
    lead = LEADING * frame.layout.size
    top = label.y - lead * (len(label.lines) - 1) / 2 + MIDDLE * frame.layout.size
    spans = "".join(
        f'<tspan x="{frame.x1 + 2 * GAP:.1f}" y="{top + lead * k:.1f}">{_escape(text)}</tspan>'
        for k, text in enumerate(label.lines)
    )
    yield f'<text class="label">{spans}</text>'


def _draw_key(chart: Chart, layout: Layout) -> list[str]:
    """Return the key to lines and intervals, one group per row at the foot of the drawing."""
    rows: list[list[str]] = []
    x = float(layout.width)
    for text, sample in chart.list_key():
        if isinstance(sample, Stroke):
            swatch = f'<path d="M0 0h{SWATCH}" stroke="currentColor" {sample.attributes}/>'
        else:
            swatch = f'<rect y="-5" width="{SWATCH}" height="10" fill-opacity="{sample}"/>'
        wide = SWATCH + GAP // 2 + measure(text, layout.size)
        if x + wide > layout.width:
            rows.append([])
            x = 0
        rows[-1].append(
            f'<g transform="translate({x:.1f})">{swatch}<text x="{SWATCH + GAP // 2}" y="{MIDDLE * layout.size:.1f}">'
            f"{text}</text></g>"
        )
        x += wide + 1.5 * GAP
    foot = layout.height - layout.size * 0.8
    return [
        f'<g class="key" transform="translate(0 {foot - KEY * layout.size * k:.1f})">{"".join(row)}</g>'
        for k, row in enumerate(reversed(rows))
    ][::-1]


def _outline(line: Line, level: float, frame: Frame) -> str:
    lower, upper = (
        frame.points(line.ahead, np.clip(np.nan_to_num(side, nan=frame.scale.low), frame.scale.low, frame.scale.high))
        for side in line.bounds[level]
    )
    return write_path([*thin(upper), *thin(lower)[::-1]]) + "z"


def _tell(chart: Chart, line: Line) -> Iterator[tuple[str, str]]:
    """Yield the data attributes of a series; charts with few lines round all numbers of a year alike."""
    ahead = {"values": line.median[1:]}
    for level, (lower, upper) in sorted(line.bounds.items()):
        ahead |= {f"lower-{level:g}": lower[1:], f"upper-{level:g}": upper[1:]}
    past = line.values if len(line.values) else line.median[:1]
    divisor, groups = chart.divisor, [past[:, None], np.array(list(ahead.values())).T] if chart.shows_fans else []
    rows = [[figure * divisor for figure in row] for group in groups for row in group.tolist()]
    roundings = [Rounding(1, "", 1) if chart.scale == "indexed" else round_in_words(*row) for row in rows]
    steps = np.array([(rounding.size, 10.0**rounding.decimals) for rounding in roundings])
    yield "values", _join(np.concatenate([past, ahead.pop("values")]), divisor, steps)
    if line.reference is not None:
        known = dict(zip(*(array.tolist() for array in line.reference), strict=True))
        ahead["medium"] = np.array([known.get(year, np.nan) for year in line.ahead[1:].tolist()])
    for name, values in ahead.items():
        yield name, _join(values, divisor, steps[len(past) :])


@np.errstate(all="ignore")
def _join(values: Array, divisor: float, steps: Array) -> str:
    if len(steps):
        # As Rounding.round does, which would take most of the drawing's time.
        size, finer = steps.T
        whole = np.floor(np.abs(values * divisor) / size * finer + 0.5) * np.rint(1 / np.minimum(finer, 1))
        values = np.copysign(whole / np.maximum(finer, 1), values) * size / divisor
    form = ".7g" if len(steps) else ".5g"
    return " ".join([format(value, form) if isfinite(value) else "-" for value in values.tolist()])


def _escape(text: str) -> str:
    return html.escape(clean(text))
