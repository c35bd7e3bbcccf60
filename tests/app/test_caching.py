"""What was asked before is answered from memory, byte for byte as the app would; what may not be kept is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from cachetools import LRUCache
from werkzeug.test import Client, EnvironBuilder

from app import create_app
from app.server.caching import keep_answers, make_cache
from app.server.log import ROUTE
from app.settings import Settings

PUBLIC = ("Cache-Control", "public, max-age=300")
URL = "/api/v1/forecast?location=NGA&from=2030&to=2031&model=ar1"


class Counting:
    """A WSGI application that counts how often it was asked, and answers with its count."""

    def __init__(self, *headers: tuple[str, str], status: str = "200 OK", body: bytes | None = None) -> None:
        self.headers, self.status, self.body, self.asked, self.closed = list(headers), status, body, 0, 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked += 1
        body = f"{self.asked}".encode() if self.body is None else self.body
        environ[ROUTE] = "/here"
        start_response(self.status, [*self.headers, ("Content-Length", str(len(body)))])
        return Closing([] if environ["REQUEST_METHOD"] == "HEAD" else [body], self)


class Closing(list[bytes]):
    def __init__(self, chunks: list[bytes], app: Counting) -> None:
        super().__init__(chunks)
        self.app = app

    def close(self) -> None:
        self.app.closed += 1


def test_what_was_asked_before_is_answered_from_memory() -> None:
    app = Counting(PUBLIC, ("Content-Type", "text/plain"))
    client = Client(keep_answers(app))
    first, again = client.get("/a?b=1"), client.get("/a?b=1")
    assert (first.text, again.text) == ("1", "1")
    assert set(first.headers) == {(name, value) for name, value in again.headers if name != "X-Request-ID"}
    assert (app.asked, app.closed) == (1, 1)


def test_head_is_answered_from_what_get_left() -> None:
    client = Client(keep_answers(app := Counting(PUBLIC)))
    client.get("/a")
    answer = client.head("/a")
    assert (answer.data, answer.headers["Content-Length"], app.asked) == (b"", "1", 1)


def test_the_answer_to_a_head_is_not_kept_for_get() -> None:
    client = Client(keep_answers(app := Counting(PUBLIC)))
    client.head("/a")
    assert (client.get("/a").text, app.asked) == ("2", 2)


@pytest.mark.parametrize("known", ['"abc"', 'W/"abc"', '"x", W/"abc"', "*"])
def test_who_has_the_answer_gets_a_304_without_body(known: str) -> None:
    client = Client(keep_answers(app := Counting(PUBLIC, ("ETag", 'W/"abc"'), ("Content-Type", "text/csv"))))
    client.get("/a")
    answer = client.get("/a", headers={"If-None-Match": known})
    assert (answer.status_code, answer.data, app.asked) == (304, b"", 1)
    assert answer.headers["ETag"] == 'W/"abc"'
    assert answer.headers["Cache-Control"] == PUBLIC[1]
    assert not {"Content-Type", "Content-Length"} & set(answer.headers.keys())


def test_who_has_another_answer_gets_this_one() -> None:
    client = Client(keep_answers(Counting(PUBLIC, ("ETag", '"abc"'))))
    client.get("/a")
    assert client.get("/a", headers={"If-None-Match": '"def"'}).status_code == 200


@pytest.mark.parametrize(
    "app",
    [
        Counting(),
        Counting(("Cache-Control", "no-store")),
        Counting(("Cache-Control", "private, max-age=60")),
        Counting(PUBLIC, ("Set-Cookie", "a=b")),
        Counting(PUBLIC, ("Vary", "Cookie")),
        Counting(PUBLIC, ("Vary", "Accept-Encoding, Accept")),
        Counting(PUBLIC, status="404 NOT FOUND"),
        Counting(PUBLIC, status="500 INTERNAL SERVER ERROR"),
        Counting(PUBLIC, status="301 MOVED PERMANENTLY"),
        Counting(PUBLIC, status="304 NOT MODIFIED"),
    ],
    ids=["unmarked", "no-store", "private", "cookie", "vary-cookie", "vary-accept", "404", "500", "301", "304"],
)
def test_what_may_not_be_kept_is_asked_for_each_time(app: Counting) -> None:
    client, before = Client(keep_answers(app)), app.asked
    client.get("/a")
    client.get("/a")
    assert app.asked - before == 2


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/b"},
        {"query_string": "c=2"},
        {"base_url": "https://localhost/"},
        {"base_url": "http://elsewhere.org/"},
        {"headers": {"Accept-Encoding": "gzip"}},
        {"method": "POST"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_question_is_another_answer(other: dict[str, Any]) -> None:
    client = Client(keep_answers(app := Counting(PUBLIC)))
    client.get("/a")
    client.open(EnvironBuilder(**{"path": "/a"} | other))
    assert app.asked == 2


def test_what_belongs_to_one_answer_is_not_repeated() -> None:
    app = Counting(PUBLIC, ("X-Request-ID", "first"), ("Date", "Sun, 22 Nov 2026 09:00:00 GMT"))
    client = Client(keep_answers(app))
    client.get("/a")
    answer = client.get("/a", headers={"X-Request-ID": "my-own-second"})
    assert answer.headers.getlist("X-Request-ID") == ["my-own-second"]
    assert "Date" not in answer.headers


def test_the_log_hears_of_every_answer() -> None:
    cached = keep_answers(app := Counting(PUBLIC))
    Client(cached).get("/a")
    environ = EnvironBuilder("/a").get_environ()
    list(cached(environ, lambda *_: None))
    assert (app.asked, environ[ROUTE]) == (1, "/here")


def test_memory_is_bounded_and_the_oldest_question_makes_room() -> None:
    app = Counting(PUBLIC, body=b"x" * 10_000)
    client = Client(keep_answers(app, kept := make_cache(50_000)))
    for i in range(100):
        client.get(f"/{i}")
        client.get("/0")
    assert 20_000 < kept.currsize <= 50_000
    assert app.asked == 100
    client.get("/1")
    assert app.asked == 101


def test_an_answer_as_large_as_the_memory_is_not_kept() -> None:
    kept = make_cache(100_000_000)
    Client(keep_answers(Counting(PUBLIC, body=b"x" * 2_000_000), kept)).get("/a")
    assert not kept


def test_an_answer_that_is_shorter_than_it_says_is_not_kept() -> None:
    def broken(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [PUBLIC, ("Content-Length", "10")])
        return [b"short"]

    Client(keep_answers(broken, kept := make_cache())).get("/a")
    assert not kept


def test_an_error_in_the_middle_leaves_nothing_behind() -> None:
    def failing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [PUBLIC, ("Content-Length", "10")])
        return (b"x" * (1 // (i - 1)) for i in range(5))

    client = Client(keep_answers(failing, kept := make_cache()))
    with pytest.raises(ZeroDivisionError):
        client.get("/a")
    assert not kept


def test_many_threads_get_the_answers_to_their_own_questions() -> None:
    def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["PATH_INFO"].encode()
        start_response("200 OK", [PUBLIC, ("Content-Length", str(len(body)))])
        return [body]

    cached, wrong = keep_answers(echo, kept := make_cache(40_000)), []

    def ask() -> None:
        client = Client(cached)
        wrong.extend(path for i in range(300) if client.get(path := f"/{i * 7 % 30}").text != path)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 0 < kept.currsize <= 40_000


@pytest.fixture(scope="module")
def cached() -> tuple[LRUCache[Any, Any], Client]:
    kept = make_cache()
    return kept, Client(keep_answers(create_app(Settings(rate_limits=False)).wsgi_app, kept))


@pytest.mark.parametrize("rate_limits", [True, False])
def test_a_kept_answer_is_counted_and_checked_without_flask(rate_limits: bool) -> None:
    app, asked = create_app(Settings(rate=3, rate_limits=rate_limits)), []
    app.before_request(lambda: asked.append("Flask"))
    client = app.test_client()
    answers = [client.get(URL) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 3
    assert asked == ["Flask"]
    assert client.get(URL).status_code == (429 if rate_limits else 200)


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
def test_the_app_s_answers_are_the_same_from_memory(cached: tuple[LRUCache[Any, Any], Client], encoding: str) -> None:
    _, client = cached
    asked = f"{URL}&location=356&location=360&location=404"
    first, again = (client.get(asked, headers={"Accept-Encoding": encoding}) for _ in range(2))
    assert first.data == again.data
    assert first.headers.get("Content-Encoding", "identity") == encoding
    assert first.headers["Vary"] == again.headers["Vary"] == "Accept-Encoding"
    assert set(first.headers.keys()) - set(again.headers.keys()) <= {"Date", "X-Request-ID"}


@pytest.mark.parametrize(
    "path", ["/api/v1/forecast?location=Wurld", "/api/v1/nothing", "/healthz", f"{URL}&release=0.0.0-000000000000"]
)
def test_neither_errors_nor_health_are_kept(cached: tuple[LRUCache[Any, Any], Client], path: str) -> None:
    kept, client = cached
    before = len(kept)
    client.get(path)
    assert len(kept) == before
