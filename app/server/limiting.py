"""Limits of rate: each client's requests in a minute, over all pages together, counted before anything answers."""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from functools import lru_cache

from limits import RateLimitItemPerMinute
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from app.settings import Settings

# Seconds that a request may wait for the shared counter.
REDIS_PATIENCE = 0.25

# Seconds between two looks at a counter that was lost: twice as many each time, up to this.
LONGEST_PAUSE = 32

# A provider gives each customer at least so much of an IPv6 address: what follows is the customer's to choose.
NETWORK_BITS = 64

# No address is longer; what a broken proxy sends instead of one is not kept whole.
LONGEST_CLIENT = 64

log = logging.getLogger(__name__)


class RateLimit:
    """How many requests a minute one client may make.

    The workers count in Redis where there is one. While it does not answer, each counts for itself: a counter that is
    lost is no reason to refuse anybody.

    Parameters
    ----------
    rate : int
        Requests a minute.
    redis_url : str, optional
        Where workers count together.

    Examples
    --------
    >>> limit = RateLimit(1)
    >>> limit.take("192.0.2.1"), limit.take("192.0.2.1"), limit.take("192.0.2.2")
    (True, False, True)
    """

    def __init__(self, rate: int, redis_url: str | None = None) -> None:
        self.item = RateLimitItemPerMinute(rate, namespace="popforecast")
        self._own = Windows(rate, self.item.get_expiry())
        self._storage = _connect(redis_url) if redis_url else None
        self._shared = FixedWindowRateLimiter(self._storage) if self._storage else None
        self._looking = threading.Lock()
        self._is_lost, self._pause, self._next_look = False, 1.0, 0.0

    def take(self, address: str) -> bool:
        """Count a request from an address; return whether it is still allowed."""
        client = name_client(address[:LONGEST_CLIENT])
        if self._shared and not (self._is_lost and not self._find_again()):
            try:
                return self._shared.hit(self.item, client)
            except Exception as error:
                # Redis, its driver and its network have errors of their own, and none is the client's fault.
                self._lose(error)
        return self._own.take(client)

    def refuse(self) -> TooManyRequests:
        """Return the error for a client that asked too often: it says how often it may, and when again."""
        # The whole window: what is left of it only the counter knows, and asking might fail.
        return TooManyRequests(
            f"Too many requests: expected at most {self.item} from one client (an IPv4 address or an IPv6 /64 "
            "network). Ask again in a minute.",
            retry_after=self.item.get_expiry(),
        )

    def _lose(self, error: Exception) -> None:
        with self._looking:
            if not self._is_lost:
                # The error may quote the address of Redis, and with it a password.
                log.warning(
                    "Redis is unreachable (%s): each worker counts requests for itself until it is back",
                    type(error).__name__,
                )
                self._is_lost, self._pause = True, 1.0
                self._next_look = time.monotonic() + self._pause

    def _find_again(self) -> bool:
        """Return whether Redis answers again; one request at a time looks, the others do not wait for it."""
        if time.monotonic() < self._next_look or not self._looking.acquire(blocking=False):
            return False
        try:
            self._is_lost = not (self._storage and self._storage.check())
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._next_look = time.monotonic() + self._pause
            return not self._is_lost
        finally:
            self._looking.release()


class Windows:
    """Counts of this process: for each client so many in a window of time, which its first request opens.

    The counter in memory of `limits` starts a thread up to a hundred times a second, for which requests would wait.

    Parameters
    ----------
    most : int
        How many a client may take in a window.
    seconds : float
        How long a window is.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._taken: dict[str, tuple[float, int]] = {}
        self._next_sweep = 0.0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, client: str) -> bool:
        """Count one of a client; return whether it is still allowed."""
        now = time.monotonic()
        with self._lock:
            if now >= self._next_sweep:
                self._taken = {name: window for name, window in self._taken.items() if window[0] > now}
                self._next_sweep = now + self.seconds
            end, taken = self._taken.get(client, (0.0, 0))
            if now >= end:
                end, taken = now + self.seconds, 0
            self._taken[client] = end, taken + 1
        return taken < self.most


@lru_cache(maxsize=4096)
def name_client(address: str) -> str:
    """Return by what a client is counted: its IPv4 address, or the /64 network of its IPv6 address.

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
        # A zone names an interface of this machine, not a client.
        known = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, NETWORK_BITS), strict=False))


def make_limit(settings: Settings) -> RateLimit | None:
    """Return the limit that the settings ask for, if they ask for one."""
    return RateLimit(settings.rate, settings.redis_url) if settings.rate_limits else None


def _connect(url: str) -> Storage:
    patience = {"socket_timeout": REDIS_PATIENCE, "socket_connect_timeout": REDIS_PATIENCE}
    # Heroku's Redis signs its certificate itself.
    certificate = {"ssl_cert_reqs": "none"} if url.startswith("rediss:") else {}
    storage: Storage = storage_from_string(url, **patience, **certificate)  # type: ignore[arg-type, assignment]
    return storage
