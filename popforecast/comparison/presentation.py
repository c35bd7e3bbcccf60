"""What a later revision changed, for people: tables and sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from popforecast.comparison.measurement import LEVELS, Comparison, find_moved
from popforecast.display import format_population
from popforecast.revisions import take_years
from popforecast.sources import get_edition, load_panel, load_projections

# Changes, in percent, that are counted; and what counts as far.
LARGE = (1, 5, 10)
FAR = 5

PERCENT = "\u00a0%"


def count_changes(comparison: Comparison) -> pd.DataFrame:
    """Return how far the estimates of the common years changed: median and largest, and how many countries by much."""
    earlier, later = comparison.pairing.earlier, comparison.pairing.later
    years = [year for year in earlier.years.tolist() if year in later.years and (year % 10 == 0)]
    change = 100 * np.abs(take_years(later, years) / take_years(earlier, years) - 1)
    counted = {f"{limit} % or more": (change >= limit).sum(axis=0) for limit in LARGE}
    return pd.DataFrame(
        {"median change, percent": np.median(change, axis=0).round(2), **counted}, index=pd.Index(years, name="year")
    )


def sum_regions(comparison: Comparison) -> pd.DataFrame:
    """Return how base figures and forecasts changed by region, in percent: sums of the countries compared."""
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
    """Return how many of the later revision's figures the earlier one's intervals held, by year, in percent."""
    by_year = comparison.held.groupby("year")
    return pd.DataFrame(
        {"countries": by_year.size()}
        | {f"held by {level} %": (100 * by_year[f"held_{level}"].mean()).round(1) for level in LEVELS}
    )


def score_errors(comparison: Comparison) -> pd.DataFrame:
    """Return the model's errors on either revision's figures, mean / median in percent, by years ahead."""
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


def list_renamed(comparison: Comparison) -> pd.DataFrame:
    """Return the countries that bear another name in the later revision."""
    before, after = (panel.locations["name"] for panel in (comparison.pairing.earlier, comparison.pairing.later))
    renamed = before[before.to_numpy() != after.to_numpy()].index
    return pd.DataFrame({"was": before[renamed].to_numpy()}, index=pd.Index(after[renamed], name="location"))


def tabulate_moved(comparison: Comparison) -> pd.DataFrame:
    """Return the countries whose forecast moved most, for people: population, forecast and whether intervals held."""
    moved, base, year = find_moved(comparison), comparison.base, comparison.year
    held = comparison.held.unstack("year")
    table = {
        f"{base}, then": moved["base_then"].map(format_population),
        "now": moved["base_now"].map(format_population),
        "change": _sign(moved["past"]),
        f"{year}, then": moved["forecast_then"].map(format_population),
        "now ": moved["forecast_now"].map(format_population),
        "change ": _sign(moved["forecast"]),
        "of it growth": _sign(moved["growth"]),
    }
    for level in LEVELS:
        whole = held[f"held_{level}"].loc[moved.index].all(axis=1)
        table[f"{level} % held"] = whole.map({True: "yes", False: "no"})
    return pd.DataFrame(table).set_axis(moved["location"].rename("location"))


def tabulate_all(comparison: Comparison, horizon: int = 10) -> pd.DataFrame:
    """Return every country: changes, whether the old interval held all later figures, and errors on either revision."""
    changes = comparison.changes
    table = {
        f"{comparison.base}": _sign(changes["past"]),
        "largest": _sign(changes["largest"]) + " (" + changes["largest_year"].astype(str) + ")",
        f"{comparison.year}": _sign(changes["forecast"]),
    }
    for level in LEVELS:
        table[f"{level} % held"] = _count_held(comparison.held[f"held_{level}"], changes.index)
    at = comparison.errors[comparison.errors["horizon"] == horizon]
    for name, errors in at.groupby("revision", sort=False):
        table[f"error, {name}"] = errors.groupby("code")["ape"].mean().reindex(changes.index).map("{:.1f}".format)
    return pd.DataFrame(table).set_axis(changes["location"].rename("location")).sort_index()


def tell_finding(comparison: Comparison) -> str:
    """Say what the later revision changed, in two sentences."""
    changes, base, year = comparison.changes, comparison.base, comparison.year
    old, new = comparison.pairing.earlier, comparison.pairing.later
    far = (changes["past"].abs() >= FAR).sum()
    ahead = comparison.held[comparison.held.index.get_level_values("year") > base]
    furthest = find_moved(comparison, 3)
    named = ", ".join(f"{row.location} ({_write(row.forecast, 0)} %)" for row in furthest.itertuples())
    held = " and ".join(f"{100 * ahead[f'held_{level}'].mean():.0f} % in its {level} % intervals" for level in LEVELS)
    return (
        f"{new.revision} changed the population of {base} by {changes['past'].abs().median():.1f} % in the median of "
        f"{len(changes)} countries, and by {FAR} % or more in {far}. It moved our forecast for {year} by "
        f"{changes['forecast'].abs().median():.1f} % in the median, and furthest for {named}. Of what it states for "
        f"{base + 1} to {new.origin}, the forecast from {old.revision} held {held}."
    )


def tell_forecast(comparison: Comparison) -> str:
    """Say how much of the change of forecasts is the base figure's, and how near the UN's medium variant is."""
    changes, year = comparison.changes, comparison.year
    old, new = (str(panel.revision) for panel in (comparison.pairing.earlier, comparison.pairing.later))
    base, growth = np.log1p(changes["past"] / 100).abs(), np.log1p(changes["growth"] / 100).abs()
    more = int((base >= growth).sum())
    said = (
        f"In {more} of {len(changes)} countries the base figure moved the forecast for {year} more than growth did, in "
        f"{len(changes) - more} growth did."
    )
    absent = [name for name in (old, new) if not get_edition(name).has_projections]
    if absent:
        said += f" The UN's medium variant is not embedded for {' and '.join(absent)}, so how it moved cannot be said."
    if new in absent:
        return said
    medium = load_projections(new)
    medium = medium[medium["year"] == year].set_index("location_code")["population"].reindex(changes.index)
    apart = 100 * (changes["forecast_now"] / medium - 1).abs().median()
    return f"{said} That of {new} lies {apart:.1f}{PERCENT} from our forecast in the median country."


def describe_sources(comparison: Comparison) -> str:
    """Say which figures were compared."""
    panels = [load_panel(str(panel.revision)) for panel in (comparison.pairing.earlier, comparison.pairing.later)]
    each = (f"{panel.source}, {panel.years[0]} to {panel.origin}, checksum {panel.checksum[:12]}" for panel in panels)
    return f"{'; '.join(each)}; {comparison.model}"


def _count_held(held: pd.Series, codes: pd.Index) -> pd.Series:
    by_code = held.groupby("code")
    return by_code.sum().astype(int).reindex(codes).astype(str) + " of " + by_code.size().reindex(codes).astype(str)


def _sign(percent: pd.Series) -> pd.Series:
    return percent.map(_write)


def _write(percent: float, digits: int = 1) -> str:
    return f"{percent:+z.{digits}f}".replace("-", "−")
