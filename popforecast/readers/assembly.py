"""Locations, years and figures of a file, whatever its form -> a panel, or several; its faults name file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError, ReadError
from popforecast.panel import Panel
from popforecast.panel.rectangles import UnevenPanel
from popforecast.panel.spans import arrange
from popforecast.readers.reading import tabulate_dropped

CANONICAL = re.compile(r"0|[1-9][0-9]{0,17}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
LEAVE_OUT = ", or incomplete='drop' (--incomplete drop) to leave such locations out and have them reported"

Lines = Callable[[Sequence[int]], list[int]]


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
    lines: Lines


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


def read_codes(ids: Sequence[str]) -> list[int] | list[str]:
    """Return ids as whole numbers where all are written so, else as the text they are: 01001 keeps its zero.

    Examples
    --------
    >>> read_codes(["4", "8"]), read_codes(["04", "08"])
    ([4, 8], ['04', '08'])
    """
    return list(map(int, ids)) if all(map(CANONICAL.fullmatch, ids)) else list(ids)


def check_text(text: str) -> str | None:
    """Return what is wrong with the letters of an id or name; None where nothing is.

    Examples
    --------
    >>> check_text("Réunion"), check_text("RÃ©union")
    (None, "'RÃ©union' should read 'Réunion': the file was encoded twice, or is damaged; save it as UTF-8")
    """
    if CONTROL.search(text):
        return f"{text[:60]!r} has lost letters, or is no text: save the file as UTF-8 from its source"
    if text.isascii():
        return None
    try:
        repaired = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
    return f"{text!r} should read {repaired!r}: the file was encoded twice, or is damaged; save it as UTF-8"


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
