"""The columns of a long text table, row by row: what each location, year and figure is, and on which line it stands."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import ReadError
from popforecast.readers.cells import clean
from popforecast.readers.headers import DELIMITERS, Header
from popforecast.readers.opening import Source

CHUNK = 10_000


class Numbers(dict[str, int]):
    """Texts numbered in the order in which they come; a text and the same with surplus space have one number."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def __missing__(self, cell: str) -> int:
        number = self[cell] = self.texts.setdefault(clean(cell), len(self.texts))
        return number


class Record(NamedTuple):
    """A row of a table, and its line; 1 is the first of the file."""

    line: int
    cells: list[str]


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of a table as text.

    Attributes
    ----------
    texts : dict of str to list of str
        The different cells of each column that repeats itself, such as ids and years.
    numbers : dict of str to ndarray
        Which of them stands in each row.
    cells : dict of str to list of str
        All cells of the other columns.
    amounts : dict of str to ndarray
        Figures that are numbers already.
    """

    texts: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    cells: dict[str, list[str]] = field(default_factory=dict)
    amounts: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def read_columns(
    source: Source, header: Header, repeating: Sequence[str], others: Sequence[str], where: Mapping[str, str]
) -> Columns:
    """Read columns of a table, of the rows whose cells are as asked.

    Raises
    ------
    ReadError
        If a row has more or fewer cells than the header, or is no well-formed CSV.
    """
    try:
        return _collect(_read_chunks(source, header, where), header, repeating, others)
    except _UnevenError:
        rows = (record.cells for record in iterate(source, header, where))
        return _collect(_chunk(rows), header, repeating, others)


def _collect(
    chunks: Iterable[list[list[str]]], header: Header, repeating: Sequence[str], others: Sequence[str]
) -> Columns:
    places = {column: header.titles.index(column) for column in (*repeating, *others)}
    known = {column: Numbers() for column in repeating}
    numbers: dict[str, list[NDArray[np.int64]]] = {column: [np.empty(0, np.int64)] for column in repeating}
    cells: dict[str, list[str]] = {column: [] for column in others}
    for rows in chunks:
        for column in repeating:
            place, look_up = places[column], known[column].__getitem__
            numbers[column].append(np.array([look_up(row[place]) for row in rows], dtype=np.int64))
        for column in others:
            place = places[column]
            cells[column] += [row[place] for row in rows]
    return Columns(
        {column: list(texts.texts) for column, texts in known.items()},
        {column: np.concatenate(parts) for column, parts in numbers.items()},
        cells,
    )


class _UnevenError(Exception):
    """A row that is not simply as wide as the header: to be looked at with its line."""


def _read_chunks(source: Source, header: Header, where: Mapping[str, str]) -> Iterator[list[list[str]]]:
    """Yield many rows at a time, as long as nothing is to be said of any of them."""
    wanted, width = _place(header, where), {len(header.titles)}
    if header.keys > 1:
        raise _UnevenError
    with source.open() as text:
        reader = csv.reader(
            itertools.islice(source.list_lines(text), header.line, None), delimiter=header.delimiter, strict=True
        )
        try:
            while rows := list(itertools.islice(reader, CHUNK)):
                rows = [row for row in rows if row]
                if not set(map(len, rows)) <= width or not all(row[0] for row in rows):
                    raise _UnevenError
                for place, value in wanted:
                    rows = [row for row in rows if clean(row[place]) == value]
                yield rows
        except csv.Error:
            raise _UnevenError from None


def iterate(source: Source, header: Header, where: Mapping[str, str]) -> Iterator[Record]:
    """Yield the rows below the header that are not blank and whose cells are as asked, each as wide as the header."""
    wanted = _place(header, where)
    records = read_records(source, header)
    return (r for r in records if all(clean(r.cells[at]) == value for at, value in wanted)) if wanted else records


def find_lines(source: Source, header: Header, where: Mapping[str, str], rows: Iterable[int]) -> list[int]:
    """Return the lines of rows that :func:`iterate` yields; 0 is the first."""
    wanted = list(rows)
    last = max(wanted, default=-1)
    lines = [record.line for record in itertools.islice(iterate(source, header, where), last + 1)]
    return [lines[row] for row in wanted]


def read_records(source: Source, header: Header) -> Iterator[Record]:
    """Yield the rows below the header that are not blank, each with its line.

    Cells beyond the header that are empty are left out, and so are notes after a blank line at the end.
    """
    width, name, blank = len(header.titles), source.path.name, False
    with source.open() as text:
        lines = itertools.islice(source.list_lines(text), header.line, None)
        reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
        try:
            for cells in reader if header.keys == 1 else map(header.split, reader):
                line = header.line + reader.line_num
                if len(cells) == width and cells[0]:
                    yield Record(line, cells)
                    continue
                while len(cells) > width and not cells[-1].strip():
                    cells.pop()
                if not any(map(str.strip, cells)):
                    blank = True
                elif len(cells) == width:
                    yield Record(line, cells)
                elif not (blank and _is_note(cells)):
                    raise ReadError(f"{name}, line {line}: {_say_width(len(cells), header)}")
        except csv.Error as error:
            raise ReadError(
                f"{name}, line {header.line + reader.line_num}: no well-formed CSV ({error}); the file may be damaged"
            ) from error


def _is_note(cells: list[str]) -> bool:
    return sum(bool(cell.strip()) for cell in cells) == 1 and " " in cells[0].strip()


def _say_width(found: int, header: Header) -> str:
    width = len(header.titles)
    said = f"{found} {'cell' if found == 1 else 'cells'} parted by {DELIMITERS[header.delimiter]}s, expected {width}"
    if found > width and header.delimiter == ",":
        return f"{said}; a figure or name that holds a comma must stand in quotes"
    return f"{said}; the file may be cut or damaged"


def _place(header: Header, where: Mapping[str, str]) -> list[tuple[int, str]]:
    return [(header.titles.index(column), clean(str(value))) for column, value in where.items()]


def _chunk(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while chunk := list(itertools.islice(rows, CHUNK)):
        yield chunk
