"""Whoever asks too often is told when to go on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.server.limiting import RateLimit
from app.settings import Settings

QUERY = "/api/v1/forecast?location=World&from=2030&to=2030"


def ask_times(client: FlaskClient, path: str, times: int, address: str = "10.0.0.1") -> list[int]:
    return [client.get(path, environ_base={"REMOTE_ADDR": address}).status_code for _ in range(times)]


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
    limit = RateLimit(2, 0.2)
    assert [limit.take("a") for _ in range(3)] == [True, True, False]
    assert limit.take("b")
    time.sleep(0.25)
    assert limit.take("a")
    assert limit.clients == 1


def test_threads_together_take_no_more_than_is_allowed() -> None:
    limit = RateLimit(500)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: limit.take("a"), range(2000)))
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
