"""The five rules of panel-ar: who teaches, what is learnt, and how they are combined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import popforecast as pf
from popforecast.models.bounded import damp
from popforecast.models.pooling import agree, choose_teachers, find_groups, find_teachers, learn_rules, prepare_lesson


def make_panel(n: int = 6, t: int = 12, **columns: list) -> pf.Panel:
    log = np.cumsum(np.random.default_rng(1).normal(0.01, 0.01, (n, t)), axis=1)
    table = pd.DataFrame({"name": [f"Place {i}" for i in range(n)]} | columns)
    return pf.Panel(1e6 * np.exp(log), range(2000, 2000 + t), table)


# Who teaches ----------------------------------------------------------------------------------------------------


def test_countries_teach_and_without_countries_all(wpp2024: pf.Panel) -> None:
    teachers = find_teachers(wpp2024)
    assert len(teachers) == 236
    assert set(wpp2024.locations["type"].iloc[teachers]) == {"Country/Area"}
    assert find_teachers(make_panel()).tolist() == list(range(6))
    assert find_teachers(wpp2024.select(["World", "Africa"])).tolist() == [0, 1]


def test_groups_hold_their_teachers_and_a_last_group_all() -> None:
    panel = make_panel(region=["A", "A", "B", "B", None, "A"], type=["Country/Area"] * 4 + [None, "Region"])
    ((members, group),) = find_groups(panel, find_teachers(panel))
    assert group.tolist() == [0, 0, 1, 1, 2, 0]
    assert members.astype(int).tolist() == [[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("columns", [{}, {"region": [None] * 6}, {"region": ["A"] * 6}, {"region": ["A"] * 5 + [None]}])
def test_a_single_group_is_none(columns: dict) -> None:
    panel = make_panel(**columns)
    assert find_groups(panel, np.arange(6)) == []


def test_groupings_go_from_large_groups_to_small(wpp2024: pf.Panel) -> None:
    sizes = [members.shape[1] - 1 for members, _ in find_groups(wpp2024, find_teachers(wpp2024))]
    assert sizes == sorted(sizes)
    assert len(sizes) == 2


def test_too_many_teachers_are_thinned_evenly_over_size() -> None:
    log = np.random.default_rng(2).normal(size=100)
    candidates = np.arange(0, 100, 2)
    assert (choose_teachers(log, candidates, 50) == candidates).all()
    chosen = choose_teachers(log, candidates, 10)
    assert len(set(chosen.tolist())) == 10
    ranks = np.sort(np.searchsorted(np.sort(log[candidates]), log[chosen]))
    assert (ranks[0], ranks[-1]) == (0, 49)
    assert set(np.diff(ranks).tolist()) <= {5, 6}


# What is learnt -------------------------------------------------------------------------------------------------


def follow_rule(n: int = 400, t: int = 60) -> tuple[pf.Panel, np.ndarray]:
    """A panel whose growth follows a known rule, and the growth that comes next without noise.

    Next growth is 0.3 of the last and 0.4 of the mean of the last ten. The shocks of some locations are much larger
    than those of others.
    """
    rng = np.random.default_rng(3)
    spread = 0.001 * np.exp(rng.normal(0, 0.5, n))
    growth = rng.normal(0, 0.002, (n, t))
    for s in range(10, t):
        growth[:, s] = 0.3 * growth[:, s - 1] + 0.4 * growth[:, s - 10 : s].mean(axis=1) + spread * rng.normal(size=n)
    panel = pf.Panel(1e6 * np.exp(np.cumsum(growth, axis=1)), range(1950, 1950 + t), pd.DataFrame(index=range(n)))
    return panel, 0.3 * growth[:, -1] + 0.4 * growth[:, -10:].mean(axis=1)


def test_planted_rule_is_found_from_past_origins() -> None:
    panel, following = follow_rule()
    lesson = prepare_lesson(panel, np.log(panel.values))
    anchor = damp(0.97, 1)
    rules = learn_rules(lesson, np.arange(58, 33, -1), 1, anchor, np.arange(400), None)
    deviation = rules.deviate(lesson.at(59))
    planted = following - anchor * lesson.growth[59]
    for coefficients, regressors in ((rules.sized, lesson.sized), (rules.plain, lesson.plain)):
        found = regressors[59] @ coefficients * lesson.scale[59]
        assert np.corrcoef(found, planted)[0, 1] > 0.98
        assert np.polyfit(planted, found, 1)[0] == pytest.approx(1, abs=0.05)
    # The committee leans towards damped growth: one rule of the five is just that.
    assert np.corrcoef(deviation, planted)[0, 1] > 0.98
    assert 0.7 < np.polyfit(planted, deviation, 1)[0] < 1


def test_nothing_is_learnt_where_damped_growth_is_the_truth() -> None:
    growth = np.random.default_rng(4).uniform(-0.01, 0.029, (80, 1)) * 0.97 ** np.arange(50)
    panel = pf.Panel(np.exp(10 + np.cumsum(growth, axis=1)), range(50), pd.DataFrame(index=range(80)))
    lesson = prepare_lesson(panel, np.log(panel.values))
    rules = learn_rules(lesson, np.arange(44, 20, -1), 5, damp(0.97, 5) / 5, np.arange(80), None)
    assert np.abs(rules.deviate(lesson.at(49))).max() < 1e-6


# How they are combined ------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1, 1), min_size=5, max_size=5))
def test_committee_is_the_mean_without_the_extremes(rules: list[float]) -> None:
    middle = sorted(rules)[1:-1]
    assert agree(np.array(rules)[:, None])[0] == pytest.approx(sum(middle) / 3)


@given(st.permutations(range(5)), st.floats(-1e6, 1e6))
def test_one_mad_rule_is_outvoted(order: list[int], mad: float) -> None:
    rules = np.array([0.01, 0.011, 0.012, 0.013, mad])[order]
    assert 0.01 <= agree(rules[:, None])[0] <= 0.013
