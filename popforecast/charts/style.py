"""The shared chart style in Matplotlib, and its reproducible SVG for light and dark pages."""

from __future__ import annotations

import hashlib
import html
import io
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from popforecast.charts.lettering import LEADING, clean, spread, wrap
from popforecast.charts.strokes import Entry, Stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of Okabe and Ito, which is safe for colour-blind readers, darkened where needed: every colour has a
# contrast of at least 3:1 on white and on dark pages.
COLOURS = ("#0072b2", "#d55e00", "#007f5f", "#b0467f", "#8a6d00", "#3d6fd6", "#7a4b9d", "#5c6670")

# Replaced by currentColor, so that the chart takes the text colour of a light or dark page.
INK = "#010203"
WIDTH, HEIGHT = 7.2, 4.0

# Width of the second version of a figure, for phones, where its text is not scaled down.
NARROW = 3.75
NARROW_SVG = "application/vnd.popforecast.narrow+svg"

# Greys that are visible on light and dark pages, for rules and samples in keys: in Matplotlib, in the web page's
# chart and in the explorer.
GREY, RULE, GUIDE = "#808080", "#808a94", "#7a848d"

# Opacity (hex) of grid lines and of lines joining dots, and Matplotlib's style of dotted rules.
GRID, JOINED = "4d", "99"
DOTTED = (0, (1, 2))

# Font sizes of title, unit and caption, and the margin around them, in points.
TITLE, UNIT, CAPTION, CAPTION_MARGIN = 11, 9, 6.5, 6

# Matplotlib's settings and font cache are global, and the web server draws in several threads.
_DRAWING = threading.RLock()


@dataclass(frozen=True, eq=False, repr=False)
class Drawing(ABC):
    """A figure that is prepared but not yet drawn. Notebooks display it.

    Attributes
    ----------
    title, unit, description : str
        Texts; the description is the text alternative.
    """

    title: str
    unit: str
    description: str

    def __post_init__(self) -> None:
        for name in ("title", "unit", "description"):
            object.__setattr__(self, name, clean(getattr(self, name)))

    @property
    def height(self) -> float:
        """The default height, in inches."""
        return HEIGHT

    @abstractmethod
    def paint(self, axes: Axes) -> None:
        """Draw on Matplotlib axes that already have the shared style."""

    def draw(self, width: float = WIDTH, height: float | None = None) -> Figure:
        """Return the figure drawn with Matplotlib, with the unit above the axes; sizes are in inches."""
        with house_style():
            figure, axes = new_figure(width, height or self.height)
            self.paint(axes)
            # In a narrow figure the unit is wrapped, and moved above other text over the axes.
            lines = [self.unit] if width >= WIDTH else wrap(self.unit, 0.8 * 72 * width, UNIT, most=3)
            axes.set_title("\n".join(lines), loc="left", fontsize=UNIT, pad=None if width >= WIDTH else 2 * UNIT)
            layout = figure.get_layout_engine()
            if layout is not None and axes.get_legend() is not None:
                # Run layout twice: the key takes height, which changes the ticks and the width of their labels.
                layout.execute(figure)
        return figure

    def svg(self, width: float = WIDTH, height: float | None = None, caption: str | None = None) -> str:
        """Return the figure as SVG; the same figure gives the same bytes.

        A caption, such as citation and provenance, is shown at the foot and stored as Dublin Core metadata.
        """
        with _DRAWING:
            figure = self.draw(width, height)
            if caption is None:
                return render_svg(figure, self.description)
            add_caption(figure, self.title, caption)
            svg = render_svg(figure, self.description)
        return svg.replace(">", ">" + _describe_file(self.title, caption), 1)

    def png(
        self, width: float = WIDTH, height: float | None = None, dpi: int = 144, caption: str | None = None
    ) -> bytes:
        """Return the figure as PNG on white; a caption is shown at the foot and stored in the metadata."""
        content = io.BytesIO()
        texts = (
            {} if caption is None else {"Title": self.title, "Description": self.description, "Source": clean(caption)}
        )
        with _DRAWING, house_style():
            figure = self.draw(width, height)
            if caption is not None:
                add_caption(figure, self.title, caption)
            figure.savefig(content, format="png", dpi=dpi, facecolor="white", metadata={"Software": None, **texts})
        return content.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        # JupyterLab shows SVG as an image, where currentColor is always black: request a white background.
        metadata = {"image/svg+xml": {"needs_background": "light", "title": self.title}}
        forms = {"image/svg+xml": self.svg(), NARROW_SVG: self.svg(NARROW), "text/plain": self.description}
        return forms, metadata

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.title}>"


def house_style() -> AbstractContextManager[None]:
    """Return the Matplotlib context with the shared style, for creating and drawing figures."""
    import matplotlib
    from matplotlib.rcsetup import cycler

    return matplotlib.rc_context(
        {
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "font.size": 10,
            "text.color": INK,
            # A dollar sign in a name must not start a formula.
            "text.parse_math": False,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.spines.left": False,
            "axes.linewidth": 0.6,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "grid.color": GREY + GRID,
            "grid.linewidth": 0.6,
            "axes.axisbelow": True,
            "ytick.major.size": 0,
            "legend.frameon": False,
            "axes.prop_cycle": cycler(color=COLOURS),
            "svg.hashsalt": "popforecast",
            "svg.fonttype": "none",
        }
    )


