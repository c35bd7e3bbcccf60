"""The site as an app, in a real browser with a profile of its own, against real gunicorn that is really stopped."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.pages.installable import MOST_KEPT, PAGES

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
NIGERIA = "/forecast?location=566&from=2030&to=2035"
WORLD = "/forecast?location=900&from=2030&to=2035"
REPORT = "/reports/2-validate-ar.html"

LIST_KEPT = f"""async () => (await (await caches.open("{PAGES}")).keys()).map(
    ({{ url, method }}) => method + " " + url.slice(location.origin.length))"""
LIST_RELEASES = f"""async () => (await caches.keys()).filter((name) => name !== "{PAGES}")"""
AWAIT_WORKER = """async () => {
    const { active } = await navigator.serviceWorker.ready;
    while (active.state !== "activated") await new Promise((done) => setTimeout(done, 20));
}"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the app, of which a test may make another release, and the reports."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("app", "reports"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def start(serve: Any, copy: Path, started: list[Any]) -> Callable[..., Any]:
    """Return what starts the server, at a port of its own or at one that it had before."""
    # -P: the working directory, which has the checkout's app, comes not before the copy.
    command = [sys.executable, "-P", "-m", "gunicorn", "--chdir", str(copy)]
    command += ["--config", str(copy / "app" / "gunicorn.conf.py"), "app:create_app()"]
    environment = {"POPFORECAST_HOST": "127.0.0.1", "WEB_CONCURRENCY": "1", "PYTHONPATH": str(copy)}

    def start(port: int = 0) -> Any:
        started.append(serve(command, "/healthz", environment, port=port))
        return started[-1]

    return start


@pytest.fixture(scope="module")
def started() -> list[Any]:
    """Every server that was started, the last one last."""
    return []


@pytest.fixture
def server(start: Callable[..., Any], started: list[Any]) -> Any:
    """A server that runs: the last one, unless a test has stopped it."""
    return started[-1] if started and started[-1].process.poll() is None else start()


@pytest.fixture
def page(profile: BrowserContext, server: Any) -> Iterator[Page]:
    """A page of a person who visits the site for the first time; none may break the content policy."""
    page = profile.new_page()
    devtools = profile.new_cdp_session(page)
    # Whatever an earlier test has left there of a server that still runs: pages kept, and their worker.
    devtools.send("Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "all"})
    devtools.send("Network.clearBrowserCache")
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if "Security Policy" in message.text else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(server.url) else faults.append(request.url))
    yield page
    page.close()
    assert faults == []


def wait(page: Page, condition: str, argument: Any = None) -> None:
    """Wait until an asynchronous function holds in the page, which Playwright's own waiting takes for true."""
    loop = """async (argument) => {
        const end = Date.now() + 15_000;
        while (!(await (%s)(argument))) {
            if (Date.now() > end) throw new Error("not within 15 seconds");
            await new Promise((done) => setTimeout(done, 20));
        }
    }"""
    page.evaluate(loop % condition, argument)


def visit(page: Page, server: Any, path: str) -> None:
    """Read a page, and let the worker come up and keep it."""
    page.goto(server.url + path)
    page.evaluate(AWAIT_WORKER)
    wait(page, f"async (path) => (await ({LIST_KEPT})()).includes('GET ' + path)", path)


def test_a_browser_offers_to_install_it(page: Page, server: Any, profile: BrowserContext) -> None:
    page.goto(server.url)
    page.evaluate(AWAIT_WORKER)
    devtools = profile.new_cdp_session(page)
    manifest = devtools.send("Page.getAppManifest")
    assert manifest["url"] == f"{server.url}/manifest.webmanifest"
    assert manifest["errors"] == []
    assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] == []


def test_a_forecast_that_was_read_opens_when_the_server_is_gone(page: Page, server: Any) -> None:
    visit(page, server, NIGERIA)
    heading = page.get_by_role("heading", level=1).inner_text()
    figures = page.get_by_role("table").first.inner_text()
    server.stop()
    page.goto(server.url + NIGERIA)
    assert page.get_by_role("heading", level=1).inner_text() == heading
    assert page.get_by_role("table").first.inner_text() == figures
    # Not a bare text: the style sheet is there, too.
    assert page.evaluate("getComputedStyle(document.querySelector('.masthead')).display") == "flex"


