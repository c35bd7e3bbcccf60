"""The OpenAPI 3.1 document, generated from the resources, their parameters, response types and sample responses."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

import popforecast as pf
from app.api import http
from app.api.resources import RESOURCES, Resource
from app.query.bodies import FORMS
from app.query.query import read
from app.server.security import LARGEST_BODY, LONGEST_ADDRESS
from popforecast.question import PARAMETERS, Parameter
from popforecast.session import get_session
from popforecast.wpp.citation import LICENCE, LICENCE_URL
from popforecast.wpp.editions import DEFAULT_REVISION

Node = dict[str, Any]

# Sample requests by resource, chosen for their short responses.
EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "forecast": [("location", "NGA"), ("location", "World"), ("from", "2030"), ("to", "2035")],
    "ages": [("location", "KOR"), ("from", "2050"), ("to", "2050")],
    "components": [("location", "KOR"), ("from", "2050"), ("to", "2051")],
    "milestones": [("location", "JPN")],
    "backtest": [("location", "NGA"), ("model", "panel-ar")],
    "vintages": [("location", "NGA"), ("vintage", "wpp2012")],
    "locations": [("revision", "wpp2024")],
    "models": [],
}

# Component names, by field, of parameters that share the name of another one.
OWN = {"models": "models", "level": "one-level"}

# Number of items shown of each list in an example.
MOST_SHOWN = 2

INTRODUCTION = """\
Past and future population of every country and region, with intervals that show how uncertain each forecast is.

No key or cookie is needed, and CORS is open. Every endpoint returns JSON. Add `.csv` for CSV. The `Accept` header is
ignored. `HEAD` and `OPTIONS` work everywhere. Every response has an `ETag`: send it back as `If-None-Match` to get
304 if nothing has changed. Its `cite-as` link contains a `release`: the numbers of a release never change.

Within v1, no endpoint, parameter, member or column is removed or changes its meaning. New ones may be added, and
numbers change with the revision and the version, which every response states."""

RESPONSE_HEADERS: dict[str, str] = {
    "ETag": "Changes when the response does.",
    "Cache-Control": "How long the response can be cached: minutes, or a year with a release.",
    "Link": "canonical: the request in standard form; cite-as: with its release; alternate: the other format; license.",
    "Vary": "Accept-Encoding.",
    "Access-Control-Allow-Origin": "Always `*`.",
}

STATUSES = {
    "400": "A parameter or the body is invalid; `errors` lists each.",
    "404": "A different release was requested.",
    "413": f"The body is larger than {LARGEST_BODY:,} bytes.",
    "414": f"The URL is longer than {LONGEST_ADDRESS:,} characters: use POST.",
    "415": "The body is neither JSON nor a form, or it is compressed.",
    "429": "Too many requests; `Retry-After` says how many seconds to wait.",
}


@lru_cache(maxsize=1)
def describe_api() -> Node:
    """Return the OpenAPI document.

    Examples
    --------
    >>> describe_api()["openapi"], list(describe_api()["paths"])[:2]
    ('3.1.0', ['/api/v1/forecast', '/api/v1/forecast.csv'])
    """
    from app.api.schemas import write_schemas

    parameters = list_parameters()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "popforecast",
            "version": pf.__version__,
            "summary": "Population forecasts for every country and region.",
            "description": INTRODUCTION,
            "license": {"name": f"Figures: {LICENCE}", "url": LICENCE_URL},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": resource.name, "description": resource.summary} for resource in RESOURCES],
        "paths": {path: item for resource in RESOURCES for path, item in _describe_paths(resource).items()},
        "components": {
            "parameters": {name: _describe_parameter(parameter) for name, parameter in parameters.items()}
            | {"tag": _KNOWN_TAG},
            "headers": {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in (RESPONSE_HEADERS | {"Retry-After": "Seconds."}).items()
            },
            "responses": {status: _describe_problem(status) for status in STATUSES},
            "schemas": {
                "LocationCode": list_codes(),
                **{name: _describe_question(resource, parameters) for name, resource in list_bodies().items()},
                **write_schemas(),
            },
        },
    }


@lru_cache(maxsize=1)
def write_document() -> str:
    """Return the OpenAPI document as JSON."""
    return json.dumps(describe_api(), ensure_ascii=False, separators=(",", ":"))


def name_component(resource: Resource, parameter: str) -> str:
    """Return the component name of a resource's parameter."""
    fields = {row.name: field for field, row in resource.question.rows().items()}
    return OWN.get(fields.get(parameter, ""), parameter)


def list_parameters() -> dict[str, Parameter]:
    """Return all parameters by component name."""
    asked = {field for resource in RESOURCES for field in resource.question.rows()}
    rows = {OWN.get(field, row.name): row for field, row in PARAMETERS.items() if field in asked}
    own = {name: rows.pop(name) for name in OWN.values()}
    return {**rows, "release": replace(http.RELEASE, example=http.name_release(DEFAULT_REVISION)), **own}


