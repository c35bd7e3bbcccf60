"""Figures are written for people in one form everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from popforecast.text import format_percent, format_population


@pytest.mark.parametrize(
    ("persons", "text"),
    [
        (8_745_733_214.4, "8,745,733,000"),
        (8_745_732_500.1, "8,745,733,000"),
        (10_000, "10,000"),
        (9_999.6, "10,000"),
        (9_999.4, "9,999"),
        (2_506.4, "2,506"),
        (1, "1"),
        (0, "0"),
        (-0.4, "0"),
        (-12_345.0, "−12,000"),
        (1e21, "1,000,000,000,000,000,000,000"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
        (None, "–"),
        (float("nan"), "–"),
        (pd.NA, "–"),
    ],
)
def test_population_is_in_thousands_unless_it_is_small(persons: float | None, text: str) -> None:
    assert format_population(persons) == text


@pytest.mark.parametrize("kind", [int, float, np.int64, np.float64])
def test_population_of_any_kind_of_number_reads_the_same(kind: type) -> None:
    assert format_population(kind(1_304_051_000)) == "1,304,051,000"
    assert format_population(kind(2_506)) == "2,506"


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.504, "2.50%"), (0, "0.00%"), (-0.001, "0.00%"), (100, "100.00%"), (None, "–"), (pd.NA, "–")],
)
def test_percent_has_two_digits(value: float | None, text: str) -> None:
    assert format_percent(value) == text
    assert format_percent(12.34, digits=0) == "12%"
