"""Blocks of series with any first and last year, as rectangles; what is no series is told apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.panel import Panel
from popforecast.scale.blocks import Block

# What makes a panel of checked figures, at once.
ONE = Panel([[1, 1]], [0, 1], pd.DataFrame(index=[0]))


class Skipped(NamedTuple):
    """What was left out: a series, or (code None) a whole partition or file, and why."""

    partition: int | None
    location_code: Hashable
    reason: str


@dataclass(frozen=True, eq=False)
class Rectangle:
    """Series of the same years.

    Attributes
    ----------
    rows : ndarray, shape (n,)
        Their numbers in the block.
    years : ndarray, shape (t,)
    values : ndarray, shape (n, t)
    """

    rows: NDArray[np.intp]
    years: NDArray[np.int64]
    values: Array

    def to_panel(self) -> Panel:
        """Return the rectangle as a panel; every cell was checked already."""
        return ONE._derive(self.values, self.years, pd.DataFrame(index=pd.RangeIndex(len(self.rows))))


def find_step(block: Block) -> int:
    """Return the years between most neighbouring rows of a block's series; 1 where no series has two rows."""
    steps = np.diff(block.years)[np.setdiff1d(np.arange(len(block.years) - 1), block.starts[1:-1] - 1)]
    steps = steps[steps > 0]
    if not len(steps):
        return 1
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])


def order_years(block: Block) -> Block:
    """Return the block with the rows of every series in the order of years."""
    steps = np.diff(block.years)
    steps[block.starts[1:-1] - 1] = 1
    if (steps >= 0).all():
        return block
    series = np.repeat(np.arange(len(block)), np.diff(block.starts))
    order = np.lexsort((block.years, series))
    return Block(block.ids, block.starts, block.years[order], block.values[order])


def check_series(block: Block, step: int, zero: bool) -> dict[int, str]:
    """Return what is wrong with each series that cannot be forecast, by its number in the block.

    Parameters
    ----------
    block : Block
        Its rows in the order of years.
    step : int
        Years from one row of a series to the next.
    zero : bool
        Whether a population may be zero.
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
                "model that takes zeros, such as ar1"
            ),
        ),
    ):
        for row in np.flatnonzero(wrong):
            faults.setdefault(int(series[row]), say(row))
    for number in np.flatnonzero(np.diff(block.starts) < 2):
        faults.setdefault(int(number), f"has one year ({block.years[block.starts[number]]}): expected two or more")
    return faults


def find_rectangles(block: Block, faults: dict[int, Any]) -> Iterator[Rectangle]:
    """Yield the series without faults, those of the same years together."""
    counts = np.diff(block.starts)
    first = block.years[block.starts[:-1]]
    if not faults and (counts == counts[0]).all() and (first == first[0]).all():
        yield Rectangle(np.arange(len(block)), block.years[: counts[0]], block.values.reshape(len(block), -1))
        return
    sound = np.ones(len(block), dtype=bool)
    sound[list(faults)] = False
    for year, count in sorted(set(zip(first[sound].tolist(), counts[sound].tolist(), strict=True))):
        rows = np.flatnonzero(sound & (first == year) & (counts == count))
        at = block.starts[rows][:, None] + np.arange(count)
        yield Rectangle(rows, block.years[at[0]], block.values[at])
