"""The web app: it imports popforecast and computes nothing itself.

>>> from app import create_app
>>> create_app().test_client().get("/healthz").json["status"]
'ok'
"""

from __future__ import annotations

from contextlib import suppress
from importlib.resources import files

from flask import Blueprint, Flask, Request, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

import popforecast as pf
from app import api, installable, pages

# No form or JSON that a query can need comes near this.
LARGEST_BODY = 1_000_000

# A body above this is not read to its end just to be refused politely.
MOST_DRAINED = 64_000_000

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


# Every room of the app: who adds one enters its blueprint here, and nothing else.
BLUEPRINTS = (
    pages.blueprint,
    api.blueprint,
    installable.blueprint,
    Blueprint("theme", __name__, static_folder=str(files(pf) / "theme"), static_url_path="/theme"),
)


class StrictRequest(Request):
    """A request whose form, where it cannot be read, is an error; Flask's own takes it for an empty one."""

    def make_form_data_parser(self) -> FormDataParser:
        """Return a parser that does not hide what is wrong with a form."""
        parser = super().make_form_data_parser()
        parser.silent = False
        return parser


def create_app() -> Flask:
    """Return the Flask app."""
    app = Flask(__name__)
    app.request_class = StrictRequest
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        # The size is bounded, so the number of parts needs no bound of its own: too many locations is a 400.
        MAX_FORM_PARTS=None,
    )
    app.json.sort_keys = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, refuse)
    app.after_request(finish)
    return app


def refuse(error: HTTPException) -> ResponseReturnValue:
    """Answer an error: problem details under /api/, else a page."""
    if isinstance(error, RequestEntityTooLarge):
        error.description = f"The body is too large: expected at most {LARGEST_BODY:,} bytes."
    return api.refuse(error) if request.path.startswith("/api/") else pages.refuse(error)


def finish(response: Response) -> Response:
    """Send the headers that every answer has, once the request was read to its end."""
    response.headers.update(HEADERS)
    if response.status_code >= 400:
        _drain()
    return response


def _drain() -> None:
    # A connection that is closed with bytes unread is reset, and the client would never see the answer. Only a server
    # that marks the end of the body can be asked for the rest: with others the read might wait for ever.
    if not request.environ.get("wsgi.input_terminated"):
        return
    stream, left = request.environ["wsgi.input"], MOST_DRAINED
    # A body that cannot be read has no end, and every server has errors of its own for it.
    with suppress(Exception):
        while left > 0 and (chunk := stream.read(min(left, 65_536))):
            left -= len(chunk)
