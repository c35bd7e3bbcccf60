"""Past accuracy and milestones shown with a forecast; accuracy is looked up, not computed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pandas as pd

import popforecast as pf
from popforecast.charts.lines import select_references
from popforecast.evaluation.record import FIRST_ORIGIN, UNRECORDED, tell_coverage
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.forecasting.drivers import explain_difference
from popforecast.forecasting.milestones import find_milestones
from popforecast.panel.years import last_year
from popforecast.question import Question
from popforecast.session import get_session, get_vintage_record
from popforecast.text import INTERVALS, format_percent, join_words, round_in_words, write_sentence
from popforecast.wpp.editions import get_edition

# The horizons in the sentence; the table shows all of them.
NEAR, FAR = 5, 10

# Maximum number of locations described on a page; the API returns them all.
MOST_TOLD = 12

# With more locations, the records share one table, and last-year figures appear only in the chart's read-out.
MOST_IN_WORDS = 2
MOST_ANSWERED = 3

MILESTONE_LEVEL = 80

# The last year for which the difference from the UN's forecast is explained.
MIDDLE = 2050

# Whether the outcome was inside our 95% interval known at the time, our interval with later revisions, and the UN's.
HELD = ("published_held_95", "held_95", "un_held_95")


class Place(NamedTuple):
    """A location and sentences about it."""

    name: str
    sentences: list[str]


class Ahead(NamedTuple):
    """The accuracy of forecasts at one horizon."""

    horizon: int
    n: int
    mean: str
    median: str
    held_80: str
    held_95: str


@dataclass(frozen=True)
class Record:
    """The track record of one location: a sentence and one row per horizon."""

    name: str
    sentence: str
    rows: list[Ahead]


class Comparison(NamedTuple):
    """Our error and the UN's, for a forecast from an old edition.

    Attributes
    ----------
    edition, year : int
        The edition forecast from, and the year forecast.
    ours, theirs : str
        Our error and the UN's.
    published_held, held, un_held : bool or None
        Whether the outcome was inside our 95% interval as it could have been given at the time, our interval that
        allows for later revisions, and the UN's; None if there was no interval.
    """

    edition: int
    year: int
    ours: str
    theirs: str
    published_held: bool | None
    held: bool | None
    un_held: bool | None


@dataclass(frozen=True)
class BesideUN:
    """Our errors and the UN's: a summary and one row per location.

    Attributes
    ----------
    sentence : str
        A summary for these locations.
    overall : str
        A sentence on how many outcomes were inside our intervals, for all countries.
    columns : list of (int, int)
        Editions, and the years forecast from them.
    rows : list of (str, list of Comparison or None)
        A name and its comparisons, one per column; None if the edition lacks the location.
    """

    sentence: str
    overall: str
    columns: list[tuple[int, int]]
    rows: list[tuple[str, list[Comparison | None]]]


def look_far(question: Question) -> pf.Forecast:
    """Return the forecast up to the last year that can be forecast."""
    panel = get_session(question.revision).panel
    start, end = panel.origin + panel.step, last_year(panel)
    return replace(question, start=start, end=end, levels=(MILESTONE_LEVEL,)).answer()


def describe_milestones(far: pf.Forecast) -> list[Place]:
    """Return the milestones of each location in a forecast up to the last year that can be forecast."""
    sentences: dict[Hashable, list[str]] = {}
    for milestone in find_milestones(far):
        sentences.setdefault(milestone.location_code, []).append(milestone.sentence)
    names = far.locations["name"].to_dict()
    return [Place(names[code], told) for code, told in list(sentences.items())[:MOST_TOLD]]


def describe_record(fc: pf.Forecast) -> list[Record]:
    """Return the accuracy of this model for these locations at past origins, on the data of its revision."""
    record = get_session(str(fc.provenance["revision"])).record
    told = record[(record["model"] == fc.model.name) & record["location_code"].isin(fc.locations.index)]
    names = fc.locations["name"]
    by_code = dict(iter(told.groupby("location_code", sort=False)))
    asked = [code for code in fc.locations.index if code in by_code][:MOST_TOLD]
    return [Record(names[code], _tell(by_code[code]), list(_list_horizons(by_code[code]))) for code in asked]


def compare_with_un(fc: pf.Forecast) -> BesideUN | None:
    """Return our errors and the UN's for these locations, from the 2010 and 2012 editions; None if there are none."""
    record = get_vintage_record()
    known = set(record["location_code"])
    codes = [code for code in fc.locations.index if code in known][:MOST_TOLD]
    told = record[record["location_code"].isin(codes)]
    if told.empty:
        return None
    compared = {(row["location_code"], row["vintage"], row["year"]): row for row in told.to_dict("records")}
    columns = sorted(told[["vintage", "year"]].drop_duplicates().itertuples(index=False, name=None))
    rows = [
        (name, [_compare(compared.get((code, *column))) for column in columns])
        for code, name in fc.locations["name"].items()
        if code in codes
    ]
    return BesideUN(
        _sum_up(told),
        tell_coverage(record).replace("'", "’"),
        [(get_edition(name).edition, year) for name, year in columns],
        rows,
    )


