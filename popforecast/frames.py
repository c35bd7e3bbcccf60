"""Anyone's long table, checked cell by cell, as the rectangle of a panel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError, shorten

# Not a bound on what is plausible, but on what can be a year at all.
LATEST = 1_000_000


def read_frame(
    frame: pd.DataFrame, id: str, time: str, value: str, group: str | None = None, name: str | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64], pd.DataFrame]:
    """Return the values, years and locations of a long table; see :meth:`popforecast.Panel.from_frame`.

    Parameters
    ----------
    frame : DataFrame
        One row for each location and year, in any order.
    id, time, value, group, name : str
        Its columns.

    Raises
    ------
    PanelError
        If a column is absent, or a cell is not what the column must hold. That the rectangle is complete is for the
        panel to check.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["A", "A"], "year": [2001, 2000], "pop": [5, 4]})
    >>> values, years, locations = read_frame(table, "id", "year", "pop")
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
    times = _read_numbers(frame[time], "a year")
    strange = ~are_years(times)
    if strange.any():
        raise PanelError(f"row {_row(strange)}: {time} {times[strange].iloc[0]:g} is no whole year")
    numbers = _read_numbers(frame[value], "a population")
    rows = pd.DataFrame({"code": frame[id], "year": times.astype(np.int64), "value": numbers})
    repeated = rows.duplicated(["code", "year"])
    if repeated.any():
        # As objects, or a whole number would become the float of its neighbour.
        first = rows[repeated].astype(object).iloc[0]
        raise PanelError(
            f"row {_row(repeated)}: {first.code!r} has the year {first.year} a second time; expected one row "
            "for each location and year"
        )
    for label in labels:
        varied = frame.groupby(id, sort=False, observed=True)[label].nunique(dropna=False) > 1
        if varied.any():
            raise PanelError(f"{varied.index[varied][0]!r} has more than one {label}: expected one for each location")
    wide = rows.pivot(index="code", columns="year", values="value").reindex(rows["code"].unique())
    first_rows = frame.drop_duplicates(id).set_index(id)
    locations = pd.DataFrame(index=wide.index)
    locations["name"] = first_rows[name] if name else wide.index.astype(str)
    if group:
        locations["region"] = first_rows[group]
    return wide.to_numpy(), wide.columns.to_numpy(), locations


def are_years(numbers: Any) -> Any:
    """Whether numbers are whole years, and not dates counted in seconds or some other large number.

    Examples
    --------
    >>> are_years(np.array([1950, 2000.5, 1.7e9])).tolist()
    [True, False, False]
    """
    with np.errstate(invalid="ignore"):
        return (numbers % 1 == 0) & (abs(numbers) <= LATEST)


def _check_columns(frame: pd.DataFrame, wanted: list[str]) -> None:
    present = frame.columns.tolist()
    for column in wanted:
        times = present.count(column)
        if not times:
            raise PanelError(f"no column {column!r}: the table has {', '.join(map(str, present))}")
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
    # A tuple is Hashable by its type, and yet is not where it holds a list.
    try:
        hash(cell)
    except TypeError:
        return False
    return True


def _read_numbers(column: pd.Series, meaning: str) -> pd.Series:
    # pandas would count the nanoseconds of a date, and call True a one.
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
