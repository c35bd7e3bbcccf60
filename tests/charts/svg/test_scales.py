"""Scales of a chart: every value inside, ticks that are round, few and evenly apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from popforecast.charts.svg.scales import choose_scale, choose_years

ENDS = st.one_of(st.floats(-1e12, 1e12), st.sampled_from([0.0, 1e-300, 1e300, 1.7e308, -1.7e308]))


@given(ENDS, ENDS, st.integers(2, 10))
def test_a_linear_scale_holds_both_ends_between_ticks_evenly_apart(one, other, most):
    low, high = min(one, other), max(one, other)
    scale = choose_scale(low, high, most)
    assert math.isfinite(scale.low)
    assert math.isfinite(scale.high)
    assert scale.low < scale.high
    assert 2 <= len(scale.ticks) <= most + 2
    width = scale.high / 2 - scale.low / 2
    assert np.allclose(np.diff(np.array(scale.ticks) / 2 / width), 1 / (len(scale.ticks) - 1))
    if abs(low) < 1e305 and abs(high) < 1e305:
        assert scale.low <= low + 1e-6 * width
        assert high - 1e-6 * width <= scale.high
    placed = scale.place([low, high, math.nan, math.inf])
    assert ((placed[:2] >= 0) & (placed[:2] <= 1)).all()
    assert np.isnan(placed[2:]).all()


@given(st.floats(1e-300, 1e290), st.floats(1, 1e12), st.integers(3, 10))
def test_a_logarithmic_scale_holds_both_ends_and_has_few_ticks(low, ratio, most):
    scale = choose_scale(low, low * ratio, most, log=True)
    assert scale.low < scale.high
    assert 0 < len(scale.ticks) <= most + 2
    placed = scale.place([low, low * ratio, 0, -1])
    assert ((placed[:2] >= 0) & (placed[:2] <= 1)).all()
    assert np.isnan(placed[2:]).all()


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 1.6, 6, (0, 0.5, 1, 1.5, 2)),
        (97, 131, 5, (90, 100, 110, 120, 130, 140)),
        (0, 100, 5, (0, 20, 40, 60, 80, 100)),
        (-3, 7, 5, (-4, -2, 0, 2, 4, 6, 8)),
    ],
)
def test_ticks_are_what_people_count_in(low, high, most, ticks):
    assert choose_scale(low, high, most).ticks == pytest.approx(ticks)


def test_a_narrow_logarithmic_scale_has_ticks_of_a_linear_one():
    assert choose_scale(8.0, 9.1, 5, log=True).ticks == pytest.approx((8, 8.25, 8.5, 8.75, 9, 9.25), abs=0.26)


@given(st.integers(-1_000_000, 1_000_000), st.integers(0, 5_000), st.integers(1, 12))
def test_years_are_few_inside_and_evenly_apart(first, length, most):
    years = choose_years(first, first + length, most)
    assert 1 <= len(years) <= most
    assert first <= years[0] <= years[-1] <= first + length
    assert len(set(np.diff(years))) <= 1
