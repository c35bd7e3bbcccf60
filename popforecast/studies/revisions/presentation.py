"""Tables and text on the changes between two revisions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from popforecast.evaluation.record import UNRECORDED
from popforecast.forecasting.revision_error import list_published
from popforecast.studies.revisions.measurement import (
    FIRST_ORIGIN,
    LEVELS,
    PLAIN,
    SINCE,
    SMALL,
    THEN,
    Comparison,
    find_moved,
    is_small,
)
from popforecast.text import VINTAGE_INTERVALS, VINTAGE_NAMES, round_in_full, sign
from popforecast.wpp.editions import DEFAULT_REVISION, VINTAGES, get_edition, load_panel, load_projections
from popforecast.wpp.pairing import take_years

# Thresholds of change, in percent: those in the table, and the one in the text.
LARGE = (1, 5, 10)
FAR = 5

_ALLOWING = {
    THEN: "using what was known at the time",
    SINCE: "after allowing for later revisions, which could not be known in advance",
    PLAIN: "allowing for random error only",
}


def count_changes(comparison: Comparison) -> pd.DataFrame:
    """Return the median change of estimates and the number of countries above each threshold, by common year."""
    earlier, later = comparison.pairing.earlier, comparison.pairing.later
    years = [year for year in earlier.years.tolist() if year in later.years and (year % 10 == 0)]
    change = 100 * np.abs(take_years(later, years) / take_years(earlier, years) - 1)
    counted = {f"{limit}% or more": (change >= limit).sum(axis=0) for limit in LARGE}
    return pd.DataFrame(
        {"median change, percent": np.median(change, axis=0).round(2), **counted}, index=pd.Index(years, name="year")
    )


def sum_regions(comparison: Comparison) -> pd.DataFrame:
    """Return the changes of base-year population and forecast by region, in percent, summed over countries."""
    changes = comparison.changes
    columns = ["base_then", "base_now", "forecast_then", "forecast_now"]
    sums = changes.groupby("region")[columns].sum()
    sums.loc["All compared"] = changes[columns].sum()
    return pd.DataFrame(
        {
            f"population of {comparison.base}": _sign(100 * (sums["base_now"] / sums["base_then"] - 1)),
            f"forecast for {comparison.year}": _sign(100 * (sums["forecast_now"] / sums["forecast_then"] - 1)),
        }
    )


def score_held(comparison: Comparison) -> pd.DataFrame:
    """Return the share of later estimates within the earlier revision's intervals, by year, in percent."""
    tables = {}
    for kind in list_kinds(comparison):
        by_year = comparison.held.xs(kind, level="intervals").groupby("year")
        held = {f"within {level}%": (100 * by_year[f"held_{level}"].mean()).round(1) for level in LEVELS}
        tables[VINTAGE_NAMES.get(kind, kind)] = pd.DataFrame({"countries": by_year.size()} | held)
    return pd.concat(tables, names=["intervals"])


def list_kinds(comparison: Comparison) -> list[str]:
    """Return the kinds of intervals compared; those published at the time come first."""
    return comparison.held.index.unique("intervals").tolist()


