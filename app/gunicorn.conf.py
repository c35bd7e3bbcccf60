"""How gunicorn serves the app: sized for two workers in a dyno of 512 MB."""

# ruff: noqa: N999 (gunicorn's own name for it)
from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from app.server.gunicorn import JSONLogger, PatientWorker
from app.settings import Settings, SettingsError

try:
    settings = Settings.from_environ()
except SettingsError as error:
    sys.exit(f"popforecast does not start: {error}")

bind = f"{settings.host}:{settings.port}"
workers = settings.workers

# A thread waits for its client most of the time: 30 slow ones must leave some for the others.
worker_class = PatientWorker
threads = 40
preload_app = True

# Heroku's router keeps idle connections for 90 s and gives up on a request after 30 s.
keepalive = 95
timeout = 28
graceful_timeout = 20

# The address of a query for every location, by code, is half as long.
limit_request_line = 8190
limit_request_fields = 64

# The app itself believes as many proxies as it was told of, and gunicorn none.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# Nobody steers the server from outside, and a dyno's home is not the place for its socket.
control_socket_disable = True

logger_class = JSONLogger
errorlog = "-"
accesslog = "-" if settings.access_log else None

# With many threads glibc would keep freed memory for each (M_ARENA_MAX), and what a large answer took for the next one
# (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD: unless set, they grow). Other C libraries have no such thing.
with suppress(AttributeError, OSError):
    for parameter, number in ((-8, 2), (-3, 256 * 1024), (-1, 1024 * 1024)):
        ctypes.CDLL(None).mallopt(parameter, number)


# A worker told to end before it listens for signals would not hear of it, and be killed after graceful_timeout.
ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def on_starting(server: Any) -> None:  # noqa: ARG001
    """See to it that the server itself hears signals again once it has forked a worker."""
    os.register_at_fork(after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS))


def pre_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Keep signals waiting until there is someone to hear them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)


def post_worker_init(worker: Any) -> None:  # noqa: ARG001
    """Hear the signals that came while the worker started."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)


def when_ready(server: Any) -> None:  # noqa: ARG001
    """Make all forecasts before the workers fork: no request waits for one, and the workers share the memory."""
    from popforecast.errors import PopforecastError
    from popforecast.session import prepare

    try:
        prepare()
    except PopforecastError as error:
        sys.exit(f"popforecast does not start: {error}")
    # A collection in a worker would write to, and so copy, every page that it shares.
    gc.freeze()
