"""Whoever asks too often is told when to go on; a counter that is lost is no reason to refuse anybody."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.server.limiting import Windows
from app.settings import Settings
from tests.soak.server import find_free_port, serve

QUERY = "/api/v1/forecast?location=World&from=2030&to=2030"
HOW_TO_GET_ONE = "no redis-server: `apt-get install redis-server` gets one"


def ask_times(client: FlaskClient, path: str, times: int, address: str = "10.0.0.1") -> list[int]:
    return [client.get(path, environ_base={"REMOTE_ADDR": address}).status_code for _ in range(times)]


@contextmanager
def run_redis(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a real redis-server, which keeps nothing on disk, until the block ends."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail(HOW_TO_GET_ONE) if os.environ.get("CI") else pytest.skip(HOW_TO_GET_ONE)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_open(port))
        yield process
    finally:
        process.kill()
        process.wait(10)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(holds: Callable[[], bool], patience: float = 20) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("path", [QUERY, "/", "/api/v1/forecast?location=Wurld"])
def test_the_request_after_the_last_allowed_is_a_429(path: str) -> None:
    # Kept answers, computed ones and refusals count alike.
    client = create_app(Settings(rate=5)).test_client()
    *allowed, refused = ask_times(client, path, 6)
    assert refused == 429
    assert 429 not in allowed


def test_a_429_says_how_much_is_allowed_and_when_to_ask_again() -> None:
    client = create_app(Settings(rate=1)).test_client()
    ask_times(client, QUERY, 1)
    answer = client.get(QUERY, environ_base={"REMOTE_ADDR": "10.0.0.1"})
    assert answer.status_code == answer.json["status"] == 429
    assert answer.content_type == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "1 per 1 minute" in answer.json["detail"]
    page = client.get("/", environ_base={"REMOTE_ADDR": "10.0.0.1"})
    assert page.status_code == 429
    assert page.mimetype == "text/html"
    assert "1 per 1 minute" in page.text


def test_the_limit_is_over_all_pages_and_for_each_address() -> None:
    client = create_app(Settings(rate=3)).test_client()
    assert ask_times(client, "/", 2) == [200, 200]
    assert ask_times(client, QUERY, 2) == [200, 429]
    assert ask_times(client, QUERY, 1, "10.0.0.2") == [200]


def test_health_and_files_are_not_limited() -> None:
    client = create_app(Settings(rate=1)).test_client()
    ask_times(client, "/", 2)
    for path in ("/healthz", "/readyz", "/version", "/static/app.js", "/theme/style.css"):
        assert ask_times(client, path, 5) == [200] * 5


FAULTY = [
    ("/nothing", {}, 404),
    ("/api/v1/nothing", {}, 404),
    ("/static/nothing.js", {}, 404),
    ("/theme/nothing.css", {}, 404),
    ("/healthz/nothing", {}, 404),
    ("/reports/nothing.html", {}, 404),
    ("/", {"method": "DELETE"}, 405),
    ("/healthz", {"method": "POST"}, 405),
    (QUERY, {"headers": {"Content-Encoding": "gzip"}}, 415),
    ("/healthz", {"headers": {"Content-Encoding": "gzip"}}, 415),
    (QUERY, {"headers": {"Transfer-Encoding": "gzip, chunked"}}, 415),
    (QUERY, {"headers": {"Host": "a b"}}, 400),
    ("/static/app.js", {"headers": {"Host": "a b"}}, 400),
    (f"{QUERY}&location={'x' * 8000}", {}, 414),
]


@pytest.mark.parametrize(("path", "how", "status"), FAULTY, ids=str)
def test_what_is_refused_counts_like_all_else(path: str, how: dict[str, Any], status: int) -> None:
    client = create_app(Settings(rate=3)).test_client()
    # The address is cached, where it can be.
    assert client.get(QUERY).status_code == 200
    assert [client.open(path, **how).status_code for _ in range(2)] == [status] * 2
    assert client.get(QUERY).status_code == 429


@pytest.mark.parametrize("rate_limits", [True, False])
@pytest.mark.parametrize("asked", [1, 2], ids=["first", "cached"])
@pytest.mark.parametrize(
    ("headers", "status", "word"),
    [
        ({"Content-Encoding": "gzip"}, 415, "not compressed"),
        ({"Transfer-Encoding": "gzip, chunked"}, 415, "chunked"),
        ({"Host": "a b"}, 400, "host's name"),
        ({"Host": 'x"><script>'}, 400, "host's name"),
    ],
)
def test_what_is_refused_is_refused_whether_the_answer_is_kept_or_not(
    headers: dict[str, str], status: int, word: str, asked: int, rate_limits: bool
) -> None:
    client = create_app(Settings(rate_limits=rate_limits)).test_client()
    for _ in range(asked):
        answer = client.get(QUERY, headers=headers)
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
        assert word in answer.json["detail"]
        assert client.get(QUERY).status_code == 200


def test_an_ipv6_client_is_counted_by_its_network() -> None:
    client = create_app(Settings(rate=2)).test_client()
    ours = [ask_times(client, "/", 1, f"2001:db8:1:2::{number:x}") for number in range(3)]
    assert ours == [[200], [200], [429]]
    assert ask_times(client, "/", 1, "2001:db8:1:3::1") == [200]


def test_an_ipv4_client_is_the_same_however_it_is_written() -> None:
    client = create_app(Settings(rate=3, proxies=1)).test_client()
    written = ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1:8080", "192.0.2.1"]
    asked = [client.get("/", headers={"X-Forwarded-For": address}).status_code for address in written]
    assert asked == [200, 200, 200, 429]


@pytest.mark.parametrize(
    "forwarded",
    [
        "",
        ",",
        "unknown",
        "_hidden",
        "[::1]:80",
        "[::1",
        "::1%eth0",
        "1.2.3.4.5",
        "a, b, c",
        "\xe9",
        "x" * 5000,
        "::" * 99,
    ],
    ids=lambda text: text[:10],
)
def test_an_address_that_is_none_is_counted_as_it_is_written(forwarded: str) -> None:
    client = create_app(Settings(rate=1, proxies=1)).test_client()
    asked = [client.get("/", headers={"X-Forwarded-For": forwarded}).status_code for _ in range(2)]
    assert asked == [200, 429]


def test_a_window_ends_and_is_forgotten() -> None:
    windows = Windows(2, 0.2)
    assert [windows.take("a") for _ in range(3)] == [True, True, False]
    assert windows.take("b")
    time.sleep(0.25)
    assert windows.take("a")
    assert len(windows) == 1


def test_threads_together_take_no_more_than_is_allowed() -> None:
    windows = Windows(500, 60)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: windows.take("a"), range(2000)))
    assert sum(taken) == 500


def test_the_limits_can_be_lifted() -> None:
    client = create_app(Settings(rate=1, rate_limits=False)).test_client()
    assert ask_times(client, QUERY, 10) == [200] * 10


def test_behind_a_proxy_each_client_has_its_own_limit_and_cannot_choose_it() -> None:
    client = create_app(Settings(rate=1, proxies=1)).test_client()

    def ask(forwarded: str) -> int:
        return client.get("/", headers={"X-Forwarded-For": forwarded}).status_code

    assert [ask("1.1.1.1"), ask("2.2.2.2")] == [200, 200]
    # The proxy appends; what a client wrote before is not believed.
    assert [ask("9.9.9.9, 1.1.1.1"), ask("8.8.8.8, 1.1.1.1")] == [429, 429]


def test_without_a_proxy_nobody_chooses_an_address() -> None:
    client = create_app(Settings(rate=1)).test_client()
    asked = [client.get("/", headers={"X-Forwarded-For": f"1.1.1.{number}"}).status_code for number in range(3)]
    assert asked == [200, 429, 429]


def test_two_apps_count_together_in_redis(tmp_path: Path) -> None:
    port = find_free_port()
    with run_redis(port, tmp_path):
        url = f"redis://127.0.0.1:{port}/0"
        one, other = (create_app(Settings(rate=4, redis_url=url)).test_client() for _ in range(2))
        assert ask_times(one, QUERY, 2) + ask_times(other, QUERY, 2) == [200] * 4
        assert ask_times(one, QUERY, 1) + ask_times(other, QUERY, 1) == [429] * 2


def test_while_redis_is_gone_the_workers_count_for_themselves_and_say_so_once(tmp_path: Path) -> None:
    port = find_free_port()
    environ = {"REDIS_URL": f"redis://127.0.0.1:{port}/0", "POPFORECAST_RATE": "50", "WEB_CONCURRENCY": "1"}
    with run_redis(port, tmp_path) as redis, serve(tmp_path / "log.txt", environ) as server:
        assert {server.ask(QUERY).status for _ in range(10)} == {200}
        redis.kill()
        redis.wait(10)
        statuses = [server.ask(QUERY).status for _ in range(60)]
        assert statuses == [200] * 50 + [429] * 10
        lines = [json.loads(line) for line in server.read_log().splitlines()]
        lost = [line for line in lines if "unreachable" in str(line.get("message"))]
        assert len(lost) == 1
        assert lost[0]["level"] == "warning"
        assert "Traceback" not in server.read_log()
        with run_redis(port, tmp_path):
            # It looks again after 1, 2, 4, ... seconds; Redis has forgotten the count.
            wait_until(lambda: server.ask(QUERY).status == 200, 40)


def test_a_redis_that_was_never_there_stops_nothing(tmp_path: Path) -> None:
    client = create_app(Settings(rate=3, redis_url=f"redis://127.0.0.1:{find_free_port()}/0")).test_client()
    assert ask_times(client, QUERY, 5) == [200, 200, 200, 429, 429]


def test_a_redis_that_hangs_delays_a_request_by_less_than_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        client = create_app(Settings(rate=3, redis_url=f"redis://127.0.0.1:{port}/0")).test_client()
        started = time.monotonic()
        assert ask_times(client, "/healthz", 1) + ask_times(client, QUERY, 5) == [200, 200, 200, 200, 429, 429]
        assert time.monotonic() - started < 5
