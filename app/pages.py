"""The pages: the form, and the forecast that it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

import popforecast as pf
from app.api import link, read_arguments
from app.query import PARAMETERS, Arguments, Query, QueryError, load_panel, read_query, read_revision_alone
from popforecast.display import INTERVALS, format_population
from popforecast.errors import UnknownLocationError
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.locations import ALIASES, normalise
from popforecast.periods import last_year
from popforecast.sources import DEFAULT_REVISION, LICENCE_URL, get_revision

# What the form asks for until somebody changes it.
START, END = "2030", "2035"
LEVELS = (50, 80, 90, 95, 99)

# More notes than these are folded away.
MOST_NOTES = 6

NO_BREAK = "\N{NO-BREAK SPACE}"

WORLD_AND_REGIONS = "World and regions"
GROUPS = {"World": WORLD_AND_REGIONS, "Region": WORLD_AND_REGIONS, "Subregion": "Subregions"}
OTHER_GROUPS = "Development, income and other groups"

# How the models are called on the form; one without a title goes by its name.
MODEL_TITLES = {
    "ar1": "AR(1) with constant",
    "naive": "Naive: no change",
    "drift": "Drift: mean past growth",
    "damped-growth": "Damped growth",
    "ar": "Guarded AR of growth",
    "panel-ar": "Panel AR",
}

blueprint = Blueprint("pages", __name__)


class Listed(NamedTuple):
    """A location on the form: its code, the name to show, and every text that finds it."""

    code: int
    name: str
    search: str


class Group(NamedTuple):
    """A heading of the form and its locations."""

    title: str
    locations: list[Listed]


class Cell(NamedTuple):
    """A figure of the table, and its intervals."""

    figure: str
    intervals: list[str]


class Row(NamedTuple):
    """A year of the table."""

    year: int
    is_past: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Choice:
    """What the form shows as chosen: texts as they were typed, right or wrong."""

    revision: str = DEFAULT_REVISION
    locations: frozenset[int] = frozenset()
    start: str = START
    end: str = END
    model: str = DEFAULT_MODEL
    levels: tuple[str, ...] = tuple(f"{level:g}" for level in DEFAULT_LEVELS)


@blueprint.get("/")
def show_form() -> ResponseReturnValue:
    """Show the form, with the locations of the revision asked for."""
    return render_template("index.html", **describe_form(Choice(read_revision_alone(request.args))))


@blueprint.route("/forecast", methods=["GET", "POST"])
def show_forecast() -> ResponseReturnValue:
    """Show the forecast. A posted query is sent on to its address, which holds the whole of it."""
    query = read_query(read_arguments())
    if request.method == "POST":
        # Codes are short: even every location of a revision stays well below what servers take as an address.
        return redirect(link(query, "pages.show_forecast"), 303)
    fc = query.answer()
    return render_template(
        "forecast.html",
        fc=fc,
        headings=list(fc.to_table().columns),
        rows=list(tabulate(fc)),
        names=fc.locations["name"],
        title=describe_query(query, fc),
        revision=get_revision(query.revision),
        json_url=link(query, "api.send_forecast"),
        csv_url=link(query, "api.send_csv"),
        intervals=INTERVALS[fc.provenance["intervals"]],
        most_notes=MOST_NOTES,
        **describe_form(choose(query)),
    )


def refuse(error: HTTPException) -> ResponseReturnValue:
    """Show an error: for a wrong query the form, as it was filled in, with what is wrong at its top."""
    response = error.get_response()
    if isinstance(error, QueryError):
        form = describe_form(guess(_arguments_at_hand()), error.faults)
        page = render_template("index.html", alert=True, **form)
    else:
        page = render_template("error.html", error=error)
    response.set_data(page)
    response.mimetype = "text/html"
    return response


def describe_form(choice: Choice, faults: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what the form's template needs."""
    panel = load_panel(choice.revision)
    levels = {f"{level:g}" for level in LEVELS} | set(choice.levels)
    return {
        "choice": choice,
        "faults": faults or {},
        "fields": PARAMETERS,
        "groups": group_locations(choice.revision),
        "levels": sorted(levels, key=float),
        "models": {name: MODEL_TITLES.get(name, name) for name in pf.models.MODELS},
        "revisions": {name: revision.edition for name, revision in pf.REVISIONS.items()},
        "first_year": int(panel.years[0]),
        "last_year": last_year(panel),
        "origin": panel.origin,
        "source": get_revision(choice.revision),
        "licence_url": LICENCE_URL,
    }


