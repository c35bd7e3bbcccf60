"""Features against a loop over locations and years, and against what they must never know: the future."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from popforecast.models.bounded import ROUNDING
from popforecast.models.features import Features, average, describe, grow_groups, relate_size

T, N = 25, 6


def simulate(seed: int = 1) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Log population, the growth of two groupings, and size; each of shape (T, N)."""
    rng = np.random.default_rng(seed)
    log = 12 + np.cumsum(rng.normal(0.015, 0.02, (T, N)), axis=0)
    return log, [rng.normal(0.01, 0.01, (T, N)) for _ in range(2)], rng.normal(0, 1, (T, N))


def mean_of_last(values: list[float], width: int) -> float:
    """The mean of the last `width` values, of all where they are fewer, 0 of none."""
    return sum(values[-width:]) / len(values[-width:]) if values else 0.0


def describe_slowly(log: np.ndarray, groups: list[np.ndarray], size: np.ndarray, step: int, i: int, t: int) -> dict:
    """The definitions, for one location in one year, written out."""
    growth = [(log[s, i] - log[s - 1, i]) / step for s in range(1, t + 1)]
    change = [later - earlier for earlier, later in pairwise(growth)]
    short, long = max(round(5 / step), 2), max(round(10 / step), 4)
    g = growth[-1] if growth else 0.0
    c = change[-1] if change else 0.0
    lags = [change[-1 - k] if len(change) > k else 0.0 for k in (1, 2) if (k + 1) * step <= 4]
    recent, usual = mean_of_last(growth, short), mean_of_last(growth, long)
    slow = mean_of_last([x**2 for x in change], long) ** 0.5 + ROUNDING
    fast = mean_of_last([x**2 for x in change], max(short, 3)) ** 0.5 + ROUNDING
    grown = [group[t, i] for group in groups]
    usually = [mean_of_last(group[1 : t + 1, i].tolist(), long) for group in groups]
    course = [c, *lags[:1], g - recent, recent - usual]
    return {
        "growth": [g],
        "base": [
            *(g, c, *lags, recent, usual, max(g - 0.03, 0), max(g - 0.015, 0), min(g, 0)),
            np.sign(c) * abs(c) ** 0.5,
            *(x for pair in zip(grown, usually, strict=True) for x in pair),
        ],
        "sized": [size[t, i] / 100, size[t, i] * g],
        "slow": [slow],
        "fast": [fast],
        "alike": [g, *(np.arcsinh(x / slow) for x in course), np.log(slow), *grown[-1:]],
    }


@pytest.mark.parametrize("step", [1, 2, 5, 10])
@pytest.mark.parametrize("groupings", [0, 1, 2])
def test_features_equal_the_definitions_written_out(step: int, groupings: int) -> None:
    log, groups, size = simulate()
    features = describe(log, groups[:groupings], size, step)
    for t in range(T):
        for i in range(N):
            for name, expected in describe_slowly(log, groups[:groupings], size, step, i, t).items():
                assert np.atleast_1d(getattr(features, name)[t, i]) == pytest.approx(expected, abs=1e-13), (name, t)


@pytest.mark.parametrize("year", [0, 1, 2, 5, 12, T - 2])
def test_years_to_come_change_no_feature_by_a_bit(year: int) -> None:
    log, groups, size = simulate()
    before = describe(log, groups, size, 1)
    after = describe(scramble(log, year), [scramble(group, year) for group in groups], scramble(size, year), 1)
    for name in Features.__dataclass_fields__:
        assert (getattr(before, name)[: year + 1] == getattr(after, name)[: year + 1]).all(), name


def scramble(values: np.ndarray, year: int) -> np.ndarray:
    """Return the values with everything after row `year` replaced."""
    changed = values.copy()
    changed[year + 1 :] = np.random.default_rng(9).normal(3, 2, changed[year + 1 :].shape)
    return changed


def test_features_of_one_year_are_a_row_of_all() -> None:
    features = describe(*simulate(), 1)
    assert (features.at(7).base == features.base[7]).all()
    assert (features.at(7).alike == features.alike[7]).all()


def test_growth_of_a_group_is_that_of_its_population() -> None:
    """For small growth: the sum's own growth, which a loop finds."""
    rng = np.random.default_rng(2)
    values = rng.uniform(1e3, 1e6, (1, 5)) * np.exp(np.cumsum(rng.normal(0, 1e-5, (8, 5)), axis=0))
    members = np.array([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 1], [0, 0, 1]], dtype=bool)
    grown = grow_groups(values, members, 5)
    assert (grown[0] == 0).all()
    for t in range(1, 8):
        for k in range(3):
            now, then = (values[s, members[:, k]].sum() for s in (t, t - 1))
            assert grown[t, k] == pytest.approx(np.log(now / then) / 5, abs=1e-9)


def test_growth_of_a_group_lies_between_that_of_its_members() -> None:
    values = np.random.default_rng(3).uniform(1, 1e9, (10, 4))
    members = np.array([[True], [True], [True], [False]])
    each = np.diff(np.log(values[:, :3]), axis=0)
    whole = grow_groups(values, members, 1)[1:, 0]
    assert (each.min(axis=1) <= whole).all()
    assert (whole <= each.max(axis=1)).all()


@given(st.integers(0, 4), st.integers(1, 9), st.integers(1, 12))
def test_average_is_that_of_the_last_rows_there_are(first: int, width: int, rows: int) -> None:
    values = np.random.default_rng(rows).normal(size=(rows, 3))
    result = average(values, width, first)
    for t in range(rows):
        known = values[max(first, t - width + 1) : t + 1]
        assert result[t] == pytest.approx(known.mean(axis=0) if len(known) else np.zeros(3))


def test_size_is_measured_in_the_panel_of_the_year() -> None:
    log = np.array([[1.0, 2.0, 9.0, 50.0], [3.0, 3.0, 3.0, 50.0]])
    size = relate_size(log, np.array([0, 1, 2]))
    assert size[0] == pytest.approx((log[0] - 2) / np.std([1, 2, 9]))
    # Where all are equal there is no spread to divide by.
    assert size[1].tolist() == [0, 0, 0, 47]
    assert relate_size(log + 7, np.array([0, 1, 2])) == pytest.approx(size)
