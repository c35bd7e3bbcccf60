"""Find a location by code, ISO3, name or alias, and suggest near misses."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import pandas as pd

from popforecast.errors import RepeatedLocationError, UnknownLocationError

COLUMNS = ("name", "type", "iso3", "parent", "region")

# Where two locations share a name, the first type here has it: the geographic region before the SDG grouping.
TYPE_ORDER = ("country/area", "world", "region", "geographic region", "subregion", "sdg region", "sdg subregion")

ALIASES: dict[str, tuple[str, ...]] = {
    "ARE": ("UAE", "Emirates"),
    "BES": ("Caribbean Netherlands",),
    "BIH": ("Bosnia",),
    "BOL": ("Bolivia",),
    "BRN": ("Brunei",),
    "CAF": ("CAR",),
    "CIV": ("Ivory Coast",),
    "COD": ("DR Congo", "DRC", "Congo, Dem. Rep.", "Congo-Kinshasa", "Zaire"),
    "COG": ("Republic of the Congo", "Congo, Rep.", "Congo-Brazzaville"),
    "CPV": ("Cape Verde",),
    "CZE": ("Czech Republic",),
    "DEU": ("Federal Republic of Germany",),
    "EGY": ("Egypt, Arab Rep.",),
    "FLK": ("Falkland Islands", "Malvinas"),
    "FSM": ("Federated States of Micronesia",),
    "GBR": ("UK", "Great Britain", "Britain"),
    "HKG": ("Hong Kong",),
    "IRN": ("Iran",),
    "KGZ": ("Kyrgyz Republic",),
    "KOR": ("South Korea", "Korea, Rep.", "Korea, South"),
    "LAO": ("Laos", "Lao PDR"),
    "MAC": ("Macau", "Macao"),
    "MDA": ("Moldova",),
    "MKD": ("Macedonia",),
    "MMR": ("Burma",),
    "NLD": ("Holland",),
    "PRK": ("North Korea", "DPRK", "Korea, North"),
    "PSE": ("Palestine", "West Bank and Gaza"),
    "RUS": ("Russia",),
    "SWZ": ("Swaziland",),
    "SYR": ("Syria",),
    "TLS": ("East Timor",),
    "TUR": ("Turkey", "Türkiye"),
    "TWN": ("Taiwan",),
    "TZA": ("Tanzania",),
    "USA": ("US", "U.S.", "United States", "America"),
    "VAT": ("Vatican", "Vatican City"),
    "VEN": ("Venezuela",),
    "VGB": ("British Virgin Islands",),
    "VIR": ("US Virgin Islands",),
    "VNM": ("Vietnam",),
    "XKX": ("Kosovo",),
}


def normalise(text: str) -> str:
    """Return the text without case, accents or punctuation, as names are compared.

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


@dataclass(frozen=True)
class LocationIndex:
    """Every way to name the locations of one table; build it with :func:`build_index`.

    Attributes
    ----------
    codes : dict of str to code
        The code as text, to the code as the table has it (a number for the UN's tables).
    texts : dict of str to code
        ISO3 codes, names and aliases, normalised.
    names : dict of code to str
        The name to show.
    """

    codes: dict[str, Hashable]
    texts: dict[str, Hashable]
    names: dict[Hashable, str]

    def find(self, query: Hashable) -> Hashable:
        """Return the code of the location that the query names.

        Raises
        ------
        UnknownLocationError
            If there is none; the error says the nearest names.
        """
        found = self._match(query)
        if found is None:
            raise UnknownLocationError({str(query): self.suggest(str(query))})
        return found

    def find_all(self, queries: Iterable[Hashable]) -> list[Hashable]:
        """Return the codes of all queries, in order; the error names every miss at once.

        Raises
        ------
        UnknownLocationError
            If any location is not found.
        RepeatedLocationError
            If two queries name one location.
        """
        queries = list(queries)
        matches = [self._match(query) for query in queries]
        missing = {str(q): self.suggest(str(q)) for q, code in zip(queries, matches, strict=True) if code is None}
        if missing:
            raise UnknownLocationError(missing)
        asked: dict[Hashable, Hashable] = {}
        for query, code in zip(queries, matches, strict=True):
            if code in asked:
                raise RepeatedLocationError(
                    f"{self.names[code]} ({code}) was asked for twice, as {str(asked[code])!r} and {str(query)!r}: "
                    "expected each location once"
                )
            asked[code] = query
        return matches

    def suggest(self, query: str, most: int = 3) -> tuple[str, ...]:
        """Return the names nearest to a query that was not found.

        Names that hold the query as a whole word, or begin with it, come before names that are only spelt alike.
        """
        wanted = normalise(query)[:100]
        if not wanted:
            return ()
        holding = [text for text in self.texts if text.startswith(wanted) or f" {wanted}" in text]
        alike = difflib.get_close_matches(wanted, self.texts, n=2 * most, cutoff=0.7)
        codes = [self.texts[text] for text in sorted(holding, key=len)[:most] + alike]
        return tuple(self.names[code] for code in dict.fromkeys(codes))[:most]

    def _match(self, query: Hashable) -> Hashable | None:
        text = str(query).strip()
        if text in self.codes:
            return self.codes[text]
        return self.texts.get(normalise(text))


def build_index(locations: pd.DataFrame) -> LocationIndex:
    """Index a locations table (indexed by code; columns name, type, iso3) by everything people type."""
    names = dict(zip(locations.index, locations["name"].astype(str), strict=True))
    codes = {str(code): code for code in names}
    texts: dict[str, Hashable] = {}
    ranks = locations["type"].map(lambda kind: _rank(str(kind)))
    for code in locations.index[ranks.argsort(kind="stable")]:
        texts.setdefault(normalise(names[code]), code)
    for code, iso3 in locations["iso3"].items():
        if isinstance(iso3, str) and iso3:
            texts.setdefault(normalise(iso3), code)
            for alias in ALIASES.get(iso3, ()):
                texts.setdefault(normalise(alias), code)
    texts.pop("", None)
    return LocationIndex(codes, texts, names)


def _rank(kind: str) -> int:
    kind = kind.casefold()
    return TYPE_ORDER.index(kind) if kind in TYPE_ORDER else len(TYPE_ORDER)
