"""Thirty tabs of the explorer, opened and closed: ``python -m tests.soak.explorer``. Nothing may be left of them."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path
from statistics import mean

import click
import psutil
from playwright.sync_api import sync_playwright

from tests.benchmarks.explorer import open_page, serve
from tests.browser.conftest import Server, find_launch_options

# Seconds until every kernel must be back, and by how much the server may grow from a third of the way on.
LONGEST, MOST_GROWTH = 120, 1.10


@click.command()
@click.option("--tabs", default=30, show_default=True)
@click.option("--unsaid", default=5, show_default=True, help="How many of them end without a word, as a crash would.")
def main(tabs: int, unsaid: int) -> None:
    """Open and close tabs of a server with its own settings, and watch its kernels and its memory."""
    with sync_playwright() as playwright, serve() as server:
        options = find_launch_options(playwright)
        sizes = []
        for tab in range(tabs):
            browser = playwright.chromium.launch(**options)
            while count_taken(server) >= MOST:
                time.sleep(1)
            page = open_page(browser, server.url)
            if tab >= tabs - unsaid:
                # A tab that crashes says nothing to anybody.
                page.context.new_cdp_session(page).send("Network.setBlockedURLs", {"urls": ["*explorer/kernels*"]})
            browser.close()
            sizes.append(measure_memory(server))
        started = time.monotonic()
        while count_taken(server) and time.monotonic() - started < LONGEST:
            time.sleep(1)
        left, seconds = count_taken(server), time.monotonic() - started
        sizes.append(measure_memory(server))
    growth = sizes[-1] / mean(sizes[len(sizes) // 3 : len(sizes) // 3 + 3])
    click.echo(f"explorer: {tabs} tabs, {left} kernels left after {seconds:.0f} s (asked: none within {LONGEST} s)")
    click.echo(f"explorer: memory of the server {sizes[0]:.0f} MB, in the end {sizes[-1]:.0f} MB, growth {growth:.2f}")
    sys.exit(bool(left) or growth > MOST_GROWTH)


def count_taken(server: Server) -> int:
    """Return how many kernels belong to pages."""
    with urllib.request.urlopen(f"{server.url}/explorer/health") as answer:
        return int(json.load(answer)["taken"])


def measure_memory(server: Server) -> float:
    """Return the megabytes of the server itself; a kernel's end with it."""
    return psutil.Process(server.process.pid).memory_info().rss / 1e6


# The limit of notebooks/voila.json.
MOST = json.loads((Path(__file__).parents[2] / "notebooks" / "voila.json").read_text())["Server"]["most_kernels"]


if __name__ == "__main__":
    main(prog_name="python -m tests.soak.explorer")
