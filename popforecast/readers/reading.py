"""Assembly of the figures in a file into a panel, with a report of what was left out; errors name file and line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError, ReadError
from popforecast.panel import COUNTRY, Panel
from popforecast.panel.frozen import Frozen
from popforecast.panel.rectangles import UnevenPanel
from popforecast.panel.spans import arrange

THOUSAND = 1000
WORLD = 900

# Rounding 235 countries to thousands changes their sum by 4 parts per million. Most missing countries change it more.
TOTAL_TOLERANCE = 2e-5
LEAVE_OUT = ", or incomplete='drop' (--incomplete drop) to leave such locations out and have them reported"


P = TypeVar("P", bound=Panel | UnevenPanel, covariant=True)


@dataclass(frozen=True, eq=False, repr=False)
class Reading(Frozen, Generic[P], tables=("dropped",)):
    """The result of reading a file: its panel, and a report of all series left out.

    Attributes
    ----------
    panel : Panel or UnevenPanel
    dropped : DataFrame
        One row for each series left out: row (in the file, counted from 1), code, name, reason.
    source : str
        The name of the file.
    sha256 : str
        The checksum of its bytes.
    encoding : str
        The encoding of its text.
    series : int
        The number of series in the file, kept or dropped.
    """

    panel: P
    dropped: pd.DataFrame
    source: str
    sha256: str
    encoding: str
    series: int

    def __repr__(self) -> str:
        return f"<Reading of {self.source}: {self.panel!r}, {len(self.dropped)} rows dropped>"


def check_total(panel: Panel, source: str) -> None:
    """Check that the countries add up to the world, if the panel has both.

    Raises
    ------
    ReadError
        If they differ by more than rounding explains: a country is missing or a figure is wrong.
    """
    countries = panel.locations["type"] == COUNTRY
    if WORLD not in panel.locations.index or countries.sum() < 2:
        return
    world = panel.values[panel.locations.index.get_loc(WORLD)]
    excess = panel.values[countries.to_numpy()].sum(axis=0) - world
    worst = int(np.abs(excess).argmax())
    if (np.abs(excess) > TOTAL_TOLERANCE * world).any():
        raise ReadError(
            f"{source}: in {panel.years[worst]} the countries' sum is {excess[worst]:+,.0f} persons off the world's "
            f"{world[worst]:,.0f}; expected {100 * TOTAL_TOLERANCE:g}% at most: a row is lost or a figure is wrong"
        )


def check_incomplete(incomplete: str) -> None:
    """Check the option for incomplete series.

    Raises
    ------
    ReadError
        If it is neither ``"raise"`` nor ``"drop"``.
    """
    if incomplete not in ("raise", "drop"):
        raise ReadError(f"incomplete {incomplete!r}: expected 'raise' or 'drop'")


def tabulate_dropped(dropped: Sequence[tuple[int, Hashable, str, str]]) -> pd.DataFrame:
    """Return the table of series left out."""
    return pd.DataFrame(dropped, columns=["row", "code", "name", "reason"])


class Figures(NamedTuple):
    """The figures in a file, one entry for each row and year.

    Attributes
    ----------
    codes : list of str or int
        The codes of all locations.
    series, years, values : ndarray, shape (m,)
        Position of the location in `codes`, year and figure of each entry; NaN if there is no figure.
    labels : dict of str to list
        ``name`` and ``region`` of all locations.
    rows : ndarray, shape (m,)
        The row of each entry, as an argument of `lines`.
    lines : callable
        Returns the line numbers in the file of these rows.
    """

    codes: Sequence[Hashable]
    series: NDArray[np.int64]
    years: NDArray[np.int64]
    values: NDArray[np.float64]
    labels: Mapping[str, Sequence[str | None]]
    rows: NDArray[np.int64]
    lines: Callable[[Sequence[int]], list[int]]


def assemble(figures: Figures, path: Path, incomplete: str) -> tuple[Panel | UnevenPanel, pd.DataFrame]:
    """Return the panel of all figures, and the table of locations left out.

    Raises
    ------
    ReadError
        If a location has a repeated year, a gap between its first and last year, or an invalid figure.
    """
    codes = figures.codes
    known = ~np.isnan(figures.values)
    if not known.any():
        raise ReadError(f"{path.name} has no figure: expected one for each location and year")
    held, series = np.unique(figures.series[known], return_inverse=True)
    rows = figures.rows[known]

    def name(number: int) -> str:
        return repr(codes[held[number]])

    def place(row: int) -> str:
        return f"line {figures.lines([int(rows[row])])[0]}"

    try:
        spans, faults = arrange(
            series, figures.years[known], figures.values[known], name, place, incomplete == "drop", LEAVE_OUT
        )
        panels = tuple(_build(span.values, span.years, held[span.rows], codes, figures.labels) for span in spans)
    except PanelError as error:
        raise ReadError(f"{path.name}: {error}") from error
    empty = np.setdiff1d(np.arange(len(codes)), held)
    reasons = {int(held[number]): fault for number, fault in faults}
    reasons |= {int(number): "no figure in any year" for number in empty}
    kept = tuple(codes[number] for number in held if number not in reasons)
    panel = panels[0] if len(panels) == 1 else UnevenPanel(panels, kept)
    return panel, _tabulate(reasons, codes, figures)


def _build(
    values: NDArray[np.float64],
    years: NDArray[np.int64],
    numbers: NDArray[np.int64],
    codes: Sequence[Hashable],
    labels: Mapping[str, Sequence[str | None]],
) -> Panel:
    places = {column: [cells[number] for number in numbers] for column, cells in labels.items()}
    return Panel(values, years, pd.DataFrame(places, index=pd.Index([codes[number] for number in numbers])))


def _tabulate(reasons: Mapping[int, str], codes: Sequence[Hashable], figures: Figures) -> pd.DataFrame:
    numbers = sorted(reasons)
    if not numbers:
        return tabulate_dropped([])
    first = np.full(len(codes), -1)
    found, at = np.unique(figures.series, return_index=True)
    first[found] = figures.rows[at]
    lines = figures.lines([int(first[number]) for number in numbers])
    names = figures.labels.get("name", codes)
    return tabulate_dropped(
        [
            (line, codes[number], str(names[number]), reasons[number])
            for line, number in zip(lines, numbers, strict=True)
        ]
    )
