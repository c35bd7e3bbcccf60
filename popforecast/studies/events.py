"""What happened: the one list of events that moved a country's population and whose cause is beyond doubt."""

from __future__ import annotations

from dataclasses import dataclass

UNEXPLAINED = "not explained here: look into the source"


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


EVENTS: tuple[Event, ...] = (
    Event("AFG", "flight after the Soviet invasion", (1979, 1989)),
    Event("AFG", "return of refugees as Soviet-backed rule ends", (1992, 1995), 1992),
    Event("ARE", "labour migration of the oil boom", (1966, 1976)),
    Event("ARE", "labour migration of a boom", turn=2005),
    Event("BDI", "civil war and flight", (1993, 1996)),
    Event("BHR", "labour migration of a boom", turn=2005),
    Event("BIH", "war of 1992-95", (1992, 1995), 1992),
    Event("BTN", "expulsion of the Lhotshampa", (1990, 1993), 1990),
    Event("ESH", "annexation by Morocco and flight of the Sahrawi", (1975, 1976)),
    Event("KHM", "the Khmer Rouge, 1975-79", (1975, 1979)),
    Event("KWT", "Iraq's invasion and the Gulf War, 1990-91", (1990, 1992), 1990),
    Event("LBN", "arrival of refugees from Syria", (2012, 2016)),
    Event("LBN", "end of the arrival of refugees from Syria", turn=2015),
    Event("LBR", "first civil war, from the end of 1989", (1989, 1992), 1990),
    Event("LBR", "return of refugees after the first civil war", (1996, 1999)),
    Event("MAF", "end of the building boom of the 1980s", turn=1990),
    Event("MNP", "closing of the garment factories", turn=2005),
    Event("MSR", "Soufrière Hills volcano, from 1995", (1995, 2003), 1995),
    Event("MWI", "arrival of refugees from the war in Mozambique", (1986, 1989)),
    Event("MWI", "return of refugees to Mozambique", (1993, 1995)),
    Event("OMN", "labour migration of a boom", turn=2009),
    Event("QAT", "labour migration of a boom", turn=2005),
    Event("RWA", "the genocide of 1994, flight and return", (1990, 1998), 1994),
    Event("SOM", "arrival of refugees from the Ogaden War", (1977, 1980)),
    Event("SSD", "civil war, from the end of 2013", (2013, 2018), 2014),
    Event("SYR", "civil war, from 2011", (2011, 2018), 2011),
    Event("TGO", "political crisis and flight to Ghana and Benin", (1993, 1993)),
    Event("TGO", "return of those who fled in 1993", turn=1994),
    Event("TLS", "violence after the vote for independence", (1999, 1999)),
    Event("UKR", "war since Russia's invasion of 2022, refugees", (2022, 2023), 2022),
    Event("VEN", "exodus from the collapse of the economy", turn=2016),
    Event("XKX", "war and expulsion, 1998-99", (1998, 2000), 1998),
)


def list_events(place: str | None) -> tuple[Event, ...]:
    """Return what happened to a country, in the order in which it began.

    Examples
    --------
    >>> [(event.year, event.what) for event in list_events("RWA")]
    [(1990, 'the genocide of 1994, flight and return')]
    """
    return tuple(sorted((event for event in EVENTS if event.place == place), key=lambda event: event.year))


def explain_break(place: str, year: int) -> str:
    """Say what made a country's growth break with its usual one in a year, where that is known.

    Examples
    --------
    >>> explain_break("KWT", 1991), explain_break("KWT", 2010)
    ("Iraq's invasion and the Gulf War, 1990-91", 'not explained here: look into the source')
    """
    found = (event.what for event in EVENTS if event.place == place and event.breaks and _lies(year, event.breaks))
    return next(found, UNEXPLAINED)


def explain_turn(place: str, origin: int, year: int) -> str:
    """Say what happened between an origin and a forecast's year that proves the forecast wrong, where that is known.

    Examples
    --------
    >>> explain_turn("KWT", 1988, 1998), explain_turn("KWT", 1993, 2003)
    ("Iraq's invasion and the Gulf War, 1990-91", 'not explained here: look into the source')
    """
    found = (event.what for event in EVENTS if event.place == place and event.turn and origin < event.turn <= year)
    return next(found, UNEXPLAINED)


def _lies(year: int, span: tuple[int, int]) -> bool:
    return span[0] <= year <= span[1]
