"""Health, readiness and version endpoints for operators."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable

import popforecast as pf
from app.settings import Settings
from popforecast.errors import PopforecastError
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.question import Question
from popforecast.session import check_tables, get_session
from popforecast.wpp.editions import DEFAULT_REVISION

# AR(1) with constant on the levels of WPP 2019, 1950-2020: World and More developed regions by year, in thousands. It
# was computed independently before this project began, so it tests data and arithmetic together.
KNOWN_REVISION, KNOWN_MODEL, KNOWN_CODES = "wpp2019", "ar1", (900, 901)
KNOWN_TABLE = {
    2030: (8_745_733, 1_304_051),
    2031: (8_844_029, 1_306_841),
    2032: (8_942_922, 1_309_584),
    2033: (9_042_415, 1_312_279),
    2034: (9_142_512, 1_314_927),
    2035: (9_243_217, 1_317_530),
}

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
    fitted = get_session(DEFAULT_REVISION).fit(DEFAULT_MODEL)
    yield DEFAULT_MODEL, f"fitted to {fitted.revision} with origin {fitted.origin}"
    yield "known table", check_known_table()


def check_known_table() -> str:
    """Compare forecasts with the known table, and return what was compared.

    Raises
    ------
    NotReadyError
        If a figure differs; the error names the first.
    """
    years = list(KNOWN_TABLE)
    fc = Question(KNOWN_CODES, years[0], years[-1], KNOWN_MODEL, KNOWN_REVISION).answer()
    for j, year in enumerate(years):
        for i, known in enumerate(KNOWN_TABLE[year]):
            thousands = round(float(fc.population[i, j]) / 1000)
            if thousands != known:
                raise NotReadyError(
                    f"{KNOWN_MODEL} on {KNOWN_REVISION} gives {thousands:,} thousand for location {KNOWN_CODES[i]} in "
                    f"{year}: expected {known:,}"
                )
    return f"{KNOWN_MODEL} on {KNOWN_REVISION}, {years[0]} to {years[-1]}: {2 * len(years)} figures as known"


class NotReadyError(PopforecastError):
    """An app whose forecasts are wrong."""


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
