"""What gunicorn runs the app with: its log in JSON, and workers that slow clients do not hold for long."""

from __future__ import annotations

import json
import logging
import socket
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

# Seconds until a client must have sent its request, and until it must have taken the answer. A router in front sends
# whole requests; without one, a client that dawdles would hold a thread for as long as it likes.
LONGEST_REQUEST = 10
LONGEST_ANSWER = 60

BODY_HEADERS = {"CONTENT-LENGTH", "TRANSFER-ENCODING"}

# To write a line lets other threads go first: with eight clients one request in a hundred waited 18 ms, and so 12.
MOST_LINES = 32

# So much of what cannot be read is enough to know it again.
MOST_SAID = 200


class Lines(MemoryHandler):
    """A handler that writes many lines at once, so that requests do not wait for each other's."""

    target: logging.StreamHandler[Any]
    # By this gunicorn knows its own handlers, when it sets them up anew.
    _gunicorn = True

    def flush(self) -> None:
        """Write all lines with one call to the system; where nothing can be written, requests go on without."""
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

    A request is logged within a second, an error at once.
    """

    def setup(self, cfg: Any) -> None:
        """Set up gunicorn's two logs, and send what libraries warn of the same way."""
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
        """Log a request that was answered."""
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
    """A worker of threads, in which a request that does not come to its end is ended.

    Gunicorn waits 5 seconds for a connection's first byte, and for all others as long as it takes.

    Notes
    -----
    ``python -m tests.soak.slow --seconds 15`` on a busy machine of two cores: two workers of 40 threads each, 6 normal
    clients next to slow ones that come back when they are cut off. Answers to normal clients in 15 s, and in brackets
    the requests that had none within 10 s:

    =================  ==============  ==============
    slow clients       gunicorn's own  this worker
    =================  ==============  ==============
    30 of any kind     381 to 859 (0)  417 to 861 (0)
    60 slow heads      861 (0)         866 (0)
    60 slow bodies     13 (12)         389 (0)
    60 slow readers    0 (12)          242 (6)
    60, 20 of each     46 (6)          360 (0)
    =================  ==============  ==============

    60 slow clients stop nobody where each worker happens to get fewer of them than it has threads. With one worker, in
    8 s, next to 60 slow heads, gunicorn's own answered 0 (6), this one 6 (0), each after 8 s.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.begun: dict[TConn, float] = {}
        self.arriving: set[TConn] = set()

    def handle(self, conn: TConn) -> Any:
        """Handle a request on a connection; note since when."""
        self.begun[conn] = time.monotonic()
        self.arriving.add(conn)
        try:
            return super().handle(conn)
        finally:
            self.begun.pop(conn, None)
            self.arriving.discard(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Handle a request whose head has arrived: without a body that is all of it, and the rest is our own time."""
        if not BODY_HEADERS & {name for name, _ in req.headers}:
            self.arriving.discard(conn)
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer a request that cannot be read as the app answers errors: problem details, with the app's headers."""
        if isinstance(exc, UnsupportedTransferCoding):
            # The client's fault, for which gunicorn takes the blame (501).
            exc = InvalidHeader("TRANSFER-ENCODING")
        refusal = _Refusal()
        super().handle_error(req, refusal, addr, exc)
        with suppress(OSError):
            write_nonblock(client, explain(refusal.status, str(exc)))

    def murder_pending(self) -> None:
        """End what takes too long; the main loop asks for it every second."""
        super().murder_pending()
        for handler in self.log.access_log.handlers:
            handler.flush()
        now = time.monotonic()
        for conn, begun in list(self.begun.items()):
            if now - begun > LONGEST_ANSWER:
                _shut(conn.sock, socket.SHUT_RDWR)
            elif now - begun > LONGEST_REQUEST and conn in self.arriving:
                # To the thread that reads, it is as if the client had closed its side: what is whole is answered.
                _shut(conn.sock, socket.SHUT_RD)


def explain(status: str, reason: str) -> bytes:
    """Return the whole answer to a request that never reached the app.

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
    """What gunicorn takes for the client's socket, to learn which status it would answer: in HTML, without headers."""

    status = "500 Internal Server Error"

    def gettimeout(self) -> float:
        """Say that it never blocks."""
        return 0.0

    def sendall(self, data: bytes) -> None:
        """Take the status from the answer."""
        self.status = data.partition(b"\r\n")[0].partition(b" ")[2].decode("ascii")


def _shut(connection: socket.socket, how: int) -> None:
    # The thread may have closed it meanwhile.
    with suppress(OSError):
        connection.shutdown(how)
