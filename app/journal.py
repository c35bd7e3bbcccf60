"""The log: one JSON object a line, a request id on each, and nothing about who asked or what.

No address, no user agent, no query, no referrer; the route instead of the path. What is left says whether the app is
well, and nothing about a person.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from typing import Any

from flask import Flask, Response, g, has_request_context, request

# Heroku's router makes ids of this kind.
SANE_ID = re.compile(r"[A-Za-z0-9+/=._-]{8,128}", re.ASCII)

ROUTE, REQUEST_ID = "popforecast.route", "popforecast.request_id"


class JSONFormatter(logging.Formatter):
    """A record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception keeps its traceback, as text within it."""
        entry: dict[str, Any] = {
            "time": _stamp(record.created),
            "level": record.levelname.lower(),
            "process": record.process,
        }
        if isinstance(record.msg, dict):
            entry |= record.msg
        else:
            entry |= {"logger": record.name, "message": _withhold(record.getMessage())}
        if has_request_context() and "request_id" in g:
            entry["request_id"] = g.request_id
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def identify_requests(app: Flask) -> None:
    """Give every request an id: the router's, if it is sane, else one of our own. Answers carry it back."""
    app.before_request(_identify)
    app.after_request(_answer_id)


def _identify() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if SANE_ID.fullmatch(given) else secrets.token_hex(16)
    request.environ[REQUEST_ID] = g.request_id
    request.environ[ROUTE] = request.url_rule.rule if request.url_rule else None


def _answer_id(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    return response


def _withhold(message: str) -> str:
    # Gunicorn names the client of a request that it cannot read.
    return re.sub(r"\bip=\S+", "ip=withheld", message)


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(1000 * (seconds % 1)):03d}Z"
