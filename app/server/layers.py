"""What lies round the Flask app, from the outside: proxies, limits and checks, the cache of answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from app.server.caching import keep_answers
from app.server.limiting import RateLimit, make_limit
from app.server.security import BAD_HOST, REFUSAL, check_envelope
from app.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# A name, or an address in brackets, and perhaps a port; no longer than the name service allows.
HOST = re.compile(r"(?=.{1,260}$)(([\w-]{1,63}\.)*[\w-]{1,63}\.?|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)

# Those who watch the app ask every few seconds, and a page is nothing without its files.
UNLIMITED = ("/healthz", "/readyz", "/version", "/static/", "/theme/")


def wrap(app: Flask, settings: Settings) -> WSGIApplication:
    """Return the WSGI application that serves an app as the settings ask for it."""
    application = tidy(admit(keep_answers(app.wsgi_app), app.wsgi_app, make_limit(settings)))
    if settings.proxies:
        application = ProxyFix(application, x_for=settings.proxies, x_proto=settings.proxies)
    return application


def tidy(application: WSGIApplication) -> WSGIApplication:
    """Return a WSGI application that never sees what only does harm: a host that is none, a part asked for.

    Flask routes by the host before anything of ours runs, and one that it cannot encode would be an error of its own.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not HOST.fullmatch(environ.get("HTTP_HOST", "none")):
            environ[BAD_HOST], environ["HTTP_HOST"] = environ["HTTP_HOST"], ""
        if environ["wsgi.url_scheme"] not in ("http", "https"):
            environ["wsgi.url_scheme"] = "http"
        # Whoever asks for a part may be sent the whole (RFC 9110, 14.2), and nothing here is large.
        environ.pop("HTTP_RANGE", None)
        return application(environ, start_response)

    return answer


def admit(application: WSGIApplication, flask: WSGIApplication, limit: RateLimit | None) -> WSGIApplication:
    """Return a WSGI application that counts and checks each request before anything answers it.

    A refused request goes past the cache to the app, which answers it like any other error. Health and static files
    are answered however often a client asks; only their errors count.

    Parameters
    ----------
    application : WSGI application
        Answers what is admitted.
    flask : WSGI application
        Answers what is refused: it finds the error under :data:`app.server.security.REFUSAL`.
    limit : RateLimit or None
        How often a client may ask; None: as often as it likes.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = environ.get("REMOTE_ADDR") or ""

        def start(status: str, *rest: Any) -> Any:
            if limit and status.startswith("4"):
                limit.take(client)
            return start_response(status, *rest)

        is_free = environ.get("PATH_INFO", "").startswith(UNLIMITED)
        try:
            if limit and not is_free and not limit.take(client):
                raise limit.refuse()
            check_envelope(environ)
        except HTTPException as refusal:
            environ[REFUSAL] = refusal
        chosen = flask if REFUSAL in environ else application
        return chosen(environ, start if is_free else start_response)

    return answer
