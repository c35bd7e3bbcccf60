"""Answers kept in memory: a question that was asked before is answered before Flask wakes up.

Answers marked ``Cache-Control: public`` are the same for everybody, and stay so while the process lives, because
figures, models and code do. So none of them expires; the least recently used makes room.
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

# All that is kept, and the largest answer among it: a page of many charts, or a table of many locations.
MOST_BYTES = 16_000_000
LARGEST = 1_000_000

# What a small answer takes beside its body: key, headers, objects.
OVERHEAD = 4_000


@dataclass(frozen=True)
class Answer:
    """An answer that is kept: its headers, its body as it goes over the wire, and its route, for the log."""

    headers: Headers
    body: bytes
    route: str | None


def keep_answers(application: WSGIApplication, kept: LRUCache[Key, Answer] | None = None) -> WSGIApplication:
    """Return a WSGI application that answers repeated questions from memory.

    Kept are answers to GET with status 200 that the application marks ``Cache-Control: public``, that state their
    length, set no cookie, and vary by nothing but ``Accept-Encoding``; never an error. A question is the same if
    scheme, host, address, query and accepted encodings are. HEAD and ``If-None-Match`` are answered from what is kept.
    It belongs behind whatever corrects scheme and host (ProxyFix) and whatever counts requests.

    Parameters
    ----------
    application : WSGI application
    kept : LRUCache, optional
        Where the answers are kept (default: one of its own, of about :data:`MOST_BYTES`).

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
            # A HEAD has no body to keep.
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
                kept[key] = Answer(started[0], body, environ.get(ROUTE))
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
        response = Response(found.body, headers=Headers(found.headers))
        response.headers[ID_HEADER] = identify(environ)
        response.make_conditional(environ)
        # The server states the date.
        del response.headers["Date"]
        return response(environ, start_response)

    return answer


def make_cache(most_bytes: int = MOST_BYTES) -> LRUCache[Key, Answer]:
    """Return a cache of answers that takes about so many bytes."""
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
