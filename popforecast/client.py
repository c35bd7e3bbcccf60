"""A client for a deployed app: asks its API over HTTP for what :func:`popforecast.forecast` gives at home."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from popforecast.errors import PopforecastError
from popforecast.panel.groups import check_groups
from popforecast.text import split_credentials

if TYPE_CHECKING:
    from requests import Response

TIMEOUT = 30

# An app that asks for more patience than this is not waited for.
LONGEST_WAIT = 60

# What is longer is posted: apps and what is in front of them refuse longer addresses.
LONGEST_QUERY = 6_000

JSON, CSV = "application/json", "text/csv"

# What every forecast has.
MEMBERS = {"forecasts": list, "notes": list, "provenance": dict}


class RequestError(PopforecastError):
    """An app that cannot be reached, or that refused the question."""


def request_forecast(
    url: str,
    locations: Sequence[str | int],
    start: int,
    end: int,
    model: str | None = None,
    revision: str | None = None,
    levels: Sequence[float] = (),
    groups: Mapping[str, Sequence[str | int]] | None = None,
) -> dict[str, Any]:
    """Ask a deployed app for a forecast.

    An app that says it was asked too often is asked once more, when it says so, if that is within a minute.

    Parameters
    ----------
    url : str
        Where the app is, such as ``http://127.0.0.1:8000``. A user and password in it are sent, and shown in no error.
    locations, start, end, model, revision, levels, groups
        As for :func:`popforecast.forecast`; what is left out is the app's default.

    Returns
    -------
    dict
        As :meth:`popforecast.Forecast.to_dict` returns it, and the members of the groups.

    Raises
    ------
    RequestError
        If the app cannot be reached, or answers with an error; its own words are passed on.
    PanelError
        If the groups are no mapping of names to members.
    """
    query = _write_query(locations, start, end, model, revision, levels, groups)
    answer = _ask(url, "/api/v1/forecast", query, JSON)
    body = _read_json(answer)
    if not all(isinstance(body.get(member), kind) for member, kind in MEMBERS.items()):
        raise RequestError(f"{_name(answer)} answered with something that is no forecast: is it a popforecast app?")
    return body


def request_csv(
    url: str,
    locations: Sequence[str | int],
    start: int,
    end: int,
    model: str | None = None,
    revision: str | None = None,
    levels: Sequence[float] = (),
    groups: Mapping[str, Sequence[str | int]] | None = None,
) -> str:
    """Ask a deployed app for a forecast as CSV: :func:`request_forecast` in the form that spreadsheets read.

    Returns
    -------
    str
        As :meth:`popforecast.Forecast.to_csv` returns it.

    Raises
    ------
    RequestError
        If the app cannot be reached, or answers with an error; its own words are passed on.
    """
    answer = _ask(
        url, "/api/v1/forecast.csv", _write_query(locations, start, end, model, revision, levels, groups), CSV
    )
    if not answer.headers.get("Content-Type", "").startswith(CSV):
        raise RequestError(f"{_name(answer)} answered with something that is not CSV: is it a popforecast app?")
    return answer.content.decode()


def _write_query(
    locations: Sequence[str | int],
    start: int,
    end: int,
    model: str | None,
    revision: str | None,
    levels: Sequence[float],
    groups: Mapping[str, Sequence[str | int]] | None,
) -> dict[str, Any]:
    return {
        "location": [str(location) for location in locations],
        "group": [_write_group(name, members) for name, members in check_groups(groups).items()],
        "from": start,
        "to": end,
        "model": model,
        "revision": revision,
        "level": [f"{level:g}" for level in levels],
    }


def _write_group(name: str, members: Sequence[Hashable]) -> str:
    texts = [str(member) for member in members]
    # What parts names and members in an address can be in neither: the app would read another group.
    if ":" in name:
        raise RequestError(f"group {name!r} has a colon in its name: expected a name without")
    split = [text for text in texts if "," in text]
    if split:
        raise RequestError(f"group {name!r} has the member {split[0]!r} with a comma: expected its code or ISO3 code")
    return f"{name}:{','.join(texts)}"


def _ask(url: str, path: str, query: Mapping[str, Any], form: str) -> Response:
    import requests

    app, credentials = split_credentials(url)
    address = app.rstrip("/") + path
    asked = {name: value for name, value in query.items() if value not in (None, [])}
    try:
        is_long = len(urlencode(asked, doseq=True)) > LONGEST_QUERY
    except UnicodeEncodeError as error:
        raise RequestError(f"{error.object!r} is no text: expected names without half characters") from error
    auth = requests.auth.HTTPBasicAuth(*credentials) if credentials else None

    def ask() -> Response:
        method = "POST" if is_long else "GET"
        try:
            return requests.request(
                method,
                address,
                params=None if is_long else asked,
                json=asked if is_long else None,
                timeout=TIMEOUT,
                headers={"Accept": form},
                auth=auth,
            )
        except (requests.RequestException, ValueError) as error:
            raise RequestError(f"{address} cannot be reached ({_reason(error)}): is the app running there?") from error

    answer = ask()
    wait = _read_wait(answer)
    if wait is not None and wait <= LONGEST_WAIT:
        time.sleep(wait)
        answer = ask()
    if not answer.ok:
        body = _read_json(answer)
        raise RequestError(f"{address} refused with {answer.status_code}: {body.get('detail', answer.reason)}")
    return answer


def _read_json(answer: Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RequestError(
            f"{_name(answer)} answered {answer.status_code} with something that is not JSON: is it a popforecast app?"
        )
    return body


def _name(answer: Response) -> str:
    """Return the address that answered, wherever redirects led, for a person."""
    return split_credentials(answer.url)[0].partition("?")[0]


def _read_wait(answer: Response) -> float | None:
    """Return how many seconds a client that asked too often shall wait; None where nothing says so."""
    text = answer.headers.get("Retry-After", "").strip()
    if answer.status_code != 429 or not text:
        return None
    if text.isascii() and text.isdecimal():
        return int(text)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (then - datetime.now(UTC)).total_seconds()) if then.tzinfo else None


def _reason(error: Exception) -> str:
    """Return the innermost cause, which says more to a person than the stack of wrappers around it."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__
