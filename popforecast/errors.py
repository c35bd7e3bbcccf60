"""The errors that popforecast raises: each names the value, where it stands and what would be valid."""

from __future__ import annotations

# A message is for a person: it names so many misses, and so many letters of each.
MOST_NAMED = 10
MOST_LETTERS = 80

# So much of a value is enough to know it again.
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
    """Return the text as an error shows it: in quotes, short, with nothing that would not print.

    Examples
    --------
    >>> print(quote("a" * 50))
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'
    >>> quote(chr(0x202E)).isascii()
    True
    """
    return repr(text if len(text) <= MOST_QUOTED else text[: MOST_QUOTED - 1] + "…")


class PopforecastError(Exception):
    """Base of every error that popforecast raises; its text is fit to be shown to a person."""


class InputError(PopforecastError, ValueError):
    """Base of every error in what was passed in: an argument, a table or a file."""


class PanelError(InputError):
    """A panel that is not rectangular, not regular, or holds values that are not populations."""


class ReadError(InputError):
    """A file that cannot be read as population figures without losing or guessing something."""


class UnknownLocationError(InputError):
    """One or more locations that the panel does not have.

    Attributes
    ----------
    unknown : dict of str to tuple of str
        Every location not found, with the nearest names there are.
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
        # An exception is made anew from its text unless it says otherwise; this one is made from what was not found.
        return type(self), (self.unknown,)


class RepeatedLocationError(InputError):
    """One location asked for twice, perhaps under two names."""


class UnknownModelError(InputError):
    """A model name that is not registered."""


class UnknownRevisionError(InputError):
    """A revision of World Population Prospects that is not embedded."""


class YearError(InputError):
    """A year, origin or horizon outside what the panel allows."""


class LevelError(InputError):
    """A coverage level that is not a percentage between 0 and 100."""


class ModelError(InputError):
    """A specification that cannot be fitted to this panel, or a fit used with other data."""


class ScoreError(InputError):
    """Outcomes and forecasts that cannot be compared."""


class StoreError(PopforecastError):
    """A stored model that is damaged, or that fits neither this data nor this version."""


class FetchError(PopforecastError, OSError):
    """A download that failed or did not hold what the revision must hold."""


class LockError(PopforecastError, OSError):
    """A folder that another run is writing to, or that cannot be held."""


class ReportError(PopforecastError):
    """A report that cannot be made: an unknown name or parameter, or a notebook that failed."""


class ScaleError(PopforecastError):
    """A partitioned file that cannot be forecast, or a run over it that cannot go on."""
