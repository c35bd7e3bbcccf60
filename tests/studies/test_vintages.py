"""What 4-vintages says follows its parameters: vintages with and without a UN source, models with two kinds or one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from popforecast.evaluation.bootstrap import bound_ratio
from popforecast.evaluation.vintages import PUBLISHED, UN, Vintages, compare_vintages
from popforecast.studies import vintages as study

Results = dict[str, Vintages]


@pytest.fixture(scope="module")
def run() -> Callable[..., Results]:
    kept: dict[tuple, Results] = {}

    def compare_all(vintages: tuple[str, ...], models: tuple[str, ...], truth: str = "wpp2024") -> Results:
        key = vintages, models, truth
        if key not in kept:
            kept[key] = {vintage: compare_vintages(vintage, truth, models) for vintage in vintages}
        return kept[key]

    return compare_all


@pytest.fixture
def usual(run: Callable[..., Results]) -> Results:
    return run(("wpp2010", "wpp2012"), ("panel-ar", "ar1"))


def raw(results: Results) -> pd.DataFrame:
    scores = study.join_scores(results).query("basis == 'raw'")
    return scores.set_index(["source", "intervals", "vintage", "year"]).sort_index()


def test_the_finding_gives_both_coverages_and_the_one_of_the_time_leads(usual: Results) -> None:
    said, scores = study.tell_finding(usual, "panel-ar"), raw(usual)["coverage_95"]
    then, since = scores["panel-ar", PUBLISHED], scores["panel-ar", "real-time"]
    assert (
        f"contained {then['wpp2012', 2020]:.0f}% of outcomes using what was known at the time "
        f"({then.min():.0f} to {then.max():.0f}% across all vintages and years)"
    ) in said
    assert (
        f"and {since['wpp2012', 2020]:.0f}% ({since.min():.0f} to {since.max():.0f}%) after allowing for later" in said
    )
    assert said.index("at the time") < said.index("could not be known")
    assert said.endswith(f"the UN's contained {scores[UN, 'stated', 'wpp2012', 2020]:.0f}%.")


def test_the_ratio_to_the_un_is_of_the_errors_of_the_same_countries(usual: Results) -> None:
    table = study.relate_to_un(usual, "panel-ar")
    errors = usual["wpp2012"].errors.query("year == 2020 and basis == 'rebased'")
    ours, theirs = (errors[errors["source"] == source].set_index("location_code")["ape"] for source in ("panel-ar", UN))
    ratio = bound_ratio(ours, theirs[ours.index], ours.index)
    row = table.loc[("wpp2012", 2020, "rebased")]
    assert row["mean, ratio [95%]"] == str(ratio)
    assert (
        row["closer, mean"]
        == {"win": "panel-ar was closer", "tie": "a tie", "loss": "the UN was closer"}[ratio.verdict]
    )
    assert str(ratio) in study.tell_finding(usual, "panel-ar")
    assert len(table) == 2 * 2 * 2


def test_a_source_has_one_error_whatever_its_intervals_allow_for(usual: Results) -> None:
    scores = study.join_scores(usual)
    points = study.take_points(scores)
    assert not points.duplicated(["vintage", "year", "basis", "source"]).any()
    assert study.tabulate_errors(scores).columns.tolist() == [UN, "panel-ar", "ar1"]
    assert study.tabulate_errors(scores).notna().all(axis=None)


def test_intervals_stand_side_by_side_by_name(usual: Results) -> None:
    table = study.tabulate_intervals(study.join_scores(usual))
    at = table.loc[("wpp2010", 2015)]
    assert at.index.tolist() == ["panel-ar, known at the time", "panel-ar, with later revisions", "ar1"]
    assert at.loc["panel-ar, known at the time", ["in 80%", "in 95%"]].round().tolist() == [37, 68]
    assert UN in table.loc[("wpp2012", 2015)].index


def test_what_is_said_of_intervals_is_true_of_these_sources(run: Callable[..., Results], usual: Results) -> None:
    said = study.explain_intervals(usual, ["panel-ar", "ar1"])
    assert "No edition before wpp2010 is embedded" in said
    assert "- ar1: analytic intervals" in said
    assert "UN medium, wpp2012: the UN's own" in said
    assert "UN medium, wpp2010: no intervals" in said
    plain = study.explain_intervals(run(("wpp2019",), ("ar1",)), ["ar1"])
    assert "published" not in plain
    assert UN not in plain
    calibrated = study.explain_intervals(run(("wpp2012",), ("naive",)), ["naive"])
    assert "No edition before" not in calibrated
    assert "analytic" not in calibrated


def test_without_a_un_source_nothing_is_said_of_it(run: Callable[..., Results]) -> None:
    alone = run(("wpp2019",), ("ar1",))
    said = study.tell_finding(alone, "ar1")
    assert "the UN's forecasts of that edition are not embedded" in said
    assert "random error only" in said
    assert "UN's contained" not in said
    assert study.relate_to_un(alone, "ar1").empty
    assert study.tell_dependence(alone) == "There is only one vintage here, so this is a single trial."
    assert study.correlate_bases(alone) is None
    assert "divided by the UN's" not in study.tell_design(alone, "ar1")


def test_a_vintage_without_bounds_is_not_said_to_have_some(run: Callable[..., Results]) -> None:
    said = study.tell_finding(run(("wpp2012", "wpp2010"), ("naive",), "wpp2019"), "naive")
    assert said.startswith("Using wpp2010 data up to 2010, naive was off by")
    assert said.endswith("the UN published none.")
    assert "the UN was closer" in said


def test_the_correlation_of_vintages_is_that_of_their_base_errors(usual: Results) -> None:
    both = pd.concat([result.base_errors["log_revision"] for result in usual.values()], axis=1).dropna()
    expected = np.corrcoef(both.to_numpy().T)[0, 1]
    assert f"is {expected:.2f}:" in study.tell_dependence(usual)


def test_the_design_of_our_models_is_owned_up_to_and_scored_where_it_played_no_part(usual: Results) -> None:
    said = study.tell_design(usual, "panel-ar")
    errors = usual["wpp2012"].errors.query("year == 2020 and basis == 'raw'")
    errors = errors[errors["location_code"] // 4 % 2 == 0].drop_duplicates(["source", "location_code"])
    ours, theirs = (errors[errors["source"] == source].set_index("location_code")["ape"] for source in ("panel-ar", UN))
    assert f"On the other half ({len(ours)} countries of wpp2012)" in said
    assert f"is {bound_ratio(ours, theirs[ours.index], ours.index)} raw" in said


def test_ratios_of_all_models_are_empty_without_the_un() -> None:
    table = study.tabulate_ratios(["wpp2012", "wpp2019"], "wpp2024", ["naive"])
    compared = [("wpp2012", "2015"), ("wpp2012", "2020"), ("wpp2012", "2023"), ("all", "all")]
    assert table.index.to_list() == [(source, *which) for source in ("naive", "with-un") for which in compared]
    assert study.tabulate_ratios(["wpp2019"], "wpp2024", ["naive"]).empty
