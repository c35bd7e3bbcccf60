"""Aggregates are the sums of their countries, and their intervals hold what joint past errors say."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import popforecast as pf
from popforecast.forecasting.joint_errors import JointErrors
from popforecast.forecasting.reconciliation import (
    PastErrors,
    combine_widths,
    measure_shares,
    sum_members,
)
from popforecast.models.base import LogPrediction
from popforecast.panel.groups import Membership, add_groups, build_membership
from popforecast.wpp.editions import load_members

Array = NDArray[np.float64]
Z = {level: NormalDist().inv_cdf(0.5 + level / 200) for level in (80, 95)}


def plain(matrix: Array) -> Membership:
    a, n = matrix.shape
    return Membership(tuple(range(n)), tuple(range(n, n + a)), np.arange(n), n + np.arange(a), matrix.astype(bool))


def past(errors: Array, scale: float = 0.01) -> PastErrors:
    n, o, h = errors.shape
    return PastErrors(errors, np.full((n, o, h), scale), np.full((n, h), scale), np.arange(1, h + 1))


def combine_intervals(
    point: Array, population: Array, lower: dict, upper: dict, membership: Membership, past: PastErrors
) -> tuple[dict, dict]:
    """The bounds of every aggregate, from the bounds of its countries."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = {level: np.abs(np.log(np.stack([lower[level], upper[level]]) / population)) for level in lower}
    # Nobody can be nobody in no more than one way; a bound of nothing is as far as e**10.
    widths = {level: np.where(population > 0, np.minimum(far, 10), 0) for level, far in distance.items()}
    combined = combine_widths(population, widths, membership.matrix, past)
    around = LogPrediction(point, combined).exponentiate()
    return around.lower, around.upper


# Points -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["wpp2019", "wpp2024"])
def test_forecast_joins_history_to_the_last_person(revision: str) -> None:
    panel = pf.load_panel(revision)
    membership = build_membership(panel, load_members(revision))
    now = panel.values[:, -1:]
    again = sum_members(now[membership.country_rows], membership, measure_shares(panel, membership))
    assert again.tolist() == now[membership.aggregate_rows].tolist()


def test_aggregate_is_the_sum_of_the_printed_countries_and_remainder(wpp2024: pf.Panel) -> None:
    membership = build_membership(wpp2024, load_members("wpp2024"))
    shares = measure_shares(wpp2024, membership)
    forecast = wpp2024.values[membership.country_rows, -1:] * np.exp(0.0123 * np.arange(1, 31))
    sums = sum_members(forecast, membership, shares)
    printed = np.rint(forecast)
    world = membership.aggregates.index(900)
    remainder = sums[world] - printed.sum(axis=0)
    assert np.array_equal(remainder, np.rint(shares[world] * printed.sum(axis=0)))
    assert (remainder > 450).all()
    assert (remainder < 1000).all()
    for code, row, total in zip(membership.aggregates, membership.matrix, sums, strict=True):
        assert (total % 1 == 0).all()
        assert np.abs(total - printed[row].sum(axis=0)).max() < 1000, code


def test_group_is_exactly_the_sum_of_its_countries(wpp2024: pf.Panel) -> None:
    panel, membership = add_groups(
        wpp2024, build_membership(wpp2024, load_members("wpp2024")), {"Two": ["NGA", "IND"], "One": ["NGA"]}
    )
    forecast = panel.values[membership.country_rows, -1:] * 1.0123
    sums = sum_members(forecast, membership, measure_shares(panel, membership))[-2:, 0]
    nigeria, india = (np.rint(forecast[membership.countries.index(code), 0]) for code in (566, 356))
    assert sums.tolist() == [nigeria + india, nigeria]


def test_other_units_than_persons_are_summed_as_they_are() -> None:
    sums = sum_members(np.array([[0.25], [0.5]]), plain(np.ones((1, 2))), np.zeros(1), whole=False)
    assert sums.tolist() == [[0.75]]


# Intervals --------------------------------------------------------------------------------------------------------


