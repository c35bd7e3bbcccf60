"""A Parquet file or folder, cut into partitions of whole row groups; nothing but footers is read where they suffice."""

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

# What identifiers are. What fits into no signed number stays without a sign: as a signed one it would be another.
TEXT, NUMBERS, UNSIGNED = "text", "whole numbers", "whole numbers without sign (uint64)"


class Columns(NamedTuple):
    """The names of the columns of identifiers, years and population."""

    id: str
    time: str
    value: str


class Piece(NamedTuple):
    """A row group: its file, number, rows, what its identifiers are, and the first and last of them."""

    path: str
    group: int
    rows: int
    kind: str
    # Numbers or texts, all of one kind, so that any two can be compared.
    first: Any
    last: Any

    def __str__(self) -> str:
        return f"{self.path}, row group {self.group}"


@dataclass(frozen=True)
class Partition:
    """Row groups in a row. Each series belongs to the partition in which it begins.

    Attributes
    ----------
    number : int
    pieces : tuple of Piece
    before : hashable or None
        The series that began in an earlier partition, whose rows here are not this partition's.
    after : tuple of Piece
        The row groups in which the last series goes on.
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
    """What was found: partitions in order, files that could not be read, and what tells this input from another."""

    partitions: tuple[Partition, ...]
    unread: tuple[tuple[str, str], ...]
    fingerprint: str


def survey(path: Path, columns: Columns, rows: int, skip: bool = False) -> Source:
    """Read the footers of a file or folder and cut it into partitions of about so many rows.

    Raises
    ------
    ScaleError
        If there is no Parquet, a column is absent or of the wrong type, or the rows are not sorted by identifier.
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
                raise ScaleError(f"{sentence}: mend it, or pass on_error='skip' to leave it out") from error
            unread.append((str(name), sentence))
            continue
        if kind not in (None, found):
            raise ScaleError(
                f"{name}: column {columns.id!r} holds {found}, in the files before {kind}: expected one type"
            )
        kind = found
        if pieces:
            files.append(pieces)
    if not files:
        raise ScaleError(f"{path} holds no rows: expected a long table of {', '.join(columns)}")
    # Names such as part.10 come before part.2: what is in a file says where it belongs.
    files.sort(key=lambda pieces: (pieces[0].first, pieces[-1].last))
    ordered = [piece for pieces in files for piece in pieces]
    check_order(ordered, columns)
    return Source(tuple(cut(ordered, rows)), tuple(unread), digest.hexdigest())


def find_files(path: Path) -> list[Path]:
    """Return the Parquet files of a folder, or the file itself; names that begin with . or _ are none of the data."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ScaleError(f"{path} is not there: expected a Parquet file or a folder of them")
    found = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file()
        and file.suffix in (".parquet", ".parq", ".pq")
        and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
    ]
    if not found:
        raise ScaleError(f"{path} holds no file that ends in .parquet: expected at least one")
    return found


def check_order(pieces: Sequence[Piece], columns: Columns) -> None:
    """Check that identifiers never step back from one row group to the next.

    Raises
    ------
    ScaleError
        If they do; the error says how to sort.
    """
    for piece, following in pairwise(pieces):
        if piece.last > following.first or piece.first > piece.last:
            raise ScaleError(describe_disorder(str(following), following.first, piece.last, columns))


def describe_disorder(place: str, found: Hashable, before: Hashable, columns: Columns) -> str:
    """Say that rows are not sorted, and how to sort them."""
    return (
        f"{place}: {columns.id} {found!r} comes after {before!r}: expected rows sorted by {columns.id} (text in the "
        f"order of its bytes). Sort first, such as by frame.sort_values([{columns.id!r}, {columns.time!r}])"
    )


def cut(pieces: Sequence[Piece], rows: int) -> Iterator[Partition]:
    """Put row groups together into partitions of at least so many rows, but for the last."""
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
    """Return the row groups of a file that have rows, and what identifiers are: text, numbers, without sign or with."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        kind = _check_schema(path, schema, columns)
        at = next(leaf for leaf in range(len(file.schema)) if file.schema.column(leaf).path == columns.id)
        # Other writers may shorten the statistics of text.
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
        raise ScaleError(f"{path}: column {columns.time!r} holds {times}: expected years as whole numbers")
    if not (pa.types.is_integer(values) or pa.types.is_floating(values) or pa.types.is_decimal(values)):
        raise ScaleError(f"{path}: column {columns.value!r} holds {values}: expected numbers")
    if pa.types.is_dictionary(ids):
        ids = ids.value_type
    if pa.types.is_integer(ids):
        return UNSIGNED if ids == pa.uint64() else NUMBERS
    if pa.types.is_string(ids) or pa.types.is_large_string(ids) or pa.types.is_string_view(ids):
        return TEXT
    raise ScaleError(f"{path}: column {columns.id!r} holds {ids}: expected whole numbers or text")


def first_line(error: BaseException) -> str:
    """Return what an error says first; the rest of what Arrow says is for those who build it."""
    return (str(error).splitlines() or [type(error).__name__])[0]
