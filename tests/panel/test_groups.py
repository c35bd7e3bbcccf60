"""Aggregates and groups are made of countries, each counted once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.client import request_forecast
from popforecast.errors import PanelError, RepeatedLocationError, UnknownLocationError
from popforecast.panel.groups import GROUP, add_groups, build_membership
from popforecast.wpp.editions import load_members
from tests.helpers.freezing import check_frozen


@pytest.fixture
def membership(wpp2024: pf.Panel):
    return build_membership(wpp2024, load_members("wpp2024"))


def row_of(membership, code) -> np.ndarray:
    return membership.matrix[membership.aggregates.index(code)]


def test_every_aggregate_of_a_revision_is_a_sum_of_countries(membership) -> None:
    assert membership.matrix.shape == (61, 236)
    assert membership.alone == ()
    assert row_of(membership, 900).all()
    assert [c for c, held in zip(membership.countries, row_of(membership, 927), strict=True) if held] == [36, 554]


def test_a_membership_cannot_be_changed_in_place(membership) -> None:
    check_frozen(membership)


def test_rows_are_those_of_the_panel(wpp2024: pf.Panel, membership) -> None:
    codes = wpp2024.locations.index
    assert codes[membership.country_rows].tolist() == list(membership.countries)
    assert codes[membership.aggregate_rows].tolist() == list(membership.aggregates)


def test_aggregate_without_known_or_present_countries_stands_alone(wpp2024: pf.Panel) -> None:
    assert len(build_membership(wpp2024, {}).alone) == 61
    some = wpp2024.select(["World", 905, "USA", "CAN", "GRL", "BMU", "SPM"])
    membership = build_membership(some, load_members("wpp2024"))
    assert (membership.alone, membership.aggregates) == ((900,), (905,))


def test_aggregate_that_is_not_the_sum_of_its_countries_stands_alone(wpp2024: pf.Panel) -> None:
    values = wpp2024.values.copy()
    values[wpp2024.rows("Africa")] *= 1.02
    changed = replace(wpp2024, values=values)
    assert build_membership(changed, load_members("wpp2024")).alone == (903,)


def test_every_location_of_ones_own_panel_is_a_country() -> None:
    panel = pf.Panel([[1, 2], [3, 4]], [2000, 2001], pd.DataFrame({"name": ["A", "B"]}, index=["a", "b"]))
    membership = build_membership(panel, {})
    assert (membership.countries, membership.aggregates, membership.matrix.shape) == (("a", "b"), (), (0, 2))


def test_group_is_a_location_with_the_sum_of_its_members(wpp2024: pf.Panel, membership) -> None:
    groups = {"My markets": ["NGA", 356, "Central America"], "Benelux": ["BEL", "NLD", "Luxembourg"]}
    panel, together = add_groups(wpp2024, membership, groups)
    assert panel.values[:-2].tolist() == wpp2024.values.tolist()
    assert panel.select("my markets").values.tolist() == [
        wpp2024.select(["NGA", "IND", 916]).values.sum(axis=0).tolist()
    ]
    assert panel.locations.loc["Benelux", ["name", "type"]].tolist() == ["Benelux", GROUP]
    assert together.aggregates[-2:] == ("My markets", "Benelux")
    assert panel.locations.index[together.aggregate_rows].tolist() == list(together.aggregates)
    assert row_of(together, "My markets").sum() == 2 + row_of(membership, 916).sum()
    assert np.array_equal(together.matrix[:-2], membership.matrix)


def test_no_group_changes_nothing(wpp2024: pf.Panel, membership) -> None:
    assert add_groups(wpp2024, membership, {}) == (wpp2024, membership)


def test_group_of_one_country_may_be_written_as_text(wpp2024: pf.Panel, membership) -> None:
    panel, together = add_groups(wpp2024, membership, {"Home": "NGA"})
    assert row_of(together, "Home").sum() == 1
    assert panel.select("Home").values.tolist() == wpp2024.select("NGA").values.tolist()


@pytest.mark.parametrize(
    ("groups", "error", "sentence"),
    [
        ({"A": ["NGA", "Atlantis"]}, UnknownLocationError, "no location 'Atlantis'"),
        ({"A": ["NGA", "Nigeria"]}, RepeatedLocationError, "given twice"),
        ({"A": ["NGA", "Africa"]}, RepeatedLocationError, "counts Nigeria twice, in Nigeria and in Africa"),
        ({"A": ["Africa", "Least developed countries"]}, RepeatedLocationError, "twice, in Africa and in Least"),
        ({"A": []}, PanelError, "group 'A' has no member"),
        ({"A": None}, PanelError, "group 'A' has no member"),
        ({"A": ""}, UnknownLocationError, "no location"),
        ({"": ["NGA"]}, PanelError, "expected a text"),
        ({7: ["NGA"]}, PanelError, "expected a text"),
        ({"world": ["NGA"]}, PanelError, r"name of a location, World \(900\)"),
        ({"NGA": ["NGA"]}, PanelError, "name of a location, Nigeria"),
        ({"A": ["NGA"], "B": ["A"]}, UnknownLocationError, "no location 'A'"),
    ],
)
def test_group_that_cannot_be_is_refused(wpp2024: pf.Panel, membership, groups, error, sentence) -> None:
    with pytest.raises(error, match=sentence):
        add_groups(wpp2024, membership, groups)


WRONG_GROUPS = [
    ("NGA", "groups is a str: expected a dict of members by name"),
    (["NGA"], "groups is a list: expected a dict"),
    ([("A", ["NGA"])], "groups is a list"),
    ({"NGA"}, "groups is a set"),
    (7, "groups is an int"),
    (False, "groups is a bool"),
    (pd.Series({"A": "NGA"}), "groups is a Series"),
    ({None: ["NGA"]}, "a group has the name None: expected a text"),
    ({7: ["NGA"]}, "a group has the name 7: expected a text"),
    ({("A", "B"): ["NGA"]}, r"a group has the name \('A', 'B'\)"),
    ({" ": ["NGA"]}, "a group has the name ' '"),
    ({b"A": ["NGA"]}, "a group has the name b'A'"),
    ({"A": []}, "group 'A' has no member"),
    ({"A": ()}, "group 'A' has no member"),
    ({"A": None}, "group 'A' has no member"),
    ({"A": iter([])}, "group 'A' has no member"),
    ({"A": 356}, "group 'A' is an int: expected a list of members"),
    ({"A": b"NGA"}, "group 'A' is a bytes"),
    ({"A": {"B": ["NGA"]}}, "group 'A' is a dict: expected a list of members"),
    ({"A": [["NGA", 356]]}, r"group 'A' has the member \['NGA', 356\]: expected a code"),
    ({"A": ["NGA", {"B": ["IND"]}]}, "group 'A' has the member {'B'"),
    ({"A": ["NGA", None]}, "group 'A' has the member None"),
    ({"A": [float("nan")]}, "group 'A' has the member nan"),
    ({"A": [pd.NA]}, "group 'A' has the member <NA>"),
    ({"A": [True]}, "group 'A' has the member True"),
]


@pytest.mark.parametrize(("groups", "sentence"), WRONG_GROUPS)
def test_groups_of_a_wrong_type_are_one_sentence(wpp2024: pf.Panel, groups, sentence) -> None:
    outlook = pf.forecast_all(wpp2024.countries(), "naive")
    for ask in (
        lambda: pf.forecast(wpp2024, ["NGA"], 2030, 2031, "naive", groups=groups),
        lambda: outlook.forecast(["NGA"], 2030, 2031, groups=groups),
        lambda: request_forecast("http://127.0.0.1:9", ["NGA"], 2030, 2031, groups=groups),
    ):
        with pytest.raises(PanelError, match=sentence):
            ask()


@pytest.mark.parametrize("member", [("NGA", 356), b"NGA", 1e99, float("inf"), "\0", "\ud800", object(), 3 + 4j, 10**40])
def test_a_member_that_is_nowhere_is_unknown(wpp2024: pf.Panel, member) -> None:
    with pytest.raises(UnknownLocationError):
        pf.forecast(wpp2024, ["NGA"], 2030, 2031, "naive", groups={"A": [member]})


@pytest.mark.parametrize("groups", [None, {}])
def test_no_groups_are_none(wpp2024: pf.Panel, groups) -> None:
    assert len(pf.forecast(wpp2024, ["NGA"], 2030, 2031, "naive", groups=groups).locations) == 1


@pytest.mark.parametrize("members", [["NGA", 356], ("NGA", 356), {"NGA": 1, 356: 2}.keys(), iter(["NGA", "356"])])
def test_members_may_be_any_row_of_codes_and_names(wpp2024: pf.Panel, members) -> None:
    made = pf.forecast(wpp2024, ["A"], 2030, 2031, "naive", groups={"A": members})
    listed = pf.forecast(wpp2024, ["A"], 2030, 2031, "naive", groups={"A": ["Nigeria", "IND"]})
    np.testing.assert_array_equal(made.population, listed.population)


def test_aggregate_whose_countries_are_not_known_is_no_member(wpp2024: pf.Panel) -> None:
    with pytest.raises(PanelError, match=r"member Africa \(903\), whose countries are not all known"):
        add_groups(wpp2024, build_membership(wpp2024, {}), {"A": ["Africa"]})
