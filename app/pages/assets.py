"""Static files: their addresses carry a checksum, and may be kept for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

A_YEAR = 365 * 24 * 60 * 60


def version_addresses(app: Flask) -> None:
    """Let ``url_for`` add the checksum of a static file to its address, and let the file be kept under that."""
    app.url_defaults(_add_checksum)
    app.after_request(_allow_keeping)
    app.after_request(_read_whole)


def is_static(endpoint: str | None) -> bool:
    """Return whether an endpoint answers files of a folder."""
    return endpoint is not None and endpoint.rpartition(".")[2] == "static"


def _add_checksum(endpoint: str, values: dict[str, Any]) -> None:
    if is_static(endpoint) and "v" not in values:
        checksum = _find_checksum(endpoint, values["filename"])
        if checksum:
            values["v"] = checksum


def _allow_keeping(response: Response) -> Response:
    if is_static(request.endpoint) and request.view_args and response.status_code in (200, 304):
        # An address with an old checksum answers the present file, which must not be kept under it.
        checksum = _find_checksum(str(request.endpoint), request.view_args["filename"])
        if request.query_string == f"v={checksum}".encode():
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    return response


def _read_whole(response: Response) -> Response:
    # Flask streams files; one that is read has a length, is compressed at once, and can be kept by the cache.
    if is_static(request.endpoint) and response.status_code == 200:
        response.direct_passthrough = False
        data = b"".join(response.iter_encoded())
        response.close()
        response.set_data(data)
    return response


def _find_checksum(endpoint: str, filename: str) -> str | None:
    room = current_app.blueprints.get(endpoint.rpartition(".")[0], current_app)
    path = Path(str(room.static_folder)) / filename
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _compute_checksum(path, changed)


@lru_cache(maxsize=256)
def _compute_checksum(path: Path, changed: int) -> str:  # noqa: ARG001
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
