"""The table of a forecast: years in rows, locations in columns, rounded figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import popforecast as pf
from popforecast.forecasting.result import choose_roundings
from popforecast.panel.locations import disambiguate
from popforecast.text import Rounding

NO_BREAK = "\N{NO-BREAK SPACE}"

# Larger tables are slow to load and hard to read, so they omit years; the page says so.
MOST_CELLS = 3000
STRIDES = (1, 5, 10, 25)

# Number of aggregates whose difference is stated, and the smallest difference worth stating, in persons.
MOST_REMAINDERS, FEWEST_REMAINDER = 3, 100


class Cell(NamedTuple):
    """A figure in the table and its intervals."""

    figure: str
    intervals: list[str]


class Row(NamedTuple):
    """A year in the table."""

    year: int
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    """The rows to show.

    Attributes
    ----------
    headings : list of str
        One per location.
    estimates, forecasts : list of Row
        The years up to the origin, and those after it.
    stride : int
        The step between years: 1 for every year, 5 for every fifth, and so on; the first and last are always shown.
    """

    headings: list[str]
    estimates: list[Row]
    forecasts: list[Row]
    stride: int


def tabulate(fc: pf.Forecast) -> Table:
    """Return the table of a forecast; large tables omit years."""
    stride = choose_stride(len(fc.years), len(fc.locations))
    ends = (int(fc.years[0]), int(fc.years[-1]))
    shown = [j for j, year in enumerate(fc.years) if year % stride == 0 or year in ends]
    past = [j for j in shown if fc.years[j] <= fc.origin]
    ahead = [j for j in shown if fc.years[j] > fc.origin]
    headings = list(disambiguate(fc.locations["name"]).values())
    roundings = choose_roundings(fc)
    estimates, forecasts = (list(_write_rows(fc, *rows, roundings)) for rows in ((past, ()), (ahead, fc.levels)))
    return Table(headings, estimates, forecasts, stride)


def choose_stride(years: int, locations: int) -> int:
    """Return the step between years that keeps the table readable.

    Examples
    --------
    >>> choose_stride(77, 5), choose_stride(77, 60), choose_stride(151, 297)
    (1, 5, 25)
    """
    fitting = [stride for stride in STRIDES if years * locations <= MOST_CELLS * stride]
    return fitting[0] if fitting else STRIDES[-1]


def _write_rows(
    fc: pf.Forecast, columns: list[int], levels: tuple[float, ...], roundings: list[Rounding]
) -> Iterator[Row]:
    for j in columns:
        cells = []
        for i, rounding in enumerate(roundings):
            # In a narrow column, lines may break only after the dash.
            bounds = [
                f"{level:g}%:{NO_BREAK}{rounding.write(fc.lower[level][i, j])}{NO_BREAK}– "
                f"{rounding.write(fc.upper[level][i, j])}"
                for level in levels
            ]
            cells.append(Cell(rounding.write(fc.population[i, j]), bounds))
        yield Row(int(fc.years[j]), cells)


def say_remainders(fc: pf.Forecast) -> str:
    """Return how far aggregates differ from the sums of their countries in the last year, in words; empty if none do.

    Examples
    --------
    >>> fc = pf.forecast(pf.load_panel("wpp2024"), ["World", "NGA"], 2020, 2020)
    >>> say_remainders(fc).partition(": ")[2]
    'in 2020, World is 524 above the sum of its countries.'
    """
    rows = fc.list_remainders()
    # Smaller differences are rounding, and too small to be visible in the table.
    rows = rows[(rows["year"] == fc.years[-1]) & (rows["persons"].abs() >= FEWEST_REMAINDER)]
    if rows.empty:
        return ""
    largest = rows.sort_values("persons", key=abs, ascending=False, kind="stable").head(MOST_REMAINDERS)
    said = ", ".join(
        f"{row.location} is {abs(row.persons):,} {'above' if row.persons > 0 else 'below'} the sum of its countries"
        for row in largest.itertuples()
    )
    others = len(rows) - len(largest)
    more = f"; {others} other{'s differ' if others > 1 else ' differs'} by less" if others else ""
    return f"UN totals differ slightly from the sums of the countries listed here: in {fc.years[-1]}, {said}{more}."
