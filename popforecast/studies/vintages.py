"""Tables and text of the notebook ``4-vintages``: error ratios to the UN, coverage and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

import popforecast.models as models
from popforecast.evaluation.bootstrap import MEASURES, Measure, Ratio, bound_ratio
from popforecast.evaluation.halves import REPORTED, choose
from popforecast.evaluation.medium import find_projections
from popforecast.evaluation.real_time import LEVEL, relate_to_medium
from popforecast.evaluation.vintages import PUBLISHED, RAW, REBASED, UN, Vintages
from popforecast.forecasting import REAL_TIME
from popforecast.forecasting.revision_error import list_published
from popforecast.text import VINTAGE_INTERVALS, VINTAGE_NAMES, join_words
from popforecast.wpp.editions import load_panel

KEYS = ["vintage", "year", "basis"]

OVERALL = " across all vintages and years"

VERDICTS = {"win": "{model} was closer", "tie": "a tie", "loss": "the UN was closer"}


def join_scores(results: Mapping[str, Vintages]) -> pd.DataFrame:
    """Return the scores of all vintages, with a column for the vintage."""
    scores = {name: result.scores() for name, result in results.items()}
    return pd.concat(scores, names=["vintage"]).reset_index("vintage")


def take_points(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per source, year and basis, because errors do not depend on the kind of interval."""
    return scores.drop_duplicates([*KEYS, "source"])


def name_intervals(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with the kind of interval added to the source if a model has two kinds."""
    names = scores["intervals"].map(VINTAGE_NAMES)
    return scores.assign(source=scores["source"].where(names.isna(), scores["source"] + ", " + names))


def tabulate_errors(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean and median errors of every source, in percent."""
    points = take_points(scores)
    figures = points["mape"].map("{:.2f}".format) + " / " + points["median_ape"].map("{:.2f}".format)
    table = points.assign(figures=figures).pivot(index=KEYS, columns="source", values="figures")
    return table[scores["source"].unique().tolist()]


def tabulate_intervals(scores: pd.DataFrame) -> pd.DataFrame:
    """Return coverage, width and WIS of the intervals of each source, on the raw basis."""
    bounded = name_intervals(scores[(scores["basis"] == RAW) & scores["wis"].notna()])
    levels = [column.removeprefix("coverage_") for column in map(str, bounded) if column.startswith("coverage_")]
    columns = {f"coverage_{level}": f"in {level}%" for level in levels}
    columns |= {f"width_{levels[-1]}": f"width, {levels[-1]}%", "wis": "WIS"}
    table = bounded.set_index(["vintage", "year", "source"])[list(columns)].rename(columns=columns)
    return table.round(1)


def relate_to_un(results: Mapping[str, Vintages], model: str) -> pd.DataFrame:
    """Return the model's mean and median errors relative to the UN's, with 95% intervals; empty without the UN."""
    rows = {
        (name, year, basis): _compare(result.errors, model, year, basis)
        for name, result in results.items()
        if _has_un(result)
        for year in result.errors["year"].unique().tolist()
        for basis in (RAW, REBASED)
    }
    columns = [text for measure in MEASURES for text in (f"{measure}, ratio [95%]", f"closer, {measure}")]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).set_axis(
        pd.MultiIndex.from_tuples(list(rows), names=KEYS) if rows else pd.MultiIndex.from_arrays([[]] * 3, names=KEYS)
    )


def tabulate_ratios(vintages: Sequence[str], truth: str, models: Sequence[str]) -> pd.DataFrame:
    """Return each model's errors of growth relative to the UN's, with 90% intervals; empty without the UN."""
    compared = [name for name in vintages if find_projections(load_panel(name)) is not None]
    if not compared:
        return pd.DataFrame()
    table = relate_to_medium(compared, truth, models)
    texts = {}
    for measure in MEASURES:
        figures = table[[measure, f"{measure}_lower_{LEVEL}", f"{measure}_upper_{LEVEL}"]].to_numpy()
        texts[f"{measure}, ratio [{LEVEL}%]"] = [str(Ratio(*row)) for row in figures]
    keys = table[["source", "vintage"]].assign(year=table["year"].astype("string").fillna("all"))
    return keys.assign(**texts).set_index(["source", "vintage", "year"])


def tell_finding(results: Mapping[str, Vintages], model: str) -> str:
    """Describe the errors of the model and the UN in the last year of the last vintage, and the coverage."""
    name, result = list(results.items())[-1]
    year = int(result.errors["year"].max())
    scores = take_points(join_scores({name: result})).query("year == @year").set_index(["source", "basis"])
    said = f"Using {name} data up to {result.origin}, {model} was off by {scores['mape'][model, RAW]:.1f}% on average"
    if not _has_un(result):
        said += (
            f" in {year}, and by {scores['mape'][model, REBASED]:.1f}% after correcting the base-year population; the "
            "UN's forecasts of that edition are not embedded."
        )
    else:
        raw, rebased = (_bound(result.errors, model, year, basis) for basis in (RAW, REBASED))
        said += (
            f" in {year} and the UN by {scores['mape'][UN, RAW]:.1f}% (ratio {raw}: {_judge(raw, model)}); after "
            f"correcting the base-year population, by {scores['mape'][model, REBASED]:.1f}% and "
            f"{scores['mape'][UN, REBASED]:.1f}% (ratio {rebased}: {_judge(rebased, model)})."
        )
    return f"{said} {_tell_coverage(results, model)}"


