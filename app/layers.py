"""What lies round the Flask app, from the outside: proxies, what no app need see, metrics, the cache of answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from flask_limiter import RateLimitExceeded
from werkzeug.middleware.proxy_fix import ProxyFix

from app import metrics
from app.caching import Headers, cache_answers
from app.journal import ID_HEADER, ROUTE, identify
from app.security import BAD_HOST
from app.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# A name, or an address in brackets, and perhaps a port; no longer than the name service allows.
HOST = re.compile(r"(?=.{1,260}$)(([\w-]{1,63}\.)*[\w-]{1,63}\.?|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)


def wrap(app: Flask, settings: Settings) -> WSGIApplication:
    """Return the WSGI application that serves an app as the settings ask for it."""
    application = keep_answers(app, settings)
    if settings.metrics:
        application = metrics.observe(application)
    application = tidy(application)
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


def keep_answers(app: Flask, settings: Settings) -> WSGIApplication:
    """Return the app with its public answers kept in memory; who asks for a kept one is limited like all others."""
    flask = app.wsgi_app

    def complete(environ: WSGIEnvironment) -> Headers:
        if settings.rate_limits:
            with app.request_context(environ):
                app.preprocess_request()
        return [(ID_HEADER, identify(environ))]

    count = metrics.count_lookup if settings.metrics else None
    kept = cache_answers(flask, notes=(ROUTE,), complete=complete, count=count)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return kept(environ, start_response)
        except RateLimitExceeded:
            # The app refuses as it refuses everybody: with a page, or problem details.
            return flask(environ, start_response)

    return answer
