"""What the explorer is asked, and the answer: the same verb as everywhere, on panels that stay loaded."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache

from popforecast.errors import PanelError
from popforecast.forecasting import Forecast, fit, forecast
from popforecast.locations import ALIASES, normalise
from popforecast.models.base import Fitted
from popforecast.panel import Panel
from popforecast.plots import COLOURS
from popforecast.sources import REVISIONS, get_revision, load_panel

# As many as there are colours that readers can tell apart.
MOST_LOCATIONS = len(COLOURS)


@dataclass(frozen=True)
class Query:
    """The whole state of the explorer.

    Attributes
    ----------
    locations : tuple of code
    start, end : int
    model, revision : str
    levels : tuple of float
    """

    locations: tuple[Hashable, ...]
    start: int
    end: int
    model: str
    revision: str
    levels: tuple[float, ...]

    def answer(self) -> Forecast:
        """Return the forecast.

        Raises
        ------
        PopforecastError
            If anything that was asked for is not valid.
        """
        panel = get_panel(self.revision)
        check_count(self.locations)
        absent = [name_location(self.revision, code) for code in self.locations if code not in panel.locations.index]
        if absent:
            title = get_revision(self.revision).title
            raise PanelError(f"{title} has no {', '.join(absent)}: remove it, or choose another revision")
        fitted = _fit(self.revision, self.model)
        return forecast(panel, self.locations, self.start, self.end, fitted, self.levels)


def check_count(locations: tuple[Hashable, ...]) -> None:
    """Check how many locations are chosen.

    Raises
    ------
    PanelError
        If there are none, or more than a chart can tell apart.

    Examples
    --------
    >>> check_count(("World", "Africa"))
    """
    if not locations:
        raise PanelError("no location is chosen: search for a country or region and choose it")
    if len(locations) > MOST_LOCATIONS:
        raise PanelError(
            f"{len(locations)} locations are chosen: expected at most {MOST_LOCATIONS}, which a chart can tell apart"
        )


@lru_cache(maxsize=4)
def get_panel(revision: str) -> Panel:
    """Return the panel of a revision, loaded once."""
    return load_panel(revision)


@lru_cache(maxsize=32)
def _fit(revision: str, model: str) -> Fitted:
    return fit(get_panel(revision), model)


@lru_cache(maxsize=4)
def list_options(revision: str) -> dict[str, Hashable]:
    """Return all that the search field offers for a revision, and the code behind each.

    Names come in alphabetical order, with the ISO3 code or, for a name that two groupings share, the code. Aliases
    follow, with the name that they stand for.

    Examples
    --------
    >>> options = list_options("wpp2024")
    >>> options["Nigeria (NGA)"], options["Ivory Coast (Côte d'Ivoire)"], options["Africa"]
    (566, 384, 903)
    """
    locations = get_panel(revision).locations.sort_values("name", key=lambda names: names.map(normalise))
    shared = locations["name"].duplicated(keep=False)
    options: dict[str, Hashable] = {}
    for code, name, iso3 in zip(locations.index, locations["name"], locations["iso3"], strict=True):
        mark = iso3 or (code if shared[code] else None)
        options[f"{name} ({mark})" if mark else name] = code
    for code, iso3 in locations["iso3"].items():
        for alias in ALIASES.get(iso3, ()):
            options.setdefault(f"{alias} ({locations['name'][code]})", code)
    return options


def name_location(revision: str, code: Hashable) -> str:
    """Return the name of a location in a revision; if it has none, the name in another.

    Examples
    --------
    >>> name_location("wpp2019", 792), name_location("wpp2024", 792)
    ('Turkey', 'Türkiye')
    """
    for edition in (revision, *REVISIONS):
        names = get_panel(edition).index.names
        if code in names:
            return names[code]
    return str(code)


def find_location(revision: str, text: str) -> Hashable:
    """Return the code of what was typed or chosen in the search field.

    Raises
    ------
    UnknownLocationError
        If the revision has no such location; the error says the nearest names.

    Examples
    --------
    >>> [find_location("wpp2024", text) for text in ("Nigeria (NGA)", "nga", "566", "Ivory Coast")]
    [566, 566, 566, 384]
    """
    options = list_options(revision)
    return options[text] if text in options else get_panel(revision).index.find(text)
