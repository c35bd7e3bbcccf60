"""An outlook holds a whole panel's forecast: what is taken from it is what forecast() would have said, to the bit."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import (
    LevelError,
    ModelError,
    PanelError,
    RepeatedLocationError,
    UnknownLocationError,
    UnknownModelError,
    YearError,
)
from tests.helpers.freezing import check_frozen

GROUPS = {"My markets": ["NGA", 356], "Middle": ["Central America"], "Alone": ["DEU"]}


@pytest.fixture(scope="module")
def fitted(wpp2024: pf.Panel) -> pf.Fitted:
    return pf.fit(wpp2024)


@pytest.fixture(scope="module")
def outlook(wpp2024: pf.Panel, fitted: pf.Fitted) -> pf.Outlook:
    return pf.forecast_all(wpp2024, fitted, levels=(50, 80, 95))


def make_panel(n: int, t: int, step: int = 1, seed: int = 5) -> pf.Panel:
    """Locations of one's own, whose growth wanders."""
    rng = np.random.default_rng(seed)
    growth = rng.normal(0.015, 0.01, (n, 1)) + np.cumsum(rng.normal(0, 0.003, (n, t)), axis=1)
    codes = [f"X{i:02d}" for i in range(n)]
    years = range(2000 - step * t, 2000, step)
    return pf.Panel(1e6 * np.exp(np.cumsum(growth, axis=1)), years, pd.DataFrame({"name": codes}, index=codes))


