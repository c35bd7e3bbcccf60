"""What a request asks for: its arguments become a frozen Query, or an error that lists what is valid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import popforecast as pf
from app.query.arguments import (
    ArgumentError,
    Arguments,
    Faults,
    find_unknown,
    quote,
    take_one,
    take_several,
)
from app.query.places import Group, read_groups, read_locations, write_group, write_locations
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.models.base import check_level
from popforecast.panel.years import DEFAULT_STEPS, check_years, last_year
from popforecast.session import get_session
from popforecast.wpp.editions import DEFAULT_REVISION, get_revision

PARAMETERS = ("location", "group", "from", "to", "model", "revision", "level")
MOST_LEVELS = 9


@dataclass(frozen=True)
class Query:
    """A valid question: every part is known to exist.

    Attributes
    ----------
    locations : tuple of int
        Codes, in the order asked.
    start, end : int
        First and last year.
    model, revision : str
        Names.
    levels : tuple of float
        Levels of the intervals, in percent.
    groups : tuple of (str, tuple of int)
        Groups of one's own: names, and the codes of their members. They come after the locations.
    """

    locations: tuple[int, ...]
    start: int
    end: int
    model: str = DEFAULT_MODEL
    revision: str = DEFAULT_REVISION
    levels: tuple[float, ...] = DEFAULT_LEVELS
    groups: tuple[Group, ...] = ()

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """The arguments that ask for exactly this: the canonical form of every way to ask it.

        Examples
        --------
        >>> Query((900,), 2030, 2035, levels=(80,)).arguments[:3]
        [('location', '900'), ('from', '2030'), ('to', '2035')]
        """
        return [
            *write_locations(self.locations, self.revision),
            *(("group", write_group(group)) for group in self.groups),
            ("from", str(self.start)),
            ("to", str(self.end)),
            ("model", self.model),
            ("revision", self.revision),
            *(("level", f"{level:g}") for level in self.levels),
        ]

    def answer(self) -> pf.Forecast:
        """Return the forecast that was asked for."""
        outlook, groups = get_session(self.revision).outlook(self.model, self.levels), dict(self.groups)
        # Groups are located by their names, and so are none of the other series where groups alone are asked for.
        return outlook.forecast([*self.locations, *groups], self.start, self.end, self.levels, groups or None)


def read_query(arguments: Arguments) -> Query:
    """Return the query that the arguments make.

    Raises
    ------
    QueryError
        If any argument is wrong; the error has a sentence for each that is.

    Examples
    --------
    >>> from werkzeug.datastructures import MultiDict
    >>> read_query(MultiDict([("location", "Nigeria"), ("from", "2030"), ("to", "2035")])).locations
    (566,)
    >>> read_query(MultiDict([("location", "Wurld"), ("from", "2030")]))
    Traceback (most recent call last):
    app.query.arguments.QueryError: 400 Bad Request: No location 'Wurld' in wpp2024; nearest: World. Expected ...
    """
    faults = find_unknown(arguments, PARAMETERS)
    query = _read(arguments, faults)
    faults.refuse()
    return query


def read_revision_alone(arguments: Arguments) -> str:
    """Return the revision's name, by default the newest, where nothing else may be asked for.

    Raises
    ------
    QueryError
        If there is no such revision, or another argument.
    """
    faults = find_unknown(arguments, ("revision",))
    revision = faults.attempt("revision", read_revision, arguments)
    faults.refuse()
    return revision


def read_revision(arguments: Arguments) -> str:
    """Return the revision's name, by default the newest."""
    return get_revision(take_one(arguments, "revision") or DEFAULT_REVISION).name


def read_model(arguments: Arguments) -> str:
    """Return the model's name, by default that of the default model."""
    return pf.models.get(take_one(arguments, "model") or DEFAULT_MODEL).name


def read_levels(arguments: Arguments) -> tuple[float, ...]:
    """Return the levels, each once and in order."""
    texts = take_several(arguments, "level", MOST_LEVELS)
    if not texts:
        return DEFAULT_LEVELS
    levels = sorted(_read_level(text) for text in texts)
    repeated = [level for level, following in pairwise(levels) if level == following]
    if repeated:
        raise ArgumentError(f"level {repeated[0]:g} was asked for twice: expected each level once")
    return tuple(levels)


def read_level(arguments: Arguments, default: float) -> float:
    """Return the one level."""
    text = take_one(arguments, "level")
    return default if text is None else _read_level(text)


def read_places(
    arguments: Arguments, faults: Faults, revision: str, model: str | None
) -> tuple[tuple[int, ...], tuple[Group, ...]]:
    """Return the locations and groups asked for; none at all is a fault."""
    locations = faults.attempt("location", read_locations, arguments, revision)
    groups = faults.attempt("group", read_groups, arguments, revision, model) if model else ()
    if locations == () and not arguments.getlist("group"):
        faults.setdefault(
            "location",
            "No location was chosen: expected at least one, as a code, ISO3 code, name or alias, such as World, NGA or "
            "356, or a group.",
        )
    return locations or (), groups or ()


def _read(arguments: Arguments, faults: Faults) -> Query:
    revision = faults.attempt("revision", read_revision, arguments)
    model = faults.attempt("model", read_model, arguments)
    levels = faults.attempt("level", read_levels, arguments)
    # Without a revision, nobody can say which locations and years there are.
    if revision is None:
        faults.refuse()
    locations, groups = read_places(arguments, faults, revision, model)
    start, end = _read_years(arguments, get_session(revision).panel, faults)
    return Query(locations, start, end, model, revision, levels, groups)


def _read_level(text: str) -> float:
    # Column names carry the level, so it is kept short: one decimal tells any two apart.
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9])?", text, re.ASCII):
        raise ArgumentError(
            f"level {quote(text)} is not a percentage with at most one decimal: expected one between 0 and 100, "
            "such as 80 or 95"
        )
    level = float(text)
    return check_level(int(level) if level.is_integer() else level)


def _read_years(arguments: Arguments, panel: pf.Panel, faults: Faults) -> tuple[int, int]:
    start = faults.attempt("from", _read_year, arguments, "from", panel)
    end = faults.attempt("to", _read_year, arguments, "to", panel)
    if start and end and start > end:
        faults.attempt("from", check_years, panel, start, end)
    first = start or min(panel.origin + panel.step, end or last_year(panel))
    last = end or min(max(first, panel.origin) + DEFAULT_STEPS * panel.step, last_year(panel))
    return first, last


def _read_year(arguments: Arguments, name: str, panel: pf.Panel) -> int | None:
    text = take_one(arguments, name)
    if text is None:
        return None
    valid = f"expected a year from {panel.years[0]} to {last_year(panel)}"
    if not re.fullmatch(r"-?[0-9]{1,9}", text, re.ASCII):
        raise ArgumentError(f"{name} {quote(text)} is not a whole year: {valid}")
    if not panel.years[0] <= int(text) <= last_year(panel):
        raise ArgumentError(f"{name} {text} is out of range: {valid}")
    check_years(panel, int(text), int(text))
    return int(text)
