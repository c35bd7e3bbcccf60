"""Reading of questions: each argument is read by its parameter, and all errors are reported together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from popforecast.errors import InputError, PopforecastError, quote
from popforecast.question.places import EVERY, Every
from popforecast.session import Session, get_session
from popforecast.text import write_sentence

# Maximum number of unknown parameters reported.
MOST_NAMED = 5

Schema = dict[str, Any]
Texts = Mapping[str, Sequence[str]]
Arguments = list[tuple[str, str]]
Read = TypeVar("Read")


@dataclass(frozen=True)
class Given:
    """The context for reading a parameter: the revision and model of the question."""

    revision: str
    model: str

    @property
    def session(self) -> Session:
        """The session of the revision."""
        return get_session(self.revision)


Reader = Callable[[list[str], Given], Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter: a row of the table of parameters.

    Attributes
    ----------
    name : str
        Its name in URLs.
    read : callable
        Returns the value of one or more texts, or raises an :class:`InputError`.
    expected, description : str
        The valid values, for error messages, and the description for documentation.
    schema : dict
        JSON Schema of its value, or of each value.
    example : object
        A value, or a list of values.
    most : int
        How many times it can be given.
    default : object
        The value if it is not given.
    needs : tuple of str
        The fields that must be read before it.
    write : callable
        Returns a value, or each of several, as text.
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
        """Return the texts given for the parameter, after checking that none is empty.

        Raises
        ------
        InputError
            If there are too many, or one is empty.
        """
        own = [text.strip() for text in texts.get(self.name, ())]
        if len(own) > self.most:
            times = "once" if self.most == 1 else f"at most {self.most} times"
            shown = ", ".join(map(quote, own[:2])) + (", ..." if len(own) > 2 else "")
            raise InputError(f"{self.name} was given {len(own):,} times ({shown}): expected {times}")
        if "" in own:
            raise InputError(f"{self.name} is empty: expected {self.expected}")
        return own

    def list_texts(self, value: Any) -> list[str]:
        """Return the texts from which this value is read."""
        if isinstance(value, Every):
            return [EVERY]
        values: Iterable[Any] = () if value is None else value if self.most > 1 else (value,)
        return [self.write(one) for one in values]


class QuestionError(InputError):
    """A question with invalid parameters.

    Attributes
    ----------
    faults : dict of str to str
        For each invalid parameter, a sentence that states its value and what is expected.
    """

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults
        super().__init__(" ".join(faults.values()))


class Faults(dict[str, str]):
    """The errors in a question, by parameter; reading continues after an error, so that all are reported together.

    Examples
    --------
    >>> import popforecast.models as models
    >>> faults = Faults()
    >>> faults.attempt("model", models.get, "arima") is None
    True
    >>> faults["model"]
    "No model 'arima': expected one of ar1, naive, drift, damped-growth, ar, panel-ar, cohort, combination."
    """

    def attempt(self, name: str, read: Callable[..., Read], *values: object) -> Read | None:
        """Return the result of `read`, or None and keep its error; the first error of each name is kept."""
        try:
            return read(*values)
        except PopforecastError as error:
            self.setdefault(name, write_sentence(str(error)))
            return None

    def refuse(self, order: Sequence[str] = ()) -> None:
        """Raise a :class:`QuestionError` if there are errors, sorted by `order`, with names not in it first."""
        if self:
            names = sorted(self, key=lambda name: order.index(name) if name in order else -1)
            raise QuestionError({name: self[name] for name in names})


def find_unknown(names: Iterable[str], known: Sequence[str]) -> Faults:
    """Return an error for each unknown parameter.

    Examples
    --------
    >>> find_unknown(["colour"], ["model"])
    {'colour': "Unknown parameter 'colour': expected model."}
    """
    expected = ", ".join(known) or "none"
    unknown = [name for name in names if name not in known][:MOST_NAMED]
    return Faults({name: f"Unknown parameter {quote(name)}: expected {expected}." for name in unknown})


def read_values(rows: Mapping[str, Parameter], texts: Texts, given: Given, faults: Faults) -> dict[str, Any]:
    """Return the value of each parameter, by field; None for invalid ones, whose errors are added to `faults`.

    Parameters
    ----------
    rows : mapping of str to Parameter
        Parameters by field.
    texts : mapping of str to sequence of str
        All texts of each parameter, by name.
    given : Given
        The revision and model to use if they are not parameters.
    faults : Faults
        Receives the errors.
    """
    values: dict[str, Any] = {"revision": given.revision, "model": given.model}
    # Parameters that others need come first: valid locations and years depend on the revision.
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
    """Return the arguments from which these values, given by field, are read; None is omitted.

    Raises
    ------
    InputError
        If a group cannot be written.
    """
    return [(row.name, text) for field, row in rows.items() for text in row.list_texts(values.get(field))]
