"""What a profile says in words is what its figures say."""

from __future__ import annotations

import re

import numpy as np
import pytest

import popforecast as pf
from popforecast.forecasting.milestones import find_milestones
from popforecast.studies import profile as study
from popforecast.text import round_in_words, say_population


def number(text: str, pattern: str) -> float:
    found = re.search(pattern, text.replace("\u00a0", " "))
    assert found, f"{pattern} in {text}"
    return float(found[1].replace("−", "-"))


@pytest.mark.parametrize("location", ["India", "Tokelau", "Bulgaria", "World"])
def test_the_finding_states_the_figures_of_the_forecast(location: str, wpp2024: pf.Panel):
    profile = study.make_profile(location)
    row = pf.forecast(wpp2024, profile.code, 2050, 2050).to_frame().iloc[0]
    said = study.tell_forecast(profile)
    assert said.startswith(f"{location}: {say_population(profile.history[-1])} people in 2023")
    rounding = round_in_words(row["population"], row["lower_80"], row["upper_80"])
    assert f"{rounding.say(row['population'])} in 2050" in said
    assert f"(80%: {rounding.say_range(row['lower_80'], row['upper_80'])})" in said
    medium = pf.load_projections("wpp2024").query(f"location_code == {profile.code} and year == 2050")
    assert said.endswith(f"The UN's medium variant is {rounding.say(medium['population'].iloc[0])}.")


@pytest.mark.parametrize(
    ("location", "recent"), [("India", "grew"), ("Bulgaria", "shrank"), ("Italy", "shrank"), ("World", "grew")]
)
def test_growth_has_the_verb_of_its_sign(location: str, recent: str):
    profile = study.make_profile(location)
    said = study.tell_growth(profile)
    expected = 100 * ((profile.history[-1] / profile.history[-6]) ** 0.2 - 1)
    assert said.startswith(f"From 2018 to 2023 the population {recent} by {abs(expected):.1f}")
    ours = 100 * ((profile.at(profile.median, 2050) / profile.history[-1]) ** (1 / 27) - 1)
    assert number(said, r"Up to 2050, our forecast implies growth of (−?[\d.]+)% a year") == pytest.approx(
        ours, abs=0.051
    )


def test_growth_that_nobody_would_call_growth_is_none():
    said = [study.tell_growth(study.make_profile(name)) for name in ("Germany", "Croatia", "Greenland", "Cuba")]
    panel = pf.load_panel()
    grown = panel.values[:, -1] / panel.values[:, -6]
    still = panel.locations["name"][np.abs(np.log(grown) / 5) < 4e-4]
    assert len(still)
    for name in still.index[:3]:
        assert "hardly changed (" in study.tell_growth(study.make_profile(name)), name
    assert all("hardly changed" not in each.split(";")[0] for each in said)


def test_the_record_counts_outcomes():
    said = study.tell_record(study.make_profile("Nigeria"))
    row = pf.load_record().query("location_code == 566 and model == 'cohort' and horizon == 5").iloc[0]
    assert f"contained {round(row['n'] * row['coverage_80'] / 100)} of {row['n']} outcomes" in said
    assert number(said, r"off by ([\d.]+)% on average after 5") == pytest.approx(row["mape"], abs=0.051)
    assert "final data" in said


@pytest.mark.parametrize(
    ("revision", "said"), [("wpp2024", "today's figures"), ("wpp2019", "the figures of the 2019 edition")]
)
def test_no_figures_but_the_latest_are_todays(revision: str, said: str):
    assert f"final data ({said}), which flatters" in study.tell_record(study.make_profile(566, revision, "panel-ar"))


def test_why_there_is_no_test_on_the_data_of_2019_is_said():
    profile = study.make_profile(566, "wpp2019")
    assert study.tabulate_record(profile) is None
    assert study.tell_record(profile).startswith("There is no test on the data of the 2019 edition: its annual figures")