def new_figure(width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return a Matplotlib figure in the shared style and its axes, without global state."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots()


def render_svg(figure: Figure, description: str) -> str:
    """Return a Matplotlib figure as a reproducible SVG element with a text alternative."""
    content = io.StringIO()
    with _DRAWING, house_style():
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = content.getvalue()
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = _own_ids(svg.replace(INK, "currentColor"))
    label = html.escape(clean(description), quote=True)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def add_caption(figure: Figure, title: str, caption: str) -> None:
    """Add a title above a figure and a caption below for use outside a page, and enlarge it by their height."""
    width, height = figure.get_size_inches()
    lines = wrap(clean(caption), 72 * width - 2 * CAPTION_MARGIN, CAPTION, most=9)
    head = (CAPTION_MARGIN + 1.5 * TITLE) / 72
    foot = (2 * CAPTION_MARGIN + LEADING * CAPTION * len(lines)) / 72
    whole = height + head + foot
    figure.set_size_inches(width, whole)
    figure.set_layout_engine("constrained", rect=(0, foot / whole, 1, height / whole))
    left, margin = CAPTION_MARGIN / 72 / width, CAPTION_MARGIN / 72 / whole
    shown = "".join(wrap(clean(title), 72 * width - 2 * CAPTION_MARGIN, TITLE, most=1))
    with house_style():
        figure.text(left, 1 - margin, shown, fontsize=TITLE, va="top")
        figure.text(left, margin, "\n".join(lines), fontsize=CAPTION, linespacing=LEADING, va="bottom")


def label_ends(axes: Axes, labels: Iterable[tuple[str, float, float, str]], size: float = 9) -> None:
    """Write a label at the right end of each line, without overlaps.

    Parameters
    ----------
    axes : Axes
        Axes with their final limits.
    labels : iterable of (text, x, y, colour)
        The end of each line.
    size : float
        Font size in points.
    """
    labels = list(labels)
    ends = axes.transAxes.inverted().transform(axes.transData.transform([(x, y) for _, x, y, _ in labels]))
    gap = 1.35 * size / 72 / (0.85 * axes.figure.get_figure(root=True).get_figheight())
    heights = spread(np.clip(np.nan_to_num(ends[:, 1], nan=0.0, posinf=1.0), 0, 1), gap)
    for (text, x, y, colour), height in zip(labels, heights, strict=True):
        axes.annotate(
            clean(text),
            (x, min(y, axes.get_ylim()[1])),
            xytext=(1.05, height),
            textcoords="axes fraction",
            va="center",
            fontsize=size,
            arrowprops={"arrowstyle": "-", "color": colour, "relpos": (0, 0.5), "shrinkA": 2, "shrinkB": 0},
            annotation_clip=False,
        )


def mark_origin(axes: Axes, origin: int, text: str = "", with_rule: bool = True) -> None:
    """Draw a dotted rule at the last year of estimates, with a label above."""
    if with_rule:
        axes.axvline(origin, color=GREY, linewidth=0.8, linestyle=DOTTED)
    text = f"{text or f'estimates to {origin}'} "
    axes.annotate(text, (origin, 1), xycoords=("data", "axes fraction"), ha="right", fontsize=8)


def write_key(axes: Axes, entries: Sequence[Entry], colours: Sequence[str] = (GREY, GREY)) -> None:
    """Draw a key to lines and areas below the axes.

    Parameters
    ----------
    axes : Axes
    entries : sequence of Entry
    colours : (str, str)
        Colours of solid samples (including areas) and of dashed ones; grey if lines have different colours.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D(
            [], [], color=colours[look.dashes is not None], linewidth=look.width, linestyle=look.linestyle, label=text
        )
        if isinstance(look, Stroke)
        else Patch(facecolor=colours[0], alpha=look, linewidth=0, label=text)
        for text, look in entries
    ]
    # A narrow figure has room for one column only, and a wide one for at most three.
    columns = 1 if axes.figure.get_figure(root=True).get_figwidth() < WIDTH else 2 if len(handles) > 3 else 3
    if handles:
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=columns, fontsize=8)


def _describe_file(title: str, source: str) -> str:
    return (
        '<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Description rdf:about="">'
        f"<dc:title>{html.escape(title)}</dc:title><dc:source>{html.escape(clean(source))}</dc:source>"
        "</rdf:Description></rdf:RDF></metadata>"
    )


def _own_ids(svg: str) -> str:
    """Remove unused ids and make the others unique to the figure, as a page can contain several figures."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    own = "f" + hashlib.sha256(svg.encode()).hexdigest()[:6]
    return re.sub(r'( id="|href="#|url\(#)', rf"\1{own}-", svg)
