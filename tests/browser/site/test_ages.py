"""The age pyramid in a real browser: years by slider, by link and without a script, and nothing moves."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

KOREA = "/forecast?location=KOR&to=2050"

HEIGHTS = (
    """() => [...document.querySelectorAll("[aria-labelledby=ages], .twins > *")].map((one) => one.offsetHeight)"""
)

# Whether each bar is as long as the script's figures say, within a pixel's tenth.
BARS = """() => {
  const figure = document.querySelector("[data-ages]");
  const at = figure.dataset.years.split(" ").indexOf(figure.querySelector("b[data-shown]").textContent);
  const persons = figure.dataset.persons.split(";")[at].split(" ").map((n) => Number(n) * figure.dataset.size);
  return [...figure.querySelectorAll("svg")].every((svg) => ["men", "women"].every((name, side) => {
    const { x0, x1, most } = svg.dataset;
    const widths = [...svg.querySelector(`.${name}`).getAttribute("d").matchAll(/h(-?[0-9.]+)v/g)];
    return widths.length === 21 && widths.every((found, k) =>
      Math.abs(Math.abs(Number(found[1])) - persons[21 * side + k] * (x1 - x0) / most) < 0.2);
  }));
}"""


def test_slider_and_links_show_other_years_on_the_same_page(page: Page, url: str) -> None:
    page.goto(url + KOREA)
    figure, said = page.locator("[data-ages]"), page.locator("output[data-old]")
    assert page.evaluate(BARS)
    figure.get_by_role("link", name="2100").click()
    expect(said).to_have_text(re.compile(r"^\d+\.\d% in 2100$"))
    expect(figure.get_by_role("link", name="2100")).to_have_attribute("aria-current", "true")
    assert page.evaluate(BARS)
    assert page.url == url + KOREA
    slider = figure.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(said).to_have_text(re.compile(r"^\d+\.\d% in 1950$"))
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^1950, estimate: "))
    expect(figure.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"age pyramid of 1950 \(estimate\)"))
    assert page.evaluate(BARS)
    page.get_by_text("Table of ages").click()
    expect(page.get_by_role("columnheader", name="Men, 1950", exact=True)).to_be_visible()


def test_without_a_script_a_link_opens_the_year(plain_page: Page, url: str) -> None:
    plain_page.goto(url + KOREA)
    figure = plain_page.locator("[data-ages]")
    expect(figure.get_by_role("slider")).to_have_count(0)
    figure.get_by_role("link", name="2075").click()
    expect(figure.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"age pyramid of 2075 \(forecast\)"))
    assert plain_page.url.endswith("#ages")


@pytest.mark.parametrize("width", [360, 1440])
def test_the_script_moves_nothing(page: Page, url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.route("**/ages.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(url + KOREA)
    before = page.evaluate(HEIGHTS)
    assert len(before) == 3
    page.unroute_all()
    page.goto(url + KOREA)
    assert page.evaluate(HEIGHTS) == before
    page.locator("[data-ages]").get_by_role("link", name="2100").click()
    assert page.evaluate(HEIGHTS) == before
