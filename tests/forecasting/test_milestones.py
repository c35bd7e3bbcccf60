"""When? Years that anyone can check against the path, of populations that grow, shrink, stay and explode."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import popforecast as pf
from popforecast.forecasting.milestones import ROUND, Milestone, find_milestones, find_round_figures
from popforecast.models.base import Prediction

PLACES = ["World", "JPN", "CHN", "NGA", "NIU", "DEU"]
KINDS = ({"peak"}, {"passing", "falling"}, {"doubling", "halving"})


@pytest.fixture(scope="module")
def forecast(wpp2024: pf.Panel) -> pf.Forecast:
    return pf.forecast(wpp2024, PLACES, 2030, 2100)


@pytest.fixture(scope="module")
def told(forecast: pf.Forecast) -> dict[str, tuple[Milestone, ...]]:
    names = forecast.locations["name"].tolist()
    milestones = find_milestones(forecast)
    return {name: milestones[3 * i : 3 * i + 3] for i, name in enumerate(names)}


def foresee(
    history: list[float],
    median: list[float],
    lower: list[float] | None = None,
    upper: list[float] | None = None,
    name: str = "Arda",
) -> tuple[Milestone, ...]:
    """Return the milestones of one location whose history ends in 2000 and whose path was written by hand."""
    years = np.arange(2001 - len(history), 2001)
    panel = pf.Panel(np.array([history], dtype=float), years, pd.DataFrame({"name": [name]}))
    bounds = [{} if side is None else {80: np.array([side], dtype=float)} for side in (lower, upper)]
    path = Prediction(np.array([median], dtype=float), *bounds)
    ahead = np.arange(2001, 2001 + len(median))
    return find_milestones(
        pf.Forecast(panel, ahead, path.population, *bounds, path, pf.models.get("naive"), (), {"intervals": "final"})
    )


def read_naively(path: dict[str, list[float]], figure: float, up: bool) -> list[int | None]:
    """Return the first years in which median, first bound and last bound reach a figure, one year after the other."""
    sides = (path["median"], path["upper" if up else "lower"], path["lower" if up else "upper"])
    return [
        next((2001 + k for k, value in enumerate(side) if (value >= figure if up else value <= figure)), None)
        for side in sides
    ]


def test_each_location_has_a_peak_a_round_figure_and_a_doubling_or_halving(forecast, told):
    for code, milestones in zip(forecast.locations.index, told.values(), strict=True):
        assert {milestone.location_code for milestone in milestones} == {code}
        assert all(milestone.kind in kinds for milestone, kinds in zip(milestones, KINDS, strict=True))
        assert {(milestone.level, milestone.last) for milestone in milestones} == {(80, 2100)}


def test_a_round_figure_is_passed_when_median_and_bounds_pass_it(forecast, told):
    for i, (_, passing, _) in enumerate(told.values()):
        sides = forecast.path.population[i], forecast.path.upper[80][i], forecast.path.lower[80][i]
        if passing.kind == "falling":
            sides = sides[0], sides[2], sides[1]
        for year, side in zip((passing.year, passing.earliest, passing.latest), sides, strict=True):
            reached = side >= passing.persons if passing.kind == "passing" else side <= passing.persons
            if year is None:
                assert not reached.any()
            else:
                assert reached[year - 2024]
                assert not reached[: year - 2024].any()


def test_the_world_passes_nine_billion(told):
    _, passing, doubling = told["World"]
    assert (passing.kind, passing.persons) == ("passing", 9e9)
    assert passing.earliest <= passing.year <= passing.latest
    assert passing.sentence == (f"Passes 9 billion in {passing.year} (80%: {passing.earliest}–{passing.latest})")
    assert doubling.persons == 2 * 8_091_734_930
    assert doubling.sentence == "Does not double by 2100; neither does the upper 80% bound"


def test_japan_and_china_have_peaked_by_estimates(told):
    for name, year, said in (("Japan", 2009, "128.2 million"), ("China", 2021, "1.426 billion")):
        peak, falling, halving = told[name]
        assert (peak.year, peak.earliest) == (year, year)
        assert peak.sentence.startswith(f"Peaked in {year} at {said} (estimate)")
        assert (falling.kind, halving.kind) == ("falling", "halving")
    assert told["Japan"][1].persons == 1e8
    assert told["China"][1].persons == 1e9


def test_nigeria_doubles(told):
    peak, passing, doubling = told["Nigeria"]
    assert peak.sentence.startswith("Still growing in 2100")
    assert passing.persons == 250e6
    assert doubling.kind == "doubling"
    assert doubling.sentence.startswith(f"Doubles by {doubling.year}, in {doubling.year - 2023} years (80%: ")


def test_the_peak_of_niue_lies_in_1967(told):
    peak = told["Niue"][0]
    assert (peak.year, peak.persons) == (1967, 5239)
    assert "at 5,239 (estimate)" in peak.sentence


def test_a_peak_ahead_has_the_years_in_which_the_bounds_are_highest():
    peak, passing, _ = foresee(
        [90, 95], median=[98, 101, 103, 102, 99], lower=[96, 95, 92, 90, 85], upper=[100, 107, 114, 121, 130]
    )
    assert (peak.year, peak.earliest, peak.latest, peak.persons) == (2003, 2001, None, 103)
    assert peak.sentence == "Peaks in 2003 at 103 (80% bounds: 2001 or later)"
    assert passing.sentence == "Passes 100 in 2002 (80%: 2001 or later)"


def test_a_population_that_falls_has_its_bounds_the_other_way_round():
    peak, falling, halving = foresee([100, 95], median=[80, 60, 45, 40], lower=[70, 40, 30, 20], upper=[90, 85, 80, 75])
    assert peak.sentence == "Peaked in 1999 at 100 (estimate)"
    assert falling.sentence == "Falls below 90 in 2001 (80%: 2001)"
    assert halving.sentence == "Halves by 2003, in 3 years (80%: 2002 or later)"


def test_the_round_figure_passed_first_is_told():
    up, down = foresee([94, 95], [99, 101, 80, 60])[1], foresee([94, 95], [89, 95, 101, 120])[1]
    assert (up.kind, up.persons, up.year) == ("passing", 100, 2002)
    assert (down.kind, down.persons, down.year) == ("falling", 90, 2001)


def test_without_intervals_there_is_a_year_alone():
    peak, passing, doubling = foresee([50, 60], [80, 100, 120])
    assert [milestone.sentence for milestone in (peak, passing, doubling)] == [
        "Still growing in 2003",
        "Passes 70 in 2001",
        "Doubles by 2003, in 3 years",
    ]
    assert {(milestone.level, milestone.earliest, milestone.latest) for milestone in (peak, passing, doubling)} == {
        (None, None, None)
    }


def test_what_does_not_change_is_said_to_stay(wpp2024):
    peak = find_milestones(pf.forecast(wpp2024, ["NGA"], 2030, 2100, model="naive"))[0]
    assert peak.year == 2023
    assert peak.sentence == (
        "Stays at its highest level, 227.9 million, to 2100; the upper 80% bound is still rising in 2100"
    )


def test_the_level_is_80_or_the_first_there_is(wpp2024):
    for levels, level in (((50, 80, 95), 80), ((50, 95), 50), ((95,), 95)):
        forecast = pf.forecast(wpp2024, ["World"], 2030, 2100, model="ar1", levels=levels)
        assert {milestone.level for milestone in find_milestones(forecast)} == {level}


def test_a_forecast_wholly_in_history_has_none(wpp2019):
    assert find_milestones(pf.forecast(wpp2019, None, 1990, 2000, model="ar1")) == ()


def test_a_location_without_people_has_a_peak_alone():
    assert [milestone.kind for milestone in foresee([0, 0], [0, 0])] == ["peak"]


def test_steps_of_five_years_are_years_of_the_grid():
    years = np.arange(1950, 2001, 5)
    panel = pf.Panel(1e6 * 1.1 ** np.arange(11)[None], years, pd.DataFrame({"name": ["Arda"]}))
    forecast = pf.forecast(panel, None, 2005, 2100, model=pf.AR(1, "n"))
    _, _, doubling = find_milestones(forecast)
    # ln 2 / ln 1.1 is 7.3 steps of five years.
    assert doubling.sentence == "Doubles by 2040, in 40 years (80%: 2040)"


def test_an_explosive_plain_autoregression_is_told_in_finite_words():
    years = np.arange(1950, 2000)
    panel = pf.Panel(np.geomspace(1, 1e280, 50)[None], years, pd.DataFrame({"name": ["Arda"]}))
    forecast = pf.forecast(panel, None, 2000, 2060, model=pf.AR(1, "n", "log"))
    assert np.isinf(forecast.path.population).any()
    peak, passing, doubling = find_milestones(forecast)
    assert (passing.year, doubling.year) == (2000, 2000)
    assert not re.search(r"\b(nan|inf|None)\b", " ".join(m.sentence for m in (peak, passing, doubling)))


@given(st.floats(1e-3, 1e15))
def test_round_figures_enclose_a_population_and_are_neighbours(persons):
    (below,), (above,) = find_round_figures(np.array([persons]))
    assert below < persons < above
    between = [
        figure
        for power in range(-5, 18)
        for figure in (float(f"{digit}e{power}") for digit in ROUND)
        if below < figure < above and figure != persons
    ]
    assert not between


PATHS = st.lists(st.tuples(*[st.one_of(st.floats(0, 1e9), st.just(np.inf))] * 3), min_size=1, max_size=12)


@given(st.lists(st.floats(1, 1e9), min_size=2, max_size=6), PATHS)
def test_years_are_those_that_a_reader_would_find_one_by_one(history, rows):
    lower, median, upper = (list(side) for side in zip(*(sorted(row) for row in rows), strict=True))
    path = {"lower": lower, "median": median, "upper": upper}
    _, passing, doubling = foresee(history, median, lower, upper)
    for milestone, up in ((passing, passing.kind == "passing"), (doubling, doubling.kind == "doubling")):
        found = [milestone.year, milestone.earliest, milestone.latest]
        assert found == read_naively(path, milestone.persons, up)
        never = 9999
        year, earliest, latest = (year or never for year in found)
        assert earliest <= year <= latest


def test_three_hundred_locations_are_told_in_a_moment(wpp2024):
    forecast = pf.forecast(wpp2024, None, 2030, 2100, model="ar1")
    milestones = find_milestones(forecast)
    below_zero = (forecast.path.population < 0).any(axis=1).sum()
    assert len(milestones) == 3 * len(wpp2024) + below_zero
    assert all(re.fullmatch(r"[A-Z][^.]*(\.[0-9]+)?[^.]*", m.sentence) for m in milestones)
    assert all("80%" in m.sentence for m in milestones if m.kind != "peak")


@pytest.mark.parametrize(
    ("past", "median", "lower", "upper", "sentences"),
    [
        (
            [100, 95],
            [94, 93, 92],
            [93, 91, 84],
            [96, 101, 102],
            (
                "Peaked in 1999 at 100 (estimate); the upper 80% bound is still rising in 2003",
                "The median does not fall below 90 by 2003; the lower 80% bound does in 2003",
                "Does not halve by 2003; neither does the lower 80% bound",
            ),
        ),
        (
            [90, 95],
            [96, 97, 98],
            [95, 94, 93],
            [97, 101, 100],
            (
                "Still growing in 2003; one of the 80% bounds peaks in 2000",
                "The median does not pass 100 by 2003; the upper 80% bound does in 2002",
                "Does not double by 2003; neither does the upper 80% bound",
            ),
        ),
    ],
)
def test_what_the_median_does_not_reach_is_said_of_the_nearest_bound(past, median, lower, upper, sentences):
    assert tuple(found.sentence for found in foresee(past, median, lower, upper)) == sentences
