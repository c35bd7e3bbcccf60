"""What lies round the Flask app, from the outside: proxies, metrics, the cache of answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from flask_limiter import RateLimitExceeded
from werkzeug.middleware.proxy_fix import ProxyFix

from app import metrics
from app.caching import Headers, cache_answers
from app.journal import ID_HEADER, ROUTE, identify
from app.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def wrap(app: Flask, settings: Settings) -> WSGIApplication:
    """Return the WSGI application that serves an app as the settings ask for it."""
    application = keep_answers(app, settings)
    if settings.metrics:
        application = metrics.observe(application)
    if settings.proxies:
        application = ProxyFix(application, x_for=settings.proxies, x_proto=settings.proxies)
    return application


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
