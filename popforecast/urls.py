"""Addresses of servers, and the user's name and password that they may hold."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

# From the scheme, if there is one, to the last @ before a path begins; where what follows a colon is no port, to any
# last @. Not urlsplit: it raises for what is no address, and that may hold a password all the same.
CREDENTIALS = re.compile(
    r"\A\s*([A-Za-z][A-Za-z0-9+.-]*://|//)?(?P<credentials>[^/?#]*|[^/?#:\[]*:(?!\d*(?:[/?#]|\Z)).*)@", re.DOTALL
)


def split_credentials(url: str) -> tuple[str, tuple[bytes, bytes] | None]:
    """Return an address without user and password, which errors and logs may show, and these two as they are sent.

    Examples
    --------
    >>> split_credentials("https://ada:s%40cret@example.org/app")
    ('https://example.org/app', (b'ada', b's@cret'))
    >>> split_credentials("http://127.0.0.1:8000")
    ('http://127.0.0.1:8000', None)
    """
    found = CREDENTIALS.match(url)
    if not found:
        return url, None
    start, end = found.span("credentials")
    user, _, password = found["credentials"].partition(":")
    return url[:start] + url[end + 1 :], (unquote_to_bytes(user), unquote_to_bytes(password))
