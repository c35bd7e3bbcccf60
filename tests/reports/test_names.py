"""A page with changed parameters has a file name that says which, and that no other page has."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popforecast.reports.notebooks import Notebook, find_changes, name_page

DEFAULTS = {"lags": 1, "ratio": 0.5, "loud": False, "data": "", "models": ["ar1"], "any": []}
NOTEBOOK = Notebook(Path("own.ipynb"), "Own", DEFAULTS)

TEXTS = st.text(max_size=400) | st.sampled_from(
    ["own.csv", "a/own.csv", "..", "/etc/passwd", "CON", "lags-2", "a.lags-2"]
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "lags": st.integers(),
        "ratio": st.floats(allow_nan=False, allow_infinity=False),
        "loud": st.booleans(),
        "data": TEXTS,
        "models": st.lists(TEXTS, max_size=20),
        "any": st.lists(st.integers() | st.booleans() | TEXTS, max_size=5),
    },
)


def write(changed: dict) -> str:
    # Not by ==, to which 1 is True.
    return json.dumps(changed, sort_keys=True)


@given(CHANGES, CHANGES)
def test_any_values_make_a_name_that_every_disk_takes_and_different_ones_make_different_names(one, other):
    changes = [find_changes(NOTEBOOK, changed) for changed in (one, other)]
    names = [name_page(NOTEBOOK, changed) for changed in changes]
    for name, changed in zip(names, changes, strict=True):
        assert re.fullmatch(r"[A-Za-z0-9_.+-]{1,130}", name)
        assert (name == "own") == (not changed)
    assert (names[0] == names[1]) == (write(changes[0]) == write(changes[1]))


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "own"),
        ({"lags": 2}, "own.lags-2"),
        ({"data": "NGA", "lags": -1, "loud": True}, "own.lags--1.loud-True.data-NGA"),
        ({"ratio": 0.25}, "own.ratio-0.25"),
    ],
)
def test_plain_values_are_read_as_they_are(changed, name):
    assert name_page(NOTEBOOK, changed) == name


@pytest.mark.parametrize("value", ["", ".", "/", "...", "\N{SNOWMAN}", "a b", "a-12345678", "x" * 25])
def test_any_other_value_is_told_by_a_checksum(value):
    # An empty one only differs from a default that is not.
    assert re.fullmatch(r"own\.data-([A-Za-z0-9-]+-)?[0-9a-f]{8}", name_page(NOTEBOOK, {"data": value}))


def test_lists_that_read_alike_are_told_apart():
    alike = [["a, b"], ["a", "b"], ["[a", "b]"], ["a-b"], [1], ["1"], [True], ["True"]]
    names = [name_page(NOTEBOOK, {"any": value}) for value in alike]
    assert all(one != other for one, other in itertools.combinations(names, 2))


def test_a_name_that_would_be_too_long_counts_the_parameters():
    changed = {"lags": 10**20, "ratio": 0.25, "data": "a" * 200, "models": ["b" * 99], "any": ["c" * 99]}
    assert re.fullmatch(r"own\.5-parameters-[0-9a-f]{8}", name_page(NOTEBOOK, changed))
