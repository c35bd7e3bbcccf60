"""API documentation: the OpenAPI document and the /docs page."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.api.http import JSON, open_to_all
from app.api.openapi import describe_api, name_component, write_document, write_example
from app.api.resources import RESOURCES, Nothing
from app.query.query import read
from app.server.caching import FOR_MINUTES

PYTHON = """\
import requests
answer = requests.get("{host}/api/v1/forecast", {{"location": ["NGA", "World"], "from": 2030, "to": 2035}})
answer.raise_for_status()
for row in answer.json()["forecasts"]:
    print(row["location"], row["year"], row["population"], row["lower_80"], row["upper_80"])"""

CLIENT = """\
from popforecast.client import request_forecast
answer = request_forecast("{host}", ["NGA", "World"], 2030, 2035, groups={{"South Asia": ["IND", "PAK", "BGD"]}})
for row in answer["forecasts"]:
    print(row["location"], row["year"], row["population"])"""

COMMAND = "popforecast request {host} NGA World --from 2030 --to 2035 --format csv"

blueprint = Blueprint("documents", __name__)


@blueprint.get("/openapi.json")
def send_openapi() -> ResponseReturnValue:
    """Return the OpenAPI document."""
    read(Nothing, request.args)
    return open_to_all(_keep(Response(write_document(), mimetype=JSON)))


@blueprint.get("/docs")
def show_docs() -> ResponseReturnValue:
    """Return the documentation page: each resource with its parameters, a sample response and examples."""
    read(Nothing, request.args)
    document, host = describe_api(), request.host_url.rstrip("/")
    page = render_template(
        "docs.html",
        document=document,
        resources=[
            {
                "resource": resource,
                "operation": document["paths"][resource.path]["get"],
                "parameters": [
                    document["components"]["parameters"][name_component(resource, name)]
                    for name in (*resource.parameters, "release")
                ],
                "example": write_example(resource),
                "csv_example": write_example(resource, csv=True),
            }
            for resource in RESOURCES
        ],
        statuses=document["components"]["responses"],
        introduction=[mark_up(paragraph) for paragraph in document["info"]["description"].split("\n\n")],
        host=host,
        python=PYTHON.format(host=host),
        client=CLIENT.format(host=host),
        command=COMMAND.format(host=host),
    )
    return _keep(Response(page, mimetype="text/html"))


@blueprint.app_template_filter()
def mark_up(text: str) -> Markup:
    """Return text with passages in backticks marked up as code.

    Examples
    --------
    >>> mark_up("Always `*`, & more")
    Markup('Always <code>*</code>, &amp; more')
    """
    parts = [Markup("<code>{}</code>" if i % 2 else "{}").format(part) for i, part in enumerate(text.split("`"))]
    return Markup("").join(parts)


@blueprint.app_template_filter()
def describe_valid(schema: dict[str, Any]) -> str:
    """Return the values a schema allows, in words; empty for text.

    Examples
    --------
    >>> describe_valid({"type": "integer", "minimum": 1950, "maximum": 2100})
    'a whole number from 1950 to 2100'
    >>> describe_valid({"type": "array", "items": {"enum": [1, 5]}, "maxItems": 4})
    '1, 5; at most 4 times'
    """
    if "items" in schema:
        return "; ".join(filter(None, [describe_valid(schema["items"]), f"at most {schema['maxItems']} times"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "minimum" in schema:
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if "exclusiveMinimum" in schema:
        return f"between {schema['exclusiveMinimum']} and {schema['exclusiveMaximum']}"
    return ""


def _keep(response: Response) -> Response:
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32], weak=True)
    response.headers["Cache-Control"] = FOR_MINUTES
    response.make_conditional(request)
    return response
