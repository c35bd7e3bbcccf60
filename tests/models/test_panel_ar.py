"""panel-ar: what it learns, what it must not know, and what it does where there is little to learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import ModelError
from popforecast.models.bounded import damp
from popforecast.models.numeric import interpolate


def make_panel(values: np.ndarray, step: int = 1, **columns: list) -> pf.Panel:
    years = range(1950, 1950 + step * values.shape[1], step)
    return pf.Panel(values, years, pd.DataFrame({"name": [str(i) for i in range(len(values))]} | columns))


def revert(n: int, t: int, pull: float = 0.15, seed: int = 0) -> tuple[pf.Panel, np.ndarray]:
    """A panel whose growth turns to 1% by 15% of the distance every year, and the growth of 20 years to come.

    Only a model that looks at all locations can know: each history is short beside its noise.
    """
    rng = np.random.default_rng(seed)
    growth = np.full((n, t), np.nan)
    growth[:, 0] = rng.normal(0.01, 0.01, n)
    for s in range(1, t):
        growth[:, s] = growth[:, s - 1] + pull * (0.01 - growth[:, s - 1]) + rng.normal(0, 0.002, n)
    far = 0.01 + (growth[:, -1:] - 0.01) * (1 - pull) ** np.arange(1, 21)
    return make_panel(np.exp(13 + np.cumsum(growth, axis=1))), np.cumsum(far, axis=1)


def grown(panel: pf.Panel, model: pf.Model, horizon: int) -> np.ndarray:
    return np.log(model.predict(model.estimate(panel), horizon, ()).population / panel.values[:, -1:])


# What it learns ---------------------------------------------------------------------------------------------------


def test_planted_reversion_is_found() -> None:
    panel, expected = revert(150, 60)
    ours, damped = grown(panel, pf.PanelAR(), 20), grown(panel, pf.DampedGrowth(), 20)
    for horizon in (3, 5, 10, 20):
        error, usual = (np.abs(each - expected)[:, horizon - 1].mean() for each in (ours, damped))
        assert error < 0.65 * usual, horizon


def test_it_beats_damped_growth_on_the_countries_it_was_made_with(wpp2024: pf.Panel) -> None:
    """On the half of the countries that choices were made on, and at every horizon."""
    countries = wpp2024.countries()
    tuning = [code for code in countries.locations.index if code // 4 % 2]
    bt = pf.backtest(countries, ["panel-ar", "damped-growth"], range(1988, 2019, 10), levels=())
    scores = bt.scores(tuning).pivot(index="horizon", columns="model")
    for measure in ("mape", "median_ape"):
        assert (scores[measure, "panel-ar"] < scores[measure, "damped-growth"]).all()


def test_a_small_panel_stays_near_damped_growth() -> None:
    """The fewer histories, the less is trusted to be learnt."""
    panel, _ = revert(100, 40)
    distance = [
        np.abs(grown(part, pf.PanelAR(), 10) - grown(part, pf.DampedGrowth(), 10))[0].max()
        for part in (panel.take(np.arange(1)), panel)
    ]
    assert distance[0] < distance[1]


@pytest.mark.parametrize("years", [2, 3])
def test_too_few_years_to_learn_from_give_damped_growth_and_say_so(years: int) -> None:
    panel = make_panel(np.array([[100, 104, 105.0], [50, 49, 48.0]])[:, :years])
    assert grown(panel, pf.PanelAR(), 30) == pytest.approx(grown(panel, pf.DampedGrowth(), 30))
    notes = pf.PanelAR().fit(panel).notes(1)
    assert {note.location_code for note in notes if "damped growth is used instead" in note.text} == {0, 1}


def test_four_years_are_enough_to_learn_from() -> None:
    panel, _ = revert(60, 4)
    fitted = pf.PanelAR().fit(panel)
    assert fitted.arrays["knots"].tolist() == [1]
    assert fitted.notes(1) == ()


# Between the knots, and beyond them -------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 5])
def test_growth_per_step_is_interpolated_between_knots_and_damped_beyond(step: int) -> None:
    knots = np.array([1, 3, 5, 10, 20])
    rise = np.array([[0.01, 0.05, 0.06, 0.2, 0.3]])
    arrays = {"knots": knots, "rise": rise, "step": np.array([step]), "growth": np.array([9.0])}
    path = pf.PanelAR().accumulate(arrays, 60)[0]
    rate = rise[0] / knots
    for h in range(1, 21):
        assert path[h - 1] == pytest.approx(h * np.interp(h, knots, rate))
    last = 0.1 / (10 * step)
    for h in range(21, 61):
        assert path[h - 1] == pytest.approx(0.3 + last * sum(0.97**j for j in range(1, (h - 20) * step + 1)))


def test_a_single_knot_is_damped_on() -> None:
    arrays = {"knots": np.array([1]), "rise": np.array([[0.02]]), "step": np.array([5]), "growth": np.array([9.0])}
    path = pf.PanelAR().accumulate(arrays, 3)[0]
    assert path == pytest.approx([0.02, 0.02 + 0.004 * damp(0.97, 5), 0.02 + 0.004 * damp(0.97, 10)])


def test_interpolation_is_numpys() -> None:
    rng = np.random.default_rng(1)
    values, knots, steps = rng.normal(size=(4, 5)), np.array([1, 2, 4, 9, 20]), np.arange(1, 30)
    expected = [np.interp(steps, knots, row) for row in values]
    assert interpolate(values, knots, steps) == pytest.approx(np.array(expected))


# What it must not know --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [1953, 1960, 1987, 2005, 2022])
def test_years_to_come_change_no_estimate_by_a_bit(wpp2024: pf.Panel, origin: int) -> None:
    """Whatever is written after the origin, also where features are made once for many origins."""
    changed = wpp2024.values.copy()
    future = wpp2024.years > origin
    changed[:, future] = np.random.default_rng(4).uniform(1, 1e9, changed[:, future].shape)
    other = replace(wpp2024, values=changed)
    (ours,), (theirs,) = (list(pf.PanelAR().estimate_each(panel, [origin])) for panel in (wpp2024, other))
    for key, array in ours.items():
        assert (array == theirs[key]).all(), key


def test_estimates_at_many_origins_are_those_of_the_panel_until_then(wpp2024: pf.Panel) -> None:
    origins = [1951, 1954, 1965, 1988, 2010, 2023]
    for origin, arrays in zip(origins, pf.PanelAR().estimate_each(wpp2024, origins), strict=True):
        alone = pf.PanelAR().estimate(wpp2024.until(origin))
        assert arrays.keys() == alone.keys()
        for key, array in arrays.items():
            assert array == pytest.approx(alone[key], rel=1e-9, abs=1e-12), (origin, key)


def test_aggregates_teach_nothing(wpp2024: pf.Panel) -> None:
    countries = wpp2024.countries()
    whole = pf.PanelAR().estimate(wpp2024)
    alone = pf.PanelAR().estimate(countries)
    rows = wpp2024.rows(countries.locations.index)
    assert whole["rise"][rows] == pytest.approx(alone["rise"], rel=1e-9, abs=1e-12)


def test_groups_enter_the_rules() -> None:
    panel, _ = revert(60, 40)
    grouped = make_panel(panel.values, region=["A", "B", "C"] * 20)
    assert not (pf.PanelAR().estimate(panel)["rise"] == pf.PanelAR().estimate(grouped)["rise"]).all()


# Other grids, other sizes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 2, 5, 10, 25])
def test_knots_are_the_years_of_the_docstring_in_steps(step: int) -> None:
    panel, _ = revert(30, 60)
    fitted = pf.PanelAR().fit(make_panel(panel.values, step))
    expected = sorted({max(1, round(years / step)) for years in (1, 3, 5, 10, 20)})
    assert fitted.arrays["knots"].tolist() == expected


def test_five_yearly_figures_lead_to_much_the_same_future(wpp2024: pf.Panel) -> None:
    countries = wpp2024.countries()
    fifth = (2023 - countries.years) % 5 == 0
    coarse = pf.Panel(countries.values[:, fifth], countries.years[fifth], countries.locations)
    fine, five = grown(countries, pf.PanelAR(), 20)[:, 4::5], grown(coarse, pf.PanelAR(), 4)
    assert np.median(np.abs(fine - five), axis=0).max() < 0.03
    assert np.corrcoef(fine[:, -1], five[:, -1])[0, 1] > 0.9


def test_thousands_of_locations_are_thinned_and_still_answered() -> None:
    panel, expected = revert(3000, 30)
    ours = grown(panel, pf.PanelAR(), 10)
    assert np.isfinite(ours).all()
    assert np.corrcoef(ours[:, 4], expected[:, 4])[0, 1] > 0.95


# Parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters", [{"damping": 1}, {"damping": 0}, {"window": 0}, {"window": 2.5}, {"warm_up": 0}, {"warm_up": True}]
)
def test_impossible_parameter_is_refused(parameters: dict) -> None:
    with pytest.raises(ModelError, match=next(iter(parameters))):
        pf.PanelAR(**parameters)


def test_name_states_unusual_parameters() -> None:
    assert pf.PanelAR().name == "panel-ar"
    assert pf.PanelAR(0.9, 20, 10).name == "panel-ar(0.9, 20, 10)"


def test_window_and_warm_up_matter() -> None:
    panel, _ = revert(60, 60)
    usual = pf.PanelAR().estimate(panel)["rise"]
    assert not (pf.PanelAR(window=10).estimate(panel)["rise"] == usual).all()
    assert not (pf.PanelAR(warm_up=30).estimate(panel)["rise"] == usual).all()


def test_intervals_of_the_world_are_calibrated(wpp2024: pf.Panel) -> None:
    fitted = pf.fit(wpp2024, "panel-ar")
    assert fitted.calibration.knots.tolist() == [1, 3, 5, 10, 20, 30, 40]
