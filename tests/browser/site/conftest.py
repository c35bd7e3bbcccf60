"""What the tests of the site share: real gunicorn, and pages that must behave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[3]

# What the policy of a page forbids reaches the console as an error; some of it, such as a style that a script writes,
# only as an event.
WATCH = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`forbidden: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))"""

# A page that is refused is loaded all the same, and the browser says that it was refused.
REFUSED = "Failed to load resource: the server responded with a status of 40"


def watch(context: BrowserContext, url: str) -> list[str]:
    """Return a list to which every fault of the context's pages will be added."""
    faults: list[str] = []
    context.add_init_script(WATCH)

    def listen(page: Page) -> None:
        page.on("console", lambda said: faults.append(said.text) if _is_fault(said.type, said.text) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))

    context.on("page", listen)
    context.on("request", lambda request: None if request.url.startswith(url) else faults.append(request.url))
    return faults


def _is_fault(kind: str, text: str) -> bool:
    return kind in ("error", "warning") and not text.startswith(REFUSED)


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """A fresh page; it may log no error, break no policy and ask no other host."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(15_000)
        faults = watch(context, url)
        yield context.new_page()
        assert faults == []


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A page of a browser without JavaScript."""
    with browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()
