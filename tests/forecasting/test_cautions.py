"""Cautions about forecasts by age: computed from what is found in a country's past, and shown where they apply."""

from __future__ import annotations

import pytest

import popforecast as pf
from popforecast.forecasting.cautions import note_structure
from popforecast.models import Cohort

GULF = {48, 414, 512, 634, 682, 784}


@pytest.fixture(scope="module")
def outlook(wpp2024: pf.Panel) -> pf.Outlook:
    return pf.forecast_all(wpp2024, Cohort().fit(wpp2024), levels=())


def list_codes(notes: list[pf.Note] | tuple[pf.Note, ...], words: str) -> set[int]:
    return {note.location_code for note in notes if words in note.text}


def test_ages_of_the_gulf_states_have_a_caution_beyond_ten_years(wpp2024: pf.Panel) -> None:
    assert list_codes(note_structure(wpp2024, Cohort(), 11), "labour migrants") >= GULF
    assert not list_codes(note_structure(wpp2024, Cohort(), 10), "labour migrants")
    assert not list_codes(note_structure(wpp2024, Cohort(), 77), "labour migrants") & {276, 410, 566, 840}


def test_ukraine_s_refugees_are_counted(outlook: pf.Outlook) -> None:
    texts = [note.text for note in outlook.forecast(["UKR"], 2024, 2030).notes]
    assert any("5.6" in text and "assumes returns" in text for text in texts)


def test_countries_below_100_000_are_those_with_so_few_people(wpp2024: pf.Panel, outlook: pf.Outlook) -> None:
    countries = wpp2024.countries()
    few = set(countries.codes[countries.values[:, -1] < 1e5].tolist())
    assert list_codes(outlook.forecast(None, 2024, 2025).notes, "fewer than 100,000") == few


def test_estimates_sums_and_models_of_totals_have_none(wpp2024: pf.Panel, outlook: pf.Outlook) -> None:
    assert note_structure(wpp2024, Cohort(), 0) == []
    assert note_structure(wpp2024, pf.models.get("naive"), 50) == []
    fc = outlook.forecast(["World", "Western Asia", "Both"], 2024, 2100, groups={"Both": ["UKR", "TUV"]})
    assert not {note.text for note in fc.notes if "projected by age" not in note.text}


def test_places_without_components_have_none() -> None:
    panel = pf.load_panel("wpp2019")
    codes = {note.location_code for note in note_structure(panel, Cohort(), 80)}
    assert codes
    assert codes <= set(panel.components.list_known())
