"""Addresses of views of the explorer, links to the web app, and code that reproduces the numbers."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from typing import cast
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from popforecast.charts.lines import SCALES
from popforecast.errors import InputError, shorten
from popforecast.explorer.state import MOST_LINES, MOST_MODELS, Query, is_named, parse_model, write_model
from popforecast.models import DEFAULT_MODEL
from popforecast.models.base import Model
from popforecast.models.levels import check_levels
from popforecast.question import (
    PARAMETERS,
    Given,
    Question,
    code,
    read_level,
    read_year,
    write_arguments,
)
from popforecast.text import split_credentials
from popforecast.wpp.editions import get_revision

# The same parameter names as in the web app, so that addresses work in both.
ROWS = {field.name: PARAMETERS[field.name] for field in fields(Query)}
NAMES = [row.name for row in ROWS.values()]
ONCE = [row.name for row in ROWS.values() if row.most == 1]

# Longer than the address of any view; longer ones are rejected as abuse.
LONGEST = 4000

APP_URL = "POPFORECAST_APP_URL"


class AddressError(InputError):
    """Error for an address with an unknown or invalid parameter."""


def read_address(text: str, default: Query) -> Query:
    """Return the query of an address; missing parameters are taken from the default.

    Parameters
    ----------
    text : str
        The query string, without the question mark.
    default : Query

    Raises
    ------
    InputError
        If a parameter is invalid; the error names it and the valid values.

    Examples
    --------
    >>> import popforecast.models as models
    >>> default = Query((900,), 2024, 2050, (models.get("panel-ar"),), "wpp2024", (80.0, 95.0))
    >>> query = read_address("location=NGA&location=Ivory+Coast&model=AR(2,+ct)&to=2030&scale=log", default)
    >>> query.locations, query.end, query.models[0].name, query.scale
    ((566, 384), 2030, 'AR(2, ct)', 'log')
    """
    asked = _parse(text)
    revision = get_revision(asked["revision"][0]).name if "revision" in asked else default.revision
    query = replace(default, revision=revision)
    given = Given(revision, DEFAULT_MODEL)
    if "location" in asked:
        if len(asked["location"]) > MOST_LINES:
            raise AddressError(f"the address names {len(asked['location'])} locations: expected at most {MOST_LINES}")
        query = replace(query, locations=ROWS["locations"].read(asked["location"], given))
    if "model" in asked:
        if len(asked["model"]) > MOST_MODELS:
            raise AddressError(f"the address names {len(asked['model'])} models: expected at most {MOST_MODELS}")
        query = replace(query, models=tuple(map(parse_model, asked["model"])))
    if "level" in asked:
        query = replace(query, levels=check_levels(float(read_level(text)) for text in asked["level"]))
    if "scale" in asked:
        query = replace(query, scale=ROWS["scale"].read(asked["scale"], given))
    start, end = (read_year(asked[name][0], name) if name in asked else None for name in ("from", "to"))
    return replace(query, start=query.start if start is None else start, end=query.end if end is None else end)


def write_address(query: Query) -> str:
    """Return the query string that :func:`read_address` reads as this query, without the question mark.

    Examples
    --------
    >>> import popforecast.models as models
    >>> write_address(Query((566,), 2024, 2050, (models.get("ar1"),), "wpp2019", (80.0,)))
    'location=566&from=2024&to=2050&model=ar1&revision=wpp2019&level=80'
    """
    values = vars(query) | {"models": [model.name for model in query.models]}
    pairs = [pair for pair in write_arguments(ROWS, values) if pair != ("scale", SCALES[0])]
    return urlencode(pairs, quote_via=quote, safe="(),")


def _is_page(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def link_to_app(query: Query, model: Model) -> str | None:
    """Return the address of this view in the web app; None without an app, or if the app lacks the model.

    Raises
    ------
    AddressError
        If the environment variable ``POPFORECAST_APP_URL`` is not the address of a web page.
    """
    # The address may contain a password, which must not appear on the page.
    base, _ = split_credentials(os.environ.get(APP_URL, "").strip())
    if not base or not is_named(model):
        return None
    if not _is_page(base):
        raise AddressError(f"{APP_URL} is {shorten(base)!r}: expected an address such as https://example.org")
    address = write_address(replace(query, models=(model,), scale=SCALES[0]))
    scale = "" if query.scale == SCALES[0] else f"&scale={query.scale}"
    return f"{base.rstrip('/')}/forecast?{address}{scale}"


def write_code(query: Query) -> str:
    """Return the code that reproduces the numbers shown.

    Examples
    --------
    >>> import popforecast.models as models
    >>> print(write_code(Query((900,), 2030, 2035, (models.get("ar1"),), "wpp2019", (80.0,))))
    import popforecast as pf
    panel = pf.load_panel('wpp2019')
    pf.forecast(panel, [900], 2030, 2035, 'ar1', levels=[80])
    """
    question = Question(
        cast(tuple[int, ...], query.locations), query.start, query.end, revision=query.revision, levels=query.levels
    )
    return code.write_code(question, *map(write_model, query.models))


def is_page() -> bool:
    """Whether this kernel serves a Voilà page rather than a notebook."""
    return "VOILA_PREHEAT" in os.environ


def wait_for_address() -> str:
    """Return the query string of the Voilà page; empty outside Voilà.

    A preheated kernel waits here until a page is opened. Voilà then sends the request over a private websocket. This
    does the same as ``voila.utils.wait_for_request``, which would import Voilà and take 50 MB in every kernel.
    """
    if os.environ.get("VOILA_PREHEAT") != "True":
        return os.environ.get("QUERY_STRING", "")
    from websockets.sync.client import connect

    environ = os.environ
    protocol = environ.get("VOILA_WS_PROTOCOL", "ws")
    host, port = environ.get("VOILA_APP_IP", "127.0.0.1"), environ["VOILA_APP_PORT"]
    base = environ.get("VOILA_WS_BASE_URL", environ.get("VOILA_SERVER_URL", "/"))
    with connect(f"{protocol}://{host}:{port}{base}voila/query/{environ['VOILA_KERNEL_ID']}", proxy=None) as socket:
        request = json.loads(socket.recv())
    environ.update({name: str(value) for name, value in request.items()})
    return environ.get("QUERY_STRING", "")


def _parse(text: str) -> dict[str, list[str]]:
    if len(text) > LONGEST:
        raise AddressError(f"the address has {len(text):,} characters: expected at most {LONGEST:,}")
    asked = parse_qs(text, keep_blank_values=True, errors="replace")
    for name, values in asked.items():
        if name not in NAMES:
            raise AddressError(f"the address has the parameter {shorten(name)!r}: expected {', '.join(NAMES)}")
        if name in ONCE and len(values) > 1:
            raise AddressError(f"the address has {name} {len(values)} times: expected it once")
    return asked
