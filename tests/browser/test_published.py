"""The reports on the site, in a real browser: nothing blocked, nothing cut, and drawn as they are from the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from popforecast.charts.style import house_style, new_figure, render_svg
from popforecast.reports.markup import style_by_attributes

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
NAMES = ["", *sorted(path.name for path in (ROOT / "reports").glob("*.html") if path.name != "index.html")]
COUNT_VIOLATIONS = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.violatedDirective}: ${event.sourceFile}:${event.lineNumber}`));
"""


@pytest.fixture(scope="module", params=[(360, "light"), (1440, "dark")], ids=lambda p: f"{p[0]}-{p[1]}")
def screen(request: Any, browser: Browser) -> Iterator[Page]:
    """A page of a screen's width and colour scheme."""
    width, scheme = request.param
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.add_init_script(COUNT_VIOLATIONS)
        yield page


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_whole_on_every_screen(screen: Page, url: str, name: str) -> None:
    faults: list[str] = []
    screen.on("console", lambda message: faults.append(message.text))
    screen.on("request", lambda request: None if request.url.startswith(url) else faults.append(request.url))
    assert screen.goto(f"{url}/reports/{name}").status == 200
    assert screen.evaluate("window.violations") == []
    assert faults == []
    assert screen.evaluate("document.documentElement.scrollWidth") <= screen.viewport_size["width"]
    assert screen.locator("figure svg").count() >= 1
    results = Axe().run(screen)
    assert results.violations_count == 0, results.generate_report()


def draw() -> str:
    """Return a figure with lines, dashes, markers, areas, bars and words, as Matplotlib writes it."""
    with house_style():
        figure, axes = new_figure()
        axes.plot([0, 1, 2], [1, 3, 2], "o-", label="solid")
        axes.plot([0, 1, 2], [2, 1, 3], "--", label="dashed", alpha=0.5, linewidth=6)
        axes.fill_between([0, 1, 2], [0, 0, 1], [1, 2, 3], alpha=0.2, linewidth=0)
        axes.bar([0, 1], [0.5, 0.7], edgecolor="black", linewidth=4)
        axes.scatter([0.5, 1.5], [1, 2], marker="D", linewidths=3, edgecolors="red")
        axes.legend(frameon=True)
    return render_svg(figure, "A figure")


def test_a_figure_without_styles_is_drawn_to_the_pixel_as_with_them(page: Page) -> None:
    pictures = []
    for svg in (draw(), style_by_attributes(draw())):
        page.set_content(f"<!doctype html><body>{svg}</body>")
        pictures.append(page.locator("svg").screenshot())
    assert 'style="' in draw()
    assert pictures[0] == pictures[1]
    page.set_content("<!doctype html><body><svg width='518pt' height='288pt'></svg></body>")
    assert page.locator("svg").screenshot() != pictures[0]