def score_errors(comparison: Comparison) -> pd.DataFrame:
    """Return the mean and median backtest errors on each revision, in percent, by years ahead."""
    errors = comparison.errors
    table = errors.groupby(["horizon", "revision"])["ape"].agg(["mean", "median"]).round(2).unstack("revision")
    names = errors["revision"].unique()
    columns = {
        name: table["mean"][name].map("{:.2f}".format) + " / " + table["median"][name].map("{:.2f}".format)
        for name in names
    }
    return pd.DataFrame({"forecasts": errors.groupby("horizon").size() // len(names), **columns}).rename_axis(
        "years ahead"
    )


def explain_errors(comparison: Comparison) -> str:
    """Explain the table of :func:`score_errors`, and why a revision is missing in it."""
    names = [str(panel.revision) for panel in (comparison.pairing.earlier, comparison.pairing.later)]
    untested = [UNRECORDED[name, comparison.model] for name in names if (name, comparison.model) in UNRECORDED]
    said = (
        f"{comparison.model} at the same origins (every fifth year from {FIRST_ORIGIN}), on each edition's own figures "
        "up to the last year that both have. Mean / median absolute error in percent of the outcome. This is final "
        "data: errors in real time include revisions of the base figures."
    )
    if untested:
        return f"{said} {' '.join(untested)}"
    return f"{said} The model is the same, so any difference between the columns comes from the figures."


def list_renamed(comparison: Comparison) -> pd.DataFrame:
    """Return the countries renamed in the later revision."""
    before, after = (panel.locations["name"] for panel in (comparison.pairing.earlier, comparison.pairing.later))
    renamed = before[before.to_numpy() != after.to_numpy()].index
    return pd.DataFrame({"was": before[renamed].to_numpy()}, index=pd.Index(after[renamed], name="location"))


def tabulate_moved(comparison: Comparison) -> pd.DataFrame:
    """Return the countries with the largest changes, for display: population, forecast and coverage."""
    moved, base, year = find_moved(comparison), comparison.base, comparison.year
    whole = comparison.held.groupby(level=["code", "intervals"], sort=False).all().unstack("intervals")
    columns = ["base_then", "base_now", "forecast_then", "forecast_now"]
    persons = moved[columns].map(round_in_full(moved[columns].to_numpy().ravel().tolist()).write)
    table = {
        f"{base}, then": persons["base_then"],
        "now": persons["base_now"],
        "change": _sign(moved["past"]),
        f"{year}, then": persons["forecast_then"],
        "now ": persons["forecast_now"],
        "change ": _sign(moved["forecast"]),
        "of which growth": _sign(moved["growth"]),
    }
    for level in LEVELS:
        answers = whole.loc[moved.index, f"held_{level}"].replace({True: "yes", False: "no"})
        table[f"within {level}%"] = answers[list_kinds(comparison)].apply(" / ".join, axis=1)
    return pd.DataFrame(table).set_axis(moved["location"].rename("location"))


def tabulate_all(comparison: Comparison, horizon: int = 10) -> pd.DataFrame:
    """Return all countries: changes, whether the old interval contained all later estimates, and errors."""
    changes = comparison.changes
    table = {
        f"{comparison.base}": _sign(changes["past"]),
        "largest": _sign(changes["largest"]) + " (" + changes["largest_year"].astype(str) + ")",
        f"{comparison.year}": _sign(changes["forecast"]),
    }
    for level in LEVELS:
        table[f"within {level}%"] = _count_held(comparison, level)
    at = comparison.errors[comparison.errors["horizon"] == horizon]
    for name, errors in at.groupby("revision", sort=False):
        table[f"error, {name}"] = errors.groupby("code")["ape"].mean().reindex(changes.index).map("{:.1f}".format)
    return pd.DataFrame(table).set_axis(changes["location"].rename("location")).sort_index()


def tell_finding(comparison: Comparison) -> str:
    """Describe the changes in the later revision, and the coverage of the earlier revision's intervals."""
    changes, base, year = comparison.changes, comparison.base, comparison.year
    old, new = comparison.pairing.earlier, comparison.pairing.later
    far = (changes["past"].abs() >= FAR).sum()
    ahead = comparison.held[comparison.held.index.get_level_values("year") > base].groupby("intervals")
    shares = [100 * ahead[f"held_{level}"].mean() for level in LEVELS]
    furthest = find_moved(comparison, 3)
    moved = zip(furthest["location"], furthest["forecast"], strict=True)
    named = ", ".join(f"{name} ({sign(percent, 0)}%)" for name, percent in moved)
    held = ", and ".join(
        f"{' and '.join(f'{share[kind]:.0f}%' for share in shares)} {_ALLOWING[kind]}"
        for kind in list_kinds(comparison)
    )
    return (
        f"{new.revision} revised {base} populations by a median {changes['past'].abs().median():.1f}% "
        f"({len(changes)} countries), and by {FAR}% or more in {far}. Our forecasts for {year} changed by a median "
        f"{changes['forecast'].abs().median():.1f}%; those that changed most, among places with at least 100,000 "
        f"people, are for {named}. Of the {new.revision} figures for {base + 1}–{new.origin}, the "
        f"{' and '.join(f'{level}%' for level in LEVELS)} intervals of our forecast from {old.revision} contained "
        f"{held}."
    )


def tell_forecast(comparison: Comparison) -> str:
    """Describe the part of forecast changes due to the base year, and the distance to the UN medium variant."""
    changes, year = comparison.changes, comparison.year
    old, new = (str(panel.revision) for panel in (comparison.pairing.earlier, comparison.pairing.later))
    base, growth = np.log1p(changes["past"] / 100).abs(), np.log1p(changes["growth"] / 100).abs()
    more = int((base >= growth).sum())
    said = (
        f"In {more} of {len(changes)} countries, the revised base population changed the forecast for {year} at least "
        f"as much as revised growth did; in {len(changes) - more}, growth changed it more."
    )
    absent = [name for name in (old, new) if not get_edition(name).has_projections]
    if absent:
        said += f" The UN's medium variant is not embedded for {' and '.join(absent)}, so its change is unknown."
    if new in absent:
        return said
    projected = load_projections(new).query("year == @year").set_index("location_code")
    medium = projected["population"].reindex(changes.index)
    apart = 100 * (changes["forecast_now"] / medium - 1).abs().median()
    return f"{said} In the median country, the UN's medium variant of {new} is {apart:.1f}% from our forecast."


def tell_small(comparison: Comparison) -> str:
    """List the countries omitted from the largest changes, with the reason."""
    small, base = is_small(comparison), comparison.base
    rows = np.flatnonzero(small)
    whole = [
        str(panel.revision)
        for panel in (comparison.pairing.earlier, comparison.pairing.later)
        if len(rows) and (take_years(panel, [base])[rows] % 1000 == 0).all()
    ]
    why = f" ({' and '.join(whole)} rounds to thousands, which is coarse for them)" if whole else ""
    return (
        f"This ranking leaves out {len(rows)} places that had fewer than {SMALL:,} people in {base} in either "
        f"edition{why}. All other figures include them, and *Every country* lists them."
    )


def explain_held(comparison: Comparison) -> str:
    """Explain, in Markdown, what the old intervals allow for, and whether they use the data they are tested on."""
    old, new = comparison.pairing.earlier, comparison.pairing.later
    kinds = list_kinds(comparison)
    if kinds == [PLAIN]:
        return (
            f"{comparison.model} has analytic intervals, which allow for random error only. They begin one year after "
            "the old edition's last estimate."
        )
    before = list_published(load_panel(str(old.revision)))
    shown = (
        f"The size of revisions is estimated from how {DEFAULT_REVISION} changed {' and '.join(VINTAGES)}; these are "
        "the intervals that popforecast publishes."
    )
    if new.revision == DEFAULT_REVISION:
        shown += (
            f" They are also tested on {new.revision} here, so the test is not fully independent, although they do not "
            f"use what it changed after {old.revision}."
        )
    known = (
        f"The size of revisions is estimated from how {old.revision} changed {' and '.join(before)}."
        if before
        else f"No edition before {old.revision} is embedded, so they allow for no revision."
    )
    return "\n".join(
        [
            f"- **{VINTAGE_NAMES[THEN]}**: {VINTAGE_INTERVALS[THEN]}. {known}",
            f"- **{VINTAGE_NAMES[SINCE]}**: {VINTAGE_INTERVALS[SINCE]}. {shown}",
            f"- {comparison.base} is not a forecast year: its intervals allow for the revision only.",
        ]
    )


def tell_order(comparison: Comparison) -> str:
    """Explain the order of two values in a table cell; empty if cells have only one."""
    kinds = list_kinds(comparison)
    if len(kinds) == 1:
        return ""
    return f"Where two answers are given, they are for intervals {VINTAGE_NAMES[kinds[0]]} / {VINTAGE_NAMES[kinds[1]]}."


def describe_sources(comparison: Comparison) -> str:
    """Describe the data compared."""
    panels = [load_panel(str(panel.revision)) for panel in (comparison.pairing.earlier, comparison.pairing.later)]
    each = (f"{panel.title}, {panel.years[0]} to {panel.origin}, checksum {panel.checksum[:12]}" for panel in panels)
    return f"{'; '.join(each)}; {comparison.model}"


def _count_held(comparison: Comparison, level: float) -> pd.Series:
    held = comparison.held[f"held_{level}"].astype(int).groupby(level=["code", "intervals"], sort=False)
    counts, years = held.sum().unstack("intervals"), held.size().groupby("code").first()
    told = counts[list_kinds(comparison)].astype(str).apply(" / ".join, axis=1)
    return (told + " of " + years.astype(str)).reindex(comparison.changes.index)


def _sign(percent: pd.Series) -> pd.Series:
    return percent.map(sign)
