"""The backtest against a slow loop over statsmodels, and against itself: like with like, nothing leaked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.ar_model import AutoReg

import popforecast as pf
from popforecast.errors import LevelError, ModelError, UnknownLocationError, UnknownModelError, YearError
from popforecast.forecasting import calibration as intervals
from tests.helpers.freezing import check_frozen

Z = {80: 1.2815515655446004, 95: 1.959963984540054}
SOME = ["NGA", "JPN", "TKL", "KWT"]
ORIGINS, HORIZONS = [1990, 2005, 2015], [1, 5, 20]


@pytest.fixture(scope="module")
def tested() -> pf.Backtest:
    """What most tests below look at: three models on every country of 2024."""
    panel = pf.load_panel("wpp2024").countries()
    return pf.backtest(panel, ["ar1", "naive", "drift"], range(1988, 2023, 5))


def measure_slowly(panel: pf.Panel) -> dict[int, dict[str, float]]:
    """The definition, one series, origin and horizon after the other; statsmodels fits and predicts."""
    scores = {}
    for horizon in HORIZONS:
        apes, scaled, wis = [], [], []
        inside = {80: [], 95: []}
        for series in panel.values:
            for origin in ORIGINS:
                if origin + horizon > panel.origin:
                    continue
                known = series[: origin - 1950 + 1]
                outcome = series[origin + horizon - 1950]
                result = AutoReg(known / known.mean(), lags=1, trend="c").fit()
                prediction = result.get_prediction(len(known), len(known) + horizon - 1)
                forecast = prediction.predicted_mean[-1] * known.mean()
                error = abs(forecast - outcome)
                score = error / 2
                for level, z in Z.items():
                    reach = z * np.sqrt(prediction.var_pred_mean[-1]) * known.mean()
                    low, high, alpha = forecast - reach, forecast + reach, 1 - level / 100
                    inside[level].append(low <= outcome <= high)
                    score += alpha / 2 * (high - low) + max(low - outcome, 0) + max(outcome - high, 0)
                apes.append(100 * error / outcome)
                scaled.append(error / np.mean(np.abs(np.diff(known))))
                wis.append(100 * score / outcome / 2.5)
        scores[horizon] = {
            "n": len(apes),
            "mape": np.mean(apes),
            "median_ape": np.median(apes),
            "mase": np.mean(scaled),
            "wis": np.mean(wis),
            "coverage_80": 100 * np.mean(inside[80]),
            "coverage_95": 100 * np.mean(inside[95]),
        }
    return scores


def test_scores_equal_a_slow_loop_over_statsmodels(wpp2024: pf.Panel) -> None:
    panel = wpp2024.select(SOME)
    ours = pf.backtest(panel, "ar1", ORIGINS, HORIZONS).scores().set_index("horizon")
    for horizon, expected in measure_slowly(panel).items():
        assert ours.loc[horizon, list(expected)].to_dict() == pytest.approx(expected, rel=1e-8)


def test_known_errors_of_ar1_come_out(tested: pf.Backtest) -> None:
    scores = tested.scores()
    ar1 = scores[scores["model"] == "ar1"].set_index("horizon")
    assert ar1["mape"].to_dict() == pytest.approx({1: 0.7185, 3: 2.275, 5: 3.904, 10: 8.677, 20: 24.22}, rel=3e-4)
    assert ar1["n"].to_dict() == {1: 236 * 7, 3: 236 * 7, 5: 236 * 7, 10: 236 * 6, 20: 236 * 4}


def test_a_backtest_cannot_be_changed_in_place(wpp2024: pf.Panel) -> None:
    check_frozen(pf.backtest(wpp2024.select(SOME), "naive", [2000], [1, 5]))


def test_models_answer_for_the_same_locations_origins_and_horizons(tested: pf.Backtest) -> None:
    keys = ["location_code", "origin", "horizon"]
    asked = {name: set(map(tuple, rows[keys].to_numpy())) for name, rows in tested.errors.groupby("model")}
    assert asked["ar1"] == asked["naive"] == asked["drift"]
    outcomes = tested.errors.groupby(keys)["outcome"].nunique()
    assert (outcomes == 1).all()
    scores = tested.scores(by=["region", "origin"])
    assert (scores.groupby(["horizon", "region", "origin"])["n"].nunique() == 1).all()


def test_order_of_models_and_origins_changes_no_score(wpp2024: pf.Panel) -> None:
    panel = wpp2024.select(SOME)
    one = pf.backtest(panel, ["ar1", "naive"], ORIGINS, HORIZONS).scores()
    other = pf.backtest(panel, ["naive", "ar1"], ORIGINS[::-1], HORIZONS[::-1]).scores()
    keys = ["model", "horizon"]
    pd.testing.assert_frame_equal(
        one.sort_values(keys, ignore_index=True), other.sort_values(keys, ignore_index=True), rtol=1e-12
    )


@pytest.mark.parametrize("model", pf.models.MODELS)
def test_years_after_the_origin_reach_no_forecast(wpp2024: pf.Panel, model: str) -> None:
    panel = wpp2024.countries().take(np.arange(0, 236, 5))
    changed = panel.values.copy()
    changed[:, panel.years > 2000] *= 3
    other = replace(panel, values=changed)
    ours, theirs = (pf.backtest(each, model, [2000], HORIZONS).errors for each in (panel, other))
    columns = ["population", "lower_80", "upper_80", "lower_95", "upper_95", "scale"]
    assert (ours[columns] == theirs[columns]).all(axis=None)
    assert (theirs["outcome"] == 3 * ours["outcome"]).all()


def test_backtest_equals_a_loop_of_fits_and_forecasts(wpp2024: pf.Panel) -> None:
    """Every row of errors, looked up in what a user would have got then."""
    panel = wpp2024.countries().take(np.arange(0, 236, 5))
    names = ["panel-ar", "ar", "damped-growth", "ar1"]
    rows = pf.backtest(panel, names, [1975, 1990, 2010], [1, 5, 20]).errors.set_index(["model", "origin"])
    columns = ["population", "lower_80", "upper_80", "lower_95", "upper_95"]
    checked = 0
    for name in names:
        for origin in (1975, 1990, 2010):
            fitted = pf.fit(panel.until(origin), name)
            then = intervals.predict(fitted, 20, (80, 95))
            paths = [then.population, then.lower[80], then.upper[80], then.lower[95], then.upper[95]]
            for row in rows.loc[(name, origin)].itertuples():
                i = panel.locations.index.get_loc(row.location_code)
                expected = [path[i, row.horizon - 1] for path in paths]
                assert [getattr(row, column) for column in columns] == pytest.approx(expected, rel=1e-12)
                assert row.outcome == panel.values[i, panel.years == origin + row.horizon][0]
                checked += 1
    assert checked == 4 * len(panel) * (3 + 3 + 2)


def test_subset_of_locations_is_scored_alone(tested: pf.Backtest) -> None:
    some = tested.scores(locations=SOME)
    errors = tested.errors[tested.errors["location_code"].isin(tested.panel.select(SOME).locations.index)]
    assert some["n"].sum() == len(errors)
    naive_one = some[(some["model"] == "naive") & (some["horizon"] == 1)].iloc[0]
    rows = errors[(errors["model"] == "naive") & (errors["horizon"] == 1)]
    assert naive_one["mape"] == pytest.approx(rows["ape"].mean())
    assert naive_one["median_ape"] == pytest.approx(rows["ape"].median())


@pytest.mark.parametrize("by", ["origin", "region", "location_code", ["region", "origin"]])
def test_scores_by_a_column_add_up_to_the_whole(tested: pf.Backtest, by: str | list[str]) -> None:
    columns = [by] if isinstance(by, str) else by
    parts, whole = tested.scores(by=by), tested.scores()
    assert parts.columns[: 2 + len(columns)].tolist() == ["model", "horizon", *columns]
    parts["weighted"] = parts["mape"] * parts["n"]
    sums = parts.groupby(["model", "horizon"])[["weighted", "n"]].sum()
    whole = whole.set_index(["model", "horizon"])
    assert (sums["n"] == whole["n"].loc[sums.index]).all()
    assert (sums["weighted"] / sums["n"]).to_numpy() == pytest.approx(whole["mape"].loc[sums.index].to_numpy())


def test_score_columns_are_the_contract(tested: pf.Backtest) -> None:
    assert tested.scores().columns.tolist() == [
        *("model", "horizon", "n", "mape", "median_ape", "mase", "wis"),
        *("coverage_80", "coverage_95", "width_80", "width_95"),
    ]
    assert tested.scores()["coverage_95"].between(0, 100).all()


def test_aggregates_are_scored_though_they_have_no_region(wpp2024: pf.Panel) -> None:
    bt = pf.backtest(wpp2024.select(["World", "NGA"]), "naive", [2000], [1])
    by_region = bt.scores(by="region")
    assert by_region["n"].tolist() == [1, 1]
    assert set(by_region["region"].dropna()) == {"Africa"}


def test_series_that_never_changed_is_left_out_of_the_scaled_error_alone(wpp2019: pf.Panel) -> None:
    holy_see = pf.backtest(wpp2019.select("VAT"), "naive", [2000], [1, 5]).scores()
    assert holy_see["mase"].isna().all()
    assert holy_see["mape"].tolist() == pytest.approx([0, 0])
    both = pf.backtest(wpp2019.select(["VAT", "NGA"]), "naive", [2000], [5]).scores()
    alone = pf.backtest(wpp2019.select("NGA"), "naive", [2000], [5]).scores()
    assert both["mase"].tolist() == alone["mase"].tolist()


def test_defaults_are_every_fifth_year_from_1988(wpp2024: pf.Panel) -> None:
    bt = pf.backtest(wpp2024.select(SOME))
    assert sorted(bt.errors["origin"].unique()) == [1988, 1993, 1998, 2003, 2008, 2013, 2018]
    assert sorted(bt.errors["horizon"].unique()) == [1, 3, 5, 10, 20]
    assert set(bt.errors["model"]) == {"panel-ar"}


def test_five_yearly_panel_is_tested_in_its_own_steps() -> None:
    years = np.arange(1950, 2015, 5)
    panel = pf.Panel([1e6 * 1.1 ** np.arange(13)], years, pd.DataFrame({"name": ["Five"]}))
    errors = pf.backtest(panel, "naive", [2000], [1, 2]).errors
    assert errors["year"].tolist() == [2005, 2010]
    assert errors["ape"].tolist() == pytest.approx([100 * (1 - 1 / 1.1), 100 * (1 - 1 / 1.21)])


def test_generators_and_single_values_are_welcome(wpp2024: pf.Panel) -> None:
    panel = wpp2024.select(SOME)
    one = pf.backtest(panel, pf.AR(2), (year for year in [2000, 2005]), (h for h in [1, 2]), levels=90)
    assert one.scores().columns[-2:].tolist() == ["coverage_90", "width_90"]
    assert len(pf.backtest(panel, (name for name in ["naive", "drift"]), 2000, 1).errors) == 2 * len(SOME)


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"models": []}, ModelError, "no model was given"),
        ({"models": ["ar1", "ar1"]}, ModelError, "each model once"),
        ({"models": ["ar1", pf.AR()]}, ModelError, "each model once"),
        ({"models": "prophet"}, UnknownModelError, "'prophet'"),
        ({"origins": [1949]}, YearError, "1949"),
        ({"origins": []}, YearError, "no origin"),
        ({"origins": ["soon"]}, YearError, "soon"),
        ({"horizons": [0]}, YearError, "horizon 0"),
        ({"origins": [2020], "horizons": [10]}, YearError, "no outcome is known"),
        ({"levels": [180]}, LevelError, "180"),
        ({"levels": [80, 80]}, LevelError, "each level once"),
        ({"origins": [1952]}, ModelError, "too few"),
    ],
)
def test_impossible_backtest_is_refused(wpp2024: pf.Panel, options: dict, error: type, named: str) -> None:
    with pytest.raises(error, match=named):
        pf.backtest(wpp2024.select(SOME), **({"models": "ar1"} | options))


def test_outcome_of_zero_is_refused_with_place_and_year() -> None:
    panel = pf.Panel([[5, 4, 3, 2, 1, 0]], range(2000, 2006), pd.DataFrame({"name": ["Ghost town"]}))
    with pytest.raises(ModelError, match="Ghost town has population 0 in 2005"):
        pf.backtest(panel, pf.AR(1, "n"), [2004], [1])


@pytest.mark.parametrize("by", ["horizon", "model", "year", "origins", ["origin", "origin"], [None]])
def test_impossible_grouping_is_refused(tested: pf.Backtest, by: object) -> None:
    with pytest.raises(ModelError, match="origin, region, location_code, location"):
        tested.scores(by=by)


def test_unknown_location_is_refused_when_scoring(tested: pf.Backtest) -> None:
    with pytest.raises(UnknownLocationError, match="Nigeria"):
        tested.scores(locations="Nigera")


def test_backtest_shows_itself_and_says_that_its_data_are_final(tested: pf.Backtest) -> None:
    assert repr(tested) == "<Backtest: ar1, naive, drift; 236 locations, 7 origins, final data>"
    assert "final data" in tested._repr_html_()
