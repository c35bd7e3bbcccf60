"""Locations are found by whatever people type, and a miss says the nearest names."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import popforecast as pf
from popforecast.errors import RepeatedLocationError, UnknownLocationError
from popforecast.panel.locations import build_index, disambiguate, load_aliases, normalise

# What the 2019 revision has no series of its own for; in the 2024 revision nothing is absent but the Holy See.
ABSENT = {"wpp2019": {"XKX", "GGY", "JEY"}, "wpp2024": {"VAT"}}


@pytest.fixture(params=["wpp2019", "wpp2024"])
def panel(request: pytest.FixtureRequest) -> pf.Panel:
    return pf.load_panel(request.param)


def test_every_alias_means_its_country(panel: pf.Panel) -> None:
    for iso3 in load_aliases().keys() - ABSENT[panel.revision]:
        for alias in load_aliases()[iso3]:
            code = panel.index.find(alias)
            assert panel.locations["iso3"][code] == iso3, alias


def test_every_name_code_and_iso3_is_found_in_any_case(panel: pf.Panel) -> None:
    shared = panel.locations["name"].map(normalise).duplicated(keep=False)
    for code, location in panel.locations.iterrows():
        queries = [code, str(code), np.int64(code), float(code), f"{code:03d}", f" {code} "]
        if isinstance(location["iso3"], str):
            queries += [location["iso3"], location["iso3"].lower()]
        if not shared[code]:
            queries += [location["name"], location["name"].upper(), f"  {location['name'].lower()}\u00a0"]
        for query in queries:
            assert panel.index.find(query) == code, query


@pytest.mark.parametrize(
    ("query", "iso3"),
    [
        ("Iran", "IRN"),
        ("USA", "USA"),
        ("U.S.A.", "USA"),
        ("united states", "USA"),
        ("Ivory Coast", "CIV"),
        ("Cote d'Ivoire", "CIV"),
        ("Côte d’Ivoire", "CIV"),
        ("Vietnam", "VNM"),
        ("South Korea", "KOR"),
        ("türkiye", "TUR"),
        ("TÜRKİYE", "TUR"),
        ("Turkey", "TUR"),
        ("Reunion", "REU"),
        ("réunion", "REU"),
        ("Congo", "COG"),
        ("DR Congo", "COD"),
        ("Holland", "NLD"),
        ("Bosnia", "BIH"),
        ("Macedonia", "MKD"),
        ("Timor", "TLS"),
        ("Cabo Verde", "CPV"),
        ("Cape Verde", "CPV"),
        ("Eswatini", "SWZ"),
        ("Palestinian territories", "PSE"),
        ("Czechia", "CZE"),
        ("The Gambia", "GMB"),
        ("St. Lucia", "LCA"),
        ("Sao Tome & Principe", "STP"),
        ("UK", "GBR"),
        ("Russia", "RUS"),
        ("guinea bissau", "GNB"),
    ],
)
def test_what_people_type_is_found(panel: pf.Panel, query: str, iso3: str) -> None:
    assert panel.locations["iso3"][panel.index.find(query)] == iso3


def test_kosovo_is_found_where_the_revision_has_it(wpp2024: pf.Panel) -> None:
    assert wpp2024.index.find("Kosovo") == wpp2024.index.find("XKX") == 412


@pytest.mark.parametrize(
    ("name", "code"), [("Europe", 908), ("northern america", 905), ("LATIN AMERICA AND THE CARIBBEAN", 904)]
)
def test_shared_name_means_the_geographic_region(panel: pf.Panel, name: str, code: int) -> None:
    assert panel.index.find(name) == code


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("Nigera", "Nigeria"),
        ("Germny", "Germany"),
        ("Korea", "Republic of Korea"),
        ("Guinea-Bisau", "Guinea-Bissau"),
        ("Untied States", "United States of America"),
        ("Virgin Islands", "United States Virgin Islands"),
        ("Amerca", "United States of America"),
    ],
)
def test_miss_names_what_was_probably_meant(panel: pf.Panel, query: str, nearest: str) -> None:
    with pytest.raises(UnknownLocationError) as miss:
        panel.index.find(query)
    assert nearest in miss.value.unknown[query]
    assert query in str(miss.value)
    assert nearest in str(miss.value)


def test_all_misses_are_named_at_once(panel: pf.Panel) -> None:
    with pytest.raises(UnknownLocationError) as miss:
        panel.index.find_all(["Nigera", "World", "Atlantis"])
    assert list(miss.value.unknown) == ["Nigera", "Atlantis"]


@pytest.mark.parametrize("pair", [("USA", "United States"), (840, "840"), ("World", "WORLD"), ("IRN", 364)])
def test_location_asked_for_twice_names_both_ways(panel: pf.Panel, pair: tuple) -> None:
    with pytest.raises(RepeatedLocationError) as repeated:
        panel.index.find_all(pair)
    assert all(repr(str(query)) in str(repeated.value) for query in pair)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "\x00",
        "\u202eairegiN",
        "\u200f",
        "٤٤٤٤٤",
        "-4",
        "+4",
        "4.5",
        "1e3",
        "0",
        "000",
        "null",
        "'; DROP TABLE locations; --",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "🇳🇬",
        "ﷺ" * 10_000,
        "x" * 10_000,
        "9" * 10_000,
        "\ud800",
        None,
        4.5,
        float("nan"),
        float("inf"),
        True,
        b"NGA",
        ("NGA",),
    ],
)
def test_nonsense_is_unknown_and_nothing_worse(panel: pf.Panel, query: object) -> None:
    with pytest.raises(UnknownLocationError) as miss:
        panel.index.find(query)
    assert len(str(miss.value)) < 500
    assert "\u202e" not in str(miss.value)
    assert "\x00" not in str(miss.value)


@given(st.text(max_size=50))
def test_any_text_is_a_location_or_a_miss(query: str) -> None:
    index = pf.load_panel("wpp2019").select(["World", "NGA", "CIV"]).index
    with contextlib.suppress(UnknownLocationError):
        assert index.find(query) in index.names


def test_ten_thousand_misses_are_told_shortly_and_soon(wpp2024: pf.Panel) -> None:
    began = time.perf_counter()
    with pytest.raises(UnknownLocationError, match="9,990 more are unknown") as miss:
        wpp2024.index.find_all([f"place number {i}" for i in range(10_000)])
    assert len(miss.value.unknown) == 10_000
    assert len(str(miss.value)) < 3000
    assert time.perf_counter() - began < 5


def test_codes_that_are_text_keep_their_zeros() -> None:
    counties = build_index(
        pd.DataFrame({"name": ["Autauga", "Baldwin"], "type": None, "iso3": None}, index=["01001", "1003"])
    )
    assert counties.find("01001") == "01001"
    for other in ("1001", "01003", 1001):
        with pytest.raises(UnknownLocationError):
            counties.find(other)


def test_name_that_is_also_a_code_means_the_code() -> None:
    odd = build_index(pd.DataFrame({"name": ["2", "1"], "type": None, "iso3": None}, index=[1, 2]))
    assert odd.find("1") == 1


def test_nothing_of_a_long_text_is_ignored(wpp2024: pf.Panel) -> None:
    with pytest.raises(UnknownLocationError, match="Nigeria"):
        wpp2024.index.find("Nigeria" + " " * 100 + "and its neighbours")


def test_having_a_location_is_finding_it(panel: pf.Panel) -> None:
    for query in (900, "900", "nga", "Ivory Coast", 4.0):
        assert panel.index.has(query)
    for query in ("Nigera", "", "My markets", 901.5):
        assert not panel.index.has(query)


def test_the_order_of_names_is_the_same_in_every_run() -> None:
    """Names of equal merit are suggested in the index's order, which no seed of a hash may shuffle."""
    program = "import popforecast as pf; print(list(pf.load_panel('wpp2024').index.texts))"
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_names_that_differ_to_no_reader_are_told_apart() -> None:
    names = pd.Series({917: "EUROPE", 908: "Europe", 4: "Afghanistan"})
    assert list(disambiguate(names).values()) == ["EUROPE", "Europe", "Afghanistan"]
    assert disambiguate(names, normalise) == {917: "EUROPE (917)", 908: "Europe (908)", 4: "Afghanistan"}
