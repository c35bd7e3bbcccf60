"""What a new revision changed, against computations of its own and the verbs that the figures come from."""

from __future__ import annotations

import re

import numpy as np
import pytest

import popforecast as pf
from popforecast.errors import UnknownModelError, UnknownRevisionError, YearError
from popforecast.evaluation.vintages import compare_vintages
from popforecast.studies import revisions as study
from popforecast.text import format_population
from tests.helpers.freezing import check_frozen


@pytest.fixture(scope="module")
def compared() -> study.Comparison:
    return study.compare_revisions("wpp2019", "wpp2024")


def test_every_country_is_compared_or_left_out_with_a_reason(compared, wpp2019: pf.Panel, wpp2024: pf.Panel):
    codes = set(wpp2019.countries().locations.index) | set(wpp2024.countries().locations.index)
    assert set(compared.changes.index) | set(compared.pairing.excluded.index) == codes
    assert not set(compared.changes.index) & set(compared.pairing.excluded.index)
    reasons = compared.pairing.excluded["reason"]
    assert "counted with Kosovo" in reasons[688]
    assert "divided into Guernsey and Jersey" in reasons[830]
    assert reasons[336] == "not in wpp2024"


def test_a_comparison_cannot_be_changed_in_place(compared):
    check_frozen(compared)


def test_who_was_renamed_is_named(compared):
    assert study.list_renamed(compared)["was"].to_dict() == {"Türkiye": "Turkey"}


def test_the_past_is_the_new_figure_over_the_old(compared, wpp2019: pf.Panel, wpp2024: pf.Panel):
    for code in (566, 772, 156):
        then = wpp2019.select([code]).values[0]
        now = wpp2024.select([code]).until(2020).values[0]
        change = 100 * (now - then) / then
        row = compared.changes.loc[code]
        assert row["past"] == pytest.approx(change[-1])
        assert abs(row["largest"]) == pytest.approx(np.abs(change).max())
        assert change[row["largest_year"] - 1950] == pytest.approx(row["largest"])


def test_the_forecasts_are_those_of_the_verb_from_either_revision(compared, wpp2019: pf.Panel, wpp2024: pf.Panel):
    codes = [566, 772, 156]
    for panel, column in ((wpp2019, "forecast_then"), (wpp2024, "forecast_now")):
        said = pf.forecast(panel, codes, 2050, 2050).population[:, 0]
        np.testing.assert_array_equal(compared.changes.loc[codes, column], said)


def test_base_and_growth_together_make_the_change(compared):
    changes = compared.changes
    whole = (1 + changes["past"] / 100) * (1 + changes["growth"] / 100)
    np.testing.assert_allclose(whole, 1 + changes["forecast"] / 100)


def test_the_ten_that_moved_most_are_the_ten_furthest_ratios(compared):
    moved = study.find_moved(compared)
    large = compared.changes[(compared.changes[["base_then", "base_now"]] >= 100_000).all(axis=1)]
    ratio = large["forecast_now"] / large["forecast_then"]
    distance = np.maximum(ratio, 1 / ratio)
    assert moved.index.tolist() == distance.sort_values(ascending=False).index[:10].tolist()
    table = study.tabulate_moved(compared)
    assert table.index.tolist() == moved["location"].tolist()
    assert table.loc["Yemen", "now "] == format_population(compared.changes.loc[887, "forecast_now"])


def test_places_whose_thousands_are_too_coarse_are_not_named_and_that_is_said(compared):
    small = compared.changes[(compared.changes[["base_then", "base_now"]] < 100_000).any(axis=1)]
    assert {772, 663} <= set(small.index)
    assert not set(small.index) & set(study.find_moved(compared, len(compared.changes)).index)
    said = study.tell_small(compared)
    assert f"{len(small)} places that had fewer than 100,000 people in 2020" in said
    assert "wpp2019 rounds to thousands" in said
    assert "wpp2024 gives" not in said


def test_the_old_interval_is_the_one_that_every_surface_shows(compared, wpp2019: pf.Panel, wpp2024: pf.Panel):
    frame = pf.forecast(wpp2019, compared.changes.index.tolist(), 2021, 2023).to_frame()
    frame["now"] = wpp2024.select(compared.changes.index.tolist()).values[:, -3:].ravel().round()
    for level in (80, 95):
        held = frame["now"].between(frame[f"lower_{level}"], frame[f"upper_{level}"])
        expected = (100 * held.groupby(frame["year"]).mean()).round(1)
        shown = study.score_held(compared).loc["with later revisions", f"within {level}%"]
        assert shown.loc[2021:].tolist() == expected.tolist()


def test_intervals_published_by_then_allow_for_what_the_old_edition_had_revised(compared, wpp2024: pf.Panel):
    """The intervals that vintages.compare scores, on other panels: every country alone, and no sums."""
    scores = compare_vintages("wpp2019", "wpp2024", intervals="published").scores(compared.changes.index.tolist())
    raw = scores[scores["basis"] == "raw"].set_index("year")
    shown = study.score_held(compared).loc["known at the time"]
    for level in (80, 95):
        # The stored fit knows the aggregates, too, and may differ by a country at a bound.
        assert shown.loc[2021:, f"within {level}%"].tolist() == pytest.approx(
            raw[f"coverage_{level}"].tolist(), abs=0.5
        )
    said = study.explain_held(compared)
    assert "estimated from how wpp2019 changed wpp2010 and wpp2012" in said
    assert "estimated from how wpp2024 changed wpp2010 and wpp2012" in said
    assert "They are also tested on wpp2024" in said


