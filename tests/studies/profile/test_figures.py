"""A profile is one location's part of what every other verb says, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import UnknownLocationError, UnknownModelError, UnknownRevisionError
from popforecast.studies import profile as study
from popforecast.studies.profile.figures import grow_yearly, hold_medium, measure_growth
from popforecast.text import format_percent, round_in_full

GIANT, MICRO, SHRINKING, WORLD = "India", "Tokelau", "Bulgaria", "World"


@pytest.fixture(params=[GIANT, MICRO, SHRINKING, WORLD])
def profile(request: pytest.FixtureRequest) -> study.Profile:
    return study.make_profile(request.param)


def test_its_forecast_is_that_of_the_verb(profile: study.Profile, wpp2024: pf.Panel):
    said = pf.forecast(wpp2024, profile.code, 2024, 2100, pf.load_fitted("wpp2024", wpp2024))
    np.testing.assert_allclose(profile.median, said.population[0], rtol=1e-9)
    for level in (80, 95):
        np.testing.assert_allclose(profile.forecast.lower[level], said.lower[level], rtol=1e-9)
        np.testing.assert_allclose(profile.forecast.upper[level], said.upper[level], rtol=1e-9)
    np.testing.assert_array_equal(profile.history, wpp2024.select([profile.code]).values[0])


def test_the_uns_line_is_the_embedded_medium_variant(profile: study.Profile):
    medium = pf.load_projections("wpp2024").query(f"location_code == {profile.code}").set_index("year")["population"]
    assert profile.years.tolist() == medium.index.tolist()
    np.testing.assert_array_equal(profile.medium, medium)


def test_the_table_of_forecasts_holds_the_figures_of_the_forecast(profile: study.Profile, wpp2024: pf.Panel):
    table = study.tabulate_forecast(profile)
    frame = pf.forecast(wpp2024, profile.code, 2024, 2100).to_frame().set_index("year")
    assert table.index.tolist() == ["2023 (estimates)", "2030", "2040", "2050", "2075", "2100"]
    # A small place has whole persons in all years, whatever its bounds grow to.
    columns = ["population", "lower_80", "upper_80", "lower_95", "upper_95"]
    rounding = round_in_full(frame.loc[[2030, 2040, 2050, 2075, 2100], columns].to_numpy().ravel())
    assert table.iloc[0, 0] == rounding.write(wpp2024.select([profile.code]).values[0, -1])
    for year in (2030, 2100):
        row = frame.loc[year]
        assert table.loc[str(year), "our forecast"] == rounding.write(row["population"])
        assert table.loc[str(year), "95% interval"] == rounding.say_range(row["lower_95"], row["upper_95"])


def test_the_difference_is_ours_over_the_uns(profile: study.Profile):
    table = study.tabulate_difference(profile)
    at = profile.years.tolist().index(2050)
    expected = 100 * (profile.median[at] - profile.medium[at]) / profile.medium[at]
    assert table.loc["2050", "difference, percent"] == f"{expected:+.1f}".replace("-", "−")
    held = profile.forecast.lower[80][0, at] <= profile.medium[at] <= profile.forecast.upper[80][0, at]
    assert table.loc["2050", "within our 80% interval"] == ("yes" if held else "no")


def test_the_track_record_is_the_embedded_one(profile: study.Profile):
    table = study.tabulate_record(profile)
    record = pf.load_record("wpp2024").query(f"location_code == {profile.code}").set_index(["model", "horizon"])
    for horizon in (1, 5, 10, 20):
        assert table.loc[horizon, "forecasts"] == str(record.loc[("cohort", horizon), "n"])
        assert table.loc[horizon, "mean error"] == format_percent(record.loc[("cohort", horizon), "mape"])
        assert table.loc[horizon, "mean error of naive"] == format_percent(record.loc[("naive", horizon), "mape"])


def test_real_time_errors_are_the_embedded_ones_beside_the_uns():
    table = study.tabulate_vintages(study.make_profile("Nigeria"))
    record = pf.load_vintage_record().query("location_code == 566")
    assert table.index.tolist() == ["2010", "2010", "2012", "2012"]
    assert table["our error"].tolist() == [format_percent(ape) for ape in record["ape"]]
    assert table["UN's error"].tolist() == [format_percent(ape) for ape in record["un_ape"]]
    # The 2010 edition states no bounds.
    assert table["within the UN's 95%"].tolist()[:2] == ["–", "–"]


@pytest.mark.parametrize("location", ["Tokelau", "Serbia"])
def test_where_editions_differ_there_is_no_table_of_real_time_errors(location: str):
    profile = study.make_profile(location)
    assert study.tabulate_vintages(profile) is None
    assert "no real-time comparison" in study.tell_vintages(profile)


def test_without_a_medium_variant_nothing_is_compared():
    profile = study.make_profile("Japan", "wpp2019")
    assert (profile.medium, study.tabulate_difference(profile), study.chart_difference(profile)) == (None,) * 3
    assert "not embedded for wpp2019" in study.tell_difference(profile)
    assert "UN" not in study.tell_forecast(profile) + study.tell_growth(profile)
    assert study.chart_history(profile).lines[0].reference is None


def test_a_location_answers_to_code_iso3_name_and_alias():
    names = ["840", 840, "USA", "United States of America", "America"]
    assert {study.make_profile(name).code for name in names} == {840}


def test_many_profiles_share_one_forecast_of_the_panel():
    assert study.make_profile("Chile").outlook is study.make_profile("Peru").outlook


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("Atlantis",), UnknownLocationError, "no location 'Atlantis'"),
        (("Nigerie",), UnknownLocationError, "nearest: Niger"),
        (("Nigeria", "wpp2022"), UnknownRevisionError, "'wpp2022': expected one of wpp2019, wpp2024"),
        (("Nigeria", "wpp2012"), UnknownRevisionError, "'wpp2012': expected one of wpp2019, wpp2024"),
        (("Nigeria", "wpp2024", "arima"), UnknownModelError, "'arima'"),
    ],
)
def test_what_is_not_there_is_named(arguments: tuple[str, ...], error: type[Exception], sentence: str):
    with pytest.raises(error, match=sentence):
        study.make_profile(*arguments)


def test_growth_is_compound_and_per_year():
    years, persons = np.array([2000, 2005, 2010]), np.array([100.0, 110.0, 121.0])
    assert measure_growth(years, persons, 2000, 2010) == pytest.approx(100 * (1.21**0.1 - 1))
    assert grow_yearly(persons, 5) == pytest.approx([100 * (1.1**0.2 - 1)] * 2)


def test_the_interval_holds_the_uns_line_at_its_bounds():
    profile = study.make_profile("Bulgaria")
    lower, upper = profile.forecast.lower[80][0], profile.forecast.upper[80][0]
    inside = pd.Series(profile.medium).between(lower, upper).to_numpy()
    assert hold_medium(profile).tolist() == inside.tolist()
