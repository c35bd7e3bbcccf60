"""Arguments of a request, from its URL and its body (JSON or a form)."""

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
    """Return the arguments of the request, from its URL and its body.

    Raises
    ------
    QueryError
        If the body does not match its Content-Type.
    UnsupportedMediaType
        If the body is neither JSON nor a form.
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
    """Return the arguments in a posted form.

    Raises
    ------
    QueryError
        If the body does not match its Content-Type.
    """
    try:
        form = MultiDict(request.form)
    except ValueError as error:
        raise QueryError({"body": f"The body is not a form of type {request.mimetype} ({error})."}) from error
    # Files are read as empty values, so that they cause an error instead of being ignored.
    form.update(dict.fromkeys(request.files, ""))
    return form


def read_json(data: bytes) -> Arguments:
    """Return the arguments in a JSON object, whose values are strings, numbers or lists of them.

    Examples
    --------
    >>> read_json(b'{"location": ["World", 356], "from": 2030}').to_dict(flat=False)
    {'location': ['World', '356'], 'from': ['2030']}

    Raises
    ------
    QueryError
        If the data are not JSON, not an object, or a value is neither a string nor a number.
    """
    try:
        # Pairs, because a dict would keep only the last value of a repeated name.
        pairs = json.loads(data, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise QueryError({"body": f"The body is not JSON ({error})."}) from error
    if not isinstance(pairs, _Pairs):
        raise QueryError({"body": f"The body is not a JSON object: expected one with {', '.join(Question.names())}."})
    arguments: Arguments = MultiDict()
    for name, value in pairs:
        _check_text(name)
        items = value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]
        # An empty list is read as an empty value, so that it causes an error instead of being ignored.
        for item in items or [""]:
            if isinstance(item, bool) or not isinstance(item, str | int | float):
                raise QueryError({name: f"{name} contains {_say(item)}: expected text, a number, or a list of them."})
            _check_text(str(item))
            arguments.add(name, str(item))
    return arguments


def _check_text(text: str) -> None:
    # JSON can encode half of a surrogate pair, which a response could not quote.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise QueryError({"body": f"The body contains {quote(text)}, half a character: expected complete characters."})


def _read_body() -> bytes:
    try:
        data = request.get_data()
        # A chunked body does not state its length; anything beyond the limit would be dropped silently.
        chunked = request.content_length is None and request.environ.get("wsgi.input_terminated")
        is_longer = bool(chunked and request.stream.read(1))
    except RequestEntityTooLarge:
        raise
    except Exception as error:
        # Each server raises its own errors for invalid chunks, and Werkzeug another for incomplete ones.
        raise QueryError({"body": f"The body cannot be read ({error})."}) from error
    if is_longer:
        raise RequestEntityTooLarge
    if request.content_length is not None and len(data) < request.content_length:
        raise QueryError({"body": f"The body ends after {len(data):,} of its {request.content_length:,} bytes."})
    return data


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, in order and including repeated names."""


def _say(item: object) -> str:
    kinds = {bool: "true or false", type(None): "null", _Pairs: "an object", list: "a list in a list"}
    return kinds[type(item)]
