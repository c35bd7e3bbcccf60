"""What is shown of a backtest: classes of size, origins whose intervals were off, and misses by name."""

from __future__ import annotations

import numpy as np
import pytest

import popforecast as pf
from popforecast import charts
from popforecast.errors import ScoreError
from popforecast.studies import backtest as study

BOUNDS = [1_000_000, 10_000_000, 100_000_000]


@pytest.fixture(scope="module")
def backtest(wpp2024: pf.Panel) -> pf.Backtest:
    return pf.backtest(wpp2024.countries(), ["naive", "ar1"], [1993, 2003], [1, 10], levels=[80, 95])


def test_every_country_is_in_one_class_of_size(backtest: pf.Backtest):
    scores = study.score_by_size(backtest, "ar1", BOUNDS)
    assert scores["model"].unique().tolist() == ["ar1"]
    assert scores["size"].unique().tolist() == [
        "below 1 million",
        "1 to 10 million",
        "10 to 100 million",
        "100 million or more",
    ]
    assert scores.groupby("horizon")["n"].sum().tolist() == [472, 472]


def test_a_class_is_scored_on_its_own_countries_alone(backtest: pf.Backtest):
    last = backtest.panel.values[:, -1]
    large = backtest.panel.locations.index[last >= 1e8]
    errors = backtest.errors.query("model == 'ar1' and horizon == 10")
    by_hand = errors.loc[errors["location_code"].isin(large), "ape"].mean()
    scores = study.score_by_size(backtest, "ar1", BOUNDS).set_index(["size", "horizon"])
    assert scores["mape"]["100 million or more", 10] == pytest.approx(by_hand)
    assert scores["n"]["100 million or more", 10] == 2 * len(large)


def test_a_country_at_the_bound_belongs_to_the_larger_class(wpp2024: pf.Panel):
    two = wpp2024.select(["Malta", "Japan"])
    japan = float(two.values[1, -1])
    scores = study.score_by_size(pf.backtest(two, "naive", [2013], [10]), "naive", [japan])
    assert scores["n"].tolist() == [1, 1]
    assert scores["mape"].iloc[1] == pytest.approx(100 * abs(two.values[1, two.years == 2013][0] / japan - 1))


def test_a_class_without_countries_is_left_out_and_no_bounds_are_one_class(backtest: pf.Backtest):
    assert set(study.score_by_size(backtest, "ar1", [1e10])["size"]) == {"below 10,000 million"}
    whole = study.score_by_size(backtest, "ar1", [])
    assert whole["size"].unique().tolist() == ["any size"]
    assert whole["n"].tolist() == [472, 472]


@pytest.mark.parametrize("bounds", [[0], [-1, 5], [5, 5], [7, 5]])
def test_bounds_that_make_no_classes_are_refused(backtest: pf.Backtest, bounds: list[float]):
    with pytest.raises(ScoreError, match="expected numbers of persons above 0, each above the last"):
        study.score_by_size(backtest, "ar1", bounds)


def test_misfits_are_those_beyond_two_standard_errors_and_no_others(backtest: pf.Backtest):
    misfits = study.find_misfits(backtest, "naive")
    scores = backtest.scores(by="origin").query("model == 'naive'").set_index(["origin", "horizon"])
    found = {(origin, horizon, level) for (origin, horizon), level in misfits["level"].items()}
    for (origin, horizon), row in scores.iterrows():
        for level, held in ((80, row["coverage_80"]), (95, row["coverage_95"])):
            margin = 2 * 100 * np.sqrt(level * (100 - level) / 1e4 / 236)
            assert ((origin, horizon, level) in found) == (abs(held - level) > margin)
    assert misfits["off"].abs().is_monotonic_decreasing
    assert (misfits["off"] == misfits["held"] - misfits["level"]).all()


def test_misses_are_the_largest_errors_one_for_each_country_with_their_cause(backtest: pf.Backtest):
    misses = study.name_misses(backtest, "naive", 10, 25)
    assert misses.index.is_unique
    assert misses["error"].abs().is_monotonic_decreasing
    errors = backtest.errors.query("model == 'naive' and horizon == 10")
    worst = errors.loc[errors["ape"].idxmax()]
    assert misses.index[0] == worst["location"]
    assert abs(misses["error"].iloc[0]) == pytest.approx(worst["ape"], abs=0.05)
    qatar = misses.loc["Qatar"]
    assert (qatar["origin"], qatar["year"], qatar["held"]) == (2003, 2013, "no")
    assert qatar["error"] < 0
    assert qatar["what happened"] == "labour migration of a boom"


def test_a_cause_counts_only_after_the_origin(wpp2024: pf.Panel):
    countries = wpp2024.countries()
    later = pf.backtest(countries, "naive", [1994], [1])
    misses = study.name_misses(later, "naive", 1, 236)
    assert misses["what happened"]["Rwanda"] == "no event on record: check the source"


@pytest.mark.parametrize(
    ("model", "horizon", "sentence"),
    [
        ("panel-ar", 10, "model 'panel-ar' is not in this backtest: expected one of naive, ar1"),
        ("naive", 7, "horizon 7 is not in this backtest: expected one of 1, 10"),
    ],
)
def test_what_was_not_run_is_refused(backtest: pf.Backtest, model: str, horizon: int, sentence: str):
    with pytest.raises(ScoreError, match=sentence):
        study.name_misses(backtest, model, horizon)


def test_scores_by_size_are_drawn_one_line_each(backtest: pf.Backtest):
    chart = charts.chart_scores(study.score_by_size(backtest, "ar1", BOUNDS), lines="size")
    assert chart.table.columns.tolist()[0] == "below 1 million"
    assert ">100 million or more<" in chart.svg()
