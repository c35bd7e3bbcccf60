"""Rows and columns of a text table, read with line numbers for errors; plain tables are read by pandas."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import ReadError
from popforecast.readers.cells import clean
from popforecast.readers.headers import DELIMITERS, Header
from popforecast.readers.opening import Source

CHUNK = 10_000
PART = 1 << 22


class Numbers(dict[str, int]):
    """Numbers of texts in order of first appearance; texts that differ only in surplus whitespace share a number."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def __missing__(self, cell: str) -> int:
        number = self[cell] = self.texts.setdefault(clean(cell), len(self.texts))
        return number


class Record(NamedTuple):
    """A row of a table, and its line in the file, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of a table.

    Attributes
    ----------
    texts : dict of str to list of str
        The distinct cells of columns with repeated values, such as ids and years.
    numbers : dict of str to ndarray
        The position in `texts` of the cell in each row.
    cells : dict of str to list of str
        All cells of other columns, as text.
    amounts : dict of str to ndarray
        Columns of figures already parsed as numbers.
    """

    texts: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    cells: dict[str, list[str]] = field(default_factory=dict)
    amounts: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def read_columns(
    source: Source, header: Header, repeating: Sequence[str], others: Sequence[str], where: Mapping[str, str]
) -> Columns:
    """Return columns of a table, for the rows that satisfy the conditions in `where`.

    Raises
    ------
    ReadError
        If a row has more or fewer cells than the header, or is not well-formed CSV.
    """
    try:
        return _collect(_read_chunks(source, header, where), header, repeating, others)
    except _UnevenError:
        return _collect(_chunk(iterate(source, header, where)), header, repeating, others)


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
    """A row that must be read with its line number, because it is not simply as wide as the header."""


def _read_chunks(source: Source, header: Header, where: Mapping[str, str]) -> Iterator[list[list[str]]]:
    """Yield rows in chunks; raise _UnevenError if a row must be read with its line number."""
    wanted, width = _place(header, where), {len(header.titles)}
    with source.open() as text:
        lines = itertools.islice(source.list_lines(text), header.line, None)
        reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
        try:
            while rows := list(itertools.islice(reader, CHUNK)):
                rows = [row for row in rows if row]
                if header.keys > 1 or not set(map(len, rows)) <= width or not all(row[0] for row in rows):
                    raise _UnevenError
                for place, value in wanted:
                    rows = [row for row in rows if clean(row[place]) == value]
                yield rows
        except csv.Error:
            raise _UnevenError from None


def iterate(source: Source, header: Header, where: Mapping[str, str]) -> Iterator[Record]:
    """Yield the rows below the header that are not blank and satisfy `where`, each as wide as the header."""
    wanted = _place(header, where)
    records = read_records(source, header)
    return (r for r in records if all(clean(r.cells[at]) == value for at, value in wanted)) if wanted else records


def find_lines(source: Source, header: Header, where: Mapping[str, str], rows: Iterable[int]) -> list[int]:
    """Return the line numbers of rows yielded by :func:`iterate`, given their positions counted from 0."""
    wanted = list(rows)
    last = max(wanted, default=-1)
    lines = [record.line for record in itertools.islice(iterate(source, header, where), last + 1)]
    return [lines[row] for row in wanted]


def read_records(source: Source, header: Header) -> Iterator[Record]:
    """Yield the rows below the header that are not blank, each with its line number.

    Empty cells beyond the header are left out, as are notes after a blank line at the end.
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


def _chunk(records: Iterator[Record]) -> Iterator[list[list[str]]]:
    while chunk := [record.cells for record in itertools.islice(records, CHUNK)]:
        yield chunk


def split_rows(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its number in the file, counted from 1.

    Raises
    ------
    ReadError
        If the text is not well-formed CSV, or its last row has no line end.
    """
    if text[-1] not in "\r\n":
        # A truncated figure is still a valid figure, so only a line end shows that the last row is complete.
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


def check_widths(
    rows: Iterable[tuple[int, list[str]]], header: Sequence[str], path: Path
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, after checking that each has as many cells as the header."""
    for number, cells in rows:
        if len(cells) != len(header):
            raise ReadError(
                f"{path.name}, row {number}: {len(cells)} cells, expected {len(header)}; the file may be cut"
            )
        yield number, cells


def read_plain(source: Source, header: Header, repeating: Sequence[str], value: str) -> Columns | None:
    """Return columns of a table and its column of figures, read by pandas; None if the table is not plain.

    Returns
    -------
    Columns or None
        None if a cell is quoted, empty or has surplus whitespace, if a row is not as wide as the header, or if a figure
        is more than digits and an unambiguous decimal point: then each cell must be parsed separately.
    """
    marks = _count_marks(source, header)
    if header.keys > 1 or marks is None or source.ends_open():
        return None
    frame = _parse(source, header, repeating, value)
    # pandas rejects rows that are too long but fills up short ones, so the delimiters are counted.
    if frame is None or not len(frame) or marks != len(frame) * (len(header.titles) - 1):
        return None
    kind, values = frame[value].dtype.kind, pd.to_numeric(frame[value], errors="coerce").to_numpy(np.float64)
    if kind not in "iuf" or not _are_clear(values, kind in "iu"):
        return None
    texts, numbers = {}, {}
    for column in repeating:
        codes, cells = pd.factorize(frame[column])
        texts[column] = cells.tolist()
        numbers[column] = codes.astype(np.int64)
        if not all(text and text == clean(text) for text in texts[column]):
            return None
    return Columns(texts, numbers, {}, {value: values})


def _count_marks(source: Source, header: Header) -> int | None:
    """Return the number of delimiters below the header; None if there are quotes, or too few or too many delimiters."""
    count, width = 0, len(header.titles)
    with source.open() as text:
        for _ in itertools.islice(text, header.line):
            pass
        while part := text.read(PART):
            marks = part.count(header.delimiter)
            ends = max(part.count("\n"), part.count("\r"))
            # Checked for each part, so that a large file of another kind is rejected early.
            if '"' in part or not ends or abs(marks - ends * (width - 1)) >= max(width, 2):
                return None
            count += marks
    return count


def _parse(source: Source, header: Header, repeating: Sequence[str], value: str) -> pd.DataFrame | None:
    columns = [header.titles.index(column) for column in (*repeating, value)]
    with source.open() as text:
        for _ in itertools.islice(text, header.line):
            pass
        try:
            frame = pd.read_csv(
                text,
                sep=header.delimiter,
                header=None,
                names=range(len(header.titles)),
                usecols=columns,
                dtype=dict.fromkeys(columns[:-1], str),
                quoting=csv.QUOTE_NONE,
                na_filter=False,
                low_memory=False,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError, OverflowError):
            return None
    return frame.rename(columns=dict(zip(columns, (*repeating, value), strict=True)))


def _are_clear(values: NDArray[np.float64], whole: bool) -> bool:
    """Return whether no figure is negative and no decimal point could be a thousands separator."""
    if not np.isfinite(values).all() or (values < 0).any():
        return False
    # 12.345 could be twelve thousand; 1234.5 and 1.2345 could not. These must be the majority.
    beyond = np.abs(values * 1000 - np.rint(values * 1000)) > 1e-6
    return whole or bool(((values % 1 > 0) & ((values >= 1000) | beyond)).mean() > 0.5)