def list_codes() -> Node:
    """Return the schema of the codes and ISO3 codes that are in every revision."""
    common = [get_session(revision).panel.locations for revision in pf.REVISIONS]
    codes = [str(code) for code in common[0].index if all(code in table.index for table in common)]
    iso3 = [text for text in common[0]["iso3"].dropna() if all(text in set(table["iso3"]) for table in common)]
    return {"type": "string", "enum": codes + iso3}


def _describe_parameter(parameter: Parameter) -> Node:
    repeated = {"style": "form", "explode": True} if parameter.most > 1 else {}
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        **repeated,
        "schema": _describe_values(parameter),
        "example": parameter.example,
    }


def _describe_values(parameter: Parameter) -> Node:
    if parameter.most == 1:
        return parameter.schema
    return {"type": "array", "items": parameter.schema, "minItems": 1, "maxItems": parameter.most}


_KNOWN_TAG: Node = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of a response you already have.",
    "schema": {"type": "string"},
}


def _describe_paths(resource: Resource) -> dict[str, Node]:
    return {
        resource.path + ".csv" * csv: {
            method.lower(): _describe_operation(resource, method, csv) for method in resource.methods
        }
        for csv in (False, True)
    }


def _describe_operation(resource: Resource, method: str, csv: bool) -> Node:
    names = [name_component(resource, name) for name in resource.parameters] + ["release"]
    posted = method == "POST"
    statuses = ["400", "404", "414", "429"] + ["413", "415"] * posted
    kept = {} if posted else {"304": {"description": "Not modified.", "headers": _refer(RESPONSE_HEADERS)}}
    operation: Node = {
        "operationId": f"{method.lower()}_{resource.name}{'_csv' * csv}",
        "tags": [resource.name],
        "summary": f"{resource.summary}{', as CSV' * csv}",
        "parameters": [] if posted else [{"$ref": f"#/components/parameters/{name}"} for name in (*names, "tag")],
        "responses": {"200": _describe_answer(resource, csv), **kept}
        | {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)},
    }
    if posted:
        operation["requestBody"] = {
            "description": "The same parameters, for requests too long for a URL; body and URL are combined.",
            "content": {
                form: {"schema": {"$ref": f"#/components/schemas/{resource.question.__name__}"}}
                for form in (http.JSON, *FORMS)
            },
        }
    return operation


def _describe_answer(resource: Resource, csv: bool) -> Node:
    from app.api.schemas import ANSWERS

    question = read(resource.question, MultiDict(EXAMPLES[resource.name]))
    headers = dict(RESPONSE_HEADERS)
    if csv:
        lines = resource.write(question, as_csv=True).splitlines(keepends=True)
        example: object = "".join(lines[: MOST_SHOWN + 1])
        schema = {"type": "string"}
    else:
        example = {name: _cut(value) for name, value in json.loads(resource.write(question)).items()}
        schema = {"$ref": f"#/components/schemas/{ANSWERS[resource.name].__name__}"}
    form = http.CSV if csv else http.JSON
    return {
        "description": resource.summary,
        "headers": _refer(headers),
        "content": {form: {"schema": schema, "example": example}},
    }


def _describe_problem(status: str) -> Node:
    example = {"type": "about:blank", "title": "", "status": int(status), "detail": STATUSES[status]}
    headers = {"Retry-After": ""} if status == "429" else {}
    return {
        "description": STATUSES[status],
        "headers": _refer({"Access-Control-Allow-Origin": "", **headers}),
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        },
    }


def list_bodies() -> dict[str, Resource]:
    """Return the resources that accept a body, by the name of its schema."""
    return {resource.question.__name__: resource for resource in RESOURCES if "POST" in resource.methods}


def _describe_question(resource: Resource, parameters: dict[str, Parameter]) -> Node:
    """Return the schema of a POST body: the parameters of a resource, each with one value or a list."""
    named = [parameters[name] for name in (*resource.parameters, "release")]
    properties = {
        parameter.name: {"description": parameter.description, **_describe_values(parameter)}
        if parameter.most == 1
        else {"description": parameter.description, "anyOf": [parameter.schema, _describe_values(parameter)]}
        for parameter in named
    }
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "anyOf": [{"required": ["location"]}, {"required": ["group"]}],
        "example": {parameter.name: parameter.example for parameter in named if parameter.name != "release"},
    }


def _refer(headers: dict[str, str]) -> Node:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _cut(value: Any) -> Any:
    return value[:MOST_SHOWN] if isinstance(value, list) else value


def write_example(resource: Resource, csv: bool = False) -> str:
    """Return the URL of a resource's sample request, without the host.

    Examples
    --------
    >>> write_example(RESOURCES[0], csv=True)
    '/api/v1/forecast.csv?location=NGA&location=World&from=2030&to=2035'
    """
    query = urlencode(EXAMPLES[resource.name])
    return resource.path + ".csv" * csv + (f"?{query}" if query else "")
