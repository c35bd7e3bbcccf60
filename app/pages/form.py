"""The form: the choices, the current selection, and the buttons that work without JavaScript."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict

import popforecast as pf
from app.query.query import Arguments
from popforecast.charts.lines import SCALES
from popforecast.errors import UnknownLocationError
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.panel.locations import disambiguate, load_aliases, normalise
from popforecast.panel.years import last_year
from popforecast.question import MOST_GROUPS, PARAMETERS, Faults, Given, Parameter, Question, View, read_values
from popforecast.session import FORM_LEVELS, get_session
from popforecast.wpp.citation import LICENCE_URL
from popforecast.wpp.editions import DEFAULT_REVISION, cite, get_revision

# Default years of the form.
START, END = "2030", "2050"

# Arguments of the buttons that change only the form: search, and select or clear all locations under a heading.
BUTTONS = ("find", "select", "clear")

# Parameters with their own fields on the form; any other parameter in the table gets a plain field.
PLACED = ("location", "group", "from", "to", "model", "revision", "level", "scale")
EVERYTHING = "everything"

# Invalid text is shown again, but only up to this length.
LONGEST_TEXT = 400

WORLD_AND_REGIONS = "World and regions"
GROUPS = {"World": WORLD_AND_REGIONS, "Region": WORLD_AND_REGIONS, "Subregion": "Subregions"}
OTHER_GROUPS = "Development, income and other groups"

# Titles of models on the form; models without a title are shown by name.
MODEL_TITLES = {
    "ar1": "AR(1) with constant",
    "naive": "Naive: no change",
    "drift": "Drift: average past change",
    "damped-growth": "Damped growth",
    "ar": "Guarded AR on growth rates",
    "panel-ar": "Panel AR",
    "cohort": "Cohort component: by age and sex",
    "combination": "Cohort component and panel AR combined",
}

# Common queries, shown as links.
EXAMPLES = {
    "The world to 2100": "location=900&from=2024&to=2100",
    "The five largest countries": "location=356&location=156&location=840&location=360&location=586&from=2024&to=2060",
    "Africa and Europe": "location=903&location=908&from=2024&to=2075",
    "Japan, Italy and South Korea": "location=392&location=380&location=410&from=2024&to=2060&scale=indexed",
    "Your own group: Benelux": "group=Benelux:BEL,NLD,LUX&from=2024&to=2050",
    "A textbook AR(1) model": "location=900&location=901&from=2030&to=2035&model=ar1&revision=wpp2019",
}


class Listed(NamedTuple):
    """A location on the form: its code, display name and searchable text."""

    code: Hashable
    name: str
    search: str


class Group(NamedTuple):
    """A heading of the form and its locations."""

    title: str
    locations: list[Listed]


@dataclass(frozen=True)
class Choice:
    """The current selection on the form: text as typed, valid or not.

    Attributes
    ----------
    plain : tuple of (Parameter, str)
        The parameters with plain fields, and their text.
    found : frozenset of int or None
        The locations found by a search; None if there was no search.
    """

    revision: str = DEFAULT_REVISION
    locations: frozenset[Hashable] = frozenset()
    groups: tuple[str, ...] = ()
    start: str = START
    end: str = END
    model: str = DEFAULT_MODEL
    levels: tuple[str, ...] = tuple(f"{level:g}" for level in DEFAULT_LEVELS)
    scale: str = SCALES[0]
    plain: tuple[tuple[Parameter, str], ...] = ()
    find: str = ""
    found: frozenset[Hashable] | None = None


def describe_form(choice: Choice, faults: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the variables of the form's template."""
    return describe_settings(choice, faults) | {
        "groups": group_locations(choice.revision),
        "examples": EXAMPLES,
        "everything": EVERYTHING,
        "most_groups": MOST_GROUPS,
    }


