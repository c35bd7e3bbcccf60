"""What those who run the app ask of it, and what it refuses to say."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import popforecast as pf
from app import create_app
from app.settings import Settings
from popforecast.evaluation import reference
from tests.soak.server import Server, serve

ROOT = Path(__file__).parents[2]
QUERY = "/api/v1/forecast?location=NGA&from=2030&to=2031"


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server with its limits, as a platform runs it."""
    log = tmp_path_factory.mktemp("counted") / "log.txt"
    environ = {"POPFORECAST_PROXIES": "1", "SOURCE_VERSION": "0123abc"}
    with serve(log, environ) as server:
        yield server


def find_entries(server: Server, wanted: Callable[[dict[str, object]], bool]) -> list[dict[str, object]]:
    """Return what the log has of it; a request is logged after it was answered."""
    deadline = time.monotonic() + 10
    while True:
        entries = [json.loads(line) for line in server.read_log().splitlines()]
        found = [entry for entry in entries if wanted(entry)]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_health_and_readiness_are_said(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok", "version": pf.__version__}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["status"] == "ready"
    assert list(ready.json["checks"]) == ["tables", *pf.REVISIONS, "cohort", "known table"]


def test_the_self_test_is_the_table_that_was_known_before(known_table: dict[int, tuple[int, int]]) -> None:
    assert {year: list(pair) for year, pair in known_table.items()} == reference.load_known_table().T.to_dict("list")


def test_a_figure_that_is_off_by_a_thousand_makes_the_app_unready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = reference.load_known_table()
    known.loc[2033] = [9_042_415, 1_312_280]
    monkeypatch.setattr(reference, "load_known_table", lambda: known)
    answer = client.get("/readyz")
    assert answer.status_code == answer.json["status"] == 503
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "10"
    for part in ("ar1 on wpp2019", "1,312,279", "More developed regions", "2033", "1,312,280"):
        assert part in answer.json["detail"]


def test_the_version_names_figures_and_commit() -> None:
    said = create_app(Settings(commit="0123abc")).test_client().get("/version").json
    assert said == {
        "version": pf.__version__,
        "commit": "0123abc",
        "revisions": {
            name: {"source": name, "checksum": pf.load_panel(name).checksum, "origin": pf.load_panel(name).origin}
            for name in pf.REVISIONS
        },
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/version"])
def test_only_reading_is_allowed(client: FlaskClient, path: str) -> None:
    answer = client.post(path)
    assert answer.status_code == answer.json["status"] == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_the_check_before_a_release_says_what_holds() -> None:
    ended = subprocess.run([sys.executable, "-m", "app.check"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "12 figures as known" in ended.stdout


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("popforecast/data/wpp2024-estimates.csv", b"\n4,", b"\n4,1"),
        ("popforecast/data/wpp2024-projections.csv.gz", b"\x1f\x8b", b"\x1f\x8c"),
        ("popforecast/data/wpp2019-members.csv", b"4", b"5"),
        ("popforecast/data/wpp2010-locations.csv", b"a", b"b"),
        ("popforecast/data/wpp2024-record.csv", b"1", b"2"),
        ("popforecast/data/vintage-record.csv", b"1", b"2"),
        ("popforecast/version.py", pf.__version__.encode(), b"9.9.9"),
    ],
)
def test_it_neither_starts_nor_is_released_with_data_that_disagree(
    tmp_path: Path, path: str, old: bytes, new: bytes
) -> None:
    copy_damaged(tmp_path, path, old, new)
    modules = [["app.check"]]
    if path.endswith(("wpp2024-estimates.csv", "version.py")):
        # The server asks the same function first: a table and the version show that it heeds the answer.
        modules += [["gunicorn", "--config", "app/gunicorn.conf.py", "--bind", "127.0.0.1:0", "app:create_app()"]]
    for module in modules:
        command = [sys.executable, "-m", *module]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0
        sentence = ended.stderr.splitlines()[-1]
        assert re.match(r"not fit for release: |popforecast does not start: ", sentence), ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_damaged_fit_is_fitted_anew_and_the_log_says_so(tmp_path: Path) -> None:
    copy_damaged(tmp_path, "popforecast/data/wpp2024-cohort.npz", b"PK\x03\x04", b"PK\x03\x05")
    ended = subprocess.run(
        [sys.executable, "-m", "app.check"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0
    assert "12 figures as known" in ended.stdout
    assert "wpp2024-cohort.npz does not have the checksum" in ended.stderr
    assert "Until then, cohort is refitted" in ended.stderr


def copy_damaged(folder: Path, path: str, old: bytes, new: bytes) -> None:
    """Copy package and app, with one file altered."""
    for package in ("app", "popforecast"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    before = (folder / path).read_bytes()
    (folder / path).write_bytes(before.replace(old, new, 1))
    assert (folder / path).read_bytes() != before


def test_the_server_names_the_commit_of_its_platform(counted: Server) -> None:
    assert json.loads(counted.ask("/version").body)["commit"] == "0123abc"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0f9a3c1e-77aa-4b7e-9d53-1f2e3d4c5b6a", True),
        ("short", False),
        ("x" * 129, False),
        ("two words and", False),
        ('12345678","admin":"1', False),
        ("naïve-naïve-naïve", False),
    ],
)
def test_a_sane_request_id_is_kept_and_any_other_replaced(counted: Server, given: str, kept: bool) -> None:
    for path in (QUERY, QUERY, "/nowhere"):
        answered = counted.ask(path, X_Request_ID=given).headers["X-Request-ID"]
        assert (answered == given) is kept
        assert re.fullmatch("[0-9a-f]{32}", answered) or kept


def test_the_log_is_json_and_says_nothing_of_who_asked_or_what(counted: Server) -> None:
    counted.ask(
        "/forecast?location=Atlantis", User_Agent="Mozilla/007", Referer="http://a.b", X_Forwarded_For="8.7.6.5"
    )
    counted.ask("/secret-path-of-a-person")
    counted.ask("/readyz", X_Request_ID="marked-request-1")
    (entry,) = find_entries(counted, lambda entry: entry.get("request_id") == "marked-request-1")
    assert (entry["event"], entry["method"], entry["route"], entry["status"]) == ("request", "GET", "/readyz", 200)
    assert set(entry) == {
        *("time", "level", "process", "event"),
        *("request_id", "method", "route", "status", "bytes", "milliseconds"),
    }
    text = counted.read_log()
    for word in ("Atlantis", "Mozilla", "a.b", "8.7.6.5", "secret-path"):
        assert word not in text


def test_a_request_that_cannot_be_read_leaves_no_address_in_the_log(counted: Server) -> None:
    with socket.create_connection(("127.0.0.1", counted.port), timeout=10) as connection:
        connection.sendall(b"NOT A REQUEST FROM ANNA\r\n\r\n")
        assert b" 400 " in connection.makefile("rb").readline()
    (entry,) = find_entries(counted, lambda entry: "Invalid request" in str(entry.get("message")))
    message = str(entry["message"])
    assert "127.0.0.1" not in message
    assert "ANNA" not in message
    assert "ip=withheld" in message
