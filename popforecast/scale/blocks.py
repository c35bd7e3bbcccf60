"""The rows of a partition, as blocks of whole series: a few thousand at a time, wherever row groups end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from popforecast.errors import ScaleError
from popforecast.models.base import Array
from popforecast.panel.frames import are_years
from popforecast.scale.source import TEXT, Columns, Partition, Piece, describe_disorder, first_line

# Rows read at once: two thousand series of seventy years, whose work arrays stay in the processor's cache.
BATCH_ROWS = 1 << 17


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of whole series, one after the other.

    Attributes
    ----------
    ids : ndarray, shape (n,)
        Identifiers, as whole numbers or text, in their order.
    starts : ndarray, shape (n + 1,)
        Where each series begins, and where the last one ends.
    years, values : ndarray, shape (rows,)
        A value that is not there is NaN.
    """

    ids: NDArray[Any]
    starts: NDArray[np.int64]
    years: NDArray[np.int64]
    values: Array

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, first: int, last: int) -> Block:
        """Return the series from one number up to another."""
        rows = slice(self.starts[first], self.starts[last])
        return Block(
            self.ids[first:last],
            self.starts[first : last + 1] - self.starts[first],
            self.years[rows],
            self.values[rows],
        )


def read_blocks(partition: Partition, columns: Columns) -> Iterator[Block]:
    """Yield the series that begin in a partition, each of them whole.

    Raises
    ------
    ScaleError
        If a row group cannot be read, a row has no identifier or year, or identifiers step back.
    """
    held: Block | None = None
    last: Any = None
    for block in _read_rows(partition, columns):
        if held is not None:
            block = join(held, block)
        elif last is not None and not last < block.ids[0]:
            raise ScaleError(describe_disorder(str(partition), _plain(block.ids[0]), _plain(last), columns))
        steps_back = np.flatnonzero(~(block.ids[1:] > block.ids[:-1]))
        if len(steps_back):
            at = int(steps_back[0])
            raise ScaleError(
                describe_disorder(str(partition), _plain(block.ids[at + 1]), _plain(block.ids[at]), columns)
            )
        # The last series may go on in the next batch.
        held, last = block.take(len(block) - 1, len(block)), block.ids[-1]
        if len(block) > 1:
            yield block.take(0, len(block) - 1)
    if held is not None:
        yield held


def join(first: Block, second: Block) -> Block:
    """Return two blocks as one; a series at the end of the first may go on in the second."""
    same = int(first.ids[-1] == second.ids[0])
    return Block(
        np.concatenate([first.ids, second.ids[same:]]),
        np.concatenate([first.starts[:-1], second.starts[same:] + first.starts[-1]]),
        np.concatenate([first.years, second.years]),
        np.concatenate([first.values, second.values]),
    )


def _read_rows(partition: Partition, columns: Columns) -> Iterator[Block]:
    """Yield the partition's own rows, and then those with which its last series goes on."""
    ends = partition.pieces[-1].last
    for piece in partition.pieces:
        for block in _read_piece(piece, columns):
            first = int(partition.before is not None and block.ids[0] == partition.before)
            if first < len(block):
                yield block.take(first, len(block))
    if ends == partition.before:
        # What goes on began before this partition, too.
        return
    for piece in partition.after:
        for block in _read_piece(piece, columns):
            if block.ids[0] == ends:
                yield block.take(0, 1)
            if len(block) > 1 or block.ids[0] != ends:
                return


def _read_piece(piece: Piece, columns: Columns) -> Iterator[Block]:
    text = piece.kind == TEXT
    try:
        with pq.ParquetFile(
            piece.path, read_dictionary=[columns.id] if text else None, page_checksum_verification=True
        ) as file:
            batches = file.iter_batches(BATCH_ROWS, [piece.group], list(columns), use_threads=False)
            for batch in batches:
                if batch.num_rows:
                    yield _split(batch, columns, piece)
    except (pa.ArrowException, OSError) as error:
        raise ScaleError(f"{piece} cannot be read ({first_line(error)}): the file is damaged or has gone") from error


def _split(batch: pa.RecordBatch, columns: Columns, piece: Piece) -> Block:
    ids, years, values = (batch.column(name) for name in columns)
    for name, array in ((columns.id, ids), (columns.time, years)):
        if array.null_count:
            raise ScaleError(f"{piece}: {array.null_count} rows have no {name}: expected one in every row")
    if piece.kind == TEXT:
        ids = ids if pa.types.is_dictionary(ids.type) else ids.dictionary_encode()
        codes = ids.indices.to_numpy(zero_copy_only=False)
        starts = _find_changes(codes)
        found = ids.dictionary.to_numpy(zero_copy_only=False)[codes[starts]]
    else:
        if pa.types.is_dictionary(ids.type):
            ids = ids.dictionary_decode()
        numbers = ids.to_numpy(zero_copy_only=False)
        starts = _find_changes(numbers)
        found = numbers[starts]
    found_years = years.to_numpy(zero_copy_only=False)
    strange = ~are_years(found_years)
    if strange.any():
        raise ScaleError(f"{piece}: {columns.time} {found_years[strange][0]} is no year: expected whole years")
    # A dictionary may hold a text twice.
    new = np.concatenate([[True], found[1:] != found[:-1]])
    return Block(
        found[new],
        np.append(starts[new], batch.num_rows),
        found_years.astype(np.int64, copy=False),
        _to_floats(values),
    )


def _find_changes(values: NDArray[Any]) -> NDArray[np.intp]:
    return np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])


def _to_floats(values: pa.Array) -> Array:
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    return values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
