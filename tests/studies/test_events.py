"""The list of events: countries and years of the panel, each event once."""

from __future__ import annotations

import popforecast as pf
from popforecast.studies.events import explain_break, explain_turn, list_events, load_events


def test_every_event_is_of_a_country_and_a_year_of_the_panel(wpp2024: pf.Panel):
    places = set(wpp2024.countries().locations["iso3"])
    assert {event.place for event in load_events()} <= places
    for event in load_events():
        years = [year for year in (*(event.breaks or ()), event.turn) if year]
        assert years, event
        assert years[: 2 if event.breaks else 1] == sorted(years[: 2 if event.breaks else 1])
        assert all(1950 < year <= wpp2024.origin for year in years), event


def test_no_event_is_listed_twice():
    assert len({(event.place, event.what) for event in load_events()}) == len(load_events())


def test_a_break_and_a_turn_of_one_event_have_one_text():
    assert explain_break("UKR", 2022) == explain_turn("UKR", 2013, 2023) == list_events("UKR")[0].what
    assert "war" in explain_break("UKR", 2022)
    assert "refugees" in explain_break("UKR", 2022)


def test_a_place_without_events_and_one_without_a_code_have_none():
    assert list_events("FRA") == list_events(None) == ()
