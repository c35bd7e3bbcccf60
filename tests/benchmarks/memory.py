"""What the web app's workers weigh after some requests, served by the Procfile's own command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from .figure import Figure

ROOT = Path(__file__).parents[2]
WORKERS = 2
PATHS = (
    "/",
    "/forecast?location=900&location=901&from=2030&to=2035&model=ar1&revision=wpp2019",
    "/forecast?location=900&from=2030&to=2050&revision=wpp2024",
    "/api/v1/forecast?location=356&from=2030&to=2100",
    "/api/v1/forecast.csv?location=356&from=2030&to=2100",
)


def measure() -> list[Figure]:
    """Sum the proportional set sizes of the server and its workers."""
    with serve() as (process, url):
        with ThreadPoolExecutor(8) as clients:
            list(clients.map(lambda path: get(url + path), PATHS * 20))
        family = [process, *process.children(recursive=True)]
        sizes = [member.memory_full_info().pss / 1e6 for member in family]
    beside = f"server {sizes[0]:.0f} MB, workers {' and '.join(f'{size:.0f}' for size in sizes[1:])} MB"
    return [Figure(f"memory of {len(family) - 1} web workers (PSS)", sum(sizes), "MB", 400, beside)]


@contextmanager
def serve() -> Iterator[tuple[psutil.Process, str]]:
    """Run the Procfile's command on a free port until the block ends."""
    command = (ROOT / "Procfile").read_text().partition("web:")[2].strip()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "POPFORECAST_HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(WORKERS),
    }
    server = subprocess.Popen(
        ["sh", "-c", f"exec {command}"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait(server, url)
        yield psutil.Process(server.pid), url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def wait(server: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return get(f"{url}/healthz")
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the Procfile's command does not answer at {url}")


def get(url: str) -> None:
    """Fetch a page in full."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        answer.read()