def answer_in_words(fc: pf.Forecast) -> list[str]:
    """Return the last year's figure of each location with its interval; empty for many locations.

    Examples
    --------
    >>> answer_in_words(Question((900,), 2030, 2035, "ar1", "wpp2019").answer())
    ['9.243 billion in 2035 (80%: 9.202 to 9.285 billion)']
    """
    if len(fc.locations) > MOST_ANSWERED:
        return []
    year, is_ahead = int(fc.years[-1]), fc.years[-1] > fc.origin
    level = MILESTONE_LEVEL if MILESTONE_LEVEL in fc.levels else next(iter(fc.levels), None)
    told = []
    for i, name in enumerate(fc.locations["name"]):
        # All figures of the chart's read-out, so that both are rounded alike.
        sides = [bounds[each][i, -1] for each in fc.levels for bounds in (fc.lower, fc.upper)] if is_ahead else []
        rounding = round_in_words(fc.population[i, -1], *sides)
        words = f"{rounding.say(fc.population[i, -1])} in {year}"
        if is_ahead and level is not None:
            words += f" ({level:g}%: {rounding.say_range(fc.lower[level][i, -1], fc.upper[level][i, -1])})"
        told.append(f"{name}: {words}" if len(fc.locations) > 1 else words)
    return told


def describe_intervals(fc: pf.Forecast) -> str:
    """Return the sentence that states what the intervals allow for."""
    return write_sentence(INTERVALS[str(fc.provenance["intervals"])])


def explain_un(fc: pf.Forecast) -> str:
    """Return what makes a location's forecast differ from the UN's in 2050, or in the last year asked for."""
    year, medium = min(int(fc.years[-1]), MIDDLE), get_session(str(fc.provenance["revision"])).medium
    if len(fc.locations) > 1 or medium is None:
        return ""
    stated = [values[years == year] for years, values in select_references(fc, medium).values()]
    return explain_difference(fc, 0, year, stated[0][0]).replace("'", "’") if stated and len(stated[0]) else ""


def name_unrecorded(fc: pf.Forecast) -> list[str]:
    """Return the names of locations without a track record, which are user-defined groups."""
    known = set(get_session(str(fc.provenance["revision"])).panel.locations.index)
    return [name for code, name in fc.locations["name"].items() if code not in known]


def explain_untested(fc: pf.Forecast) -> str:
    """Return why this model has no test on the data of this revision; empty if it has."""
    return UNRECORDED.get((str(fc.provenance["revision"]), fc.model.name), "")


def has_real_time_record(fc: pf.Forecast) -> bool:
    """Return whether the real-time record is for this model."""
    return fc.model.name == DEFAULT_MODEL


def _tell(told: pd.DataFrame) -> str:
    by_horizon = {row["horizon"]: row for row in told.to_dict("records")}
    near, far = by_horizon[NEAR], by_horizon[FAR]
    errors = [format_percent(row["mape"], 1) for row in (near, far)]
    covered = "every outcome" if far["coverage_95"] == 100 else f"{format_percent(far['coverage_95'], 0)} of outcomes"
    return (
        f"Forecasts made this way each year since {FIRST_ORIGIN} would have been off by {errors[0]} on average after "
        f"{NEAR} years and {errors[1]} after {FAR}; after {FAR} years, {covered} fell inside the 95% range."
    )


def _list_horizons(told: pd.DataFrame) -> Iterator[Ahead]:
    for row in told.to_dict("records"):
        yield Ahead(
            row["horizon"],
            row["n"],
            format_percent(row["mape"], 2),
            format_percent(row["median_ape"], 2),
            format_percent(row["coverage_80"], 0),
            format_percent(row["coverage_95"], 0),
        )


def _compare(row: dict[Hashable, Any] | None) -> Comparison | None:
    if row is None:
        return None
    held = (None if pd.isna(row[column]) else bool(row[column]) for column in HELD)
    edition = get_edition(str(row["vintage"])).edition
    return Comparison(edition, row["year"], format_percent(row["ape"], 1), format_percent(row["un_ape"], 1), *held)


def _sum_up(told: pd.DataFrame) -> str:
    then, since, theirs = (told[column].dropna() for column in HELD)
    words = _count_closer(told[told["un_ape"].notna()])
    if len(then):
        words += (
            f" Our 95% range, using what was known at the time, contained {int(then.sum())} of {len(then)} outcomes; "
            f"after allowing for the UN’s later revisions of other countries, {int(since.sum())} of {len(since)}."
        )
    else:
        words += " Our ranges are evaluated for countries only."
    if len(theirs):
        words += f" The UN’s range contained {int(theirs.sum())} of {len(theirs)}"
        bare = _list_bare(told)
        words += f" (the {join_words(bare)} edition{'s' * (len(bare) > 1)} gave no range)." if bare else "."
    return words


def _count_closer(beside: pd.DataFrame) -> str:
    ours, theirs = (int((beside[a] < beside[b]).sum()) for a, b in (("ape", "un_ape"), ("un_ape", "ape")))
    n = len(beside)
    comparisons = {1: "the only comparison", 2: "both comparisons"}.get(n, f"all {n} comparisons")
    if theirs == n:
        return f"The UN was closer in {comparisons}."
    if ours == n:
        return f"Our forecast was closer in {comparisons}."
    return f"Our forecast was closer in {ours} of {n} comparisons, the UN’s in {theirs}."


def _list_bare(told: pd.DataFrame) -> list[str]:
    """Return the editions without UN intervals for these locations."""
    stated = told.groupby("vintage")["un_held_95"].count()
    return [str(get_edition(str(vintage)).edition) for vintage in stated.index[stated == 0]]
