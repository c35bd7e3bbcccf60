"""Routes under /api/v1, JSON and CSV for each resource, and their errors; docs/api.md documents what they guarantee."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from app.api.http import CSV, JSON, open_to_all, reply, split_release
from app.api.resources import RESOURCES, Resource
from app.query.bodies import read_arguments
from app.query.query import read

blueprint = Blueprint("api", __name__)
blueprint.after_request(open_to_all)


def refuse(error: HTTPException) -> ResponseReturnValue:
    """Return an error as problem details (RFC 9457), with an entry for each invalid parameter."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": error.name,
        "status": error.code,
        "detail": _describe(error),
    }
    faults = getattr(error, "faults", {})
    if faults:
        problem["errors"] = [{"parameter": name, "detail": text} for name, text in faults.items()]
    # The error's own response carries its headers, such as Allow.
    response = error.get_response()
    response.set_data(json.dumps(problem) + "\n")
    response.mimetype = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    return open_to_all(response)


def _describe(error: HTTPException) -> str:
    if error.description == NotFound.description:
        return f"There is no endpoint {request.path[:200]!r}: expected one of {', '.join(_list_paths())}."
    if isinstance(error, MethodNotAllowed):
        methods = ", ".join(error.valid_methods or ())
        return f"Method {request.method} is not allowed at {request.path}: expected {methods}."
    return error.description or error.name


def _list_paths() -> list[str]:
    return [resource.path + twin for resource in RESOURCES for twin in ("", ".csv")]


def _add(resource: Resource) -> None:
    """Add the JSON and CSV routes of a resource."""

    def send_json() -> Response:
        return _answer(resource, f"api.send_{resource.name}", JSON)

    def send_csv() -> Response:
        return _answer(resource, f"api.send_{resource.name}_csv", CSV)

    blueprint.add_url_rule(resource.path, f"send_{resource.name}", send_json, methods=resource.methods)
    blueprint.add_url_rule(f"{resource.path}.csv", f"send_{resource.name}_csv", send_csv, methods=resource.methods)


def _answer(resource: Resource, endpoint: str, form: str) -> Response:
    arguments, release = split_release(read_arguments())
    question = read(resource.question, arguments)
    response = reply(endpoint, question, release, form, lambda: resource.write(question, as_csv=form == CSV))
    if form == CSV:
        response.headers["Content-Disposition"] = f'attachment; filename="popforecast-{resource.name}.csv"'
    return response


for _resource in RESOURCES:
    _add(_resource)
