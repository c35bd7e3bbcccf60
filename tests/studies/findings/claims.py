"""What pages claim, each claim checked against figures computed here: ``@claim("3-backtest")`` on a check adds one.

A check is given a page: what was asked for, and what it says. It raises where a sentence says what the figures refute,
or says nothing where something must be said. It reads sentences by their figures, not word by word, so that prose can
be rewritten; where a figure is claimed in words that no check knows, the check fails and must learn them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.tsa.api import AutoReg

import popforecast as pf
from popforecast.evaluation.peers import compare as score_peers
from popforecast.evaluation.peers import load_peers
from popforecast.evaluation.reference import load_known_table
from popforecast.evaluation.vintages import UN, compare_vintages
from popforecast.models import MODELS
from popforecast.studies.events import list_events
from popforecast.text import round_in_words
from popforecast.wpp.editions import get_edition, load_members
from popforecast.wpp.pairing import pair

EVERY = "every report"
WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}

# Models that a page names, whichever was asked for.
NAMED_ANYWAY = {
    "2-validate-ar": {"ar1"},
    "4-vintages": {"ar1", "cohort"},
    "5-peers": set(MODELS),
    "6-ages": {"cohort"},
    "country-profile": {pf.models.choose()},
    "revision-diff": {"ar1"},
}


@dataclass(frozen=True)
class Page:
    """A page that was made: the report's name, all its parameters, its finding, and all that it says."""

    name: str
    asked: dict[str, Any]
    summary: str
    prose: str

    @property
    def revision(self) -> str:
        """The revision that was asked for; where none was, the first there is."""
        return self.asked.get("revision") or min(pf.REVISIONS)

    @property
    def models(self) -> list[str]:
        """The models that were asked for."""
        return self.asked["models"] if "models" in self.asked else [self.asked.get("model", "")]

    def find(self, pattern: str) -> re.Match[str]:
        """Return where the page says something that it must say."""
        found = re.search(pattern, self.prose)
        assert found, f"{self.name} {self.asked} does not say {pattern!r}: {self.summary}"
        return found


Check = Callable[[Page], None]
CLAIMS: dict[str, list[Check]] = {}


def claim(name: str) -> Callable[[Check], Check]:
    """Enter a check of a report's pages, or of every report's."""

    def enter(check: Check) -> Check:
        CLAIMS.setdefault(name, []).append(check)
        return check

    return enter


def list_claims(name: str) -> list[Check]:
    """Return the checks of a report's pages."""
    return [*CLAIMS[EVERY], *CLAIMS.get(name, [])]


def read_page(name: str, asked: dict[str, Any], executed: Path) -> Page:
    """Read a page's sentences: its markdown, and what its cells print or give as Markdown."""
    cells = nbformat.read(executed, as_version=4).cells
    printed = {id(cell): "\n".join(_list_texts(cell)) for cell in cells if cell.cell_type == "code"}
    summary = next(text for cell in cells if "summary" in cell.metadata.get("tags", ()) for text in [printed[id(cell)]])
    said = [
        cell.source if cell.cell_type == "markdown" else printed[id(cell)]
        for cell in cells
        if "provenance" not in cell.metadata.get("tags", ())
    ]
    return Page(name, asked, _tidy(summary), _tidy("\n\n".join(said)))