def width_of_sum(errors: Array, level: int = 95) -> float:
    """The group's width at the first horizon over that of each of its equal members."""
    n, _, h = errors.shape
    widths = {level: np.full((2, n, h), Z[level] * 0.01)}
    combined = combine_widths(np.full((n, h), 1e6), widths, np.ones((1, n), dtype=bool), past(errors))
    return combined[level][1, 0, 0] / (Z[level] * 0.01)


def test_independent_errors_cancel_and_common_errors_add() -> None:
    """In persons: the width of n countries is sqrt(n) times one country's if independent, n times if common."""
    rng = np.random.default_rng(0)
    n, o = 25, 400
    independent = 0.01 * rng.standard_normal((n, o, 1))
    common = np.repeat(0.01 * rng.standard_normal((1, o, 1)), n, axis=0)
    assert width_of_sum(independent) == pytest.approx(1 / np.sqrt(n), rel=0.1)
    assert width_of_sum(common) == pytest.approx(1, rel=0.1)
    half = np.sqrt(0.5) * (independent + common)
    assert width_of_sum(half) == pytest.approx(np.sqrt(0.5 + 0.5 / n), rel=0.1)


def test_one_region_may_be_correlated_and_another_not() -> None:
    rng = np.random.default_rng(1)
    n, o = 10, 400
    errors = 0.01 * rng.standard_normal((2 * n, o, 1))
    errors[:n] = errors[:1]
    matrix = np.repeat(np.eye(2, dtype=bool), n, axis=1)
    widths = {80: np.full((2, 2 * n, 1), Z[80] * 0.01)}
    together, apart = combine_widths(np.full((2 * n, 1), 1e6), widths, matrix, past(errors))[80][1, :, 0]
    assert together == pytest.approx(Z[80] * 0.01, rel=0.1)
    assert apart == pytest.approx(Z[80] * 0.01 / np.sqrt(n), rel=0.1)


def test_planted_interval_holds_what_it_states() -> None:
    rng = np.random.default_rng(2)
    n, o = 12, 60
    size = np.exp(rng.normal(13, 1.5, (n, 1)))
    scale = np.exp(rng.normal(-4, 0.5, (n, 1)))
    draw = lambda shape: (rng.standard_normal(shape) + 0.7 * rng.standard_normal((1, *shape[1:]))) / np.sqrt(1.49)  # noqa: E731
    errors = scale[..., None] * draw((n, o, 1))
    widths = {level: np.stack([Z[level] * scale] * 2) for level in Z}
    known = PastErrors(errors, np.broadcast_to(scale[..., None], errors.shape), scale, np.array([1]))
    combined = combine_widths(size, widths, np.ones((1, n), dtype=bool), known)
    outcome = np.log((size * np.exp(scale * draw((n, 20_000)))).sum(axis=0) / size.sum())
    for level in Z:
        assert 100 * np.mean(np.abs(outcome) <= combined[level][1, 0, 0]) == pytest.approx(level, abs=4)


def test_past_errors_count_at_todays_scale() -> None:
    rng = np.random.default_rng(3)
    errors = 0.01 * rng.standard_normal((5, 50, 2))
    calm = past(errors)
    wild = PastErrors(4 * errors, 4 * calm.scale_then, calm.scale_now, calm.horizons)
    widths = {80: np.full((2, 5, 2), 0.02)}
    args = np.full((5, 2), 1e6), widths, np.ones((1, 5), dtype=bool)
    assert combine_widths(*args, wild)[80] == pytest.approx(combine_widths(*args, calm)[80])


@pytest.fixture
def case() -> dict:
    """Six countries with tails of their own, at five horizons, of which the later have fewer outcomes."""
    rng = np.random.default_rng(4)
    n, o, h = 6, 20, 5
    errors = 0.01 * rng.standard_t(3, (n, o, h)).cumsum(axis=2)
    for horizon in range(h):
        errors[:, o - horizon :, horizon] = np.nan
    population = np.exp(rng.normal(14, 1, (n, 1))) * np.exp(0.01 * np.arange(1, h + 1))
    width = {80: 0.01 * np.arange(1, h + 1) ** 0.7, 95: 0.03 * np.arange(1, h + 1) ** 0.7}
    matrix = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0]], dtype=bool)
    return {
        "point": matrix @ population,
        "population": population,
        "lower": {level: population * np.exp(-w) for level, w in width.items()},
        "upper": {level: population * np.exp(1.5 * w) for level, w in width.items()},
        "membership": plain(matrix),
        "past": past(errors),
    }


