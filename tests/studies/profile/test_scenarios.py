"""Scenarios change one thing of the past and ask the same model again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.studies import profile as study
from popforecast.studies.profile.scenarios import change_growth, compare


def by_label(profile: study.Profile) -> dict[str, np.ndarray]:
    return {scenario.label: scenario.population for scenario in study.imagine(profile)}


def test_history_changed_has_the_growth_given_and_the_last_figure_of_before():
    rng = np.random.default_rng(0)
    places = pd.DataFrame({"name": list("abc")})
    panel = pf.Panel(rng.uniform(50, 100, (3, 12)), np.arange(2000, 2012), places)
    growth = rng.normal(0, 0.1, (2, 4))
    changed = change_growth(panel, np.array([0, 2]), growth)
    grown, before = np.diff(np.log(changed.values), axis=1), np.diff(np.log(panel.values), axis=1)
    np.testing.assert_allclose(grown[[0, 2], -4:], growth)
    np.testing.assert_allclose(grown[:, :-4], before[:, :-4])
    np.testing.assert_allclose(changed.values[:, -1], panel.values[:, -1])
    np.testing.assert_array_equal(changed.values[1], panel.values[1])


def test_a_history_changed_into_itself_gives_the_forecast_that_there_is(wpp2024: pf.Panel):
    # The oracle of all scenarios: a steady location whose last years grew like those before is not changed at all.
    values = wpp2024.values.copy()
    row = wpp2024.rows("Japan")
    values[row] = 1e6 * 1.01 ** np.arange(len(wpp2024.years))
    steady = replace(wpp2024, values=values)
    grown = np.diff(np.log(steady.values), axis=1)
    changed = change_growth(steady, row, grown[row, -10:-5])
    np.testing.assert_allclose(changed.values, steady.values, rtol=1e-12)


@pytest.mark.parametrize(("location", "model"), [("India", "panel-ar"), ("World", "panel-ar"), ("Japan", "ar1")])
def test_five_years_ago_is_what_the_verb_says_of_what_was_known_then(location: str, model: str, wpp2024: pf.Panel):
    profile = study.make_profile(location, model=model)
    then = pf.forecast(wpp2024.until(2018), profile.code, 2024, 2098, model, levels=())
    np.testing.assert_allclose(by_label(profile)["five years ago"][: then.population.shape[1]], then.population[0])


@pytest.mark.parametrize("location", ["India", "Tokelau"])
def test_growth_as_before_is_what_the_verb_says_of_a_panel_changed_so(location: str, wpp2024: pf.Panel):
    profile = study.make_profile(location)
    values, row = wpp2024.values.copy(), wpp2024.rows(location)[0]
    # By the ratios of a table, without a logarithm: 2018-23 as 2013-18, ending at the same figure.
    again = values[row, -11:-5] / values[row, -11]
    tail = again / again[-1] * values[row, -1]
    values[row] = np.concatenate([values[row, :-6] * (tail[0] / values[row, -6]), tail])
    changed = replace(wpp2024, values=values)
    expected = pf.forecast(changed, profile.code, 2024, 2098, levels=()).population[0]
    np.testing.assert_allclose(by_label(profile)["growth as before"][:75], expected, rtol=1e-9)


def test_a_base_revised_moves_the_whole_forecast_in_proportion():
    profile = study.make_profile("Nigeria")
    # The figure of 2020, then and now.
    then, now = (pf.load_panel(name).select("NGA") for name in ("wpp2019", "wpp2024"))
    factor = now.until(2020).values[0, -1] / then.values[0, -1]
    assert by_label(profile)["base revised as before"] / profile.median == pytest.approx(factor)


def test_the_earlier_revision_is_compared_with_the_edition_before_it():
    profile = study.make_profile("Nigeria", "wpp2019")
    then, now = (pf.load_panel(name).select("NGA").until(2010) for name in ("wpp2012", "wpp2019"))
    factor = now.values[0, -1] / then.values[0, -1]
    assert by_label(profile)["base revised as before"] / profile.median == pytest.approx(factor)
    assert "2019 edition revised the last figure of the 2012 edition" in study.tell_scenarios(
        profile, study.imagine(profile)
    )


def test_the_world_has_no_region_and_a_group_no_revised_base():
    assert list(by_label(study.make_profile("World"))) == ["growth as before", "five years ago"]
    assert list(by_label(study.make_profile("Western Africa"))) == [
        "growth as before",
        "growth of Africa",
        "five years ago",
    ]
    # Serbia with and without Kosovo are two places.
    assert "base revised as before" not in by_label(study.make_profile("Serbia"))


def test_the_table_and_the_sentences_hold_the_same_changes():
    profile = study.make_profile("Bulgaria")
    scenarios = study.imagine(profile)
    table, told = study.tabulate_scenarios(profile, scenarios), study.tell_scenarios(profile, scenarios)
    assert table.loc["our forecast", "2050: change, percent"] == ""
    for scenario in scenarios:
        at = profile.years.tolist().index(2050)
        change = 100 * (scenario.population[at] / profile.median[at] - 1)
        assert compare(profile, scenario, 2050) == pytest.approx(change)
        assert table.loc[scenario.label, "2050: change, percent"] == f"{change:+.1f}".replace("-", "−")
        assert f"{abs(change):.1f}%" in told
    sizes = [abs(compare(profile, scenario, 2050)) for scenario in scenarios]
    first = scenarios[int(np.argmax(sizes))]
    assert told.splitlines()[0].startswith(f"- If {first.meaning}")


def test_below_zero_a_scenario_is_told_in_persons_and_no_percentage():
    """What a share of less than nobody would be is of no use, and has the wrong sign."""
    profile = study.make_profile("Montserrat", model="ar1")
    assert profile.median[-1] < 0
    scenarios = study.imagine(profile)
    table = study.tabulate_scenarios(profile, scenarios)
    assert set(table["2100: change, percent"].iloc[1:]) == {"–"}
    drawn = study.chart_difference(profile)
    assert all(np.isfinite(course.values).all() for course in drawn.courses)
    assert drawn.courses[0].years[-1] == profile.years[profile.median > 0][-1]
