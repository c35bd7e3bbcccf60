"""Answers over HTTP: releases, entity tags, caching, links, and that any page may read them."""

from __future__ import annotations

import io
import re
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
from flask.testing import FlaskClient
from werkzeug.http import parse_options_header

import popforecast as pf
from app.api.http import name_release
from app.api.openapi import write_example
from app.api.resources import RESOURCES

URL = "/api/v1/forecast"
ASKED = f"{URL}?location=NGA&from=2030&to=2031"
EVERY = [write_example(resource, csv) for resource in RESOURCES for csv in (False, True)]


def read_links(header: str) -> dict[str, str]:
    links = (parse_options_header(part.strip()) for part in re.split(r",(?=\s*<)", header))
    return {options["rel"]: address.strip("<>") for address, options in links}


@pytest.mark.parametrize("address", EVERY)
def test_who_has_the_answer_is_told_so(client: FlaskClient, address: str) -> None:
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    for name in ("ETag", "Cache-Control", "Vary", "Link", "Access-Control-Allow-Origin"):
        assert again.headers[name] == first.headers[name]


def test_the_tag_is_of_the_question_however_it_is_put(client: FlaskClient) -> None:
    same = [ASKED, f"{URL}?to=2031&from=2030&location=566&level=95&level=80&model=cohort&revision=wpp2024"]
    other = [f"{ASKED}&level=80", f"{ASKED}&model=ar1", f"{ASKED}&revision=wpp2019", ASKED.replace("?", ".csv?", 1)]
    tags = [client.get(address).headers["ETag"] for address in same + other]
    assert tags[0] == tags[1]
    assert len(set(tags)) == 5


@pytest.mark.parametrize("address", EVERY)
def test_head_says_what_get_would(client: FlaskClient, address: str) -> None:
    got, head = client.get(address), client.head(address)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Link"):
        assert head.headers[name] == got.headers[name]


def test_a_release_is_kept_for_a_year_and_all_else_for_minutes(client: FlaskClient) -> None:
    assert client.get(ASKED).headers["Cache-Control"] == "public, max-age=300, must-revalidate"
    cited = client.get(f"{ASKED}&release={name_release('wpp2024')}")
    assert cited.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert cited.data == client.get(ASKED).data


@pytest.mark.parametrize("address", EVERY)
def test_what_is_cited_and_what_is_canonical_answer_the_same(client: FlaskClient, address: str) -> None:
    first = client.get(address)
    links = read_links(first.headers["Link"])
    assert client.get(links["canonical"]).data == client.get(links["cite-as"]).data == first.data
    assert dict(parse_qsl(urlsplit(links["cite-as"]).query))["release"].startswith(f"{pf.__version__}")
    assert links["license"] == "https://creativecommons.org/licenses/by/3.0/igo/"
    assert client.get(links["service-desc"]).json["openapi"]
    twin = client.get(links["alternate"])
    assert {first.mimetype, twin.mimetype} == {"application/json", "text/csv"}


@pytest.mark.parametrize(
    ("release", "status", "words"),
    [
        ("0.0.1-72c18e5fad90", 404, ["'0.0.1-72c18e5fad90'", name_release("wpp2024")]),
        (f"{pf.__version__}-000000000000", 404, ["000000000000", name_release("wpp2024")]),
        (name_release("wpp2019"), 404, [name_release("wpp2019"), name_release("wpp2024")]),
        ("new est", 400, ["'new est'", "twelve hexadecimal digits"]),
        ("", 400, ["release is empty"]),
        ("a\x00b", 400, ["x00"]),
        ("9" * 5000, 400, ["9999…'"]),
    ],
)
def test_another_release_is_refused_by_name_and_not_kept(
    client: FlaskClient, release: str, status: int, words: list[str]
) -> None:
    answer = client.get(URL, query_string={"location": "NGA", "release": release})
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert [error["parameter"] for error in answer.json["errors"]] == ["release"]
    for word in words:
        assert word.casefold() in answer.json["detail"].casefold()


def test_a_release_stands_once(client: FlaskClient) -> None:
    release = name_release("wpp2024")
    assert client.get(f"{ASKED}&release={release}&release={release}").status_code == 400


