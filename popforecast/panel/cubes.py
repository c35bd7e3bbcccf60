"""Long tables with several keys as arrays with one axis per key, checked cell by cell."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cube:
    """The figures of a long table as an array, with the labels of each axis; NaN where there is no row.

    Attributes
    ----------
    table : str
        The name of the table in errors.
    keys : tuple of str
    labels : tuple of tuple
        The labels of each key, in order.
    values : ndarray
    is_whole : bool
        Whether no cell may be missing.
    """

    table: str
    keys: tuple[str, ...]
    labels: tuple[tuple[Hashable, ...], ...]
    values: Array
    is_whole: bool

    def select(self, *wanted: Sequence[Hashable] | NDArray[np.int64]) -> Array:
        """Return the values at some labels of each key, in the given order.

        Raises
        ------
        PanelError
            If a required cell is missing; the error names it.
        """
        values = self.values
        for axis, labels in enumerate(wanted):
            at = pd.Index(self.labels[axis], tupleize_cols=False).get_indexer(pd.Index(labels, tupleize_cols=False))
            values = np.where(
                np.reshape(at < 0, [-1 if i == axis else 1 for i in range(values.ndim)]),
                np.nan,
                values.take(np.maximum(at, 0), axis),
            )
        if self.is_whole and np.isnan(values).any():
            cell = np.argwhere(np.isnan(values))[0]
            named = zip(self.keys, wanted, cell, strict=True)
            where = ", ".join(f"{key} {labels[i]}" for key, labels, i in named)
            raise PanelError(f"{self.table} has no row for {where}: expected a figure for each {', '.join(self.keys)}")
        return values


def collect_cube(table: pd.DataFrame, keys: Sequence[str], value: str, name: str, is_whole: bool = False) -> Cube:
    """Return a long table as a cube.

    Raises
    ------
    PanelError
        If a column is absent, a cell is repeated, or a figure is not a number.

    Examples
    --------
    >>> table = pd.DataFrame({"place": ["B", "A"], "age": [0, 0], "persons": [2, 1]})
    >>> collect_cube(table, ["place", "age"], "persons", "ages").select(["A", "C"], [0]).tolist()
    [[1.0], [nan]]
    """
    absent = [column for column in (*keys, value) if column not in table]
    if absent:
        raise PanelError(f"{name} has no column {absent[0]!r}: expected {', '.join((*keys, value))}")
    codes, labels = zip(*(pd.factorize(table[key], sort=True) for key in keys), strict=True)
    sizes = [len(each) for each in labels]
    cells = np.ravel_multi_index(codes, sizes)
    twice = pd.Series(cells).duplicated().to_numpy()
    if twice.any():
        row = table.loc[twice, list(keys)].iloc[0]
        where = ", ".join(f"{key} {row[key]}" for key in keys)
        raise PanelError(f"{name} has two rows for {where}: expected one")
    try:
        figures = table[value].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise PanelError(f"{name} has a {value} that is not a number ({error})") from error
    values = np.full(int(np.prod(sizes)), np.nan)
    values[cells] = figures
    return Cube(name, tuple(keys), tuple(tuple(each.tolist()) for each in labels), values.reshape(sizes), is_whole)


def collect_whole(table: pd.DataFrame, keys: Sequence[str], value: str, name: str) -> Cube:
    """Return a long table as a cube, after checking that no requested cell is missing."""
    return collect_cube(table, keys, value, name, is_whole=True)


def check_between(
    values: Array,
    codes: Sequence[Hashable],
    years: NDArray[np.int64],
    what: str,
    least: float,
    most: float,
    first_may_lack: bool = False,
) -> None:
    """Check that values, with places on the first axis and years on the last, are numbers in a range.

    Raises
    ------
    PanelError
        If one is not; the error names place, year, figure and range. With `first_may_lack`, whole tables of a place's
        first years may be NaN, but never that of the last year.
    """
    wrong = ~((values >= least) & (values <= most))
    if first_may_lack:
        lacking = np.isnan(values).reshape(len(codes), -1, values.shape[-1]).all(axis=1)
        early = np.logical_and.accumulate(lacking, axis=1)
        early[:, -1:] = False
        wrong &= ~np.expand_dims(early, tuple(range(1, values.ndim - 1)))
    if wrong.any():
        cell = tuple(np.argwhere(wrong)[0])
        got = "nothing" if np.isnan(values[cell]) else f"{values[cell]:g}"
        raise PanelError(
            f"{what}: {got} for {codes[cell[0]]!r} in {years[cell[-1]]}: expected a number from {least:g} to {most:g}"
        )
