"""The pooled regression and the neighbours against other people's code, brute force, and what was planted."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from popforecast.models.regression import CHUNK, find_least, follow_neighbours, regress_robustly

PLANTED = np.array([0.8, -2.0, 0.0, 30.0])


def simulate(rows: int = 400, outliers: float = 0.2, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Regressors of very different units, and what follows from the planted coefficients; some rows are gross."""
    rng = np.random.default_rng(5)
    x = rng.normal(0, [1, 0.1, 5, 0.001], (rows, 4))
    y = x @ PLANTED + rng.normal(0, noise, rows)
    gross = rng.random(rows) < outliers
    return x, np.where(gross, y + rng.exponential(20, rows), y)


def test_planted_coefficients_are_recovered_in_spite_of_outliers() -> None:
    x, y = simulate(5000, outliers=0.1)
    found = regress_robustly(x, y, 0, 50)
    spread = x.std(axis=0)
    assert found * spread == pytest.approx(PLANTED * spread, abs=0.02)
    least_squares = np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.abs((least_squares - PLANTED) * spread).max() > 0.05


def test_planted_coefficients_are_exact_without_noise() -> None:
    x, y = simulate(outliers=0, noise=0)
    assert regress_robustly(x, y, 0, 5) == pytest.approx(PLANTED, abs=1e-9)


def test_regression_equals_that_of_statsmodels() -> None:
    x, y = simulate()
    oracle = sm.RLM(y, x, M=sm.robust.norms.HuberT(t=1.345)).fit(maxiter=500, tol=1e-13)
    # statsmodels divides by the normal's third quartile, to more digits than our 1.4826.
    assert regress_robustly(x, y, 0, 500) == pytest.approx(oracle.params, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("ridge", [0, 0.01, 1.0])
def test_regression_minimises_what_it_says(ridge: float) -> None:
    x, y = simulate()
    ours = regress_robustly(x, y, ridge, 500)
    unit = np.sqrt(np.mean(x**2, axis=0))
    error = np.abs(y - x @ ours)
    s = 1.4826 * 1.345 * np.median(error)
    total = np.minimum(1, s / error).sum()

    def lose(b: np.ndarray) -> float:
        u = np.abs(y - x @ (b / unit)) / s
        return float(np.sum(s**2 * np.where(u < 1, u**2 / 2, u - 0.5)) + ridge / 2 * total * np.sum(b**2))

    best = minimize(lose, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    assert lose(ours * unit) <= best.fun * (1 + 1e-9)
    assert ours * unit == pytest.approx(best.x, abs=1e-4)


def test_first_round_is_least_squares_and_a_start_replaces_it() -> None:
    x, y = simulate()
    least_squares = np.linalg.lstsq(x, y, rcond=None)[0]
    assert regress_robustly(x, y, 0, 1) == pytest.approx(least_squares)
    resumed = regress_robustly(x, y, 0, 4, start=regress_robustly(x, y, 0, 3))
    assert resumed == pytest.approx(regress_robustly(x, y, 0, 7))


def test_unit_of_a_regressor_or_of_the_outcome_does_not_matter() -> None:
    x, y = simulate()
    units = np.array([1e-6, 1.0, 1e3, 1e6])
    assert regress_robustly(x * units, y, 0.1, 5) * units == pytest.approx(regress_robustly(x, y, 0.1, 5), rel=1e-5)
    assert regress_robustly(x, y * 1e-4, 0.1, 5) == pytest.approx(1e-4 * regress_robustly(x, y, 0.1, 5))


def test_nothing_to_learn_gives_zero_rather_than_a_crash() -> None:
    x, y = simulate(30)
    assert regress_robustly(x, np.zeros(30), 0.1, 6) == pytest.approx(np.zeros(4))
    assert regress_robustly(np.zeros((30, 4)), y, 0.1, 6) == pytest.approx(np.zeros(4))
    twice = regress_robustly(np.hstack([x, x]), y, 1e-6, 6)
    assert twice[:4] == pytest.approx(twice[4:], abs=1e-4)


def find_slowly(rows: np.ndarray, question: np.ndarray, outcome: np.ndarray, count: int) -> float:
    """The definition: interquartile ranges, distances, a sort."""
    unit = [np.quantile(column, 0.75) - np.quantile(column, 0.25) for column in rows.T]
    distance = [sum(((a - b) / u) ** 2 for a, b, u in zip(row, question, unit, strict=True)) for row in rows]
    nearest = sorted(range(len(rows)), key=lambda i: distance[i])[:count]
    return float(np.median([outcome[i] for i in nearest]))


@pytest.mark.parametrize(("m", "count"), [(300, 40), (311, 15), (50, 49), (50, 50), (20, 99), (3, 1)])
def test_neighbours_are_those_of_a_loop(m: int, count: int) -> None:
    rng = np.random.default_rng(m)
    rows, questions = rng.normal(0, [1, 50, 1e-4], (m, 3)), rng.normal(0, [1, 50, 1e-4], (12, 3))
    outcomes = [rng.normal(size=m), rng.normal(size=m)]
    found = follow_neighbours(rows, questions, outcomes, count)
    for result, outcome in zip(found, outcomes, strict=True):
        assert result == pytest.approx([find_slowly(rows, question, outcome, count) for question in questions])


def test_many_questions_are_answered_like_one() -> None:
    rng = np.random.default_rng(0)
    rows, questions, outcome = rng.normal(size=(60, 2)), rng.normal(size=(CHUNK + 5, 2)), rng.normal(size=60)
    (found,) = follow_neighbours(rows, questions, [outcome], 7)
    for i in (0, CHUNK - 1, CHUNK, CHUNK + 4):
        assert found[i] == follow_neighbours(rows, questions[i : i + 1], [outcome], 7)[0][0]


def test_column_that_hardly_varies_does_not_drown_the_others() -> None:
    """A constant far from zero, up to rounding: single precision must not see it in billions of its tiny ranges."""
    rng = np.random.default_rng(6)
    rows, questions, outcome = rng.normal(size=(200, 2)), rng.normal(size=(20, 2)), rng.normal(size=200)
    constant = -8.5 + 1e-15 * rng.normal(size=(200, 1))
    found = follow_neighbours(np.hstack([rows, constant]), np.hstack([questions, constant[:20]]), [outcome], 15)
    assert found[0] == pytest.approx(follow_neighbours(rows, questions, [outcome], 15)[0])


@given(st.data(), st.integers(1, 60), st.integers(1, 4))
def test_least_values_are_the_first_of_a_stable_sort(data: st.DataObject, m: int, n: int) -> None:
    count = data.draw(st.integers(1, m))
    # Few different values: ties everywhere.
    values = data.draw(st.lists(st.integers(0, 5), min_size=n * m, max_size=n * m))
    table = np.array(values, dtype=np.float32).reshape(n, m)
    assert (find_least(table, count) == np.argsort(table, axis=1, kind="stable")[:, :count]).all()


def test_rounding_of_features_changes_no_neighbour() -> None:
    """Histories as alike as can be, seen through the last bits of a logarithm: equal distances go by position."""
    rng = np.random.default_rng(8)
    rows, outcome = rng.integers(0, 3, (200, 3)) / 7, rng.normal(size=200)
    questions = rows[:30].copy()
    (found,) = follow_neighbours(rows, questions, [outcome], 15)
    for seed in range(5):
        noise = 1e-13 * np.random.default_rng(seed).normal(size=rows.shape)
        (moved,) = follow_neighbours(rows + noise, questions - noise[:30], [outcome], 15)
        assert moved == pytest.approx(found, rel=1e-9)