def test_what_was_not_read_gives_a_page_from_which_what_was_opens(page: Page, server: Any) -> None:
    visit(page, server, NIGERIA)
    visit(page, server, WORLD + "&model=ar1")
    server.stop()
    page.goto(server.url + "/forecast?location=356&from=2030&to=2035")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
    kept = page.get_by_role("main").get_by_role("listitem")
    expect(kept).to_have_count(2)
    # The last read first.
    assert re.match(r"Population of World, 2030–2035\s+ar1, opened \w+ \d+, \d{4}$", kept.nth(0).inner_text())
    kept.nth(1).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Nigeria"))
    assert page.url == server.url + NIGERIA


def test_the_start_opens_without_the_server_and_goes_on_once_it_is_back(page: Page, server: Any, start: Any) -> None:
    visit(page, server, NIGERIA)
    server.stop()
    page.goto(server.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
    start(server.port)
    page.get_by_role("link", name="Try again").click()
    expect(page.locator("form [name=location]").first).to_be_attached()


def test_a_report_that_was_read_opens_when_the_server_is_gone(page: Page, server: Any) -> None:
    visit(page, server, REPORT)
    server.stop()
    page.goto(server.url + REPORT)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Validate")
    expect(page.locator("figure svg").first).to_be_visible()


def test_errors_and_what_was_posted_are_not_kept(page: Page, server: Any) -> None:
    visit(page, server, NIGERIA)
    assert page.goto(f"{server.url}/forecast?location=Wurld").status == 400
    assert page.goto(f"{server.url}/reports/none.html").status == 404
    page.goto(f"{server.url}/api/v1/locations")
    page.goto(server.url)
    page.evaluate(
        """() => {
        const form = document.createElement("form");
        form.method = "post"; form.action = "/forecast";
        for (const [name, value] of [["location", "900"], ["from", "2040"], ["to", "2041"]]) {
            const input = document.createElement("input");
            input.name = name; input.value = value;
            form.append(input);
        }
        document.body.append(form);
        form.submit();
    }"""
    )
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("World, 2040–2041"))
    # Where the post led to is a page like any other, read by its address.
    wait(page, f"async () => (await ({LIST_KEPT})()).length === 2")
    nigeria, world = page.evaluate(LIST_KEPT)
    assert nigeria == f"GET {NIGERIA}"
    assert world.startswith("GET /forecast?location=900&from=2040&to=2041")


def test_the_last_pages_read_are_kept_and_no_more(page: Page, server: Any) -> None:
    visit(page, server, NIGERIA)
    for year in range(2024, 2024 + MOST_KEPT):
        visit(page, server, f"/forecast?location=900&from={year}&to={year + 1}")
        if year == 2030:
            visit(page, server, NIGERIA)
    kept = page.evaluate(LIST_KEPT)
    assert len(kept) == MOST_KEPT
    # What was read again is not the oldest.
    assert f"GET {NIGERIA}" in kept
    assert kept[-1] == f"GET /forecast?location=900&from={year}&to={year + 1}"
    assert "GET /forecast?location=900&from=2024&to=2025" not in kept


def test_the_files_of_the_pages_come_from_the_device(page: Page, server: Any) -> None:
    visit(page, server, NIGERIA)
    answered: dict[str, bool] = {}
    page.on("response", lambda response: answered.update({response.url: response.from_service_worker}))
    page.reload()
    files = {url: own for url, own in answered.items() if re.search(r"/(static|theme)/[^?]*\.(css|js)\?", url)}
    assert len(files) >= 3
    assert all(files.values())


def test_a_page_says_when_there_is_no_network(page: Page, server: Any, profile: BrowserContext) -> None:
    visit(page, server, NIGERIA)
    note = page.locator(".network")
    expect(note).to_have_text("")
    profile.set_offline(True)
    expect(note).to_have_text("You are offline: this is the page as you last opened it.")
    profile.set_offline(False)
    expect(note).to_have_text("")


def test_a_new_release_replaces_the_files_of_the_old_and_keeps_what_was_read(
    page: Page, server: Any, start: Any, copy: Path, profile: BrowserContext
) -> None:
    visit(page, server, NIGERIA)
    (before,) = page.evaluate(LIST_RELEASES)
    server.stop()
    script = copy / "app" / "static" / "install.js"
    script.write_text(script.read_text() + 'document.documentElement.dataset.release = "next";\n')
    again = start(server.port)
    page.goto(server.url)
    wait(page, f"async (old) => !(await ({LIST_RELEASES})()).includes(old)", before)
    (after,) = page.evaluate(LIST_RELEASES)
    assert after != before
    again.stop()
    profile.new_cdp_session(page).send("Network.clearBrowserCache")
    # The page was made by the old release, whose files are gone; those of the new one serve it.
    page.goto(server.url + NIGERIA)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Nigeria"))
    expect(page.locator("html")).to_have_attribute("data-release", "next")
