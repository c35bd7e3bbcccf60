"""The OpenAPI document says what the API does: held to it by a validator, by schemathesis, and example by example."""

from __future__ import annotations

import html
import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from jsonschema_rs import validator_for
from schemathesis import GenerationMode

import popforecast as pf
from app.api.openapi import EXAMPLES, describe_api, list_parameters, name_component, write_example
from app.api.resources import RESOURCES

ROOT = Path(__file__).parents[2]

# Right and wrong ones; `make soak` tries hundreds, and the edges of every schema.
EXAMPLES_EACH = 10

OPERATIONS = [
    (method, path, operation) for path, item in describe_api()["paths"].items() for method, operation in item.items()
]


def resolve(node: Any) -> Any:
    """Return a part of the document with what it refers to beside it, as a validator wants it."""
    return {**node, "components": describe_api()["components"]}


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> Any:
    configuration = schemathesis.Config.from_path(ROOT / "schemathesis.toml")
    return schemathesis.openapi.from_wsgi("/openapi.json", client.application, config=configuration)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in OPERATIONS])
def test_schemathesis_finds_nothing(document: Any, method: str, path: str, mode: GenerationMode) -> None:
    @given(document[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES_EACH, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        # Its own way to a WSGI app asks for compressed answers, and does not unpack them.
        case.call_and_validate(headers={"Accept-Encoding": "identity"})

    ask()


def test_the_document_is_openapi_3_1(client: FlaskClient) -> None:
    answer = client.get("/openapi.json")
    assert answer.mimetype == "application/json"
    assert answer.json == describe_api()
    assert answer.json["openapi"].startswith("3.1.")
    assert answer.json["info"]["version"] == pf.__version__


def test_every_reference_leads_somewhere() -> None:
    references = set(re.findall(r"'\$ref': '#/([^']+)'", str(describe_api())))
    assert len(references) > 30
    for reference in references:
        node = describe_api()
        for part in reference.split("/"):
            node = node[part]


def test_every_route_of_the_api_is_described(client: FlaskClient) -> None:
    routes = {
        (method.lower(), rule.rule)
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert {(method, path) for method, path, _ in OPERATIONS} == routes


def test_every_parameter_that_is_read_is_described() -> None:
    described = describe_api()["components"]["parameters"]
    for resource in RESOURCES:
        operation = describe_api()["paths"][resource.path]["get"]
        names = [described[entry["$ref"].rpartition("/")[2]]["name"] for entry in operation["parameters"]]
        assert names == [*resource.parameters, "release", "If-None-Match"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=lambda value: str(value)[:40])
def test_every_operation_says_what_it_answers(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert {"200", "400", "404", "414", "429"} <= set(operation["responses"])
    assert ("304" in operation["responses"]) == (method == "get")
    assert ("415" in operation["responses"]) == ("requestBody" in operation) == (method == "post")
    for content in operation["responses"]["200"]["content"].values():
        assert content["example"]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_the_example_is_what_is_answered(client: FlaskClient, resource: Any) -> None:
    answer = client.get(write_example(resource))
    content = describe_api()["paths"][resource.path]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer.status_code == 200
    for name, value in content["example"].items():
        assert answer.json[name][: len(value)] == value if isinstance(value, list) else answer.json[name] == value
    validator_for(resolve(content["schema"])).validate(answer.json)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_a_schema_refuses_an_answer_that_lacks_a_member(client: FlaskClient, resource: Any) -> None:
    content = describe_api()["paths"][resource.path]["get"]["responses"]["200"]["content"]["application/json"]
    validator, answer = validator_for(resolve(content["schema"])), client.get(write_example(resource)).json
    for name in answer:
        assert not validator.is_valid({other: value for other, value in answer.items() if other != name})


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_every_listed_value_is_accepted(client: FlaskClient, resource: Any) -> None:
    """Each value that a schema lists, alone beside the example; of codes, every twentieth."""
    for name in resource.parameters:
        schema = list_parameters()[name_component(resource, name)].schema
        listed = schema.get("enum", [schema[bound] for bound in ("minimum", "maximum") if bound in schema])
        if name == "location":
            listed = describe_api()["components"]["schemas"]["LocationCode"]["enum"][::20]
        for value in listed:
            others = [(key, text) for key, text in EXAMPLES[resource.name] if key not in (name, "from", "to")]
            answer = client.get(f"{resource.path}?{urlencode([*others, (name, str(value))])}")
            assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("status", ["400", "404"])
def test_errors_have_the_shape_that_is_described(client: FlaskClient, status: str) -> None:
    query = {"400": "location=Wurld", "404": "location=World&release=0.0.1-000000000000"}[status]
    answer = client.get(f"/api/v1/forecast?{query}")
    content = describe_api()["components"]["responses"][status]["content"]
    assert answer.status_code == int(status)
    validator_for(resolve(content[answer.mimetype]["schema"])).validate(answer.json)


def test_the_page_shows_every_resource_and_parameter(client: FlaskClient) -> None:
    page = client.get("/docs").text
    for resource, name in itertools.product(RESOURCES, ("", ".csv")):
        assert resource.path + name in page
    for parameter in list_parameters().values():
        assert f"<code>{parameter.name}</code>" in page


def test_the_page_needs_no_script_and_no_other_host(client: FlaskClient) -> None:
    page = client.get("/docs").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=", page)
    assert set(re.findall(r'(?:src|href)="https?://([^/"]+)', page)) <= {"creativecommons.org", "population.un.org"}


def test_a_host_cannot_write_into_the_page(client: FlaskClient) -> None:
    answer = client.get("/docs", headers={"Host": '"><script>alert(1)</script>'})
    assert "<script>alert" not in answer.text


def read_examples(page: str, title: str) -> list[str]:
    examples = re.findall(rf'<pre[^>]*aria-label="{title}[^"]*">(.*?)</pre>', page, re.DOTALL)
    # Where a line may break is no part of it.
    return [html.unescape(text.replace("<wbr>", "")) for text in examples]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_every_curl_of_the_page_runs(url: str) -> None:
    page = requests.get(f"{url}/docs", timeout=30).text
    commands = [text for title in ("curl", "Example request") for text in read_examples(page, title)]
    assert len(commands) == 1 + 2 * len(RESOURCES)
    for command in commands:
        address = re.fullmatch(r'curl "(.+)"', command)[1]
        run = subprocess.run(["curl", "--silent", "--fail", address], capture_output=True, text=True)
        assert run.returncode == 0, command
        assert run.stdout.startswith("{") or "," in run.stdout.splitlines()[0]


def test_the_python_of_the_page_runs(url: str) -> None:
    page = requests.get(f"{url}/docs", timeout=30).text
    programs = read_examples(page, "Python")
    assert [len(program.splitlines()) <= 5 for program in programs] == [True, True]
    for program in programs:
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert "Nigeria 2030 264312323" in run.stdout


def test_the_command_of_the_page_runs(url: str) -> None:
    (command,) = read_examples(requests.get(f"{url}/docs", timeout=30).text, "Command line")
    program, *arguments = command.split()
    run = subprocess.run([Path(sys.executable).with_name(program), *arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "Nigeria,2030,264312323" in run.stdout
