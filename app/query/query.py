"""The question of a request: a valid one, or an HTTP error that explains what is wrong."""

from __future__ import annotations

from typing import TypeVar

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from popforecast.question import Asked, QuestionError

Arguments = MultiDict[str, str]
Kind = TypeVar("Kind", bound=Asked)


class QueryError(BadRequest):
    """A request with invalid parameters.

    Attributes
    ----------
    faults : dict of str to str
        For each invalid parameter, a sentence that states its value and what is expected.
    """

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults
        super().__init__(" ".join(faults.values()))


def read(kind: type[Kind], arguments: Arguments) -> Kind:
    """Return the question of this kind that the arguments describe.

    Raises
    ------
    QueryError
        If any argument is invalid.

    Examples
    --------
    >>> from popforecast.question import Question
    >>> read(Question, MultiDict([("location", "Nigeria"), ("from", "2030"), ("to", "2035")])).locations
    (566,)
    """
    try:
        return kind.read(arguments.to_dict(flat=False))
    except QuestionError as error:
        raise QueryError(error.faults) from error
