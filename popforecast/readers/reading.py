"""What a file holds -> its panel, or several, and what was left out and why; a fault names file and line."""

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

# Rounding to thousands in 235 countries moves their sum by 4 parts in a million; a lost country moves it by more.
TOTAL_TOLERANCE = 2e-5
LEAVE_OUT = ", or incomplete='drop' (--incomplete drop) to leave such locations out and have them reported"


P = TypeVar("P", bound=Panel | UnevenPanel, covariant=True)


@dataclass(frozen=True, eq=False, repr=False)
class Reading(Frozen, Generic[P], tables=("dropped",)):
    """A file read: its panel, and what became of every row that is not in it.

    Attributes
    ----------
    panel : Panel or UnevenPanel
    dropped : DataFrame
        One row for each series left out: row (in the file; 1 is the first), code, name, reason.
    source : str
        The file's name.
    sha256 : str
        Checksum of its bytes.
    encoding : str
        How its text was encoded.
    series : int
        How many series the file holds, kept and dropped.
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
    """Check that the countries add up to the world, where the panel has both.

    Raises
    ------
    ReadError
        If they differ by more than rounding explains: a country is lost, or a figure is wrong.
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
    """Check what to do with a location that lacks figures.

    Raises
    ------
    ReadError
        If it is neither ``"raise"`` nor ``"drop"``.
    """
    if incomplete not in ("raise", "drop"):
        raise ReadError(f"incomplete {incomplete!r}: expected 'raise' or 'drop'")


def tabulate_dropped(dropped: Sequence[tuple[int, Hashable, str, str]]) -> pd.DataFrame:
    """Return the table of what was left out."""
    return pd.DataFrame(dropped, columns=["row", "code", "name", "reason"])


class Figures(NamedTuple):
    """What a file holds, one entry for each row and year.

    Attributes
    ----------
    codes : list of str or int
        Of every location.
    series, years, values : ndarray, shape (m,)
        The number of each figure's location; NaN is no figure.
    labels : dict of str to list
        ``name`` and ``region`` of every location.
    rows : ndarray, shape (m,)
        The row of the file that each figure stands in, as `lines` takes it.
    lines : callable
        Returns the lines of rows.
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
        If a location has a year twice, lacks one between its first and its last, or has a figure that is none.
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
