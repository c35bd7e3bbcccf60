"""The interval of a ratio of errors: whole locations are drawn, ties are called ties, and every processor agrees."""

from __future__ import annotations

import numpy as np
import pytest

from popforecast.errors import ScoreError
from popforecast.evaluation.bootstrap import REPLICATES, Ratio, bound_ratio, draw, pool_ratios


@pytest.fixture(scope="module")
def errors() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors of 40 locations, one to four forecasts each, which go together within a location."""
    rng = np.random.default_rng(3)
    places = np.repeat(np.arange(40), rng.integers(1, 5, 40))
    own = rng.lognormal(0, 1, 40)[places]
    return own * rng.lognormal(0, 0.3, len(places)), own * rng.lognormal(0.1, 0.3, len(places)), places


@pytest.mark.parametrize(("measure", "average"), [("mean", np.mean), ("median", np.median)])
def test_the_interval_is_that_of_a_bootstrap_written_as_a_loop(errors, measure: str, average) -> None:
    ours, theirs, places = errors
    rng, rows = np.random.default_rng(5), [np.flatnonzero(places == place) for place in range(40)]
    ratios = []
    for _ in range(4000):
        drawn = np.concatenate([rows[place] for place in rng.integers(40, size=40)])
        ratios.append(average(ours[drawn]) / average(theirs[drawn]))
    found = bound_ratio(ours, theirs, places, measure)
    assert found.value == pytest.approx(average(ours) / average(theirs), abs=0.0051)
    # Two draws of a few thousand replicates differ by about a hundredth.
    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(ratios, [0.025, 0.975])), abs=0.025)


def test_forecasts_of_one_location_are_no_independent_trials(errors) -> None:
    ours, theirs, places = errors
    repeated = [np.tile(each, 9) for each in errors]
    assert bound_ratio(*repeated) == bound_ratio(ours, theirs, places)


@pytest.mark.parametrize("measure", ["mean", "median"])
def test_the_digits_do_not_depend_on_the_last_bits_nor_on_the_order(errors, measure: str) -> None:
    ours, theirs, places = errors
    known = bound_ratio(ours, theirs, places, measure)
    rng = np.random.default_rng(7)
    noise = 1 + 1e-10 * rng.standard_normal((2, len(ours)))
    assert bound_ratio(ours * noise[0], theirs * noise[1], places, measure) == known
    order = rng.permutation(len(ours))
    assert bound_ratio(ours[order], theirs[order], places[order], measure) == known


def test_every_replicate_draws_as_many_locations_as_there_are() -> None:
    counts = draw(7)
    assert counts.shape == (REPLICATES, 7)
    assert (counts.sum(axis=1) == 7).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(7), abs=0.05)


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (Ratio(0.93, 0.86, 1.0), "tie"),
        (Ratio(0.93, 0.86, 0.99), "win"),
        (Ratio(1.1, 1.0, 1.2), "tie"),
        (Ratio(1.1, 1.01, 1.2), "loss"),
    ],
)
def test_what_is_printed_is_what_is_judged(ratio: Ratio, verdict: str) -> None:
    assert ratio.verdict == verdict
    assert ("1.00" in str(ratio)) == (verdict == "tie")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([], [], []), "expected one of each"),
        (([1.0, 2.0], [1.0], [4, 8]), r"\[2, 1\] errors of 2 forecasts"),
        (([1.0, np.nan], [1.0, 1.0], [4, 8]), "not a finite number"),
        (([1.0, 1.0], [0.0, 0.0], [4, 8]), "the mean error to compare with is 0"),
    ],
)
def test_what_has_no_ratio_is_refused(arguments: tuple, told: str) -> None:
    with pytest.raises(ScoreError, match=told):
        bound_ratio(*arguments)


def test_pooled_ratios_draw_the_same_locations_for_every_target(errors) -> None:
    ours, theirs, places = errors
    # Drawn apart for each target, the interval of two would be narrower than that of one.
    once, twice = pool_ratios([errors]), pool_ratios([errors, errors])
    assert once == twice == bound_ratio(*errors)
    few = places < 20
    pooled = pool_ratios([errors, (ours[few], theirs[few], places[few])], "median", 90)
    each = [bound_ratio(*errors, "median").value, bound_ratio(ours[few], theirs[few], places[few], "median").value]
    assert pooled.value == pytest.approx(np.mean(each), abs=0.011)
    assert pooled.lower < pooled.value < pooled.upper
