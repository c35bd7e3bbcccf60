"""Partition a Parquet file or folder by row groups, reading only footers where possible."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from popforecast.errors import ScaleError

# Types of identifiers. Unsigned numbers stay unsigned, because a conversion could change large ones.
TEXT, NUMBERS, UNSIGNED = "text", "whole numbers", "unsigned whole numbers (uint64)"


class Columns(NamedTuple):
    """Names of the columns of identifiers, years and population."""

    id: str
    time: str
    value: str


class Piece(NamedTuple):
    """A row group: file, number, number of rows, type of identifiers, and first and last identifier."""

    path: str
    group: int
    rows: int
    kind: str
    # All numbers or all text, so that any two can be compared.
    first: Any
    last: Any

    def __str__(self) -> str:
        return f"{self.path}, row group {self.group}"


@dataclass(frozen=True)
class Partition:
    """Consecutive row groups. A series belongs to the partition in which it starts.

    Attributes
    ----------
    number : int
    pieces : tuple of Piece
    before : hashable or None
        The series that started in an earlier partition; its rows are skipped here.
    after : tuple of Piece
        The row groups in which the last series continues.
    """

    number: int
    pieces: tuple[Piece, ...]
    before: Hashable | None
    after: tuple[Piece, ...]

    def __str__(self) -> str:
        first, last = self.pieces[0], self.pieces[-1]
        groups = f"row group {first.group}" + (f" to {last.group}" if last.group != first.group else "")
        where = groups if first.path == last.path else f"row group {first.group} to {last.path}, row group {last.group}"
        return f"partition {self.number} ({first.path}, {where})"


@dataclass(frozen=True)
class Source:
    """The input: partitions in order, unreadable files, and a fingerprint of the files."""

    partitions: tuple[Partition, ...]
    unread: tuple[tuple[str, str], ...]
    fingerprint: str


def survey(path: Path, columns: Columns, rows: int, skip: bool = False) -> Source:
    """Read the footers of a file or folder and return partitions of about this number of rows.

    Raises
    ------
    ScaleError
        If there is no Parquet file, a column is missing or has the wrong type, or rows are not sorted by identifier.
    """
    files: list[list[Piece]] = []
    unread: list[tuple[str, str]] = []
    digest, kind = hashlib.sha256(), None
    for name in find_files(path):
        stamp = name.stat()
        digest.update(f"{name.name} {stamp.st_size} {stamp.st_mtime_ns}\n".encode())
        try:
            pieces, found = _read_footer(name, columns)
        except (pa.ArrowException, OSError) as error:
            sentence = f"{name} cannot be read as Parquet ({first_line(error)})"
            if not skip:
                raise ScaleError(f"{sentence}: fix it, or pass on_error='skip' to leave it out") from error
            unread.append((str(name), sentence))
            continue
        if kind not in (None, found):
            raise ScaleError(f"{name}: column {columns.id!r} has {found}, but {kind} in other files: expected one type")
        kind = found
        if pieces:
            files.append(pieces)
    if not files:
        raise ScaleError(f"{path} has no rows: expected a long table of {', '.join(columns)}")
    # Ordered by contents, because by name part.10 would come before part.2.
    files.sort(key=lambda pieces: (pieces[0].first, pieces[-1].last))
    ordered = [piece for pieces in files for piece in pieces]
    check_order(ordered, columns)
    return Source(tuple(cut(ordered, rows)), tuple(unread), digest.hexdigest())


def find_files(path: Path) -> list[Path]:
    """Return the Parquet files of a folder, or the file itself; names that start with . or _ are ignored."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ScaleError(f"{path} does not exist: expected a Parquet file or a folder of them")
    found = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file()
        and file.suffix in (".parquet", ".parq", ".pq")
        and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
    ]
    if not found:
        raise ScaleError(f"{path} contains no .parquet file: expected at least one")
    return found


def check_order(pieces: Sequence[Piece], columns: Columns) -> None:
    """Check that row groups are sorted by identifier.

    Raises
    ------
    ScaleError
        If they are not; the error shows how to sort them.
    """
    for piece, following in pairwise(pieces):
        if piece.last > following.first or piece.first > piece.last:
            raise ScaleError(describe_disorder(str(following), following.first, piece.last, columns))


def describe_disorder(place: str, found: Hashable, before: Hashable, columns: Columns) -> str:
    """Return the error text for rows that are not sorted, with instructions for sorting them."""
    return (
        f"{place}: {columns.id} {found!r} comes after {before!r}: expected rows sorted by {columns.id} (text in "
        f"byte order). Sort first, for example with frame.sort_values([{columns.id!r}, {columns.time!r}])"
    )


def cut(pieces: Sequence[Piece], rows: int) -> Iterator[Partition]:
    """Yield partitions of consecutive row groups with at most this number of rows, and at least one row group each."""
    first, number = 0, 0
    while first < len(pieces):
        last, held = first + 1, pieces[first].rows
        while last < len(pieces) and held + pieces[last].rows <= rows:
            held += pieces[last].rows
            last += 1
        ends = pieces[last - 1].last
        going_on = last
        while going_on < len(pieces) and pieces[going_on].first == ends:
            going_on += 1
        begun = first > 0 and pieces[first - 1].last == pieces[first].first
        yield Partition(
            number, tuple(pieces[first:last]), pieces[first].first if begun else None, tuple(pieces[last:going_on])
        )
        first, number = last, number + 1


def _read_footer(path: Path, columns: Columns) -> tuple[list[Piece], str]:
    """Return the non-empty row groups of a file, and the type of its identifiers."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        kind = _check_schema(path, schema, columns)
        at = next(leaf for leaf in range(len(file.schema)) if file.schema.column(leaf).path == columns.id)
        # Other writers may truncate the statistics of text.
        exact = kind != TEXT or str(file.metadata.created_by).startswith("parquet-cpp-arrow")
        pieces = []
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group)
            if not rows.num_rows:
                continue
            statistics = rows.column(at).statistics
            if exact and statistics is not None and statistics.has_min_max:
                ends = (statistics.min, statistics.max)
            else:
                ids = file.read_row_group(group, columns=[columns.id]).column(0)
                ends = (ids[0].as_py(), ids[-1].as_py())
            if None in ends:
                raise ScaleError(f"{path}, row group {group}: a row has no {columns.id}: expected one in every row")
            pieces.append(Piece(str(path), group, rows.num_rows, kind, *ends))
    return pieces, kind


def _check_schema(path: Path, schema: pa.Schema, columns: Columns) -> str:
    for name in columns:
        if name not in schema.names:
            raise ScaleError(f"{path} has no column {name!r}: expected one of {', '.join(schema.names)}")
    ids, times, values = (schema.field(name).type for name in columns)
    if not pa.types.is_integer(times):
        raise ScaleError(f"{path}: column {columns.time!r} is of type {times}: expected years as whole numbers")
    if not (pa.types.is_integer(values) or pa.types.is_floating(values) or pa.types.is_decimal(values)):
        raise ScaleError(f"{path}: column {columns.value!r} is of type {values}: expected numbers")
    if pa.types.is_dictionary(ids):
        ids = ids.value_type
    if pa.types.is_integer(ids):
        return UNSIGNED if ids == pa.uint64() else NUMBERS
    if pa.types.is_string(ids) or pa.types.is_large_string(ids) or pa.types.is_string_view(ids):
        return TEXT
    raise ScaleError(f"{path}: column {columns.id!r} is of type {ids}: expected whole numbers or text")


def first_line(error: BaseException) -> str:
    """Return the first line of an error; Arrow's further lines are details for developers."""
    return (str(error).splitlines() or [type(error).__name__])[0]
