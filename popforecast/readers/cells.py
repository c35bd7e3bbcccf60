"""Parsing of cells into codes, names and figures; cells that are not valid raise an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from popforecast.errors import ReadError

# The UN marks missing figures by two or three dots, which some editors replace by an ellipsis.
MISSING = frozenset({"", "..", "...", "…"})
SPACES = re.compile(r"[\s\u200b\u2060\ufeff]+")
CODE = re.compile(r"[0-9]{1,9}")
CANONICAL = re.compile(r"0|[1-9][0-9]{0,17}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
FIGURE = re.compile(r"([0-9]+|[0-9]{1,3}( [0-9]{3})+)(\.[0-9]+)?")


class CellError(ReadError):
    """A cell that is not valid in its column, with its position in the column."""

    def __init__(self, position: int, fault: str) -> None:
        self.position = position
        self.fault = fault
        super().__init__(fault)


def clean(cell: str) -> str:
    r"""Return the text of a cell without surplus whitespace of any kind.

    Examples
    --------
    >>> clean("\u00a0 2\u202f536  431\t")
    '2 536 431'
    """
    return SPACES.sub(" ", cell).strip()


def parse_code(cell: str, number: int, path: Path) -> int:
    """Return the M49 number in a cell."""
    if not CODE.fullmatch(clean(cell)):
        raise ReadError(f"{path.name}, row {number}: location code {cell!r} is not a whole number")
    return int(clean(cell))


def parse_name(cell: str, number: int, path: Path) -> str:
    """Return the name in a cell; names damaged by a wrong encoding raise an error."""
    name = clean(cell)
    if not name:
        raise ReadError(f"{path.name}, row {number}: the location has no name")
    # Saving as ASCII replaces other letters by question marks, which no name contains.
    if "\ufffd" in name or "?" in name:
        raise ReadError(f"{path.name}, row {number}: {name!r} has lost letters; save the file as UTF-8 from its source")
    repaired = _repair(name)
    if repaired:
        raise ReadError(f"{path.name}, row {number}: {name!r} should read {repaired!r}; the file was encoded twice")
    return name


def parse_figure(cell: str, year: int, name: str, number: int, path: Path) -> float | None:
    """Return the figure in a cell, in the unit of the file; None if marked as missing."""
    text = cell.strip()
    if not FIGURE.fullmatch(text):
        text = clean(cell)
        if text in MISSING:
            return None
        if not FIGURE.fullmatch(text):
            raise ReadError(
                f"{path.name}, row {number}: {name} has {cell!r} in {year}; expected thousands of persons such as "
                "'2 536 431', or '...' where there is no figure"
            )
    return float(text.replace(" ", ""))


def read_codes(ids: Sequence[str]) -> list[int] | list[str]:
    """Return ids as integers if all are written as such; otherwise as text, so that 01001 keeps its zero.

    Examples
    --------
    >>> read_codes(["4", "8"]), read_codes(["04", "08"])
    ([4, 8], ['04', '08'])
    """
    return list(map(int, ids)) if all(map(CANONICAL.fullmatch, ids)) else list(ids)


def check_text(text: str) -> str | None:
    """Return a description of encoding damage in an id or name; None if there is none.

    Examples
    --------
    >>> check_text("Réunion"), check_text("RÃ©union")
    (None, "'RÃ©union' should read 'Réunion': the file was encoded twice, or is damaged; save it as UTF-8")
    """
    if CONTROL.search(text):
        return f"{text[:60]!r} has lost letters, or is no text: save the file as UTF-8 from its source"
    repaired = _repair(text)
    if not repaired:
        return None
    return f"{text!r} should read {repaired!r}: the file was encoded twice, or is damaged; save it as UTF-8"


def _repair(text: str) -> str | None:
    """Return the original of a text that was encoded twice; None if it was not."""
    try:
        return None if text.isascii() else text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
