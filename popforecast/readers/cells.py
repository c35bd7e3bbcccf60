"""Cells as people write them -> codes, names and figures; a cell that is none of them is an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from popforecast.errors import ReadError

# The UN writes two or three dots where a figure is missing; the ellipsis is what some editors make of them.
MISSING = frozenset({"", "..", "...", "…"})
SPACES = re.compile(r"[\s\u200b\u2060\ufeff]+")
CODE = re.compile(r"[0-9]{1,9}")
CANONICAL = re.compile(r"0|[1-9][0-9]{0,17}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
FIGURE = re.compile(r"([0-9]+|[0-9]{1,3}( [0-9]{3})+)(\.[0-9]+)?")


class CellError(ReadError):
    """A cell that is not what its column must hold, at a position of the column."""

    def __init__(self, position: int, fault: str) -> None:
        self.position = position
        self.fault = fault
        super().__init__(fault)


def clean(cell: str) -> str:
    r"""Return the text of a cell without any kind of surplus space.

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
    """Return the name in a cell; one that a wrong encoding has damaged is an error, not a new place."""
    name = clean(cell)
    if not name:
        raise ReadError(f"{path.name}, row {number}: the location has no name")
    # Whoever saves as ASCII what is not gets question marks, which no name has.
    if "\ufffd" in name or "?" in name:
        raise ReadError(f"{path.name}, row {number}: {name!r} has lost letters; save the file as UTF-8 from its source")
    repaired = _repair(name)
    if repaired:
        raise ReadError(f"{path.name}, row {number}: {name!r} should read {repaired!r}; the file was encoded twice")
    return name


def parse_figure(cell: str, year: int, name: str, number: int, path: Path) -> float | None:
    """Return the figure in a cell, in the file's unit; None where the UN marks it as missing."""
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
    """Return ids as whole numbers where all are written so, else as the text they are: 01001 keeps its zero.

    Examples
    --------
    >>> read_codes(["4", "8"]), read_codes(["04", "08"])
    ([4, 8], ['04', '08'])
    """
    return list(map(int, ids)) if all(map(CANONICAL.fullmatch, ids)) else list(ids)


def check_text(text: str) -> str | None:
    """Return what is wrong with the letters of an id or name; None where nothing is.

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
    """Return a text as it was before it was encoded twice; None where it was not."""
    try:
        return None if text.isascii() else text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
