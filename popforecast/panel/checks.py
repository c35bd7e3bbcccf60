"""Checks of panels: locations, years and figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from popforecast.errors import PanelError
from popforecast.panel.frames import are_years
from popforecast.panel.locations import COLUMNS


def complete_locations(locations: pd.DataFrame) -> pd.DataFrame:
    """Return a table of locations with all columns of a panel; missing cells are None, missing names are codes.

    Raises
    ------
    PanelError
        If there are no locations, or a code is repeated.

    Examples
    --------
    >>> complete_locations(pd.DataFrame({"iso3": ["ARD"]}, index=["AR"])).loc["AR"].tolist()
    ['AR', None, 'ARD', None, None]
    """
    table = pd.DataFrame(locations)
    if table.empty and not len(table.index):
        raise PanelError("a panel needs at least one location, got none")
    codes = np.array([str(code) for code in table.index], dtype=object)
    # The codes 1 and "1" count as the same: they could not be told apart in a query.
    repeated = pd.Index(codes, tupleize_cols=False).duplicated()
    if repeated.any():
        raise PanelError(f"location code {table.index[repeated][0]!r} is repeated: expected each code once")
    cells = {column: _list_cells(table, column) for column in COLUMNS}
    cells["name"] = np.where(pd.isna(cells["name"]), codes, cells["name"])
    return pd.DataFrame(cells, table.index.rename("code"), dtype=object)


def _list_cells(table: pd.DataFrame, column: str) -> NDArray[np.object_]:
    if column not in table:
        return np.full(len(table), None)
    cells: NDArray[np.object_] = table[column].to_numpy(dtype=object, copy=True)
    cells[pd.isna(cells)] = None
    return cells


def check_grid(years: ArrayLike) -> NDArray[np.int64]:
    """Return years as a read-only array of integers.

    Raises
    ------
    PanelError
        If there are fewer than two, or they are not whole, increasing and regular; the error names the first fault.

    Examples
    --------
    >>> check_grid([2000, 2005, 2010]).tolist()
    [2000, 2005, 2010]
    """
    array = np.array(years)
    if array.ndim != 1 or len(array) < 2:
        raise PanelError(f"a panel needs at least two years, got {array.size}")
    if array.dtype.kind not in "iuf":
        raise PanelError(f"years must be numbers, got {array[0]!r}")
    strange = ~are_years(array)
    if strange.any():
        raise PanelError(f"year {array[strange][0]:g} is not a whole year")
    whole = array.astype(np.int64)
    steps = np.diff(whole)
    if (steps <= 0).any():
        raise PanelError(f"years must increase: {whole[1:][steps <= 0][0]} does not come after its predecessor")
    if (steps != steps[0]).any():
        at = int(np.flatnonzero(steps != steps[0])[0])
        raise PanelError(
            f"years must be regular: {whole[at]} is followed by {whole[at + 1]}, expected {whole[at] + steps[0]}"
        )
    whole.flags.writeable = False
    return whole


def check_figures(values: ArrayLike, years: NDArray[np.int64], locations: pd.DataFrame) -> NDArray[np.float64]:
    """Return figures as a read-only array of shape (locations, years).

    Raises
    ------
    PanelError
        If a cell is not a non-negative population; the error names location, year and figure.

    Examples
    --------
    >>> check_figures([[1, 2]], np.array([2000, 2001]), complete_locations(pd.DataFrame(index=["AR"]))).tolist()
    [[1.0, 2.0]]
    """
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise PanelError(f"values must be numbers, one for each location and year ({error})") from error
    if array.shape != (len(locations), len(years)):
        raise PanelError(f"values have shape {array.shape}, expected {len(locations)} locations by {len(years)} years")
    for wrong, fault in (
        (np.isnan(array), "has no figure"),
        (np.isinf(array), "is infinite"),
        (array < 0, "is negative"),
    ):
        if wrong.any():
            i, j = np.argwhere(wrong)[0]
            place = f"{locations['name'].iloc[i]} ({locations.index[i]})"
            got = "" if np.isnan(array[i, j]) else f" ({array[i, j]:g})"
            raise PanelError(
                f"{place} {fault} in {years[j]}{got}; {int(wrong.sum())} such cells in all: "
                "expected a population of zero or more for every location and year"
            )
    array.flags.writeable = False
    return array


def describe_years(years: NDArray[np.int64]) -> str:
    """Return a grid of years in words.

    Examples
    --------
    >>> describe_years(np.array([1950, 1955, 1960]))
    '1950 to 1960 by 5'
    """
    step = int(years[1] - years[0]) if len(years) > 1 else 1
    return f"{years[0]} to {years[-1]}" + (f" by {step}" if step != 1 else "")
