"""Parsing of years: whole numbers, or dates that all fall on the same day of the year."""

from __future__ import annotations

import re
from collections.abc import Sequence

from popforecast.panel.frames import LATEST
from popforecast.readers.cells import CellError, clean

WHOLE = re.compile(r"(-?[0-9]{1,7})(\.0+)?")
DATED = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
COMPACT = re.compile(r"(1[5-9]|2[0-9])[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])")

# Titles of year columns: 1960, X1960 (as written by R), 1960 [YR1960] (World Bank).
TITLE = re.compile(r"(?:[XY]|YR)?([12][0-9]{3})(?: \[YR\1\])?")


def parse_times(cells: Sequence[str]) -> list[int]:
    """Return the years in distinct cells.

    Dates are accepted if they are the same apart from the year, so that there is only one in each year.

    Raises
    ------
    CellError
        If a cell is not a year, or dates fall on different days of the year.

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
    """Return the year in the title of a column; None if there is none.

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
    """Return the year in a text with a single four-digit number, the text before it and the text after it."""
    found = list(DATED.finditer(text))
    if len(found) != 1:
        return None
    at = found[0]
    return int(at.group()), text[: at.start()], text[at.end() :]
