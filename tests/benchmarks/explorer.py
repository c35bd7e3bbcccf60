"""The explorer in a real browser: its first chart, cold and with a kernel that waits; a control's change; its memory.

Wall-clock times belong to a machine at rest; ``beside`` says how busy this one was.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import Server, _run, _wait, find_launch_options

from .figure import Figure

TIMES = 5
COMMAND = [sys.executable, "-m", "popforecast.explorer", "--no-browser", "--port={port}"]
CHART = ".js-plotly-plot .main-svg"

# Nothing of the next kernel's start may fall into a measurement.
PREHEATED = ("--VoilaKernelManager.fill_delay=0.5",)
COLD = ("--VoilaConfiguration.preheat_kernel=False",)


def measure() -> Iterator[Figure]:
    """Time the first chart and the change of controls, and weigh server and kernels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**find_launch_options(playwright))
        with serve(*COLD) as server:
            yield _time_first_chart("first chart, cold", browser, server, 3.5)
        with serve(*PREHEATED) as server:
            yield _time_first_chart("first chart, preheated", browser, server, 2.5)
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
    page.goto(url, wait_until="commit")
    page.locator(CHART).first.wait_for()
    return page


def _time_first_chart(name: str, browser: Browser, server: Server, asked: float) -> Figure:
    seconds = []
    for _ in range(TIMES + 1):
        _wait_until_idle(server)
        started = time.perf_counter()
        page = open_page(browser, server.url)
        seconds.append(time.perf_counter() - started)
        page.context.close()
    return Figure(name, median(seconds[1:]), "s", asked, _describe(seconds[1:], "s"))


def _time_changes(browser: Browser, server: Server) -> Iterator[Figure]:
    page = open_page(browser, server.url)
    _wait_until_idle(server)
    for name, label, values in (
        ("control change: interval", "Interval", ["50 %", "95 %"]),
        ("control change: model", "Model", ["ar1", "panel-ar"]),
        ("control change: revision", "Revision", ["2019 (estimates to 2020)", "2024 (estimates to 2023)"]),
        ("control change: scale", "Chart in", ["last estimate = 100", "persons"]),
    ):
        field = page.get_by_label(label, exact=True)
        seconds = [_time_change(page, field, values[i % 2]) for i in range(TIMES + 2)][2:]
        yield Figure(name, 1e3 * median(seconds), "ms", 250, _describe(seconds, "s"))
    kernels = [it for it in psutil.Process(server.process.pid).children(recursive=True) if it.num_threads() > 4]
    sizes = [it.memory_full_info().pss / 1e6 for it in (psutil.Process(server.process.pid), *kernels)]
    yield Figure("memory of a kernel (PSS)", max(sizes[1:]), "MB", 200, f"the server itself {sizes[0]:.0f} MB")
    page.context.close()


def _time_change(page: Page, field: object, value: str) -> float:
    """Return the seconds from a choice to a chart that was drawn anew, as the page itself sees both."""
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
    field.select_option(label=value)  # type: ignore[attr-defined]
    page.wait_for_function("window.drawn !== null")
    seconds = page.evaluate("(window.drawn - window.chosen) / 1000")
    page.wait_for_timeout(300)
    return float(seconds)


def _wait_until_idle(server: Server) -> None:
    """Wait until nothing of the server is at work: a kernel waits, or none is to."""
    family = psutil.Process(server.process.pid)
    time.sleep(4)
    for _ in range(120):
        processes = [family, *family.children(recursive=True)]
        before = sum(sum(process.cpu_times()[:2]) for process in processes)
        time.sleep(0.5)
        after = sum(sum(process.cpu_times()[:2]) for process in processes if process.is_running())
        if after - before < 0.05:
            return


def _describe(seconds: list[float], unit: str) -> str:
    spread = f"{min(seconds):.2f} to {max(seconds):.2f} {unit}"
    return f"{spread}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
