"""Comparison of our models with peers, for display: error ratios with intervals, tables, text and a chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from popforecast.charts.scores import Curves
from popforecast.evaluation.bootstrap import Ratio, bound_ratio
from popforecast.evaluation.halves import ALL, REPORTED, TUNING, choose
from popforecast.evaluation.peers import KEYS, Peers, relate, take, widen
from popforecast.models import DEFAULT_MODEL
from popforecast.panel import Panel
from popforecast.text import join_words

SETS = (TUNING, REPORTED, ALL)

# A chart has eight colours.
MOST_LINES = 8

VERDICTS = {"loss": "is less accurate at", "tie": "ties at", "win": "is more accurate at"}

# Measures of the scores, and their names in the bootstrap.
MEASURES: Mapping[str, Literal["mean", "median"]] = {"mape": "mean", "median_ape": "median"}


def bound_ratios(
    errors: pd.DataFrame, scores: pd.DataFrame, countries: str, measure: str = "mape", model: str = DEFAULT_MODEL
) -> dict[int, tuple[str, Ratio]]:
    """Return by horizon the best peer, and the ratio of the model's error to the peer's with a 95% interval.

    The best peer is chosen once over these countries, and not anew in each bootstrap replicate.

    Parameters
    ----------
    errors, scores : DataFrame
        As :func:`popforecast.evaluation.peers.list_errors` and :func:`popforecast.evaluation.peers.score` return them.
    countries : {"tuning", "reported", "all"}
    measure : {"mape", "median_ape"}
    model : str
        Name of one of our models.
    """
    chosen = scores[(scores["set"] == countries) & ~scores["ours"]]
    best, taken, ratios = widen(chosen, measure).idxmin(), take(errors, countries), {}
    for horizon, peer in zip(best.index.tolist(), best.tolist(), strict=True):
        at = taken.xs(horizon, level="horizon")
        places = at.index.get_level_values(KEYS[0])
        ratios[horizon] = str(peer), bound_ratio(at[model], at[peer], places, MEASURES[measure])
    return ratios


def tabulate(scores: pd.DataFrame, peers: Peers, countries: str, model: str = DEFAULT_MODEL) -> pd.DataFrame:
    """Return a table for display: mean and median error by horizon, seconds, and their ratio to the model's."""
    chosen = scores[scores["set"] == countries]
    mean, median = (widen(chosen, measure) for measure in ("mape", "median_ape"))
    table = pd.DataFrame(index=mean.index.rename("method"))
    for horizon in mean.columns:
        pairs = zip(mean[horizon], median[horizon], strict=True)
        table[f"{horizon} y"] = [f"{_digits(a)} / {_digits(b)}" for a, b in pairs]
    seconds = peers.seconds()
    ratio = seconds / seconds.get(model, np.nan)
    table["seconds"] = [_write(value) for value in seconds.reindex(table.index)]
    table["ratio"] = [_write(value) for value in ratio.reindex(table.index)]
    return table


def judge(errors: pd.DataFrame, scores: pd.DataFrame, countries: str, model: str = DEFAULT_MODEL) -> pd.DataFrame:
    """Return the best peer and the error ratio by horizon, for mean and median errors."""
    chosen, rows = scores[scores["set"] == countries], {}
    for measure, name in MEASURES.items():
        values = widen(chosen, measure)
        for horizon, (peer, ratio) in bound_ratios(errors, scores, countries, measure, model).items():
            both = (_digits(values[horizon][method]) for method in (peer, model))
            rows[name, horizon] = [peer, *both, str(ratio), ratio.verdict]
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["best peer", "its error", model, "ratio [95%]", "verdict"]
    )
    return table.set_axis(pd.MultiIndex.from_tuples(rows, names=["error", "years after the origin"]))


