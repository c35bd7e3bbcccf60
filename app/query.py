"""What a request asks for: its arguments become a frozen Query, or an error that lists what is valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

import popforecast as pf
from popforecast.errors import PopforecastError, UnknownLocationError
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.models.base import check_level
from popforecast.periods import DEFAULT_STEPS, check_years, last_year
from popforecast.sources import DEFAULT_REVISION, get_revision

PARAMETERS = ("location", "from", "to", "model", "revision", "level")

# Every location of a revision may be asked for at once, and no more than that makes sense.
MOST_LOCATIONS = 300
MOST_LEVELS = 9

# No name or alias is as long; what is longer was not meant as one.
LONGEST_NAME = 100

# An error that names this many unknown locations or parameters has made its point.
MOST_NAMED = 5

Arguments = MultiDict[str, str]


class ArgumentError(PopforecastError):
    """An argument that is absent, empty, repeated, or not of its kind."""


class QueryError(BadRequest):
    """A request that cannot be answered.

    Attributes
    ----------
    faults : dict of str to str
        For every parameter that is wrong, a sentence naming its value and what would be valid.
    """

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults
        super().__init__(" ".join(faults.values()))


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
    """

    locations: tuple[int, ...]
    start: int
    end: int
    model: str = DEFAULT_MODEL
    revision: str = DEFAULT_REVISION
    levels: tuple[float, ...] = DEFAULT_LEVELS

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """The arguments that ask for exactly this.

        Examples
        --------
        >>> Query((900,), 2030, 2035, levels=(80,)).arguments[:3]
        [('location', '900'), ('from', '2030'), ('to', '2035')]
        """
        return [
            *(("location", str(code)) for code in self.locations),
            ("from", str(self.start)),
            ("to", str(self.end)),
            ("model", self.model),
            ("revision", self.revision),
            *(("level", f"{level:g}") for level in self.levels),
        ]

    def answer(self) -> pf.Forecast:
        """Return the forecast that was asked for."""
        panel, fitted = load_panel(self.revision), fit(self.revision, self.model)
        return pf.forecast(panel, self.locations, self.start, self.end, fitted, self.levels)


@lru_cache
def load_panel(revision: str) -> pf.Panel:
    """Return the panel of a revision, read once."""
    return pf.load_panel(revision)


@lru_cache
def fit(revision: str, model: str) -> pf.Fitted:
    """Return the model fitted to a revision, once."""
    return pf.fit(load_panel(revision), model)


def read_query(arguments: Arguments) -> Query:
    """Return the query that the arguments make.

    Raises
    ------
    QueryError
        If any argument is wrong; the error has a sentence for each that is.

    Examples
    --------
    >>> read_query(MultiDict([("location", "Nigeria"), ("from", "2030"), ("to", "2035")])).locations
    (566,)
    >>> read_query(MultiDict([("location", "Wurld"), ("from", "2030")]))
    Traceback (most recent call last):
    app.query.QueryError: 400 Bad Request: No location 'Wurld' in wpp2024; nearest: World. Expected a code, ...
    """
    faults = _find_unknown(arguments, PARAMETERS)

    def attempt(name: str, function: Callable[..., Any], *values: Any) -> Any:
        try:
            return function(*values)
        except PopforecastError as error:
            faults.setdefault(name, _sentence(str(error)))
            return None

    revision = attempt("revision", _read_revision, arguments)
    model = attempt("model", _read_model, arguments)
    levels = attempt("level", _read_levels, arguments)
    # Without a revision, nobody can say which locations and years there are.
    locations = attempt("location", _read_locations, arguments, revision) if revision else None
    start, end = _read_years(arguments, load_panel(revision), attempt) if revision else (None, None)
    if faults:
        raise QueryError(faults)
    return Query(locations, start, end, model, revision, levels)


def read_revision_alone(arguments: Arguments) -> str:
    """Return the revision's name, by default the newest, where nothing else may be asked for.

    Raises
    ------
    QueryError
        If there is no such revision, or another argument.
    """
    check_names(arguments, ("revision",))
    try:
        return _read_revision(arguments)
    except PopforecastError as error:
        raise QueryError({"revision": _sentence(str(error))}) from error


def check_names(arguments: Arguments, known: tuple[str, ...]) -> None:
    """Refuse arguments that mean nothing here.

    Raises
    ------
    QueryError
        If there are any.
    """
    faults = _find_unknown(arguments, known)
    if faults:
        raise QueryError(faults)


def _read_revision(arguments: Arguments) -> str:
    return get_revision(_only(arguments, "revision") or DEFAULT_REVISION).name


def _read_model(arguments: Arguments) -> str:
    return pf.models.get(_only(arguments, "model") or DEFAULT_MODEL).name


def _read_levels(arguments: Arguments) -> tuple[float, ...]:
    texts = _several(arguments, "level", MOST_LEVELS)
    if not texts:
        return DEFAULT_LEVELS
    levels = sorted(_read_level(text) for text in texts)
    repeated = [level for level, following in pairwise(levels) if level == following]
    if repeated:
        raise ArgumentError(f"level {repeated[0]:g} was asked for twice: expected each level once")
    return tuple(levels)


