"""Response policy: release, ETag, caching, links and CORS."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from flask import Response, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

import popforecast as pf
from app.query.query import Arguments, QueryError
from app.server.caching import FOR_A_YEAR, FOR_MINUTES
from popforecast.errors import InputError, quote
from popforecast.question import Asked, Faults, Parameter
from popforecast.session import get_session
from popforecast.wpp.citation import LICENCE_URL

AnyResponse = TypeVar("AnyResponse", bound=BaseResponse)

JSON, CSV = "application/json", "text/csv"

# Longer URLs are not linked, because proxies limit all response headers together to 4 to 8 KB.
LONGEST_LINK = 1500

# Any origin is allowed, because there are no keys, no cookies and no private data.
OPEN_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Retry-After, X-Request-ID",
}
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


class ReleaseError(NotFound):
    """A release other than the one deployed.

    Attributes
    ----------
    faults : dict of str to str
        As in :class:`app.query.query.QueryError`.
    """

    def __init__(self, given: str, here: str) -> None:
        self.faults = {
            "release": f"Release {quote(given)} is not available: expected {here}, or no release for the current one."
        }
        super().__init__(self.faults["release"])


def name_release(revision: str | None) -> str:
    """Return the release, which determines all numbers: the package version and the checksum of the revision's data.

    Examples
    --------
    >>> name_release("wpp2019").removeprefix(pf.__version__)
    '-d7e505f01e23'
    """
    return f"{pf.__version__}-{get_session(revision).panel.checksum[:12]}" if revision else pf.__version__


def read_release(text: str) -> str:
    """Return a release after checking its form, which is that of :func:`name_release`.

    Raises
    ------
    InputError
        If the text is not in this form.
    """
    if not re.fullmatch(RELEASE.schema["pattern"], text, re.ASCII):
        raise InputError(
            f"release {quote(text)} is invalid: expected a version, a dash and twelve hexadecimal digits, such as "
            f"{name_release(next(iter(pf.REVISIONS)))}"
        )
    return text


# Every resource accepts it in addition to its own parameters: it is part of the response, not of the question.
RELEASE = Parameter(
    "release",
    lambda texts, _: read_release(texts[0]),
    "a release, such as the cite-as link of an answer states",
    "Respond only if this is the app's release: responses with a release never change and can be cached for a year. "
    "The `cite-as` link of every response contains the release.",
    {"type": "string", "pattern": r"^[0-9A-Za-z.+]{1,40}(-[0-9a-f]{12})?$"},
    None,
)


def split_release(arguments: Arguments) -> tuple[Arguments, str | None]:
    """Return the arguments without the release, and the release or None.

    Raises
    ------
    QueryError
        If the release is invalid.
    """
    faults = Faults()
    texts = faults.attempt("release", RELEASE.take, arguments.to_dict(flat=False))
    release = faults.attempt("release", read_release, texts[0]) if texts else None
    if faults:
        raise QueryError(faults)
    others = arguments.copy()
    others.poplist("release")
    return others, release


def reply(endpoint: str, question: Asked, release: str | None, form: str, write: Callable[[], str]) -> Response:
    """Return the response to a question, or 304 if the client has it already.

    Parameters
    ----------
    endpoint : str
        The endpoint of the request.
    question : Asked
    release : str or None
        The requested release, which must be the one deployed.
    form : str
        The media type.
    write : callable
        Returns the body; called only when it is needed.

    Raises
    ------
    ReleaseError
        If a different release was requested.
    """
    here, arguments = name_release(question.revision), question.arguments
    if release not in (None, here):
        raise ReleaseError(release, here)
    tag = _make_tag(here, request.path, arguments)
    # Responses to POST cannot be cached: the URL does not identify the question.
    is_kept = request.method in ("GET", "HEAD")
    if is_kept and request.if_none_match.contains_weak(tag):
        response = Response(status=304)
        del response.headers["Content-Type"]
    else:
        response = Response(write(), mimetype=form)
    # Weak, because compressed and uncompressed responses share it.
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "no-store" if not is_kept else FOR_A_YEAR if release else FOR_MINUTES
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Link"] = ", ".join(_list_links(endpoint, arguments, here, form))
    return response


def link_to(endpoint: str, arguments: list[tuple[str, str]]) -> str:
    """Return the URL of an endpoint with these arguments."""
    return f"{url_for(endpoint)}?{urlencode(arguments)}" if arguments else url_for(endpoint)


def open_to_all(response: AnyResponse) -> AnyResponse:
    """Return the response with CORS headers that allow any origin."""
    response.headers.update(OPEN_HEADERS)
    if request.method == "OPTIONS" and "Allow" in response.headers:
        response.headers.update(PREFLIGHT_HEADERS)
        response.headers["Access-Control-Allow-Methods"] = response.headers["Allow"]
    return response


def _make_tag(release: str, path: str, arguments: list[tuple[str, str]]) -> str:
    asked = "\n".join([release, path, *(f"{name}={value}" for name, value in arguments)])
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


def _list_links(endpoint: str, arguments: list[tuple[str, str]], release: str, form: str) -> list[str]:
    json_endpoint = endpoint.removesuffix("_csv")
    twin, twin_form = (json_endpoint, JSON) if form == CSV else (f"{json_endpoint}_csv", CSV)
    canonical = link_to(endpoint, arguments)
    links = []
    if len(canonical) <= LONGEST_LINK:
        links = [
            f'<{canonical}>; rel="canonical"',
            f'<{link_to(endpoint, [*arguments, ("release", release)])}>; rel="cite-as"',
            f'<{link_to(twin, arguments)}>; rel="alternate"; type="{twin_form}"',
        ]
    return [*links, f'<{LICENCE_URL}>; rel="license"', '</openapi.json>; rel="service-desc"']
