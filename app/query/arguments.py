"""The arguments of a request as texts: how often each may stand, and how a wrong one is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

import popforecast as pf
from popforecast.errors import InputError, PopforecastError
from popforecast.text import write_sentence

# An error that names this many unknown locations or parameters has made its point.
MOST_NAMED = 5

# So much of a value is enough to know it again.
MOST_QUOTED = 40

Arguments = MultiDict[str, str]
Read = TypeVar("Read")
Choice = TypeVar("Choice", int, str)

EXPECTED = {
    "location": "a code, ISO3 code, name or alias, such as World, NGA or 356",
    "group": "a name, a colon and members, such as My markets:NGA,356,Brazil",
    "from": "a year, such as 2030",
    "to": "a year, such as 2035",
    "model": f"one of {', '.join(pf.models.MODELS)}",
    "revision": f"one of {', '.join(pf.REVISIONS)}",
    "level": "a percentage between 0 and 100, such as 80 or 95",
    "horizon": "a number of years, such as 10",
    "vintage": "an edition, such as wpp2012",
    "scale": "absolute, log or indexed",
    "release": "a release, such as the cite-as link of an answer states",
}


class ArgumentError(InputError):
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


class Faults(dict[str, str]):
    """What is wrong with a request, by parameter; reading goes on, so that all of it is said at once.

    Examples
    --------
    >>> faults = Faults()
    >>> faults.attempt("model", pf.models.get, "arima") is None
    True
    >>> faults["model"]
    "No model 'arima': expected one of ar1, naive, drift, damped-growth, ar, panel-ar."
    """

    def attempt(self, name: str, read: Callable[..., Read], *values: object) -> Read | None:
        """Return what `read` makes of the values; where it refuses, keep its sentence, the first for each name."""
        try:
            return read(*values)
        except PopforecastError as error:
            self.setdefault(name, write_sentence(str(error)))
            return None

    def refuse(self) -> None:
        """Raise what was found.

        Raises
        ------
        QueryError
            If anything was.
        """
        if self:
            raise QueryError(dict(self))


def find_unknown(arguments: Arguments, known: tuple[str, ...]) -> Faults:
    """Return a fault for each argument that means nothing here.

    Examples
    --------
    >>> find_unknown(MultiDict({"colour": "red"}), ("model",))
    {'colour': "Unknown parameter 'colour': expected model."}
    """
    names = [name for name in arguments if name not in known][:MOST_NAMED]
    expected = ", ".join(known) or "none"
    return Faults({name: f"Unknown parameter {quote(name)}: expected {expected}." for name in names})


def take_one(arguments: Arguments, name: str) -> str | None:
    """Return the one value of an argument, or None where it is absent.

    Raises
    ------
    ArgumentError
        If it stands twice, or is empty.
    """
    texts = take_several(arguments, name, 1)
    return texts[0] if texts else None


def take_several(arguments: Arguments, name: str, most: int) -> list[str]:
    """Return every value of an argument.

    Raises
    ------
    ArgumentError
        If there are more than `most`, or one is empty.
    """
    texts = [text.strip() for text in arguments.getlist(name)]
    if len(texts) > most:
        times = "once" if most == 1 else f"at most {most} times"
        shown = ", ".join(map(quote, texts[:2])) + (", ..." if len(texts) > 2 else "")
        raise ArgumentError(f"{name} was given {len(texts):,} times ({shown}): expected it {times}")
    if "" in texts:
        raise ArgumentError(f"{name} is empty: expected {EXPECTED[name]}")
    return texts


def take_choices(arguments: Arguments, name: str, valid: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Return the values of an argument that is one or more of a few, each once, in the order in which they are valid.

    Raises
    ------
    ArgumentError
        If one is not among them, or stands twice.

    Examples
    --------
    >>> take_choices(MultiDict([("horizon", "10"), ("horizon", "1")]), "horizon", (1, 5, 10, 20))
    (1, 10)
    """
    texts = take_several(arguments, name, len(valid))
    for i, text in enumerate(texts):
        if text not in map(str, valid):
            raise ArgumentError(f"{name} {quote(text)}: expected one of {', '.join(map(str, valid))}")
        if text in texts[:i]:
            raise ArgumentError(f"{name} {text} was asked for twice: expected each once")
    return tuple(choice for choice in valid if str(choice) in texts)


def quote(text: str) -> str:
    """Return the text as an error shows it: in quotes, short, with nothing that would not print.

    Examples
    --------
    >>> print(quote("a" * 50))
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'
    >>> quote(chr(0x202E)).isascii()
    True
    """
    return repr(text if len(text) <= MOST_QUOTED else text[: MOST_QUOTED - 1] + "…")