def describe_settings(choice: Choice, faults: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the template variables of all fields except the locations."""
    panel = get_session(choice.revision).panel
    levels = {f"{level:g}" for level in FORM_LEVELS} | set(choice.levels)
    return {
        "choice": choice,
        "faults": faults or {},
        "parameters": list(Question.rows().values()),
        "levels": sorted(levels, key=float),
        "models": {name: MODEL_TITLES.get(name, name) for name in pf.models.MODELS},
        "revisions": {name: revision.edition for name, revision in pf.REVISIONS.items()},
        "first_year": int(panel.years[0]),
        "last_year": last_year(panel),
        "origin": panel.origin,
        "source": get_revision(choice.revision),
        "figures_citation": cite(panel),
        "licence_url": LICENCE_URL,
    }


@lru_cache
def group_locations(revision: str) -> list[Group]:
    """Return the locations of a revision under headings: the world and groups, then countries by region."""
    table = get_session(revision).panel.locations
    names = disambiguate(table["name"], normalise)
    groups: dict[str, list[Listed]] = {title: [] for title in (*dict.fromkeys(GROUPS.values()), OTHER_GROUPS)}
    for code, location in table.to_dict("index").items():
        texts = (location["name"], location["iso3"], *load_aliases().get(location["iso3"], ()), str(code))
        search = "|".join(["", *dict.fromkeys(normalise(text) for text in texts if text)])
        title = location["region"] or GROUPS.get(location["type"], OTHER_GROUPS)
        groups.setdefault(title, []).append(Listed(code, names[code], search))
    countries = {title: sorted(groups.pop(title), key=_by_name) for title in sorted(table["region"].dropna().unique())}
    return [Group(title, locations) for title, locations in (groups | countries).items() if locations]


def find_listed(revision: str, text: str) -> frozenset[Hashable] | None:
    """Return the codes of locations that match a search, as the form's script does; None for empty text.

    Matches are names with a word that begins with the text; if there are none, names that contain it anywhere.

    Examples
    --------
    >>> sorted(find_listed("wpp2024", "guinea")), find_listed("wpp2024", " ")
    ([226, 324, 598, 624], None)
    >>> find_listed("wpp2024", "Ivory Coast"), find_listed("wpp2024", "xyz")
    (frozenset({384}), frozenset())
    """
    wanted = normalise(text)
    if not wanted:
        return None
    listed = [location for group in group_locations(revision) for location in group.locations]
    starting = [place.code for place in listed if f"|{wanted}" in place.search or f" {wanted}" in place.search]
    return frozenset(starting or [place.code for place in listed if wanted in place.search])


def choose(view: View) -> Choice:
    """Return the selection for a valid query."""
    arguments = MultiDict(view.arguments)
    return Choice(
        view.revision,
        frozenset(view.locations),
        tuple(arguments.getlist("group")),
        str(view.start),
        str(view.end),
        view.model,
        tuple(arguments.getlist("level")),
        view.scale,
        _fill_plain(arguments),
    )


def guess(arguments: Arguments) -> Choice:
    """Return the selection for arguments that may be invalid, keeping everything that the form can show."""
    revision = arguments.get("revision", "")
    revision = revision if revision in pf.REVISIONS else DEFAULT_REVISION
    model, scale = arguments.get("model", ""), arguments.get("scale", "")
    find = arguments.get("find", "")[:LONGEST_TEXT]
    found = find_listed(revision, find)
    return Choice(
        revision,
        frozenset(press_buttons(arguments, revision, set(_find(arguments.getlist("location"), revision)), found)),
        tuple(text[:LONGEST_TEXT] for text in arguments.getlist("group")[:MOST_GROUPS]),
        arguments.get("from", START)[:12],
        arguments.get("to", END)[:12],
        model if model in pf.models.MODELS else DEFAULT_MODEL,
        tuple(_keep_levels(arguments)) or Choice.levels,
        scale if scale in SCALES else Choice.scale,
        _fill_plain(arguments),
        find,
        found,
    )


def press_buttons(
    arguments: Arguments, revision: str, chosen: set[Hashable], found: frozenset[Hashable] | None
) -> set[Hashable]:
    """Return the selected locations after the buttons "Select all" and "Clear" are applied.

    Examples
    --------
    >>> sorted(press_buttons(MultiDict({"select": "Northern America"}), "wpp2024", {566}, None))
    [60, 124, 304, 566, 666, 840]
    >>> press_buttons(MultiDict({"clear": EVERYTHING}), "wpp2024", {566}, None)
    set()
    """
    if EVERYTHING in arguments.getlist("clear"):
        chosen = set()
    for group in group_locations(revision):
        shown = {place.code for place in group.locations if found is None or place.code in found}
        if group.title in arguments.getlist("select"):
            chosen = chosen | shown
        if group.title in arguments.getlist("clear"):
            chosen = chosen - shown
    return chosen


def drop_blanks(arguments: Arguments) -> Arguments:
    """Return the arguments without those of the form's buttons and without empty optional fields.

    Examples
    --------
    >>> drop_blanks(MultiDict([("location", "900"), ("group", " "), ("find", "guinea")])).to_dict()
    {'location': '900'}
    """
    pairs = [
        (name, text)
        for name, text in arguments.items(multi=True)
        if name not in BUTTONS and (text.strip() or (name in PLACED and name != "group"))
    ]
    return MultiDict(pairs)


def _find(texts: list[str], revision: str) -> Iterator[Hashable]:
    index = get_session(revision).panel.index
    for text in texts[: len(index.names)]:
        try:
            yield index.find(text)
        except UnknownLocationError:
            continue


def _keep_levels(arguments: Arguments) -> list[str]:
    row, texts = PARAMETERS["levels"], arguments.to_dict(flat=False)
    levels = read_values({"levels": row}, texts, Given(DEFAULT_REVISION, DEFAULT_MODEL), Faults())["levels"]
    if levels is None:
        levels = [level for level in FORM_LEVELS if f"{level:g}" in arguments.getlist("level")]
    return [f"{level:g}" for level in levels]


def _fill_plain(arguments: Arguments) -> tuple[tuple[Parameter, str], ...]:
    rows = [row for row in View.rows().values() if row.name not in PLACED]
    return tuple((row, arguments.get(row.name, "")[:LONGEST_TEXT]) for row in rows)


def _by_name(location: Listed) -> str:
    return normalise(location.name)
