"""Cautions about forecasts by the model ``cohort``, from what it finds in a country's past."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.models import Cohort, Model
from popforecast.models.base import Array, Note
from popforecast.models.cohort.exodus import find_exodus
from popforecast.models.cohort.past import estimate_ages, read_past
from popforecast.models.cohort.workers import find_workers
from popforecast.panel import Panel
from popforecast.text import say_population

# Population below which the range matters more than the central forecast, and years after which it is not known how
# many labour migrants have stayed.
SMALL, STAY = 100_000, 10

WORKERS = (
    "labour migrants make up much of the population, and it is not known how many will stay into old age: ages after "
    "{} are uncertain"
)
RETURNS = (
    "net emigration was {} in the exodus of the last five years: the forecast assumes returns as after past exoduses, "
    "and would be higher if more people return"
)
FEW = "fewer than 100,000 people: rely on the range more than on the central forecast"


class Found(NamedTuple):
    """What is found at the origin in the projected places of a panel.

    Attributes
    ----------
    rows : ndarray of int
        Their rows in the panel.
    workers : ndarray of bool
        Who has many labour migrants.
    leavers : ndarray
        Net emigrants in an exodus of the last five years, in persons; 0 without one.
    """

    rows: NDArray[np.intp]
    workers: NDArray[np.bool_]
    leavers: Array


def note_structure(panel: Panel, model: Model, horizon: int) -> list[Note]:
    """Return cautions about the projected places of a panel, for a forecast this many steps ahead.

    Examples
    --------
    >>> import popforecast as pf
    >>> notes = note_structure(pf.load_panel("wpp2024"), pf.Cohort(), 27)
    >>> next(note.text for note in notes if note.location_code == 804)[:62]
    'net emigration was 5.699 million in the exodus of the last fiv'
    """
    if not isinstance(model, Cohort) or not horizon:
        return []
    found, codes, years = _find(panel, model), panel.codes.tolist(), horizon * panel.step
    notes = []
    for row, has_workers, leavers in zip(*(each.tolist() for each in found), strict=True):
        if has_workers and years > STAY:
            notes.append(Note(codes[row], WORKERS.format(panel.origin + STAY)))
        if leavers:
            notes.append(Note(codes[row], RETURNS.format(say_population(leavers))))
        if panel.values[row, -1] < SMALL:
            notes.append(Note(codes[row], FEW))
    return notes


@lru_cache(maxsize=8)
def _find(panel: Panel, model: Cohort) -> Found:
    rows = model.find_rows(panel)
    components = panel.components.select(panel.codes[rows]) if panel.components and panel.step == 1 else None
    if components is None:
        return Found(rows[:0], np.zeros(0, dtype=bool), np.zeros(0))
    past = read_past(panel.values[rows], int(panel.years[0]), components)
    exodus = find_exodus(past)
    leavers = np.zeros(len(rows)) if exodus is None else np.where(exodus.fled, exodus.leavers, 0)
    return Found(rows, find_workers(estimate_ages(past)), leavers)