@pytest.mark.parametrize("address", [*EVERY, f"{URL}?location=Wurld", "/api/v1/nothing", "/openapi.json"])
def test_any_page_may_read_every_answer_and_every_error(client: FlaskClient, address: str) -> None:
    answer = client.get(address, headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"ETag", "Link", "Retry-After"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("address", EVERY)
def test_a_browser_that_asks_before_it_asks_is_let_through(client: FlaskClient, address: str) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    answer = client.options(address, headers=asked | {"Access-Control-Request-Headers": "if-none-match"})
    assert answer.status_code == 200
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert "If-None-Match" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("accept", ["image/png", "application/xml;q=0.5", "text/html", "nonsense", "*/*;q=0", ""])
@pytest.mark.parametrize(("address", "form"), [(ASKED, "application/json"), (ASKED.replace("?", ".csv?"), "text/csv")])
def test_the_address_chooses_the_form_and_accept_does_not(
    client: FlaskClient, address: str, form: str, accept: str
) -> None:
    """RFC 9110, 12.5.1: a server may treat a resource as not subject to negotiation; each form has its own address."""
    answer = client.get(address, headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (200, form)
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("address", EVERY)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_a_method_that_is_not_allowed_is_named_with_those_that_are(
    client: FlaskClient, address: str, method: str
) -> None:
    answer = client.open(address, method=method)
    assert answer.status_code == 405
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))
    assert method in answer.json["detail"]
    assert "GET" in answer.json["detail"]


def test_an_address_that_is_none_is_named_with_those_that_are(client: FlaskClient) -> None:
    answer = client.get("/api/v1/forecasts")
    assert answer.status_code == 404
    assert "'/api/v1/forecasts'" in answer.json["detail"]
    assert "/api/v1/forecast.csv" in answer.json["detail"]


def test_a_long_question_has_no_link_that_proxies_would_cut(client: FlaskClient) -> None:
    codes = pf.load_panel("wpp2024").locations.index[:200].tolist()
    answer = client.post(URL, json={"location": codes, "from": 2030, "to": 2030})
    assert answer.status_code == 200
    assert len(answer.headers["Link"]) < 1000
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_posted_csv_is_the_csv_of_the_address(client: FlaskClient) -> None:
    posted = client.post(f"{URL}.csv", json={"location": ["NGA"], "from": 2030, "to": 2031})
    assert posted.data == client.get(ASKED.replace("?", ".csv?")).data


@pytest.mark.parametrize(
    "address", [example for example in EVERY if ".csv" in example], ids=lambda address: address.partition("?")[0]
)
def test_every_row_of_a_csv_can_be_read_and_those_of_figures_say_their_source(
    client: FlaskClient, address: str
) -> None:
    frame = pd.read_csv(io.BytesIO(client.get(address).data))
    assert len(frame) > 0
    if "models" not in address:
        assert set(frame["revision"]) == {"wpp2024"}
    assert "attachment" in client.get(address).headers["Content-Disposition"]


def test_every_location_over_every_year_is_one_call(client: FlaskClient) -> None:
    answer = client.get(f"{URL}?location=all&from=2024&to=2100").json
    panel = pf.load_panel("wpp2024")
    here = pf.forecast(panel, None, 2024, 2100)
    assert len(answer["forecasts"]) == len(panel.locations) * 77
    assert answer == here.to_dict() | {"groups": []}


@pytest.mark.parametrize("model", ["panel-ar", "ar1"])
def test_json_written_fast_is_the_json_of_the_module(client: FlaskClient, model: str) -> None:
    """Past and future, nulls, and figures of an explosive model."""
    answer = client.get(f"{URL}?location=all&from=2020&to=2100&model={model}&revision=wpp2019&level=99.9").json
    here = pf.forecast(pf.load_panel("wpp2019"), None, 2020, 2100, model, [99.9])
    assert answer == here.to_dict() | {"groups": []}


def test_the_members_of_a_group_are_in_the_answer(client: FlaskClient) -> None:
    answer = client.get(f"{URL}?group=South+Asia:IND,586,Bangladesh&to=2030").json
    assert answer["groups"] == [{"name": "South Asia", "members": [356, 586, 50]}]
    assert {row["location_code"] for row in answer["forecasts"]} == {"South Asia"}


def test_scores_are_those_of_the_record(client: FlaskClient) -> None:
    answer = client.get("/api/v1/backtest?location=JPN&location=NGA&model=ar1&model=panel-ar&horizon=20").json
    record = pf.load_record("wpp2024").query("location_code in (392, 566) and horizon == 20")
    record = record[record["model"].isin(["ar1", "panel-ar"])]
    scores = pd.DataFrame(answer["scores"])
    assert scores.drop(columns="location").to_dict("records") == record.to_dict("records")
    assert set(scores["location"]) == {"Japan", "Nigeria"}
    assert answer["data"] == "final"


