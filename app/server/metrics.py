"""What the app counts about itself for Prometheus: requests, seconds, hits of the cache. Off unless asked for.

Gunicorn's workers are processes, and each sees a part of the requests only. They write their counts into files in
``PROMETHEUS_MULTIPROC_DIR``, which gunicorn.conf.py makes, and any of them can answer with the sum.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from app.server.log import ROUTE

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import Counter, Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

# Seconds: from an answer that was kept to one that a router would give up on.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30)

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")


class Instruments(NamedTuple):
    """What is counted, and by what."""

    requests: Counter
    seconds: Histogram
    cache: Counter


@lru_cache(maxsize=1)
def make_instruments() -> Instruments:
    """Return the instruments, made once in a process, because a name may be registered only once."""
    from prometheus_client import Counter, Histogram

    return Instruments(
        Counter("popforecast_requests_total", "Requests answered.", ("route", "method", "status")),
        Histogram("popforecast_request_seconds", "Seconds until the answer began.", ("route",), buckets=BUCKETS),
        Counter("popforecast_cache_total", "Answers looked up in the cache.", ("result",)),
    )


def observe(application: WSGIApplication) -> WSGIApplication:
    """Return a WSGI application that answers like another one and counts its requests."""
    instruments = make_instruments()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()

        def start(status: str, *rest: Any) -> Any:
            # By rule, not by path: what strangers type must not make a new series each time.
            route = environ.get(ROUTE) or "none"
            method = environ["REQUEST_METHOD"]
            instruments.requests.labels(route, method if method in METHODS else "other", status[:3]).inc()
            instruments.seconds.labels(route).observe(time.perf_counter() - started)
            return start_response(status, *rest)

        return application(environ, start)

    return answer


def export() -> bytes:
    """Return the counts of every worker there is or was, in the text format of Prometheus."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    if DIRECTORY not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def count_lookup(hit: bool) -> None:
    """Count a look into the cache of answers."""
    make_instruments().cache.labels("hit" if hit else "miss").inc()
