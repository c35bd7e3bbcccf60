"""What makes the site an app that installs and opens without a network: manifest, service worker, offline page, icons.

What is kept on a device: the pages' own files, for one release at a time; and the forecasts and reports that were read,
the last of them, across releases, because a reader's forecasts are not the release's to throw away.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue

import popforecast as pf

# The style sheet's colour of a light page: a manifest has but one, and the dark one stands in each page's head.
PAGE_COLOUR = "#faf9f6"

# Forecasts and reports that a device keeps. The largest report has some 130 KB, so that is a few megabytes at most.
MOST_KEPT = 30
KEPT = ("/forecast", "/reports/")

# Where a browser keeps them. The files of a release lie in a cache named after it.
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
    """Say what the app is called and looks like when installed."""
    response = jsonify(describe_app())
    response.mimetype = "application/manifest+json"
    return _allow_reuse(response, DAY)


@blueprint.get("/sw.js")
def send_worker() -> ResponseReturnValue:
    """Send the service worker; its text changes with the release, which is how a browser learns of a new one."""
    worker = render_template("sw.js", release=release(), assets=list_assets(), kept=KEPT, pages=PAGES, most=MOST_KEPT)
    response = Response(worker, mimetype="text/javascript")
    # From / by right already; the header says that it is meant.
    response.headers["Service-Worker-Allowed"] = "/"
    return _allow_reuse(response, 0)


@blueprint.get("/offline")
def show_offline() -> ResponseReturnValue:
    """Show what the device has kept; the page for whatever cannot be reached."""
    return _allow_reuse(Response(render_template("offline.html", pages=PAGES), mimetype="text/html"), 0)


@blueprint.get("/favicon.ico")
@blueprint.get("/apple-touch-icon.png")
@blueprint.get("/apple-touch-icon-precomposed.png")
def send_icon() -> ResponseReturnValue:
    """Send the icons that browsers ask for at fixed places, whatever the page says."""
    name = "favicon.ico" if request.path == "/favicon.ico" else "apple-touch-icon.png"
    return send_from_directory(str(current_app.static_folder), name, max_age=DAY)


@blueprint.get("/robots.txt")
def send_robots() -> ResponseReturnValue:
    """Ask crawlers to leave out what repeats the pages."""
    return _allow_reuse(Response("User-agent: *\nDisallow: /api/\nDisallow: /embed\n", mimetype="text/plain"), DAY)


def describe_app() -> dict[str, Any]:
    """Return the web app manifest."""
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
        "description": "Population forecasts for every country and region, from past UN population totals.",
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
    """Return the addresses of every file that pages are made with."""
    static = [url_for("static", filename=path.name) for path in _find_files(str(current_app.static_folder))]
    return static + [url_for("theme.static", filename=path.name) for path in _find_files(_theme())]


def release() -> str:
    """Return a name for this release: the version, and a checksum of every file that a device keeps of it."""
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
    """Let a browser keep an answer for so long, and ask only whether it is still the same after that."""
    response.headers["Cache-Control"] = f"public, max-age={seconds}" if seconds else "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
