"""Long tables: checked cell by cell and arranged for panels."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError, shorten
from popforecast.panel.spans import arrange

# Larger numbers cannot be years; this is no bound on what is plausible.
LATEST = 1_000_000


class Block(NamedTuple):
    """Values, years and locations of one panel."""

    values: NDArray[np.float64]
    years: NDArray[np.int64]
    locations: pd.DataFrame


def read_frame(
    frame: pd.DataFrame, id: str, time: str, value: str, group: str | None = None, name: str | None = None
) -> list[Block]:
    """Return the values, years and locations of a long table; see :meth:`popforecast.Panel.from_frame`.

    Parameters
    ----------
    frame : DataFrame
        One row per location and year, in any order.
    id, time, value, group, name : str
        The columns.

    Returns
    -------
    list of Block
        One for each span of years shared by locations, in order of appearance.

    Raises
    ------
    PanelError
        If a column is missing, a cell is invalid, or a location repeats a year or lacks one between its first and
        last.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["A", "A"], "year": [2001, 2000], "pop": [5, 4]})
    >>> [(values, years, locations)] = read_frame(table, "id", "year", "pop")
    >>> values.tolist(), years.tolist(), locations["name"].tolist()
    ([[4.0, 5.0]], [2000, 2001], ['A'])
    """
    if not isinstance(frame, pd.DataFrame):
        raise PanelError(f"expected a DataFrame with one row for each location and year, got {type(frame).__name__}")
    labels = [label for label in (group, name) if label is not None]
    _check_columns(frame, [id, time, value, *labels])
    if frame.empty:
        raise PanelError("the table has no rows: expected one for each location and year")
    if frame[id].isna().any():
        raise PanelError(f"row {_row(frame[id].isna())}: no {id}, so its figure belongs to no location")
    for column in (id, *labels):
        _check_hashable(frame[column])
    years = read_years(frame[time], time)
    numbers = read_numbers(frame[value], "a population")
    for label in labels:
        varied = frame.groupby(id, sort=False, observed=True)[label].nunique(dropna=False) > 1
        if varied.any():
            raise PanelError(f"{varied.index[varied][0]!r} has more than one {label}: expected one for each location")
    series, codes = pd.factorize(frame[id])
    codes = pd.Index(codes)
    # As objects, so that integers are written without NumPy's type.
    shown = codes.astype(object)
    spans = arrange(
        series.astype(np.int64),
        years,
        numbers.to_numpy(),
        lambda number: f"{shown[number]!r}",
        lambda row: f"row {row + 1}",
    ).spans
    first = frame.drop_duplicates(id).set_index(id)
    locations = pd.DataFrame({"name": first[name] if name else codes.astype(str)}, index=codes)
    if group:
        locations["region"] = first[group]
    return [Block(span.values, span.years, locations.iloc[span.rows]) for span in spans]


def are_years(numbers: Any) -> Any:
    """Whether numbers are whole years, rather than timestamps or other large numbers.

    Examples
    --------
    >>> are_years(np.array([1950, 2000.5, 1.7e9])).tolist()
    [True, False, False]
    """
    with np.errstate(invalid="ignore"):
        return (numbers % 1 == 0) & (abs(numbers) <= LATEST)


def name_nearest(wanted: str, present: Iterable[Any]) -> str:
    """Return the names nearest to a missing one, as the end of a sentence; empty if none is near.

    Examples
    --------
    >>> name_nearest("pop", ["fips", "Population"])
    "; nearest: 'Population'"
    """
    folded = {str(name).casefold(): str(name) for name in present}
    asked = str(wanted).casefold()
    holding = [name for name in folded if asked and (asked in name or (name and name in asked))]
    near = dict.fromkeys([*holding, *difflib.get_close_matches(asked, folded, n=3, cutoff=0.6)])
    return f"; nearest: {', '.join(repr(folded[name]) for name in list(near)[:3])}" if near else ""


def read_years(column: pd.Series, time: str) -> NDArray[np.int64]:
    """Return the years in a column of whole years or annual dates.

    Raises
    ------
    PanelError
        If a cell is neither a year nor a date; the error names the row.
    """
    if column.dtype.kind == "M":
        return _read_dates(column, time)
    times = read_numbers(column, "a year")
    strange = ~are_years(times)
    if strange.any():
        raise PanelError(f"row {_row(strange)}: {time} {times[strange].iloc[0]:g} is not a whole year")
    return times.to_numpy().astype(np.int64)


def _read_dates(column: pd.Series, time: str) -> NDArray[np.int64]:
    """Return the years of dates that all fall on the same day of the year, so that each year has one."""
    if column.isna().any():
        raise PanelError(f"row {_row(column.isna())}: {time} is empty, expected a year")
    days = column.dt.strftime("%m-%d %H:%M:%S")
    other = days != days.iloc[0]
    if other.any():
        raise PanelError(
            f"row {_row(other)}: {time} is {column[other].iloc[0]}, and {column.iloc[0]} before: dates count as "
            f"years only if they all fall on the same day of the year; pass one figure per year, with {time!r} as a "
            "year such as 2000"
        )
    return column.dt.year.to_numpy().astype(np.int64)


def _check_columns(frame: pd.DataFrame, wanted: list[str]) -> None:
    present = frame.columns.tolist()
    for column in wanted:
        times = present.count(column)
        if not times:
            near = name_nearest(column, present)
            raise PanelError(f"no column {column!r}{near}: the table has {shorten(', '.join(map(str, present)))}")
        if times > 1:
            raise PanelError(f"the table has a column {column!r} twice: expected each column once")


def _check_hashable(column: pd.Series) -> None:
    if column.dtype != object:
        return
    wrong = column.map(lambda cell: not _is_hashable(cell))
    if wrong.any():
        raise PanelError(
            f"row {_row(wrong)}: {column.name} is {shorten(repr(column[wrong].iloc[0]))}, expected a text or a number"
        )


def _is_hashable(cell: object) -> bool:
    # A tuple that contains a list is not hashable, although its type is.
    try:
        hash(cell)
    except TypeError:
        return False
    return True


def read_numbers(column: pd.Series, meaning: str) -> pd.Series:
    """Return a column as numbers; the error for an invalid cell names its row."""
    # pandas would convert dates to nanoseconds, and True to 1.
    if column.dtype.kind in "mMbc" or isinstance(column.dtype, pd.PeriodDtype):
        raise PanelError(f"{column.name} holds {column.dtype}: expected numbers, each {meaning}")
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = numbers.isna()
    if wrong.any():
        got = column[wrong].iloc[0]
        said = "empty" if pd.api.types.is_scalar(got) and pd.isna(got) else repr(got)
        raise PanelError(f"row {_row(wrong)}: {column.name} is {said}, expected {meaning}")
    return numbers


def _row(wrong: pd.Series) -> int:
    return int(np.flatnonzero(wrong.to_numpy())[0]) + 1
