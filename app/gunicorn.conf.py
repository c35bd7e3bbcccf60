"""How gunicorn serves the app: sized for two workers in a dyno of 512 MB."""

# ruff: noqa: N999 (gunicorn's own name for it)
from __future__ import annotations

import gc
import os
from typing import Any

# As gunicorn itself has it: a PORT means that a platform's router is in front, else only this machine may ask.
host = os.environ.get("POPFORECAST_HOST", "0.0.0.0" if "PORT" in os.environ else "127.0.0.1")
bind = f"{host}:{os.environ.get('PORT', '8000')}"

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
preload_app = True

# Heroku's router keeps idle connections for 90 s and gives up on a request after 30 s.
keepalive = 95
timeout = 28
graceful_timeout = 20

# The address of a query for every location, by code, is half as long.
limit_request_line = 8190

# Nobody steers the server from outside, and a dyno's home is not the place for its socket.
control_socket_disable = True


def when_ready(server: Any) -> None:  # noqa: ARG001
    """Fit every model before the workers fork: no request waits, and the workers share the memory."""
    import popforecast as pf
    from app.query import fit

    for revision in pf.REVISIONS:
        for model in pf.models.MODELS:
            fit(revision, model)
    # A collection in a worker would write to, and so copy, every page that it shares.
    gc.freeze()
