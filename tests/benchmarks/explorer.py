"""The explorer in a real browser: its first chart, cold and with a kernel that waits; a control's change; its memory.

Wall-clock times belong to a machine at rest; ``beside`` says how busy this one was.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Browser, CDPSession, Locator, Page, sync_playwright

from tests.browser.conftest import Server, _run, _wait, find_launch_options

from .figure import Figure

TIMES = 5
COMMAND = [sys.executable, "-m", "popforecast.explorer", "--no-browser", "--port={port}"]
CHART = ".js-plotly-plot .main-svg"
# Which the page itself brings, and which stays until the other is drawn.
PICTURE = ".pf-preview .chart:visible"
COLD = ("--VoilaConfiguration.preheat_kernel=False",)


def measure() -> Iterator[Figure]:
    """Time the first chart and the change of controls, and weigh server and kernels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**find_launch_options(playwright))
        with serve(*COLD) as server:
            yield from _time_first_chart("cold", browser, server, 3.5)
        with serve() as server:
            yield from _time_first_chart("preheated", browser, server, 2.5, waiting=1)
            yield from _time_changes(browser, server)
        browser.close()


@contextmanager
def serve(*options: str) -> Iterator[Server]:
    """Serve the explorer until the block ends."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _run([*COMMAND, *options], Path(folder) / "log.txt", {}, 0) as server,
    ):
        _wait(server, "/explorer/health", 60)
        yield server


def open_page(browser: Browser, url: str) -> Page:
    """Open the explorer in a profile of its own, which has nothing of it yet."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.set_default_timeout(60_000)
    _load(page, url)
    return page


def _load(page: Page, url: str) -> tuple[float, float]:
    """Return after how many seconds a chart was there, and after how many it answered the pointer."""
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(f"{PICTURE}, {CHART}").first.wait_for()
    seen = time.perf_counter() - started
    page.locator(CHART).first.wait_for()
    return seen, time.perf_counter() - started


def _time_first_chart(name: str, browser: Browser, server: Server, asked: float, waiting: int = 0) -> Iterator[Figure]:
    seen, drawn, pages, servers, kernels = [], [], [], [], []
    for _ in range(TIMES + 1):
        _wait_until_idle(server, waiting)
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.set_default_timeout(60_000)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _read_processor_times(server)
        for times, seconds in zip((seen, drawn), _load(page, server.url), strict=True):
            times.append(seconds)
        after = _read_processor_times(server)
        pages.append(_read_task_time(session))
        servers.append(after[0] - before[0])
        kernels.append(after[1] - before[1])
        page.context.close()
    parts = [f"{part} {median(times[1:]):.2f}" for part, times in _name(pages, servers, kernels)]
    yield Figure(f"first chart, {name}", median(seen[1:]), "s", asked, _describe(seen[1:], "s"))
    beside = f"{_describe(drawn[1:], 's')}; processor's seconds: {', '.join(parts)}"
    yield Figure(f"it answers the pointer, {name}", median(drawn[1:]), "s", asked, beside)


def _name(*times: list[float]) -> zip[tuple[str, list[float]]]:
    return zip(("page", "server", "kernel"), times, strict=True)


def _read_processor_times(server: Server) -> tuple[float, float]:
    """Return the processor's seconds of the server, and of all kernels that are alive."""
    family = psutil.Process(server.process.pid)
    return _read_processor_time(family), sum(map(_read_processor_time, family.children(recursive=True)))


def _read_processor_time(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _time_changes(browser: Browser, server: Server) -> Iterator[Figure]:
    page = open_page(browser, server.url)
    _wait_until_idle(server, waiting=1)
    for name, label, values in (
        ("control change: interval", "Interval", ["50%", "95%"]),
        ("control change: model", "Model", ["ar1", "panel-ar"]),
        ("control change: revision", "Revision", ["2019 (estimates to 2020)", "2024 (estimates to 2023)"]),
        ("control change: scale", "Chart scale", ["last estimate = 100", "linear"]),
    ):
        field = page.get_by_label(label, exact=True)
        both = [_time_change(page, server, field, values[i % 2]) for i in range(TIMES + 2)][2:]
        seconds, busy = ([times[i] for times in both] for i in range(2))
        beside = f"{_describe(seconds, 's')}; processor's seconds of page, server and kernel: {median(busy):.2f}"
        yield Figure(name, 1e3 * median(seconds), "ms", 250, beside)
    kernels = [it for it in psutil.Process(server.process.pid).children(recursive=True) if it.num_threads() > 4]
    sizes = [it.memory_full_info().pss / 1e6 for it in (psutil.Process(server.process.pid), *kernels)]
    yield Figure("memory of a kernel (PSS)", max(sizes[1:]), "MB", 200, f"the server itself {sizes[0]:.0f} MB")
    page.context.close()


def _time_change(page: Page, server: Server, field: Locator, value: str) -> tuple[float, float]:
    """Return the seconds from a choice to a chart that was drawn anew, as the page itself sees both; and the work."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = sum(_read_processor_times(server)) + _read_task_time(session)
    page.evaluate(
        """() => {
            window.drawn = null;
            const old = document.querySelector(".js-plotly-plot .main-svg");
            document.addEventListener("change", () => (window.chosen = performance.now()), {capture: true, once: true});
            const watcher = new MutationObserver(() => {
                const chart = document.querySelector(".js-plotly-plot .main-svg");
                if (chart && chart !== old) {
                    watcher.disconnect();
                    requestAnimationFrame(() => (window.drawn = performance.now()));
                }
            });
            watcher.observe(document.body, {childList: true, subtree: true});
        }"""
    )
    field.select_option(label=value)
    page.wait_for_function("window.drawn !== null")
    seconds = float(page.evaluate("(window.drawn - window.chosen) / 1000"))
    work = sum(_read_processor_times(server)) + _read_task_time(session) - before
    session.detach()
    page.wait_for_timeout(300)
    return seconds, work


def _read_task_time(session: CDPSession) -> float:
    """Return the processor's seconds of the page's own thread."""
    metrics = {it["name"]: it["value"] for it in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def _wait_until_idle(server: Server, waiting: int = 0) -> None:
    """Wait until so many kernels wait, no page has one, and nothing of the server is at work."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{server.url}/explorer/health") as answer:
            counts = json.load(answer)
        before = sum(_read_processor_times(server))
        time.sleep(1)
        is_quiet = sum(_read_processor_times(server)) - before < 0.05
        if is_quiet and counts["waiting"] >= waiting:
            return
    raise RuntimeError(f"the explorer never came to rest: {counts}\n{server.log.read_text()}")


def _describe(seconds: list[float], unit: str) -> str:
    spread = f"{min(seconds):.2f} to {max(seconds):.2f} {unit}"
    return f"{spread}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
