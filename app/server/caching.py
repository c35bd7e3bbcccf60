"""Response cache in memory: repeated requests are answered without reaching Flask.

Responses marked ``Cache-Control: public`` are the same for all clients and constant while the process runs, as data,
models and code are. They never expire; the least recently used are evicted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from app.server.log import ID_HEADER, ROUTE, identify

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Key = tuple[str, ...]

# Lifetimes in caches of browsers and proxies. Responses with a release, and files with a checksum in the URL, never
# change; others may change with the next deployment. Pages have a minute, in which browsers can show an older release.
FOR_A_YEAR = "public, max-age=31536000, immutable"
FOR_MINUTES = "public, max-age=300, must-revalidate"
FOR_A_MINUTE = "public, max-age=60"

# Limits on the whole cache and on one response, which may be a page of many charts or a table of many locations.
MOST_BYTES = 16_000_000
LARGEST = 1_000_000

# Memory of a cached response in addition to its body: key, headers and objects.
OVERHEAD = 4_000


@dataclass(frozen=True)
class Answer:
    """A cached response: its headers, its encoded body, and its route for the log."""

    headers: list[tuple[str, str]]
    body: bytes
    route: str | None


def keep_answers(application: WSGIApplication, kept: LRUCache[Key, Answer] | None = None) -> WSGIApplication:
    """Return a WSGI application that answers repeated requests from memory.

    It caches responses to GET with status 200 that are marked ``Cache-Control: public``, state their length, set no
    cookie and vary only by ``Accept-Encoding``. Requests are the same if scheme, host, path, query and accepted
    encodings are equal. HEAD and ``If-None-Match`` are answered from the cache. Wrap it inside the layers that correct
    scheme and host (ProxyFix) and count requests.

    Parameters
    ----------
    application : WSGI application
    kept : LRUCache, optional
        The cache (default: a new one of about :data:`MOST_BYTES`).

    Examples
    --------
    >>> from werkzeug.test import Client
    >>> def slow(environ, start_response):
    ...     print("computing")
    ...     start_response("200 OK", [("Content-Length", "2"), ("Cache-Control", "public")])
    ...     return [b"42"]
    >>> client = Client(keep_answers(slow))
    >>> client.get("/").text, client.get("/").text
    computing
    ('42', '42')
    """
    kept = make_cache() if kept is None else kept
    lock = threading.Lock()

    def hand_on(key: Key, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started: list[Headers] = []

        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Callable[[bytes], object]:
            # A response to HEAD has no body to cache.
            if environ["REQUEST_METHOD"] == "GET" and status.startswith("200 ") and _may_keep(Headers(headers)):
                started.append(Headers(headers))
            return start_response(status, headers, *failure)

        chunks = application(environ, start)
        if not started:
            return chunks
        with closing(ClosingIterator(chunks)) as whole:
            body = b"".join(whole)
        if int(started[0]["Content-Length"]) == len(body):
            with lock:
                # An id and a date belong to one response.
                shared = [(name, value) for name, value in started[0] if name not in (ID_HEADER, "Date")]
                kept[key] = Answer(shared, body, environ.get(ROUTE))
        return [body]

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return application(environ, start_response)
        key = _make_key(environ)
        with lock:
            found = kept.get(key)
        if found is None:
            return hand_on(key, environ, start_response)
        environ[ROUTE] = found.route
        headers = [*found.headers, (ID_HEADER, identify(environ))]
        if "HTTP_IF_NONE_MATCH" in environ:
            response = Response(found.body, headers=headers).make_conditional(environ)
            # The server adds the date.
            del response.headers["Date"]
            return response(environ, start_response)
        # Sent unchanged: a Werkzeug response would double the time, and the 99th percentile with it.
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [found.body]

    return answer


def make_cache(most_bytes: int = MOST_BYTES) -> LRUCache[Key, Answer]:
    """Return a cache of responses that takes about this many bytes."""
    return LRUCache(most_bytes, getsizeof=lambda answer: len(answer.body) + OVERHEAD)


def _make_key(environ: WSGIEnvironment) -> Key:
    return (
        environ["wsgi.url_scheme"],
        environ.get("HTTP_HOST", ""),
        environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_ACCEPT_ENCODING", ""),
    )


def _may_keep(headers: Headers) -> bool:
    varies = {name.strip().lower() for name in headers.get("Vary", "").split(",")} - {"", "accept-encoding"}
    length = headers.get("Content-Length", "")
    return (
        "public" in headers.get("Cache-Control", "")
        and "Set-Cookie" not in headers
        and not varies
        and length.isdecimal()
        and int(length) <= LARGEST
    )
