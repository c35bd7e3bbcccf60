"""Bytes -> text -> rows of cells -> codes, names and figures: what no UN file may get wrong without being told."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from popforecast.errors import ReadError

# The UN writes two or three dots where a figure is missing; the ellipsis is what some editors make of them.
MISSING = frozenset({"", "..", "...", "…"})
SPACES = re.compile(r"[\s\u200b\u2060\ufeff]+")
CODE = re.compile(r"[0-9]{1,9}")
YEAR = re.compile(r"(1[89]|2[01])[0-9]{2}")
FIGURE = re.compile(r"([0-9]+|[0-9]{1,3}( [0-9]{3})+)(\.[0-9]+)?")


class Text(NamedTuple):
    """A file's text, how it was encoded, and the checksum of its bytes."""

    text: str
    encoding: str
    sha256: str


def decode(path: Path) -> Text:
    """Return a file's text, from UTF-8, UTF-16 or Latin-1, plain or gzip.

    Raises
    ------
    ReadError
        If it cannot be read, is damaged or is no text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}") from error
    sha256 = hashlib.sha256(content).hexdigest()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ReadError(f"{path.name} is a gzip file that is cut or damaged ({error}): get it again") from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\x00" in content:
        raise ReadError(f"{path.name} holds NUL bytes: it is no CSV text (a spreadsheet must be saved as CSV first)")
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not clean(text):
            raise ReadError(f"{path.name} is empty: expected a CSV file of population")
        return Text(text, encoding, sha256)
    raise ReadError(f"{path.name} is not text in {' or '.join(encodings)}: save it as UTF-8")


def split_rows(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its number; 1 is the first of the file.

    Raises
    ------
    ReadError
        If the text is no well-formed CSV, or its last row has no line end.
    """
    if text[-1] not in "\r\n":
        # A figure that lost its last digits is still a figure, so only the line end tells that none is lost.
        raise ReadError(
            f"{path.name} does not end with a line end, so its last row may be cut: get it again (or, if it is "
            "whole, add the line end)"
        )
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for number, cells in enumerate(rows, start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise ReadError(f"{path.name}, row {number + 1}: no well-formed CSV ({error}); the file may be cut") from error


def check_width(cells: list[str], header: list[str], number: int, path: Path) -> None:
    """Check that a row has as many cells as the header."""
    if len(cells) != len(header):
        raise ReadError(f"{path.name}, row {number}: {len(cells)} cells, expected {len(header)}; the file may be cut")


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
    try:
        repaired = name.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return name
    if repaired != name:
        raise ReadError(f"{path.name}, row {number}: {name!r} should read {repaired!r}; the file was encoded twice")
    return name


def parse_figure(cell: str, year: int, name: str, number: int, path: Path) -> float | None:
    """Return the figure in a cell, in the file's unit; None where the UN marks it as missing."""
    text = clean(cell)
    if text in MISSING:
        return None
    if not FIGURE.fullmatch(text):
        raise ReadError(
            f"{path.name}, row {number}: {name} has {cell!r} in {year}; expected thousands of persons such as "
            "'2 536 431', or '...' where there is no figure"
        )
    return float(text.replace(" ", ""))