def _list_texts(cell: nbformat.NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        data = output.get("data", {})
        yield (
            output.get("text")
            or data.get("text/markdown")
            or ("" if "text/html" in data else data.get("text/plain", ""))
        )


def _tidy(text: str) -> str:
    text = re.sub(r"<Figure.*?>|<IPython.*?>", "", text)
    return re.sub(r"[ \t]*\n(?!\n|- )[ \t]*", " ", text.replace("\u00a0", " ")).replace("−", "-").replace(" %", "%")


# Every report.


@claim(EVERY)
def models_that_are_named_were_asked_for(page: Page) -> None:
    """A sentence about a model that did not run is about nothing."""
    named = {name for name in MODELS if re.search(rf"(?<![\w-]){name}(?![\w-])", page.prose)}
    # These are words, too; a model's name stands as code, or as a subject.
    for word in {"ar", "drift", "naive"} & named:
        if not re.search(rf"`{word}`|(?<![\w-]){word} (?:missed|was off|had|forecasts)", page.prose):
            named.remove(word)
    assert named <= {*page.models, *NAMED_ANYWAY.get(page.name, ())}, page.summary


@claim(EVERY)
def editions_that_are_named_were_asked_for(page: Page) -> None:
    asked = [page.revision, *re.findall(r"wpp\d{4}", str(page.asked))]
    rest = {"wpp2010", "wpp2012", "wpp2024"} if page.name in ("4-vintages", "revision-diff") else set()
    assert set(re.findall(r"wpp\d{4}", page.prose)) <= {*asked, *rest}


@claim(EVERY)
def no_figure_is_missing_and_none_is_noise(page: Page) -> None:
    assert not re.search(r"\b(?:nan|inf|None|NaT)\b|-0\.0+(?!\d)%", page.summary), page.summary
    for mantissa, power in re.findall(r"(\d(?:\.\d+)?)e-(\d+)", page.prose):
        assert f"better than {mantissa}e-{power}" in page.prose, f"{mantissa}e-{power} is rounding"


@claim(EVERY)
def ones_own_figures_are_not_told_of_as_the_uns(page: Page) -> None:
    if page.asked.get("data"):
        assert not re.search(r"M49|pandemic|real-time|countries'|interpolated", page.prose)


# 1-prepare.


@claim("1-prepare")
def series_rows_and_breaks_are_counted(page: Page) -> None:
    panel = pf.load_panel(page.revision)
    countries = panel.countries()
    summary = page.summary
    assert f"{len(panel)} series are complete from {panel.years[0]} to {panel.origin}" in summary
    gap = countries.values.sum(axis=0) / panel.select([900]).values[0] - 1
    assert f"within {1e6 * np.abs(gap).max():.1f} parts per million" in summary
    large = countries.values[countries.values.min(axis=1) >= 1e5]
    growth = 100 * (large[:, 1:] / large[:, :-1] - 1)
    usual = np.median(growth, axis=1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(growth - usual), axis=1, keepdims=True)
    apart = np.abs(growth - usual)
    worst = apart.argmax(axis=1)[:, None]
    broken = (np.take_along_axis(apart, worst, 1) > np.maximum(6 * spread, 2)).sum()
    assert f"{broken} countries have" in summary


@claim("1-prepare")
def the_sum_of_countries_lies_where_it_is_said_to_lie(page: Page) -> None:
    panel = pf.load_panel(page.revision)
    gap = np.rint(panel.countries().values.sum(axis=0) - panel.select([900]).values[0]).astype(int)
    if gap.min() < 0 < gap.max():
        page.find(f"between {-gap.min():,} persons below the world total and {gap.max():,} above")
        assert "does not list" not in page.prose
    else:
        page.find(f"is always {np.abs(gap).min():,} to {np.abs(gap).max():,} persons below")


# 2-validate-ar.


@lru_cache
def fit_each(checksum: str, panel: pf.Panel, lags: int, trend: str) -> list[Any]:
    """Fit every series that ever changes with statsmodels."""
    moving = [row for row in panel.values if row[:-lags].max() > row[:-lags].min()]
    return [AutoReg(row, lags, trend).fit() for row in moving]


def open_panel(asked: dict[str, Any]) -> pf.Panel:
    """Return the panel that a page is of."""
    if asked.get("data"):
        return pf.read_panel(asked["data"], asked["id"], asked["time"], asked["value"]).common()
    return pf.load_panel(asked["revision"])


@claim("2-validate-ar")
def the_known_table_is_claimed_where_the_model_gives_it_and_nowhere_else(page: Page) -> None:
    lags, trend = page.asked["lags"], page.asked["trend"]
    known = load_known_table()
    first, last = known.index[0] - 2021, known.index[-1] - 2021
    made = [
        AutoReg(row, lags, trend).fit().predict(len(row), len(row) + last)[first:]
        for row in pf.load_panel("wpp2019").select(list(known)).values
    ]
    gives = bool((np.rint(np.array(made) / 1000) == known.to_numpy().T).all())
    saw = open_panel(page.asked).checksum == pf.load_panel("wpp2019").checksum
    claimed = "reproduces the known table to the digit" in page.summary
    assert claimed == (gives and saw), page.summary
    if saw:
        assert f"{1000 * round(made[0][0] / 1000):,}" in page.summary


@claim("2-validate-ar")
def explosive_and_dependent_series_are_counted(page: Page) -> None:
    lags, trend = page.asked["lags"], page.asked["trend"]
    panel = open_panel(page.asked)
    fits = fit_each(panel.checksum, panel, lags, trend)
    roots = [np.abs(np.roots(np.r_[1, -fit.params[-lags:]])).max() for fit in fits]
    found = page.find(
        r"(\d+|None) of (\d+) series ha(?:s|ve) an explosive root, and (\d+|none) of (\d+) ha(?:s|ve) residuals"
    )
    explosive, series, dependent, tested = (0 if word.lower() == "none" else int(word) for word in found.groups())
    assert (explosive, series, tested) == (sum(root > 1 + 1e-9 for root in roots), len(panel), len(fits))
    p = [acorr_ljungbox(fit.resid, [10], model_df=lags)["lb_pvalue"].iloc[0] for fit in fits]
    assert dependent == sum(value < 0.05 for value in p)


# 3-backtest.


@lru_cache
def run_backtest(
    data: str, revision: str, models: tuple[str, ...], origins: tuple[int, ...], horizons: tuple[int, ...]
):
    """Run the backtest of a page, its figures apart from its sentences."""
    panel = pd.read_csv(data) if data else None
    if panel is not None:
        countries = pf.read_panel(data, "place", "year", "persons").common()
    else:
        countries = pf.load_panel(revision).countries()
    return countries, pf.backtest(countries, list(models), list(origins), list(horizons)).errors


def open_backtest(page: Page) -> tuple[pf.Panel, pd.DataFrame]:
    """Return the panel and the errors of a page."""
    asked = page.asked
    lists = (tuple(asked[name]) for name in ("models", "origins", "horizons"))
    return run_backtest(asked["data"], asked["revision"], *lists)


@claim("3-backtest")
def errors_and_coverage_are_those_of_the_backtest(page: Page) -> None:
    countries, errors = open_backtest(page)
    first, asked = page.models[0], page.asked
    mean = errors.groupby(["model", "horizon"])["ape"].mean()
    assert f"Over {len(countries)} " in page.summary
    assert f"{errors['origin'].nunique()} origin" in page.summary
    for horizon in {asked["closer"], max(asked["horizons"])}:
        for model in page.models[:3]:
            assert f"{mean[model, horizon]:.1f}" in page.summary, (model, horizon, page.summary)
    own = errors[errors["model"] == first]
    held = 100 * own["outcome"].between(own["lower_95"], own["upper_95"]).groupby(own["horizon"]).mean()
    said = re.findall(r"\d+", page.find(r"(?:contained|held) (\d+(?: to \d+)?%)")[1])
    assert {int(number) for number in said} == {round(held.min()), round(held.max())}, page.summary


@claim("3-backtest")
def years_that_are_named_are_origins_or_of_the_figures(page: Page) -> None:
    countries, _ = open_backtest(page)
    # What hindsight is worth is measured elsewhere, and says where.
    prose = re.sub(r"[Uu]sing only what was known in \d{4} \(the \d{4} edition\)", "", page.prose)
    # An older edition than the latest is named where the latest has today's history.
    if page.asked["revision"] != "wpp2024":
        prose = prose.replace(f"in the {page.asked['revision'][3:]} edition", "")
    named = {int(year) for year in re.findall(r"\b(?:19|20)\d\d\b", prose)}
    assert named <= {*page.asked["origins"], int(countries.years[0]), countries.origin}, named


@claim("3-backtest")
def too_narrow_and_too_wide_are_the_origins_that_were(page: Page) -> None:
    _, errors = open_backtest(page)
    own = errors[errors["model"] == page.models[0]]
    signs: dict[int, set[str]] = {}
    for (origin, _), group in own.groupby(["origin", "horizon"]):
        for level in (80, 95):
            share = group["outcome"].between(group[f"lower_{level}"], group[f"upper_{level}"]).mean()
            if abs(share - level / 100) > 2 * np.sqrt(level / 100 * (1 - level / 100) / len(group)) + 1e-12:
                signs.setdefault(origin, set()).add("narrow" if share < level / 100 else "wide")
    for kind in ("narrow", "wide"):
        said = re.search(rf"too {kind} after ([\d, and]+)", page.prose)
        expected = {origin for origin, found in signs.items() if found == {kind}}
        assert {int(year) for year in re.findall(r"\d{4}", said[1] if said else "")} == expected


@claim("3-backtest")
def the_benefit_of_hindsight_is_as_large_as_it_is_said_to_be(page: Page) -> None:
    if page.asked["data"]:
        assert "flatters" not in page.prose
        return
    ratios = measure_ratios(page.asked["revision"], tuple(page.models))
    assert ("flatters every model" in page.prose) == (min(ratios.values()) > 1)
    words = re.search(r"factor of (?:about )?(\w+) to (\w+)", page.prose)
    if words:
        low, high = (WORDS[word] for word in words.groups())
        assert low <= round(min(ratios.values()), 1) <= round(max(ratios.values()), 1) <= high, ratios
    for model, ratio in ratios.items():
        assert re.search(rf"{ratio:.1f}(?: times)? (?:\({model}\)|for {model}\b)", page.prose), (model, ratio)


@lru_cache
def measure_ratios(revision: str, models: tuple[str, ...]) -> dict[str, float]:
    """Return errors of 2020 from the edition of 2012 over those on final data, on the same countries."""
    errors = compare_vintages("wpp2012", revision, list(models), intervals="final").errors
    errors = errors[(errors["basis"] == "raw") & (errors["year"] == 2020)]
    countries = pf.load_panel(revision).countries()
    final = pf.backtest(countries, list(models), [2010], [10]).errors
    final = final[final["location_code"].isin(errors["location_code"])]
    return {
        model: errors.loc[errors["source"] == model, "ape"].mean() / final.loc[final["model"] == model, "ape"].mean()
        for model in models
    }


@claim("3-backtest")
def the_countries_of_tuning_are_named_where_there_are_countries(page: Page) -> None:
    countries, _ = open_backtest(page)
    if not {"damped-growth", "ar", "panel-ar"} & set(page.models):
        page.find("tuned on any country")
        assert "chosen and tuned" not in page.prose
        return
    if page.asked["data"]:
        return
    odd = (countries.locations.index.to_numpy() // 4 % 2 == 1).sum()
    page.find(rf"tuned on {odd} of these {len(countries)} countries, those whose M49 code")


@claim("3-backtest")
def intervals_are_said_to_be_learnt_where_they_are(page: Page) -> None:
    learnt = page.find(r"intervals of ([^.]*?) are (?:calibrated|analytic)")[1]
    for name in page.models:
        said = bool(re.search(rf"(?<![\w-]){name}(?![\w-])", learnt)) and "are calibrated on" in page.prose
        assert said == MODELS[name].calibrated, name


@claim("3-backtest")
def the_worst_misses_with_a_cause_are_counted(page: Page) -> None:
    countries, errors = open_backtest(page)
    own = errors[(errors["model"] == page.models[0]) & (errors["horizon"] == page.asked["closer"])]
    worst = own.loc[own.groupby("location_code")["ape"].idxmax()].nlargest(10, "ape")
    iso3 = countries.locations["iso3"]
    known = sum(
        any(event.turn and row.origin < event.turn <= row.year for event in list_events(iso3[row.location_code]))
        for row in worst.itertuples()
    )
    said = page.find(r"(None|All \d+|\d+ of the \d+) followed an event")[1]
    assert (0 if said == "None" else int(re.findall(r"\d+", said)[0])) == known


# country-profile.


@lru_cache
def forecast_place(revision: str, model: str, location: str) -> pf.Forecast:
    """Forecast one location to 2100, or take it from the forecast of all."""
    return look_ahead(revision, model).forecast(location, None, 2100)


@lru_cache
def look_ahead(revision: str, model: str) -> Any:
    """Forecast all locations."""
    panel = pf.load_panel(revision)
    return pf.forecast_all(panel, pf.load_fitted(revision, panel) if model == "panel-ar" else model)


def open_profile(page: Page) -> tuple[pf.Forecast, int]:
    """Return the forecast of a page, and where 2050 stands in it."""
    made = forecast_place(page.asked["revision"], page.asked["model"], page.asked["location"])
    return made, made.years.tolist().index(2050)


@claim("country-profile")
def the_finding_states_the_forecast_of_the_model_that_was_asked_for(page: Page) -> None:
    made, at = opened = open_profile(page)
    assert opened
    median, lower, upper = (made.population[0, at], made.lower[80][0, at], made.upper[80][0, at])
    rounding = round_in_words(median, lower, upper)
    stated = f"{rounding.say(median)} in 2050 (80%: {rounding.say_range(lower, upper)}"
    assert _tidy(stated) in page.summary
    page.find(rf"(?:median|forecast) of {re.escape(page.asked['model'])}(?![\w-])")
    projected = get_edition(page.asked["revision"]).has_projections
    assert ("The UN's medium variant is" in page.summary) == projected


@claim("country-profile")
def intervals_allow_for_what_they_are_said_to_allow_for(page: Page) -> None:
    model, calibrated = page.asked["model"], MODELS[page.asked["model"]].calibrated
    fan = page.find(r"The fan[^.]*\.|the fan[^.]*\.")[0]
    assert ("past errors" in fan) == calibrated
    if calibrated:
        return
    # Analytic bounds are not given as if they held: the finding says how often they have.
    code = open_profile(page)[0].locations.index[0]
    record = pf.load_record(page.asked["revision"])
    own = (record["location_code"] == code) & (record["model"] == model) & (record["horizon"] == 20)
    row = record[own].iloc[0]
    held = f"{round(row['n'] * row['coverage_80'] / 100)} of {row['n']} outcomes 20 years ahead"
    assert held in page.summary, page.summary
    assert page.prose.count(held) >= 3


@claim("country-profile")
def kinks_are_told_of_where_the_model_has_them(page: Page) -> None:
    assert ("1, 3, 5, 10 and 20 years ahead directly" in page.prose) == (page.asked["model"] == "panel-ar")


@claim("country-profile")
def an_event_that_is_known_and_recent_is_told(page: Page) -> None:
    made, _ = open_profile(page)
    panel, code = pf.load_panel(page.asked["revision"]), made.locations.index[0]
    own = list_events(panel.locations["iso3"][code])
    for event in own:
        # Once on the page: a recent one in its finding.
        assert (event.what in page.summary) == (event.last > panel.origin - 5)
        assert page.prose.count(event.what) == 1
        assert event.year <= panel.origin or f"Not in these figures, which end in {panel.origin}" in page.summary
    for member in load_members(page.asked["revision"]).get(code, ()):
        for event in list_events(panel.locations["iso3"][member]):
            told = f"{panel.locations['name'][member]} ({event.what}" in page.prose
            assert told == (event.last > panel.origin - 5)


@claim("country-profile")
def the_nearer_one_in_real_time_is_named(page: Page) -> None:
    code = open_profile(page)[0].locations.index[0]
    rows = pf.load_vintage_record()
    rows = rows[rows["location_code"] == code].sort_values(["vintage", "year"])
    if rows.empty:
        page.find("There is no real-time comparison")
        return
    ours, theirs = round(rows["ape"].iloc[-1], 1), round(rows["un_ape"].iloc[-1], 1)
    page.find(f"ours was {'as close' if ours == theirs else 'closer' if ours < theirs else 'further off'}")
    assert ("those of cohort" in page.prose) == (page.asked["model"] != "cohort")


# 4-vintages: the checks hold for any wording that gives its figures to one decimal, and coverage in whole percent.


@claim("4-vintages")
def errors_from_vintages_are_those_of_the_comparison(page: Page) -> None:
    errors = compare_vintage(page.asked["vintages"][-1], page.asked["truth"], tuple(page.models))
    last = errors[errors["year"] == errors["year"].max()]
    mean = last.groupby(["source", "basis"])["ape"].mean()
    sources = [page.models[0], *({UN} & set(last["source"]))]
    for source in sources:
        for basis in ("raw", "rebased"):
            assert f"{mean[source, basis]:.1f}%" in page.summary, (source, basis, page.summary)


@claim("4-vintages")
def coverage_that_knew_later_revisions_stands_beside_what_could_be_stated(page: Page) -> None:
    first = page.models[0]
    if not MODELS[first].calibrated or not re.search(r"95%", page.summary):
        return
    shares = {kind: set() for kind in ("real-time", "published")}
    for kind, found in shares.items():
        rows = [measure_held(vintage, page.asked["truth"], first, kind) for vintage in page.asked["vintages"]]
        pooled = pd.concat(rows)
        found |= {round(100 * pooled.mean())}
        for row in rows:
            found |= {round(100 * share) for share in row.groupby(level="year").mean()}
    said = {int(number) for number in re.findall(r"\b(\d+)%", page.summary)}
    if said & (shares["real-time"] - shares["published"]):
        assert said & shares["published"], page.summary


@lru_cache
def compare_vintage(vintage: str, truth: str, models: tuple[str, ...], kind: str = "final") -> pd.DataFrame:
    """Return the errors of forecasts from a vintage."""
    return compare_vintages(vintage, truth, list(models), intervals=kind).errors


def measure_held(vintage: str, truth: str, model: str, kind: str) -> pd.Series:
    """Return which outcomes the 95% intervals of a model held, by year."""
    errors = compare_vintage(vintage, truth, (model,), kind)
    own = errors[(errors["source"] == model) & (errors["basis"] == "raw")].set_index("year")
    return own["outcome"].between(own["lower_95"], own["upper_95"])


# 5-peers.


@claim("5-peers")
def a_win_is_beyond_chance(page: Page) -> None:
    """Whoever is said to win, or to lose, does so in a bootstrap over countries: the rest are ties."""
    low, high = bound_ratios(bool(page.asked["reported"]))
    for verb, wins in (("is more accurate at", True), ("is less accurate at", False)):
        for horizons in re.findall(rf"{verb} ((?:(?:, | and )?\d+ \([^)]*\))+)", page.summary):
            for horizon in map(int, re.findall(r"(\d+) \(", horizons)):
                assert high[horizon] < 1.005 if wins else low[horizon] > 0.995, (verb, horizon, low, high)


@lru_cache
def bound_ratios(reported: bool) -> tuple[dict[int, float], dict[int, float]]:
    """Return by horizon the 95% interval of our mean error over the best peer's, by a bootstrap of its own."""
    panel, said = pf.load_panel("wpp2024").countries(), load_peers()
    scores = score_peers(panel, said, [pf.models.choose()], reported=True)
    countries = "reported" if reported else "tuning"
    ours = pf.backtest(panel, pf.models.choose(), said.facts["origins"], said.facts["horizons"]).errors
    table = ours.merge(said.forecasts, on=["location_code", "origin", "horizon"])
    odd = table["location_code"] // 4 % 2 == 1
    table = table[~odd if reported else odd]
    random, low, high = np.random.default_rng(7), {}, {}
    for horizon, rows in table.groupby("horizon"):
        theirs = scores[(scores["set"] == countries) & ~scores["ours"] & (scores["horizon"] == horizon)]
        best = theirs.loc[theirs["mape"].idxmin(), "method"]
        each = pd.DataFrame({"ours": rows["ape"], "peer": 100 * (rows[best] / rows["outcome"] - 1).abs()})
        sums = each.groupby(rows["location_code"]).sum().to_numpy()
        drawn = sums[random.integers(len(sums), size=(4000, len(sums)))].sum(axis=1)
        low[horizon], high[horizon] = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return low, high


@claim("5-peers")
def a_tie_is_an_interval_that_contains_one(page: Page) -> None:
    pattern = r"(is more accurate|is less accurate|ties) at ((?:(?:, | and )?\d+ \([\d.]+ \[[\d.]+, [\d.]+\]\))+)"
    for verb, parts in re.findall(pattern, page.summary):
        for low, high in re.findall(r"\[([\d.]+), ([\d.]+)\]", parts):
            verdict = "is more accurate" if float(high) < 1 else "is less accurate" if float(low) > 1 else "ties"
            assert verdict == verb, page.summary


# 6-ages.


@claim("6-ages")
def the_ages_of_the_year_are_those_of_the_forecast(page: Page) -> None:
    panel, year = pf.load_panel(page.revision), page.asked["year"]
    fc = pf.forecast(panel, page.asked["location"], panel.origin, year, pf.Cohort(), levels=())
    ages = fc.ages().groupby(["year", "age"])["population"].sum()
    shares = [100 * ages[at].loc[65:].sum() / ages[at].sum() for at in (year, panel.origin)]
    found = page.find(r"(\d+)% of them 65 or older, (\d+)% in (\d+)")
    assert [float(share) for share in found.groups()[:2]] == pytest.approx(shares, abs=0.51)
    flows = fc.components()[["births", "deaths", "net_migration"]].sum() / 1e6
    natural, moved = page.find(
        r"births minus deaths come to ([+-][\d.]+) million, net migration to ([+-][\d.]+)"
    ).groups()
    assert float(natural) == pytest.approx(flows["births"] - flows["deaths"], abs=0.051)
    assert float(moved) == pytest.approx(flows["net_migration"], abs=0.051)


# revision-diff.


@claim("revision-diff")
def what_moved_is_what_the_forecasts_say(page: Page) -> None:
    asked = page.asked
    changes = compare_forecasts(asked["old"], asked["new"], asked["model"], asked["year"])
    for name, sign, figure in re.findall(r"([^,(:]+?) \(([+-])([\d,]+)%\)", page.summary.split("changed most")[1]):
        place = re.sub(r"^(?:.*\bfor |.*\band )", "", name).strip()
        row = changes[changes["name"] == place]
        assert len(row) == 1, (place, page.summary)
        # Frames hold whole persons, which are coarse for the smallest places.
        assert float(sign + figure.replace(",", "")) == pytest.approx(row["change"].iloc[0], rel=1e-3, abs=0.51), place
        assert row["smallest"].iloc[0] >= 100_000, f"{place} is too small to lead"


@claim("revision-diff")
def the_change_of_the_past_is_that_of_the_estimates(page: Page) -> None:
    old, new = (pf.load_panel(page.asked[edition]) for edition in ("old", "new"))
    alike = pair(old, new)
    then, now = (panel.until(old.origin).values[:, -1] for panel in (alike.earlier, alike.later))
    change = 100 * np.abs(now / then - 1)
    assert f"{old.origin} populations by a median {np.median(change):.1f}%" in page.summary
    assert f"({len(change)} countries), and by 5% or more in {(change >= 5).sum()}." in page.summary


@lru_cache
def compare_forecasts(old: str, new: str, model: str, year: int) -> pd.DataFrame:
    """Return how far the forecast of each country moved from one edition to the next, in percent."""
    panels = [pf.load_panel(edition) for edition in (old, new)]
    ahead = [pf.forecast(panel, start=year, end=year, model=model).to_frame() for panel in panels]
    before, after = (frame.set_index("location_code") for frame in ahead)
    codes = before.index.intersection(after.index)
    years = {panel.origin for panel in panels}
    base = [panel.select(codes.tolist()).until(min(years)).values[:, -1] for panel in panels]
    return pd.DataFrame(
        {
            "name": after.loc[codes, "location"],
            "change": 100 * (after.loc[codes, "population"] / before.loc[codes, "population"] - 1),
            "smallest": np.minimum(*base),
        }
    )
