"""What reading a file gives: its panel, what was left out and why, and the checks both forms of file share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from popforecast.errors import PanelError, ReadError
from popforecast.panel import COUNTRY, Panel, Source
from popforecast.panel.frozen import Frozen

THOUSAND = 1000
WORLD = 900

# Rounding to thousands in 235 countries moves their sum by 4 parts in a million; a lost country moves it by more.
TOTAL_TOLERANCE = 2e-5


@dataclass(frozen=True, eq=False, repr=False)
class Reading(Frozen, tables=("dropped",)):
    """A file read: its panel, and what became of every row that is not in it.

    Attributes
    ----------
    panel : Panel
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

    panel: Panel
    dropped: pd.DataFrame
    source: str
    sha256: str
    encoding: str
    series: int

    def __repr__(self) -> str:
        return f"<Reading of {self.source}: {self.panel!r}, {len(self.dropped)} rows dropped>"


def make_panel(
    thousands: np.ndarray, years: np.ndarray, locations: pd.DataFrame, revision: str | None, path: Path
) -> Panel:
    """Return the panel, in persons, of figures in thousands; its faults are faults of the file."""
    # Thousands with three decimals are whole persons; rounding removes what the multiplication left over.
    persons = np.round(thousands * THOUSAND, 6)
    try:
        panel = Panel(persons, years, locations, revision, source=Source(revision) if revision else None)
    except PanelError as error:
        raise ReadError(f"{path.name}: {error}") from error
    check_total(panel, path.name)
    return panel


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


def tabulate_dropped(dropped: list[tuple[int, int, str, str]]) -> pd.DataFrame:
    """Return the table of what was left out."""
    return pd.DataFrame(dropped, columns=["row", "code", "name", "reason"])
