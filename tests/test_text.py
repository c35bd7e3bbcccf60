"""Figures are written for people in one form everywhere."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from popforecast.text import (
    Rounding,
    format_percent,
    format_population,
    format_populations,
    round_in_full,
    round_in_words,
    say_population,
    sign,
)

PERSONS = st.floats(0, 3e10) | st.floats(-1e7, 1e4) | st.floats() | st.integers(0, 20_000)


def read(text: str) -> float:
    """The number that a person reads."""
    return float(text.replace(",", "").replace("−", "-").replace("∞", "inf"))


def round_both(row: list[float]) -> list[Rounding]:
    return [round_in_full(row), round_in_words(row[1], row[0], row[2])]


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


@given(st.lists(PERSONS.filter(lambda persons: not math.isnan(persons)), min_size=3, max_size=3).map(sorted))
@example([5_223, 8_400.5, 12_951])
@example([957_600_000, 1.425e9, 1.985e9])
@example([-4_321.0, 2_506, math.inf])
@example([-math.inf, 0, math.inf])
def test_a_row_has_one_number_of_decimals_and_keeps_its_order(row: list[float]) -> None:
    for rounding in round_both(row):
        texts = [rounding.write(persons) for persons in row]
        finite = [text for text in texts if "∞" not in text]
        assert len({len(text.partition(".")[2]) for text in finite}) <= 1
        assert [read(text) for text in texts] == sorted(read(text) for text in texts)
        assert not any(re.search(r"-|−0(\.0*)?$|nan", text) for text in texts)


@given(st.lists(st.floats(0.5, 9e9), min_size=3, max_size=3).map(sorted))
def test_no_bound_loses_its_meaning(row: list[float]) -> None:
    for rounding in round_both(row):
        for persons in row:
            said = read(rounding.write(persons)) * rounding.size
            # As near as half a thousand, or two digits.
            assert abs(said - persons) <= max(500.1, 0.0501 * persons)
            assert said > 0 or (rounding.unit and persons < 500.1)


@given(st.floats(0, 9e9))
def test_what_is_said_of_one_figure_is_what_is_said_of_it_in_a_row(persons: float) -> None:
    rounding = round_in_words(persons, persons)
    assert rounding.say(persons) == say_population(persons)


def test_a_small_place_is_whole_however_large_its_upper_bound() -> None:
    assert format_populations([2_335.2, 2_506.4, 12_951, None]) == ["2,335", "2,506", "12,951", "–"]
    assert round_in_words(2_506.4, 247.3, 293_706.1).say_range(247.3, 293_706.1) == "247 to 293,706"


def test_a_large_place_has_its_bounds_in_its_own_unit() -> None:
    china = round_in_words(1.426e9, 957_600_000, 1_985_000_000)
    assert china.say_range(957_600_000, 1_985_000_000) == "0.958 to 1.985 billion"
    assert round_in_words(950_000, 900_000, 1_300_000).say_range(900_000, 1_300_000) == "900,000 to 1,300,000"
    assert round_in_words(227_882_945, 4_000).say_range(4_000, 227_882_945) == "0.004 to 227.883 million"


@pytest.mark.parametrize(
    ("percent", "text"), [(2.04, "+2.0"), (-0.5, "−0.5"), (-0.04, "+0.0"), (None, "–"), (float("nan"), "–")]
)
def test_a_change_has_its_sign(percent: float | None, text: str) -> None:
    assert sign(percent) == text