def assert_same(ours: pf.Forecast, expected: pf.Forecast) -> None:
    """Equal in every number within 1e-9, and in all that is said of them."""
    assert ours.years.tolist() == expected.years.tolist()
    assert ours.levels == expected.levels
    assert ours.locations.equals(expected.locations)
    assert ours.history.checksum == expected.history.checksum
    assert ours.notes == expected.notes
    assert ours.provenance == expected.provenance
    for one, other in ((ours, expected), (ours.path, expected.path)):
        np.testing.assert_allclose(one.population, other.population, rtol=1e-9)
        for level in expected.levels:
            np.testing.assert_allclose(one.lower[level], other.lower[level], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(one.upper[level], other.upper[level], rtol=1e-9)


# The same numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [2023, 2024, 2030, 2062, 2063, 2064, 2099, 2100])
def test_outlook_cut_to_a_horizon_is_the_forecast_to_that_horizon(
    wpp2024: pf.Panel, fitted: pf.Fitted, outlook: pf.Outlook, end: int
) -> None:
    """Past errors speak of 40 steps at most, to 2063: what lies beyond must not change what is nearer."""
    expected = pf.forecast(wpp2024, None, 2020, end, fitted, (50, 80, 95))
    assert_same(outlook.forecast(None, 2020, end), expected)


@pytest.mark.parametrize("name", list(pf.models.MODELS))
@pytest.mark.parametrize("revision", ["wpp2019", "wpp2024"])
def test_every_model_says_the_same_at_once_as_one_by_one(name: str, revision: str) -> None:
    panel = pf.load_panel(revision)
    fitted = pf.fit(panel, name)
    outlook = pf.forecast_all(panel, fitted, (80, 95))
    for locations, start, end in ((["World", "NGA", 4], 2030, 2050), (None, None, None), ("Asia", 1990, 2091)):
        assert_same(outlook.forecast(locations, start, end), pf.forecast(panel, locations, start, end, fitted))


@pytest.mark.parametrize("intervals", ["final", "real-time"])
def test_kind_of_intervals_is_kept(wpp2024: pf.Panel, fitted: pf.Fitted, intervals: str) -> None:
    outlook = pf.forecast_all(wpp2024, fitted, (80,), intervals)
    ours = outlook.forecast("World", 2030, 2040)
    assert_same(ours, pf.forecast(wpp2024, "World", 2030, 2040, fitted, (80,), intervals))
    assert ours.provenance["intervals"] == outlook.intervals == intervals


@pytest.mark.parametrize("levels", [(80,), (50, 95), (), 95, [80.0]])
def test_some_of_the_levels_are_as_if_asked_alone(
    wpp2024: pf.Panel, fitted: pf.Fitted, outlook: pf.Outlook, levels: object
) -> None:
    ours = outlook.forecast(["World", "NGA"], 2030, 2050, levels)
    assert_same(ours, pf.forecast(wpp2024, ["World", "NGA"], 2030, 2050, fitted, levels))


def test_groups_are_as_if_forecast_with_the_panel(wpp2024: pf.Panel, fitted: pf.Fitted, outlook: pf.Outlook) -> None:
    for locations, end in ((["World"], 2050), (["my markets", "NGA"], 2024), (None, 2100), ("Alone", 2063)):
        ours = outlook.forecast(locations, 2020, end, (80, 95), GROUPS)
        assert_same(ours, pf.forecast(wpp2024, locations, 2020, end, fitted, (80, 95), groups=GROUPS))
    assert outlook.forecast(["my markets", "NGA"], groups=GROUPS).locations.index.tolist() == [
        "My markets",
        566,
        "Middle",
        "Alone",
    ]


def test_a_group_is_the_same_alone_and_among_others(outlook: pf.Outlook) -> None:
    together = outlook.forecast(list(GROUPS), 2020, 2100, groups=GROUPS)
    for i, (name, members) in enumerate(GROUPS.items()):
        alone = outlook.forecast(name, 2020, 2100, groups={name: members})
        np.testing.assert_allclose(alone.path.population[0], together.path.population[i], rtol=1e-9)
        for level in outlook.levels:
            np.testing.assert_allclose(alone.path.lower[level][0], together.path.lower[level][i], rtol=1e-9)
            np.testing.assert_allclose(alone.path.upper[level][0], together.path.upper[level][i], rtol=1e-9)


def test_a_group_of_a_regions_countries_is_the_region_and_a_group_of_one_is_that_one(outlook: pf.Outlook) -> None:
    groups = {"Middle": ["Central America"], "Alone": ["DEU"]}
    region, middle, germany, alone = range(4)
    path = outlook.forecast([916, "Middle", "DEU", "Alone"], end=2100, groups=groups).path
    for arrays in ([path.population], path.lower.values(), path.upper.values()):
        for array in arrays:
            assert array[middle] == pytest.approx(array[region], rel=1e-9)
            # A sum is of whole persons, a country of any part of one.
            assert array[alone] == pytest.approx(array[germany], rel=1e-7)


@pytest.mark.parametrize(
    "panel",
    [make_panel(30, 40), make_panel(40, 12, step=5), make_panel(3, 4), make_panel(1, 30), make_panel(40, 9, step=10)],
    ids=["yearly", "five-yearly", "four years", "one location", "ten-yearly"],
)
@pytest.mark.parametrize("name", ["panel-ar", "damped-growth", "ar1"])
def test_panels_of_ones_own_reach_a_hundred_and_fifty_steps(panel: pf.Panel, name: str) -> None:
    fitted = pf.fit(panel, name)
    outlook = pf.forecast_all(panel, fitted)
    for steps in (1, 39, 41, 150):
        end = panel.origin + steps * panel.step
        assert_same(outlook.forecast(None, None, end), pf.forecast(panel, None, None, end, fitted))
    if fitted.model.calibrated and len(panel) > 2:
        groups = {"Two": ["X01", "X02"]}
        assert_same(outlook.forecast("X00", groups=groups), pf.forecast(panel, "X00", model=fitted, groups=groups))


def test_plain_model_that_leaves_all_numbers_is_infinite_and_no_warning() -> None:
    values = [np.exp(1.4 ** np.arange(12))]
    panel = pf.Panel(values, range(2000, 2012), pd.DataFrame({"name": ["Boom"]}, index=["B"]))
    far = pf.forecast_all(panel, pf.AR(1, "n", "log")).forecast(start=2005, end=2161)
    assert np.isinf(far.population[0, -1])
    assert not np.isnan(far.path.upper[95]).any()
    # Whole persons beside figures that are infinite.
    written = pd.read_csv(io.StringIO(far.to_csv()), dtype=str)["population"]
    assert [written.iloc[0], written.iloc[-1]] == ["217", "inf"]


@pytest.mark.parametrize("growth", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize("scale", [1e-3, 1e10])
def test_wild_panels_reach_their_last_year_without_a_nan_or_a_crossing_bound(growth: float, scale: float) -> None:
    """Hundreds of steps of halving or doubling: a bound may vanish or overflow, and stays a bound."""
    steps = np.random.default_rng(7).normal(growth, 0.2, (12, 30))
    codes = [f"X{i:02d}" for i in range(12)]
    values = scale * np.exp(np.cumsum(steps, axis=1))
    panel = pf.Panel(values, range(1900, 1930), pd.DataFrame({"name": codes}, index=codes))
    for name in ("panel-ar", "damped-growth", "drift"):
        outlook = pf.forecast_all(panel, name, (50, 99.9999))
        path = outlook.forecast(end=2079, groups={"All": codes, "One": ["X03"]}).path
        ladder = [path.lower[99.9999], path.lower[50], path.population, path.upper[50], path.upper[99.9999]]
        assert not np.isnan(ladder).any()
        assert (ladder[0] >= 0).all()
        for narrow, wide in pairwise(ladder):
            assert (narrow <= wide * (1 + 1e-9)).all()


def test_what_it_gives_is_frozen_and_it_stays_as_it_was(outlook: pf.Outlook) -> None:
    before = outlook.forecast(None, 2020, 2100)
    outlook.forecast(["World"], 2030, 2040, (80,), GROUPS)
    assert len(outlook.panel) == 297
    assert_same(outlook.forecast(None, 2020, 2100), before)
    for array in (before.population, before.path.lower[80], outlook.prediction.upper[95]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    check_frozen(outlook)


def test_threads_share_one_outlook(wpp2024: pf.Panel, fitted: pf.Fitted, outlook: pf.Outlook) -> None:
    asked = [([code], 2024 + i % 70, None, (80,), {f"G{i}": [code, 4]}) for i, code in enumerate([356, 50, 586] * 20)]
    fresh = pf.forecast_all(wpp2024, fitted, (80, 95))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda question: fresh.forecast(*question), asked))
    for question, answer in zip(asked, answers, strict=True):
        assert_same(answer, outlook.forecast(*question))


# What is said of them ---------------------------------------------------------------------------------------------


def test_a_bound_is_noted_where_it_is_reached_and_not_before(wpp2024: pf.Panel) -> None:
    fitted = pf.fit(wpp2024, "damped-growth")
    outlook = pf.forecast_all(wpp2024, fitted)
    noted = [len(outlook.forecast(None, None, end).notes) for end in (2024, 2050, 2100)]
    assert noted == [len(pf.forecast(wpp2024, None, None, end, fitted).notes) for end in (2024, 2050, 2100)]
    assert noted[0] < noted[1] < noted[2]


def test_levels_beyond_past_errors_reach_on_and_it_is_said(wpp2024: pf.Panel, fitted: pf.Fitted) -> None:
    outlook = pf.forecast_all(wpp2024, fitted, (99.7, 99.8, 99.9, 99.99))
    ours = outlook.forecast(["NGA", "World"], 2024, 2100)
    said = [note.text for note in ours.notes if note.location_code == 900]
    assert len(said) == 2
    assert all(f"{level:g}%" in text and "normal" in text for level, text in zip((99.9, 99.99), said, strict=True))
    bounds = [ours.lower[level] for level in (99.99, 99.9, 99.8, 99.7)] + [ours.population]
    bounds += [ours.upper[level] for level in (99.7, 99.8, 99.9, 99.99)]
    assert (np.diff(bounds, axis=0) >= 0).all()
    assert (np.diff(bounds[1:3], axis=0) > 0).all()
    assert (np.diff(bounds[6:8], axis=0) > 0).all()
    assert not outlook.forecast(["NGA", "World"], levels=(99.8,)).notes


def test_outlook_shows_itself(outlook: pf.Outlook) -> None:
    assert repr(outlook) == (
        "<Outlook: <Panel: 297 locations, 1950 to 2023, wpp2024>, 2024 to 2100, cohort, real-time intervals>"
    )


# Asked wrongly ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"levels": (80, 90)}, LevelError, r"level 90 is not in this outlook: expected one of 50, 80, 95"),
        ({"levels": (80, 80)}, LevelError, "each level once"),
        ({"levels": 100}, LevelError, "level 100"),
        ({"levels": "80"}, LevelError, "'80'"),
        ({"start": 2030, "end": 2101}, YearError, "1950 to 2100"),
        ({"locations": ["Nigera"]}, UnknownLocationError, "nearest: Nigeria"),
        ({"locations": []}, PanelError, "no location was given"),
        ({"locations": ["NGA", 566]}, RepeatedLocationError, "given twice"),
        ({"groups": {"World": ["NGA"]}}, PanelError, "has the name of a location"),
        ({"groups": {"A": []}}, PanelError, "no member"),
        ({"groups": {"A": ["NGA", "Africa"]}}, RepeatedLocationError, "counts Nigeria twice"),
        ({"groups": {"A": ["Nigera"]}}, UnknownLocationError, "nearest: Nigeria"),
        ({"groups": {"A": ["NGA"]}, "locations": ["B"]}, UnknownLocationError, "'B'"),
    ],
)
def test_impossible_question_is_refused(outlook: pf.Outlook, options: dict, error: type, named: str) -> None:
    with pytest.raises(error, match=named):
        outlook.forecast(**options)


