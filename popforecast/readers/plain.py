"""Tables in which nothing needs a second look, by pandas' parser; what it would guess is refused."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.readers.cells import clean
from popforecast.readers.headers import Header
from popforecast.readers.opening import Source
from popforecast.readers.rows import Columns

PART = 1 << 22


def read_plain(source: Source, header: Header, repeating: Sequence[str], value: str) -> Columns | None:
    """Read columns of a table, and one of figures, if every row is as wide as the header and every figure is clear.

    Returns
    -------
    Columns or None
        None where a cell stands in quotes, is empty or has surplus space, where a row is longer or shorter than the
        header, or a figure is more than digits and a decimal point: then each is to be looked at.
    """
    marks = _count_marks(source, header)
    if header.keys > 1 or marks is None or source.ends_open():
        return None
    frame = _parse(source, header, repeating, value)
    # pandas refuses a row that is too long and fills one that is too short: the marks between cells tell.
    if frame is None or not len(frame) or marks != len(frame) * (len(header.titles) - 1):
        return None
    values = frame[value].to_numpy() if frame[value].dtype.kind in "iuf" else None
    if values is None or not _are_clear(values):
        return None
    texts, numbers = {}, {}
    for column in repeating:
        codes, cells = pd.factorize(frame[column])
        texts[column] = cells.tolist()
        numbers[column] = codes.astype(np.int64)
        if not all(text and text == clean(text) for text in texts[column]):
            return None
    return Columns(texts, numbers, {}, {value: values.astype(np.float64)})


def _count_marks(source: Source, header: Header) -> int | None:
    """Return how many delimiters stand below the header; None where there are quotes, or too few or many."""
    count, width = 0, len(header.titles)
    with source.open() as text:
        for _ in itertools.islice(text, header.line):
            pass
        while part := text.read(PART):
            marks = part.count(header.delimiter)
            ends = max(part.count("\n"), part.count("\r"))
            # Gigabytes of something else are refused by the first of them.
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


def _are_clear(values: NDArray[np.generic]) -> bool:
    """Whether figures are of zero or more, and no point among them could part thousands."""
    if not np.isfinite(values).all() or (values < 0).any():
        return False
    if values.dtype.kind in "iu":
        return True
    # 12.345 may be twelve thousand; 1234.5 and 1.2345 may not, and must be most by far.
    beyond = np.abs(values * 1000 - np.rint(values * 1000)) > 1e-6
    return bool(((values % 1 > 0) & ((values >= 1000) | beyond)).mean() > 0.5)
