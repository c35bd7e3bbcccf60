"""Where our models stand among the peers: ratios with intervals, and what is said of them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.evaluation import halves, peers
from popforecast.evaluation.bootstrap import bound_ratio
from popforecast.studies import standings


@pytest.fixture(scope="module")
def panel() -> pf.Panel:
    return pf.load_panel("wpp2024").countries()


@pytest.fixture(scope="module")
def kept() -> peers.Peers:
    return peers.load_peers()


@pytest.fixture(scope="module")
def errors(panel: pf.Panel, kept: peers.Peers) -> pd.DataFrame:
    return peers.list_errors(panel, kept, ["cohort", "panel-ar", "ar1", "naive"])


@pytest.fixture(scope="module")
def scores(errors: pd.DataFrame) -> pd.DataFrame:
    return peers.score(errors, reported=True)


def invent(**methods: list[float]) -> pd.DataFrame:
    """Errors of two horizons and fifty countries: each method misses by a number at each, more or less."""
    index = pd.MultiIndex.from_product([range(4, 204, 4), [2000], [1, 5]], names=peers.KEYS)
    spread = np.repeat(np.linspace(0.5, 1.5, 50), 2)
    return pd.DataFrame({name: spread * np.tile(each, 50) for name, each in methods.items()}, index)


def test_the_ratio_is_that_of_the_scores_to_the_best_peer(errors: pd.DataFrame, scores: pd.DataFrame):
    for measure in standings.MEASURES:
        ratios = peers.relate(scores, halves.REPORTED, measure).loc["cohort"]
        bounded = standings.bound_ratios(errors, scores, halves.REPORTED, measure)
        assert [ratio.value for _, ratio in bounded.values()] == pytest.approx(ratios.tolist(), abs=0.0051)
        assert all(ratio.lower < ratio.value < ratio.upper for _, ratio in bounded.values())


def test_one_and_twenty_years_ahead_are_ties(errors: pd.DataFrame, scores: pd.DataFrame):
    """The issue's intervals, of other replicates: 0.90 [0.78, 1.02] and 0.93 [0.86, 1.01]."""
    bounded = standings.bound_ratios(errors, scores, halves.REPORTED, model="panel-ar")
    for horizon, known in ((1, (0.90, 0.78, 1.02)), (20, (0.93, 0.86, 1.01))):
        assert tuple(bounded[horizon][1]) == pytest.approx(known, abs=0.0151)
    verdicts = {horizon: ratio.verdict for horizon, (_, ratio) in bounded.items()}
    assert verdicts == {1: "tie", 3: "win", 5: "win", 10: "win", 20: "tie"}


def test_the_table_has_the_interval_and_the_verdict_of_mean_and_median(errors: pd.DataFrame, scores: pd.DataFrame):
    table = standings.judge(errors, scores, halves.REPORTED)
    assert table.index.tolist() == [(name, horizon) for name in ("mean", "median") for horizon in (1, 3, 5, 10, 20)]
    for (name, horizon), row in table.iterrows():
        at = peers.take(errors, halves.REPORTED).xs(horizon, level="horizon")
        ratio = bound_ratio(at["cohort"], at[row["best peer"]], at.index.get_level_values("location_code"), name)
        assert row["ratio [95%]"] == str(ratio)
        assert row["verdict"] == ratio.verdict


def test_losses_and_ties_are_said_as_openly_as_wins():
    errors = invent(ar1=[3.0, 1.0], A=[2.0, 2.0], B=[4.0, 4.0])
    verdict = standings.write_verdict(errors, peers.score(errors), halves.ALL, "ar1")
    assert "best of 2 peers at each horizon, over 100 forecasts of the all countries, ar1" in verdict
    assert "is less accurate at 1 (1.50 [1.50, 1.50]) and is more accurate at 5 (0.50 [0.50, 0.50]) years" in verdict
    errors["A"] = errors["ar1"].to_numpy()
    assert "ar1 ties at 1 (1.00 [1.00, 1.00]) and 5 (1.00 [1.00, 1.00]) years" in standings.write_verdict(
        errors, peers.score(errors), halves.ALL, "ar1"
    )


@pytest.mark.parametrize(("reported", "countries"), [(True, halves.REPORTED), (False, halves.TUNING)])
def test_the_finding_and_the_sets_are_those_of_the_run(
    panel: pf.Panel, kept: peers.Peers, errors: pd.DataFrame, reported: bool, countries: str
):
    verdict = standings.write_verdict(errors, peers.score(errors, reported), countries)
    assert ("on which it was chosen" in verdict) == (not reported)
    for horizon, (_, ratio) in standings.bound_ratios(errors, peers.score(errors, reported), countries).items():
        assert re.search(rf"\b{horizon} \({re.escape(str(ratio))}\)", verdict)
    said = standings.describe_sets(panel, kept, reported)
    assert "236 countries and 7 origins from 1988 to 2018" in said
    assert "tuned our models on 122 of these" in said
    assert ("until the final comparison" in said) == (not reported)


def test_what_ran_in_how_many_processes_is_what_was_kept(kept: peers.Peers):
    said = standings.describe_seconds(kept)
    assert "AutoCES and RandomWalkWithDrift ran in 2 processes, all others in one." in said
    assert "full backtest of 36 origins" in said


def test_the_chart_draws_no_line_out_of_its_frame(scores: pd.DataFrame):
    chart = standings.chart_ratios(scores, halves.REPORTED)
    assert 0 < len(chart.table.columns) <= standings.MOST_LINES
    assert chart.table.to_numpy().max() <= chart.top
    assert "error relative to the best peer" in chart.svg()
