"""Calibrated intervals: a slow loop over past origins, coverage of known noise, and nothing from the future."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import popforecast as pf
from popforecast import models
from popforecast.evaluation.backtesting import hindcast
from popforecast.forecasting import calibration as intervals
from popforecast.forecasting.calibration import Calibration, calibrate
from popforecast.forecasting.origins import choose_knots, choose_past
from popforecast.forecasting.risk import PROBABILITIES, describe_risk, scale_errors
from popforecast.forecasting.rolling import roll
from popforecast.models.bounded import GrowthModel

GROWTH = [model for model in models.MODELS.values() if isinstance(model, GrowthModel)]
KNOTS = (1, 3, 5, 10, 20, 30, 40)


def make_panel(values: np.ndarray, step: int = 1, **columns: list) -> pf.Panel:
    years = range(1950, 1950 + step * values.shape[1], step)
    return pf.Panel(values, years, pd.DataFrame({"name": [str(i) for i in range(len(values))]} | columns))


def walk_randomly(n: int, t: int, seed: int = 0) -> tuple[pf.Panel, np.ndarray]:
    """Random walks of log population, and the standard deviation of each one's steps: some ten times the others'."""
    rng = np.random.default_rng(seed)
    deviation = 0.01 * np.exp(rng.normal(0, 0.7, n))
    return make_panel(np.exp(12 + np.cumsum(deviation[:, None] * rng.normal(size=(n, t)), axis=1))), deviation


# What is calibrated on what ---------------------------------------------------------------------------------------


def measure_risk_slowly(panel: pf.Panel, year: int, i: int) -> list[float]:
    """A constant, log volatility over ten years in thousandths, and size within the panel, written out."""
    values = panel.values[:, panel.years <= year]
    growth = [np.log(later / earlier) / panel.step for earlier, later in pairwise(values[i])]
    change = [later - earlier for earlier, later in pairwise(growth)][-max(round(10 / panel.step), 4) :]
    volatility = np.sqrt(np.mean(np.square(change))) + 2e-4
    log = np.log(values[:, -1])
    return [1.0, np.log(volatility / 1e-3), (log[i] - np.median(log)) / np.std(log)]


@pytest.mark.parametrize(("t", "step", "origins"), [(31, 1, [29, 24, 19, 14]), (15, 5, range(13, 2, -1))])
def test_calibration_equals_a_loop_over_past_origins(t: int, step: int, origins: list[int]) -> None:
    """Every fifth origin back, with a history before it; statsmodels says how the size of an error depends on risk."""
    panel, _ = walk_randomly(40, t)
    panel = make_panel(panel.values, step)
    model = pf.DampedGrowth()
    ours = intervals.fit(panel, model).calibration
    past = [int(panel.years[row]) for row in origins]
    assert choose_past(panel, panel.origin) == past
    knots = sorted({max(1, round(years / step)) for years in KNOTS})
    assert ours.knots.tolist() == [knot for knot in knots if knot * step <= panel.origin - past[-1]]
    for k, knot in enumerate(ours.knots):
        errors, weights, risks = [], [], []
        for year in past:
            if year + knot * step > panel.origin:
                continue
            forecast = model.predict(model.estimate(panel.until(year)), int(knot), ()).population[:, -1]
            outcome = panel.values[:, panel.years == year + knot * step][:, 0]
            errors += np.log(outcome / forecast).tolist()
            weights += [0.5 ** ((panel.origin - year - knot * step) / 15)] * 40
            risks += [measure_risk_slowly(panel, year, i) for i in range(40)]
        errors, weights, risks = (np.array(part) for part in (errors, weights, risks))
        slope = sm.WLS(np.log(np.abs(errors) + 1e-4), risks, weights).fit().params
        now = np.array([measure_risk_slowly(panel, panel.origin, i) for i in range(40)])
        assert ours.scale[:, k] == pytest.approx(np.exp(now @ slope), rel=1e-4)
        scaled = errors / np.exp(risks @ slope)
        order = np.argsort(scaled)
        share = np.cumsum(weights[order]) / weights.sum()
        assert ours.quantiles[k] == pytest.approx(np.interp(PROBABILITIES, share, scaled[order]), rel=1e-3, abs=0.03)


def test_risk_is_what_was_known_of_it_each_year() -> None:
    panel, _ = walk_randomly(12, 20)
    risk = describe_risk(panel)
    for row in (5, 12, 19):
        for i in range(12):
            expected = measure_risk_slowly(panel, int(panel.years[row]), i)
            # No one is larger than the largest, which all may teach here.
            assert risk[row, i] == pytest.approx(expected)


def test_aggregates_are_no_calmer_than_the_largest_country(wpp2024: pf.Panel) -> None:
    size = describe_risk(wpp2024)[-1, :, 2]
    countries = wpp2024.rows(wpp2024.countries().locations.index)
    assert size[wpp2024.rows("World")[0]] == size[countries].max()


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_aggregates_teach_nothing_about_errors(wpp2024: pf.Panel, model: pf.Model) -> None:
    countries = wpp2024.countries()
    whole, alone = (intervals.fit(panel, model).calibration for panel in (wpp2024, countries))
    assert whole.quantiles == pytest.approx(alone.quantiles, rel=1e-9, abs=1e-9)
    assert whole.scale[wpp2024.rows(countries.locations.index)] == pytest.approx(alone.scale, rel=1e-9)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
@pytest.mark.parametrize(("n", "t"), [(1, 74), (10, 5), (29, 4), (5, 3)])
def test_too_few_errors_leave_the_analytic_interval(model: pf.Model, n: int, t: int) -> None:
    panel, _ = walk_randomly(n, t)
    fitted = intervals.fit(panel, model)
    assert fitted.calibration is None
    ours, analytic = fitted.predict(12, (80, 95)), model.predict(model.estimate(panel), 12, (80, 95))
    for level in (80, 95):
        assert ours.lower[level] == pytest.approx(analytic.lower[level], rel=1e-9)
        assert ours.upper[level] == pytest.approx(analytic.upper[level], rel=1e-9)


@pytest.mark.parametrize("model", [pf.AR(), pf.AR("bic", "c", "growth")], ids=lambda model: model.name)
def test_plain_autoregressions_are_never_recalibrated(wpp2024: pf.Panel, model: pf.Model) -> None:
    fitted = intervals.fit(wpp2024, model)
    assert fitted.calibration is None
    own = model.predict(fitted.arrays, 9, (80,)).upper[80]
    assert fitted.predict(9, (80,)).upper[80] == pytest.approx(own, rel=1e-9)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_median_is_the_models_own(wpp2024: pf.Panel, model: pf.Model) -> None:
    fitted = intervals.fit(wpp2024, model)
    own = model.predict(model.estimate(wpp2024), 40, ()).population
    assert intervals.predict(fitted, 40, (80,)).population == pytest.approx(own, rel=1e-9)


# Coverage of noise that is known ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_random_walks_are_covered_as_stated(seed: int) -> None:
    """Within the binomial error of 1500 walks, at every horizon, the steady and the stormy third alike."""
    panel, deviation = walk_randomly(1500, 60, seed)
    known = panel.until(int(panel.years[-11]))
    prediction = intervals.predict(pf.fit(known, pf.Naive()), 10, (50, 80, 95))
    third = np.digitize(deviation, np.quantile(deviation, [1 / 3, 2 / 3]))
    for level in (50, 80, 95):
        outcome = panel.values[:, -10:]
        inside = (prediction.lower[level] <= outcome) & (outcome <= prediction.upper[level])
        error = np.sqrt(level * (100 - level) / 1500)
        for horizon in (1, 3, 5, 10):
            assert 100 * inside[:, horizon - 1].mean() == pytest.approx(level, abs=4 * error + 0.5)
        for group in range(3):
            # How stormy a walk is must itself be estimated, from ten years.
            assert 100 * inside[third == group, 4].mean() == pytest.approx(level, abs=4 * np.sqrt(3) * error + 3)


def test_width_follows_the_noise() -> None:
    panel, deviation = walk_randomly(1500, 60)
    prediction = intervals.predict(pf.fit(panel, pf.Naive()), 10, (80,))
    reach = np.log(prediction.upper[80] / prediction.population)
    true = 1.28155 * deviation[:, None] * np.sqrt(np.arange(1, 11))
    assert np.corrcoef(np.log(reach[:, 4]), np.log(deviation))[0, 1] > 0.9
    assert np.median(reach / true, axis=0)[[0, 2, 4, 9]] == pytest.approx(np.ones(4), abs=0.1)


def test_errors_of_old_count_less() -> None:
    """Walks that calmed down by a factor of ten: neither as wide as then nor ignorant of it."""
    rng = np.random.default_rng(3)
    spread = np.where(np.arange(70) < 40, 0.05, 0.005)
    panel = make_panel(np.exp(12 + np.cumsum(spread * rng.normal(size=(200, 70)), axis=1)))
    reach = np.log(intervals.predict(pf.fit(panel, pf.Naive()), 1, (80,)).upper[80] / panel.values[:, -1:])
    assert 0.005 < np.median(reach) / 1.28 < 0.0125


def test_hindcast_of_the_world_is_covered_as_stated(wpp2024: pf.Panel) -> None:
    """On the half of the countries that the intervals were made with: a promise of the issue."""
    countries = wpp2024.countries()
    tuning = [code for code in countries.locations.index if code // 4 % 2]
    bt = pf.backtest(countries, "panel-ar", range(1988, 2019, 5), (1, 3, 5, 10, 20))
    scores = bt.scores(tuning).set_index("horizon")
    assert len(tuning) == 122
    for horizon in (1, 3, 5, 10):
        assert 76 <= scores.loc[horizon, "coverage_80"] <= 86
        assert 92 <= scores.loc[horizon, "coverage_95"] <= 98
    assert 72 <= scores.loc[20, "coverage_80"] <= 92
    assert 88 <= scores.loc[20, "coverage_95"] <= 99


# Shape ------------------------------------------------------------------------------------------------------------


def make_calibration(quantiles: list[list[float]], knots: tuple[int, ...]) -> Calibration:
    """A calibration of one location whose scaled errors have these quartiles, from least to largest."""
    rows = np.array([np.interp(PROBABILITIES, np.linspace(0, 1, len(row)), row) for row in quantiles])
    missing = np.full((1, 1, len(knots)), np.nan)
    zeros = np.zeros((1, 1, 3))
    return Calibration(np.array(knots), np.zeros((len(knots), 3)), rows, zeros[0], zeros, missing)


def test_reach_is_the_quantile_at_a_knot_and_interpolated_between() -> None:
    calibration = make_calibration([[-1, 0, 1], [-4, 0, 2]], (1, 3))
    below, above = calibration.reach(3, 50)
    assert below[0] == pytest.approx([0.5, 1.25, 2.0], rel=0.01)
    assert above[0] == pytest.approx([0.5, 0.75, 1.0], rel=0.01)


def test_reach_is_never_negative_and_never_shrinks() -> None:
    """Errors of one sign only, and smaller ones later: the bound stays at the median, and stays as wide as it was."""
    below, above = make_calibration([[1, 2, 3], [1, 1, 1]], (1, 3)).reach(3, 80)
    assert (below == 0).all()
    assert (np.diff(above) >= 0).all()


@pytest.mark.parametrize(
    ("later", "power"), [([-1, 0, 1], 0.5), ([-2, 0, 2], 0.5), ([-3, 0, 3], 0.7925), ([-9, 0, 9], 1)]
)
def test_beyond_the_last_knot_reach_grows_like_errors_did(later: list[float], power: float) -> None:
    _, above = make_calibration([[-1, 0, 1], later], (1, 4)).reach(64, 80)
    assert above[0, 63] / above[0, 3] == pytest.approx(16**power, rel=1e-3)


def test_narrow_levels_stay_within_wide_ones_at_any_distance() -> None:
    """The middle of the errors grew fast and the tails not at all: on powers of their own, they would cross."""
    calibration = make_calibration([[-9, -0.1, 0, 0.1, 9], [-9, -8, 0, 8, 9]], (1, 4))
    below, above = zip(*(calibration.reach(150, level) for level in (50, 80, 95)), strict=True)
    for narrow, wide in (*pairwise(below), *pairwise(above)):
        assert (narrow <= wide).all()


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_a_level_alone_has_the_bounds_it_has_among_others(wpp2024: pf.Panel, model: pf.Model) -> None:
    fitted = pf.fit(wpp2024.countries(), model)
    several, alone = intervals.predict(fitted, 20, (50, 80, 95)), intervals.predict(fitted, 20, (80,))
    assert (several.lower[80] == alone.lower[80]).all()
    assert (several.upper[80] == alone.upper[80]).all()


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 10, 25])
def test_knots_are_years_in_steps_and_begin_with_the_first(step: int) -> None:
    panel, _ = walk_randomly(2, 5)
    knots = choose_knots(make_panel(panel.values, step))
    assert knots == sorted({max(1, round(years / step)) for years in KNOTS})
    assert knots[0] == 1


# Nothing from the future, nothing lost ----------------------------------------------------------------------------


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_years_to_come_change_no_calibration_by_a_bit(wpp2024: pf.Panel, model: pf.Model) -> None:
    """Both where it is made for one origin and where one rolling pass serves many."""
    panel = wpp2024.countries().take(np.arange(0, 236, 4))
    changed = panel.values.copy()
    future = panel.years > 1998
    changed[:, future] *= np.random.default_rng(4).uniform(0.1, 10, changed[:, future].shape)
    other = replace(panel, values=changed)
    ours, theirs = (hindcast(model, each, [1990, 1998], [1, 7, 25], (80,)) for each in (panel, other))
    for key in ("lower", "upper"):
        assert (getattr(ours.prediction, key)[80] == getattr(theirs.prediction, key)[80]).all()
    assert not (ours.outcome == theirs.outcome).all()
    past = choose_past(panel, 1998)[::-1]
    rolled = [roll(model, each, past, choose_knots(each), ()) for each in (panel, other)]
    one, two = (calibrate(rolling, each, 1998) for rolling, each in zip(rolled, (panel, other), strict=True))
    for name in ("knots", "scale", "quantiles", "scale_then"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-9)
    assert one.errors == pytest.approx(two.errors, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
@pytest.mark.parametrize("levels", [(80, 95), (99,)])
def test_hindcast_equals_a_loop_that_fits_at_every_origin(wpp2024: pf.Panel, model: pf.Model, levels: tuple) -> None:
    panel = wpp2024.countries().take(np.arange(0, 236, 6))
    origins, horizons = [2003, 1953, 1962, 2020], [20, 1, 2, 7]
    rolling = hindcast(model, panel, origins, horizons, levels)
    assert (rolling.origins == origins).all()
    for i, origin in enumerate(origins):
        alone = intervals.predict(pf.fit(panel.until(origin), model), 20, levels)
        for k, horizon in enumerate(horizons):
            pairs = [(rolling.prediction.population, alone.population)]
            pairs += [(rolling.prediction.lower[level], alone.lower[level]) for level in levels]
            pairs += [(rolling.prediction.upper[level], alone.upper[level]) for level in levels]
            for ours, expected in pairs:
                assert ours[:, i, k] == pytest.approx(expected[:, horizon - 1], rel=1e-9)


@pytest.mark.parametrize("model", GROWTH, ids=lambda model: model.name)
def test_stored_intervals_come_back_to_the_bit(wpp2024: pf.Panel, tmp_path: Path, model: pf.Model) -> None:
    fitted = pf.fit(wpp2024, model)
    loaded = pf.load_fit(pf.save_fit(fitted, tmp_path / "model.npz"), wpp2024)
    ours, theirs = (intervals.predict(each, 77, (50, 95)) for each in (fitted, loaded))
    for level in (50, 95):
        assert (ours.lower[level] == theirs.lower[level]).all()
        assert (ours.upper[level] == theirs.upper[level]).all()
    assert loaded.notes(77) == fitted.notes(77)


def test_rounding_of_errors_changes_no_quantile() -> None:
    """Many forecasts that were right, of different weight: their order must not rest on the last bits of an error."""
    rng = np.random.default_rng(3)
    errors = np.where(rng.random(400) < 0.5, 0.0, rng.normal(0, 0.05, 400))
    x, weights = np.ones((400, 1)), rng.uniform(0.1, 1, 400)
    _, expected = scale_errors(errors, x, weights, 1e-4)
    for seed in range(5):
        noise = 1e-16 * np.random.default_rng(seed).normal(size=400)
        _, quantiles = scale_errors(errors + noise, x, weights, 1e-4)
        assert quantiles == pytest.approx(expected, rel=1e-9, abs=1e-9)
