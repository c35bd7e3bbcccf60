"""Every way to ask wrongly is answered by a sentence that names the value and what would be valid."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

import popforecast as pf
from app.query import MOST_LOCATIONS, Query, QueryError, read_query

GOOD = (("location", "World"), ("from", "2030"), ("to", "2035"))


def change(**values: str | list[str]) -> MultiDict[str, str]:
    arguments = MultiDict(GOOD)
    for name, value in values.items():
        arguments.setlist(name.rstrip("_"), [value] if isinstance(value, str) else value)
    return arguments


def find_faults(arguments: MultiDict[str, str]) -> dict[str, str]:
    with pytest.raises(QueryError) as caught:
        read_query(arguments)
    return caught.value.faults


def test_the_defaults_are_the_newest_revision_and_the_default_model() -> None:
    assert read_query(MultiDict(GOOD)) == Query((900,), 2030, 2035, "panel-ar", "wpp2024", (80, 95))


def test_locations_are_found_by_code_iso3_name_and_alias_and_keep_their_order() -> None:
    query = read_query(change(location=["Ivory Coast", "566", "usa", "world"]))
    assert query.locations == (384, 566, 840, 900)


def test_a_query_survives_the_way_through_its_own_arguments() -> None:
    query = read_query(change(location=["NGA", "356"], level=["50", "99.5"], revision="wpp2019", model="drift"))
    assert read_query(MultiDict(query.arguments)) == query


def test_without_years_the_forecast_is_the_first_ten_steps_after_the_origin() -> None:
    query = read_query(MultiDict({"location": "World"}))
    assert (query.start, query.end) == (2024, 2034)


@pytest.mark.parametrize(
    ("given", "period"),
    [
        ({"to": "2026"}, (2024, 2026)),
        ({"to": "1990"}, (1990, 1990)),
        ({"from": "2095"}, (2095, 2100)),
        ({"from": "1950"}, (1950, 2033)),
    ],
)
def test_one_year_alone_is_completed_in_range(given: dict[str, str], period: tuple[int, int]) -> None:
    query = read_query(MultiDict({"location": "World", **given}))
    assert (query.start, query.end) == period


def test_every_location_of_a_revision_may_be_asked_for_at_once() -> None:
    codes = pf.load_panel("wpp2024").locations.index
    assert len(read_query(change(location=[str(code) for code in codes])).locations) == len(codes) == 297


@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        (change(location="Wurld"), "location", ["'Wurld'", "wpp2024", "World"]),
        (change(location=["World", "Nigera", "Germny"]), "location", ["'Nigera'", "Niger", "'Germny'", "Germany"]),
        (change(location="1834", revision="wpp2019"), "location", ["Sub-Saharan Africa", "wpp2024", "SUB-SAHARAN"]),
        (change(location=["NGA", "Nigeria"]), "location", ["Nigeria (566)", "twice", "each location once"]),
        (change(location=[]), "location", ["no location was chosen", "at least one"]),
        (change(location=""), "location", ["location is empty", "code, ISO3 code, name or alias"]),
        (change(location=["World", " "]), "location", ["location is empty"]),
        (change(location=["108"] * 10_000), "location", ["10,000 times", f"at most {MOST_LOCATIONS}"]),
        (change(location="x" * 8000), "location", ["8000 characters", "at most 100"]),
        (change(from_="2036"), "from", ["2036", "2035", "from <= to"]),
        (change(from_="1949"), "from", ["1949", "1950 to 2100"]),
        (change(to="2101"), "to", ["2101", "1950 to 2100"]),
        (change(to="-5"), "to", ["-5", "1950 to 2100"]),
        (change(from_="soon"), "from", ["'soon'", "whole year", "1950 to 2100"]),
        (change(from_="2030.5"), "from", ["'2030.5'", "whole year"]),
        (change(from_="２０３０"), "from", ["whole year"]),
        (change(from_="9" * 5000), "from", ["9999…'", "whole year"]),
        (change(to=""), "to", ["to is empty", "a year"]),
        (change(from_=["1", "2"]), "from", ["from", "2 times", "'1', '2'", "once"]),
        (change(model="arima"), "model", ["'arima'", "ar1, naive, drift"]),
        (change(model=""), "model", ["model is empty", "ar1"]),
        (change(model=["ar1", "ar1"]), "model", ["2 times"]),
        (change(revision="wpp2022"), "revision", ["'wpp2022'", "wpp2019, wpp2024"]),
        (change(revision=["wpp2019", "wpp2024"]), "revision", ["2 times"]),
        (change(level="0"), "level", ["level 0", "between 0 and 100"]),
        (change(level="100"), "level", ["level 100", "between 0 and 100"]),
        (change(level="high"), "level", ["'high'", "between 0 and 100"]),
        (change(level="95.01"), "level", ["'95.01'", "one decimal"]),
        (change(level=["95", "95.0"]), "level", ["level 95", "each level once"]),
        (change(level=""), "level", ["level is empty"]),
        (change(level=[str(level) for level in range(1, 11)]), "level", ["10 times", "at most 9"]),
        (change(start="2030"), "start", ["'start'", "location, group, from, to, model, revision, level"]),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_be_valid(
    arguments: MultiDict[str, str], field: str, words: list[str]
) -> None:
    faults = find_faults(arguments)
    assert list(faults) == [field]
    for word in words:
        assert word.casefold() in faults[field].casefold()
    assert len(faults[field]) < 1000


def test_all_wrong_arguments_are_named_at_once() -> None:
    wrong = change(location="Wurld", from_="x", to="y", model="z", level="w", colour="red")
    assert set(find_faults(wrong)) == {"location", "from", "to", "model", "level", "colour"}


def test_many_unknown_locations_are_counted_not_listed() -> None:
    faults = find_faults(change(location=[f"nowhere {i}" for i in range(200)]))
    assert "195 more are unknown, too" in faults["location"]


def test_history_is_within_range() -> None:
    fc = read_query(change(from_="1950", to="1952", revision="wpp2019")).answer()
    assert fc.to_frame()["variant"].tolist() == ["estimates"] * 3
