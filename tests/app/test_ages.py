"""Ages, births, deaths and migration in the API: the module's figures, within limits, or a 400 that says why not."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from flask.testing import FlaskClient

import popforecast as pf
from popforecast.client import RequestError, request_ages, request_components
from popforecast.question.ages import MOST_ROWS
from popforecast.session import get_session

PLACES = "location=KOR&location=World&from=2020&to=2030"


@pytest.fixture(scope="module")
def fc() -> pf.Forecast:
    return get_session("wpp2024").outlook("cohort").forecast(["KOR", "World"], 2020, 2030, (80,))


@pytest.mark.parametrize("name", ["ages", "components"])
def test_json_and_csv_have_the_module_s_rows(client: FlaskClient, fc: pf.Forecast, name: str) -> None:
    expected = getattr(fc, name)().astype({"location_code": "int64"})
    answer = client.get(f"/api/v1/{name}?{PLACES}").json
    assert answer[name] == expected.to_dict("records")
    assert answer["provenance"]["model"] == "cohort"
    table = pd.read_csv(io.StringIO(client.get(f"/api/v1/{name}.csv?{PLACES}").text))
    assert table[expected.columns.tolist()].equals(expected)
    assert set(table["revision"]) == {"wpp2024"}


def test_ages_add_up_to_the_forecast_of_the_same_model(client: FlaskClient) -> None:
    ages = client.get("/api/v1/ages?location=NGA&from=2050&to=2050").json["ages"]
    totals = client.get("/api/v1/forecast?location=NGA&from=2050&to=2050&model=cohort").json["forecasts"]
    assert len(ages) == 42
    assert sum(row["population"] for row in ages) == totals[0]["population"]


def test_a_posted_question_is_answered_alike(client: FlaskClient) -> None:
    asked = client.get(f"/api/v1/ages?{PLACES}").json
    body = {"location": ["KOR", "World"], "from": 2020, "to": 2030}
    assert client.post("/api/v1/ages", json=body).json == asked


def test_a_group_has_the_ages_of_its_members(client: FlaskClient) -> None:
    answer = client.get("/api/v1/ages?group=Both:KOR,JPN&location=KOR&location=JPN&from=2050&to=2050").json
    table = pd.DataFrame(answer["ages"]).pivot_table(index=["sex", "age"], columns="location", values="population")
    assert table["Both"].to_numpy() == pytest.approx(table[["Japan", "Republic of Korea"]].sum(axis=1), rel=1e-3)
    assert answer["groups"] == [{"name": "Both", "members": [410, 392]}]


@pytest.mark.parametrize(
    ("path", "parameter", "words"),
    [
        ("ages?location=all", "to", f"expected at most {MOST_ROWS:,}"),
        ("ages?location=KOR&from=1951&to=1953", "from", "No ages are published"),
        ("ages?location=AND&revision=wpp2019", "location", "No ages are known of Andorra"),
        ("ages?location=KOR&model=panel-ar", "model", "Unknown parameter"),
        ("components?location=AND&revision=wpp2019", "location", "No ages are known of Andorra"),
    ],
)
def test_what_has_no_ages_is_a_400_that_says_why(client: FlaskClient, path: str, parameter: str, words: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 400
    assert [fault["parameter"] for fault in answer.json["errors"]] == [parameter]
    assert words in answer.json["errors"][0]["detail"]


def test_all_locations_in_one_year_are_within_the_limit(client: FlaskClient) -> None:
    answer = client.get("/api/v1/ages?location=all&from=2050&to=2050")
    assert answer.status_code == 200
    assert len(answer.json["ages"]) == 42 * 297


def test_the_caution_about_ages_is_in_the_answer(client: FlaskClient) -> None:
    notes = client.get("/api/v1/ages?location=QAT&from=2050&to=2050").json["notes"]
    assert any("labour migrants" in note["text"] for note in notes)


def test_the_client_asks_for_ages_and_components(url: str, fc: pf.Forecast) -> None:
    ages = request_ages(url, ["KOR", "World"], 2020, 2030)["ages"]
    assert ages == fc.ages().astype({"location_code": "int64"}).to_dict("records")
    flows = request_components(url, ["KOR"], 2024, 2030, groups={"Both": ["KOR", "JPN"]})["components"]
    assert {row["location"] for row in flows} == {"Republic of Korea", "Both"}
    assert request_components(url, ["KOR"], 1990, 2000)["components"] == []
    with pytest.raises(RequestError, match="refused with 400: No ages are published from 1951 to 1953"):
        request_ages(url, ["KOR"], 1951, 1953)
