"""A real browser and real servers: a system Chromium, and processes that are always brought to an end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.soak.server import serve as serve_app

HOW_TO_GET_ONE = "no Chromium: `apt-get install chromium` or `python -m playwright install chromium` gets one"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Server:
    """A server process that answers, until it is stopped."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """End the process and all its children."""
        _end(self.process)


Serve = Callable[..., Server]


def find_chromium(playwright: Playwright) -> str | None:
    """Return the system's Chromium, else Playwright's own, else None."""
    for path in (*map(shutil.which, SYSTEM_NAMES), playwright.chromium.executable_path):
        if path and Path(path).exists():
            return path
    return None


def find_launch_options(playwright: Playwright) -> dict[str, Any]:
    """Return what it takes to launch Chromium here; without one, fail in CI and skip elsewhere."""
    path = find_chromium(playwright)
    if path is None:
        pytest.fail(HOW_TO_GET_ONE) if os.environ.get("CI") else pytest.skip(HOW_TO_GET_ONE)
    # Chromium's sandbox refuses to start as root, and a container's /dev/shm is too small for it.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return {"executable_path": path, "args": arguments}


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the web app as the Procfile starts it, with one worker."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with serve_app(log, {"WEB_CONCURRENCY": "1", "RATELIMIT_ENABLED": "0"}) as server:
        yield server.url


# Module scope, not session: while Playwright runs, its event loop is this thread's, and later tests need their own.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright, running."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium, one for all tests of a module."""
    chromium = playwright.chromium.launch(**find_launch_options(playwright))
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def profile(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A headless Chromium with a profile of its own, in which sites can be installed, as in no private window."""
    folder = tmp_path_factory.mktemp("profile")
    with playwright.chromium.launch_persistent_context(folder, **find_launch_options(playwright)) as context:
        context.set_default_timeout(15_000)
        yield context


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in a fresh context."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Return ``serve(command, path="/", env=None, patience=60, port=0)``, which starts a server and waits for it.

    ``{port}`` in the command's words becomes the loopback port (0: a free one), which is in the environment as
    ``PORT``, too.
    Every process that it started is ended, with all its children, when the tests of the module are over.
    """
    with ExitStack() as servers:

        def start(
            command: list[str], path: str = "/", env: dict[str, str] | None = None, patience: float = 60, port: int = 0
        ) -> Server:
            log = tmp_path_factory.mktemp("server") / "log.txt"
            server = servers.enter_context(_run(command, log, env or {}, port))
            _wait(server, path, patience)
            return server

        yield start


@contextmanager
def _run(command: list[str], log: Path, env: dict[str, str], port: int) -> Iterator[Server]:
    with socket.socket() as probe:
        # A port given is one that a server has just left.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        port = probe.getsockname()[1]
    words = [word.replace("{port}", str(port)) for word in command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, stdout=output, stderr=output, start_new_session=True, env={**os.environ, "PORT": str(port), **env}
        )
    try:
        yield Server(f"http://127.0.0.1:{port}", port, process, log)
    finally:
        _end(process)


def _wait(server: Server, path: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            pytest.fail(f"the server ended with {server.process.returncode}:\n{server.log.read_text()}")
        try:
            with urllib.request.urlopen(server.url + path, timeout=patience):
                return
        except urllib.error.HTTPError as error:
            error.close()
            pytest.fail(f"{server.url}{path} answered {error.code}:\n{server.log.read_text()}")
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{server.url}{path} did not answer within {patience} s:\n{server.log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    # Jupyter starts its kernels in sessions of their own, so the group alone would leave them behind.
    family = []
    if psutil.pid_exists(process.pid):
        family = psutil.Process(process.pid).children(recursive=True)
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
            process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    _, alive = psutil.wait_procs(family, timeout=5)
    for child in alive:
        child.kill()
    process.wait(10)
