"""The web app: pages and an API over popforecast, without computations of its own.

>>> from app import create_app
>>> create_app().test_client().get("/healthz").json["status"]
'ok'
"""

from __future__ import annotations

from importlib.resources import files

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue
from flask_compress import Compress
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

import popforecast as pf
from app.api import docs, routes
from app.pages import assets, forecast, installable, published
from app.server import health, layers, log, security
from app.settings import Settings

# All parts of the app; a new part only needs its blueprint here.
BLUEPRINTS = (
    forecast.blueprint,
    routes.blueprint,
    docs.blueprint,
    health.blueprint,
    installable.blueprint,
    published.blueprint,
    Blueprint("theme", __name__, static_folder=str(files(pf) / "theme"), static_url_path="/theme"),
)

# Errors under these paths are problem details; all other errors are pages.
FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/version", "/openapi.json")

COMPRESSIONS = ["br", "gzip"]
COMPRESSED = [
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/problem+json",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/plain",
]


def create_app(settings: Settings | None = None) -> Flask:
    """Return the Flask app, configured by settings (default: from the environment).

    Raises
    ------
    SettingsError
        If an environment variable is invalid.
    """
    settings = settings or Settings.from_environ()
    app = Flask(__name__)
    app.config["SETTINGS"] = settings
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    log.identify_requests(app)
    security.secure(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, refuse)
    app.config.update(COMPRESS_ALGORITHM=COMPRESSIONS, COMPRESS_MIMETYPES=COMPRESSED)
    Compress(app)
    # Registered last so that it runs first: a file must be read before it is compressed.
    assets.version_addresses(app)
    app.wsgi_app = layers.wrap(app, settings)  # type: ignore[assignment, method-assign]
    return app


def refuse(error: HTTPException) -> ResponseReturnValue:
    """Return an error as problem details for programs, otherwise as a page."""
    if isinstance(error, RequestEntityTooLarge):
        security.explain_excess(error)
    return routes.refuse(error) if request.path.startswith(FOR_PROGRAMS) else forecast.refuse(error)
