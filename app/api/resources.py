"""The resources of the API: each reads its parameters and writes its response as JSON or CSV."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

import popforecast as pf
from app.api import records
from app.api.writing import Twins, write_csv
from popforecast.forecasting import DEFAULT_MODEL, result
from popforecast.question import AgesQuestion, Asked, ComponentsQuestion, Question
from popforecast.question.ages import GROUPS
from popforecast.session import get_session
from popforecast.wpp.editions import DEFAULT_REVISION

ROOT = "/api/v1"

# Responses with more rows are written one at a time: each takes tens of megabytes, and two at once are no faster.
MOST_ROWS_TOGETHER = 5_000
_turn = threading.Lock()


@dataclass(frozen=True)
class Resource:
    """A resource with its JSON and CSV endpoints.

    Attributes
    ----------
    name, summary : str
        Its name in the URL, and its purpose.
    question : type
        The question it answers; every resource also accepts a release.
    find : callable
        Returns the answer to a question.
    methods : tuple of str
        The HTTP methods it accepts.
    """

    name: str
    summary: str
    question: type[Asked]
    find: Callable[[Any], Twins]
    methods: tuple[str, ...] = ("GET",)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters."""
        return self.question.names()

    @property
    def path(self) -> str:
        """The path of the JSON endpoint; add ``.csv`` for the CSV endpoint."""
        return f"{ROOT}/{self.name}"

    def write(self, question: Asked, as_csv: bool = False) -> str:
        """Return the answer to a question as JSON or CSV; large answers are written one at a time."""
        with _turn if _is_large(question) else nullcontext():
            answer = self.find(question)
            return answer.to_csv() if as_csv else answer.to_json()


@dataclass(frozen=True)
class Listing(Asked):
    """A question for the locations of a revision."""

    revision: str = DEFAULT_REVISION


@dataclass(frozen=True)
class Nothing(Asked):
    """A question without parameters."""


def _is_large(question: Asked) -> bool:
    if not isinstance(question, Question | AgesQuestion):
        return False
    rows = (len(question.locations) + len(question.groups)) * (question.end - question.start + 1)
    return rows * (GROUPS if type(question) is AgesQuestion else 1) > MOST_ROWS_TOGETHER


def find_forecast(question: Question) -> Twins:
    """Return a forecast: its rows, provenance and groups."""
    fc = question.answer()
    rows, facts = fc.to_frame(), fc.describe() | records.list_groups(question)
    to_csv = partial(result.write_csv, rows, fc.provenance, fc.citation, fc.notes)
    return Twins(facts, {"forecasts": rows, "remainder": fc.list_remainders()}, to_csv)


def find_ages(question: AgesQuestion) -> Twins:
    """Return population by sex and age: its rows, provenance and groups."""
    fc = question.answer()
    return _describe_structure(question, fc, fc.ages(), "ages")


def find_components(question: ComponentsQuestion) -> Twins:
    """Return births, deaths and net migration: their rows, provenance and groups."""
    fc = question.answer()
    return _describe_structure(question, fc, fc.components(), "components")


def _describe_structure(question: AgesQuestion, fc: pf.Forecast, rows: pd.DataFrame, name: str) -> Twins:
    # Ages have no intervals.
    facts = fc.describe() | records.list_groups(question)
    del facts["provenance"]["intervals"]
    return Twins(facts, {name: rows}, partial(result.write_csv, rows, facts["provenance"], fc.citation, fc.notes))


def list_locations(listing: Listing) -> Twins:
    """Return the locations of a revision, with one row per location."""
    rows, facts = get_session(listing.revision).panel.locations.reset_index(), {"revision": listing.revision}
    return Twins(facts, {"locations": rows}, partial(write_csv, rows, **facts))


def list_models(_: Nothing) -> Twins:
    """Return the models: names, parameters, and whether they are calibrated and can forecast groups."""
    listed = [
        {"name": name, "calibrated": model.calibrated, "parameters": model.parameters}
        for name, model in pf.models.MODELS.items()
    ]
    rows = pd.DataFrame([model | {"parameters": json.dumps(model["parameters"])} for model in listed])
    is_default = rows["name"] == DEFAULT_MODEL
    return Twins({"default": DEFAULT_MODEL, "models": listed}, {}, partial(write_csv, rows, default=is_default))


RESOURCES = (
    Resource(
        "forecast", "Forecast the population of locations and groups", Question, find_forecast, methods=("GET", "POST")
    ),
    Resource("ages", "Forecast population by sex and age", AgesQuestion, find_ages, methods=("GET", "POST")),
    Resource(
        "components",
        "Forecast births, deaths and net migration",
        ComponentsQuestion,
        find_components,
        methods=("GET", "POST"),
    ),
    Resource("locations", "List the locations of a revision", Listing, list_locations),
    Resource(
        "milestones",
        "Find when populations peak, pass a round number, double or halve",
        records.When,
        records.find_years,
    ),
    Resource(
        "backtest",
        "Get the accuracy of each model for each location, at past origins",
        records.TrackRecord,
        records.find_scores,
    ),
    Resource(
        "vintages",
        "Get our errors and the UN's, using the data available at the time",
        records.VintageRecord,
        records.find_comparisons,
    ),
    Resource("models", "List the models", Nothing, list_models),
)