@pytest.mark.parametrize(("location", "verdict"), [("Nigeria", "further off"), ("Afghanistan", "closer")])
def test_in_real_time_the_nearer_one_is_named(location: str, verdict: str):
    profile = study.make_profile(location)
    last = pf.load_vintage_record().query(f"location_code == {profile.code} and vintage == 'wpp2012'").iloc[-1]
    assert (last["ape"] < last["un_ape"]) == (verdict == "closer")
    assert f"ours was {verdict}." in study.tell_vintages(profile)


def test_what_our_intervals_of_the_time_and_since_allow_for_is_said_where_they_are_shown():
    said = study.tell_vintages(study.make_profile("Nigeria"))
    assert said.index("could have been given at the time") < said.index("could not be known at the time")
    assert study.tell_vintages(study.make_profile("Africa")).endswith("Our intervals are evaluated for countries only.")


def test_real_time_errors_of_another_model_are_said_to_be_the_defaults():
    assert (
        study.tell_vintages(study.make_profile("Nigeria", model="ar1")).count("Our errors here are those of cohort.")
        == 1
    )


def test_the_year_of_parting_is_the_first_that_is_so_far_apart():
    profile = study.make_profile("Bulgaria")
    said = study.tell_difference(profile)
    apart = np.abs(profile.median - profile.medium) / profile.medium
    for limit in (1, 5, 10):
        year = int(number(said, rf"{limit}% in (\d+)"))
        at = year - 2024
        assert apart[at] >= limit / 100
        assert (apart[:at] < limit / 100).all()
    assert "above the UN's in 2050" in said


def test_a_forecast_below_zero_is_no_percentage_below_the_uns():
    profile = study.make_profile("Montserrat", model="ar1")
    assert profile.median[-1] < 0
    assert "% below the UN's in 2050 and below zero in 2100." in study.tell_difference(profile)
    shown = study.tabulate_difference(profile)["difference, percent"]
    assert shown.loc["2050"].startswith("−")
    assert shown.loc[["2075", "2100"]].tolist() == ["–", "–"]


def test_it_is_said_when_the_uns_variant_lies_outside_our_interval():
    panel = pf.load_panel()
    kinds = set()
    for code in panel.countries().locations.index:
        profile = study.make_profile(code)
        lower, upper = profile.forecast.lower[80][0], profile.forecast.upper[80][0]
        outside = (profile.medium < lower) | (profile.medium > upper)
        # What explains the difference comes last.
        said = re.sub(
            r" Ours is \d+% \w+ the UN medium variant in 2050\. It assumes.*$", "", study.tell_difference(profile)
        )
        if not outside.any():
            assert said.endswith("stays within our 80% interval up to 2100."), profile.name
            continue
        found = re.search(r"outside our 80% interval (?:in|from) (\d+)(?: to (\d+))?(| on|, and again later)\.$", said)
        assert found, said
        first, last = int(found[1]), 2100 if found[3] == " on" else int(found[2] or found[1])
        spell = outside[: last - 2023]
        assert (spell.argmax(), spell[first - 2024 :].all()) == (first - 2024, True), profile.name
        assert outside[last - 2023 :].any() == (found[3] == ", and again later"), profile.name
        assert last == 2100 or not outside[last - 2023], profile.name
        kinds.add(found[3])
    assert kinds >= {"", " on"}


def test_milestones_are_those_of_the_verb():
    profile = study.make_profile("Japan")
    sentences = [milestone.sentence for milestone in find_milestones(profile.forecast)]
    assert study.list_milestones(profile).splitlines() == [f"- {sentence}" for sentence in sentences]


def test_every_country_of_every_revision_has_a_whole_profile():
    for revision in pf.REVISIONS:
        for code in pf.load_panel(revision).countries().locations.index:
            profile = study.make_profile(code, revision)
            tells = (
                study.tell_forecast,
                study.tell_growth,
                study.tell_record,
                study.tell_vintages,
                study.tell_difference,
                study.list_milestones,
            )
            said = " ".join(tell(profile) for tell in tells)
            assert not re.search(r"\b(nan|inf|None)\b|−0\.0", said), said
