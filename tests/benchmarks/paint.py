"""The forecast page in a real browser: when its largest part is painted, on a processor four times as slow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import find_launch_options
from tests.soak.server import serve

from .figure import Figure

FIVE = "/forecast?location=356&location=156&location=840&location=360&location=586&from=2030&to=2050"
SLOWDOWN, TIMES = 4, 7

LARGEST_PAINT = """() => new Promise((resolve) => new PerformanceObserver((list) =>
  resolve(list.getEntries().at(-1).startTime)).observe({ type: "largest-contentful-paint", buffered: true }))"""


def measure() -> Iterator[Figure]:
    """Measure first visits: the first of all, and the median of those that follow."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt", {"WEB_CONCURRENCY": "1"}) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**find_launch_options(playwright))
        first, *others = (time_paint(browser, server.url + FIVE) for _ in range(TIMES))
        browser.close()
    spread = f"first {first:.0f} ms, others {min(others):.0f} to {max(others):.0f} ms, at {SLOWDOWN}x slowdown"
    yield Figure("largest paint of a first visit", median(others), "ms", 1000, spread)


def time_paint(browser: Browser, url: str) -> float:
    """Return the milliseconds from the visit to the largest paint, with nothing kept from before."""
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        page.goto(url, wait_until="load")
        return float(page.evaluate(LARGEST_PAINT))
