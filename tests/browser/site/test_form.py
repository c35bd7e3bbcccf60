"""The form in a real browser, served by real gunicorn: with a script, without one, and with the keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

WORLD = ["8,745,733", "8,844,029", "8,942,922", "9,042,415", "9,142,512", "9,243,217"]
MORE_DEVELOPED = ["1,304,051", "1,306,841", "1,309,584", "1,312,279", "1,314,927", "1,317,530"]


def read_rows(page: Page) -> list[list[str]]:
    """Return the table as it stands on the screen: year, then the first line of each cell."""
    rows = page.get_by_role("table", name="Population by year").locator("tbody tr").all()
    return [[cell.inner_text().split()[0] for cell in row.locator("th, td").all()] for row in rows]


def known_rows() -> list[list[str]]:
    return [
        [str(year), f"{world},000", f"{more},000"]
        for year, world, more in zip(range(2030, 2036), WORLD, MORE_DEVELOPED, strict=True)
    ]


def location(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=name, exact=True)


def tab_to(page: Page, target: Locator, most: int = 60) -> None:
    """Press Tab until the target has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} is not reached by {most} presses of Tab")


def test_the_known_table_is_read_in_the_browser(page: Page, url: str) -> None:
    page.goto(f"{url}/?revision=wpp2019")
    location(page, "WORLD").check()
    page.get_by_label("Find a location").fill("more dev")
    location(page, "More developed regions").check()
    page.get_by_label("From").fill("2030")
    page.get_by_label("To", exact=True).fill("2035")
    page.get_by_label("Model").select_option("ar1")
    page.get_by_role("button", name="Forecast", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("WORLD, More developed regions, 2030–2035")
    assert read_rows(page) == known_rows()
    assert "?location=900&location=901&from=2030" in page.url


def test_without_javascript_the_same_table_is_read(plain_page: Page, url: str) -> None:
    page = plain_page
    page.goto(f"{url}/?revision=wpp2019")
    location(page, "WORLD").check()
    page.get_by_label("Find a location").fill("more dev")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("[data-found]")).to_have_text("1 location found")
    location(page, "More developed regions").check()
    page.get_by_label("From").fill("2030")
    page.get_by_label("To", exact=True).fill("2035")
    page.get_by_label("Model").select_option("ar1")
    page.get_by_role("button", name="Forecast", exact=True).click()
    assert read_rows(page) == known_rows()
    page.get_by_role("link", name="Choose other locations").click()
    expect(location(page, "WORLD")).to_be_checked()
    expect(page.get_by_label("Model")).to_have_value("ar1")


def test_without_javascript_a_region_is_chosen_at_once(plain_page: Page, url: str) -> None:
    page = plain_page
    page.goto(f"{url}/?location=566")
    page.locator("summary", has_text="Northern America").click()
    page.get_by_role("button", name="Select all in Northern America").click()
    expect(page.locator("[data-tally]")).to_have_text("6 selected")
    expect(page.locator("summary", has_text="Northern America")).to_contain_text("5 of 5")
    expect(location(page, "Nigeria")).to_be_checked()
    page.get_by_role("button", name="Clear Northern America").click()
    expect(page.locator("[data-tally]")).to_have_text("1 selected")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("[data-tally]")).to_have_text("None selected")


def test_without_javascript_enter_asks_for_the_forecast(plain_page: Page, url: str) -> None:
    plain_page.goto(f"{url}/?location=566")
    plain_page.get_by_label("To", exact=True).press("Enter")
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("Nigeria, 2030–2050")


def test_without_javascript_a_group_is_forecast_as_one(plain_page: Page, url: str) -> None:
    plain_page.goto(url)
    plain_page.get_by_label("Your own group").fill("Benelux: BEL, Netherlands, 442")
    plain_page.get_by_role("button", name="Forecast", exact=True).click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("Benelux, 2030–2050")
    expect(plain_page.get_by_role("columnheader", name="Benelux")).to_be_visible()
    assert "find=" not in plain_page.url


