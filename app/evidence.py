"""What stands beside a forecast: how good such forecasts have been, and when things happen. Looked up, not computed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import pandas as pd

import popforecast as pf
from app.outlooks import load_panel, load_record, load_vintage_record
from app.query import Query
from app.table import NO_BREAK
from popforecast.display import format_percent, format_population
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.milestones import find_milestones
from popforecast.periods import last_year
from popforecast.record import FIRST_ORIGIN
from popforecast.sources import get_edition

# The horizons of the sentence; the table beside it has them all.
NEAR, FAR = 5, 10

# A page tells of so many locations; the API has the others.
MOST_TOLD = 12

MILESTONE_LEVEL = 80
YES, NO, NONE_STATED = "yes", "no", "–"


class Place(NamedTuple):
    """A location, and what there is to say of it."""

    name: str
    sentences: list[str]


class Ahead(NamedTuple):
    """How good the forecasts so many years ahead were."""

    horizon: int
    n: int
    mean: str
    median: str
    held_80: str
    held_95: str


@dataclass(frozen=True)
class Record:
    """The track record of one location: a sentence, and a row for each horizon."""

    name: str
    sentence: str
    rows: list[Ahead]


class Comparison(NamedTuple):
    """What an old edition made us say of a year that has since come, and what it made the UN say."""

    name: str
    edition: int
    year: int
    outcome: str
    ours: str
    theirs: str
    held: str
    un_held: str


def describe_milestones(query: Query) -> list[Place]:
    """Return when each location peaks, passes a round figure, doubles or halves, as far ahead as the model goes."""
    panel = load_panel(query.revision)
    far = replace(query, start=panel.origin + panel.step, end=last_year(panel), levels=(MILESTONE_LEVEL,)).answer()
    sentences: dict[Hashable, list[str]] = {}
    for milestone in find_milestones(far):
        sentences.setdefault(milestone.location_code, []).append(milestone.sentence)
    names = far.locations["name"]
    return [Place(names[code], told) for code, told in list(sentences.items())[:MOST_TOLD]]


def describe_record(fc: pf.Forecast) -> list[Record]:
    """Return how good this model's forecasts of these locations would have been, on figures as they are today."""
    record = load_record(str(fc.provenance["revision"]))
    told = record[(record["model"] == fc.model.name) & record["location_code"].isin(fc.locations.index)]
    names = fc.locations["name"]
    by_code = dict(iter(told.groupby("location_code", sort=False)))
    asked = [code for code in fc.locations.index if code in by_code][:MOST_TOLD]
    return [
        Record(names[code], _tell(names[code], by_code[code]), list(_list_horizons(by_code[code]))) for code in asked
    ]


def compare_with_un(fc: pf.Forecast) -> list[Comparison]:
    """Return our misses beside the UN's for these locations, of forecasts from what was known in 2010."""
    record = load_vintage_record().set_index("location_code")
    names = fc.locations["name"]
    known = [code for code in names.index if code in record.index][:MOST_TOLD]
    return [
        Comparison(
            names[code],
            get_edition(row["vintage"]).edition,
            row["year"],
            format_population(row["outcome"]),
            _write(row["ape"], 1),
            _write(row["un_ape"], 1),
            _say(row["held_95"]),
            _say(row["un_held_95"]),
        )
        for code in known
        for row in record.loc[[code]].to_dict("records")
    ]


def name_unrecorded(fc: pf.Forecast) -> list[str]:
    """Return the names of the locations that no record tells of: groups of one's own."""
    known = set(load_panel(str(fc.provenance["revision"])).locations.index)
    return [name for code, name in fc.locations["name"].items() if code not in known]


def has_real_time_record(fc: pf.Forecast) -> bool:
    """Return whether the record in real time is that of this very model."""
    return fc.model.name == DEFAULT_MODEL


def _tell(name: str, told: pd.DataFrame) -> str:
    by_horizon = {row["horizon"]: row for row in told.to_dict("records")}
    near, far = by_horizon[NEAR], by_horizon[FAR]
    return (
        f"Made this way every year since {FIRST_ORIGIN}, forecasts of {name} would have missed by "
        f"{_write(near['mape'], 1)} on average {NEAR} years ahead and by {_write(far['mape'], 1)} {FAR} years ahead, "
        f"where the 95{NO_BREAK}% intervals held {_write(far['coverage_95'], 0)} of the outcomes."
    )


def _list_horizons(told: pd.DataFrame) -> Iterator[Ahead]:
    for row in told.to_dict("records"):
        yield Ahead(
            row["horizon"],
            row["n"],
            _write(row["mape"], 2),
            _write(row["median_ape"], 2),
            _write(row["coverage_80"], 0),
            _write(row["coverage_95"], 0),
        )


def _write(percent: float, digits: int) -> str:
    return format_percent(percent, digits).replace(" ", NO_BREAK)


def _say(held: bool | None) -> str:
    return NONE_STATED if pd.isna(held) else YES if held else NO
