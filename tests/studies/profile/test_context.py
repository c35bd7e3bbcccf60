"""What a profile says of known events, and of a model whose intervals are analytic."""

from __future__ import annotations

import pytest

import popforecast as pf
from popforecast.studies import profile as study
from popforecast.studies.events import list_events

WAR = list_events("UKR")[0].what


def test_a_war_that_shows_in_the_figures_is_in_the_finding_and_in_the_text():
    profile = study.make_profile("Ukraine")
    said = study.tell_finding(profile)
    assert f"The latest figures reflect a known event ({WAR})" in said
    assert "not whether it continues or who will return" in said
    # Once on a page is enough.
    assert WAR not in study.tell_events(profile)


def test_a_war_after_the_figures_end_is_said_to_be_unknown_to_them():
    for model in ("panel-ar", "ar1"):
        said = study.tell_finding(study.make_profile("Ukraine", "wpp2019", model))
        assert said.endswith(
            f"Not in these figures, which end in 2020: {WAR}. Forecasts from them do not allow for it."
        )


def test_what_is_long_past_is_told_in_the_text_alone():
    profile = study.make_profile("Rwanda")
    assert study.tell_events(profile).startswith("Events that changed the population: the genocide of 1994")
    assert "genocide" not in study.tell_finding(profile)


@pytest.mark.parametrize(("place", "told"), [("World", True), ("Europe", True), ("Africa", False), ("Poland", False)])
def test_an_aggregate_names_the_recent_events_of_its_countries(place: str, told: bool):
    said = study.tell_events(study.make_profile(place))
    assert (f"Events in its countries: Ukraine ({WAR})" in said) == told
    assert study.tell_finding(study.make_profile(place)) == study.tell_forecast(study.make_profile(place))


def test_analytic_bounds_are_given_with_what_they_held():
    profile = study.make_profile("Nigeria", model="ar1")
    row = pf.load_record().query("location_code == 566 and model == 'ar1' and horizon == 20").iloc[0]
    held = f"contained {round(row['n'] * row['coverage_80'] / 100)} of {row['n']} outcomes 20 years ahead"
    assert row["coverage_80"] < 80
    for tell in (study.tell_forecast, study.tell_intervals, study.list_milestones):
        assert held in tell(profile), tell.__name__
        assert held not in tell(study.make_profile("Nigeria"))


@pytest.mark.parametrize("model", ["panel-ar", "ar1", "naive"])
def test_only_the_model_that_joins_horizons_has_kinks(model: str):
    said = study.tell_growth(study.make_profile("Japan", model=model))
    assert ("kinks at these horizons" in said) == (model == "panel-ar")


def test_notes_of_the_forecast_are_told():
    assert "Note: explosive (largest root" in study.tell_intervals(study.make_profile("Nigeria", model="ar1"))


def test_estimates_of_an_older_edition_were_revised_and_of_the_latest_will_be():
    assert "and will be revised." in study.list_cautions(study.make_profile("Japan"))
    old = study.make_profile("Japan", "wpp2019")
    assert "and were revised in World Population Prospects 2024." in study.list_cautions(old)
    assert "The outcomes are those of World Population Prospects 2024." in study.tell_vintages(old)


def test_a_path_below_zero_has_no_rate_of_growth():
    profile = study.make_profile("Niue", model="ar1")
    assert profile.median[-1] < 0
    assert "nan" not in study.tell_growth(profile)
    assert "nan" not in study.chart_growth(profile).description