def explain_intervals(results: Mapping[str, Vintages], sources: Sequence[str]) -> str:
    """Explain, in Markdown, what the intervals of each source allow for; valid for any parameters."""
    calibrated = [name for name in sources if models.get(name).calibrated]
    plain = [name for name in sources if name not in calibrated]
    said = []
    if calibrated:
        said += [f"- **{VINTAGE_NAMES[kind]}** (`{kind}`): {meaning}." for kind, meaning in VINTAGE_INTERVALS.items()]
        said.append("- A country's own later revision widens only the intervals of others (five folds).")
        alone = [name for name, result in results.items() if not list_published(result.vintage)]
        if alone:
            said.append(
                f"- No edition before {join_words(alone)} is embedded, so its intervals *{VINTAGE_NAMES[PUBLISHED]}* "
                "allow for no revision."
            )
        said.append(
            f"- After rebasing, the base population is known: the intervals of {join_words(calibrated)} then allow for "
            "errors in growth only."
        )
    if plain:
        said.append(f"- {join_words(plain)}: analytic intervals, which allow for random error only.")
    with_un = [name for name, result in results.items() if _has_un(result)]
    bounded = [name for name in with_un if _states_bounds(results[name])]
    if bounded:
        said.append(
            f"- {UN}, {join_words(bounded)}: the UN's own intervals, which allow for uncertain fertility and mortality "
            "and take the base population and migration as known."
        )
    bare = [name for name in with_un if name not in bounded]
    if bare:
        said.append(f"- {UN}, {join_words(bare)}: no intervals were published.")
    return "\n".join(said)


def tell_dependence(results: Mapping[str, Vintages]) -> str:
    """Describe the correlation of base errors between vintages; empty for a single vintage."""
    if (table := correlate_bases(results)) is None:
        return "There is only one vintage here, so this is a single trial."
    lowest = table.to_numpy()[np.tril_indices(len(table), -1)].min()
    return (
        f"The vintages are not independent trials if their base errors are correlated. Across the countries that all "
        f"of them include, the correlation is {lowest:.2f}{' or more' if len(results) > 2 else ''}:"
    )


def correlate_bases(results: Mapping[str, Vintages]) -> pd.DataFrame | None:
    """Return the correlations of base errors between vintages, over the countries in all; None for a single vintage."""
    if len(results) < 2:
        return None
    revisions = {name: result.base_errors["log_revision"] for name, result in results.items()}
    return pd.DataFrame(revisions).dropna().corr().round(2)


def tell_design(results: Mapping[str, Vintages], model: str) -> str:
    """Describe how later data influenced the choice of our models, and the accuracy of the model where they did not."""
    said = (
        "Each model's parameters are estimated from the vintage alone. The design of our newer models came later: we "
        "chose it on half of the countries of the 2024 edition (see *5. Peers*), which did not exist at the time."
    )
    name, result = list(results.items())[-1]
    if not _has_un(result):
        return said
    errors = result.errors
    kept = errors[choose(pd.Index(errors["location_code"]), REPORTED)]
    year = int(errors["year"].max())
    ratios = {basis: _bound(kept, model, year, basis) for basis in (RAW, REBASED)}
    return (
        f"{said} On the other half ({kept['location_code'].nunique()} countries of {name}), {model}'s mean error in "
        f"{year} divided by the UN's is {ratios[RAW]} raw and {ratios[REBASED]} rebased."
    )


def _compare(errors: pd.DataFrame, model: str, year: int, basis: str) -> list[str]:
    ratios = [_bound(errors, model, year, basis, measure) for measure in MEASURES]
    return [text for ratio in ratios for text in (str(ratio), _judge(ratio, model))]


def _bound(errors: pd.DataFrame, model: str, year: int, basis: str, measure: Measure = "mean") -> Ratio:
    at = errors[(errors["year"] == year) & (errors["basis"] == basis)].drop_duplicates(["source", "location_code"])
    wide = at.pivot(index="location_code", columns="source", values="ape")
    return bound_ratio(wide[model], wide[UN], wide.index, measure)


def _judge(ratio: Ratio, model: str) -> str:
    return VERDICTS[ratio.verdict].format(model=model)


def _tell_coverage(results: Mapping[str, Vintages], model: str) -> str:
    result = list(results.values())[-1]
    level = max(result.levels)
    scores = join_scores(results).query("basis == @RAW").sort_values(["vintage", "year"])
    by_kind = dict(iter(scores[scores["source"] == model].groupby("intervals")[f"coverage_{level:g}"]))
    last = scores[scores["vintage"] == list(results)[-1]].groupby(["source", "intervals"])[f"coverage_{level:g}"].last()
    if PUBLISHED in by_kind:
        then, since = _tell_range(by_kind[PUBLISHED], OVERALL), _tell_range(by_kind[REAL_TIME])
        said = (
            f"{model}'s {level:g}% intervals contained {last[model, PUBLISHED]:.0f}% of outcomes using what was known "
            f"at the time{then}, and {last[model, REAL_TIME]:.0f}%{since} after allowing for later revisions of other "
            "countries, which could not be known in advance"
        )
    else:
        (kind, shares), *_ = by_kind.items()
        said = (
            f"{model}'s {level:g}% intervals allow for random error only and contained {last[model, kind]:.0f}% of "
            f"outcomes{_tell_range(shares, OVERALL)}"
        )
    if _states_bounds(result):
        return f"{said}; the UN's contained {last[UN].iloc[0]:.0f}%."
    return f"{said}; the UN published none." if _has_un(result) else f"{said}."


def _tell_range(shares: pd.Series, over: str = "") -> str:
    return f" ({shares.min():.0f} to {shares.max():.0f}%{over})" if len(shares) > 1 else ""


def _has_un(result: Vintages) -> bool:
    return UN in set(result.errors["source"])


def _states_bounds(result: Vintages) -> bool:
    theirs = result.errors[result.errors["source"] == UN]
    return bool(len(theirs)) and bool(theirs[f"lower_{max(result.levels):g}"].notna().any())
