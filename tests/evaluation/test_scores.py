"""Measures against a computation by hand in which every term counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from popforecast.errors import ScoreError
from popforecast.evaluation import scores

OUTCOME = [100.0, 200.0, 400.0]
FORECAST = [110.0, 150.0, 500.0]  # errors 10, 50, 100: 10%, 25%, 25%
LOWER = {80: [105.0, 120.0, 300.0], 95: [90.0, 110.0, 450.0]}
UPPER = {80: [120.0, 190.0, 600.0], 95: [130.0, 260.0, 700.0]}


def test_percentage_errors_by_hand() -> None:
    assert scores.absolute_percentage_errors(OUTCOME, FORECAST).tolist() == [10, 25, 25]
    assert scores.mape(OUTCOME, FORECAST) == pytest.approx(20)
    assert scores.median_ape(OUTCOME, FORECAST) == pytest.approx(25)


def test_mase_by_hand() -> None:
    assert scores.mase(OUTCOME, FORECAST, [5, 25, 200]) == pytest.approx((2 + 2 + 0.5) / 3)


def test_coverage_counts_the_bounds_themselves() -> None:
    assert scores.coverage(OUTCOME, LOWER[80], UPPER[80]) == pytest.approx(100 / 3)
    assert scores.coverage([1, 2], [1, 0], [1, 2]) == 100
    assert scores.coverage([1, 2], [1.1, 0], [2, 1.9]) == 0


def test_width_by_hand() -> None:
    assert scores.width(OUTCOME, LOWER[80], UPPER[80]) == pytest.approx(100 * (0.15 + 0.35 + 0.75) / 3)


def test_weighted_interval_score_by_hand() -> None:
    """Two levels; outcomes below, above and within the bounds; spread, overprediction and underprediction all count."""
    # Of 80%, alpha / 2 is 0.1; of 95% it is 0.025; the median counts half.
    first = 0.5 * 10 + (0.1 * 15 + 5) + 0.025 * 40  # 5 below the lower bound of 80%
    second = 0.5 * 50 + (0.1 * 70 + 10) + 0.025 * 150  # 10 above the upper bound of 80%
    third = 0.5 * 100 + 0.1 * 300 + (0.025 * 250 + 50)  # 50 below the lower bound of 95%
    by_hand = 100 * np.mean([first / 100, second / 200, third / 400]) / 2.5
    assert scores.wis(OUTCOME, FORECAST, LOWER, UPPER) == pytest.approx(by_hand)


def test_weighted_interval_score_without_intervals_is_the_absolute_error() -> None:
    assert scores.wis(OUTCOME, FORECAST, {}, {}) == pytest.approx(scores.mape(OUTCOME, FORECAST))


def test_weighted_interval_score_of_many_levels_nears_the_crps_of_a_normal() -> None:
    """The CRPS of a standard normal at its mean is (sqrt 2 - 1) / sqrt pi; twice the pinball mean tends to it."""
    from statistics import NormalDist

    quantile = NormalDist(10, 1).inv_cdf
    levels = np.linspace(1, 99, 99)
    lower = {level: [quantile(0.5 - level / 200)] for level in levels}
    upper = {level: [quantile(0.5 + level / 200)] for level in levels}
    crps = (np.sqrt(2) - 1) / np.sqrt(np.pi)
    assert scores.wis([10], [10], lower, upper) == pytest.approx(100 * crps / 10, rel=0.02)


@given(st.floats(0.001, 1000))
def test_relative_measures_do_not_depend_on_the_unit(unit: float) -> None:
    def scaled(values: list[float]) -> np.ndarray:
        return unit * np.array(values)

    lower, upper = ({level: scaled(bound) for level, bound in side.items()} for side in (LOWER, UPPER))
    for ours, theirs in (
        (scores.mape(OUTCOME, FORECAST), scores.mape(scaled(OUTCOME), scaled(FORECAST))),
        (scores.wis(OUTCOME, FORECAST, LOWER, UPPER), scores.wis(scaled(OUTCOME), scaled(FORECAST), lower, upper)),
        (scores.width(OUTCOME, LOWER[80], UPPER[80]), scores.width(scaled(OUTCOME), lower[80], upper[80])),
    ):
        assert ours == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("measure", "arguments", "named"),
    [
        (scores.mape, ([1, 2], [1]), r"\(1,\), \(2,\)"),
        (scores.mape, ([1, 2], 1), "expected an outcome for every forecast"),
        (scores.median_ape, ([], []), "nothing to score"),
        (scores.mape, ([1, 0], [1, 1]), "zero"),
        (scores.mase, ([1, 2], [1, 2], [1]), "shapes"),
        (scores.mase, ([1, 2], [1, 2], [1, 0]), "scale is zero"),
        (scores.coverage, ([1, 2], [1, 2], [1]), "shapes"),
        (scores.width, ([0], [1], [2]), "zero"),
        (scores.wis, ([1], [1], {80: [1]}, {95: [1]}), "same levels"),
        (scores.wis, ([1], [1], {80: [1, 2]}, {80: [1, 2]}), "shapes"),
    ],
)
def test_what_cannot_be_compared_is_refused(measure: object, arguments: tuple, named: str) -> None:
    with pytest.raises(ScoreError, match=named):
        measure(*arguments)