@lru_cache
def group_locations(revision: str) -> list[Group]:
    """Return the locations of a revision by heading: the world and groups, then countries by region."""
    table = load_panel(revision).locations
    keys = table["name"].map(normalise)
    shared = keys.duplicated(keep=False)
    groups: dict[str, list[Listed]] = {title: [] for title in (*dict.fromkeys(GROUPS.values()), OTHER_GROUPS)}
    for code, location in table.to_dict("index").items():
        name = f"{location['name']} ({code})" if shared[code] else location["name"]
        texts = (location["name"], location["iso3"], *ALIASES.get(location["iso3"], ()), str(code))
        search = "|".join(["", *dict.fromkeys(normalise(text) for text in texts if text)])
        title = location["region"] or GROUPS.get(location["type"], OTHER_GROUPS)
        groups.setdefault(title, []).append(Listed(code, name, search))
    countries = {title: sorted(groups.pop(title), key=_by_name) for title in sorted(table["region"].dropna().unique())}
    return [Group(title, locations) for title, locations in (groups | countries).items() if locations]


def tabulate(fc: pf.Forecast) -> Iterator[Row]:
    """Yield the table: years as rows, locations as columns, figures as people read them."""
    for j, year in enumerate(fc.years):
        is_past = bool(year <= fc.origin)
        levels = () if is_past else fc.levels
        bounds = [[_describe_interval(level, *pair) for pair in _bounds(fc, level, j)] for level in levels]
        cells = [
            Cell(format_population(persons), [texts[i] for texts in bounds])
            for i, persons in enumerate(fc.population[:, j])
        ]
        yield Row(int(year), is_past, cells)


def describe_query(query: Query, fc: pf.Forecast) -> str:
    """Return a heading that tells one query from another."""
    names = fc.locations["name"].tolist()
    locations = ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more"
    return f"{locations}, {query.start}" + (f"–{query.end}" if query.end != query.start else "")


def choose(query: Query) -> Choice:
    """Return the form's state for a valid query."""
    return Choice(
        query.revision,
        frozenset(query.locations),
        str(query.start),
        str(query.end),
        query.model,
        tuple(f"{level:g}" for level in query.levels),
    )


def guess(arguments: Arguments) -> Choice:
    """Return the form's state for arguments of which some are wrong: all that can be shown of them is kept."""
    revision = arguments.get("revision", "")
    revision = revision if revision in pf.REVISIONS else DEFAULT_REVISION
    model = arguments.get("model", "")
    levels = tuple(level for level in arguments.getlist("level") if level in {f"{level:g}" for level in LEVELS})
    return Choice(
        revision,
        frozenset(_find(arguments.getlist("location"), revision)),
        arguments.get("from", START)[:12],
        arguments.get("to", END)[:12],
        model if model in pf.models.MODELS else DEFAULT_MODEL,
        levels or Choice.levels,
    )


def _find(texts: list[str], revision: str) -> Iterator[int]:
    index = load_panel(revision).index
    for text in texts[: len(index.names)]:
        try:
            yield index.find(text)
        except UnknownLocationError:
            continue


def _arguments_at_hand() -> Arguments:
    try:
        return read_arguments()
    except HTTPException:
        return request.args


def _bounds(fc: pf.Forecast, level: float, j: int) -> Iterator[tuple[float, float]]:
    return zip(fc.lower[level][:, j], fc.upper[level][:, j], strict=True)


def _describe_interval(level: float, lower: float, upper: float) -> str:
    # A narrow column breaks after the dash, and nowhere else.
    return f"{level:g} %: {format_population(lower)} –".replace(" ", NO_BREAK) + f" {format_population(upper)}"


def _by_name(location: Listed) -> str:
    return normalise(location.name)
