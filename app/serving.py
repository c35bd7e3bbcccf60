"""What gunicorn runs the app with: its log in JSON, and workers that no slow client can hold."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn, ThreadWorker

from app.journal import REQUEST_ID, ROUTE, JSONFormatter

# Seconds until a client must have sent its request, and until it must have taken the answer. A router in front sends
# whole requests; without one, a client that dawdles would hold a thread for as long as it likes.
LONGEST_REQUEST = 10
LONGEST_ANSWER = 60


class JSONLogger(Logger):
    """Gunicorn's logger, in JSON and without personal data."""

    def setup(self, cfg: Any) -> None:
        """Set up gunicorn's two logs, and send what libraries warn of the same way."""
        super().setup(cfg)
        formatter = JSONFormatter()
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(formatter)
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
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.begun: dict[TConn, float] = {}

    def handle(self, conn: TConn) -> Any:
        """Handle a request on a connection; note since when."""
        self.begun[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self.begun.pop(conn, None)

    def murder_pending(self) -> None:
        """End what takes too long; the main loop asks for it every second."""
        super().murder_pending()
        now = time.monotonic()
        for conn, begun in list(self.begun.items()):
            if now - begun > LONGEST_REQUEST:
                # To the thread that reads, it is as if the client had closed its side: what is whole is answered.
                _shut(conn.sock, socket.SHUT_RDWR if now - begun > LONGEST_ANSWER else socket.SHUT_RD)


def _shut(connection: socket.socket, how: int) -> None:
    # The thread may have closed it meanwhile.
    with suppress(OSError):
        connection.shutdown(how)
