"""The facts that are listed by hand: every row means something, none is there twice, and a damaged table is named."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

import popforecast as pf
from popforecast.data import maybe, read_facts
from popforecast.errors import ReadError
from popforecast.panel.locations import load_aliases, normalise
from popforecast.wpp.editions import REVISIONS, VINTAGES, load_locations
from popforecast.wpp.membership import load_joins, load_lists
from popforecast.wpp.pairing import load_wholes
from popforecast.wpp.preparation import load_regions


@pytest.fixture(scope="module")
def codes() -> dict[str, int]:
    """Every ISO3 code of an edition."""
    tables = [load_locations(name)["iso3"].dropna() for name in (*VINTAGES, *REVISIONS)]
    return {iso3: code for table in tables for code, iso3 in table.items()}


def test_every_alias_is_of_a_country_and_means_one_only(codes: dict[str, int]) -> None:
    assert load_aliases().keys() <= codes.keys()
    pairs = [(iso3, alias) for iso3, aliases in load_aliases().items() for alias in aliases]
    assert len(pairs) == len(set(pairs))
    # With and without accents, one country may have the same alias twice; two countries may not.
    meanings = {(normalise(alias), iso3) for iso3, alias in pairs}
    assert all(text for text, _ in meanings)
    assert len(meanings) == len({text for text, _ in meanings})


def test_every_grouping_lists_countries_once(codes: dict[str, int]) -> None:
    assert load_lists().keys() == REVISIONS.keys()
    for lists in load_lists().values():
        for countries in lists.values():
            assert countries
            assert sorted(countries) == sorted(set(countries) & codes.keys())
        for one, other in combinations((1500, 1501, 1502, 1518), 2):
            assert not set(lists[one]) & set(lists[other])


def test_no_list_is_there_twice() -> None:
    rows = read_facts("groupings.csv", editions=str.split, code=int, name=str, countries=str.split)
    keys = [(edition, code) for editions, code, *_ in rows for edition in editions]
    assert len(keys) == len(set(keys))


def test_every_join_stands_after_its_parts() -> None:
    known = set().union(*(load_locations(name).index for name in REVISIONS)) - load_joins().keys()
    for code, parts in load_joins().items():
        assert set(parts) <= known, code
        known.add(code)


def test_every_part_and_whole_is_a_location_of_an_edition(codes: dict[str, int]) -> None:
    known = set().union(*(load_locations(name).index for name in (*VINTAGES, *REVISIONS)))
    assert load_wholes().keys() <= known
    # Guernsey and Jersey were one country until 2019.
    assert set(load_wholes().values()) <= known
    assert not load_wholes().keys() & set(load_wholes().values())


def test_every_subregion_belongs_to_a_region() -> None:
    regions = {code for code, (_, region) in load_regions().items() if code == region}
    assert {region for _, region in load_regions().values()} == regions
    assert {load_regions()[code][0] for code in regions} == set(load_locations("wpp2024")["region"].dropna())


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "facts.csv cannot be read"),
        (b"", "facts.csv cannot be read"),
        (b"\xff\xfe", "facts.csv cannot be read"),
        (b'iso3,turn\n"GBR', "facts.csv cannot be read"),
        (b"iso3\nGBR\n", r"facts.csv has columns \['iso3'\]: expected \['iso3', 'turn'\]; install"),
        (b"iso3,turn\nGBR,1\nFRA\n", "facts.csv, line 3: 1 cells; expected 2"),
        (b"iso3,turn\nGBR,soon\n", "facts.csv, line 2, turn 'soon': invalid literal.*; or install"),
    ],
)
def test_a_damaged_table_is_named_with_the_line(tmp_path: Path, content: bytes | None, named: str) -> None:
    if content is not None:
        (tmp_path / "facts.csv").write_bytes(content)
    with pytest.raises(ReadError, match=named):
        read_facts("facts.csv", tmp_path, iso3=str, turn=maybe(int))


def test_facts_are_read_once_and_not_before_they_are_asked_for() -> None:
    assert load_aliases() is load_aliases()
    assert pf.load_panel("wpp2024").index.find("Ivory Coast") == 384
