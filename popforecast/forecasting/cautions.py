"""Cautions about forecasts by the model ``cohort``, from what it finds in a country's past."""

from __future__ import annotations

from popforecast.forecasting.structure import project
from popforecast.models import Cohort, Model
from popforecast.models.base import Note
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


def note_structure(panel: Panel, model: Model, horizon: int) -> list[Note]:
    """Return cautions about the projected places of a panel, for a forecast this many steps ahead.

    Examples
    --------
    >>> import popforecast as pf
    >>> notes = note_structure(pf.load_panel("wpp2024"), pf.Cohort(), 27)
    >>> next(note.text for note in notes if note.location_code == 804)[:62]
    'net emigration was 5.699 million in the exodus of the last fiv'
    """
    found = project(panel, model) if isinstance(model, Cohort) and horizon else None
    if found is None:
        return []
    rows, projection = found
    workers, years, notes = find_workers(projection.ages[..., 0]), horizon * panel.step, []
    for (code, row), total in zip(rows.items(), projection.totals[:, 0].tolist(), strict=True):
        if workers[row] and years > STAY:
            notes.append(Note(code, WORKERS.format(panel.origin + STAY)))
        if projection.leavers[row]:
            notes.append(Note(code, RETURNS.format(say_population(projection.leavers[row]))))
        if total < SMALL:
            notes.append(Note(code, FEW))
    return notes
