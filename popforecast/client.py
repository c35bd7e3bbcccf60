"""A client for a deployed app: asks its API over HTTP for what :func:`popforecast.forecast` gives at home."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from popforecast.errors import PopforecastError

TIMEOUT = 30


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
) -> dict[str, Any]:
    """Ask a deployed app for a forecast.

    Parameters
    ----------
    url : str
        Where the app is, such as ``http://127.0.0.1:8000``.
    locations, start, end, model, revision, levels
        As for :func:`popforecast.forecast`; what is left out is the app's default.

    Returns
    -------
    dict
        As :meth:`popforecast.Forecast.to_dict` returns it.

    Raises
    ------
    RequestError
        If the app cannot be reached, or answers with an error; its own words are passed on.
    """
    import requests

    query = {
        "location": [str(location) for location in locations],
        "from": start,
        "to": end,
        "model": model,
        "revision": revision,
        "level": [f"{level:g}" for level in levels],
    }
    address = f"{url.rstrip('/')}/api/v1/forecast"
    try:
        answer = requests.get(address, params=query, timeout=TIMEOUT, headers={"Accept": "application/json"})
    except requests.RequestException as error:
        raise RequestError(f"{address} cannot be reached ({_reason(error)}): is the app running there?") from error
    try:
        body = answer.json()
    except ValueError:
        raise RequestError(
            f"{address} answered {answer.status_code} with something that is not JSON: is it a popforecast app?"
        ) from None
    if not answer.ok:
        raise RequestError(f"{url} refused with {answer.status_code}: {body.get('detail', answer.reason)}")
    return body


def _reason(error: Exception) -> str:
    """Return the innermost cause, which says more to a person than the stack of wrappers around it."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__
