"""The log: one JSON object per line, with a request id and no personal data.

It has no address, user agent, query or referrer, and the route instead of the path: enough to monitor the app, and
nothing about a person.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, has_request_context, request

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

ID_HEADER = "X-Request-ID"

# Matches the ids of Heroku's router.
SANE_ID = re.compile(r"[A-Za-z0-9+/=._-]{8,128}", re.ASCII)

ROUTE, REQUEST_ID = "popforecast.route", "popforecast.request_id"


class JSONFormatter(logging.Formatter):
    """Formats a record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; the traceback of an exception is a text member."""
        entry: dict[str, Any] = {
            "time": _stamp(record.created),
            "level": record.levelname.lower(),
            "process": record.process,
        }
        if isinstance(record.msg, dict):
            entry |= record.msg
        else:
            entry |= {"logger": record.name, "message": _withhold(record.getMessage())}
        if has_request_context():
            entry["request_id"] = identify(request.environ)
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def identify_requests(app: Flask) -> None:
    """Give every request an id, return it in the response, and record the route."""
    app.before_request(_note)
    app.after_request(_answer_id)


def identify(environ: WSGIEnvironment) -> str:
    """Return the id of a request: the router's if valid, otherwise a generated one."""
    if REQUEST_ID not in environ:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        environ[REQUEST_ID] = given if SANE_ID.fullmatch(given) else secrets.token_hex(16)
    return str(environ[REQUEST_ID])


def _note() -> None:
    identify(request.environ)
    request.environ[ROUTE] = request.url_rule.rule if request.url_rule else None


def _answer_id(response: Response) -> Response:
    response.headers[ID_HEADER] = identify(request.environ)
    return response


def _withhold(message: str) -> str:
    # Gunicorn logs the address of a failed request, and the client of an unreadable one.
    message = re.sub(r"(?<=^Error handling request )(\S+) .*", r"\1", message, flags=re.DOTALL)
    if not message.startswith("Invalid request from ip="):
        return message
    return re.sub(r"(['\"]).*\1", "'withheld'", re.sub(r"ip=\S+", "ip=withheld", message), flags=re.DOTALL)


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(1000 * (seconds % 1)):03d}Z"
