"""Where a view of the explorer is found again: its address, the web app's page, and the code that gives its numbers."""

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
from popforecast.models.base import Model, check_levels
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

# The web app's words, so that one address serves both.
ROWS = {field.name: PARAMETERS[field.name] for field in fields(Query)}
NAMES = [row.name for row in ROWS.values()]
ONCE = [row.name for row in ROWS.values() if row.most == 1]

# No view has a longer address; what is longer was made to be.
LONGEST = 4000

APP_URL = "POPFORECAST_APP_URL"


class AddressError(InputError):
    """An address that asks for something that there is not."""


def read_address(text: str, default: Query) -> Query:
    """Return the query that an address asks for; what it leaves out is the default's.

    Parameters
    ----------
    text : str
        What follows the question mark.
    default : Query

    Raises
    ------
    InputError
        If a part of it is not valid; the error names it and what would be.

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
    """Write the address that :func:`read_address` reads as this query, without its question mark.

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
    """Return the address of the web app's page of this view; None where there is no app, or it does not know the model.

    Raises
    ------
    AddressError
        If the environment's ``POPFORECAST_APP_URL`` is no address of a page.
    """
    # Whoever runs the app may have a password there; who looks at the page gets none.
    base, _ = split_credentials(os.environ.get(APP_URL, "").strip())
    if not base or not is_named(model):
        return None
    if not _is_page(base):
        raise AddressError(f"{APP_URL} is {shorten(base)!r}: expected an address such as https://example.org")
    address = write_address(replace(query, models=(model,), scale=SCALES[0]))
    scale = "" if query.scale == SCALES[0] else f"&scale={query.scale}"
    return f"{base.rstrip('/')}/forecast?{address}{scale}"


def write_code(query: Query) -> str:
    """Write the three lines that give the numbers on show.

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
    """Return whether this kernel works for Voilà's page, not for a notebook."""
    return "VOILA_PREHEAT" in os.environ


def wait_for_address() -> str:
    """Return what follows the question mark in the address of Voilà's page; empty outside Voilà.

    A kernel that Voilà started ahead of its page waits here until the page is opened: Voilà then sends what the request
    was, at an address that only it and the kernel know. This is ``voila.utils.wait_for_request`` without the 50 MB that
    importing Voilà into every kernel would take.
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
            raise AddressError(f"the address asks for {shorten(name)!r}: expected some of {', '.join(NAMES)}")
        if name in ONCE and len(values) > 1:
            raise AddressError(f"the address has {name} {len(values)} times: expected it once")
    return asked
