"""No model of growth forecasts what no location ever did; and none answers bad input with nonsense."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import popforecast as pf
from popforecast import models
from popforecast.errors import ModelError, PanelError
from popforecast.forecasting import calibration as intervals
from popforecast.models.bounded import GrowthModel, damp, limit_growth, observe_growth

GROWTH = [model for model in models.MODELS.values() if isinstance(model, GrowthModel)] + [pf.Drift("log")]
LEVELS = (50, 80, 95, 99.9)


def make_panel(values: np.ndarray, step: int = 1, **columns: list) -> pf.Panel:
    years = range(1950, 1950 + step * np.shape(values)[1], step)
    names = [f"Place {i}" for i in range(len(values))]
    return pf.Panel(values, years, pd.DataFrame({"name": names} | columns))


def walk(n: int, t: int, seed: int = 0, spread: float = 0.004) -> np.ndarray:
    """Populations of very different size, whose growth wanders."""
    rng = np.random.default_rng(seed)
    growth = rng.normal(0.015, 0.01, (n, 1)) + np.cumsum(rng.normal(0, spread, (n, t)), axis=1)
    return np.exp(rng.normal(13, 2, (n, 1)) + np.cumsum(growth, axis=1))


# Bounds ---------------------------------------------------------------------------------------------------------


def find_bounds(log: np.ndarray, steps: int) -> tuple[float, float]:
    """The definition: the growth of every location over every stretch of so many steps, and no growth."""
    n, t = log.shape
    if steps >= t:
        low, high = find_bounds(log, t - 1)
        return low * steps / (t - 1), high * steps / (t - 1)
    grown = [log[i, s + steps] - log[i, s] for i in range(n) for s in range(t - steps)]
    return min([0.0, *grown]), max([0.0, *grown])


def test_observed_growth_is_that_of_every_location_over_every_stretch() -> None:
    log = np.log(walk(4, 9))
    low, high = observe_growth(log)
    lows, highs = limit_growth({"low": low, "high": high}, 25)
    for steps in range(1, 26):
        assert (lows[steps - 1], highs[steps - 1]) == pytest.approx(find_bounds(log, steps))


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
@pytest.mark.parametrize("spread", [0.001, 0.02])
@pytest.mark.parametrize("years", [6, 25])
def test_no_forecast_leaves_the_growth_ever_observed_and_a_note_says_where_it_would(
    model: pf.Model, spread: float, years: int
) -> None:
    panel = make_panel(walk(8, years, spread=spread))
    fitted = model.fit(panel)
    log = np.log(panel.values)
    growth = np.log(model.predict(fitted.arrays, 40, ()).population) - log[:, -1:]
    free = fitted.model.accumulate(fitted.arrays, 40)
    bounds = np.array([find_bounds(log, steps) for steps in range(1, 41)]).T
    assert (growth >= bounds[0] - 1e-9).all()
    assert (growth <= bounds[1] + 1e-9).all()
    beyond = (free < bounds[0] - 1e-9) | (free > bounds[1] + 1e-9)
    expected = {int(row): int(beyond[row].argmax()) + 1 for row in np.flatnonzero(beyond.any(axis=1))}
    noted = {note.location_code: note.text for note in fitted.notes(40) if "capped" in note.text}
    assert noted.keys() == expected.keys()
    for row, step in expected.items():
        assert f"from step {step} on" in noted[row]
    assert growth[~beyond] == pytest.approx(free[~beyond])


def test_a_bound_bites_the_fastest_growth_of_all() -> None:
    """A city state that doubled in five years, from standing still: nothing says that it can do so for ever."""
    values = walk(20, 60)
    values[3, -6:] = values[3, -6] * 2 ** (np.arange(6) / 5)
    panel = make_panel(values)
    for model in GROWTH:
        fitted = pf.fit(panel, model)
        growth = np.log(intervals.predict(fitted, 100, (95,)).population / values[:, -1:])
        assert growth.max() <= find_bounds(np.log(values), 100)[1] + 1e-9
    damped = pf.DampedGrowth().fit(panel)
    assert [note.location_code for note in damped.notes(30)] == [3]
    assert damped.notes(0) == ()


@given(st.floats(0.01, 0.99), st.integers(0, 200))
def test_damping_is_the_sum_of_the_powers(damping: float, years: int) -> None:
    assert damp(damping, years) == pytest.approx(sum(damping**j for j in range(1, years + 1)))


# Every panel gets an answer, or a sentence ------------------------------------------------------------------------


def check_sound(panel: pf.Panel, model: pf.Model, horizon: int = 150) -> None:
    """Never NaN, never negative, never crossing; levels nested; widths monotone, relative to the population.

    A bound of a series that jumped by orders of magnitude may reach nothing, or the end of the computer's numbers.
    """
    fitted = pf.fit(panel, model)
    prediction = intervals.predict(fitted, horizon, LEVELS)
    ladder = [prediction.lower[level] for level in LEVELS[::-1]] + [prediction.population]
    ladder += [prediction.upper[level] for level in LEVELS]
    assert np.isfinite(prediction.population).all()
    assert all((path >= 0).all() for path in ladder)
    for below, above in pairwise(ladder):
        assert (below <= above * (1 + 1e-12)).all()
    for level in LEVELS:
        for bound in (prediction.lower[level], prediction.upper[level]):
            with np.errstate(divide="ignore"):
                reach = np.abs(np.log(bound) - np.log(prediction.population))
            assert (reach[:, 1:] >= reach[:, :-1] - 1e-9).all()
    assert isinstance(fitted.notes(horizon), tuple)


def grow_constantly(n: int, t: int) -> np.ndarray:
    return 1e5 * np.exp(np.outer(np.linspace(-0.02, 0.04, n), np.arange(t)))


def double_in_five_years(n: int, t: int) -> np.ndarray:
    values = walk(n, t)
    values[0, -6:] = values[0, -6] * 2 ** (np.arange(6) / 5)
    return values


def lose_nearly_all(n: int, t: int) -> np.ndarray:
    values = walk(n, t)
    values[0, -1] *= 1e-6
    return values


SHAPES = {
    "random": walk,
    "stormy": lambda n, t: 1e5 * np.exp(np.random.default_rng(1).normal(0, 0.5, (n, t))),
    "constant": lambda n, t: np.full((n, t), 7.0),
    "some constant": lambda n, t: np.vstack([walk(n, t), np.full((2, t), 800.0)]),
    "constant growth": grow_constantly,
    "identical": lambda n, t: np.vstack([walk(n, t)] * 2),
    "city state": double_in_five_years,
    "catastrophe": lose_nearly_all,
    "tiny": lambda n, t: walk(n, t) * 1e-9,
    "huge": lambda n, t: walk(n, t) * 1e10,
}


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n", "t"), [(1, 40), (25, 40), (25, 12)])
def test_every_kind_of_series_gets_a_sound_answer(model: pf.Model, shape: str, n: int, t: int) -> None:
    check_sound(make_panel(SHAPES[shape](n, t)), model)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
@pytest.mark.parametrize("step", [1, 5, 10])
@pytest.mark.parametrize("n", [1, 2, 40])
def test_every_length_and_grid_gets_a_sound_answer(model: pf.Model, step: int, n: int) -> None:
    for years in (3, 4, 5, 6, 8, 9, 10, 15, 30):
        check_sound(make_panel(walk(n, years), step), model)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_groups_make_the_answer_no_less_sound(model: pf.Model) -> None:
    columns = {"region": ["A", "B", None] * 10, "parent": [str(i % 7) for i in range(30)]}
    check_sound(make_panel(walk(30, 40), **columns), model)
    check_sound(make_panel(walk(30, 9), **columns), model)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_the_world_gets_a_sound_answer_to_2100(wpp2024: pf.Panel, model: pf.Model) -> None:
    check_sound(wpp2024, model, 77)


@settings(max_examples=25)
@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(3, 24)), elements=st.floats(-4, 4)))
@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_whatever_is_positive_gets_a_sound_answer(model: pf.Model, log: np.ndarray) -> None:
    check_sound(make_panel(np.exp(log)), model, 30)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_zero_is_refused_with_place_and_year(model: pf.Model) -> None:
    values = walk(5, 30)
    values[2, 7] = 0
    with pytest.raises(ModelError, match="Place 2 has population 0 in 1957"):
        pf.fit(make_panel(values), model)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_what_is_no_population_never_reaches_a_model(bad: float) -> None:
    values = walk(5, 30)
    values[2, 7] = bad
    with pytest.raises(PanelError, match=r"Place 2.*1957"):
        make_panel(values)


# Nothing depends on what it must not ------------------------------------------------------------------------------


def predict(panel: pf.Panel, model: pf.Model) -> np.ndarray:
    prediction = intervals.predict(pf.fit(panel, model), 30, (80,))
    return np.stack([prediction.population, prediction.lower[80], prediction.upper[80]])


@settings(max_examples=8)
@given(scale=st.floats(1e-3, 1e10), seed=st.integers(0, 99))
@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_counting_in_another_unit_changes_the_unit_alone(model: pf.Model, scale: float, seed: int) -> None:
    values = walk(12, 30, seed)
    one, other = predict(make_panel(values), model), predict(make_panel(values * scale), model)
    assert other / scale == pytest.approx(one, rel=1e-6)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_order_of_locations_changes_no_number(wpp2024: pf.Panel, model: pf.Model) -> None:
    countries = wpp2024.countries()
    order = np.random.default_rng(4).permutation(len(countries))
    assert predict(countries.take(order), model) == pytest.approx(predict(countries, model)[:, order], rel=1e-9)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_aggregates_change_nothing_for_the_countries(wpp2024: pf.Panel, model: pf.Model) -> None:
    countries = wpp2024.countries()
    rows = wpp2024.rows(countries.locations.index)
    assert predict(wpp2024, model)[:, rows] == pytest.approx(predict(countries, model), rel=1e-12)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_twins_have_the_same_future(model: pf.Model) -> None:
    both = predict(make_panel(np.vstack([walk(10, 40)] * 2)), model)
    assert both[:, :10] == pytest.approx(both[:, 10:], rel=1e-12)
