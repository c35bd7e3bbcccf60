"""The explorer as people meet it: Voilà's own process, a real kernel and a real browser."""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from axe_playwright_python.sync_playwright import DEFAULT_OPTIONS, Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

import popforecast as pf

pytestmark = pytest.mark.browser

# Voilà 0.5 shares JupyterLab 4.2's modules with extensions built for a later one; it works, and says so.
NOT_OURS = ("shared singleton module", "of shared module", "was preloaded")

KNOWN = [
    ["Year", "WORLD", "More developed regions"],
    ["2030", "8,745,733,000", "1,304,051,000"],
    ["2031", "8,844,029,000", "1,306,841,000"],
    ["2032", "8,942,922,000", "1,309,584,000"],
    ["2033", "9,042,415,000", "1,312,279,000"],
    ["2034", "9,142,512,000", "1,314,927,000"],
    ["2035", "9,243,217,000", "1,317,530,000"],
]

# The rules of axe that look at colours.
COLOURS = {**DEFAULT_OPTIONS, "runOnly": ["color-contrast", "link-in-text-block"]}

# Figures without the bounds below them.
READ_TABLE = """rows => rows.map(row => [...row.cells].map(cell => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll("small").forEach(small => small.remove());
    return copy.textContent.trim();
}))"""


COMMAND = [sys.executable, "-m", "popforecast.explorer", "--no-browser", "--port={port}"]

# A server that answers here is up, and no kernel was used up to know.
READY = "/explorer/health"

