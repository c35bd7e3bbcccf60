"""How a question is read: every argument by its parameter, and all that is wrong said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from popforecast.errors import InputError, PopforecastError, quote
from popforecast.question.places import EVERY, Every
from popforecast.session import Session, get_session
from popforecast.text import write_sentence

# An error that names this many unknown parameters has made its point.
MOST_NAMED = 5

Schema = dict[str, Any]
Texts = Mapping[str, Sequence[str]]
Arguments = list[tuple[str, str]]
Read = TypeVar("Read")


@dataclass(frozen=True)
class Given:
    """What a parameter is read with: the revision and the model of the question."""

    revision: str
    model: str

    @property
    def session(self) -> Session:
        """The panel of the revision, with what belongs to it."""
        return get_session(self.revision)


Reader = Callable[[list[str], Given], Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter: a row of the table.

    Attributes
    ----------
    name : str
        What it is called in an address.
    read : callable
        Makes a value of its texts, one or more, or raises an :class:`InputError`.
    expected, description : str
        What an error says that was expected, and what documents say.
    schema : dict
        JSON Schema of its value, or of each of its values.
    example : object
        A value, or a list of values.
    most : int
        How often it may stand.
    default : object
        The value where it does not stand.
    needs : tuple of str
        The fields without which it cannot be read.
    write : callable
        Writes a value, or each of its values.
    """

    name: str
    read: Reader
    expected: str
    description: str
    schema: Schema
    example: Any
    most: int = 1
    default: Any = None
    needs: tuple[str, ...] = ()
    write: Callable[[Any], str] = str

    def take(self, texts: Texts) -> list[str]:
        """Return the texts of the parameter, none of them empty.

        Raises
        ------
        InputError
            If there are too many, or one is empty.
        """
        own = [text.strip() for text in texts.get(self.name, ())]
        if len(own) > self.most:
            times = "once" if self.most == 1 else f"at most {self.most} times"
            shown = ", ".join(map(quote, own[:2])) + (", ..." if len(own) > 2 else "")
            raise InputError(f"{self.name} was given {len(own):,} times ({shown}): expected it {times}")
        if "" in own:
            raise InputError(f"{self.name} is empty: expected {self.expected}")
        return own

    def list_texts(self, value: Any) -> list[str]:
        """Return the texts that are read as this value."""
        if isinstance(value, Every):
            return [EVERY]
        values: Iterable[Any] = () if value is None else value if self.most > 1 else (value,)
        return [self.write(one) for one in values]


class QuestionError(InputError):
    """A question that cannot be answered.

    Attributes
    ----------
    faults : dict of str to str
        For every parameter that is wrong, a sentence naming its value and what would be valid.
    """

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults
        super().__init__(" ".join(faults.values()))


class Faults(dict[str, str]):
    """What is wrong with a question, by parameter; reading goes on, so that all of it is said at once.

    Examples
    --------
    >>> import popforecast.models as models
    >>> faults = Faults()
    >>> faults.attempt("model", models.get, "arima") is None
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

    def refuse(self, order: Sequence[str] = ()) -> None:
        """Raise what was found, if anything was: a :class:`QuestionError`, what is not in the order first."""
        if self:
            names = sorted(self, key=lambda name: order.index(name) if name in order else -1)
            raise QuestionError({name: self[name] for name in names})


def find_unknown(names: Iterable[str], known: Sequence[str]) -> Faults:
    """Return a fault for each name that is no parameter here.

    Examples
    --------
    >>> find_unknown(["colour"], ["model"])
    {'colour': "Unknown parameter 'colour': expected model."}
    """
    expected = ", ".join(known) or "none"
    unknown = [name for name in names if name not in known][:MOST_NAMED]
    return Faults({name: f"Unknown parameter {quote(name)}: expected {expected}." for name in unknown})


def read_values(rows: Mapping[str, Parameter], texts: Texts, given: Given, faults: Faults) -> dict[str, Any]:
    """Return the value of each row, by its field; None where it is wrong, and what is in a fault.

    Parameters
    ----------
    rows : mapping of str to Parameter
        By field.
    texts : mapping of str to sequence of str
        Every text of each parameter.
    given : Given
        The revision and model where none is asked for.
    faults : Faults
        What is wrong is added here.
    """
    values: dict[str, Any] = {"revision": given.revision, "model": given.model}
    # First what others need: without a revision, nobody can say which locations and years there are.
    for field, row in sorted(rows.items(), key=lambda item: bool(item[1].needs)):
        if None in [values[need] for need in row.needs]:
            values[field] = None
            continue
        own = faults.attempt(row.name, row.take, texts)
        values[field] = row.default if own == [] else None
        if own:
            now = Given(values["revision"], values["model"])
            values[field] = faults.attempt(row.name, row.read, own, now)
    return values


def write_arguments(rows: Mapping[str, Parameter], values: Mapping[str, Any]) -> Arguments:
    """Return the arguments that are read as these values, given by field; None is left out.

    Raises
    ------
    InputError
        If a group cannot be written.
    """
    return [(row.name, text) for field, row in rows.items() for text in row.list_texts(values.get(field))]
