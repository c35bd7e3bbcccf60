"""What makes the site an app: a true manifest, a worker of this release, icons at their fixed places."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

import popforecast as pf
from app import create_app
from app.pages.installable import list_assets, release

ROOT = Path(__file__).parents[2]
FIXED = ("/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png")


def find_token(name: str) -> list[str]:
    """Return the values of a colour of the style sheet: light, then dark."""
    return re.findall(rf"--{name}: (#\w+);", (ROOT / "popforecast/theme/style.css").read_text())


def test_the_manifest_says_what_installing_needs(client: FlaskClient) -> None:
    response = client.get("/manifest.webmanifest")
    assert response.mimetype == "application/manifest+json"
    manifest = response.json
    assert (manifest["name"], manifest["start_url"], manifest["scope"]) == ("popforecast", "/", "/")
    assert manifest["display"] == "standalone"
    assert manifest["theme_color"] == manifest["background_color"] == find_token("page")[0]


def test_every_icon_of_the_manifest_has_the_size_that_it_states(client: FlaskClient) -> None:
    icons = client.get("/manifest.webmanifest").json["icons"]
    stated = {(icon["sizes"], icon["purpose"]) for icon in icons}
    assert {(f"{n}x{n}", purpose) for n in (192, 512) for purpose in ("any", "maskable")} <= stated
    for icon in icons:
        with client.get(icon["src"]) as response:
            assert response.mimetype == icon["type"]
            if icon["type"] == "image/png":
                width, height = Image.open(io.BytesIO(response.data)).size
                assert icon["sizes"] == f"{width}x{height}"


def test_every_shortcut_leads_to_a_page(client: FlaskClient) -> None:
    shortcuts = client.get("/manifest.webmanifest").json["shortcuts"]
    assert len(shortcuts) == 3
    for shortcut in shortcuts:
        assert client.get(shortcut["url"]).status_code == 200, shortcut


def test_the_head_of_a_page_names_manifest_icon_and_both_colours(client: FlaskClient) -> None:
    head = client.get("/").text.partition("</head>")[0]
    assert '<link rel="manifest" href="/manifest.webmanifest">' in head
    assert 'rel="apple-touch-icon"' in head
    assert re.findall(r'name="theme-color" content="(#\w+)" media="\(prefers-color-scheme: (\w+)\)"', head) == [
        (colour, scheme) for colour, scheme in zip(find_token("page"), ("light", "dark"), strict=True)
    ]


def test_the_worker_may_serve_the_whole_site_and_is_asked_for_anew_each_time(client: FlaskClient) -> None:
    response = client.get("/sw.js")
    assert response.mimetype == "text/javascript"
    assert response.headers["Service-Worker-Allowed"] == "/"
    assert response.headers["Cache-Control"] == "no-cache"
    assert client.get("/sw.js", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_the_worker_keeps_every_file_that_pages_ask_for(client: FlaskClient) -> None:
    worker = client.get("/sw.js").text
    for path in ("/", "/forecast?location=World", "/offline", "/reports/", "/nothing"):
        page = client.get(path).text
        asked = re.findall(r'<(?:script|img)[^>]* src="([^"]+)"|<link rel="(?:stylesheet|icon)" href="([^"]+)"', page)
        files = {first or second for first, second in asked}
        assert len(files) >= 4
        assert [file for file in files if f'"{file}"' not in worker] == []


def test_everything_that_the_worker_keeps_is_there(client: FlaskClient) -> None:
    with client.application.test_request_context():
        assets = list_assets()
    for address in assets:
        with client.get(address) as response:
            assert response.status_code == 200
            assert "immutable" in response.headers["Cache-Control"]


def test_a_release_is_named_after_its_version_and_its_files(client: FlaskClient, tmp_path: Path) -> None:
    with client.application.app_context():
        present = release()
    assert present.startswith(f"popforecast-{pf.__version__}-")
    other = create_app()
    other.static_folder = shutil.copytree(ROOT / "app/static", tmp_path / "static")
    with (tmp_path / "static/app.js").open("a") as file:
        file.write("// another release\n")
    with other.app_context():
        assert release() not in (present, "")
        assert release().startswith(f"popforecast-{pf.__version__}-")


@pytest.mark.parametrize("path", FIXED)
def test_browsers_find_the_icons_where_they_look_for_them(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        assert response.status_code == 200
        assert "max-age=86400" in response.headers["Cache-Control"]
        Image.open(io.BytesIO(response.data)).verify()


def test_crawlers_are_kept_from_what_repeats_the_pages(client: FlaskClient) -> None:
    response = client.get("/robots.txt")
    assert response.mimetype == "text/plain"
    assert response.text == "User-agent: *\nDisallow: /api/\nDisallow: /embed\n"


@pytest.mark.parametrize("path", ["/sw.js", "/manifest.webmanifest", "/offline", "/robots.txt", *FIXED])
def test_only_reading_is_allowed(client: FlaskClient, path: str) -> None:
    response = client.post(path)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
