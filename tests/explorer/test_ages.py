"""The explorer's tab of ages: the module's pyramids for every location that has ages."""

from __future__ import annotations

import popforecast as pf
from popforecast.explorer.ages import WITHOUT
from popforecast.explorer.state import Query
from popforecast.explorer.widgets import Explorer
from popforecast.models import Cohort, Naive

AGES = 5


def build(*locations: int, model: pf.Model | None = None, revision: str = "wpp2024", end: int = 2050) -> Explorer:
    page = Explorer(Query(locations, 2030, end, (model or Cohort(),), revision, (80.0,), "absolute"))
    page.tabs.selected_index = AGES
    return page


def test_each_location_has_its_pyramid_and_flows() -> None:
    page = build(392, 566)
    assert page.tabs.titles[AGES] == "Ages"
    for name, code in (("Japan", 392), ("Nigeria", 566)):
        assert f"<h3>{name}</h3>" in page.ages.value
        assert page.forecasts[0].plot_ages(location=code).description.replace("'", "&#x27;") in page.ages.value
    assert page.ages.value.count('class="pyramid wide"') == 2
    assert page.ages.value.count('class="chart wide"') == 2


def test_the_pyramid_follows_the_last_year() -> None:
    page = build(392)
    page.end.value = "2100"
    assert "age pyramid of 2100 (forecast)" in page.ages.value


def test_without_ages_it_says_what_has_them() -> None:
    assert WITHOUT in build(392, model=Naive()).ages.value
    # Andorra has no ages in this edition; Japan beside it has.
    page = build(20, 392, revision="wpp2019")
    assert page.ages.value.count("<h3>") == 1
