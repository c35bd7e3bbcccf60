"""Width and wrapping of text, without reading a font, and spacing of labels."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

# Widths in ems in the widest of the common fonts (DejaVu Sans, Verdana).
NARROW, USUAL, WIDE = 0.42, 0.65, 1.08
NARROW_LETTERS = frozenset(" .,:;'|!ijlI()[]-/ftr")
WIDE_LETTERS = frozenset("mwMW%@&+=<>~#^æœÆŒ…—")
CAPITAL = 0.8

# Line height in ems.
LEADING = 1.2

ELLIPSIS = "…"


def measure(text: str, size: float = 1) -> float:
    """Return an upper bound for the width of the text, in the unit of its size.

    Examples
    --------
    >>> measure("Niue", 10)
    25.2
    """
    return round(size * sum(map(_measure_letter, text)), 6)


def wrap(text: str, width: float, size: float, most: int) -> list[str]:
    """Break text at spaces and hyphens into lines that fit a width; words that are too long are split.

    Parameters
    ----------
    text : str
    width, size : float
        Line width and font size, in the same unit.
    most : int
        Maximum number of lines; longer text ends with an ellipsis.

    Examples
    --------
    >>> wrap("Democratic Republic of the Congo", 100, 12, 3)
    ['Democratic', 'Republic of', 'the Congo']
    """
    lines: list[str] = []
    for word in re.split(r"(?<=-)|(?<= )", text):
        if lines and measure((lines[-1] + word).rstrip(), size) <= width:
            lines[-1] += word
        else:
            lines += _break(word, width, size)
    lines = [line.rstrip() for line in lines]
    if len(lines) > most:
        last = lines[most - 1]
        while last and measure(last + ELLIPSIS, size) > width:
            last = last[:-1]
        lines = [*lines[: most - 1], last.rstrip() + ELLIPSIS]
    return lines


def clean(text: str) -> str:
    r"""Return the text on one line, without invisible characters and those that XML forbids.

    Examples
    --------
    >>> clean("Côte \u202e d'Ivoire")
    "Côte d'Ivoire"
    """
    return " ".join("".join(letter for letter in text if letter.isprintable() or letter.isspace()).split())


def _break(word: str, width: float, size: float) -> list[str]:
    parts = [""]
    for letter in word:
        if parts[-1] and measure(parts[-1] + letter, size) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _measure_letter(letter: str) -> float:
    if letter in NARROW_LETTERS:
        return NARROW
    if letter in WIDE_LETTERS:
        return WIDE
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.3
    if ord(letter) > 0x24F:
        return 1.1
    return CAPITAL if letter.isupper() else USUAL


def spread(heights: np.ndarray, gap: float | np.ndarray, within: tuple[float, float] | None = None) -> np.ndarray:
    """Return heights moved apart as little as possible, so that labels do not overlap.

    Parameters
    ----------
    heights : ndarray, shape (n,)
        Preferred height of each label.
    gap : float or ndarray, shape (n,)
        Space needed by each label, half of it on either side.
    within : (float, float), optional
        Limits for the labels and their space; all labels must fit between them.

    Notes
    -----
    Least squares: after subtracting the space before each label, the solution is the isotonic regression of the
    heights, computed by pooling adjacent violators.

    Examples
    --------
    >>> spread(np.array([0.5, 0.1, 0.5]), 0.2).round(2).tolist()
    [0.4, 0.1, 0.6]
    >>> spread(np.array([0.0, 0.1]), np.array([0.2, 0.4]), within=(0, 1)).round(2).tolist()
    [0.1, 0.4]
    """
    order = np.argsort(heights, kind="stable")
    room = np.broadcast_to(np.asarray(gap, dtype=float), len(heights))[order]
    before = np.cumsum(room) - room / 2 - room[:1] / 2
    blocks: list[tuple[float, int]] = []
    for height in heights[order] - before:
        mean, count = float(height), 1
        while blocks and mean < blocks[-1][0]:
            above, more = blocks.pop()
            mean, count = (mean * count + above * more) / (count + more), count + more
        blocks.append((mean, count))
    means = np.array([mean for mean, count in blocks for _ in range(count)])
    if within is not None and len(heights):
        means = np.clip(means, within[0] + room[0] / 2, within[1] - room[-1] / 2 - before[-1])
    placed = np.empty(len(heights))
    placed[order] = means + before
    return placed
