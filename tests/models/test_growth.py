"""The simplest rules, checked against the formulas of Hyndman and Athanasopoulos, section 5.2."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.ar_model import AutoReg

import popforecast as pf
from popforecast.errors import ModelError
from popforecast.forecasting import calibration as intervals

SERIES = np.array([100.0, 120.0, 110.0, 150.0, 160.0])
LOG = np.log(SERIES)
CHANGES = np.diff(LOG)
Z80 = 1.2815515655446004
H = np.arange(1, 11)


def make_panel(*series: list[float]) -> pf.Panel:
    names = pd.DataFrame({"name": [f"Place {i}" for i in range(len(series))]})
    return pf.Panel(series, range(2000, 2000 + len(series[0])), names)


def predict(model: pf.Model, panel: pf.Panel, horizon: int, levels: tuple = (80, 95)) -> pf.models.Prediction:
    """What the model alone says, with its own intervals."""
    return model.predict(model.estimate(panel), horizon, levels)


def test_naive_repeats_the_last_with_the_width_of_a_random_walk() -> None:
    ours = predict(pf.Naive(), make_panel(SERIES), 10, (80,))
    reach = Z80 * np.sqrt(np.mean(CHANGES**2)) * np.sqrt(H)
    assert ours.population[0] == pytest.approx(160)
    assert ours.lower[80][0] == pytest.approx(160 * np.exp(-reach))
    assert ours.upper[80][0] == pytest.approx(160 * np.exp(reach))


def test_drift_continues_the_line_from_first_to_last() -> None:
    ours = predict(pf.Drift(), make_panel(SERIES), 10, (80,))
    changes, change = np.diff(SERIES), (SERIES[-1] - SERIES[0]) / 4
    deviation = np.sqrt(np.sum((changes - change) ** 2) / 3) * np.sqrt(H * (1 + H / 4))
    assert ours.population[0] == pytest.approx(160 + change * H)
    assert ours.lower[80][0] == pytest.approx(160 + change * H - Z80 * deviation)
    assert ours.upper[80][0] == pytest.approx(160 + change * H + Z80 * deviation)


def test_drift_is_that_of_statsmodels_for_every_country(wpp2024: pf.Panel) -> None:
    """An autoregression of changes on a constant alone has their mean as its forecast."""
    countries = wpp2024.countries()
    fitted = pf.Drift().fit(countries)
    ours = fitted.predict(77, ()).population
    bounded = {note.location_code for note in fitted.notes(77)}
    for code, series, path in zip(countries.locations.index, countries.values, ours, strict=True):
        if code not in bounded:
            oracle = AutoReg(np.diff(series), lags=0, trend="c").fit()
            assert path == pytest.approx(series[-1] + np.cumsum(oracle.forecast(77)), rel=1e-9)
    # A line that would fall to zero, or faster than anyone ever shrank, is the exception.
    assert len(bounded) <= 5


def test_drift_of_a_population_that_shrinks_stays_above_zero_and_says_why() -> None:
    panel = make_panel([1000, 800, 600, 400, 200], [100, 90, 80, 70, 60])
    fitted = pf.Drift().fit(panel)
    for ahead in (fitted.predict(50), intervals.predict(pf.fit(panel, "drift"), 50, (80, 95))):
        assert (ahead.population > 0).all()
        assert all((bound >= 0).all() for bound in (*ahead.lower.values(), *ahead.upper.values()))
    # One step at 200 fewer would leave none: no place ever lost more than half in a step.
    assert ahead.population[0, 0] == pytest.approx(100)
    assert dict(fitted.notes(50))[0].startswith("capped from step 1 on")


def test_drift_of_logarithms_continues_mean_growth() -> None:
    ours = predict(pf.Drift(transform="log"), make_panel(SERIES), 10, (80,))
    growth = (LOG[-1] - LOG[0]) / 4
    deviation = np.sqrt(np.sum((CHANGES - growth) ** 2) / 3) * np.sqrt(H * (1 + H / 4))
    assert np.log(ours.population[0]) == pytest.approx(LOG[-1] + growth * H)
    assert np.log(ours.lower[80][0]) == pytest.approx(LOG[-1] + growth * H - Z80 * deviation)
    assert np.log(ours.upper[80][0]) == pytest.approx(LOG[-1] + growth * H + Z80 * deviation)


RULES = [pf.Naive(), pf.Drift(), pf.Drift("log")]


@pytest.mark.parametrize("model", RULES)
def test_choosing_series_never_changes_a_number(wpp2024: pf.Panel, model: pf.Model) -> None:
    whole = predict(model, wpp2024, 40)
    rows = np.array([280, 5, 140])
    part = predict(model, wpp2024.take(rows), 40)
    assert part.population == pytest.approx(whole.population[rows], rel=1e-9)
    assert part.upper[95] == pytest.approx(whole.upper[95][rows], rel=1e-9)


@pytest.mark.parametrize("model", RULES)
def test_two_years_are_enough_and_a_constant_has_no_width(model: pf.Model) -> None:
    ours = predict(model, make_panel([100, 100]), 5)
    assert ours.lower[95] == pytest.approx(np.full((1, 5), 100.0))
    assert ours.upper[95] == pytest.approx(np.full((1, 5), 100.0))


@pytest.mark.parametrize("model", RULES)
def test_zero_is_refused_with_place_and_year(model: pf.Model) -> None:
    with pytest.raises(ModelError, match="Place 1 has population 0 in 2001"):
        model.fit(make_panel([1, 2, 3], [1, 0, 3]))


def test_growth_beyond_the_computers_numbers_is_infinite_and_silent() -> None:
    ours = predict(pf.Drift("log"), make_panel([1, 1e6, 1e12]), 150)
    assert np.isinf(ours.population[0, -1])
    assert not any(np.isnan(path).any() for path in (ours.population, ours.lower[95], ours.upper[95]))


@pytest.mark.parametrize("damping", [0.5, 0.9, 0.97, 0.999])
@pytest.mark.parametrize("step", [1, 5])
def test_damped_growth_is_the_closed_formula(damping: float, step: int) -> None:
    """Growth that always was steady never meets a bound."""
    series = 500 * 1.02 ** (step * np.arange(30))
    panel = pf.Panel([series], range(1950, 1950 + 30 * step, step), pd.DataFrame({"name": ["Steady"]}))
    ours = pf.DampedGrowth(damping).fit(panel).predict(10, ())
    years = [sum(damping**j for j in range(1, h * step + 1)) for h in H]
    assert np.log(ours.population[0] / series[-1]) == pytest.approx(np.log(1.02) * np.array(years))


def test_damped_growth_sees_the_last_step_alone() -> None:
    one, other = make_panel([100, 300, 110, 112], [1, 2, 3, 4]), make_panel([100, 90, 110, 112], [1, 2, 3, 4])
    ours, theirs = (pf.DampedGrowth().fit(panel).predict(5, ()).population for panel in (one, other))
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_damped_growth_comes_to_rest() -> None:
    path = pf.DampedGrowth().fit(make_panel(1e6 * 1.03 ** np.arange(200))).predict(1000, ()).population[0]
    assert path[-1] == pytest.approx(path[-2], rel=1e-12)
    assert np.log(path[-1] / path[0]) == pytest.approx(np.log(1.03) * 0.97**2 / 0.03)


def test_uncalibrated_interval_is_that_of_a_growth_rate_that_wanders() -> None:
    """A random walk of growth: the forecast error is the sum of 1 to h shocks, each with as many steps to act."""
    ours = predict(pf.DampedGrowth(), make_panel(SERIES), 10, (80,))
    deviation = np.sqrt(np.mean(np.diff(CHANGES) ** 2)) + 2e-4
    reach = Z80 * deviation * np.array([np.sqrt(sum(k**2 for k in range(1, h + 1))) for h in H])
    assert np.log(ours.upper[80] / ours.population)[0] == pytest.approx(reach)
    assert np.log(ours.population / ours.lower[80])[0] == pytest.approx(reach)


@pytest.mark.parametrize("damping", [0, 1, -0.5, 1.5, float("nan")])
def test_impossible_damping_is_refused(damping: float) -> None:
    with pytest.raises(ModelError, match="damping"):
        pf.DampedGrowth(damping)


@pytest.mark.parametrize("transform", ["growth", "Log", "", None, 1])
def test_drift_of_anything_else_is_refused(transform: object) -> None:
    with pytest.raises(ModelError, match="expected one of level, log"):
        pf.Drift(transform)


def test_name_states_an_unusual_transform_and_the_parameters_rebuild_it() -> None:
    assert (pf.Drift().name, pf.Drift("log").name) == ("drift", "drift(log)")
    assert pf.models.build(pf.models.specify(pf.Drift("log"))) == pf.Drift("log")
    # As specified before there was a transform.
    assert pf.models.build({"class": "Drift", "parameters": {}}) == pf.Drift()


def test_name_states_unusual_damping() -> None:
    assert pf.DampedGrowth().name == "damped-growth"
    assert pf.DampedGrowth(0.9).name == "damped-growth(0.9)"