def test_a_wrong_query_comes_back_with_what_is_wrong_without_javascript(plain_page: Page, url: str) -> None:
    plain_page.goto(url)
    plain_page.get_by_role("button", name="Forecast", exact=True).click()
    expect(plain_page.get_by_role("alert")).to_contain_text("No location was chosen")
    expect(plain_page.get_by_role("button", name="Forecast", exact=True)).to_be_visible()


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
    expect(tally).to_have_text("None selected")
    oceania = page.locator("summary", has_text="Oceania")
    oceania.click()
    page.get_by_role("button", name="Select all in Oceania").click()
    expect(oceania).to_contain_text("23 of 23")
    expect(tally).to_have_text("23 selected")
    location(page, "Fiji").uncheck()
    expect(tally).to_have_text("22 selected")
    page.get_by_label("Find a location").fill("guinea")
    page.get_by_role("button", name="Select matches in Africa").click()
    expect(tally).to_have_text("25 selected")
    page.get_by_role("button", name="Clear all").click()
    expect(tally).to_have_text("None selected")
    expect(page.get_by_label("Find a location")).to_be_focused()


def test_what_is_chosen_stands_as_chips_that_can_be_removed(page: Page, url: str) -> None:
    page.goto(f"{url}/?location=566&location=356&location=392")
    chips = page.get_by_role("list", name="Selected locations").get_by_role("button")
    expect(chips).to_have_text(["Nigeria", "India", "Japan"])
    page.get_by_role("button", name="Remove India").click()
    expect(chips).to_have_text(["Nigeria", "Japan"])
    expect(location(page, "India")).not_to_be_checked()
    expect(page.get_by_role("button", name="Remove Japan")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove Nigeria")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Find a location")).to_be_focused()
    expect(chips).to_have_count(0)


def test_many_chips_say_how_many_more_there_are(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("summary", has_text="Africa").first.click()
    page.get_by_role("button", name="Select all in Africa").click()
    expect(page.get_by_role("list", name="Selected locations").get_by_role("button")).to_have_count(30)
    expect(page.get_by_text("and 28 more")).to_be_visible()


def test_a_group_is_made_of_what_is_ticked(page: Page, url: str) -> None:
    page.goto(f"{url}/?location=56&location=528&location=442")
    page.get_by_role("button", name="Combine into a group").click()
    field = page.get_by_label("Your own group")
    expect(field).to_be_focused()
    expect(field).to_have_value("My group: BEL, LUX, NLD")
    page.keyboard.type("Benelux")
    expect(field).to_have_value("Benelux: BEL, LUX, NLD")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Benelux, 2030–2050")
    page.get_by_role("link", name="Choose other locations").click()
    expect(page.get_by_label("Your own group")).to_have_value("Benelux:56,442,528")
    expect(page.get_by_label("Another group")).to_have_value("")


def test_empty_fields_stay_out_of_the_address(page: Page, url: str) -> None:
    page.goto(f"{url}/?location=566")
    with page.expect_request("**/forecast?*") as request:
        page.get_by_role("button", name="Forecast", exact=True).click()
    assert "group=" not in request.value.url
    assert "find=" not in request.value.url


def test_what_was_wrong_is_said_first_and_leads_to_its_field(page: Page, url: str) -> None:
    page.goto(f"{url}/forecast?location=Wurld&from=soon&to=2050")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="From 'soon' is not a whole year").click()
    expect(page.get_by_label("From")).to_be_focused()
    expect(page.get_by_label("From")).to_have_value("soon")


def test_a_forecast_is_made_with_the_keyboard_alone(page: Page, url: str) -> None:
    page.goto(url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Find a location"))
    page.keyboard.type("nigeria")
    page.keyboard.press("Enter")
    expect(location(page, "Nigeria")).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, page.get_by_label("To", exact=True))
    page.keyboard.type("2035")
    tab_to(page, page.locator(".settings").get_by_role("button", name="Forecast"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Nigeria")).to_be_visible()
    assert len(read_rows(page)) == 6


def test_the_way_back_keeps_the_choice_and_its_count(page: Page, url: str) -> None:
    page.goto(url)
    location(page, "Asia").check()
    page.get_by_role("button", name="Forecast", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Asia, 2030–2050")
    page.go_back()
    expect(location(page, "Asia")).to_be_checked()
    expect(page.locator("[data-tally]")).to_have_text("1 selected")
    expect(page.get_by_role("button", name="Remove Asia")).to_be_visible()
