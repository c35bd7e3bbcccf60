"""Health, readiness and version endpoints for operators."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable

import popforecast as pf
from app.settings import Settings
from popforecast.errors import PopforecastError
from popforecast.evaluation.reference import KNOWN_MODEL, KNOWN_REVISION, check_known_table
from popforecast.session import check_tables, get_session
from popforecast.wpp.editions import DEFAULT_REVISION

# Seconds before a retry is worthwhile.
PAUSE = 10

blueprint = Blueprint("operations", __name__)


@blueprint.after_request
def forbid_keeping(response: Response) -> Response:
    """Forbid caching of momentary states."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/healthz")
def show_health() -> ResponseReturnValue:
    """Report that the process is alive, and its version."""
    return jsonify(status="ok", version=pf.__version__)


@blueprint.get("/readyz")
def show_readiness() -> ResponseReturnValue:
    """Report that the app is ready: data and default model load, and the known table is reproduced.

    Raises
    ------
    ServiceUnavailable
        If a check fails; the error says which.
    """
    try:
        checks = dict(check())
    except (PopforecastError, OSError) as error:
        raise ServiceUnavailable(f"Not ready: {error}.", retry_after=PAUSE) from error
    return jsonify(status="ready", version=pf.__version__, checks=checks)


@blueprint.get("/version")
def show_version() -> ResponseReturnValue:
    """Report version, data and commit."""
    revisions = {
        name: {"source": panel.title, "checksum": panel.checksum, "origin": panel.origin}
        for name, panel in ((name, get_session(name).panel) for name in pf.REVISIONS)
    }
    return jsonify(version=pf.__version__, revisions=revisions, commit=_settings().commit)


def check() -> Iterator[tuple[str, str]]:
    """Yield the name and finding of each check that passes.

    Raises
    ------
    PopforecastError
        If one fails.

    Examples
    --------
    >>> dict(check())["known table"]
    'ar1 on wpp2019, 2030 to 2035: 12 figures as known'
    """
    yield "tables", f"{check_tables()} as published"
    for name in pf.REVISIONS:
        panel = get_session(name).panel
        yield name, f"{len(panel.locations)} locations to {panel.origin}, checksum {panel.checksum[:12]}"
    fitted = get_session(DEFAULT_REVISION).fit()
    yield fitted.model.name, f"fitted to {fitted.revision} with origin {fitted.origin}"
    made = check_known_table(get_session(KNOWN_REVISION).outlook(KNOWN_MODEL))
    found = f"{KNOWN_MODEL} on {KNOWN_REVISION}, {made.index[0]} to {made.index[-1]}: {made.size} figures as known"
    yield "known table", found


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
