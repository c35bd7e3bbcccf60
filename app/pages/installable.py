"""The installable app, which also opens offline: manifest, service worker, offline page and icons.

A device keeps the static files of one release at a time. The most recently viewed forecasts and reports are kept
across releases, so that an update does not discard a reader's forecasts.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue

import popforecast as pf

# The light page colour of the style sheet: a manifest has only one; the dark one is set in the head of each page.
PAGE_COLOUR = "#faf9f6"

# Number of forecasts and reports kept on a device. The largest report is about 130 KB, so this is a few megabytes.
MOST_KEPT = 30
KEPT = ("/forecast", "/reports/")

# The browser cache for these pages. Static files are in a cache named after the release.
PAGES = "popforecast-pages"

ENDINGS = (".css", ".js", ".svg")
DAY = 86_400

SHORTCUTS = {
    "Make a forecast": "/",
    "The world to 2100": "/forecast?location=900&from=2025&to=2100",
    "Reports": "/reports/",
}

blueprint = Blueprint("installable", __name__)


@blueprint.get("/manifest.webmanifest")
def send_manifest() -> ResponseReturnValue:
    """Return the web app manifest."""
    response = jsonify(describe_app())
    response.mimetype = "application/manifest+json"
    return _allow_reuse(response, DAY)


@blueprint.get("/sw.js")
def send_worker() -> ResponseReturnValue:
    """Return the service worker; its text contains the release, so that browsers notice a new one."""
    worker = render_template("sw.js", release=release(), assets=list_assets(), kept=KEPT, pages=PAGES, most=MOST_KEPT)
    response = Response(worker, mimetype="text/javascript")
    # Already the default for a script at the root; stated to make the scope explicit.
    response.headers["Service-Worker-Allowed"] = "/"
    return _allow_reuse(response, 0)


@blueprint.get("/offline")
def show_offline() -> ResponseReturnValue:
    """Return the offline page, which lists the pages kept on the device."""
    return _allow_reuse(Response(render_template("offline.html", pages=PAGES), mimetype="text/html"), 0)


@blueprint.get("/favicon.ico")
@blueprint.get("/apple-touch-icon.png")
@blueprint.get("/apple-touch-icon-precomposed.png")
def send_icon() -> ResponseReturnValue:
    """Return the icons that browsers request at fixed paths."""
    name = "favicon.ico" if request.path == "/favicon.ico" else "apple-touch-icon.png"
    return send_from_directory(str(current_app.static_folder), name, max_age=DAY)


@blueprint.get("/robots.txt")
def send_robots() -> ResponseReturnValue:
    """Return robots.txt, which excludes duplicates of the pages."""
    return _allow_reuse(Response("User-agent: *\nDisallow: /api/\nDisallow: /embed\n", mimetype="text/plain"), DAY)


def describe_app() -> dict[str, Any]:
    """Return the members of the web app manifest."""
    icons = [
        {
            "src": url_for("static", filename=f"icon-{middle}{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for middle, purpose in (("", "any"), ("maskable-", "maskable"))
        for size in (192, 512)
    ]
    icon = {"src": url_for("static", filename="icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    return {
        "id": "/",
        "name": "popforecast",
        "short_name": "popforecast",
        "description": "Population forecasts for every country and region, from past UN estimates.",
        "lang": "en",
        "dir": "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": PAGE_COLOUR,
        "background_color": PAGE_COLOUR,
        "categories": ["education", "reference"],
        "icons": [*icons, icon],
        "shortcuts": [{"name": name, "url": url} for name, url in SHORTCUTS.items()],
    }


def list_assets() -> list[str]:
    """Return the URLs of all static files that pages use."""
    static = [url_for("static", filename=path.name) for path in _find_files(str(current_app.static_folder))]
    return static + [url_for("theme.static", filename=path.name) for path in _find_files(_theme())]


def release() -> str:
    """Return a name for this release: the version, and a checksum of all files kept on a device."""
    return f"popforecast-{pf.__version__}-{_checksum(str(current_app.static_folder), _theme(), current_app.root_path)}"


def _theme() -> str:
    return str(current_app.blueprints["theme"].static_folder)


def _find_files(folder: str) -> list[Path]:
    return sorted(path for path in Path(folder).iterdir() if path.suffix in ENDINGS)


@lru_cache
def _checksum(static: str, theme: str, root: str) -> str:
    templates = Path(root, "templates")
    files = [*_find_files(static), *_find_files(theme), *(templates / name for name in ("base.html", "offline.html"))]
    digest = hashlib.sha256()
    for path in (*files, templates / "sw.js"):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _allow_reuse(response: Response, seconds: int) -> Response:
    """Return a response that browsers can cache for this long and then revalidate by its ETag."""
    response.headers["Cache-Control"] = f"public, max-age={seconds}" if seconds else "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