def test_in_the_base_year_the_interval_allows_for_revision_alone(compared):
    # Nothing is forecast there, and growth adds to it a year later: it can only be narrower than the next.
    shown = study.score_held(compared)
    kinds = ["known at the time", "with later revisions"]
    assert shown.index.tolist() == [(kind, year) for kind in kinds for year in (2020, 2021, 2022, 2023)]
    assert (shown["countries"] == 232).all()
    for kind in kinds:
        assert 50 < shown.loc[(kind, 2020), "within 80%"] < shown.loc[(kind, 2020), "within 95%"] < 100


def test_a_plain_model_states_no_interval_for_its_base_year():
    plain = study.compare_revisions("wpp2019", "wpp2024", "ar1", 2030)
    assert study.score_held(plain).loc["analytic"].index.tolist() == [2021, 2022, 2023]
    assert study.explain_held(plain).startswith("ar1 has analytic intervals")
    assert study.tell_order(plain) == ""
    assert "published" not in study.tell_finding(plain)
    assert "% allowing for random error only." in study.tell_finding(plain)


def test_backtest_errors_are_those_of_the_backtest_on_either_revision(compared, wpp2019: pf.Panel, wpp2024: pf.Panel):
    codes = compared.changes.index.tolist()
    of_totals = study.compare_revisions("wpp2019", "wpp2024", "panel-ar")
    shown = study.score_errors(of_totals)
    assert study.explain_errors(of_totals).endswith("comes from the figures.")
    for panel in (wpp2019, wpp2024.until(2020)):
        bt = pf.backtest(panel, ["panel-ar"], range(1988, 2020, 5), [1, 5, 10, 20], [80])
        scores = bt.scores(codes).set_index("horizon")
        expected = [f"{row.mape:.2f} / {row.median_ape:.2f}" for row in scores.itertuples()]
        assert shown[panel.revision].tolist() == expected
        assert shown["forecasts"].tolist() == scores["n"].tolist()


def test_cohort_is_not_tested_on_the_interpolated_figures_of_2019(compared):
    assert study.score_errors(compared).columns.tolist() == ["forecasts", "wpp2024"]
    assert "its annual figures are interpolated" in study.explain_errors(compared)


def test_changes_are_counted_year_by_year(compared, wpp2019: pf.Panel, wpp2024: pf.Panel):
    codes = compared.changes.index
    then, now = (panel.select(codes).until(1990).values[:, -1] for panel in (wpp2019, wpp2024))
    change = np.abs(now / then - 1)
    row = study.count_changes(compared).loc[1990]
    assert row["median change, percent"] == pytest.approx(100 * np.median(change), abs=0.005)
    assert row["5% or more"] == (change >= 0.05).sum()


def test_regions_are_sums_of_the_countries_compared(compared):
    africa = compared.changes.query("region == 'Africa'")
    table = study.sum_regions(compared)
    change = 100 * (africa["forecast_now"].sum() / africa["forecast_then"].sum() - 1)
    assert table.loc["Africa", "forecast for 2050"] == f"{change:+.1f}".replace("-", "−")
    assert table.index[-1] == "All compared"


def test_every_country_has_a_row_with_no_hole(compared):
    table = study.tabulate_all(compared)
    assert len(table) == len(compared.changes)
    assert not table.isin(["nan", "–", ""]).any().any()
    row = table.loc["Tokelau"]
    assert (row["within 80%"], row["2020"]) == ("0 / 0 of 4", "+112.8")
    held = compared.held["held_80"].xs(772, level="code")
    assert held.sum() == 0


def test_the_finding_states_what_the_tables_do(compared):
    said = study.tell_finding(compared)
    far = (compared.changes["past"].abs() >= 5).sum()
    assert f"by 5% or more in {far}" in said
    first = study.find_moved(compared, 1).iloc[0]
    assert "Tokelau" not in said
    leading = f"{first['location']} ({first['forecast']:+.0f}%)"
    assert f"those that changed most, among places with at least 100,000 people, are for {leading}" in said
    held = [int(share) for share in re.findall(r"(\d+)%", said.partition("contained ")[2])]
    ahead = study.score_held(compared).drop(2020, level="year").groupby("intervals").mean()
    assert ahead.index.tolist() == ["known at the time", "with later revisions"]
    expected = [ahead.loc[kind, f"within {level}%"] for kind in ahead.index for level in (80, 95)]
    assert held == pytest.approx(expected, abs=0.51)


def test_how_the_uns_variant_moved_is_not_said_where_it_is_not_known(compared):
    said = study.tell_forecast(compared)
    assert "not embedded for wpp2019, so its change is unknown" in said
    base, growth = (np.abs(np.log1p(compared.changes[column] / 100)) for column in ("past", "growth"))
    assert f"In {(base >= growth).sum()} of 232 countries" in said


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("wpp2024", "wpp2019"), UnknownRevisionError, "expected an earlier revision and a later one"),
        (("wpp2019", "wpp2019"), UnknownRevisionError, "expected an earlier revision and a later one"),
        (("wpp2012", "wpp2024"), UnknownRevisionError, "'wpp2012': expected one of wpp2019, wpp2024"),
        (("wpp2019", "wpp2030"), UnknownRevisionError, "'wpp2030': expected one of"),
        (("wpp2019", "wpp2024", "arma"), UnknownModelError, "'arma'"),
        (("wpp2019", "wpp2024", "panel-ar", 2023), YearError, "year 2023: expected one from 2024 to 2100"),
        (("wpp2019", "wpp2024", "panel-ar", 2101), YearError, "year 2101: expected one from 2024 to 2100"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: tuple, error: type[Exception], sentence: str):
    with pytest.raises(error, match=sentence):
        study.compare_revisions(*arguments)
