"""The errors of popforecast: each message states the value, its place and what is expected."""

from __future__ import annotations

# To keep messages readable: the maximum number of unknown names listed, and the letters shown of each.
MOST_NAMED = 10
MOST_LETTERS = 80

# Characters shown of a quoted value, enough to recognise it.
MOST_QUOTED = 40


def shorten(text: str) -> str:
    """Return the text, or its beginning if it is too long for a message.

    Examples
    --------
    >>> len(shorten("x" * 10_000))
    80
    """
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def quote(text: str) -> str:
    """Return the text for an error message: quoted, shortened, and with unprintable characters escaped.

    Examples
    --------
    >>> print(quote("a" * 50))
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'
    >>> quote(chr(0x202E)).isascii()
    True
    """
    return repr(text if len(text) <= MOST_QUOTED else text[: MOST_QUOTED - 1] + "…")


class PopforecastError(Exception):
    """Base class of all errors of popforecast; messages are suitable for display to users."""


class InputError(PopforecastError, ValueError):
    """Base class of errors in input: arguments, tables and files."""


class PanelError(InputError):
    """A panel that is incomplete or irregular, or contains values that are not populations."""


class ReadError(InputError):
    """A file that cannot be read as population figures without loss or guesswork."""


class UnknownLocationError(InputError):
    """One or more locations that are not in the panel.

    Attributes
    ----------
    unknown : dict of str to tuple of str
        The unknown locations, with the nearest names.
    """

    def __init__(self, unknown: dict[str, tuple[str, ...]]) -> None:
        self.unknown = unknown
        sentences = []
        for query, nearest in list(unknown.items())[:MOST_NAMED]:
            near = f"; nearest: {', '.join(nearest)}" if nearest else ""
            sentences.append(f"no location {shorten(query)!r}{near}")
        if len(unknown) > MOST_NAMED:
            sentences.append(f"{len(unknown) - MOST_NAMED:,} more are unknown")
        super().__init__(". ".join(sentences) + ". Expected a code, ISO3 code, name or alias.")

    def __reduce__(self) -> tuple[type[UnknownLocationError], tuple[dict[str, tuple[str, ...]]]]:
        # By default an exception is unpickled from its message, but this one takes the unknown locations.
        return type(self), (self.unknown,)


class RepeatedLocationError(InputError):
    """A repeated location, possibly under two names."""


class UnknownModelError(InputError):
    """An unknown model name."""


class UnknownRevisionError(InputError):
    """A revision of World Population Prospects that is not embedded."""


class YearError(InputError):
    """A year, origin or horizon that is invalid for the panel."""


class LevelError(InputError):
    """A coverage level that is not a percentage between 0 and 100."""


class ModelError(InputError):
    """A model that cannot be fitted to this panel, or a fit used with different data."""


class ScoreError(InputError):
    """Outcomes and forecasts that cannot be compared."""


class StoreError(PopforecastError):
    """A stored model that is damaged, or is for different data or another version."""


class FetchError(PopforecastError, OSError):
    """A download that failed or lacks data that the revision must contain."""


class LockError(PopforecastError, OSError):
    """A folder that another run is writing to, or that cannot be locked."""


class ReportError(PopforecastError):
    """A report that cannot be made because of an unknown name or parameter, or a failed notebook."""


class ScaleError(PopforecastError):
    """A partitioned file that cannot be forecast, or a run over it that cannot continue."""
