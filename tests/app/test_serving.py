"""What the server answers where the app is never asked, and what it leaves alone: against the real one."""

from __future__ import annotations

import http.client
import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.server.gunicorn import Lines
from app.server.security import HEADERS
from tests.soak.fuzz import send_raw
from tests.soak.server import Server, serve

CHUNKED = b"POST /api/v1/forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {"RATELIMIT_ENABLED": "0", "WEB_CONCURRENCY": "1"}
    with serve(tmp_path_factory.mktemp("serving") / "log.txt", environ) as server:
        yield server


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"NOT A REQUEST FROM O'BRIEN\r\n\r\n", 400, "O'BRIEN"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "HOST"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n", 400, "Bad Header"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n", 400, "CONTENT-LENGTH"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "8190"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 431, "limit"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: nothing\r\n\r\n", 417, "nothing"),
        (CHUNKED + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "TRANSFER-ENCODING"),
    ],
)
def test_what_is_no_http_is_refused_as_the_app_refuses(server: Server, sent: bytes, status: int, words: str) -> None:
    code, text = send_raw(server, sent)
    head, _, body = text.partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    problem = json.loads(body)
    assert code == problem["status"] == status
    assert words in problem["detail"]
    assert len(problem["detail"]) < 300
    assert headers["Content-Type"] == "application/problem+json"
    assert int(headers["Content-Length"]) == len(body)
    assert headers.items() >= HEADERS.items()
    assert "O'BRIEN" not in server.read_log()
    assert "Traceback" not in server.read_log()


def test_a_body_that_is_compressed_on_its_way_is_not_taken_for_a_plain_one(server: Server) -> None:
    sent = CHUNKED + b"Transfer-Encoding: gzip, chunked\r\n\r\nc\r\nlocation=NGA\r\n0\r\n\r\n"
    status, text = send_raw(server, sent)
    assert status == 415
    assert "'gzip, chunked'" in text


def test_a_chunk_that_breaks_off_says_that_the_body_cannot_be_read(server: Server) -> None:
    status, text = send_raw(server, CHUNKED + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\nlocation=NGA")
    assert status == 400
    assert "body cannot be read" in text


@pytest.mark.parametrize("path", ["/", "/docs", "/forecast?location=NGA", "/api/v1/models", "/healthz", "/nowhere"])
@pytest.mark.parametrize(
    "host", ["a" * 64, "a" * 64 + ".example", "a.b." * 100, "a b", "", 'x"><script>', "x/../y", "[::1", "x:port", "é"]
)
def test_a_host_that_is_none_is_a_400_that_quotes_it(server: Server, host: str, path: str) -> None:
    answer = server.ask(path, Host=host.encode("latin-1"))
    assert answer.status == 400
    assert b"expected a host" in answer.body
    # On a page it stands as text; in problem details nothing is run.
    assert b"<script>" not in answer.body or answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in server.read_log()


@pytest.mark.parametrize("host", ["a" * 63, "my_app.example:8080", "[::1]:80", "127.0.0.1", "example.org."])
def test_a_host_is_a_name_or_an_address_and_perhaps_a_port(server: Server, host: str) -> None:
    assert server.ask("/forecast?location=NGA", Host=host).status == 200


def test_a_request_without_a_body_takes_its_time_and_keeps_its_connection(tmp_path: Path) -> None:
    # The clock of slow clients is for what they have yet to send: a patience shorter than the answer cuts nobody off.
    hurried = "app.server.gunicorn.LONGEST_REQUEST = 0.02"
    config = tmp_path / "hurried.conf.py"
    config.write_text(f"exec(open('app/gunicorn.conf.py').read())\nimport app.server.gunicorn\n{hurried}\n")
    with serve(
        tmp_path / "log.txt", {"WEB_CONCURRENCY": "1"}, command=f"gunicorn --config {config} 'app:create_app()'"
    ) as (server):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for year in range(2030, 2034):
            connection.request("GET", f"/api/v1/forecast?location=all&from={year}&to=2100")
            response = connection.getresponse()
            assert response.status == 200
            assert response.read()
            assert response.headers["Connection"] == "keep-alive"
        connection.close()


def test_every_request_is_in_the_log_when_the_server_was_told_to_end(tmp_path: Path) -> None:
    with serve(tmp_path / "log.txt", {"RATELIMIT_ENABLED": "0"}) as server:
        for number in range(3):
            assert server.ask("/healthz", X_Request_ID=f"asked-before-the-end-{number}").status == 200
        server.process.terminate()
        assert server.process.wait(60) == 0
        logged = [json.loads(line).get("request_id") for line in server.read_log().splitlines()]
    assert [f"asked-before-the-end-{number}" in logged for number in range(3)] == [True] * 3


def test_a_worker_told_to_end_while_it_starts_ends(tmp_path: Path) -> None:
    config = tmp_path / "late.conf.py"
    late = "def post_fork(server, worker):\n    time.sleep(2 * (worker.age == 2))\n"
    config.write_text(f"import time\nexec(open('app/gunicorn.conf.py').read())\n{late}")
    with serve(tmp_path / "log.txt", command=f"gunicorn --config {config} 'app:create_app()'") as server:
        while len(server.find_workers()) < 2:
            time.sleep(0.01)
        server.process.terminate()
        assert server.process.wait(60) == 0
        said = server.read_log()
    # One that does not hear of it is killed instead, and says nothing.
    assert said.count("Worker exiting") == 2


def test_lines_are_written_together_once_there_are_many(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(3, target=logging.StreamHandler(sys.stdout))
    written = []
    for number in range(7):
        lines.handle(logging.makeLogRecord({"msg": f"line {number}", "levelno": logging.INFO}))
        written.append(capsys.readouterr().out.splitlines())
    lines.flush()
    assert written == [[], [], ["line 0", "line 1", "line 2"], [], [], ["line 3", "line 4", "line 5"], []]
    assert capsys.readouterr().out == "line 6\n"


def test_requests_go_on_where_their_lines_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - to close it fails as well
    lines = Lines(2, target=logging.StreamHandler(full))
    for number in range(5):
        lines.handle(logging.makeLogRecord({"msg": f"line {number}", "levelno": logging.INFO}))
    lines.flush()
    assert capsys.readouterr().err.count("No space left on device") >= 3
    with pytest.raises(OSError, match="No space left"):
        full.close()
