"""Answers kept in memory: a question that was asked before is answered before Flask wakes up.

What the app marks ``Cache-Control: public`` is the same for everybody, and stays so while the process lives, because
figures, models and code do. So nothing here grows old; what was asked longest ago makes room.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.http import parse_etags, unquote_etag

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]
Key = tuple[str, ...]

# All that is kept, and the largest answer among it: a page of many charts, or a table of many locations.
MOST_BYTES = 16_000_000
LARGEST = 1_000_000

# What a small answer takes beside its body: keys, headers, objects.
OVERHEAD = 2_000

# What belongs to one answer, not to all that are alike.
OWN_HEADERS = frozenset({"connection", "date", "server", "x-request-id"})

# What says something of a body, where there is none.
BODY_HEADERS = "content-"


@dataclass(frozen=True)
class Answer:
    """An answer that is kept.

    Attributes
    ----------
    headers : list of (str, str)
        All that are the same for everybody.
    body : bytes
        As it goes over the wire, compressed or not.
    tag : str
        Its entity tag without quotes; empty where it has none.
    notes : dict
        What the app noted in the environment about the request, for the log.
    """

    headers: Headers
    body: bytes
    tag: str
    notes: dict[str, Any]


class AnswerCache:
    """A WSGI application in front of another, which keeps its public answers; made by :func:`cache_answers`.

    Attributes
    ----------
    hits, misses : int
        How many questions were answered from memory, and how many were handed on.
    size : int
        Bytes that are kept.
    """

    def __init__(
        self,
        application: WSGIApplication,
        most_bytes: int,
        notes: tuple[str, ...],
        complete: Callable[[WSGIEnvironment], Headers] | None,
    ) -> None:
        self.application = application
        self.most_bytes = most_bytes
        self.largest = min(LARGEST, most_bytes)
        self.notes = notes
        self.complete = complete
        self.hits = self.misses = self.size = 0
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory, or hand on and keep what comes back."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_RANGE" in environ:
            return self.application(environ, start_response)
        key = _make_key(environ)
        with self._lock:
            answer = self._answers.get(key)
            if answer is None:
                self.misses += 1
            else:
                self.hits += 1
                self._answers.move_to_end(key)
        if answer is None:
            return self._hand_on(key, environ, start_response)
        environ.update(answer.notes)
        own = self.complete(environ) if self.complete else []
        if _is_known(environ.get("HTTP_IF_NONE_MATCH"), answer.tag):
            kept = [(name, value) for name, value in answer.headers if not name.lower().startswith(BODY_HEADERS)]
            start_response("304 NOT MODIFIED", [*kept, *own])
            return []
        start_response("200 OK", [*answer.headers, *own])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _hand_on(self, key: Key, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the application answer, and keep the answer if it may be kept."""
        kept: Headers = []

        def start(status: str, headers: Headers, *failure: Any) -> Callable[[bytes], object]:
            # A HEAD has no body to keep; what an application writes by hand instead of returning it passes by.
            if environ["REQUEST_METHOD"] == "GET" and status.startswith("200 ") and self._may_keep(headers):
                kept.extend((name, value) for name, value in headers if name.lower() not in OWN_HEADERS)
            return start_response(status, headers, *failure)

        chunks = self.application(environ, start)
        if not kept:
            return chunks
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        named = {name.lower(): value for name, value in kept}
        if int(named["content-length"]) == len(body):
            notes = {name: environ[name] for name in self.notes if name in environ}
            self._keep(key, Answer(kept, body, unquote_etag(named.get("etag"))[0] or "", notes))
        return [body]

    def _may_keep(self, headers: Headers) -> bool:
        named = {name.lower(): value for name, value in headers}
        length = named.get("content-length", "")
        varies = {name.strip().lower() for name in named.get("vary", "").split(",")} - {"", "accept-encoding"}
        return (
            "public" in named.get("cache-control", "")
            and "set-cookie" not in named
            and not varies
            and length.isdecimal()
            and int(length) <= self.largest
        )

    def _keep(self, key: Key, answer: Answer) -> None:
        with self._lock:
            replaced = self._answers.pop(key, None)
            self._answers[key] = answer
            self.size += _measure(key, answer) - (_measure(key, replaced) if replaced else 0)
            while self.size > self.most_bytes:
                self.size -= _measure(*self._answers.popitem(last=False))


def cache_answers(
    application: WSGIApplication,
    most_bytes: int = MOST_BYTES,
    notes: tuple[str, ...] = (),
    complete: Callable[[WSGIEnvironment], Headers] | None = None,
) -> AnswerCache:
    """Return a WSGI application that answers repeated questions from memory.

    Kept are answers to GET with status 200 that the application marks ``Cache-Control: public``, that state their
    length, set no cookie, and vary by nothing but ``Accept-Encoding``; never an error. A question is the same if
    scheme, host, address, query and accepted encodings are. HEAD and ``If-None-Match`` are answered from what is kept.
    It belongs behind whatever corrects scheme and host (ProxyFix) and whatever counts requests, and before what
    compresses.

    Parameters
    ----------
    application : WSGI application
    most_bytes : int
        How much is kept, about; 0 keeps nothing.
    notes : tuple of str
        Names in the WSGI environment that the application sets and a later reader, such as the log, looks for.
    complete : callable, optional
        Given the environment, returns headers that belong to one answer, such as a request's id.

    Examples
    --------
    >>> from werkzeug.test import Client
    >>> def slow(environ, start_response):
    ...     print("computing")
    ...     start_response("200 OK", [("Content-Length", "2"), ("Cache-Control", "public")])
    ...     return [b"42"]
    >>> client = Client(cache_answers(slow))
    >>> client.get("/").text, client.get("/").text
    computing
    ('42', '42')
    """
    return AnswerCache(application, most_bytes, notes, complete)


def _make_key(environ: WSGIEnvironment) -> Key:
    return (
        environ["wsgi.url_scheme"],
        environ.get("HTTP_HOST", ""),
        environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_ACCEPT_ENCODING", ""),
    )


def _is_known(header: str | None, tag: str) -> bool:
    return bool(header and tag) and parse_etags(header).contains_weak(tag)


def _measure(key: Key, answer: Answer) -> int:
    return len(answer.body) + sum(map(len, key)) + sum(len(n) + len(v) for n, v in answer.headers) + OVERHEAD
