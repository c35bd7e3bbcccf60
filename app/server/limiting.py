"""Rate limits: requests per minute and client over all pages, counted before anything is answered."""

from __future__ import annotations

import ipaddress
import threading
import time
from functools import lru_cache

from werkzeug.exceptions import TooManyRequests

from app.settings import Settings

A_MINUTE = 60

# Providers assign at least this prefix of IPv6 addresses; customers choose the remaining bits.
NETWORK_BITS = 64

# No address is longer; text from a broken proxy is cut.
LONGEST_CLIENT = 64


class RateLimit:
    """A limit on requests per client in a time window that starts with the first request.

    Each worker process counts separately: two workers admit up to twice the rate.

    Parameters
    ----------
    rate : int
        Requests per window.
    seconds : float
        Length of the window.

    Examples
    --------
    >>> limit = RateLimit(1)
    >>> limit.take("192.0.2.1"), limit.take("192.0.2.1"), limit.take("192.0.2.2")
    (True, False, True)
    """

    def __init__(self, rate: int, seconds: float = A_MINUTE) -> None:
        self.rate, self.seconds = rate, seconds
        self._taken: dict[str, tuple[float, int]] = {}
        self._next_sweep = 0.0
        self._lock = threading.Lock()

    @property
    def clients(self) -> int:
        """Number of clients with an open window."""
        return len(self._taken)

    def take(self, address: str) -> bool:
        """Count a request from an address, and return whether it is allowed."""
        client, now = name_client(address[:LONGEST_CLIENT]), time.monotonic()
        with self._lock:
            if now >= self._next_sweep:
                self._taken = {name: window for name, window in self._taken.items() if window[0] > now}
                self._next_sweep = now + self.seconds
            end, taken = self._taken.get(client, (0.0, 0))
            if now >= end:
                end, taken = now + self.seconds, 0
            self._taken[client] = end, taken + 1
        return taken < self.rate

    def refuse(self) -> TooManyRequests:
        """Return the error for a client over the limit, with the limit and when to retry."""
        return TooManyRequests(
            f"Too many requests: expected at most {self.rate} per 1 minute from one client (an IPv4 address or an "
            "IPv6 /64 network). Try again in a minute.",
            retry_after=A_MINUTE,
        )


@lru_cache(maxsize=4096)
def name_client(address: str) -> str:
    """Return the key by which a client is counted: its IPv4 address, or the /64 network of its IPv6 address.

    Examples
    --------
    >>> name_client("2001:db8:1:2:3:4:5:6"), name_client("[2001:db8:1:2::9]:443")
    ('2001:db8:1:2::/64', '2001:db8:1:2::/64')
    >>> name_client("192.0.2.1"), name_client("::ffff:192.0.2.1"), name_client("192.0.2.1:8080")
    ('192.0.2.1', '192.0.2.1', '192.0.2.1')
    >>> name_client("unknown")
    'unknown'
    """
    text = address.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        # A zone identifies a local interface, not a client.
        known = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, NETWORK_BITS), strict=False))


def make_limit(settings: Settings) -> RateLimit | None:
    """Return the rate limit in the settings, if any."""
    return RateLimit(settings.rate) if settings.rate_limits else None
