"""Load, faults and noise, in a short form: `make soak` runs the long one. All of it against the Procfile's command."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from tests.soak.fuzz import fuzz
from tests.soak.load import storm
from tests.soak.server import Server, serve

UNLIMITED = {"RATELIMIT_ENABLED": "0"}

# Everything is counted, and each client by what a proxy says of it, but nobody comes to the limit.
COUNTED = {"POPFORECAST_RATE": "1000000", "POPFORECAST_PROXIES": "1", "POPFORECAST_METRICS": "1"}
QUERY = "/api/v1/forecast?location=NGA&from=2030&to=2031"

# Megabytes for two workers, with the server that they hang on; and what a dyno has, whatever is asked for.
MOST_MEMORY, DYNO = 400, 512


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("load") / "log.txt", COUNTED) as server:
        yield server


def test_a_third_of_a_minute_of_fifty_connections_gets_no_error_and_little_memory(server: Server) -> None:
    # Caches fill, models are fitted: what grows afterwards would grow for ever.
    storm(server, 8, seed=1)
    before = server.measure_memory()
    report = storm(server, 12, seed=2)
    after = server.measure_memory()
    assert report.faults == []
    assert report.broken == 0
    assert {200, 303, 400} <= set(report.statuses)
    assert max(report.statuses) < 500
    assert len(server.find_workers()) == 2
    assert max(before, after) < MOST_MEMORY
    assert after < 1.25 * before


def test_batches_of_every_location_stop_nobody_and_fit_into_a_dyno(server: Server) -> None:
    everything = "/api/v1/forecast?location=all&to=2100&from="
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(server.ask, f"{everything}{1990 + number}") for number in range(8)]
        while not all(future.done() for future in asked):
            assert server.ask(QUERY).status == 200
            time.sleep(0.05)
            assert server.measure_memory() < DYNO
    assert {future.result().status for future in asked} == {200}


def test_a_thousand_fuzzed_requests_get_an_answer_and_no_traceback(server: Server) -> None:
    report = fuzz(server, 1000)
    assert report.faults == []
    assert report.broken == 0
    assert max(report.statuses) < 500
    assert "Traceback" not in server.read_log()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GE",
        b"GET /forecast HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 900\r\n\r\nlocation=",
    ],
)
def test_thirty_slow_clients_stop_nobody(server: Server, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(30):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            connection.sendall(sent)
        time.sleep(0.5)
        for _ in range(20):
            started = time.monotonic()
            assert server.ask(QUERY).status == 200
            assert time.monotonic() - started < 2


def test_a_client_that_never_ends_its_request_is_cut_off(server: Server) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=40) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        with suppress(OSError):
            while time.monotonic() - started < 35:
                connection.sendall(b"X-Drip: 1\r\n")
                time.sleep(0.5)
    assert 9 < time.monotonic() - started < 30


def test_a_body_that_never_comes_is_a_400_that_says_how_much_came(server: Server) -> None:
    head = b"POST /api/v1/forecast HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=40) as connection:
        connection.sendall(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\nlocation=World")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"ends after 14 of its 99 bytes" in answer


def test_a_client_that_does_not_read_its_answer_stops_nobody(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(12):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(b"GET /api/v1/locations HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        assert server.ask(QUERY).status == 200


def test_a_killed_worker_costs_no_more_than_what_it_had_in_hand(tmp_path: Path) -> None:
    with serve(tmp_path / "log.txt", UNLIMITED) as server, ThreadPoolExecutor(1) as pool:
        storming = pool.submit(storm, server, 5, 20)
        time.sleep(1)
        victim = server.find_workers()[0]
        os.kill(victim.pid, signal.SIGKILL)
        report = storming.result()
        assert report.faults == []
        # Each connection had at most one request at the worker, and a kept-alive one may break once more.
        assert report.broken <= 20
        assert report.asked > 100
        assert victim.pid not in [worker.pid for worker in server.find_workers()]
        assert len(server.find_workers()) == 2
        assert server.ask("/readyz").status == 200


def test_sigterm_answers_what_is_in_flight_and_leaves_no_process(tmp_path: Path) -> None:
    answers: list[tuple[int, float]] = []
    with serve(tmp_path / "log.txt", UNLIMITED) as server:
        family = [psutil.Process(server.process.pid), *server.find_workers()]
        # Beyond the cache, and each slow enough to be in flight: every location to the last year.
        codes = [row["code"] for row in json.loads(server.ask("/api/v1/locations").body)["locations"]]
        query = "&".join(f"location={code}" for code in codes)
        arrived = threading.Barrier(7)

        def ask(number: int) -> None:
            arrived.wait()
            status = server.ask(f"/api/v1/forecast?{query}&from={1950 + number}&to=2100").status
            answers.append((status, time.monotonic()))

        with ThreadPoolExecutor(6) as pool:
            futures = [pool.submit(ask, number) for number in range(6)]
            arrived.wait()
            time.sleep(0.3)
            told = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            for future in futures:
                future.result()
        assert server.process.wait(25) == 0
        _, alive = psutil.wait_procs(family, timeout=5)
    assert [status for status, _ in answers] == [200] * 6
    assert max(ended for _, ended in answers) > told
    assert alive == []
    assert "Traceback" not in server.read_log()
