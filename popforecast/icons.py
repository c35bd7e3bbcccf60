"""The app's icon, drawn once and written in every form that browsers and phones ask for.

``python -m popforecast.icons app/static`` writes the files; the same code gives the same picture each time.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The accent of the style sheet. An icon stands on pages that are not ours, light or dark, so it brings its own ground.
GROUND = "#0a6a60"
INK = "#ffffff"

# The drawing, on a square of so many units: known figures as a line, the years to come as dots in a widening fan.
SIDE = 32
CORNER = 8
STROKE = 2.6
PAST = ((6, 22), (10, 21.4), (13.6, 19.6), (17, 16))
FAN = ((17, 15.5), (26, 7), (26, 24.5), (17, 18.5))
FAN_OPACITY = 0.35
DOTS = ((17, 16, 2.3), (21.4, 14, 1.3), (25.5, 12.2, 1.3))

# A launcher may cut a circle of four fifths out of the middle: whatever counts lies within it.
SAFE = 0.8

SHORTCUT_SIZES = (16, 32, 48)


def draw_icons() -> dict[str, bytes]:
    """Return every icon file by its name.

    Examples
    --------
    >>> sorted(draw_icons())[:3]
    ['apple-touch-icon.png', 'favicon.ico', 'icon-192.png']
    """
    return {
        "icon.svg": draw_svg().encode(),
        "icon-192.png": draw_png(192),
        "icon-512.png": draw_png(512),
        "icon-maskable-192.png": draw_png(192, maskable=True),
        "icon-maskable-512.png": draw_png(512, maskable=True),
        # iOS rounds the corners itself, and would show what is transparent as black.
        "apple-touch-icon.png": draw_png(180, maskable=True),
        "favicon.ico": draw_ico(),
    }


def draw_svg() -> str:
    """Return the icon as SVG.

    Examples
    --------
    >>> draw_svg().splitlines()[1]
    '  <rect width="32" height="32" rx="8" fill="#0a6a60"/>'
    """
    (x0, y0), *curve = PAST
    fan = " ".join(f"{x:g},{y:g}" for x, y in FAN)
    bends = " ".join(f"{x:g},{y:g}" for x, y in curve)
    dots = "".join(f'\n  <circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{INK}"/>' for x, y, radius in DOTS)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}">
  <rect width="{SIDE}" height="{SIDE}" rx="{CORNER}" fill="{GROUND}"/>
  <polygon points="{fan}" fill="{INK}" opacity="{FAN_OPACITY}"/>
  <path d="M{x0:g},{y0:g} C{bends}" fill="none" stroke="{INK}" stroke-width="{STROKE}" stroke-linecap="round"/>{dots}
</svg>
"""


def draw_png(size: int, maskable: bool = False) -> bytes:
    """Return the icon as PNG.

    Parameters
    ----------
    size : int
        Of each side, in pixels.
    maskable : bool
        With a ground to the very edge, and the drawing where no launcher's mask cuts it.
    """
    content = io.BytesIO()
    figure = _draw(size, maskable)
    figure.savefig(content, format="png", dpi=size, transparent=not maskable, metadata={"Software": None})
    return content.getvalue()


def draw_ico() -> bytes:
    """Return the icon as ICO, drawn anew for each size that it holds."""
    from PIL import Image

    *smaller, largest = (Image.open(io.BytesIO(draw_png(size))) for size in SHORTCUT_SIZES)
    content = io.BytesIO()
    largest.save(content, "ICO", sizes=[(size, size) for size in SHORTCUT_SIZES], append_images=smaller)
    return content.getvalue()


def _draw(size: int, maskable: bool) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path as Curve

    figure = Figure(figsize=(1, 1), dpi=size, facecolor=GROUND if maskable else "none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    shown = SIDE / SAFE if maskable else SIDE
    margin = (shown - SIDE) / 2
    axes.set(xlim=(-margin, SIDE + margin), ylim=(SIDE + margin, -margin))
    if not maskable:
        style = f"round,pad=0,rounding_size={CORNER}"
        axes.add_patch(FancyBboxPatch((0, 0), SIDE, SIDE, boxstyle=style, facecolor=GROUND, linewidth=0))
    axes.add_patch(Polygon(FAN, facecolor=INK, alpha=FAN_OPACITY, linewidth=0))
    curve = Curve(PAST, [Curve.MOVETO, *[Curve.CURVE4] * 3])
    # Widths are in points, of which the figure's one inch has 72.
    width = STROKE * 72 / shown
    axes.add_patch(PathPatch(curve, facecolor="none", edgecolor=INK, linewidth=width, capstyle="round"))
    for x, y, radius in DOTS:
        axes.add_patch(Circle((x, y), radius, facecolor=INK, linewidth=0))
    return figure


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) == 2 else sys.exit("python -m popforecast.icons FOLDER"))
    for name, content in draw_icons().items():
        (folder / name).write_bytes(content)
