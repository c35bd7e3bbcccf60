"""What must hold on every page: it fits, everybody can use it, and nothing that was typed ever runs."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from .conftest import ROOT, watch

pytestmark = pytest.mark.browser

PAGES = {
    "form": "/",
    "form-filled-in": "/?location=356&location=156&group=Benelux:BEL,NLD,LUX&find=in",
    "form-with-faults": "/forecast?location=Wurld&from=soon&to=2101&level=200&group=Mine&model=x",
    "forecast": "/forecast?location=356&location=156&location=840&location=360&location=586&from=2030&to=2050",
    "forecast-of-one": "/forecast?location=900&from=2010&to=2100&scale=log&level=50&level=95",
    "forecast-of-a-group": "/forecast?group=Benelux:BEL,NLD,LUX&location=TKL&from=2020&to=2040&scale=indexed",
    "forecast-of-many": "/forecast?"
    + "&".join(f"location={code}" for code in (900, 901, 903, 935, 908, 904, 905, 909, 566, 356, 535, 626, 638, 180))
    + "&from=2015&to=2060&revision=wpp2019&model=ar1",
    "embed": "/embed?location=356&location=156&from=2030&to=2050",
    "nothing": "/nothing",
    "reports": "/reports/",
    "offline": "/offline",
    "docs": "/docs",
}

SCREENS = {360: 800, 768: 1024, 1440: 900}

# Pictures of every page, for people to look at: whoever makes this folder gets them.
PICTURES = ROOT / "artifacts" / "pages"

# Whatever is on the page and outside of what scrolls in a frame of its own: does it reach beyond the screen, or beyond
# the drawing that it is part of?
CUT = """() => {
  const width = document.documentElement.clientWidth;
  const frames = [...document.querySelectorAll("*")].filter((one) =>
    ["auto", "scroll"].includes(getComputedStyle(one).overflowX));
  const faults = document.documentElement.scrollWidth > width ? ["the page scrolls sideways"] : [];
  for (const one of document.body.querySelectorAll("*")) {
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || one.closest(".spoken, .skip, .highlight input")) continue;
    if (frames.some((frame) => frame !== one && frame.contains(one))) continue;
    const name = `${one.tagName} ${one.className.baseVal ?? one.className} ${one.textContent.trim().slice(0, 40)}`;
    if (box.left < -0.5 || box.right > width + 0.5) faults.push(`outside: ${name}`);
    const drawing = one.tagName === "text" && one.closest("svg");
    if (drawing) {
      const frame = drawing.getBoundingClientRect();
      const inside = box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.top >= frame.top - 1
        && box.bottom <= frame.bottom + 1;
      if (!inside) faults.push(`cut off: ${name}`);
    }
    if (one.matches("button, a, label, th, td, summary, h1, h2, h3, h4") && one.scrollWidth > one.clientWidth + 1
      && getComputedStyle(one).overflowX === "hidden") faults.push(`cut off: ${name}`);
  }
  return faults;
}"""

HOSTILE = (
    '"><img src=x onerror="window.ran=1">',
    "<script>window.ran=1</script>",
    "<svg onload=window.ran=1>",
    "';window.ran=1//",
    "</title><script>window.ran=1</script>",
    "javascript:window.ran=1",
    "{{ 7 * 191 }}",
    "\u202etxt.exe",
)
FIELDS = ("location", "from", "to", "model", "revision", "level", "group", "scale", "find", "select", "clear", "colour")


# Nothing but colours differs in the dark: the rules that look at them.
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}


def take_picture(page: Page, name: str) -> None:
    if PICTURES.is_dir():
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_on_any_screen(page: Page, url: str, name: str) -> None:
    for width, height in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(url + PAGES[name])
        assert page.evaluate(CUT) == []
        take_picture(page, f"{name}-{width}")
        open_all(page)
        assert page.evaluate(CUT) == []


def test_axe_finds_nothing_to_complain_of_in_the_light_and_in_the_dark(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        found = {}
        for name, path in PAGES.items():
            page.emulate_media(color_scheme="light")
            page.goto(url + path)
            open_all(page)
            page.wait_for_timeout(200)
            light = Axe().run(page)
            page.emulate_media(color_scheme="dark")
            page.wait_for_timeout(200)
            dark = Axe().run(page, options=COLOURS)
            for scheme, results in (("light", light), ("dark", dark)):
                if results.violations_count:
                    found[name, scheme] = results.generate_report()
            take_picture(page, f"{name}-dark")
        assert not found, "\n".join(f"{name}: {report}" for name, report in found.items())


def test_the_scheme_of_colours_is_a_matter_of_the_style_sheets_alone() -> None:
    """So that a page that turns dark while it is open is the one that was opened in the dark."""
    scripts = [*(ROOT / "app" / "static").rglob("*.js"), *(ROOT / "popforecast" / "theme").rglob("*.js")]
    assert len(scripts) >= 5
    assert not [script.name for script in scripts if "color-scheme" in script.read_text()]


@pytest.mark.parametrize("path", ["/", "/forecast", "/embed", "/forecast.svg"])
def test_nothing_that_was_typed_is_run(browser: Browser, url: str, path: str) -> None:
    # Without the policy: the pages themselves must be safe.
    # And without the worker that keeps what was read, which would keep hundreds of pages.
    with browser.new_context(bypass_csp=True, service_workers="block") as context:
        page = context.new_page()
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        for text in HOSTILE:
            # A wrong revision hides what is wrong with the locations; a right location lets the buttons work.
            for kept in ({}, {"revision": "wpp2024"}, {"revision": "wpp2024", "location": "356"}):
                fields = dict.fromkeys(FIELDS, text) | kept | {text: text}
                page.goto(f"{url}{path}?{urlencode(fields)}")
                assert page.evaluate("window.ran") is None, (path, text)
                assert "1337" not in page.content(), (path, text)
            # What each button sends stands in a place of its own, so that one page shows all three.
            page.goto(f"{url}{path}?{urlencode({'location': '356', 'find': text, 'select': text, 'clear': text})}")
            assert page.evaluate("window.ran") is None, (path, text)


@pytest.mark.parametrize("path", ["/", "/forecast", "/embed", "/forecast.svg"])
def test_a_group_of_any_name_is_shown_and_not_run(browser: Browser, url: str, path: str) -> None:
    with browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        for name in (
            "<img src=x onerror=window.ran=1>",
            '"><script>window.ran=1</script>',
            "{{ 7 * 191 }}",
            "<svg onload=window.ran=1>",
        ):
            response = page.goto(f"{url}{path}?group={quote(name)}:BEL,NLD&location=356&scale=log")
            assert response is not None
            assert response.status == 200, name
            page.wait_for_timeout(50)
            assert page.evaluate("window.ran") is None, name
            assert "1337" not in page.content(), name


def test_a_path_is_shown_and_not_run(browser: Browser, url: str) -> None:
    with browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        for text in HOSTILE:
            page.goto(f"{url}/{quote(text)}")
            assert page.evaluate("window.ran") is None


def test_the_policy_lets_no_script_in(browser: Browser, url: str) -> None:
    """What a page would do with a script that somebody got into it, after all: nothing."""
    with browser.new_context() as context:
        faults = watch(context, url)
        page = context.new_page()
        page.goto(url + PAGES["forecast"])
        assert faults == []
        page.evaluate("""() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = 1";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", '<p style="color: red" onclick="window.ran = 2">x</p>');
          document.body.lastElementChild.click();
        }""")
        assert page.evaluate("window.ran") is None
        page.wait_for_timeout(100)
        assert any("script-src" in fault for fault in faults)
        assert any("style-src" in fault for fault in faults)
