"""The forecast page in a real browser: its chart, its table, what can be taken along, and how light it is."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.serving import serve_in_thread

pytestmark = pytest.mark.browser

FIVE = "/forecast?location=356&location=156&location=840&location=360&location=586&from=2030&to=2050"
INDIA_IN_2050 = "1.648 billion in 2050 (80%: 1.463 to 1.811 billion)"
PAST_AND_AHEAD = "/forecast?location=900&location=903&from=2015&to=2060&revision=wpp2019"

MOST_BYTES = 100_000


def opacities(page: Page) -> list[float]:
    """Return how strongly each line of the chart is drawn, once nothing moves."""
    page.wait_for_timeout(250)
    return page.locator("svg.wide .series").evaluate_all("all => all.map(one => Number(getComputedStyle(one).opacity))")


def test_the_chart_comes_first_and_holds_every_location(page: Page, url: str) -> None:
    page.goto(url + FIVE)
    chart = page.get_by_role("img", name="Population of 5 locations")
    expect(chart).to_have_count(1)
    expect(chart).to_be_in_viewport()
    labels = ["India", "China", "United States of America", "Indonesia", "Pakistan"]
    assert chart.locator(".series").evaluate_all("all => all.map(one => one.dataset.label)") == labels


def test_the_read_out_says_the_figures_of_the_table(page: Page, url: str) -> None:
    page.goto(url + FIVE)
    readout = page.locator("[data-readout]")
    expect(readout.locator("caption")).to_have_text("2050, forecast (persons)")
    india = readout.get_by_role("row", name="India")
    table = page.get_by_role("table", name="Population by year")
    figure = table.get_by_role("row", name="2050").get_by_role("cell").first.inner_text().split()[0]
    shown, unit = india.get_by_role("cell").first.inner_text().split()
    assert unit == "billion"
    assert float(shown) == pytest.approx(int(figure.replace(",", "")) / 1e9, abs=0.0006)
    expect(india).to_contain_text("80%:")
    expect(india).to_contain_text("UN medium projection: 1.")


def test_each_line_is_told_in_its_own_unit(page: Page, url: str) -> None:
    page.goto(f"{url}/forecast?location=World&location=Niue&location=Japan&from=2030&to=2035")
    rows = page.locator("[data-readout]")
    said = {name: rows.get_by_role("row", name=name).inner_text() for name in ("World", "Niue", "Japan")}
    assert "billion" in said["World"]
    assert "million" in said["Japan"]
    assert re.search(r"\b[12],\d{3}\b", said["Niue"])
    assert "billion" not in said["Niue"] + said["Japan"]


def test_the_read_out_follows_the_pointer(page: Page, url: str) -> None:
    page.goto(url + FIVE)
    chart = page.locator("svg.wide")
    box = chart.bounding_box()
    assert box
    scale = box["width"] / 760
    x0, x1 = (float(chart.get_attribute(f"data-{end}") or "nan") for end in ("x0", "x1"))
    page.mouse.move(box["x"] + x0 * scale, box["y"] + box["height"] / 2)
    expect(page.locator("[data-readout] caption")).to_have_text("1950, estimate (persons)")
    page.mouse.move(box["x"] + (x0 + (x1 - x0) * 0.5) * scale, box["y"] + box["height"] / 2)
    expect(page.locator("[data-readout] caption")).to_have_text("2000, estimate (persons)")
    guide = page.locator("svg.wide .guide")
    assert float(guide.get_attribute("x1") or "nan") == pytest.approx((x0 + x1) / 2, abs=0.5)


def test_the_read_out_follows_the_keyboard(page: Page, url: str) -> None:
    page.goto(url + FIVE)
    slider = page.get_by_role("slider", name="Year")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-readout] caption")).to_have_text("2049, forecast (persons)")
    page.keyboard.press("Home")
    expect(page.locator("[data-readout] caption")).to_have_text("1950, estimate (persons)")
    assert "1950: India 34" in (slider.get_attribute("aria-valuetext") or "")


def test_one_line_is_highlighted_with_and_without_javascript(page: Page, plain_page: Page, url: str) -> None:
    for one in (page, plain_page):
        one.goto(url + FIVE)
        assert len(one.locator("svg.wide .series").all()) == 5
        one.get_by_text("China", exact=True).first.click()
    assert opacities(page) == [0.14, 1, 0.14, 0.14, 0.14]
    page.get_by_role("radio", name="China").focus()
    page.keyboard.press("ArrowRight")
    assert opacities(page) == [0.14, 0.14, 1, 0.14, 0.14]
    expect(plain_page.get_by_role("radio", name="China")).to_be_checked()


def test_the_scale_is_a_link_and_part_of_the_address(plain_page: Page, url: str) -> None:
    page = plain_page
    page.goto(url + FIVE)
    switch = page.get_by_role("navigation", name="Scale")
    switch.get_by_role("link", name="Indexed").click()
    assert page.url.endswith("&scale=indexed")
    expect(switch.get_by_role("link", name="Indexed")).to_have_attribute("aria-current", "true")
    assert page.locator("svg.wide").get_attribute("data-scale") == "indexed"
    switch.get_by_role("link", name="Log").click()
    assert page.locator("svg.wide").get_attribute("data-log") == "true"
    switch.get_by_role("link", name="Linear").click()
    assert "scale" not in page.url


def test_years_and_model_change_without_javascript_and_the_locations_stay(plain_page: Page, url: str) -> None:
    page = plain_page
    page.goto(f"{url}/forecast?location=566&group=Benelux:56,528,442&from=2030&to=2031&scale=log")
    page.locator("summary", has_text="Change years").click()
    page.get_by_label("To", exact=True).fill("2033")
    page.get_by_label("Model").select_option("damped-growth")
    page.get_by_role("button", name="Forecast", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nigeria, Benelux, 2030–2033")
    expect(page.get_by_text("damped-growth", exact=True)).to_be_visible()
    assert "scale=log" in page.url


def test_estimates_and_forecasts_are_told_apart(page: Page, url: str) -> None:
    page.goto(url + PAST_AND_AHEAD)
    years = page.get_by_role("table", name="Population by year").get_by_role("rowheader")
    assert [text.split() for text in years.all_inner_texts()] == [
        [str(year), "estimate" if year <= 2020 else "forecast"] for year in range(2015, 2061)
    ]
    expect(page.get_by_text("Years up to 2020 are UN estimates, not forecasts")).to_be_visible()


def test_the_table_scrolls_under_its_own_heads(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(url + FIVE)
    sheet = page.get_by_role("region", name="Population by year and location")
    assert sheet.evaluate("sheet => sheet.scrollWidth > sheet.clientWidth && sheet.scrollHeight > sheet.clientHeight")
    corner = page.get_by_role("columnheader", name="Year", exact=True)
    sheet.scroll_into_view_if_needed()
    before = corner.bounding_box()
    sheet.evaluate("sheet => sheet.scrollBy(400, 400)")
    assert corner.bounding_box() == before


def test_how_good_it_has_been_is_told_in_words_and_beside_the_un(page: Page, url: str) -> None:
    page.goto(f"{url}/forecast?location=356&from=2030&to=2035")
    section = page.get_by_role("region", name="How accurate have these forecasts been?")
    expect(section.get_by_text("would have been off by")).to_be_visible()
    expect(section.get_by_text("final data")).to_be_visible()
    expect(section.get_by_text("real time", exact=True)).to_be_visible()
    expect(section.get_by_text("after allowing for the UN’s later revisions").first).to_be_visible()
    horizons = section.get_by_role("table", name="Track record of India").get_by_role("rowheader")
    assert [text.split()[0] for text in horizons.all_inner_texts()] == ["1", "5", "10", "20"]
    beside = section.get_by_role("region", name="Our forecast errors and the UN’s")
    assert [head.split()[1::2] for head in beside.get_by_role("columnheader").all_inner_texts()[1:]] == [
        [edition, year] for edition in ("2010", "2012") for year in ("2015", "2020")
    ]
    expect(beside.get_by_role("row", name="India")).to_contain_text("UN 3.5%†")
    expect(section.get_by_text("The UN was closer in all 4 comparisons.")).to_be_visible()


def test_the_answer_and_the_record_stand_before_the_figures(plain_page: Page, url: str) -> None:
    plain_page.goto(f"{url}/forecast?location=356&from=2030&to=2050")
    expect(plain_page.get_by_text(INDIA_IN_2050)).to_be_visible()
    headings = plain_page.get_by_role("heading", level=2).all_inner_texts()
    assert headings[:4] == [
        "How accurate have these forecasts been?",
        "Peaks and other milestones",
        "Ages, births, deaths and migration",
        "Data table",
    ]
    contents = plain_page.get_by_role("navigation", name="On this page")
    places = {"Accuracy": "record", "Milestones": "when", "Ages": "ages", "Data": "figures", "Cite": "share-heading"}
    for name, place in places.items():
        contents.get_by_role("link", name=name).click()
        assert plain_page.url.endswith(f"#{place}")
        expect(plain_page.locator(f"#{place}")).to_be_in_viewport()


def test_five_locations_fit_a_desk(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(url + FIVE)
    for name in ("Population by year and location", "Our forecast errors and the UN’s", "Track records"):
        sheet = page.get_by_role("region", name=name)
        assert sheet.evaluate("sheet => sheet.scrollWidth <= sheet.clientWidth"), name


def test_the_read_out_begins_with_the_last_year_asked_for(page: Page, url: str) -> None:
    page.goto(f"{url}/forecast?location=356&from=1950&to=1960")
    expect(page.locator("[data-readout] caption")).to_have_text("1960, estimate (persons)")
    expect(page.get_by_text("All these years are UN estimates")).to_be_visible()


def test_a_link_that_is_shared_has_a_preview(page: Page, url: str) -> None:
    page.goto(f"{url}/forecast?location=356&from=2030&to=2050")

    def said(name: str) -> str:
        return page.locator(f"meta[property='og:{name}']").get_attribute("content") or ""

    assert said("title") == "Population of India, 2030–2050"
    assert said("description").startswith(f"{INDIA_IN_2050}. ")
    canonical = page.locator("link[rel=canonical]").get_attribute("href")
    assert said("url") == f"{url}{canonical}"
    picture = page.request.get(said("image"))
    assert picture.ok
    assert picture.body().startswith(b"\x89PNG")


def test_what_is_taken_along_says_where_it_comes_from(page: Page, url: str) -> None:
    page.goto(f"{url}/forecast?location=356&from=2030&to=2035")
    for kind, mark in (
        ("CSV", b"72c18e5fad90"),
        ("JSON", b"72c18e5fad90"),
        ("SVG", b"72c18e5fad90"),
        ("PNG", b"\x89PNG"),
    ):
        address = page.get_by_role("link", name=kind, exact=True).get_attribute("href")
        response = page.request.get(url + str(address))
        assert response.ok
        assert mark in response.body()
    citation = (page.locator("#citation").text_content() or "").strip()
    for text in ("popforecast", "cohort", "wpp2024", "72c18e5fad90", "United Nations", page.url.split("&level")[0]):
        assert text in citation


@contextmanager
def publish(content: str) -> Iterator[str]:
    """Serve a page of somebody else's, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None:
            pass

    with serve_in_thread(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield url


def test_the_snippet_embeds_the_chart_in_another_page(page: Page, browser: Browser, url: str) -> None:
    page.goto(f"{url}/forecast?location=356&group=<b>Mine</b>:BEL,NLD&from=2030&to=2035")
    snippet = page.locator("#snippet").text_content()
    with publish(f"<!doctype html><title>Elsewhere</title>{snippet}") as elsewhere, browser.new_context() as context:
        other = context.new_page()
        other.goto(elsewhere)
        frame = other.frame_locator("iframe")
        expect(frame.get_by_role("heading", level=1)).to_have_text("India, <b>Mine</b>, 2030–2035")
        expect(frame.locator("svg.chart:visible")).to_have_count(1)
        assert other.locator("iframe").get_attribute("title") == "Population of India, <b>Mine</b>, 2030–2035"


def test_no_page_but_the_chart_alone_can_be_framed(browser: Browser, url: str) -> None:
    framing = f'<!doctype html><title>Elsewhere</title><iframe src="{url}{FIVE}"></iframe>'
    with publish(framing) as elsewhere, browser.new_context() as context:
        other = context.new_page()
        with other.expect_event("console", lambda said: "frame-ancestors" in said.text):
            other.goto(elsewhere)
        expect(other.frame_locator("iframe").get_by_role("heading", level=1)).to_have_count(0)


def test_the_citation_can_be_copied(browser: Browser, url: str) -> None:
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto(f"{url}/forecast?location=356")
        page.get_by_role("button", name="Copy the citation").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert (
            page.evaluate("navigator.clipboard.readText()") == (page.locator("#citation").text_content() or "").strip()
        )


def test_every_part_of_the_forecast_page_is_reached_by_the_keyboard(page: Page, url: str) -> None:
    page.goto(f"{url}/forecast?location=356&location=156&from=2030&to=2060")
    reached: set[str] = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("""() => {
          const at = document.activeElement;
          return at.getAttribute("aria-label") || at.getAttribute("aria-labelledby") || at.type || at.innerText.trim();
        }""")
        )
    for part in (
        *("Choose other locations", "Change years, model or ranges", "Log", "radio", "range", "sheet-caption"),
        *("CSV", "JSON", "SVG", "PNG", "Our forecast errors and the UN’s", "button", "Open the chart on its own page"),
    ):
        assert part in reached


