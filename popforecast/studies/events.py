"""What happened: the one list of events that moved a country's population and whose cause is beyond doubt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from popforecast.data import maybe, read_facts

UNEXPLAINED = "no event on record: check the source"


@dataclass(frozen=True)
class Event:
    """Something that happened to a country's population.

    Attributes
    ----------
    place : str
        ISO3 code.
    what : str
        What happened, as a noun.
    breaks : (int, int) or None
        The first and last year whose growth it makes break with the usual one.
    turn : int or None
        The year from which it proves forecasts wrong: no history of totals announced it.
    """

    place: str
    what: str
    breaks: tuple[int, int] | None = None
    turn: int | None = None

    @property
    def year(self) -> int:
        """The year in which it begins to show."""
        return min(self._years)

    @property
    def last(self) -> int:
        """The last year in which it is known to show."""
        return max(self._years)

    @property
    def _years(self) -> list[int]:
        return [year for year in (self.turn, *(self.breaks or ())) if year is not None]


@cache
def load_events() -> tuple[Event, ...]:
    """Load what happened, country by country.

    Examples
    --------
    >>> load_events()[0]
    Event(place='AFG', what='flight after the Soviet invasion', breaks=(1979, 1989), turn=None)
    """
    year = maybe(int)
    table = read_facts("events.csv", iso3=str, event=str, first_break=year, last_break=year, turn=year)
    return tuple(Event(place, what, (first, last) if first else None, turn) for place, what, first, last, turn in table)


def list_events(place: str | None) -> tuple[Event, ...]:
    """Return what happened to a country, in the order in which it began.

    Examples
    --------
    >>> [(event.year, event.what) for event in list_events("RWA")]
    [(1990, 'the genocide of 1994, flight and return')]
    """
    return tuple(sorted((event for event in load_events() if event.place == place), key=lambda event: event.year))


def explain_break(place: str, year: int) -> str:
    """Say what made a country's growth break with its usual one in a year, where that is known.

    Examples
    --------
    >>> explain_break("KWT", 1991), explain_break("KWT", 2010)
    ("Iraq's invasion and the Gulf War, 1990-91", 'no event on record: check the source')
    """
    found = (
        event.what for event in load_events() if event.place == place and event.breaks and _lies(year, event.breaks)
    )
    return next(found, UNEXPLAINED)


def explain_turn(place: str, origin: int, year: int) -> str:
    """Say what happened between an origin and a forecast's year that proves the forecast wrong, where that is known.

    Examples
    --------
    >>> explain_turn("KWT", 1988, 1998), explain_turn("KWT", 1993, 2003)
    ("Iraq's invasion and the Gulf War, 1990-91", 'no event on record: check the source')
    """
    found = (
        event.what for event in load_events() if event.place == place and event.turn and origin < event.turn <= year
    )
    return next(found, UNEXPLAINED)


def _lies(year: int, span: tuple[int, int]) -> bool:
    return span[0] <= year <= span[1]
