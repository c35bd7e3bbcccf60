"""Static files, with a checksum in their URLs so that browsers can cache them indefinitely."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

from app.server.caching import FOR_A_YEAR


def version_addresses(app: Flask) -> None:
    """Make ``url_for`` add checksums to the URLs of static files, and allow caching under those URLs."""
    app.url_defaults(_add_checksum)
    app.after_request(_allow_keeping)
    app.after_request(_read_whole)


def is_static(endpoint: str | None) -> bool:
    """Return whether an endpoint serves static files."""
    return endpoint is not None and endpoint.rpartition(".")[2] == "static"


def _add_checksum(endpoint: str, values: dict[str, Any]) -> None:
    if is_static(endpoint) and "v" not in values:
        checksum = _find_checksum(endpoint, values["filename"])
        if checksum:
            values["v"] = checksum


def _allow_keeping(response: Response) -> Response:
    if is_static(request.endpoint) and request.view_args and response.status_code in (200, 304):
        # A URL with an old checksum returns the current file, which must not be cached under it.
        checksum = _find_checksum(str(request.endpoint), request.view_args["filename"])
        if request.query_string == f"v={checksum}".encode():
            response.headers["Cache-Control"] = FOR_A_YEAR
    return response


def _read_whole(response: Response) -> Response:
    # Flask streams files; reading them into memory gives them a length, so that they can be compressed and cached.
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
