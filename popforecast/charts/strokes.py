"""Styles of lines and areas, shared by all renderers and their keys."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

# Opacity of one interval. Narrower intervals are drawn over wider ones, so they appear darker.
FAINT = 0.16


class Kind(StrEnum):
    """Kinds of line; the value is the text in the key."""

    ESTIMATES = "estimates"
    FORECAST = "our forecast"
    REFERENCE = "UN medium projection"


@dataclass(frozen=True)
class Stroke:
    """The style of a line.

    Attributes
    ----------
    width : float
        Width in points or pixels.
    dashes : (float, float) or None
        Lengths of dash and gap, in multiples of the width; None for a solid line.
    """

    width: float
    dashes: tuple[float, float] | None = None

    @property
    def linestyle(self) -> Literal["-"] | tuple[float, tuple[float, float]]:
        """The dashes as a Matplotlib line style."""
        return "-" if self.dashes is None else (0, self.dashes)

    @property
    def dash(self) -> str:
        """The dashes as Plotly writes them."""
        return "solid" if self.dashes is None else ",".join(f"{self.width * part:g}px" for part in self.dashes)

    @property
    def attributes(self) -> str:
        """The stroke as attributes of an SVG path."""
        dashes = "" if self.dashes is None else " ".join(f"{self.width * part:g}" for part in self.dashes)
        return f'stroke-width="{self.width:g}"' + f' stroke-dasharray="{dashes}"' * bool(dashes)


WHOLE, DASHED = Stroke(2), Stroke(1.25, (4, 3))


class Entry(NamedTuple):
    """One entry of a key: its text, and the stroke of a line or the opacity of an area."""

    text: str
    sample: Stroke | float


def choose_stroke(kind: Kind) -> Stroke:
    """Return the style for a kind of line: only the UN projection is dashed.

    Examples
    --------
    >>> choose_stroke(Kind.FORECAST).dashes, choose_stroke(Kind.REFERENCE).dashes
    (None, (4, 3))
    """
    return DASHED if kind is Kind.REFERENCE else WHOLE


def list_key(kinds: Collection[Kind], levels: Collection[float]) -> list[Entry]:
    """Return the entries of a key for lines of these kinds and intervals at these levels.

    Kinds with the same style share an entry.

    Examples
    --------
    >>> [entry.text for entry in list_key({Kind.FORECAST, Kind.ESTIMATES}, [95, 80])]
    ['estimates, then our forecast', '80% range', '95% range']
    """
    texts: dict[Stroke, list[str]] = {}
    for kind in Kind:
        if kind in kinds:
            texts.setdefault(choose_stroke(kind), []).append(kind)
    lines = [Entry(", then ".join(names), stroke) for stroke, names in texts.items()]
    nested = sorted(levels)
    areas = [1 - (1 - FAINT) ** (len(nested) - k) for k in range(len(nested))]
    return lines + [Entry(f"{level:g}% range", round(area, 3)) for level, area in zip(nested, areas, strict=True)]
