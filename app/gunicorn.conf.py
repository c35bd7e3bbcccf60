"""Gunicorn configuration, sized for two workers in a 512 MB dyno."""

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

# Threads mostly wait for clients: 30 slow ones must leave some for the others.
worker_class = PatientWorker
threads = 40
preload_app = True

# Heroku's router keeps idle connections for 90 s and gives up on a request after 30 s.
keepalive = 95
timeout = 28
graceful_timeout = 20

# A query for every location by code is half as long.
limit_request_line = 8190
limit_request_fields = 64

# The app itself trusts the configured number of proxies; gunicorn must trust none.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# The control socket is not needed, and a dyno's home folder is no place for it.
control_socket_disable = True

logger_class = JSONLogger
errorlog = "-"
accesslog = "-" if settings.access_log else None

# glibc would keep freed memory per thread (M_ARENA_MAX) and after large answers (M_MMAP_THRESHOLD and M_TRIM_THRESHOLD
# grow unless set). Other C libraries have no such parameters.
with suppress(AttributeError, OSError):
    for parameter, number in ((-8, 2), (-3, 256 * 1024), (-1, 1024 * 1024)):
        ctypes.CDLL(None).mallopt(parameter, number)


# A worker told to stop before it handles signals would miss them, and be killed after graceful_timeout.
ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def on_starting(server: Any) -> None:  # noqa: ARG001
    """Unblock signals in the server after each fork."""
    os.register_at_fork(after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS))


def pre_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Block signals until the worker can handle them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)


def post_worker_init(worker: Any) -> None:  # noqa: ARG001
    """Unblock signals; those that arrived during startup are now delivered."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)


def when_ready(server: Any) -> None:  # noqa: ARG001
    """Make all forecasts before forking, so that no request waits and workers share the memory."""
    from popforecast.errors import PopforecastError
    from popforecast.session import prepare

    try:
        prepare()
    except PopforecastError as error:
        sys.exit(f"popforecast does not start: {error}")
    # Garbage collection in a worker would write to, and so copy, the shared pages.
    gc.freeze()