def test_on_paper_the_table_is_whole_and_nothing_is_left_that_only_a_screen_can_do(page: Page, url: str) -> None:
    page.goto(url + FIVE)
    page.emulate_media(media="print")
    sheet = page.get_by_role("region", name="Population by year and location")
    assert sheet.evaluate("sheet => sheet.scrollHeight <= sheet.clientHeight + 1")
    for control in (page.get_by_role("navigation"), page.get_by_role("slider"), page.get_by_role("button")):
        assert not [one for one in control.all() if one.is_visible()]


@dataclass
class Wire:
    """A forwarder between browser and server that counts what comes back."""

    url: str
    received: int = 0


@contextmanager
def count_bytes(url: str) -> Iterator[Wire]:
    """Yield the address of a wire to the server: every byte of every answer, heads and all, is counted on it."""
    target = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
    lock = threading.Lock()

    def carry(source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(65_536):
                if is_answer:
                    with lock:
                        wire.received += len(chunk)
                sink.sendall(chunk)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def connect(client: socket.socket) -> None:
        with client, socket.create_connection((str(target.hostname), int(target.port or 80))) as server:
            answers = threading.Thread(target=carry, args=(server, client, True), daemon=True)
            answers.start()
            carry(client, server, False)
            answers.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=connect, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with closing(listener):
        yield wire


def test_the_first_visit_takes_less_than_100_kilobytes_over_the_wire(browser: Browser, url: str) -> None:
    with count_bytes(url) as wire, browser.new_context() as context:
        page = context.new_page()
        page.goto(wire.url + FIVE, wait_until="networkidle")
        # What is fetched in the background for later counts, too.
        page.wait_for_timeout(1500)
        print(f"first visit: {wire.received:,} bytes")
        assert 10_000 < wire.received <= MOST_BYTES
