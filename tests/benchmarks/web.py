"""What one worker on one core answers, beside a bare Flask in the same run; how fast it starts, and what two weigh."""

from __future__ import annotations

import http.client
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from tests.soak.load import storm
from tests.soak.questions import draw_arguments
from tests.soak.server import Server, serve

from .figure import Figure

CACHED = "/api/v1/forecast?location=NGA&location=World&from=2030&to=2035"
CONNECTIONS, SECONDS, ROUNDS = 8, 3, 5

# Questions never asked before, by page.
JSON_QUESTIONS, PAGE_QUESTIONS = 400, 200

# Until the worker has fitted every model behind its first answers.
WARM_UP = 8

# As it is deployed, every request is counted; nobody comes to this limit.
ONE = {"WEB_CONCURRENCY": "1", "POPFORECAST_RATE": "1000000"}
BARE = "gunicorn --worker-class gthread --threads 4 --keep-alive 95 --no-control-socket tests.benchmarks.bare:app"


def measure() -> Iterator[Figure]:
    """Measure bare Flask, then the app: requests a second, the slowest of a hundred, boot, memory."""
    with run(ONE, BARE) as bare, run(ONE) as server:
        time.sleep(WARM_UP)
        # In turns: on a busy machine both then meet the same crowd.
        rounds = [(*press(bare, "/healthz"), *press(server, CACHED)) for _ in range(ROUNDS)]
        bare_rate, bare_p99, rate, p99 = map(median, zip(*rounds, strict=True))
        json_p99 = ask_anew(server, "/api/v1/forecast", JSON_QUESTIONS)
        page_p99 = ask_anew(server, "/forecast", PAGE_QUESTIONS)
    yield Figure("cached JSON", rate, "/s", 2000, f"{rate / bare_rate:.2f} of bare Flask's {bare_rate:,.0f}", True)
    yield Figure("cached JSON, p99", p99, "ms", 15, f"{p99 / bare_p99:.2f} of bare Flask's {bare_p99:.1f} ms")
    yield Figure("JSON never asked before, p99", json_p99, "ms", 50, f"{JSON_QUESTIONS} questions, one by one")
    yield Figure("page never asked before, p99", page_p99, "ms", 300, f"{PAGE_QUESTIONS} questions, one by one")
    yield measure_boot()
    with run({"WEB_CONCURRENCY": "2", "RATELIMIT_ENABLED": "0"}, pinned=False) as server:
        storm(server, 20)
        yield Figure("memory of 2 web workers under load (PSS)", server.measure_memory(), "MB", 400)


@contextmanager
def run(environ: Mapping[str, str], command: str | None = None, pinned: bool = True) -> Iterator[Server]:
    """Serve the app, or another command, on one core where there is another one for the client."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt", environ, pin(0) if pinned else "", command) as server,
    ):
        yield server


def pin(core: int) -> str:
    """Return the words that keep a command on a core, where the machine has two and can."""
    return f"taskset -c {core}" if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else ""


def press(server: Server, path: str) -> tuple[float, float]:
    """Return requests a second, and the milliseconds within which 99 of 100 were answered: by wrk, else by our own."""
    server.ask(path)
    if not shutil.which("wrk"):
        return press_slowly(server, path)
    words = f"{pin(1)} wrk -t1 -c{CONNECTIONS} -d{SECONDS}s --latency {server.url}{path}".split()
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"not every answer was whole:\n{said}")
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)[1]  # type: ignore[index]
    return float(rate), float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def press_slowly(server: Server, path: str) -> tuple[float, float]:
    """Measure with a client in Python, which takes longer than the server."""
    deadline = time.monotonic() + SECONDS

    def ask_on(_: int) -> list[float]:
        connection, taken = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30), []
        while time.monotonic() < deadline:
            taken.append(time_one(connection, path))
        return taken

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        taken = sorted(seconds for some in pool.map(ask_on, range(CONNECTIONS)) for seconds in some)
    return len(taken) / SECONDS, 1e3 * taken[int(0.99 * len(taken))]


def ask_anew(server: Server, path: str, number: int) -> float:
    """Return the milliseconds within which 99 of 100 questions were answered that were never asked before."""
    chance = random.Random(path)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    taken = sorted(time_one(connection, f"{path}?{urlencode(draw_arguments(chance))}") for _ in range(number))
    return 1e3 * taken[int(0.99 * number)]


def time_one(connection: http.client.HTTPConnection, path: str) -> float:
    """Return the seconds that one answer takes."""
    started = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} was answered {response.status}")
    return time.perf_counter() - started


def measure_boot() -> Figure:
    """Measure from the command to the first forecast, as a platform starts it."""
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        with run({"RATELIMIT_ENABLED": "0"}, pinned=False) as server:
            server.ask(CACHED)
            taken.append(time.perf_counter() - started)
    return Figure("cold boot to the first forecast", median(taken), "s", 3)
