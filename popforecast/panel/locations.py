"""Find locations by code, ISO3 code, name or alias, and suggest the nearest names."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from numbers import Integral
from types import MappingProxyType
from typing import Any

import pandas as pd

from popforecast.data import read_facts
from popforecast.errors import MOST_NAMED, RepeatedLocationError, UnknownLocationError
from popforecast.panel.frozen import Frozen

COLUMNS = ("name", "type", "iso3", "parent", "region")

# A shared name belongs to the type listed first: the geographic region before the SDG grouping.
TYPE_ORDER = ("country/area", "world", "region", "geographic region", "subregion", "sdg region", "sdg subregion")

# The longest name has 60 letters; comparing much longer text with every name would waste time.
MOST_TYPED = 100


def normalise(text: str) -> str:
    """Return text without case, accents and punctuation, for comparing names.

    Examples
    --------
    >>> normalise("  Côte d'Ivoire ")
    'cote d ivoire'
    >>> normalise("The Bahamas") == normalise("bahamas")
    True
    """
    decomposed = unicodedata.normalize("NFKD", text.replace("&", " and "))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    words = re.sub(r"[^\w]+|_", " ", plain).split()
    words = ["saint" if word == "st" else word for word in words]
    return " ".join(words[1:] if words[:1] == ["the"] else words)


def disambiguate(names: Mapping[Any, str] | pd.Series[str], key: Callable[[str], str] = str) -> dict[Any, str]:
    """Return what to call each location: its name, with the code where others share it.

    Parameters
    ----------
    names : mapping of code to str
        A dict or a Series.
    key : callable
        Returns the same value for names that readers would take for the same (default: only equal names).

    Examples
    --------
    >>> disambiguate({9: "Oceania", 909: "Oceania", 566: "Nigeria"})
    {9: 'Oceania (9)', 909: 'Oceania (909)', 566: 'Nigeria'}
    """
    counts = Counter(key(name) for _, name in names.items())
    return {code: f"{name} ({code})" if counts[key(name)] > 1 else str(name) for code, name in names.items()}


@cache
def load_aliases() -> Mapping[str, tuple[str, ...]]:
    """Load the other names of countries, by ISO3 code.

    Raises
    ------
    ReadError
        If their table is absent or malformed.

    Examples
    --------
    >>> load_aliases()["CIV"]
    ('Ivory Coast', 'Cote d Ivoire')
    """
    aliases: dict[str, tuple[str, ...]] = {}
    for iso3, alias in read_facts("aliases.csv", iso3=str, alias=str):
        aliases[iso3] = (*aliases.get(iso3, ()), alias)
    return MappingProxyType(aliases)


@dataclass(frozen=True)
class LocationIndex(Frozen):
    """The codes and names by which the locations of one table are found; built by :func:`build_index`.

    Attributes
    ----------
    codes : mapping of str to code
        Codes as text, mapped to codes as in the table (numbers in UN tables).
    texts : mapping of str to code
        Normalised ISO3 codes, names and aliases.
    names : mapping of code to str
        Display names.
    """

    codes: Mapping[str, Hashable]
    texts: Mapping[str, Hashable]
    names: Mapping[Hashable, str]

    def __post_init__(self) -> None:
        # Codes and names are immutable already.
        for name in ("codes", "texts", "names"):
            object.__setattr__(self, name, MappingProxyType(dict(self.__dict__[name])))

    def find(self, query: Hashable) -> Hashable:
        """Return the code of a location.

        Raises
        ------
        UnknownLocationError
            If there is no such location; the error lists the nearest names.
        """
        found = self._match(query)
        if found is None:
            raise UnknownLocationError({str(query): self.suggest(str(query))})
        return found

    def has(self, query: Hashable) -> bool:
        """Whether a location is known: faster than catching the error of :meth:`find`, which looks for near names."""
        return self._match(query) is not None

    def join(self, later: LocationIndex) -> LocationIndex:
        """Return the index of these and later locations; a shared name keeps its first meaning."""
        return LocationIndex(
            {**later.codes, **self.codes}, {**later.texts, **self.texts}, {**self.names, **later.names}
        )

    def find_all(self, queries: Iterable[Hashable]) -> list[Hashable]:
        """Return the codes of several locations in order; the error lists all unknown ones.

        Raises
        ------
        UnknownLocationError
            If any location is not found.
        RepeatedLocationError
            If two queries name one location.
        """
        queries = list(queries)
        matches = [self._match(query) for query in queries]
        missing = dict.fromkeys(str(q) for q, code in zip(queries, matches, strict=True) if code is None)
        if missing:
            # Finding near names is slow, and nobody reads ten thousand suggestions.
            raise UnknownLocationError({q: self.suggest(q) if i < MOST_NAMED else () for i, q in enumerate(missing)})
        asked: dict[Hashable, Hashable] = {}
        for query, code in zip(queries, matches, strict=True):
            if code in asked:
                raise RepeatedLocationError(
                    f"{self.names[code]} ({code}) was given twice, as {str(asked[code])!r} and {str(query)!r}: "
                    "expected each location once"
                )
            asked[code] = query
        return matches

    def suggest(self, query: str, most: int = 3) -> tuple[str, ...]:
        """Return the names nearest to an unknown one.

        Names that contain the query as a whole word or begin with it precede names with similar spelling.
        """
        wanted = normalise(query[:MOST_TYPED])
        if not wanted:
            return ()
        holding = [text for text in self.texts if text.startswith(wanted) or f" {wanted}" in text]
        alike = difflib.get_close_matches(wanted, self.texts, n=2 * most, cutoff=0.7)
        codes = [self.texts[text] for text in sorted(holding, key=len)[:most] + alike]
        return tuple(self.names[code] for code in dict.fromkeys(codes))[:most]

    def _match(self, query: Hashable) -> Hashable | None:
        if isinstance(query, float) and query.is_integer():
            query = int(query)
        text = str(query).strip()
        if text in self.codes:
            return self.codes[text]
        # M49 writes Afghanistan 004; where codes are text, 004 and 4 are two locations.
        number = self.codes.get(text.lstrip("0"))
        if isinstance(number, Integral):
            return number
        if not isinstance(query, str) or len(text) > MOST_TYPED:
            return None
        return self.texts.get(normalise(text))


def build_index(locations: pd.DataFrame) -> LocationIndex:
    """Return the index of a table of locations (indexed by code; columns name, type, iso3)."""
    # Lists, because pandas would dominate the time for a single added group.
    places, kinds = locations.index.tolist(), locations["type"].tolist()
    names = dict(zip(places, map(str, locations["name"].tolist()), strict=True))
    codes = {str(code): code for code in names}
    texts: dict[str, Hashable] = {}
    ranks = [_rank(str(kind)) for kind in kinds]
    for row in sorted(range(len(places)), key=ranks.__getitem__):
        texts.setdefault(normalise(names[places[row]]), places[row])
    coded = zip(locations["iso3"].tolist(), places, strict=True)
    countries = {iso3: code for iso3, code in coded if isinstance(iso3, str) and iso3}
    for iso3, code in countries.items():
        texts.setdefault(normalise(iso3), code)
    # In a fixed order; otherwise the names suggested for an unknown one could differ between runs.
    for iso3, aliases in load_aliases().items():
        if iso3 in countries:
            texts.update((text, countries[iso3]) for text in map(normalise, aliases) if text not in texts)
    texts.pop("", None)
    return LocationIndex(codes, texts, names)


def _rank(kind: str) -> int:
    kind = kind.casefold()
    return TYPE_ORDER.index(kind) if kind in TYPE_ORDER else len(TYPE_ORDER)
