"""Every aggregate of a revision is the sum of countries, and its own figures prove which."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.wpp import editions
from popforecast.wpp.membership import UNLISTED, find_members, prove_members

# World, Europe, Southern Europe, the joins that hold them, and the group without an income: all hold the Vatican.
HOLDS_THE_VATICAN = {900, 908, 925, 901, 1829, 5502, 1518}


@pytest.fixture(params=["wpp2019", "wpp2024"])
def panel(request: pytest.FixtureRequest) -> pf.Panel:
    return pf.load_panel(request.param)


@pytest.fixture
def members(panel: pf.Panel) -> dict:
    return editions.load_members(panel.revision)


def remainder(panel: pf.Panel, code: int, countries: tuple[int, ...]) -> np.ndarray:
    frame = pd.DataFrame(panel.values, panel.locations.index)
    return (frame.loc[code] - frame.loc[list(countries)].sum()).to_numpy()


def test_every_aggregate_has_members_and_every_member_is_a_country(panel: pf.Panel, members: dict) -> None:
    country = panel.locations["type"] == "Country/Area"
    assert set(members) == set(panel.locations.index[~country])
    for countries in members.values():
        assert countries
        assert len(set(countries)) == len(countries)
        assert set(countries) <= set(panel.locations.index[country])


def test_members_add_up_in_every_year(panel: pf.Panel, members: dict) -> None:
    unit = {"wpp2019": 1000, "wpp2024": 1}[panel.revision]
    for code, countries in members.items():
        rest = remainder(panel, code, countries)
        bound = 2 * unit * np.sqrt(len(countries) + 1)
        if panel.revision == "wpp2024" and code in HOLDS_THE_VATICAN:
            assert ((rest > 450) & (rest < 950)).all(), code
        else:
            assert np.abs(rest).max() <= bound, code


def test_no_country_can_be_added_or_left_out(panel: pf.Panel, members: dict) -> None:
    """The Vatican of 2019, one rounded thousand, is all that the figures leave open, in one group."""
    countries = panel.countries()
    for code, listed in members.items():
        rest = remainder(panel, code, listed)
        sign = np.where(countries.locations.index.isin(listed), 1, -1)[:, None]
        changed = np.sqrt(np.mean((rest + sign * countries.values) ** 2, axis=1))
        better = countries.locations["iso3"][changed <= np.sqrt(np.mean(rest**2))].tolist()
        assert better == (["VAT"] if (panel.revision, code) == ("wpp2019", 1503) else []), code


def test_world_regions_and_subregions_split_the_countries(panel: pf.Panel, members: dict) -> None:
    everyone = set(panel.countries().locations.index)
    regions, subregions = (903, 904, 905, 908, 909, 935), (910, 911, 912, 913, 914)
    assert set(members[900]) == everyone
    assert sorted(c for r in regions for c in members[r]) == sorted(everyone)
    assert sorted(c for r in subregions for c in members[r]) == sorted(members[903])
    assert set(members[901]) | set(members[902]) == everyone
    assert set(members[902]) - set(members[941]) == set(members[934])


def test_classes_are_those_of_their_time(panel: pf.Panel, members: dict) -> None:
    """Vanuatu left the least developed countries in 2020, Bhutan in 2023; there were 47 in 2018."""
    index = panel.index
    left = {index.find("VUT"), index.find("BTN")}
    expected = {"wpp2019": (47, left), "wpp2024": (45, set())}[panel.revision]
    assert (len(members[941]), left & set(members[941])) == expected
    assert len(members[1636]) == 32


def test_members_are_found_again_from_the_figures(panel: pf.Panel, members: dict) -> None:
    assert find_members(panel) == members


def test_wrong_list_is_not_proven(wpp2024: pf.Panel) -> None:
    members = editions.load_members("wpp2024")
    africa = members[903]
    tokelau = 772
    proof = prove_members(wpp2024, {903: (*africa, tokelau), 941: members[941][1:]})
    assert not proof["proven"].any()
    assert prove_members(wpp2024, {903: africa})["proven"].all()
    # The smallest place with a series is larger than what a place without one may hold.
    assert wpp2024.values.min() > UNLISTED


def test_aggregate_whose_countries_are_not_all_there_has_no_members(wpp2024: pf.Panel) -> None:
    some = wpp2024.select(["World", "Northern America", "USA", "CAN", "GRL", "BMU", "SPM"])
    assert find_members(some) == {905: (840, 124, 304, 60, 666)}


def test_panel_without_types_has_no_members() -> None:
    assert find_members(pf.Panel([[1, 2], [3, 4]], [2000, 2001], pd.DataFrame({"name": ["A", "B"]}))) == {}


def test_vintage_states_no_members() -> None:
    assert editions.load_members("wpp2012") == {}
    with pytest.raises(pf.errors.UnknownRevisionError):
        editions.load_members("wpp1998")
