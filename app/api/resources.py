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
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.question import Asked, Question
from popforecast.session import get_session
from popforecast.wpp.editions import DEFAULT_REVISION

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
    question : type
        What is asked there; every resource takes a release, too.
    write_json, write_csv : callable
        Write the answer to a question.
    methods : tuple of str
        How it may be asked for.
    """

    name: str
    summary: str
    question: type[Asked]
    write_json: Callable[[Any], str]
    write_csv: Callable[[Any], str]
    methods: tuple[str, ...] = ("GET",)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments it takes."""
        return self.question.names()

    @property
    def path(self) -> str:
        """Where its JSON is; ``.csv`` is put to the end of it for the twin."""
        return f"{ROOT}/{self.name}"


@dataclass(frozen=True)
class Listing(Asked):
    """The question for the locations of a revision."""

    revision: str = DEFAULT_REVISION


@dataclass(frozen=True)
class Nothing(Asked):
    """The question that takes no argument."""


def write_forecast(query: Question) -> str:
    """Write a forecast as JSON: its rows, where the numbers come from, and the groups they name."""
    groups = [{"name": name, "members": list(codes)} for name, codes in query.groups]
    with take_turns(query):
        fc = query.answer()
        return write_json(
            fc.describe() | {"groups": groups}, {"forecasts": fc.to_frame(), "remainder": fc.list_remainders()}
        )


def write_forecast_csv(query: Question) -> str:
    """Write a forecast as CSV."""
    with take_turns(query):
        return query.answer().to_csv()


@contextmanager
def take_turns(query: Question) -> Iterator[None]:
    """Let one large answer be written at a time; small ones wait for nobody."""
    rows = (len(query.locations) + len(query.groups)) * (query.end - query.start + 1)
    if rows <= MOST_ROWS_TOGETHER:
        yield
        return
    with _turn:
        yield


def list_locations(listing: Listing) -> pd.DataFrame:
    """Return the locations of a revision, one a row."""
    return get_session(listing.revision).panel.locations.reset_index()


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


def write_models(_: Nothing) -> str:
    """Write the models as JSON."""
    return write_json({"default": DEFAULT_MODEL, "models": list_models()})


def write_models_csv(_: Nothing) -> str:
    """Write the models as CSV."""
    rows = [model | {"parameters": json.dumps(model["parameters"])} for model in list_models()]
    return write_csv(pd.DataFrame(rows), default=[row["name"] == DEFAULT_MODEL for row in rows])


RESOURCES = (
    Resource(
        "forecast",
        "Forecast the population of locations and groups",
        Question,
        write_forecast,
        write_forecast_csv,
        methods=("GET", "POST"),
    ),
    Resource(
        "locations",
        "List the locations of a revision",
        Listing,
        write_locations,
        write_locations_csv,
    ),
    Resource(
        "milestones",
        "Find when populations peak, pass a round number, double or halve",
        records.When,
        records.write_when,
        records.write_when_csv,
    ),
    Resource(
        "backtest",
        "Get the accuracy of each model for each location, at past origins",
        records.TrackRecord,
        records.write_track_record,
        records.write_track_record_csv,
    ),
    Resource(
        "vintages",
        "Get our errors and the UN's, using the data available at the time",
        records.VintageRecord,
        records.write_vintage_record,
        records.write_vintage_record_csv,
    ),
    Resource("models", "List the models", Nothing, write_models, write_models_csv),
)
