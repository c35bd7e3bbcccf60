"""What every answer carries, and what no request gets through."""

from __future__ import annotations

import gzip
import re

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.server.security import LONGEST_ADDRESS, MOST_PARAMETERS
from app.settings import Settings

PATHS = (
    *("/", "/forecast?location=World", "/forecast?location=Wurld", "/nowhere", "/static/app.js", "/theme/style.css"),
    *("/api/v1/forecast?location=World", "/api/v1/forecast.csv?location=World", "/api/v1/nothing", "/api/v1/models"),
    *("/healthz", "/readyz", "/version"),
)


def read_policy(client: FlaskClient, path: str) -> dict[str, str]:
    text = client.get(path).headers["Content-Security-Policy"]
    return dict(part.strip().partition(" ")[::2] for part in text.split(";"))


@pytest.fixture(scope="module")
def proxied() -> FlaskClient:
    """A client of the app behind one proxy."""
    return create_app(Settings(rate_limits=False, proxies=1)).test_client()


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_what_no_page_needs(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    policy = read_policy(client, path)
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}


@pytest.mark.parametrize("path", PATHS)
def test_there_are_no_cookies_and_no_sessions(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Cookie": "session=1; a=b"})
    assert "Set-Cookie" not in answer.headers
    assert "cookie" not in answer.headers.get("Vary", "").lower()


def test_only_what_is_made_for_it_may_be_framed(client: FlaskClient) -> None:
    answer = client.get("/embed?location=World")
    assert answer.status_code == 200
    assert "X-Frame-Options" not in answer.headers
    assert read_policy(client, "/embed?location=World")["frame-ancestors"] == "*"
    assert read_policy(client, "/embedded")["frame-ancestors"] == "'none'"


def test_any_page_may_read_the_api_and_nothing_else(client: FlaskClient) -> None:
    public = client.get("/api/v1/forecast?location=World", headers={"Origin": "https://example.org"}).headers
    assert public["Access-Control-Allow-Origin"] == "*"
    assert public["Cross-Origin-Resource-Policy"] == "cross-origin"
    private = client.get("/", headers={"Origin": "https://example.org"}).headers
    assert "Access-Control-Allow-Origin" not in private
    assert private["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_page_is_pinned_to_https_only_where_a_trusted_proxy_says_https(
    client: FlaskClient, proxied: FlaskClient
) -> None:
    for path in ("/", "/api/v1/models", "/api/v1/models"):
        said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4"}
        assert "max-age=31536000" in proxied.get(path, headers=said).headers["Strict-Transport-Security"]
        assert "Strict-Transport-Security" not in proxied.get(path, headers={"X-Forwarded-Proto": "http"}).headers
        assert "Strict-Transport-Security" not in client.get(path, headers=said).headers


def test_a_compressed_body_is_refused_before_it_is_opened(client: FlaskClient) -> None:
    bomb = gzip.compress(b"a" * 50_000_000)
    for path in ("/forecast", "/api/v1/forecast"):
        answer = client.post(
            path, data=bomb, content_type="application/x-www-form-urlencoded", headers={"Content-Encoding": "gzip"}
        )
        assert answer.status_code == 415
        assert b"gzip" in answer.data
        assert b"not compressed" in answer.data


def test_an_address_that_is_too_long_is_a_414_with_its_length(client: FlaskClient) -> None:
    answer = client.get("/api/v1/forecast?location=" + "a" * LONGEST_ADDRESS)
    assert answer.status_code == answer.json["status"] == 414
    assert f"{LONGEST_ADDRESS + 25:,} characters" in answer.json["detail"]
    assert f"at most {LONGEST_ADDRESS:,}" in answer.json["detail"]


def test_every_location_by_code_fits_into_an_address(client: FlaskClient) -> None:
    locations = client.get("/api/v1/locations").json["locations"]
    query = "&".join(f"location={location.get('code', location.get('location_code'))}" for location in locations)
    assert client.get(f"/api/v1/forecast?{query}&from=2030&to=2030").status_code == 200


@pytest.mark.parametrize("path", ["/forecast", "/api/v1/forecast"])
def test_a_form_of_endless_parameters_is_a_413_with_their_number(client: FlaskClient, path: str) -> None:
    body = "&".join(["a"] * (MOST_PARAMETERS + 1))
    answer = client.post(path, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert f"{MOST_PARAMETERS + 1:,} parameters".encode() in answer.data


@pytest.mark.parametrize("value", ["World%0d%0aSet-Cookie:%20a=b", "World%0aX: y", "%0d%0a%0d%0a<script>"])
@pytest.mark.parametrize("name", ["location", "from", "model", "revision", "level", "group"])
def test_no_value_gets_into_the_headers(client: FlaskClient, name: str, value: str) -> None:
    for path in ("/forecast", "/api/v1/forecast", "/api/v1/forecast.csv"):
        answer = client.get(f"{path}?location=World&{name}={value}")
        assert answer.status_code == 400
        assert not [text for _, text in answer.headers if "\n" in text or "Set-Cookie" in text or "script>" in text]
    assert client.post("/forecast", data=f"location=World&{name}={value}").status_code in (400, 415)


def test_a_foreign_host_gets_into_no_address(client: FlaskClient) -> None:
    for path in ("/", "/forecast?location=World", "/api/v1/forecast?location=World"):
        foreign = client.get(path, headers={"Host": "evil.example"})
        assert "evil.example" not in str(client.get(path).headers) + client.get(path).text
        assert foreign.status_code == 200
    moved = client.post("/forecast", data={"location": "World"}, headers={"Host": "evil.example"})
    assert moved.headers["Location"].startswith("/forecast?")


def test_a_proxy_that_passes_any_scheme_on_gets_it_into_no_address(proxied: FlaskClient) -> None:
    for scheme in ("javascript", "ftp", "https,http", '"><script>'):
        page = proxied.get("/forecast?location=World", headers={"X-Forwarded-Proto": scheme})
        assert page.status_code == 200
        assert f"{scheme}://" not in page.text


@pytest.mark.parametrize("wanted", ["bytes=0-10", "bytes=9-1", "bytes=0-0,5-9", "lines=1-2", "bytes=" + "0-1," * 500])
@pytest.mark.parametrize("path", ["/static/app.js", "/theme/style.css", "/api/v1/models", "/forecast.svg?location=4"])
def test_who_asks_for_a_part_gets_the_whole(client: FlaskClient, path: str, wanted: str) -> None:
    answer = client.get(path, headers={"Range": wanted})
    assert answer.status_code == 200
    assert answer.data == client.get(path).data


@pytest.mark.parametrize("path", ["/nowhere", "/forecast?location=Wurld", "/healthz", "/readyz", "/version"])
def test_errors_and_the_state_of_the_moment_are_kept_by_nobody(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/forecast", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PUT", "/api/v1/forecast", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/static/app.js", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", "/", {"GET", "HEAD", "OPTIONS"}),
        ("BREW", "/api/v1/models", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_allowed_is_a_405_that_lists_those_that_are(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path", ["/static/../__init__.py", "/static/..%2f__init__.py", "/theme/%2e%2e/version.py", "/static//etc/passwd"]
)
def test_no_path_leads_out_of_a_folder(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (308, 404)
    assert b"import" not in answer.data


def test_static_files_are_kept_for_ever_under_their_checksum_alone(client: FlaskClient) -> None:
    page = client.get("/").text
    addresses = re.findall(r'(?:href|src)="(/(?:static|theme)/[^"]+)"', page)
    assert addresses
    for address in addresses:
        path, _, version = address.partition("?v=")
        assert re.fullmatch("[0-9a-f]{12}", version), address
        assert "immutable" in client.get(address).headers["Cache-Control"]
        for other in (path, f"{path}?v=000000000000", f"{address}&x=1"):
            assert "immutable" not in client.get(other).headers["Cache-Control"]


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_text_is_compressed_as_the_client_likes(client: FlaskClient, encoding: str) -> None:
    for path in ("/", "/theme/style.css", "/api/v1/locations", "/api/v1/locations.csv"):
        plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": encoding})
        assert packed.headers["Content-Encoding"] == encoding
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert len(packed.data) < len(plain.data) / 2
        assert "Content-Encoding" not in plain.headers


def test_a_compressed_file_that_is_known_is_not_sent_again(client: FlaskClient) -> None:
    for path in ("/theme/style.css", "/static/app.js", "/api/v1/models"):
        headers = {"Accept-Encoding": "br"}
        tag = client.get(path, headers=headers).headers["ETag"]
        again = client.get(path, headers=headers | {"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
