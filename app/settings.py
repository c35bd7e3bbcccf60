"""Settings from environment variables, validated before anything starts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from popforecast.errors import InputError

Value = TypeVar("Value")

# Requests per minute: more than any person makes; programs that exceed it are told when to retry.
DEFAULT_RATE = 1200

# As many as fit in a 512 MB dyno.
DEFAULT_WORKERS = 2

# Where platforms name the running commit.
COMMITS = ("HEROKU_SLUG_COMMIT", "HEROKU_BUILD_COMMIT", "SOURCE_VERSION", "RENDER_GIT_COMMIT", "POPFORECAST_COMMIT")


class SettingsError(InputError):
    """An invalid environment variable."""


@dataclass(frozen=True)
class Settings:
    """Settings of a server process.

    Attributes
    ----------
    host : str
        Address to listen on (``POPFORECAST_HOST``).
    port : int
        Port to listen on (``PORT``).
    workers : int
        Number of worker processes (``WEB_CONCURRENCY``).
    proxies : int
        Number of trusted proxies in front (``POPFORECAST_PROXIES``; 1 if ``DYNO`` is set).
    rate_limits : bool
        Whether request rates are limited (``RATELIMIT_ENABLED``).
    rate : int
        Requests per minute allowed per client and worker (``POPFORECAST_RATE``).
    access_log : bool
        Whether requests are logged (``POPFORECAST_ACCESS_LOG``).
    commit : str or None
        The running commit, if the platform names it.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = DEFAULT_WORKERS
    proxies: int = 0
    rate_limits: bool = True
    rate: int = DEFAULT_RATE
    access_log: bool = True
    commit: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Return the settings in the environment.

        Raises
        ------
        SettingsError
            If a variable is invalid.

        Examples
        --------
        >>> Settings.from_environ({"PORT": "5000", "DYNO": "web.1"}).proxies
        1
        >>> Settings.from_environ({"PORT": "http"})
        Traceback (most recent call last):
        app.settings.SettingsError: PORT is 'http': expected a whole number from 0 to 65535
        """

        def find(name: str) -> str:
            # Shells and dashboards use an empty variable for "not set".
            return environ.get(name, "").strip()

        def read(name: str, parse: Callable[[str, str], Value], default: Value) -> Value:
            text = find(name)
            return parse(name, text) if text else default

        return cls(
            # PORT implies a platform's router in front; without it, listen to this machine only.
            host=read("POPFORECAST_HOST", _read_host, "0.0.0.0" if find("PORT") else cls.host),
            port=read("PORT", _read_between(0, 65_535), cls.port),
            # Gunicorn reads this variable first, and fails with a traceback if it is empty.
            workers=_read_between(1, 64)("WEB_CONCURRENCY", environ.get("WEB_CONCURRENCY", str(cls.workers)).strip()),
            proxies=read("POPFORECAST_PROXIES", _read_between(0, 5), 1 if find("DYNO") else cls.proxies),
            rate_limits=read("RATELIMIT_ENABLED", _read_switch, cls.rate_limits),
            rate=read("POPFORECAST_RATE", _read_between(1, 1_000_000), cls.rate),
            access_log=read("POPFORECAST_ACCESS_LOG", _read_switch, cls.access_log),
            commit=next((read(name, _read_commit, "") for name in COMMITS if find(name)), None),
        )


def _read_between(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise SettingsError(f"{name} is {text!r}: expected a whole number from {least} to {most}")
        return int(text)

    return read


def _read_switch(name: str, text: str) -> bool:
    meanings = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in meanings:
        raise SettingsError(f"{name} is {text!r}: expected 1 or 0 (or true, yes, on; false, no, off)")
    return meanings[text.lower()]


def _read_host(name: str, text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", text, re.ASCII):
        raise SettingsError(f"{name} is {text!r}: expected an address or a host's name, such as 127.0.0.1")
    return text


def _read_commit(name: str, text: str) -> str:
    if not re.fullmatch("[0-9A-Za-z._-]{1,64}", text, re.ASCII):
        raise SettingsError(f"{name} is {text!r}: expected the name of a commit, letters and digits")
    return text
