"""How each kind of line and area is drawn: one place that every drawing, and every key to one, asks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

# How much of its colour an interval has; a narrower one lies upon all that are wider.
FAINT = 0.16


class Kind(StrEnum):
    """What a line of a chart is; its value is what a key calls it."""

    ESTIMATES = "estimates"
    FORECAST = "our forecast"
    REFERENCE = "UN medium projection"


@dataclass(frozen=True)
class Stroke:
    """The look of a line.

    Attributes
    ----------
    width : float
        In points or pixels.
    dashes : (float, float) or None
        Lengths of a dash and of a gap, in widths; None is a whole line.
    """

    width: float
    dashes: tuple[float, float] | None = None

    @property
    def linestyle(self) -> Literal["-"] | tuple[float, tuple[float, float]]:
        """What Matplotlib calls the dashes."""
        return "-" if self.dashes is None else (0, self.dashes)

    @property
    def dash(self) -> str:
        """What Plotly calls the dashes."""
        return "solid" if self.dashes is None else ",".join(f"{self.width * part:g}px" for part in self.dashes)

    @property
    def attributes(self) -> str:
        """The attributes of an SVG path."""
        dashes = "" if self.dashes is None else " ".join(f"{self.width * part:g}" for part in self.dashes)
        return f'stroke-width="{self.width:g}"' + f' stroke-dasharray="{dashes}"' * bool(dashes)


WHOLE, DASHED = Stroke(2), Stroke(1.25, (4, 3))


class Entry(NamedTuple):
    """One row of a key: its text, and a sample, which is a line's stroke or an area's opacity."""

    text: str
    sample: Stroke | float


def choose_stroke(kind: Kind) -> Stroke:
    """Return the look of a line by what it is: the UN's alone is dashed.

    Examples
    --------
    >>> choose_stroke(Kind.FORECAST).dashes, choose_stroke(Kind.REFERENCE).dashes
    (None, (4, 3))
    """
    return DASHED if kind is Kind.REFERENCE else WHOLE


def list_key(kinds: Collection[Kind], levels: Collection[float]) -> list[Entry]:
    """Return the key to a drawing that shows lines of these kinds and intervals at these levels.

    Kinds that look the same share an entry.

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