def test_aggregate_of_one_country_reaches_exactly_as_far(case: dict) -> None:
    population = case["population"]
    widths = {
        level: np.log(np.stack([population / case["lower"][level], case["upper"][level] / population]))
        for level in case["lower"]
    }
    base = {level: np.full((2, len(population), 1), 0.01 * level) for level in widths}
    revised = past(case["past"].errors[..., :1])
    final = JointErrors(population, widths, np.ones_like(population), case["past"], population[:, :1], {}, None)
    for errors in (final, replace(final, base=base, revised=revised)):
        for level, reached in errors.reach(case["membership"].matrix, list(widths)).items():
            expected = np.hypot(widths[level], errors.base.get(level, 0))[:, 4]
            assert np.array_equal(reached[:, 2], expected)


def test_rule_itself_leaves_one_country_as_it_is(case: dict) -> None:
    widths = {80: np.stack([np.log(case["upper"][80] / case["population"])] * 2)}
    combined = combine_widths(case["population"], widths, case["membership"].matrix, case["past"])
    assert combined[80][:, 2] == pytest.approx(widths[80][:, 4], rel=1e-12)


def test_bounds_enclose_the_point_nest_and_widen(case: dict) -> None:
    lower, upper = combine_intervals(**case)
    point = case["point"]
    assert (lower[95] < lower[80]).all()
    assert (lower[80] < point).all()
    assert (point < upper[80]).all()
    assert (upper[80] < upper[95]).all()
    assert (np.diff(np.log(upper[80] / point), axis=1) >= -1e-12).all()
    # The countries' intervals reach further up than down, and so does that of their sum.
    assert (np.log(upper[95] / point) > np.log(point / lower[95]))[:, 1:].all()


def test_other_groups_levels_and_later_horizons_change_nothing(case: dict) -> None:
    lower, _ = combine_intervals(**case)
    few = plain(case["membership"].matrix[1:2])
    alone, _ = combine_intervals(
        case["point"][1:2], case["population"], {80: case["lower"][80]}, {80: case["upper"][80]}, few, case["past"]
    )
    assert alone[80][0] == pytest.approx(lower[80][1], rel=1e-12)
    p = case["past"]
    near = PastErrors(p.errors[..., :3], p.scale_then[..., :3], p.scale_now[:, :3], p.horizons[:3])
    cut = {key: case[key][:, :3] for key in ("point", "population")}
    cut |= {key: {level: bound[:, :3] for level, bound in case[key].items()} for key in ("lower", "upper")}
    short, _ = combine_intervals(**cut, membership=case["membership"], past=near)
    assert short[95] == pytest.approx(lower[95][:, :3], rel=1e-12)


def test_without_any_known_outcome_errors_count_as_one(case: dict) -> None:
    nothing = past(np.full_like(case["past"].errors, np.nan))
    lower, _ = combine_intervals(**(case | {"past": nothing}))
    members = case["membership"].matrix.astype(float) @ case["lower"][80]
    assert lower[80] == pytest.approx(members)


def test_beyond_the_last_outcome_widths_grow_as_the_countries_do(case: dict) -> None:
    errors, growing = case["past"].errors.copy(), 0.01 * np.arange(1, 6) ** 0.7
    errors[..., 2:] = np.nan
    known = PastErrors(errors, np.broadcast_to(growing, errors.shape), growing[None], case["past"].horizons)
    lower, _ = combine_intervals(**(case | {"past": known}))
    width, members = np.log(case["point"] / lower[80])[0], np.log(case["population"] / case["lower"][80])[0]
    assert (width / members)[2:] == pytest.approx((width / members)[1], rel=1e-2)


