"""A client for a deployed app: the forecasts of :func:`popforecast.forecast` over HTTP."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from popforecast.errors import InputError, PopforecastError
from popforecast.panel.groups import check_groups
from popforecast.question import AgesQuestion, Asked, Question, find_unknown, write_arguments
from popforecast.text import split_credentials

if TYPE_CHECKING:
    from requests import Response

TIMEOUT = 30

# If an app asks for a longer wait, the request fails.
LONGEST_WAIT = 60

# Longer queries are sent by POST, because apps and proxies reject long URLs.
LONGEST_QUERY = 6_000

JSON, CSV = "application/json", "text/csv"

# The fields of a question that can be positional arguments; others are keyword arguments.
FIELDS = ("locations", "start", "end", "model", "revision", "levels", "groups")

# Members of every forecast, for recognising one.
MEMBERS = {"forecasts": list, "notes": list, "provenance": dict}


class RequestError(PopforecastError):
    """An app that cannot be reached or rejected the request."""


def request_forecast(
    url: str,
    locations: Sequence[str | int],
    start: int,
    end: int,
    model: str | None = None,
    revision: str | None = None,
    levels: Sequence[float] = (),
    groups: Mapping[str, Sequence[str | int]] | None = None,
    **others: object,
) -> dict[str, Any]:
    """Return a forecast from a deployed app.

    If the app reports too many requests, the request is repeated once after the wait it states, up to a minute.

    Parameters
    ----------
    url : str
        URL of the app, such as ``http://127.0.0.1:8000``. A user and password in it are sent but never shown in errors.
    locations, start, end, model, revision, levels, groups
        As for :func:`popforecast.forecast`; if omitted, the app's defaults apply.
    others
        Any other field of :class:`popforecast.question.Question`.

    Returns
    -------
    dict
        As returned by :meth:`popforecast.Forecast.to_dict`, with the members of the groups.

    Raises
    ------
    RequestError
        If the app cannot be reached or responds with an error, whose text is included.
    InputError
        If the groups are not a mapping of names to members, or a parameter is unknown.
    """
    query = _write_query(locations, start, end, model, revision, levels, groups, **others)
    answer = _ask(url, "/api/v1/forecast", query, JSON)
    body = _read_json(answer)
    if not all(isinstance(body.get(member), kind) for member, kind in MEMBERS.items()):
        raise RequestError(f"{_name(answer)} answered with something that is not a forecast: is it a popforecast app?")
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
    **others: object,
) -> str:
    """Return a forecast from a deployed app as CSV; see :func:`request_forecast`.

    Returns
    -------
    str
        As returned by :meth:`popforecast.Forecast.to_csv`.

    Raises
    ------
    RequestError
        If the app cannot be reached or responds with an error, whose text is included.
    """
    query = _write_query(locations, start, end, model, revision, levels, groups, **others)
    answer = _ask(url, "/api/v1/forecast.csv", query, CSV)
    if not answer.headers.get("Content-Type", "").startswith(CSV):
        raise RequestError(f"{_name(answer)} answered with something that is not CSV: is it a popforecast app?")
    return answer.content.decode()


def request_ages(
    url: str,
    locations: Sequence[str | int],
    start: int,
    end: int,
    revision: str | None = None,
    groups: Mapping[str, Sequence[str | int]] | None = None,
) -> dict[str, Any]:
    """Return population by sex and age from a deployed app, with one row per location, year, sex and age in ``ages``.

    Parameters
    ----------
    url, locations, start, end, revision, groups
        As for :func:`request_forecast`.

    Raises
    ------
    RequestError
        If the app cannot be reached or responds with an error, whose text is included.
    """
    return _request_rows(url, "ages", locations, start, end, revision, groups)


def request_components(
    url: str,
    locations: Sequence[str | int],
    start: int,
    end: int,
    revision: str | None = None,
    groups: Mapping[str, Sequence[str | int]] | None = None,
) -> dict[str, Any]:
    """Return births, deaths and net migration from a deployed app: one row per location and year in ``components``.

    Parameters and errors are those of :func:`request_ages`.
    """
    return _request_rows(url, "components", locations, start, end, revision, groups)


def _request_rows(url: str, name: str, *named: Any) -> dict[str, Any]:
    fields = ("locations", "start", "end", "revision", "groups")
    query = _write_arguments(AgesQuestion, dict(zip(fields, named, strict=True)))
    answer = _ask(url, f"/api/v1/{name}", query, JSON)
    body = _read_json(answer)
    if not isinstance(body.get(name), list):
        raise RequestError(f"{_name(answer)} answered without {name}: is it a popforecast app?")
    return body


def _write_query(*named: Any, **others: object) -> dict[str, list[str]]:
    return _write_arguments(Question, dict(zip(FIELDS, named, strict=True)) | others)


def _write_arguments(kind: type[Asked], asked: dict[str, Any]) -> dict[str, list[str]]:
    rows = kind.rows()
    find_unknown(asked, list(rows)).refuse()
    asked["groups"] = list(check_groups(asked["groups"]).items())
    try:
        arguments = write_arguments(rows, asked)
    except InputError as error:
        raise RequestError(str(error)) from error
    return {name: [text for other, text in arguments if other == name] for name, _ in arguments}


def _ask(url: str, path: str, query: Mapping[str, Any], form: str) -> Response:
    import requests

    app, credentials = split_credentials(url)
    address = app.rstrip("/") + path
    try:
        is_long = len(urlencode(query, doseq=True)) > LONGEST_QUERY
    except UnicodeEncodeError as error:
        raise RequestError(f"{error.object!r} is not valid text: expected names without half characters") from error
    auth = requests.auth.HTTPBasicAuth(*credentials) if credentials else None

    def ask() -> Response:
        method = "POST" if is_long else "GET"
        try:
            return requests.request(
                method,
                address,
                params=None if is_long else query,
                json=query if is_long else None,
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
    """Return the URL that answered, after redirects, without credentials or query, for error messages."""
    return split_credentials(answer.url)[0].partition("?")[0]


def _read_wait(answer: Response) -> float | None:
    """Return the seconds to wait after too many requests; None if the response states none."""
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
    """Return the innermost cause of an error, which is clearer than the errors wrapped around it."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__
