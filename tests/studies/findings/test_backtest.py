"""What the backtest's page says in words: true of its figures, and grammatical of one, none and all."""

from __future__ import annotations

import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import ScoreError
from popforecast.models import MODELS
from popforecast.studies import backtest as study
from popforecast.studies.events import UNEXPLAINED
from popforecast.studies.findings import backtest as findings


@pytest.fixture(scope="module")
def backtest(wpp2024: pf.Panel) -> pf.Backtest:
    return pf.backtest(wpp2024.countries(), ["naive", "ar1"], [1993, 2003], [1, 10], levels=[80, 95])


def test_every_model_has_a_meaning():
    assert set(findings.MEANINGS) == set(MODELS)


def test_the_first_model_is_in_question_and_the_others_stand_beside_it():
    assert findings.tell_models(["ar1"]).endswith("began.")
    assert findings.tell_models(["cohort", "ar1"]).startswith("The main model here is `cohort`, the default,")


def test_one_horizon_is_told_once(backtest: pf.Backtest):
    both = findings.tell_errors(backtest, ["ar1", "naive"], 1)
    assert "after 1 years and by" in both
    once = findings.tell_errors(backtest, ["ar1"], 10)
    mean = backtest.errors.query("model == 'ar1' and horizon == 10")["ape"].mean()
    assert f"ar1 was off by {mean:.1f}% on average after 10 years. The 95%" in once


@pytest.mark.parametrize(("models", "horizon"), [(["drift"], 10), (["ar1"], 7)])
def test_what_was_not_run_is_refused(backtest: pf.Backtest, models: list[str], horizon: int):
    with pytest.raises(ScoreError, match="is not in this backtest: expected one of"):
        findings.tell_errors(backtest, models, horizon)


def test_intervals_are_the_textbooks_where_a_model_learns_none():
    assert findings.tell_intervals(["ar1"]).startswith("The intervals of ar1 are analytic")
    assert findings.tell_intervals(["naive", "ar1"]).count("intervals of") == 1


@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_final_data_flatters_every_model_but_not_equally(revision: str):
    table = study.measure_hindsight(pf.load_panel(revision).countries(), list(MODELS))
    assert (table["ratio"] > 1).all()
    assert table["ratio"]["naive"] < table["ratio"]["ar1"] < table["ratio"]["panel-ar"]
    told = findings.tell_final(table)
    assert "This flatters every model here." in told
    for model, ratio in table["ratio"].items():
        assert f"{ratio:.1f}" in told
        assert model in told


@pytest.mark.parametrize(
    ("revision", "said"), [("wpp2024", "today's history"), ("wpp2019", "the history in the 2019 edition")]
)
def test_no_history_but_the_latest_is_todays(revision: str, said: str):
    told = findings.tell_final(study.measure_hindsight(pf.load_panel(revision).countries(), ["naive"]))
    assert f"Every model here uses {said}, revised" in told


def test_ratios_that_do_not_flatter_every_model_are_not_said_to():
    row = {"revision": "wpp2024", "vintage": "wpp2012", "origin": 2010, "year": 2020, "n": 3, "ratio": 0.96}
    assert "flatters" not in findings.tell_final(pd.DataFrame([row], ["naive"]))


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (["ar1", "panel-ar"], "The models were chosen and tuned on 122 of these 236"),
        (["drift", "naive"], "None of these models was tuned on any country."),
        (["ar1"], "This model was not tuned on any country."),
    ],
)
def test_only_a_model_that_was_tuned_is_said_to_be(wpp2024: pf.Panel, models: list[str], said: str):
    assert findings.tell_tuning(wpp2024.countries(), models).startswith(said)


def test_no_misfit_is_no_interval_too_narrow(backtest: pf.Backtest):
    misfits = study.find_misfits(backtest, "ar1")
    assert "There the intervals were too narrow after 1993 and 2003." in findings.tell_misfits(misfits, backtest, "ar1")
    told = findings.tell_misfits(misfits.iloc[:0], backtest, "ar1")
    assert told.startswith("Of these 8 shares, 0 are below and 0 above")
    assert "too narrow" not in told


@pytest.mark.parametrize(
    ("causes", "said"), [(["war", "war"], "All 2"), (["war", UNEXPLAINED], "1 of the 2"), ([UNEXPLAINED] * 2, "None")]
)
def test_misses_with_a_cause_are_counted(causes: list[str], said: str, wpp2024: pf.Panel):
    told = findings.tell_misses(pd.DataFrame({"what happened": causes}), "ar1", 10, wpp2024)
    assert f"{said} followed an event" in told


def test_runs_overlap_only_where_they_do(wpp2024: pf.Panel):
    apart = pf.backtest(wpp2024.countries(), "naive", [1993, 2003], [10])
    assert "overlap" not in findings.list_cautions(apart, "naive", 10)
    near = pf.backtest(wpp2024.countries(), "naive", [1993, 1998], [10])
    assert "Origins are as little as 5 years apart and forecasts run up to 10" in findings.list_cautions(
        near, "naive", 10
    )


def test_two_measures_stand_side_by_side_and_what_is_unknown_is_a_dash():
    scores = pd.DataFrame({"origin": [1, 1, 2], "horizon": [1, 10, 1], "a": [80.04, 1, 2], "b": [95.0, 3, 4]})
    table = study.pair_measures(scores, ("a", "b"), "origin", "horizon", 0)
    assert table.values.tolist() == [["80 / 95", "1 / 3"], ["2 / 4", "–"]]
    assert study.pair_measures(scores.iloc[:0], ("a", "b"), "origin", "horizon").empty
