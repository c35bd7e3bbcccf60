"""Read a partition in blocks of a few thousand complete series, check them, and group them by years."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from popforecast.errors import ScaleError
from popforecast.models.base import Array
from popforecast.panel import spans
from popforecast.panel.frames import are_years
from popforecast.panel.spans import Span
from popforecast.scale.source import TEXT, Columns, Partition, Piece, describe_disorder, first_line

# Rows per read: about two thousand series of seventy years, whose arrays fit into the processor's cache.
BATCH_ROWS = 1 << 17


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of complete series, one after the other.

    Attributes
    ----------
    ids : ndarray, shape (n,)
        Sorted identifiers, integers or text.
    starts : ndarray, shape (n + 1,)
        Start of each series, and end of the last one.
    years, values : ndarray, shape (rows,)
        Rows of all series; missing values are NaN.
    """

    ids: NDArray[Any]
    starts: NDArray[np.int64]
    years: NDArray[np.int64]
    values: Array

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, first: int, last: int) -> Block:
        """Return the series from `first` up to, but not including, `last`."""
        rows = slice(self.starts[first], self.starts[last])
        return Block(
            self.ids[first:last],
            self.starts[first : last + 1] - self.starts[first],
            self.years[rows],
            self.values[rows],
        )


def read_blocks(partition: Partition, columns: Columns) -> Iterator[Block]:
    """Yield the series that start in a partition, each complete.

    Raises
    ------
    ScaleError
        If a row group cannot be read, a row has no identifier or year, or rows are not sorted by identifier.
    """
    held: Block | None = None
    last: Any = None
    for block in _read_rows(partition, columns):
        if held is not None:
            block = join(held, block)
        elif last is not None and not last < block.ids[0]:
            raise ScaleError(describe_disorder(str(partition), plain(block.ids[0]), plain(last), columns))
        steps_back = np.flatnonzero(~(block.ids[1:] > block.ids[:-1]))
        if len(steps_back):
            at = int(steps_back[0])
            raise ScaleError(describe_disorder(str(partition), plain(block.ids[at + 1]), plain(block.ids[at]), columns))
        # The last series may continue in the next batch.
        held, last = block.take(len(block) - 1, len(block)), block.ids[-1]
        if len(block) > 1:
            yield block.take(0, len(block) - 1)
    if held is not None:
        yield held


def join(first: Block, second: Block) -> Block:
    """Return two blocks as one; the last series of the first may continue in the second."""
    same = int(first.ids[-1] == second.ids[0])
    return Block(
        np.concatenate([first.ids, second.ids[same:]]),
        np.concatenate([first.starts[:-1], second.starts[same:] + first.starts[-1]]),
        np.concatenate([first.years, second.years]),
        np.concatenate([first.values, second.values]),
    )


def find_step(block: Block) -> int:
    """Return the most common step between years of a block's series; 1 if no series has two rows."""
    steps = np.diff(block.years)[np.setdiff1d(np.arange(len(block.years) - 1), block.starts[1:-1] - 1)]
    steps = steps[steps > 0]
    return spans.find_step(steps) if len(steps) else 1


def order_years(block: Block) -> Block:
    """Return the block with the rows of each series sorted by year."""
    steps = np.diff(block.years)
    steps[block.starts[1:-1] - 1] = 1
    if (steps >= 0).all():
        return block
    series = np.repeat(np.arange(len(block)), np.diff(block.starts))
    order = np.lexsort((block.years, series))
    return Block(block.ids, block.starts, block.years[order], block.values[order])


def check_series(block: Block, step: int, zero: bool) -> dict[int, str]:
    """Return the fault of each series that cannot be forecast, by its number in the block.

    Parameters
    ----------
    block : Block
        Rows of each series must be sorted by year.
    step : int
        Years between rows of a series.
    zero : bool
        Whether populations may be zero.
    """
    series = np.repeat(np.arange(len(block)), np.diff(block.starts))
    steps = np.diff(block.years, prepend=block.years[:1] - step)
    steps[block.starts[:-1]] = step
    values = block.values
    faults: dict[int, str] = {}
    for wrong, say in (
        (steps == 0, lambda i: f"has {block.years[i]} twice: expected each year once"),
        (steps != step, lambda i: f"has {block.years[i]} after {block.years[i] - steps[i]}: expected a step of {step}"),
        (np.isnan(values), lambda i: f"has no figure in {block.years[i]}: expected a number"),
        (np.isinf(values), lambda i: f"is infinite in {block.years[i]}: expected a number"),
        (values < 0, lambda i: f"is negative in {block.years[i]} ({values[i]:g}): expected zero or more"),
        (
            (values == 0) & (not zero),
            lambda i: (
                f"is zero in {block.years[i]}: this model takes logarithms, expected more than zero, or a "
                "model that accepts zeros, such as ar1"
            ),
        ),
    ):
        for row in np.flatnonzero(wrong):
            faults.setdefault(int(series[row]), say(row))
    for number in np.flatnonzero(np.diff(block.starts) < 2):
        faults.setdefault(int(number), f"has one year ({block.years[block.starts[number]]}): expected two or more")
    return faults


def find_rectangles(block: Block, faults: Mapping[int, str]) -> Iterator[Span]:
    """Yield the series without faults, grouped by years."""
    sound = np.ones(len(block), dtype=bool)
    sound[list(faults)] = False
    return spans.group(block.starts, block.years, block.values, sound if faults else None)


def plain(value: Any) -> Any:
    """Return an identifier as a Python number or string."""
    return value.item() if isinstance(value, np.generic) else value


def _read_rows(partition: Partition, columns: Columns) -> Iterator[Block]:
    """Yield the rows of the partition, and then those with which its last series continues."""
    ends = partition.pieces[-1].last
    for piece in partition.pieces:
        for block in _read_piece(piece, columns):
            first = int(partition.before is not None and block.ids[0] == partition.before)
            if first < len(block):
                yield block.take(first, len(block))
    if ends == partition.before:
        # The last series started before this partition, so it belongs to an earlier one.
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
        raise ScaleError(f"{piece} cannot be read ({first_line(error)}): the file is damaged or missing") from error


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
        raise ScaleError(f"{piece}: {columns.time} {found_years[strange][0]} is not a year: expected whole years")
    # A dictionary may contain the same text twice.
    new = np.concatenate([[True], found[1:] != found[:-1]])
    return Block(
        found[new], np.append(starts[new], batch.num_rows), found_years.astype(np.int64, copy=False), _to_floats(values)
    )


def _find_changes(values: NDArray[Any]) -> NDArray[np.intp]:
    return np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])


def _to_floats(values: pa.Array) -> Array:
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    return values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
