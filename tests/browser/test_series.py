"""The index of a series in a real browser: the field finds a location, and without a script all are there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from popforecast.reports import series
from popforecast.reports.site import Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The index of all countries, whose pages are there in name only."""
    site = Site(tmp_path_factory.mktemp("site"), "country-profile")
    site.open()
    places = series.list_places("wpp2024", "country")
    for place in places:
        site.find_page(place.slug).write_text(f"<h1>{place.name}</h1>", encoding="utf-8")
    site.write_places("Country profile", "countries and areas", places)
    return (site.folder / "index.html").as_uri()


def test_the_field_finds_locations_by_name_without_accents_and_by_code(browser: Browser, index: str):
    with browser.new_context(viewport={"width": 360, "height": 800}) as context:
        page = context.new_page()
        page.goto(index)
        assert page.locator(".every li:visible").count() == 236
        shown = {}
        for typed in ("cote d", "NGA", "guinea bissau", "atlantis", ""):
            page.get_by_label("Find a location").fill(typed)
            shown[typed] = (page.locator("output").inner_text(), page.locator(".every li:visible").all_inner_texts())
        assert shown["cote d"] == ("1 found", ["Côte d'Ivoire"])
        assert "Nigeria" in shown["NGA"][1]
        assert shown["guinea bissau"] == ("1 found", ["Guinea-Bissau"])
        assert shown["atlantis"] == ("0 found", [])
        assert len(shown[""][1]) == 236
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_enter_opens_the_one_that_was_found(browser: Browser, index: str):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(index)
        field = page.get_by_label("Find a location")
        field.fill("tokelau")
        field.press("Enter")
        page.wait_for_url("**/TKL.html")
        assert page.inner_text("h1") == "Tokelau"


def test_without_a_script_every_location_is_listed_and_no_field_is_shown(browser: Browser, index: str):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(index)
        assert page.locator(".every a:visible").count() == 236
        assert not page.locator("#find").is_visible()
        assert page.locator(".every h2").all_inner_texts() == [
            "Africa",
            "Asia",
            "Europe",
            "Latin America and the Caribbean",
            "Northern America",
            "Oceania",
        ]
