"""Cells of time -> years: whole years, or dates that name one day of each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from popforecast.panel.frames import LATEST
from popforecast.readers.cells import CellError, clean

WHOLE = re.compile(r"(-?[0-9]{1,7})(\.0+)?")
DATED = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
COMPACT = re.compile(r"(1[5-9]|2[0-9])[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])")

# What may stand before a year, or behind it, in a column's title: 1960, X1960 (as R writes it), 1960 [YR1960].
TITLE = re.compile(r"(?:[XY]|YR)?([12][0-9]{3})(?: \[YR\1\])?")


def parse_times(cells: Sequence[str]) -> list[int]:
    """Return the years of different cells.

    Dates are years where what surrounds the year is the same in all: then no year has two.

    Raises
    ------
    CellError
        If a cell is no year, or the dates are of several days of the year.

    Examples
    --------
    >>> parse_times(["2000", "2001.0"]), parse_times(["2000-01-01", "2001-01-01"]), parse_times(["31.12.1999"])
    ([2000, 2001], [2000, 2001], [1999])
    """
    texts = [clean(cell) for cell in cells]
    years = [year for text in texts if (year := _read_year(text)) is not None]
    if len(years) == len(texts):
        return years
    if all(COMPACT.fullmatch(text) for text in texts):
        texts = [f"{text[:4]}-{text[4:6]}-{text[6:]}" for text in texts]
    rests = [_split(text) for text in texts]
    for position, (text, rest) in enumerate(zip(texts, rests, strict=True)):
        if rest is None:
            raise CellError(position, f"{text[:60]!r} is no year, expected one such as 2000")
        if rest[1:] != (rests[0] or ())[1:]:
            raise CellError(
                position,
                f"{text[:60]!r} and {texts[0][:60]!r} are not of the same day of their years; expected one figure a "
                "year, with years such as 2000",
            )
    return [rest[0] for rest in rests if rest is not None]


def parse_title(title: str, prefix: str | None = None) -> int | None:
    """Return the year that a column's title names; None where it names none.

    Examples
    --------
    >>> parse_title("1960 [YR1960]"), parse_title("POPESTIMATE2021", "POPESTIMATE"), parse_title("Country Code")
    (1960, 2021, None)
    """
    if prefix and not title.startswith(prefix):
        return None
    found = TITLE.fullmatch(title.removeprefix(prefix or "").strip(" _"))
    return int(found.group(1)) if found else None


def _read_year(text: str) -> int | None:
    found = WHOLE.fullmatch(text)
    return int(found.group(1)) if found and abs(int(found.group(1))) <= LATEST else None


def _split(text: str) -> tuple[int, str, str] | None:
    """Return the one number of four digits in a text, what is before it and what is behind."""
    found = list(DATED.finditer(text))
    if len(found) != 1:
        return None
    at = found[0]
    return int(at.group()), text[: at.start()], text[at.end() :]