finite = st.floats(-5, 5)


@given(
    st.lists(st.lists(st.one_of(finite, st.just(np.nan)), min_size=6, max_size=6), min_size=2, max_size=5),
    st.lists(st.sampled_from([0.0, 1e-3, 1.0, 1e10]), min_size=5, max_size=5),
    st.lists(st.sampled_from([0.0, 1e-9, 0.01, 10.0]), min_size=5, max_size=5),
)
def test_bounds_are_never_nan_negative_or_crossing(errors: list, sizes: list, scales: list) -> None:
    """Two origins by three horizons of any errors; countries without anyone, scales of nothing."""
    e = np.array(errors).reshape(len(errors), 2, 3)
    n = len(e)
    population = np.repeat(np.array(sizes[:n])[:, None], 3, axis=1)
    scale = np.repeat(np.array(scales[:n])[:, None], 3, axis=1)
    lower = {80: population * 0.9, 95: population * 0.0}
    upper = {80: population * 1.1, 95: population * 2.0}
    known = PastErrors(e, np.repeat(scale[:, None], 2, axis=1), scale, np.arange(1, 4))
    membership = plain(np.vstack([np.ones(n), np.eye(n)[0]]))
    point = membership.matrix.astype(float) @ population
    low, high = combine_intervals(point, population, lower, upper, membership, known)
    for level in (80, 95):
        assert np.isfinite(low[level]).all()
        assert np.isfinite(high[level]).all()
        assert ((low[level] >= 0) & (low[level] <= point) & (point <= high[level])).all()


def test_intervals_of_regions_hold_in_hindcast(wpp2024: pf.Panel) -> None:
    """Damped growth at origins 1980 to 2013, every third, calibrated on what was known: five and ten years ahead."""
    membership = build_membership(wpp2024, load_members("wpp2024"))
    kinds = wpp2024.locations["type"].iloc[membership.aggregate_rows].isin(["World", "Region", "Subregion"]).to_numpy()
    matrix = membership.matrix[kinds]
    values = wpp2024.values[membership.country_rows]
    log, horizons = np.log(values), np.arange(1, 11)
    t = log.shape[1]
    growth = np.diff(log, axis=1, prepend=np.nan)
    path = log[:, :, None] + growth[:, :, None] * np.cumsum(0.97**horizons)
    target = np.arange(t)[:, None] + horizons
    errors = np.where(target < t, log[:, np.minimum(target, t - 1)] - path, np.nan)
    # What predicts an error: how much growth changed over the last 15 years.
    changes = np.abs(np.diff(growth, axis=1, prepend=np.nan))
    scale = np.stack([0.003 + 0.03 * np.sqrt(changes[:, max(j - 14, 2) : j + 1].mean(axis=1)) for j in range(2, t)], 1)
    held: dict[int, list] = {80: [], 95: []}
    for j in range(30, t - 10, 3):
        origins = np.arange(5, j)
        seen = np.where(target[origins] <= j, errors[:, origins], np.nan)
        then = np.broadcast_to(scale[:, origins - 2, None], seen.shape)
        now = np.repeat(scale[:, j - 2, None], 10, axis=1)
        usual = {level: np.nanpercentile(np.abs(seen / then), level, axis=(0, 1)) for level in held}
        widths = {level: np.stack([now * np.maximum.accumulate(q)] * 2) for level, q in usual.items()}
        point = np.exp(path[:, j])
        combined = combine_widths(point, widths, matrix, PastErrors(seen, then, now, horizons))
        outcome = np.log(matrix.astype(float) @ values[:, j + horizons] / (matrix.astype(float) @ point))
        for level, width in combined.items():
            held[level].append((-width[0] <= outcome) & (outcome <= width[1]))
    for level, (least, most) in {80: (72, 92), 95: (90, 99)}.items():
        share = 100 * np.mean(held[level], axis=(0, 1))
        assert least <= share[4] <= most, (level, share)
        assert least <= share[9] <= most, (level, share)