def test_outlook_without_levels_has_none(wpp2024: pf.Panel, fitted: pf.Fitted) -> None:
    bare = pf.forecast_all(wpp2024, fitted, levels=())
    assert bare.forecast("NGA").levels == ()
    with pytest.raises(LevelError, match="level 80 is not in this outlook: expected one of none"):
        bare.forecast("NGA", levels=80)


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"model": "prophet"}, UnknownModelError, "ar1, naive, drift"),
        ({"levels": 0}, LevelError, "level 0"),
        ({"intervals": "wide"}, ModelError, "'wide'"),
        ({"model": "ar1", "intervals": "final"}, ModelError, "analytic intervals only"),
    ],
)
def test_impossible_outlook_is_refused(wpp2024: pf.Panel, options: dict, error: type, named: str) -> None:
    with pytest.raises(error, match=named):
        pf.forecast_all(wpp2024, **options)


def test_outlook_of_another_panels_fit_or_of_no_panel_is_refused(wpp2024: pf.Panel, fitted: pf.Fitted) -> None:
    with pytest.raises(ModelError, match=r"origin 2023.*origin 2000"):
        pf.forecast_all(wpp2024.until(2000), fitted)
    with pytest.raises(PanelError, match="expected a Panel, got DataFrame"):
        pf.forecast_all(wpp2024.to_frame())


def test_groups_need_a_model_of_growth(wpp2024: pf.Panel) -> None:
    with pytest.raises(ModelError, match="ar1 forecasts each series on its own"):
        pf.forecast_all(wpp2024, "ar1").forecast("NGA", groups={"A": ["NGA"]})
