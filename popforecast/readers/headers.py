"""Detection of a table's header row and delimiter, from the columns it must have."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from popforecast.errors import MOST_LETTERS, ReadError
from popforecast.panel.frames import name_nearest
from popforecast.readers.cells import clean

# csv.Sniffer guesses from repeated characters, and mistakes decimal commas for delimiters. Here columns are known.
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

# Maximum number of lines to search for the header: many downloads have a preamble above it.
WITHIN = 50


class Header(NamedTuple):
    r"""The header of a table.

    Attributes
    ----------
    titles : tuple of str
        The titles of the columns, without empty cells at the end of the row.
    delimiter : str
    line : int
        The line on which the header ends, counted from 1.
    keys : int
        The number of columns combined in the first cell, as in Eurostat files (``freq,unit,geo\TIME_PERIOD``).
    """

    titles: tuple[str, ...]
    delimiter: str
    line: int
    keys: int = 1

    def split(self, cells: list[str]) -> list[str]:
        """Return the cells of a row, with combined keys split into one cell for each title."""
        return cells if self.keys == 1 else [*cells[0].split(","), *cells[1:]]


def list_candidates(head: str) -> list[Header]:
    r"""Return all rows near the beginning of a text that could be its header, for each delimiter.

    Examples
    --------
    >>> [header.titles for header in list_candidates("Source;x\n\nid;year\nA;2000\n") if len(header.titles) > 1][:2]
    [('Source', 'x'), ('id', 'year')]
    """
    lines = head.splitlines(keepends=True)[:WITHIN]
    found = []
    for delimiter in DELIMITERS:
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            for cells in reader:
                titles = [clean(cell) for cell in cells]
                while titles and not titles[-1]:
                    titles.pop()
                if titles:
                    keys = titles[0].split("\\")[0].split(",") if "\\" in titles[0] else titles[:1]
                    found.append(Header((*keys, *titles[1:]), delimiter, reader.line_num, len(keys)))
        except csv.Error:
            continue
    return found


def find_header(head: str, fits: Callable[[Sequence[str]], bool]) -> Header | None:
    """Return the first row that fits, with the delimiter that gives it the most columns; None if no row fits."""
    fitting = [header for header in list_candidates(head) if fits(header.titles)]
    if not fitting:
        return None
    return min(fitting, key=lambda header: (header.line, -len(header.titles)))


def refuse(head: str, wanted: Sequence[str], source: str) -> ReadError:
    """Return the error for a text without the wanted columns, with those it has and a similar title."""
    candidates = list_candidates(head)
    if not candidates:
        return ReadError(f"{source}: no row could be read as a header; expected one with {_list(wanted)}")
    best = max(candidates, key=lambda header: (len(set(wanted) & set(header.titles)), *_weigh(header, candidates)))
    absent = [column for column in wanted if column not in best.titles]
    near = name_nearest(absent[0], best.titles) if absent else ""
    shown = ", ".join(itertools.islice(best.titles, 12))
    shown = shown if len(shown) <= 4 * MOST_LETTERS else shown[: 4 * MOST_LETTERS] + "…"
    more = f" and {len(best.titles) - 12} more" if len(best.titles) > 12 else ""
    if not absent:
        return ReadError(f"{source}, line {best.line}: the header has a column twice; expected each column once")
    return ReadError(
        f"{source} has no column {absent[0]!r}{near}; line {best.line}, parted by {DELIMITERS[best.delimiter]}s, "
        f"has {shown}{more}"
    )


def _weigh(header: Header, candidates: Sequence[Header]) -> tuple[int, int]:
    """Return the rank of a header: the number of candidates with the same width (if over one), then its position."""
    width = len(header.titles)
    alike = sum(len(other.titles) == width for other in candidates if other.delimiter == header.delimiter)
    return (alike * (width > 1), -header.line)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
