"""JSON and CSV carry the figures, where they come from, and errors that a program can read."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from flask.testing import FlaskClient

import popforecast as pf

URL = "/api/v1/forecast"
Table = dict[int, tuple[int, int]]


def to_thousands(frame: pd.DataFrame) -> Table:
    wide = (frame.pivot(index="year", columns="location", values="population") / 1000).round().astype(int)
    pairs = wide[["WORLD", "More developed regions"]].itertuples()
    return {year: [world, more] for year, world, more in pairs}


def test_the_known_table_is_in_the_json(client: FlaskClient, known_query: str, known_table: Table) -> None:
    answer = client.get(f"{URL}?{known_query}").json
    assert to_thousands(pd.DataFrame(answer["forecasts"])) == known_table


def test_the_known_table_is_in_the_csv(client: FlaskClient, known_query: str, known_table: Table) -> None:
    response = client.get(f"{URL}.csv?{known_query}")
    assert response.content_type == "text/csv; charset=utf-8"
    assert to_thousands(pd.read_csv(io.BytesIO(response.data))) == known_table


def test_the_json_equals_the_module_and_says_where_it_comes_from(client: FlaskClient) -> None:
    answer = client.get(f"{URL}?location=NGA&from=2022&to=2026&level=80&model=ar1").json
    fc = pf.forecast(pf.load_panel("wpp2024"), ["NGA"], 2022, 2026, "ar1", (80,))
    frame = fc.to_frame()
    assert answer == fc.to_dict() | {"groups": []}
    assert list(answer["forecasts"][0]) == list(frame.columns)
    assert [row["population"] for row in answer["forecasts"]] == frame["population"].tolist()
    assert [row["lower_80"] for row in answer["forecasts"]][:2] == [None, None]
    assert all(type(row["upper_80"]) is int for row in answer["forecasts"][2:])
    assert answer["unit"] == "persons"
    assert answer["notes"] == [{"location_code": 566, "location": "Nigeria", "text": fc.notes[0].text}]
    assert answer["provenance"] == fc.provenance
    assert "CC BY 3.0 IGO" in answer["citation"]


def test_the_same_question_gives_the_same_bytes(client: FlaskClient, known_query: str) -> None:
    assert client.get(f"{URL}?{known_query}").data == client.get(f"{URL}?{known_query}").data


@pytest.mark.parametrize("model", pf.models.MODELS)
@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_every_location_to_the_last_year_is_valid_json(client: FlaskClient, model: str, revision: str) -> None:
    codes = pf.load_panel(revision).locations.index.tolist()
    body = {"location": codes, "from": 1950, "to": 2100, "model": model, "revision": revision, "level": [50, 99.9]}
    response = client.post(URL, json=body)
    assert response.status_code == 200

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    rows = json.loads(response.data, parse_constant=refuse)["forecasts"]
    assert len(rows) == len(codes) * 151
    assert all(type(row["population"]) is int for row in rows)


def test_json_form_and_address_ask_alike(client: FlaskClient, known_query: str) -> None:
    got = client.get(f"{URL}?{known_query}").data
    values = {"location": ["WORLD", 901], "from": 2030, "to": "2035", "model": "ar1", "revision": "wpp2019"}
    assert client.post(URL, json=values).data == got
    assert client.post(URL, data=values).data == got
    assert client.post(URL, data=values, content_type="multipart/form-data").data == got
    assert client.post(f"{URL}?location=WORLD", json=values | {"location": 901}).data == got


@pytest.mark.parametrize(
    ("body", "field", "word"),
    [
        ("{", "body", "not JSON"),
        ("", "body", "not JSON"),
        ("[1, 2]", "body", "not a JSON object"),
        ("[" * 100_000, "body", "not JSON"),
        (b"\xff\xfe\xfa", "body", "not JSON"),
        ('{"location": "World", "from": true}', "from", "true or false"),
        ('{"location": null}', "location", "null"),
        ('{"location": {"code": 900}}', "location", "an object"),
        ('{"location": [["World"]]}', "location", "a list in a list"),
        ('{"location": []}', "location", "is empty"),
        ('{"location": "World", "from": []}', "from", "is empty"),
        ('{"location": "World", "colour": []}', "colour", "unknown parameter"),
        ('{"location": "World", "from": 2030, "from": 2031}', "from", "2 times"),
        ('{"location": "World", "from": NaN}', "from", "whole year"),
        ('{"location": "World", "from": 1e400}', "from", "whole year"),
        ('{"locations": ["World"]}', "locations", "unknown parameter"),
    ],
)
def test_a_wrong_body_is_a_400_that_names_the_fault(
    client: FlaskClient, body: str | bytes, field: str, word: str
) -> None:
    response = client.post(URL, data=body, content_type="application/json")
    assert response.status_code == 400
    faults = {error["parameter"]: error["detail"] for error in response.json["errors"]}
    assert word in faults[field].replace("Unknown", "unknown").replace("No loc", "no loc")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"level=80&\xff", "application/x-www-form-urlencoded"),
        (b"level=80", "multipart/form-data"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_that_cannot_be_read_is_not_taken_for_an_empty_one(client: FlaskClient, body: bytes, kind: str) -> None:
    response = client.post(f"{URL}?location=World", data=body, content_type=kind)
    assert response.status_code == 400
    assert response.json["errors"][0]["parameter"] == "body"
    assert "not a form" in response.json["detail"]


@pytest.mark.parametrize("path", [URL, f"{URL}.csv"])
def test_a_wrong_query_is_problem_details(client: FlaskClient, path: str) -> None:
    response = client.get(f"{path}?location=Wurld&from=2040&to=2035")
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    problem = response.json
    assert (problem["status"], problem["title"], problem["type"]) == (400, "Bad Request", "about:blank")
    assert [error["parameter"] for error in problem["errors"]] == ["location", "from"]
    assert "'Wurld'" in problem["detail"]


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("GET", "/api/v1/nothing", None, 404),
        ("GET", "/api/v1/forecast/", None, 404),
        ("DELETE", URL, None, 405),
        ("POST", "/api/v1/locations.csv", None, 405),
        ("POST", URL, "text/plain", 415),
        ("POST", URL, "application/xml", 415),
    ],
)
def test_other_errors_are_problem_details_too(
    client: FlaskClient, method: str, path: str, kind: str | None, status: int
) -> None:
    response = client.open(path, method=method, data=b"x" if kind else None, content_type=kind)
    assert response.status_code == response.json["status"] == status
    assert response.content_type == "application/problem+json"
    assert ("GET" in response.headers.get("Allow", "")) == (status == 405)


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
def test_a_body_of_10_mb_is_a_413(client: FlaskClient, kind: str) -> None:
    response = client.post(URL, data=b"a" * 10_000_000, content_type=kind)
    assert response.status_code == response.json["status"] == 413
    assert "1,000,000 bytes" in response.json["detail"]


@pytest.mark.parametrize(
    ("kind", "count"), [("application/x-www-form-urlencoded", 10_000), ("multipart/form-data", 2_000)]
)
def test_thousands_of_selections_are_a_400(client: FlaskClient, kind: str, count: int) -> None:
    response = client.post(URL, data={"location": [108] * count}, content_type=kind)
    assert response.status_code == 400
    assert f"{count:,} times" in response.json["detail"]


def test_a_file_in_a_form_is_not_dropped_in_silence(client: FlaskClient) -> None:
    response = client.post(URL, data={"location": "World", "table": (io.BytesIO(b"x"), "table.csv")})
    assert response.status_code == 400
    assert response.json["errors"][0]["parameter"] == "table"


def test_the_locations_of_a_revision_are_listed(client: FlaskClient) -> None:
    answer = client.get("/api/v1/locations?revision=wpp2019").json
    assert len(answer["locations"]) == 285
    nigeria = next(place for place in answer["locations"] if place["iso3"] == "NGA")
    assert nigeria == {
        "code": 566,
        "name": "Nigeria",
        "type": "Country/Area",
        "iso3": "NGA",
        "parent": 914,
        "region": "Africa",
    }


def test_the_models_are_listed(client: FlaskClient) -> None:
    answer = client.get("/api/v1/models").json
    assert [model["name"] for model in answer["models"]] == list(pf.models.MODELS)
    assert answer["default"] == "cohort"


@pytest.mark.parametrize(
    "path", ["/api/v1/locations?revision=x", "/api/v1/locations?revision=", "/api/v1/locations?a=1", "/api/v1/models?a"]
)
def test_lists_refuse_what_they_do_not_know(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert "xpected" in response.json["detail"]


def test_health_says_the_version(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok", "version": pf.__version__}
