"""Intervals of sums are possible: they hold the forecast, nest, and lie within the bounds of their members together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import popforecast as pf
from popforecast.forecasting.milestones import find_milestones
from popforecast.wpp.editions import load_members
from tests.helpers.sums import count_faults

LEVELS = (1, 10, 30, 40, 50, 80, 95, 99, 99.9)
CALIBRATED = [name for name in pf.models.MODELS if pf.models.get(name).calibrated]


@pytest.mark.parametrize("revision", ["wpp2019", "wpp2024"])
@pytest.mark.parametrize("model", CALIBRATED)
def test_every_aggregate_of_a_revision_has_possible_intervals(model: str, revision: str) -> None:
    whole = pf.forecast_all(pf.load_panel(revision), model, LEVELS)
    assert len(whole.membership.aggregates) >= 50
    assert count_faults(whole.prediction, whole.membership)[:2] == (0, 0)


@pytest.mark.parametrize("intervals", ["final", "real-time"])
def test_both_kinds_of_intervals_are_possible_at_past_origins(wpp2024: pf.Panel, intervals: str) -> None:
    for origin in (1960, 1985, 2010):
        whole = pf.forecast_all(wpp2024.until(origin), "damped-growth", LEVELS, intervals)
        assert count_faults(whole.prediction, whole.membership)[:2] == (0, 0)


@pytest.fixture(scope="module")
def outlook() -> pf.Outlook:
    return pf.forecast_all(pf.load_panel("wpp2019"), "naive", LEVELS)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_group_has_possible_intervals(outlook: pf.Outlook, data: st.DataObject) -> None:
    countries = outlook.membership.countries
    members = data.draw(st.lists(st.sampled_from(countries), min_size=1, max_size=40, unique=True))
    whole = outlook.add({"ours": members}, LEVELS)
    assert count_faults(whole.prediction, whole.membership)[:2] == (0, 0)


def draw_panel(values: NDArray[np.float64]) -> pf.Panel:
    n, t = values.shape
    years = np.arange(2000 - t, 2000)
    frame = pd.DataFrame({"id": np.repeat([f"a{i}" for i in range(n)], t), "year": np.tile(years, n)})
    return pf.Panel.from_frame(frame.assign(population=values.ravel()), id="id", time="year", value="population")


def grow(n: int, t: int, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(12, 1, (n, 1)) + 0.01 * np.arange(t) + rng.normal(0, 0.002, (n, t)).cumsum(axis=1))


def break_levels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """One year in which every series falls to a hundredth, and stays there."""
    return np.where(np.arange(values.shape[1]) < values.shape[1] // 2, values, values / 100)


PANELS = {
    "a common level break": break_levels(grow(20, 40)),
    "a common level break down to nobody": np.rint(break_levels(grow(12, 15))),
    "a break in one member": np.vstack([grow(9, 40), break_levels(grow(1, 40, seed=1))]),
    "widths of nothing": np.repeat(np.exp(np.arange(8.0) + 5)[:, None], 40, axis=1),
    "a member without error": np.vstack([grow(7, 40), np.full((1, 40), 5000.0)]),
    "one past origin": grow(31, 6),
    "two series": grow(2, 40),
}


@pytest.mark.parametrize("model", CALIBRATED)
@pytest.mark.parametrize("case", PANELS)
def test_groups_of_ones_own_series_have_possible_intervals(case: str, model: str) -> None:
    panel = draw_panel(PANELS[case])
    codes = panel.locations.index.tolist()
    groups = {"all": codes, "half": codes[::2], "one": codes[:1]}
    whole = pf.forecast_all(panel, model, LEVELS).add(groups, LEVELS)
    assert count_faults(whole.prediction, whole.membership)[:2] == (0, 0)


def test_sum_is_as_uncertain_as_its_members_where_one_level_alone_has_no_width(wpp2019: pf.Panel) -> None:
    """`naive` never forecast too much of most countries: narrow bounds below are those of the forecast itself."""
    fc = pf.forecast(wpp2019, "World", 2024, 2026, "naive", levels=(80, 95))
    growth = fc.population / fc.history.values[:, -1:]
    assert growth == pytest.approx(1)
    for level in (80, 95):
        assert (fc.lower[level] > 0.8 * fc.population).all()
        assert (np.diff(fc.lower[level][0]) <= 0).all()


def test_widths_between_two_knots_lie_between_theirs(wpp2024: pf.Panel) -> None:
    path = pf.forecast(wpp2024, "World", 2024, 2063, "panel-ar", intervals="final").path
    for bound in (path.lower, path.upper):
        width = np.abs(np.log(bound[80] / path.population))[0]
        assert (np.diff(width) >= -1e-12).all()
        # From ten to twenty years ahead in a straight line, as widths of countries are.
        assert np.ptp(np.diff(width[9:20])) < 0.25 * np.diff(width[9:20]).mean()


# What a sum is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["wpp2019", "wpp2024"])
def test_every_aggregate_is_the_sum_of_its_countries_and_its_remainder(revision: str) -> None:
    """In every year of the history and the forecast, to the person, from what anybody can read."""
    panel = pf.load_panel(revision)
    fc = pf.forecast(panel, None, int(panel.years[0]), 2100)
    rows = fc.to_frame().set_index(["location_code", "year"])["population"].astype(float).unstack()
    remainder = fc.list_remainders().set_index(["location_code", "year"])["persons"].astype(float).unstack()
    members = load_members(revision)
    assert set(remainder.index) == set(members)
    for code, countries in members.items():
        assert (rows.loc[list(countries)].sum() + remainder.loc[code] == rows.loc[code]).all(), code


def test_remainder_of_the_world_is_small_and_keeps_its_share(wpp2024: pf.Panel) -> None:
    fc = pf.forecast(wpp2024, "World", 2023, 2100)
    persons = fc.list_remainders()["persons"].to_numpy(dtype=float)
    assert 0 < persons.min() <= persons.max() < 1000
    assert persons / fc.population[0] == pytest.approx(persons[0] / fc.population[0, 0], rel=2e-3)


def test_group_of_ones_own_has_no_remainder_and_a_country_none_to_tell(wpp2024: pf.Panel) -> None:
    fc = pf.forecast(wpp2024, ["NGA"], 2030, 2031, groups={"Two": ["NGA", "IND"]})
    assert fc.list_remainders().to_dict("list") == {
        "location_code": ["Two", "Two"],
        "location": ["Two", "Two"],
        "year": [2030, 2031],
        "persons": [0, 0],
    }
    assert fc.to_dict()["remainder"] == fc.list_remainders().to_dict("records")


def test_plain_model_forecasts_no_sums_and_has_no_remainders(wpp2024: pf.Panel) -> None:
    assert pf.forecast(wpp2024, "World", 2030, 2031, "ar1").list_remainders().empty


# Below zero -------------------------------------------------------------------------------------------------------


def test_forecast_below_zero_is_noted_with_its_first_year(wpp2024: pf.Panel) -> None:
    fc = pf.forecast(wpp2024, ["Montserrat", "Niue", "NGA"], 2030, 2100, "ar1")
    assert fc.population[:2, -1] == pytest.approx([-5372, -866], abs=1)
    noted = {note.location_code: note.text for note in fc.notes if "below zero" in note.text}
    assert set(noted) == {500, 570}
    years = fc.history.origin + 1 + np.arange(fc.path.population.shape[1])
    for i, code in enumerate((500, 570)):
        first = years[fc.path.population[i] < 0][0]
        assert noted[code].startswith(f"falls below zero from {first}:")
    told = {m.location_code: m for m in find_milestones(fc) if m.kind == "below-zero"}
    assert set(told) == {500, 570}
    assert f"Falls below zero in {told[500].year}" in told[500].sentence
    assert str(told[500].year) in noted[500]


def test_nothing_is_noted_of_a_year_below_zero_that_is_not_asked_for(wpp2024: pf.Panel) -> None:
    fc = pf.forecast(wpp2024, ["Montserrat"], 2030, 2050, "ar1")
    assert not [note for note in fc.notes if "below zero" in note.text]
    assert not [m for m in find_milestones(fc) if m.kind == "below-zero"]
