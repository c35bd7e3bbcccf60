"""Gunicorn extensions: a JSON logger, and workers with time limits for slow clients."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from contextlib import suppress
from logging.handlers import MemoryHandler
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http.errors import InvalidHeader, UnsupportedTransferCoding
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import TConn, ThreadWorker

from app.server.log import REQUEST_ID, ROUTE, JSONFormatter
from app.server.security import HEADERS

# Seconds for a client to send its request, and to receive the answer. A router in front forwards complete requests;
# without one, a slow client would hold a thread indefinitely.
LONGEST_REQUEST = 10
LONGEST_ANSWER = 60

BODY_HEADERS = {"CONTENT-LENGTH", "TRANSFER-ENCODING"}

# Writing releases the interpreter to other threads: batching reduced p99 with eight clients from 18 to 12 ms.
MOST_LINES = 32

# Enough of an unreadable request to recognise it.
MOST_SAID = 200


class Lines(MemoryHandler):
    """A handler that writes lines in batches, so that requests do not wait for each other."""

    target: logging.StreamHandler[Any]
    lock: threading.RLock
    # Gunicorn recognises its own handlers by this when it sets up logging again.
    _gunicorn = True

    def flush(self) -> None:
        """Write all lines in one system call; if that fails, requests continue without a log."""
        with self.lock:
            records, self.buffer = self.buffer, []
            if records:
                try:
                    lines = [self.target.format(record) + self.target.terminator for record in records]
                    self.target.stream.write("".join(lines))
                    self.target.flush()
                except Exception:
                    self.handleError(records[-1])


class JSONLogger(Logger):
    """Gunicorn's logger, in JSON and without personal data.

    Requests are logged within a second, errors immediately.
    """

    def setup(self, cfg: Any) -> None:
        """Set up gunicorn's two logs, and route warnings of libraries to them."""
        super().setup(cfg)
        formatter = JSONFormatter()
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(formatter)
        self.access_log.handlers = [Lines(MOST_LINES, target=handler) for handler in self.access_log.handlers]
        root = logging.getLogger()
        root.handlers = list(self.error_log.handlers)
        root.setLevel(logging.WARNING)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:  # noqa: ARG002
        """Log an answered request."""
        if not self.access_log_enabled:
            return
        self.access_log.info(
            {
                "event": "request",
                "request_id": environ.get(REQUEST_ID),
                "method": environ.get("REQUEST_METHOD"),
                "route": environ.get(ROUTE),
                "status": int(str(resp.status).split(None, 1)[0]),
                "bytes": getattr(resp, "sent", None),
                "milliseconds": round(1e3 * request_time.total_seconds(), 3),
            }
        )


class PatientWorker(ThreadWorker):
    """A threaded worker that ends requests which take too long to arrive or to be received.

    Gunicorn waits 5 seconds for the first byte of a connection, and without limit for the rest.

    Notes
    -----
    ``python -m tests.soak.slow --seconds 15`` on a busy machine with two cores: two workers with 40 threads each, and 6
    normal clients next to slow ones that reconnect when cut off. Answers to normal clients in 15 s; in brackets,
    requests without an answer within 10 s:

    =================  ==============  ==============
    slow clients       gunicorn's own  this worker
    =================  ==============  ==============
    30 of any kind     381 to 859 (0)  417 to 861 (0)
    60 slow heads      861 (0)         866 (0)
    60 slow bodies     13 (12)         389 (0)
    60 slow readers    0 (12)          242 (6)
    60, 20 of each     46 (6)          360 (0)
    =================  ==============  ==============

    60 slow clients block nobody if each worker happens to get fewer of them than it has threads. With one worker and 60
    slow heads, gunicorn's own answered 0 (6) in 8 s, and this one 6 (0), each after 8 s.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.begun: dict[TConn, float] = {}
        self.arriving: set[TConn] = set()

    def handle(self, conn: TConn) -> Any:
        """Handle a request on a connection, and record when it began."""
        self.begun[conn] = time.monotonic()
        self.arriving.add(conn)
        try:
            return super().handle(conn)
        finally:
            self.begun.pop(conn, None)
            self.arriving.discard(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Handle a request whose head has arrived; without a body the request is complete."""
        if not BODY_HEADERS & {name for name, _ in req.headers}:
            self.arriving.discard(conn)
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer an unreadable request with problem details and headers, as the app does."""
        if isinstance(exc, UnsupportedTransferCoding):
            # A client error, which gunicorn reports as 501.
            exc = InvalidHeader("TRANSFER-ENCODING")
        refusal = _Refusal()
        super().handle_error(req, refusal, addr, exc)
        with suppress(OSError):
            write_nonblock(client, explain(refusal.status, str(exc)))

    def murder_pending(self) -> None:
        """End requests that take too long; called by the main loop every second."""
        super().murder_pending()
        for handler in self.log.access_log.handlers:
            handler.flush()
        now = time.monotonic()
        for conn, begun in list(self.begun.items()):
            if now - begun > LONGEST_ANSWER:
                _shut(conn.sock, socket.SHUT_RDWR)
            elif now - begun > LONGEST_REQUEST and conn in self.arriving:
                # The reading thread sees the client's side closed; a complete request is still answered.
                _shut(conn.sock, socket.SHUT_RD)


def explain(status: str, reason: str) -> bytes:
    """Return the complete response to a request that never reached the app.

    Examples
    --------
    >>> explain("414 URI Too Long", "Request Line is too large (9000 > 8190)").splitlines()[-1].decode()[:70]
    '{"type": "about:blank", "title": "URI Too Long", "status": 414, "detai'
    """
    code, _, title = status.partition(" ")
    said = f"The request cannot be read: {reason[:MOST_SAID]}." if code < "500" else "Something went wrong on our side."
    problem = json.dumps({"type": "about:blank", "title": title, "status": int(code), "detail": said}) + "\n"
    own = {"Content-Type": "application/problem+json", "Content-Length": str(len(problem)), "Cache-Control": "no-store"}
    headers = {"Connection": "close", **own, **HEADERS}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n{problem}".encode("ascii")


class _Refusal:
    """A stand-in for the client's socket that records which status gunicorn would send."""

    status = "500 Internal Server Error"

    def gettimeout(self) -> float:
        """Return zero: it never blocks."""
        return 0.0

    def sendall(self, data: bytes) -> None:
        """Record the status of the response."""
        self.status = data.partition(b"\r\n")[0].partition(b" ")[2].decode("ascii")


def _shut(connection: socket.socket, how: int) -> None:
    # The thread may have closed it in the meantime.
    with suppress(OSError):
        connection.shutdown(how)
