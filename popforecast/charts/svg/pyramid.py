"""The web page's age pyramid: SVG from a prepared pyramid, without a plotting library.

:func:`draw_pyramid` returns two SVG elements, for wide and narrow screens; the page's stylesheet shows one of them.
Like the chart's (:mod:`popforecast.charts.svg.drawing`), they have no styles, scripts or ids. The page's script draws
other years by rewriting the paths::

    <svg class="pyramid wide" viewBox="0 0 560 440" role="img" aria-label="..."
         data-x0 data-x1 data-y0 data-y1      the middle, and the end of the women's side; top and foot of the bars
         data-most>                           persons at x1
      <g class="grid"> <g class="ages"> <text class="unit">
      <path class="men"> <path class="women">  one rectangle for each age group, from the youngest
      <path class="outline"> <g class="key">
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from popforecast.charts.lettering import clean, measure
from popforecast.charts.pyramid import (
    BAR,
    OUTLINE,
    SIDE_COLOURS,
    SIDES,
    Pyramid,
    choose_rounding,
    name_age,
)
from popforecast.charts.style import RULE
from popforecast.charts.svg.scales import choose_scale
from popforecast.panel.age_ratios import share_ages
from popforecast.panel.components import AGES

# Space between elements, in pixels, and the length of each side's axis, in multiples of the longest bar.
GAP, MARGIN = 8, 1.02


@dataclass(frozen=True)
class PyramidLayout:
    """The dimensions of a drawing, in pixels.

    Attributes
    ----------
    name : str
        CSS class.
    width, height : int
    size : float
        Font size.
    ticks : int
        Maximum number of steps on each side of the horizontal axis.
    """

    name: str
    width: int
    height: int
    size: float
    ticks: int


WIDE = PyramidLayout("wide", 560, 440, 13, 3)
NARROW = PyramidLayout("narrow", 320, 360, 12, 2)


def draw_pyramid(pyramid: Pyramid) -> str:
    """Return the pyramid as two SVG elements, wide and narrow; a page shows one of them.

    Examples
    --------
    >>> import numpy as np
    >>> from popforecast.charts.pyramid import chart_pyramid
    >>> draw_pyramid(chart_pyramid("Niue", {2023: np.full((2, 21), 50)}, 2023)).count("<svg")
    2
    """
    return "\n".join(draw_pyramid_layout(pyramid, layout) for layout in (WIDE, NARROW))


def write_data(name: str, counted: Mapping[int, NDArray[np.int64]]) -> dict[str, str]:
    """Return the pyramids of several years as attributes, from which the page's script draws them.

    Returns
    -------
    dict of str to str
        name; years; old: the percentage of people who are 65 or older, by year; size: persons in a unit; persons: of
        each year, men from the youngest to the oldest, then women, in units. Years are separated by semicolons.

    Examples
    --------
    >>> write_data("Niue", {2023: np.full((2, 21), 50)})["old"]
    '38.1'
    """
    size = choose_rounding(counted)
    rows = (" ".join(map(str, np.rint(persons.ravel() / size).astype(int).tolist())) for persons in counted.values())
    return {
        "name": clean(name),
        "years": " ".join(map(str, counted)),
        "old": " ".join(f"{share_ages(persons):.1f}" for persons in counted.values()),
        "size": str(size),
        "persons": ";".join(rows),
    }


def draw_pyramid_layout(pyramid: Pyramid, layout: PyramidLayout = WIDE) -> str:
    """Return the pyramid in one layout, as an SVG element that is also valid as a file."""
    size = layout.size
    most = MARGIN * pyramid.most
    shown = [
        tick
        for tick in choose_scale(0.0, most / pyramid.divisor, layout.ticks + 1).ticks
        if tick * pyramid.divisor <= most
    ]
    left = max(measure(name_age(age), size) for age in AGES) + GAP
    x1 = layout.width - measure(f"{shown[-1]:,g}", size) / 2
    x0 = (left + x1) / 2
    y0, y1 = 1.6 * size + GAP, layout.height - 4 * size
    data = {"x0": f"{x0:.1f}", "x1": f"{x1:.1f}", "y0": f"{y0:.1f}", "y1": f"{y1:.1f}", "most": f"{most:.0f}"}
    attributes = " ".join(f'data-{name}="{value}"' for name, value in data.items())
    step, width = (y1 - y0) / len(AGES), (x1 - x0) / most
    bars = "".join(
        f'<path class="{name.lower()}" d="{_draw_side(side, x0, sign * width, y1, step)}" fill="{colour}"/>'
        for side, sign, name, colour in zip(pyramid.persons, (-1, 1), SIDES, SIDE_COLOURS, strict=True)
    )
    names = "".join(
        f'<text x="{x:.1f}" y="{size}" text-anchor="{anchor}" font-weight="600">{name}</text>'
        for name, x, anchor in ((SIDES[0], x0 - 2 * GAP, "end"), (SIDES[1], x0 + 2 * GAP, "start"))
    )
    grid = [(tick, sign) for tick in shown for sign in ((-1, 1) if tick else (1,))]
    places = [(x0 + sign * tick * pyramid.divisor * width, f"{tick:,g}") for tick, sign in grid]
    rules = "".join(f"M{x:.1f} {y0:.1f}V{y1:.1f}" for x, _ in places)
    ticks = "".join(f'<text x="{x:.1f}" y="{y1 + 1.3 * size:.1f}">{text}</text>' for x, text in places)
    ages = "".join(
        f'<text x="{left - GAP:.1f}" y="{y1 - (k + 0.5) * step + 0.35 * size:.1f}">{name_age(AGES[k])}</text>'
        for k in range(0, len(AGES), 2)
    )
    label = html.escape(clean(pyramid.description))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pyramid {layout.name}" viewBox="0 0 {layout.width} '
        f'{layout.height}" role="img" aria-label="{label}" font-family="system-ui, sans-serif" font-size="{size}" '
        f'fill="currentColor" {attributes}>'
        f'<text class="unit" y="{size}">{html.escape(pyramid.unit)}</text>{names}'
        f'<g class="grid" text-anchor="middle"><path d="{rules}" stroke="{RULE}" stroke-opacity=".35"/>{ticks}</g>'
        f'<g class="ages" text-anchor="end">{ages}</g>{bars}{_draw_outline(pyramid, x0, width, y1, step)}'
        f"{_draw_key(pyramid, layout)}</svg>"
    )


def _draw_side(side: NDArray[np.int64], x0: float, width: float, y1: float, step: float) -> str:
    """Return one rectangle for each age group, from the foot."""
    high = BAR * step
    return "".join(
        f"M{x0:.1f} {y1 - k * step - (step + high) / 2:.1f}h{persons * width:.1f}v{high:.1f}H{x0:.1f}z"
        for k, persons in enumerate(side.tolist())
    )


def _draw_outline(pyramid: Pyramid, x0: float, width: float, y1: float, step: float) -> str:
    corners = [(x0 + persons * width, y1 - at * step) for persons, at in pyramid.list_outline()]
    if not corners:
        return ""
    turns = (f"V{y:.1f}" if x == before else f"H{x:.1f}" for (before, _), (x, y) in pairwise(corners))
    path = f"M{corners[0][0]:.1f} {corners[0][1]:.1f}{''.join(turns)}"
    return f'<path class="outline" d="{path}" stroke="currentColor" stroke-width="{OUTLINE}" fill="none"/>'


def _draw_key(pyramid: Pyramid, layout: PyramidLayout) -> str:
    """Return the key at the foot: what is filled, and what is outlined."""
    size, foot, middle = layout.size, layout.height - 0.8 * layout.size, layout.width / 2
    bars = f"bars: {pyramid.year}"
    filled = (
        f'<rect x="{middle - measure(bars, size) - 44:.1f}" y="{foot - 5:.1f}" width="18" height="10" fill="{RULE}"/>'
        f'<text class="shown" x="{middle - measure(bars, size) - 20:.1f}" y="{foot + 0.35 * size:.1f}">{bars}</text>'
    )
    outlined = (
        f'<path d="M{middle + 8:.1f} {foot:.1f}h18" stroke="currentColor" stroke-width="{OUTLINE}"/>'
        f'<text x="{middle + 30:.1f}" y="{foot + 0.35 * size:.1f}">outline: {pyramid.compared}</text>'
    )
    return f'<g class="key">{filled}{outlined if pyramid.compared is not None else ""}</g>'
