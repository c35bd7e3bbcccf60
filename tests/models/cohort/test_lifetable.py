"""Life tables: against the textbook, arithmetic on paper, and a constant force of mortality."""

from __future__ import annotations

import numpy as np
import pytest

import popforecast as pf
from popforecast.models.cohort.lifetable import age, build_life_table


def test_a_life_table_is_that_worked_out_on_paper() -> None:
    """Of 1,000 born, rates of 0.02, 0.004 and then 0.01 and 0.1 in turn, by the formulas of Preston and others."""
    rates = np.array([0.02, 0.004, *[0.01, 0.1] * 10])
    table = build_life_table(rates)
    lived = 0.045 + 2.7 * 0.02
    q0 = 0.02 / (1 + (1 - lived) * 0.02)
    q1 = 4 * 0.004 / (1 + (4 - 1.5) * 0.004)
    q5 = 5 * 0.01 / (1 + 2.5 * 0.01)
    l1 = 1 - q0
    l5 = l1 * (1 - q1)
    l10 = l5 * (1 - q5)
    first = l1 + lived * q0 + 4 * l5 + 1.5 * (l1 - l5)
    second = 5 * l10 + 2.5 * (l5 - l10)
    assert table.births == pytest.approx(first / 5)
    assert table.survival[0] == pytest.approx(second / first)


def test_at_a_constant_rate_survival_is_exponential() -> None:
    for rate in (0.001, 0.01, 0.05):
        table = build_life_table(np.full(22, rate))
        assert table.survival[1:19] == pytest.approx(np.exp(-5 * rate), rel=2e-3)
        # Of all who are 95 and over, too: the open group has the same rate.
        assert table.survival[19] == pytest.approx(np.exp(-5 * rate), rel=2e-3)
        assert table.expectancy == pytest.approx(1 / rate, rel=2e-2)


def test_japans_life_table_is_as_specified() -> None:
    """Of 2015-20; figures of an independent computation from unrounded rates."""
    components = pf.load_components("wpp2024")
    table = build_life_table(components.mortality[components.codes.index(392), ..., -1])
    assert table.expectancy == pytest.approx([81.1025, 87.2349], abs=0.005)
    assert table.births == pytest.approx([0.997711, 0.997861], abs=2e-6)
    expected = [[0.99942, 0.94881, 0.28501, 0.08065], [0.99949, 0.97814, 0.42455, 0.16428]]
    assert table.survival[:, [0, 12, 18, 19]] == pytest.approx(np.array(expected), abs=1e-4)


def test_ageing_moves_everybody_one_group_up_and_keeps_the_oldest_together() -> None:
    persons, survival = np.arange(1.0, 22), np.linspace(1, 0.1, 20)
    older = age(persons, survival)
    assert older[0] == 0
    assert older[1:20] == pytest.approx(persons[:19] * survival[:19])
    assert older[20] == pytest.approx((persons[19] + persons[20]) * 0.1)


def test_many_tables_at_once_are_each_that_alone() -> None:
    rates = np.random.default_rng(0).uniform(1e-4, 0.5, (3, 2, 22))
    together, alone = build_life_table(rates), build_life_table(rates[1, 1])
    for several, one in zip(together, alone, strict=True):
        np.testing.assert_array_equal(several[1, 1], one)