def describe_runs(peers: Peers) -> pd.DataFrame:
    """Return the elapsed and processor time of each method, and the time of a full backtest."""
    table = pd.DataFrame(peers.facts["seconds"]).T.rename_axis("method")
    table["processes"] = table["processes"].astype(int)
    names = {"wall": "elapsed seconds", "processor": "processor seconds"}
    full = peers.seconds_in_full().reindex(table.index).round(1)
    return table.rename(columns=names).round(2).assign(**{"full backtest, seconds": full})


def describe_sets(panel: Panel, peers: Peers, reported: bool) -> str:
    """Describe the origins and countries compared, and those used to choose our models."""
    origins, n = peers.facts["origins"], {name: int(choose(panel.locations.index, name).sum()) for name in SETS}
    said = (
        f"The comparison covers {n[ALL]} countries and {len(origins)} origins from {origins[0]} to {origins[-1]}. We "
        f"chose and tuned our models on {n[TUNING]} of these countries (the **{TUNING}** set: those whose M49 code, "
        f"divided by four, is odd). The other {n[REPORTED]} (the **{REPORTED}** set) played no part in that choice. "
        "Each model is fitted to all countries, using data up to the origin only. The peers were not tuned: each runs "
        "with its default settings, apart from the log transform or damped trend stated in its name."
    )
    if reported:
        return said
    return f"{said} Outside the {TUNING} set, the tables leave out our newer models until the final comparison."


def describe_seconds(peers: Peers) -> str:
    """Explain what the seconds measure."""
    processes = {name: took["processes"] for name, took in peers.facts["seconds"].items()}
    several = [name for name, number in processes.items() if number > 1]
    shared = f"{join_words(several)} ran in {processes[several[0]]} processes, all others in one. " if several else ""
    n, full = len(peers.facts["origins"]), peers.facts["full"]["origins"]
    return (
        f"Seconds are processor time for point forecasts at the {n} origins, divided by the number of processes: the "
        f"time the task takes on an idle machine. {shared}The last column gives the time of a full backtest of {full} "
        "origins. Ours is measured and includes calibrated intervals, which also need every earlier origin; the "
        f"peers' is scaled up from {n} origins, without intervals."
    )


def write_verdict(errors: pd.DataFrame, scores: pd.DataFrame, countries: str, model: str = DEFAULT_MODEL) -> str:
    """Describe the horizons at which the model is less or more accurate than the best peer, or ties with it."""
    ratios = bound_ratios(errors, scores, countries, model=model)
    named = {
        verdict: [f"{horizon} ({ratio})" for horizon, (_, ratio) in ratios.items() if ratio.verdict == verdict]
        for verdict in VERDICTS
    }
    parts = [f"{VERDICTS[verdict]} {join_words(horizons)}" for verdict, horizons in named.items() if horizons]
    chosen = scores[scores["set"] == countries]
    rivals, n = chosen[~chosen["ours"]]["method"].nunique(), chosen[chosen["method"] == model]["n"].sum()
    return (
        f"Compared with the best of {rivals} peers at each horizon, over {n:,} forecasts of the {countries} countries"
        f"{', on which it was chosen' if countries == TUNING else ''}, {model} {join_words(parts)} years after the "
        "origin. In brackets: its mean error divided by the peer's, with a 95% bootstrap interval; a tie means that "
        "the interval contains 1."
    )


def chart_ratios(scores: pd.DataFrame, countries: str, top: float = 1.6) -> Curves:
    """Return the chart of errors relative to the best peer; methods that ever exceed `top` are omitted."""
    ratios = relate(scores, countries)
    near = ratios[ratios.max(axis=1) <= top]
    lines = near.loc[near.mean(axis=1).nsmallest(MOST_LINES).index]
    table = lines.sort_values(lines.columns[-1]).T
    title = f"Mean error relative to the best peer, {countries} countries"
    ends = "; ".join(f"{method} {value:.2f}" for method, value in table.iloc[-1].items())
    description = f"{title}, by horizon. {table.index[-1]} years after the origin: {ends}."
    return Curves(
        title, "error relative to the best peer at that horizon (dotted: 1)", description, table, [(1, "")], top
    )


def _digits(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _write(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:,.{2 if value < 10 else 0}f}"
