"""WSGI layers around the Flask app, from the outside in: proxies, rate limits and checks, response cache."""

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

# A host name or a bracketed address, optionally with a port, within the length limit of DNS.
HOST = re.compile(r"(?=.{1,260}$)(([\w-]{1,63}\.)*[\w-]{1,63}\.?|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)

# Monitors ask every few seconds, and pages are useless without their static files.
UNLIMITED = ("/healthz", "/readyz", "/version", "/static/", "/theme/")


def wrap(app: Flask, settings: Settings) -> WSGIApplication:
    """Return the WSGI application that serves an app with the given settings."""
    application = tidy(admit(keep_answers(app.wsgi_app), app.wsgi_app, make_limit(settings)))
    if settings.proxies:
        application = ProxyFix(application, x_for=settings.proxies, x_proto=settings.proxies)
    return application


def tidy(application: WSGIApplication) -> WSGIApplication:
    """Return a WSGI application that is protected from invalid hosts and from range requests.

    Flask routes by host before any of our code runs, and fails on hosts it cannot encode.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not HOST.fullmatch(environ.get("HTTP_HOST", "none")):
            environ[BAD_HOST], environ["HTTP_HOST"] = environ["HTTP_HOST"], ""
        if environ["wsgi.url_scheme"] not in ("http", "https"):
            environ["wsgi.url_scheme"] = "http"
        # Servers may ignore range requests (RFC 9110, 14.2), and no response here is large.
        environ.pop("HTTP_RANGE", None)
        return application(environ, start_response)

    return answer


def admit(application: WSGIApplication, flask: WSGIApplication, limit: RateLimit | None) -> WSGIApplication:
    """Return a WSGI application that counts and checks each request before it is answered.

    Refused requests bypass the cache, and the app answers them like any other error. Requests for health and static
    files are not limited; only their errors count.

    Parameters
    ----------
    application : WSGI application
        Answers admitted requests.
    flask : WSGI application
        Answers refused requests; it finds the error under :data:`app.server.security.REFUSAL`.
    limit : RateLimit or None
        The rate limit; None for no limit.
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
