"""The Procfile's own command, run by honcho as a platform runs it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

ROOT = Path(__file__).parents[2]
Table = dict[int, tuple[int, int]]


class Answer(NamedTuple):
    status: int
    kind: str
    body: bytes


class Web(NamedTuple):
    """The running command: honcho, everything below it, and the port on which it answers."""

    honcho: subprocess.Popen[bytes]
    port: int

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, headers, encode_chunked="Transfer-Encoding" in headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheader("Content-Type", ""), response.read())
        finally:
            connection.close()

    def find_processes(self) -> list[psutil.Process]:
        honcho = psutil.Process(self.honcho.pid)
        return [honcho, *honcho.children(recursive=True)]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "PORT": str(port), "POPFORECAST_HOST": "127.0.0.1"}
    log = tmp_path_factory.mktemp("web") / "log.txt"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "honcho", "start", "web"]
        honcho = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    running = Web(honcho, port)
    try:
        wait_for(running, log)
        yield running
    finally:
        family = running.find_processes() if honcho.poll() is None else []
        honcho.terminate()
        try:
            honcho.wait(20)
        finally:
            for process in (process for process in family if process.is_running()):
                process.kill()


def wait_for(running: Web, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and running.honcho.poll() is None:
        try:
            running.ask("GET", "/healthz")
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the Procfile's web did not answer:\n{log.read_text()}")


def count_workers(web: Web) -> int:
    """Count the leaves of the tree of processes: honcho, its shell, gunicorn's arbiter, its workers."""
    return sum(not process.children() for process in web.find_processes())


def test_it_answers_with_two_workers(web: Web) -> None:
    assert json.loads(web.ask("GET", "/healthz").body)["status"] == "ok"
    deadline = time.monotonic() + 10
    # The first worker answers while the second one is still being made.
    while count_workers(web) != 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert count_workers(web) == 2


def test_the_known_table_comes_out(web: Web, known_query: str, known_table: Table) -> None:
    rows = json.loads(web.ask("GET", f"/api/v1/forecast?{known_query}").body)["forecasts"]
    found = {(row["location"], row["year"]): round(row["population"] / 1000) for row in rows}
    for year, (world, more) in known_table.items():
        assert (found["WORLD", year], found["More developed regions", year]) == (world, more)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
@pytest.mark.parametrize(
    ("path", "answer"), [("/forecast", "text/html"), ("/api/v1/forecast", "application/problem+json")]
)
def test_a_body_of_10_mb_gets_a_whole_413(web: Web, path: str, answer: str, kind: str) -> None:
    # More than once: a connection that is reset loses the answer only now and then.
    for _ in range(3):
        got = web.ask("POST", path, b"a" * 10_000_000, Content_Type=kind)
        assert got.status == 413
        assert got.kind.startswith(answer)
        assert b"1,000,000 bytes" in got.body


def test_a_body_in_chunks_is_read_whole_or_refused(web: Web) -> None:
    headers = {"Content_Type": "application/x-www-form-urlencoded", "Transfer_Encoding": "chunked"}
    good = web.ask("POST", "/api/v1/forecast", iter([b"location=World&fr", b"om=2030&to=2030"]), **headers)
    assert good.status == 200
    assert len(json.loads(good.body)["forecasts"]) == 1
    long = web.ask("POST", "/api/v1/forecast", iter([b"location=World&to=2030", *[b"0" * 100_000] * 11]), **headers)
    assert long.status == 413


@pytest.mark.parametrize(("path", "status"), [("/api/v1/forecast", 400), ("/forecast", 400), ("/nowhere", 404)])
def test_a_body_in_broken_chunks_is_refused(web: Web, path: str, status: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as connection:
        connection.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\nzz\r\nloc\r\n".encode())
        assert int(connection.makefile("rb").readline().split()[1]) == status


def test_a_body_that_breaks_off_is_refused(web: Web) -> None:
    head = b"POST /api/v1/forecast HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 30\r\n"
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as connection:
        connection.sendall(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\nlocation=World")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"ends after 14 of its 30 bytes" in answer


def test_an_address_that_is_too_long_is_a_clean_error(web: Web) -> None:
    got = web.ask("GET", "/forecast?location=" + "a" * 20_000)
    assert got.status in (400, 414)
    assert b"Traceback" not in got.body


# Last in this module: it ends what the others ask.
def test_sigterm_ends_it_and_leaves_no_process(web: Web) -> None:
    family = web.find_processes()
    web.honcho.send_signal(signal.SIGTERM)
    web.honcho.wait(20)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