def test_vintages_are_those_of_the_record(client: FlaskClient) -> None:
    answer = client.get("/api/v1/vintages?location=NGA&vintage=wpp2012").json
    record = pf.load_vintage_record().query("location_code == 566 and vintage == 'wpp2012'")
    assert [row["ape"] for row in answer["comparisons"]] == record["ape"].tolist()
    assert [row["un_population"] for row in answer["comparisons"]] == record["un_population"].tolist()


def test_both_kinds_of_intervals_stand_in_json_and_csv_each_with_its_meaning(client: FlaskClient) -> None:
    held = [f"{prefix}held_{level}" for prefix in ("published_", "") for level in (80, 95)]
    record = pf.load_vintage_record().query("location_code == 566")[held]
    answer = client.get("/api/v1/vintages?location=NGA").json
    assert [[row[name] for name in held] for row in answer["comparisons"]] == record.to_numpy().tolist()
    assert list(answer["intervals"]) == ["published_held", "held"]
    assert "could have been given at the time" in answer["intervals"]["published_held"]
    assert "could not be known at the time" in answer["intervals"]["held"]
    table = pd.read_csv(io.StringIO(client.get("/api/v1/vintages.csv?location=NGA").text))
    assert table[held].to_numpy().tolist() == record.astype(bool).to_numpy().tolist()
    # A reader sees the one of the time first.
    assert table.columns.get_loc("published_held_95") < table.columns.get_loc("held_95")


def test_milestones_are_those_of_the_module(client: FlaskClient) -> None:
    from popforecast.forecasting.milestones import find_milestones

    answer = client.get("/api/v1/milestones?location=JPN&location=NGA&level=95").json
    fc = pf.forecast(pf.load_panel("wpp2024"), ["JPN", "NGA"], 2024, 2100, levels=[95])
    assert [row["sentence"] for row in answer["milestones"]] == [found.sentence for found in find_milestones(fc)]
    assert {row["level"] for row in answer["milestones"]} == {95}


@pytest.mark.parametrize(
    ("address", "field", "words"),
    [
        ("backtest?horizon=7", "horizon", ["'7'", "1, 5, 10, 20"]),
        ("backtest?horizon=10&horizon=10", "horizon", ["10", "twice"]),
        ("backtest?model=arima", "model", ["'arima'", "panel-ar"]),
        ("backtest?location=Wurld", "location", ["'Wurld'", "World"]),
        ("backtest?revision=wpp2012", "revision", ["'wpp2012'", "wpp2019, wpp2024"]),
        ("backtest?level=80", "level", ["Unknown parameter 'level'", "horizon"]),
        ("vintages?vintage=wpp2024", "vintage", ["'wpp2024'", "wpp2010, wpp2012"]),
        ("vintages?revision=wpp2024", "revision", ["Unknown parameter", "vintage"]),
        ("milestones", "location", ["no location was chosen"]),
        ("milestones?location=JPN&level=80&level=95", "level", ["2 times", "once"]),
        ("milestones?location=JPN&from=2030", "from", ["Unknown parameter 'from'"]),
        ("milestones?group=A:356&model=ar1", "group", ["ar1", "panel-ar"]),
        ("models?release=1&a=2", "a", ["Unknown parameter 'a'", "none"]),
    ],
)
def test_a_wrong_argument_is_named_everywhere(client: FlaskClient, address: str, field: str, words: list[str]) -> None:
    for twin in ("", ".csv"):
        name, mark, query = address.partition("?")
        answer = client.get(f"/api/v1/{name}{twin}{mark}{query}")
        assert answer.status_code == 400
        faults = {error["parameter"]: error["detail"] for error in answer.json["errors"]}
        assert list(faults) == [field]
        for word in words:
            assert word.casefold() in faults[field].casefold()


@pytest.mark.parametrize("body", ['{"location": "\\ud800"}', '{"\\ud800": 1}', '{"group": "a\\ud800:356"}'])
def test_half_a_character_in_json_is_a_400(client: FlaskClient, body: str) -> None:
    answer = client.post(URL, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert "\\ud800" in answer.json["detail"]
    assert client.post("/forecast", data=body, content_type="application/json").status_code == 400
