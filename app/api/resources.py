"""What the API offers: each resource reads its arguments and writes its answer, as JSON and as CSV."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

import popforecast as pf
from app.api import records
from app.api.writing import write_csv, write_json
from app.query.arguments import Arguments, find_unknown
from app.query.query import PARAMETERS, Query, read_query, read_revision_alone
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.session import get_session

ROOT = "/api/v1"

# An answer of more rows is written alone: it takes tens of megabytes while it is, and two at once are no faster.
MOST_ROWS_TOGETHER = 5_000
_turn = threading.Lock()


@dataclass(frozen=True)
class Resource:
    """One address and its twin: what may be asked there, and how the answer is written.

    Attributes
    ----------
    name, summary : str
        Its name in the address, and what it is for.
    parameters : tuple of str
        The arguments it takes; every resource takes a release, too.
    read : callable
        Makes a question of the arguments, or raises :class:`app.query.arguments.QueryError`.
    write_json, write_csv : callable
        Write the answer to a question.
    methods : tuple of str
        How it may be asked for.
    """

    name: str
    summary: str
    parameters: tuple[str, ...]
    read: Callable[[Arguments], Any]
    write_json: Callable[[Any], str]
    write_csv: Callable[[Any], str]
    methods: tuple[str, ...] = ("GET",)

    @property
    def path(self) -> str:
        """Where its JSON is; ``.csv`` is put to the end of it for the twin."""
        return f"{ROOT}/{self.name}"


@dataclass(frozen=True)
class Listing:
    """A question for a list: of a revision, or of no revision at all."""

    revision: str | None = None

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """The arguments that ask for exactly this."""
        return [("revision", self.revision)] if self.revision else []


def read_locations_of(arguments: Arguments) -> Listing:
    """Return the question for the locations of a revision."""
    return Listing(read_revision_alone(arguments))


def read_nothing(arguments: Arguments) -> Listing:
    """Return the question that takes no argument."""
    find_unknown(arguments, ()).refuse()
    return Listing()


def write_forecast(query: Query) -> str:
    """Write a forecast as JSON: its rows, where the numbers come from, and the groups they name."""
    groups = [{"name": name, "members": list(codes)} for name, codes in query.groups]
    with take_turns(query):
        fc = query.answer()
        return write_json(
            fc.describe() | {"groups": groups}, {"forecasts": fc.to_frame(), "remainder": fc.list_remainders()}
        )


def write_forecast_csv(query: Query) -> str:
    """Write a forecast as CSV."""
    with take_turns(query):
        return query.answer().to_csv()


@contextmanager
def take_turns(query: Query) -> Iterator[None]:
    """Let one large answer be written at a time; small ones wait for nobody."""
    rows = (len(query.locations) + len(query.groups)) * (query.end - query.start + 1)
    if rows <= MOST_ROWS_TOGETHER:
        yield
        return
    with _turn:
        yield


def list_locations(listing: Listing) -> pd.DataFrame:
    """Return the locations of a revision, one a row."""
    return get_session(str(listing.revision)).panel.locations.reset_index()


def write_locations(listing: Listing) -> str:
    """Write the locations of a revision as JSON."""
    return write_json({"revision": listing.revision}, {"locations": list_locations(listing)})


def write_locations_csv(listing: Listing) -> str:
    """Write the locations of a revision as CSV."""
    return write_csv(list_locations(listing), revision=listing.revision)


def list_models() -> list[dict[str, Any]]:
    """Return the models: names, parameters, and whether their intervals are calibrated and they forecast groups."""
    return [
        {"name": name, "calibrated": model.calibrated, "parameters": model.parameters}
        for name, model in pf.models.MODELS.items()
    ]


def write_models(_: Listing) -> str:
    """Write the models as JSON."""
    return write_json({"default": DEFAULT_MODEL, "models": list_models()})


def write_models_csv(_: Listing) -> str:
    """Write the models as CSV."""
    rows = [model | {"parameters": json.dumps(model["parameters"])} for model in list_models()]
    return write_csv(pd.DataFrame(rows), default=[row["name"] == DEFAULT_MODEL for row in rows])


RESOURCES = (
    Resource(
        "forecast",
        "Forecast the population of locations and groups",
        PARAMETERS,
        read_query,
        write_forecast,
        write_forecast_csv,
        methods=("GET", "POST"),
    ),
    Resource(
        "locations",
        "List the locations of a revision",
        ("revision",),
        read_locations_of,
        write_locations,
        write_locations_csv,
    ),
    Resource(
        "milestones",
        "Find when populations peak, pass a round number, double or halve",
        records.MILESTONES_PARAMETERS,
        records.read_when,
        records.write_when,
        records.write_when_csv,
    ),
    Resource(
        "backtest",
        "Get the accuracy of each model for each location, at past origins",
        records.BACKTEST_PARAMETERS,
        records.read_track_record,
        records.write_track_record,
        records.write_track_record_csv,
    ),
    Resource(
        "vintages",
        "Get our errors and the UN's, using the data available at the time",
        records.VINTAGES_PARAMETERS,
        records.read_vintage_record,
        records.write_vintage_record,
        records.write_vintage_record_csv,
    ),
    Resource("models", "List the models", (), read_nothing, write_models, write_models_csv),
)
