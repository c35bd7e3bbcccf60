"""Events that changed the population of a country and whose cause is undisputed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from popforecast.data import maybe, read_facts

UNEXPLAINED = "no event on record: check the source"


@dataclass(frozen=True)
class Event:
    """An event that changed the population of a country.

    Attributes
    ----------
    place : str
        ISO3 code.
    what : str
        Description of the event, as a noun.
    breaks : (int, int) or None
        First and last year of unusual growth caused by the event.
    turn : int or None
        Year from which it causes forecast errors that past totals could not have signalled.
    """

    place: str
    what: str
    breaks: tuple[int, int] | None = None
    turn: int | None = None

    @property
    def year(self) -> int:
        """The first year in which the event shows in the data."""
        return min(self._years)

    @property
    def last(self) -> int:
        """The last year in which the event is known to show in the data."""
        return max(self._years)

    @property
    def _years(self) -> list[int]:
        return [year for year in (self.turn, *(self.breaks or ())) if year is not None]


@cache
def load_events() -> tuple[Event, ...]:
    """Return all events, by country.

    Examples
    --------
    >>> load_events()[0]
    Event(place='AFG', what='flight after the Soviet invasion', breaks=(1979, 1989), turn=None)
    """
    year = maybe(int)
    table = read_facts("events.csv", iso3=str, event=str, first_break=year, last_break=year, turn=year)
    return tuple(Event(place, what, (first, last) if first else None, turn) for place, what, first, last, turn in table)


def list_events(place: str | None) -> tuple[Event, ...]:
    """Return the events of a country, ordered by first year.

    Examples
    --------
    >>> [(event.year, event.what) for event in list_events("RWA")]
    [(1990, 'the genocide of 1994, flight and return')]
    """
    return tuple(sorted((event for event in load_events() if event.place == place), key=lambda event: event.year))


def explain_break(place: str, year: int) -> str:
    """Return the known cause of unusual growth of a country in a year.

    Examples
    --------
    >>> explain_break("KWT", 1991), explain_break("KWT", 2010)
    ("Iraq's invasion and the Gulf War, 1990-91", 'no event on record: check the source')
    """
    found = (
        event.what for event in load_events() if event.place == place and event.breaks and _within(year, event.breaks)
    )
    return next(found, UNEXPLAINED)


def explain_turn(place: str, origin: int, year: int) -> str:
    """Return the known event between origin and forecast year that explains a forecast error.

    Examples
    --------
    >>> explain_turn("KWT", 1988, 1998), explain_turn("KWT", 1993, 2003)
    ("Iraq's invasion and the Gulf War, 1990-91", 'no event on record: check the source')
    """
    found = (
        event.what for event in load_events() if event.place == place and event.turn and origin < event.turn <= year
    )
    return next(found, UNEXPLAINED)


def _within(year: int, span: tuple[int, int]) -> bool:
    return span[0] <= year <= span[1]
