"""Protection against hostile requests: security headers and size limits."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from flask import Flask, Request, Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestURITooLarge, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

from popforecast.errors import quote

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# Far larger than any query needs.
LARGEST_BODY = 1_000_000

# A query for every location by code is half as long; gunicorn's own limit is 8,190.
LONGEST_ADDRESS = 8_000

# Too many locations raise an error that names them; this many parameters are not parsed at all.
MOST_PARAMETERS = 20_000

# Larger bodies are not read to the end just to be refused.
MOST_DRAINED = 64_000_000

# WSGI keys for an invalid Host, which is hidden from the app, and for the reason a request was refused.
BAD_HOST, REFUSAL = "popforecast.bad_host", "popforecast.refusal"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {framed_by}"
)
NOT_NEEDED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
HEADERS = {
    "Content-Security-Policy": POLICY.format(framed_by="'none'"),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in NOT_NEEDED),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# Pages that other sites may embed, and responses that scripts on any page may read.
EMBEDDED = ("/embed",)
PUBLIC = ("/api/", *EMBEDDED, "/forecast.svg", "/forecast.png", "/openapi.json")

A_YEAR = 365 * 24 * 60 * 60


class StrictParser(FormDataParser):
    """A form parser that raises for an unreadable form instead of returning an empty one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"silent": False})

    def parse(self, stream: IO[bytes], mimetype: str, *args: Any, **options: Any) -> Any:
        """Parse a form, unless it has too many parameters."""
        if mimetype == "application/x-www-form-urlencoded" and self.max_form_parts:
            data = stream.read()
            number = data.count(b"&") + 1
            if number > self.max_form_parts:
                raise RequestEntityTooLarge(
                    f"The body has {number:,} parameters: expected at most {self.max_form_parts:,}."
                )
            stream = BytesIO(data)
        return super().parse(stream, mimetype, *args, **options)


class StrictRequest(Request):
    """A request that raises for an unreadable form, which Flask would treat as empty."""

    form_data_parser_class = StrictParser


def secure(app: Flask) -> None:
    """Apply size limits and security headers to an app."""
    app.request_class = StrictRequest
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=MOST_PARAMETERS
    )
    app.before_request(pass_on_refusal)
    app.after_request(finish)


def check_envelope(environ: WSGIEnvironment) -> None:
    """Refuse requests that no legitimate client sends: invalid hosts, overlong addresses, compressed bodies.

    Raises
    ------
    BadRequest, RequestURITooLarge, UnsupportedMediaType
        With what was sent and what is accepted.
    """
    if BAD_HOST in environ:
        raise BadRequest(f"Host {quote(environ[BAD_HOST])}: expected a host's name, such as example.org.")
    length = len(environ.get("PATH_INFO", "")) + len(environ.get("QUERY_STRING", ""))
    if length > LONGEST_ADDRESS:
        raise RequestURITooLarge(
            f"The address is {length:,} characters long: expected at most {LONGEST_ADDRESS:,}. "
            "A longer query can be posted."
        )
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(f"Content-Encoding {quote(encoding)}: expected a body that is not compressed.")
    # Servers decode chunks only; the body might still be compressed.
    coding = environ.get("HTTP_TRANSFER_ENCODING", "chunked")
    if coding.lower() != "chunked":
        raise UnsupportedMediaType(f"Transfer-Encoding {quote(coding)}: expected chunked, or none.")


def pass_on_refusal() -> None:
    """Raise the error for which the layers refused a request."""
    if REFUSAL in request.environ:
        raise request.environ[REFUSAL]


def finish(response: Response) -> Response:
    """Add the headers of every response, and read an unfinished request to its end."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path in EMBEDDED:
        response.headers["Content-Security-Policy"] = POLICY.format(framed_by="*")
        del response.headers["X-Frame-Options"]
    if request.path.startswith(PUBLIC):
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    # Browsers ignore it over http, and a developer's machine must not be pinned to https for a year.
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
    if response.status_code >= 400:
        response.headers.setdefault("Cache-Control", "no-store")
        _drain()
    return response


def explain_excess(error: RequestEntityTooLarge) -> None:
    """Add the size limit to the error for a large body, unless it is stated already."""
    if error.description == RequestEntityTooLarge.description:
        error.description = f"The body is too large: expected at most {LARGEST_BODY:,} bytes."


def _drain() -> None:
    # Closing a connection with unread bytes resets it, and the client would never see the answer. Reading on is safe
    # only if the server marks the end of the body; otherwise it might block forever.
    if not request.environ.get("wsgi.input_terminated"):
        return
    stream, left = request.environ["wsgi.input"], MOST_DRAINED
    # Each server raises its own errors for an unreadable body.
    with suppress(Exception):
        while left > 0 and (chunk := stream.read(min(left, 65_536))):
            left -= len(chunk)