def _read_level(text: str) -> float:
    # Column names carry the level, so it is kept short: one decimal tells any two apart.
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9])?", text, re.ASCII):
        raise ArgumentError(
            f"level {_quote(text)} is not a percentage with at most one decimal: expected one between 0 and 100, "
            "such as 80 or 95"
        )
    level = float(text)
    return check_level(int(level) if level.is_integer() else level)


def _read_locations(arguments: Arguments, revision: str) -> tuple[int, ...]:
    texts = _several(arguments, "location", MOST_LOCATIONS)
    if not texts:
        raise ArgumentError(
            "no location was chosen: expected at least one, as a code, ISO3 code, name or alias, such as World, NGA "
            "or 356"
        )
    long = [text for text in texts if len(text) > LONGEST_NAME]
    if long:
        raise ArgumentError(
            f"location {_quote(long[0])} is {len(long[0])} characters long: expected at most {LONGEST_NAME}"
        )
    try:
        return tuple(load_panel(revision).index.find_all(texts))
    except UnknownLocationError as error:
        raise ArgumentError(_describe_missing(error.unknown, revision)) from error


def _describe_missing(unknown: dict[str, tuple[str, ...]], revision: str) -> str:
    sentences = [_describe_miss(text, nearest, revision) for text, nearest in list(unknown.items())[:MOST_NAMED]]
    if len(unknown) > MOST_NAMED:
        sentences.append(f"{len(unknown) - MOST_NAMED} more are unknown, too")
    return ". ".join(_capitalise(sentence) for sentence in sentences) + (
        ". Expected a code, ISO3 code, name or alias of that revision"
    )


def _describe_miss(text: str, nearest: tuple[str, ...], revision: str) -> str:
    miss = f"no location {_quote(text)} in {revision}"
    for other in pf.REVISIONS:
        try:
            index = load_panel(other).index
            name = index.names[index.find(text)]
        except UnknownLocationError:
            continue
        miss = f"location {_quote(text)} is {name} in {other}, and is not in {revision}"
        nearest = nearest or load_panel(revision).index.suggest(name)
        break
    return miss + (f"; nearest: {', '.join(nearest)}" if nearest else "")


def _read_years(arguments: Arguments, panel: pf.Panel, attempt: Callable[..., Any]) -> tuple[int, int]:
    start = attempt("from", _read_year, arguments, "from", panel)
    end = attempt("to", _read_year, arguments, "to", panel)
    if start and end and start > end:
        attempt("from", check_years, panel, start, end)
    first = start or min(panel.origin + panel.step, end or last_year(panel))
    last = end or min(max(first, panel.origin) + DEFAULT_STEPS * panel.step, last_year(panel))
    return first, last


def _read_year(arguments: Arguments, name: str, panel: pf.Panel) -> int | None:
    text = _only(arguments, name)
    if text is None:
        return None
    valid = f"expected a year from {panel.years[0]} to {last_year(panel)}"
    if not re.fullmatch(r"-?[0-9]{1,9}", text, re.ASCII):
        raise ArgumentError(f"{name} {_quote(text)} is not a whole year: {valid}")
    if not panel.years[0] <= int(text) <= last_year(panel):
        raise ArgumentError(f"{name} {text} is out of range: {valid}")
    check_years(panel, int(text), int(text))
    return int(text)


def _only(arguments: Arguments, name: str) -> str | None:
    texts = _several(arguments, name, 1)
    return texts[0] if texts else None


def _several(arguments: Arguments, name: str, most: int) -> list[str]:
    texts = [text.strip() for text in arguments.getlist(name)]
    if len(texts) > most:
        times = "once" if most == 1 else f"at most {most} times"
        shown = ", ".join(map(_quote, texts[:2])) + (", ..." if len(texts) > 2 else "")
        raise ArgumentError(f"{name} was given {len(texts):,} times ({shown}): expected it {times}")
    if "" in texts:
        raise ArgumentError(f"{name} is empty: expected {_EXPECTED[name]}")
    return texts


_EXPECTED = {
    "location": "a code, ISO3 code, name or alias, such as World, NGA or 356",
    "from": "a year, such as 2030",
    "to": "a year, such as 2035",
    "model": f"one of {', '.join(pf.models.MODELS)}",
    "revision": f"one of {', '.join(pf.REVISIONS)}",
    "level": "a percentage between 0 and 100, such as 80 or 95",
}


def _find_unknown(arguments: Arguments, known: tuple[str, ...]) -> dict[str, str]:
    names = [name for name in arguments if name not in known][:MOST_NAMED]
    return {name: f"Unknown parameter {_quote(name)}: expected {', '.join(known) or 'none'}." for name in names}


def _quote(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return _capitalise(text).rstrip(".") + "."
