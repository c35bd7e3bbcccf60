"""The page in a real browser, served by real gunicorn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
CONFIGURATION = str(ROOT / "app" / "gunicorn.conf.py")
WORLD = ["8,745,733", "8,844,029", "8,942,922", "9,042,415", "9,142,512", "9,243,217"]
MORE_DEVELOPED = ["1,304,051", "1,306,841", "1,309,584", "1,312,279", "1,314,927", "1,317,530"]
WIDE_QUERY = "/forecast?from=2015&to=2060&revision=wpp2019&" + "&".join(
    f"location={code}" for code in (900, 901, 903, 935, 908, 904, 905, 909, 566, 356)
)


@pytest.fixture(scope="module")
def url(serve: Any) -> str:
    command = [sys.executable, "-m", "gunicorn", "--config", CONFIGURATION, "app:create_app()"]
    environment = {"POPFORECAST_HOST": "127.0.0.1", "WEB_CONCURRENCY": "1"}
    return serve(command, "/healthz", environment).url


@pytest.fixture(autouse=True)
def well_behaved(page: Page, url: str) -> Iterator[None]:
    """No page may log an error, break the content policy, or ask another host."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(url) else faults.append(request.url))
    yield
    assert faults == []


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A page of a browser without JavaScript."""
    with browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


def read_rows(page: Page) -> list[list[str]]:
    """Return the table as it stands on the screen: year, then the first line of each cell."""
    rows = page.get_by_role("table").locator("tbody tr").all()
    return [[cell.inner_text().splitlines()[0] for cell in row.locator("th, td").all()] for row in rows]


def known_rows() -> list[list[str]]:
    return [
        [str(year), f"{world},000", f"{more},000"]
        for year, world, more in zip(range(2030, 2036), WORLD, MORE_DEVELOPED, strict=True)
    ]


def location(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=name, exact=True)


def overflows(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_the_known_table_is_read_in_the_browser(page: Page, url: str) -> None:
    page.goto(f"{url}/?revision=wpp2019")
    location(page, "WORLD").check()
    page.get_by_label("Find a location").fill("more dev")
    location(page, "More developed regions").check()
    page.get_by_label("From").fill("2030")
    page.get_by_label("To", exact=True).fill("2035")
    page.get_by_label("Model").select_option("ar1")
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("WORLD, More developed regions, 2030–2035")
    assert read_rows(page) == known_rows()
    assert "location=900&location=901" in page.url


def test_without_javascript_the_same_table_is_read(plain_page: Page, url: str) -> None:
    page = plain_page
    page.goto(f"{url}/?revision=wpp2019")
    expect(page.get_by_label("Find a location")).to_be_hidden()
    expect(page.get_by_role("button", name="Select all")).to_have_count(0)
    location(page, "WORLD").check()
    page.locator("summary", has_text="Development, income").click()
    location(page, "More developed regions").check()
    page.get_by_label("Model").select_option("ar1")
    page.get_by_role("button", name="Estimate").click()
    assert read_rows(page) == known_rows()
    page.locator("summary", has_text="Change the query").click()
    expect(location(page, "WORLD")).to_be_checked()


def test_a_wrong_query_comes_back_with_what_is_wrong_without_javascript(plain_page: Page, url: str) -> None:
    plain_page.goto(url)
    plain_page.get_by_role("button", name="Estimate").click()
    expect(plain_page.get_by_role("alert")).to_contain_text("No location was chosen")
    expect(plain_page.get_by_role("button", name="Estimate")).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("ivory", ["Côte d'Ivoire"]),
        ("cote d", ["Côte d'Ivoire"]),
        ("NGA", ["Nigeria"]),
        ("566", ["Nigeria"]),
        ("vietnam", ["Viet Nam"]),
        ("guinea", ["Equatorial Guinea", "Guinea", "Guinea-Bissau", "Papua New Guinea"]),
        ("kistan", ["Pakistan", "Tajikistan", "Uzbekistan"]),
        ("qqq", []),
    ],
)
def test_the_filter_finds_names_codes_and_aliases(page: Page, url: str, typed: str, names: list[str]) -> None:
    page.goto(url)
    page.get_by_label("Find a location").fill(typed)
    shown = page.locator("[data-search]:visible")
    expect(shown).to_have_text(names)
    found = "No locations" if not names else "1 location" if len(names) == 1 else f"{len(names)} locations"
    expect(page.get_by_role("status").filter(has_text="found")).to_have_text(f"{found} found")
    page.get_by_label("Find a location").fill("")
    expect(shown).to_have_count(8)


def test_a_region_is_chosen_at_once_and_counted(page: Page, url: str) -> None:
    page.goto(url)
    tally = page.locator("[data-tally]")
    expect(tally).to_have_text("None chosen yet")
    oceania = page.locator("summary", has_text="Oceania")
    oceania.click()
    page.get_by_role("button", name="Select all in Oceania").click()
    expect(oceania).to_contain_text("23 of 23")
    expect(tally).to_contain_text("23 chosen: American Samoa, Australia")
    expect(tally).to_contain_text("and 18 more")
    location(page, "Fiji").uncheck()
    expect(tally).to_contain_text("22 chosen")
    page.get_by_label("Find a location").fill("guinea")
    page.get_by_role("button", name="Select these in Africa").click()
    expect(tally).to_contain_text("25 chosen")
    page.get_by_role("button", name="Clear all").click()
    expect(tally).to_have_text("None chosen yet")
    expect(page.get_by_label("Find a location")).to_be_focused()


def test_a_forecast_is_made_with_the_keyboard_alone(page: Page, url: str) -> None:
    page.goto(url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Find a location")).to_be_focused()
    page.keyboard.type("nigeria")
    page.keyboard.press("Enter")
    expect(location(page, "Nigeria")).to_be_focused()
    page.keyboard.press("Space")
    for _ in range(40):
        if page.evaluate("document.activeElement.type") == "submit":
            break
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Estimate")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Nigeria")).to_be_visible()
    assert len(read_rows(page)) == 6


def test_the_way_back_keeps_the_choice_and_its_count(page: Page, url: str) -> None:
    page.goto(url)
    location(page, "Asia").check()
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("table")).to_be_visible()
    page.go_back()
    expect(location(page, "Asia")).to_be_checked()
    expect(page.locator("[data-tally]")).to_contain_text("1 chosen: Asia")


@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_never_scrolls_sideways_but_the_table_does(page: Page, url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(url)
    for summary in page.locator("summary").all():
        if not summary.evaluate("summary => summary.parentElement.open"):
            summary.click()
    assert not overflows(page)
    page.goto(url + WIDE_QUERY)
    assert not overflows(page)
    sheet = page.get_by_role("region", name="Population by year and location")
    assert sheet.evaluate("sheet => sheet.scrollWidth > sheet.clientWidth")
    year = page.get_by_role("rowheader", name="2030")
    before = year.bounding_box()
    sheet.evaluate("sheet => sheet.scrollBy(400, 0)")
    assert year.bounding_box() == before
    page.locator("summary", has_text="Change the query").click()
    assert not overflows(page)


def test_estimates_and_forecasts_are_told_apart(page: Page, url: str) -> None:
    page.goto(url + WIDE_QUERY)
    assert page.get_by_role("rowheader", name="estimates").count() == 6
    expect(page.get_by_text("Years up to 2020 are the UN’s estimates")).to_be_visible()
