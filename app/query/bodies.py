"""The arguments of a request: those of its address, and those of its body, whichever form it has."""

from __future__ import annotations

import json
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from app.query.query import Arguments, QueryError
from popforecast.errors import quote
from popforecast.question import Question

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def read_arguments() -> Arguments:
    """Return every argument of the request: those of its address and those of its body.

    Raises
    ------
    QueryError
        If the body is not what it says it is.
    UnsupportedMediaType
        If it is neither JSON nor a form.
    """
    arguments = MultiDict(request.args)
    if request.method != "POST":
        return arguments
    data = _read_body()
    if request.is_json:
        arguments.update(read_json(data))
    elif request.mimetype in FORMS:
        arguments.update(read_form())
    elif data:
        raise UnsupportedMediaType(
            f"Content-Type {request.mimetype or 'none'!r}: expected application/json or {' or '.join(FORMS)}."
        )
    return arguments


def read_form() -> Arguments:
    """Return the arguments that a posted form holds.

    Raises
    ------
    QueryError
        If the body is not the form that its Content-Type says.
    """
    try:
        form = MultiDict(request.form)
    except ValueError as error:
        raise QueryError({"body": f"The body is no form of type {request.mimetype} ({error})."}) from error
    # A file in a form is no value; as an empty one it is refused by its name, not ignored.
    form.update(dict.fromkeys(request.files, ""))
    return form


def read_json(data: bytes) -> Arguments:
    """Return the arguments that a JSON object holds: texts, numbers, or lists of them.

    Examples
    --------
    >>> read_json(b'{"location": ["World", 356], "from": 2030}').to_dict(flat=False)
    {'location': ['World', '356'], 'from': ['2030']}

    Raises
    ------
    QueryError
        If the text is not JSON, not an object, or a value is neither text nor number.
    """
    try:
        # Pairs, because a dict would drop all but the last of a name that stands twice.
        pairs = json.loads(data, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise QueryError({"body": f"The body is not JSON ({error})."}) from error
    if not isinstance(pairs, _Pairs):
        raise QueryError({"body": f"The body is no JSON object: expected one with {', '.join(Question.names())}."})
    arguments: Arguments = MultiDict()
    for name, value in pairs:
        _check_text(name)
        items = value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]
        # An empty list is an empty value: refused by its name, not ignored.
        for item in items or [""]:
            if isinstance(item, bool) or not isinstance(item, str | int | float):
                raise QueryError({name: f"{name} holds {_say(item)}: expected text, a number, or a list of them."})
            _check_text(str(item))
            arguments.add(name, str(item))
    return arguments


def _check_text(text: str) -> None:
    # JSON can write half of a character, which no answer could repeat.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise QueryError({"body": f"The body holds {quote(text)}, which is half a character: expected whole ones."})


def _read_body() -> bytes:
    try:
        data = request.get_data()
        # A body that came in chunks does not tell its length; what lies beyond the limit would be cut off in silence.
        chunked = request.content_length is None and request.environ.get("wsgi.input_terminated")
        is_longer = bool(chunked and request.stream.read(1))
    except RequestEntityTooLarge:
        raise
    except Exception as error:
        # Every server has errors of its own for chunks that are none, and Werkzeug one for those that break off.
        raise QueryError({"body": f"The body cannot be read ({error})."}) from error
    if is_longer:
        raise RequestEntityTooLarge
    if request.content_length is not None and len(data) < request.content_length:
        raise QueryError({"body": f"The body ends after {len(data):,} of its {request.content_length:,} bytes."})
    return data


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, in order, repeated names and all."""


def _say(item: object) -> str:
    kinds = {bool: "true or false", type(None): "null", _Pairs: "an object", list: "a list in a list"}
    return kinds[type(item)]
