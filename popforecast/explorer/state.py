"""Queries of the explorer and their forecasts, and names of locations and models."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache

import popforecast.models as models
from popforecast.charts.forecast import COLOURS
from popforecast.errors import ModelError, PanelError, UnknownModelError, shorten
from popforecast.forecasting.outlook import Outlook
from popforecast.forecasting.result import Forecast
from popforecast.models.ar import AR, CRITERIA, TRANSFORMS, TRENDS
from popforecast.models.base import Model
from popforecast.models.levels import check_levels
from popforecast.panel.locations import disambiguate, load_aliases, normalise
from popforecast.session import get_session
from popforecast.wpp.editions import REVISIONS, get_revision

# As many as there are distinguishable colours.
MOST_LINES = len(COLOURS)
MOST_MODELS = 3

# Largest order in the search by information criterion, and the choices of lags.
MOST_LAGS = 5
LAGS = (*range(MOST_LAGS + 1), *CRITERIA)

# Prefix that distinguishes user-defined autoregressions from named models.
OWN = "AR"
PATTERN = re.compile(r"AR\(\s*(\w+)(?:\s+to\s+5)?\s*,\s*(\w+)\s*(?:,\s*(\w+)\s*)?\)")


@dataclass(frozen=True)
class Query:
    """The whole state of the explorer.

    Attributes
    ----------
    locations : tuple of code
    start, end : int
    models : tuple of Model
        One or more models to compare.
    revision : str
    levels : tuple of float
    scale : {"absolute", "log", "indexed"}
    """

    locations: tuple[Hashable, ...]
    start: int
    end: int
    models: tuple[Model, ...]
    revision: str
    levels: tuple[float, ...]
    scale: str = "absolute"

    def answer(self) -> tuple[Forecast, ...]:
        """Return the forecast of each model.

        Raises
        ------
        PopforecastError
            If the query is invalid.
        """
        panel = get_session(self.revision).panel
        check_count(self.locations, self.models)
        absent = [name_location(self.revision, code) for code in self.locations if code not in panel.locations.index]
        if absent:
            title = get_revision(self.revision).title
            raise PanelError(f"{title} has no {', '.join(absent)}: remove it, or choose another revision")
        levels = check_levels(self.levels)
        return tuple(
            self.look_ahead(model).forecast(self.locations, self.start, self.end, levels) for model in self.models
        )

    def look_ahead(self, model: Model) -> Outlook:
        """Return the forecast of all locations of the revision by one model."""
        return get_session(self.revision).outlook(model, self.levels)


def check_count(locations: tuple[Hashable, ...], models: tuple[Model, ...]) -> None:
    """Check the numbers of locations and models.

    Raises
    ------
    PanelError
        If there are no locations, or more lines than a chart has colours.
    ModelError
        If a model is repeated.

    Examples
    --------
    >>> check_count(("World", "Africa"), ())
    """
    if not locations:
        raise PanelError("no location is selected: search for a country or region and select it")
    names = [model.name for model in models]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise ModelError(f"{repeated} is chosen twice: choose another model to compare with, or none")
    lines = len(locations) * max(len(models), 1)
    if lines > MOST_LINES:
        several = f" and {len(models)} models make {lines} lines" if len(models) > 1 else " are selected"
        raise PanelError(
            f"{len(locations)} locations{several}: expected at most {MOST_LINES} lines, the most a chart can show"
        )


@lru_cache(maxsize=4)
def list_options(revision: str) -> dict[str, Hashable]:
    """Return the options of the search field for a revision, mapped to location codes.

    Names are in alphabetical order, followed by the ISO3 code or, if two groupings share a name, the code. Aliases
    come last, followed by the name of the location.

    Examples
    --------
    >>> options = list_options("wpp2024")
    >>> options["Nigeria (NGA)"], options["Ivory Coast (Côte d'Ivoire)"], options["Africa"]
    (566, 384, 903)
    """
    locations = get_session(revision).panel.locations.sort_values("name", key=lambda names: names.map(normalise))
    shown, names, marks = disambiguate(locations["name"]), locations["name"].to_dict(), locations["iso3"].to_dict()
    options = {f"{names[code]} ({iso3})" if iso3 else shown[code]: code for code, iso3 in marks.items()}
    for code, iso3 in marks.items():
        for alias in load_aliases().get(iso3, ()):
            options.setdefault(f"{alias} ({names[code]})", code)
    return options


def name_location(revision: str, code: Hashable) -> str:
    """Return the name of a location in a revision, or in another revision if it is missing.

    Examples
    --------
    >>> name_location("wpp2019", 792), name_location("wpp2024", 792)
    ('Turkey', 'Türkiye')
    """
    for edition in (revision, *REVISIONS):
        names = get_session(edition).panel.index.names
        if code in names:
            return names[code]
    return str(code)


def find_location(revision: str, text: str) -> Hashable:
    """Return the code of the location entered in the search field.

    Raises
    ------
    UnknownLocationError
        If the revision has no such location; the error lists the nearest names.

    Examples
    --------
    >>> [find_location("wpp2024", text) for text in ("Nigeria (NGA)", "nga", "566", "Ivory Coast")]
    [566, 566, 566, 384]
    """
    options = list_options(revision)
    return options[text] if text in options else get_session(revision).panel.index.find(text)


def parse_model(text: str) -> Model:
    """Return the model of a text: a named model, or an autoregression such as ``AR(2, ct, log)``.

    Raises
    ------
    UnknownModelError
        If there is no such model; the error lists the valid names.
    ModelError
        If an autoregression has neither lags nor trend.

    Examples
    --------
    >>> parse_model("panel-ar").name, parse_model("AR(2, ct)"), parse_model("AR(bic, c, growth)").name
    ('panel-ar', AR(lags=2, trend='ct', transform='level', max_lags=5), 'AR(bic to 5, c, growth)')
    """
    if text in models.MODELS:
        return models.MODELS[text]
    found = PATTERN.fullmatch(text.strip())
    if found:
        lags, trend, transform = found.groups()
        if lags in map(str, LAGS) and trend in TRENDS and transform in (None, *TRANSFORMS):
            return AR(lags if lags in CRITERIA else int(lags), trend, transform or "level", MOST_LAGS)
    raise UnknownModelError(
        f"no model {shorten(text)!r}: expected one of {', '.join(models.MODELS)}, or AR(lags, trend) or "
        f"AR(lags, trend, transform) with lags of {', '.join(map(str, LAGS))}, a trend of {', '.join(TRENDS)} and a "
        f"transform of {', '.join(TRANSFORMS)}"
    )


def write_model(model: Model) -> str:
    """Return a model as Python code, as an argument of :func:`popforecast.forecast`.

    Examples
    --------
    >>> write_model(models.get("ar1")), write_model(AR(2, "ct")), write_model(AR("bic", "c", "growth"))
    ("'ar1'", "pf.AR(2, 'ct')", "pf.AR('bic', 'c', 'growth')")
    """
    if is_named(model):
        return repr(model.name)
    if not isinstance(model, AR):
        raise UnknownModelError(f"{model!r} cannot be written as code: expected a named model or an AR")
    plain = AR()
    arguments = [repr(model.lags), repr(model.trend)]
    arguments += [repr(model.transform)] if model.transform != plain.transform else []
    arguments += [f"max_lags={model.max_lags}"] if model.max_lags != plain.max_lags else []
    return f"pf.AR({', '.join(arguments)})"


def is_named(model: Model) -> bool:
    """Whether a model is available by name in all interfaces.

    Examples
    --------
    >>> is_named(AR()), is_named(AR(2))
    (True, False)
    """
    return models.MODELS.get(model.name) == model