# Kernels of pages that were left without a word go at once.
SOON = ("--MappingKernelManager.cull_idle_timeout=3", "--MappingKernelManager.cull_interval=1")


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Many run beside each other on a test machine: what is slow is for the benchmarks to tell."""
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def explorer_server(serve):
    """Voilà: one process for all tests of the module."""
    return serve(COMMAND, path=READY)


@pytest.fixture(scope="module")
def explorer_url(explorer_server) -> str:
    return explorer_server.url


@pytest.fixture(scope="module")
def explorer(browser, explorer_url: str) -> Iterator[Page]:
    """One page that all tests of the module share, with all that it asked for and complained of."""
    with browser.new_context(viewport={"width": 1440, "height": 1000}) as context:
        context.set_default_timeout(30_000)
        yield open_explorer(context, explorer_url)


def open_explorer(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.requested, page.complaints = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: message.type in ("error", "warning") and page.complaints.append(message.text))
    page.goto(url)
    page.locator(".figures tbody tr").first.wait_for()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    return page


def read_table(page: Page) -> list[list[str]]:
    return page.locator(".figures tr").evaluate_all(READ_TABLE)


def read_legend(page: Page) -> list[str]:
    return page.locator(".infolayer .legend .legendtext").all_text_contents()


def choose(page: Page, *names: str) -> None:
    for name in names:
        field = page.get_by_label("Add a location")
        field.fill(name)
        field.press("Enter")
        expect(field).to_have_value("")


def remove_all(page: Page) -> None:
    chips = page.locator(".pf-chip:visible")
    while count := chips.count():
        chips.first.click()
        expect(chips).to_have_count(count - 1)


def set_years(page: Page, start: float, end: float) -> None:
    for label, year in (("From", start), ("To", end)):
        field = page.get_by_label(label, exact=True)
        field.fill(str(year))
        field.press("Tab")


def test_the_known_table_comes_out_to_the_digit(explorer: Page) -> None:
    remove_all(explorer)
    expect(explorer.get_by_role("alert")).to_contain_text("No location is selected")
    explorer.get_by_label("Revision").select_option(label="2019 (estimates to 2020)")
    # Another revision has other locations to suggest: what is typed before they have come is lost.
    expect(explorer.locator("datalist option[value=WORLD]")).to_have_count(1)
    explorer.get_by_label("Model").select_option("ar1")
    choose(explorer, "world", "More developed regions")
    set_years(explorer, 2030, 2035)
    expect(explorer.locator(".figures tbody tr")).to_have_count(6)
    assert read_table(explorer) == KNOWN
    assert read_legend(explorer) == KNOWN[0][1:]


def test_a_location_found_by_alias_changes_chart_and_table(explorer: Page) -> None:
    remove_all(explorer)
    choose(explorer, "Ivory Coast", "jpn")
    expect(explorer.locator(".figures thead")).to_contain_text("Japan")
    assert read_table(explorer)[0] == ["Year", "Côte d'Ivoire", "Japan"]
    expect(explorer.locator(".infolayer .legend")).to_contain_text("Japan")
    assert read_legend(explorer) == ["Côte d'Ivoire", "Japan"]


def test_an_error_is_a_sentence_in_place_of_the_answer(explorer: Page) -> None:
    set_years(explorer, 2030, 2029)
    expect(explorer.get_by_role("alert")).to_contain_text('"From" (2030) must not be later than "To" (2029)')
    expect(explorer.locator(".figures")).to_be_hidden()
    set_years(explorer, 2030, 2032)
    expect(explorer.get_by_role("alert")).to_have_count(0)
    expect(explorer.locator(".figures tbody tr")).to_have_count(3)


def test_a_misspelt_location_is_met_with_the_nearest_names(explorer: Page) -> None:
    field = explorer.get_by_label("Add a location")
    field.fill("Nigria")
    field.press("Enter")
    expect(explorer.get_by_role("alert")).to_contain_text("nearest: Nigeria")
    field.fill("")
    field.press("Enter")
    expect(explorer.get_by_role("alert")).to_have_count(0)


def test_the_chart_answers_hover_and_a_legend_click_hides_a_location(explorer: Page) -> None:
    chart = explorer.locator(".js-plotly-plot")
    box = chart.bounding_box()
    explorer.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.5)
    hover = explorer.locator(".hoverlayer")
    expect(hover).to_contain_text("95%")
    expect(hover).to_contain_text("Japan")
    shown = explorer.locator(".scatterlayer .trace")
    before = shown.count()
    explorer.locator(".legendtoggle").first.click()
    # History, median and two bands.
    expect(shown).to_have_count(before - 4)
    explorer.locator(".legendtoggle").first.click()
    expect(shown).to_have_count(before)


def test_nothing_is_asked_of_another_host_and_nothing_of_ours_complains(explorer: Page, explorer_url: str) -> None:
    hosts = {urlsplit(url).netloc for url in explorer.requested if urlsplit(url).scheme in ("http", "https", "ws")}
    assert hosts == {urlsplit(explorer_url).netloc}
    assert explorer.locator("link[href^=http], script[src^=http], img[src^=http]").count() == 0
    assert [text for text in explorer.complaints if not any(known in text for known in NOT_OURS)] == []


def test_sources_and_tracebacks_stay_off_the_page(explorer: Page) -> None:
    text = explorer.locator("body").inner_text()
    assert "explorer.build" not in text
    assert "Traceback" not in text
    assert "CC BY 3.0 IGO" in text


@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_never_scrolls_sideways(explorer: Page, width: int, tmp_path: Path) -> None:
    explorer.set_viewport_size({"width": width, "height": 900})
    explorer.wait_for_function("width => document.querySelector('.main-svg').clientWidth < width", arg=width)
    assert explorer.evaluate("document.documentElement.scrollWidth") == width
    controls, result = (explorer.locator(name).bounding_box() for name in (".pf-controls", ".pf-chart"))
    assert (controls["y"] + controls["height"] <= result["y"]) == (width == 360)
    explorer.screenshot(path=tmp_path / f"explorer-{width}.png", full_page=True)


def test_every_field_has_a_label(explorer: Page) -> None:
    fields = explorer.locator(".pf-controls :is(input, select)")
    assert fields.evaluate_all("fields => fields.filter(field => !field.labels.length).length") == 0
    assert explorer.locator("h1").count() == 1
    assert explorer.get_by_role("main").count() == 1


def test_a_closed_tab_frees_its_kernel_and_the_waiting_one_is_spared(serve) -> None:
    server = serve([*COMMAND, *SOON, "--VoilaKernelManager.fill_delay=1"], path=READY)

    def find(pattern: str) -> list[str]:
        return re.findall(pattern, server.log.read_text())

    def load() -> None:
        # Asked for by no browser, the page never connects to its kernel: to the server that is a closed tab.
        with urllib.request.urlopen(server.url) as answer:
            assert b"popforecast" in answer.read()

    culled, filled = r"Culling '\w+' kernel '\w+' \((\S+)\)", "Kernel pool of explore.ipynb is filled"
    assert wait_for(lambda: find(filled))
    load()
    assert wait_for(lambda: find(culled)) == find(r"Using pre-heated kernel: (\S+)")
    assert wait_for(lambda: find(filled)[1:])
    time.sleep(4)
    load()
    assert (len(find(culled)), len(find("Using pre-heated kernel"))) == (1, 2)


def test_the_configuration_beside_the_notebook_is_in_force(explorer: Page, explorer_server) -> None:
    log = explorer_server.log.read_text()
    assert "idle durations > 60 seconds at 15 second intervals" in log
    assert "Using pre-heated kernel" in log
    (connection,) = [c for c in psutil.Process(explorer_server.process.pid).net_connections() if c.status == "LISTEN"]
    assert connection.laddr.ip == "127.0.0.1"


def ask(url: str) -> tuple[int, str, dict[str, str]]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)


def count_taken(server) -> int:
    return json.loads(ask(server.url + READY)[1])["taken"]


def find_kernels(server) -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process(server.process.pid).children(recursive=True)
        if process.is_running() and any("ipykernel" in word for word in process.cmdline())
    ]


@pytest.fixture(scope="module")
def small(serve):
    """A server with room for two pages, which nothing else uses."""
    return serve([*COMMAND, "--Server.most_kernels=2", "--VoilaKernelManager.fill_delay=1"], path=READY)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(30_000)
        yield context


def test_the_address_says_what_is_on_show_and_leads_back_to_it(context: BrowserContext, explorer_url: str) -> None:
    page = open_explorer(context, f"{explorer_url}/?location=Ivory+Coast&model=ar1&model=AR(2,ct)&from=2030&to=2031")
    assert read_table(page)[0] == ["Year", "Côte d'Ivoire, ar1", "Côte d'Ivoire, AR(2, ct)"]
    page.get_by_label("Chart scale").select_option("last estimate = 100")
    page.wait_for_function("location.search.includes('scale=indexed')")
    choose(page, "JPN")
    page.wait_for_function("location.search.includes('location=392')")
    shown = read_table(page)
    assert len(shown[0]) == 5
    page.reload()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert read_table(page) == shown
    assert parse_qs(urlsplit(page.url).query)["location"] == ["384", "392"]
    assert context.cookies() == []


def test_an_address_that_asks_in_vain_is_answered_by_a_sentence(context: BrowserContext, explorer_url: str) -> None:
    page = open_explorer(context, f"{explorer_url}/?location=Nigria")
    expect(page.get_by_role("alert")).to_contain_text("No location 'Nigria' in wpp2024; nearest: Nigeria")
    assert read_table(page)[0] == ["Year", "Nigeria", "United States of America", "Japan"]


def test_a_year_that_is_no_whole_number_is_a_sentence(context: BrowserContext, explorer_url: str) -> None:
    page = open_explorer(context, explorer_url)
    set_years(page, 2030.7, 2031)
    expect(page.get_by_role("alert")).to_contain_text("'2030.7' is not a whole year")


def test_every_tab_shows_what_stands_behind_the_figures(context: BrowserContext, explorer_url: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = open_explorer(context, f"{explorer_url}/?location=NGA&model=ar1&from=2030&to=2031")
    for name, sign in [
        ("Equation", "yt = "),
        ("Residuals", "Ljung-Box"),
        ("Backtest", "flatters every model"),
        ("Code", "import popforecast as pf"),
    ]:
        page.get_by_role("tab", name=name).click()
        expect(page.locator(".pf-tabs")).to_contain_text(sign)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    names: dict[str, object] = {}
    first, second, last = page.evaluate("navigator.clipboard.readText()").splitlines()
    exec(f"{first}\n{second}\nmade = {last}", names)
    assert [names["made"].to_table()["Nigeria"].iloc[0]] == [
        pf.forecast(pf.load_panel("wpp2024"), "NGA", 2030, 2031, "ar1").to_table()["Nigeria"].iloc[0]
    ]
    page.get_by_role("tab", name="Code").press("ArrowLeft")
    expect(page.get_by_role("tab", name="Backtest")).to_be_focused()


@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_in_the_light_and_in_the_dark(browser: Browser, explorer_url: str, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        context.set_default_timeout(30_000)
        page = open_explorer(context, f"{explorer_url}/?location=NGA&location=JPN&model=ar1&model=panel-ar")
        for name in ("Figures", "Equation", "Residuals", "Backtest", "Code"):
            page.get_by_role("tab", name=name).click()
            expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
            page.locator(".pf-tabs .widget-tab-contents > :not(.lm-mod-hidden)").first.wait_for()
            # Another tab changes nothing round it, and the dark, which is a matter of the style sheet, only colours.
            part = None if name == "Figures" else ".pf-tabs"
            for scheme, options in (("light", DEFAULT_OPTIONS), ("dark", COLOURS)):
                page.emulate_media(color_scheme=scheme)
                results = Axe().run(page, context=part, options=options)
                assert results.violations_count == 0, f"{name}, {scheme}: {results.generate_report()}"


def test_a_kernel_killed_is_said_and_loading_again_recovers(context: BrowserContext, small) -> None:
    assert wait_for(lambda: find_kernels(small))
    page = open_explorer(context, f"{small.url}/?location=JPN&from=2040&to=2041&model=ar1")
    (kernel,) = re.findall(r"Using pre-heated kernel: (\S+)", small.log.read_text())[-1:]
    (process,) = [process for process in find_kernels(small) if any(kernel in word for word in process.cmdline())]
    process.kill()
    expect(page.get_by_role("alert")).to_contain_text("session behind this page has ended")
    assert page.locator(".pf-controls").evaluate("part => part.inert")
    page.get_by_role("link", name="Reload the page").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert read_table(page)[0] == ["Year", "Japan"]
    assert [row[0] for row in read_table(page)[1:]] == ["2040", "2041"]


def test_a_kernel_killed_while_it_waits_is_replaced(context: BrowserContext, small) -> None:
    assert wait_for(lambda: not count_taken(small) and find_kernels(small))
    for process in find_kernels(small):
        process.kill()
    page = open_explorer(context, f"{small.url}/?location=JPN&from=2040&to=2041&model=ar1")
    assert len(read_table(page)) == 3


def test_one_page_too_many_is_told_to_wait_and_has_its_turn(context: BrowserContext, small) -> None:
    assert wait_for(lambda: not count_taken(small))
    pages = [open_explorer(context, f"{small.url}/?location=JPN") for _ in range(2)]
    status, text, headers = ask(small.url)
    assert (status, headers["Retry-After"]) == (503, "30")
    assert "The explorer is full" in text
    assert "http" not in re.sub(r"https?-equiv|<!doctype html>", "", text).replace("http-equiv", "")
    pages[0].close()
    assert wait_for(lambda: count_taken(small) == 1)
    open_explorer(context, f"{small.url}/?location=JPN")


def test_tabs_opened_and_closed_leave_nothing_behind(context: BrowserContext, small) -> None:
    for page in context.pages:
        page.close()
    sizes = []
    for _ in range(4):
        assert wait_for(lambda: count_taken(small) == 0 and len(find_kernels(small)) == 1)
        sizes.append(psutil.Process(small.process.pid).memory_info().rss)
        open_explorer(context, small.url).close()
    assert wait_for(lambda: count_taken(small) == 0 and len(find_kernels(small)) == 1)
    assert sizes[-1] < 1.1 * sizes[1]


def test_chart_and_figures_are_there_without_scripts(browser: Browser, explorer_url: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{explorer_url}/?location=JPN&from=2030&to=2035")
        expect(page.locator("h2")).to_have_text("Population of Japan")
        expect(page.locator("svg.chart.wide")).to_be_visible()
        expect(page.locator(".figures tbody tr")).to_have_count(6)


def test_the_explorer_takes_its_previews_place_and_looks_like_it(context: BrowserContext, explorer_url: str) -> None:
    page = context.new_page()
    read = """part => [...part.querySelectorAll("h2, .figures, .pf-source")].map(it => it.textContent.trim())"""
    # The chart's own script is kept back, so that the preview stays for as long as it takes to read it.
    held = []
    page.route("**/jupyterlab-plotly/static/0.*.js*", lambda route: held.append(route))
    page.goto(f"{explorer_url}/?location=JPN&location=NGA&from=2030&to=2035&model=ar1", wait_until="commit")
    preview = page.locator(".pf-preview")
    expect(preview.locator("svg.chart.wide")).to_be_visible()
    before = preview.evaluate(read)
    measure = "() => [scrollY, document.querySelector('.figures').getBoundingClientRect().top]"
    preview.get_by_role("link", name="CC BY").focus()
    page.evaluate("scrollTo(0, 500)")
    place = page.evaluate(measure)
    assert wait_for(lambda: held or page.wait_for_timeout(100))
    held[0].continue_()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    expect(preview).to_have_count(0)
    assert page.locator(".pf-explorer").evaluate(read) == before
    assert len(before) == 4
    # Whoever has begun to read stays where they are.
    assert page.evaluate(measure) == pytest.approx(place, abs=3)
    expect(page.get_by_role("link", name="CC BY")).to_be_focused()


def test_controls_answer_though_the_chart_cannot_be_drawn(context: BrowserContext, explorer_url: str) -> None:
    page = context.new_page()
    page.route("**/jupyterlab-plotly/static/0.*.js*", lambda route: route.abort())
    page.goto(explorer_url)
    expect(page.locator(".pf-preview")).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("Part of this page could not be loaded")
    set_years(page, 2030, 2032)
    expect(page.locator(".figures tbody tr")).to_have_count(3)


def test_nothing_moves_while_the_page_comes(context: BrowserContext, explorer_url: str) -> None:
    page = context.new_page()
    page.add_init_script("""window.moves = []; new PerformanceObserver(list => window.moves.push(
        ...list.getEntries().map(it => it.value))).observe({type: "layout-shift", buffered: true})""")
    page.goto(explorer_url)
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    # What Chromium calls good.
    assert page.evaluate("moves.reduce((a, b) => a + b, 0)") < 0.1


def test_a_page_that_there_is_not_is_said_in_the_sites_own_style(explorer_url: str) -> None:
    status, text, _ = ask(f"{explorer_url}/nothing")
    assert status == 404
    assert "Page not found" in text
    assert "cdn" not in text


def test_scripts_come_compressed_and_only_from_their_folders(explorer_url: str) -> None:
    address = f"{explorer_url}/voila/static/voila.js"
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        tag = answer.headers["Etag"]
    with pytest.raises(urllib.error.HTTPError, match="304") as unchanged:
        urllib.request.urlopen(urllib.request.Request(address, headers={"If-None-Match": tag}))
    unchanged.value.close()
    for name in ("../../../../etc/passwd", "%2e%2e/%2e%2e/conf.json", "/etc/passwd", "x%00y", "nothing.js"):
        assert ask(f"{explorer_url}/voila/static/{name}")[0] == 404


def wait_for(read: Callable[[], object], patience: float = 90) -> object:
    deadline = time.monotonic() + patience
    while not (got := read()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return got
