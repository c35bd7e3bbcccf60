"""Every way to ask wrongly is answered by a sentence that names the value and what would be valid."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

import popforecast as pf
from app import create_app
from app.api.openapi import describe_api
from app.api.resources import RESOURCES
from app.settings import Settings
from popforecast.cli import main
from popforecast.client import request_forecast
from popforecast.explorer.addresses import NAMES
from popforecast.panel.years import last_year
from popforecast.question import (
    MOST_LOCATIONS,
    PARAMETERS,
    Asked,
    Given,
    Parameter,
    Question,
    QuestionError,
    View,
    write_code,
)
from popforecast.question.scenarios import SCENARIOS

ROOT = Path(__file__).parent.parent

GOOD = (("location", "World"), ("from", "2030"), ("to", "2035"))


def change(**values: str | list[str]) -> MultiDict[str, str]:
    arguments = MultiDict(GOOD)
    for name, value in values.items():
        arguments.setlist(name.rstrip("_"), [value] if isinstance(value, str) else value)
    return arguments


def read(arguments: MultiDict[str, str]) -> Question:
    return Question.read(arguments.to_dict(flat=False))


def find_faults(arguments: MultiDict[str, str]) -> dict[str, str]:
    with pytest.raises(QuestionError) as caught:
        read(arguments)
    return caught.value.faults


def test_the_defaults_are_the_newest_revision_and_the_default_model() -> None:
    assert read(MultiDict(GOOD)) == Question((900,), 2030, 2035, "cohort", "wpp2024", (80, 95))


def test_locations_are_found_by_code_iso3_name_and_alias_and_keep_their_order() -> None:
    question = read(change(location=["Ivory Coast", "566", "usa", "world"]))
    assert question.locations == (384, 566, 840, 900)


def test_a_query_survives_the_way_through_its_own_arguments() -> None:
    question = read(change(location=["NGA", "356"], level=["50", "99.5"], revision="wpp2019", model="drift"))
    assert read(MultiDict(question.arguments)) == question


def test_without_years_the_forecast_is_the_first_ten_steps_after_the_origin() -> None:
    question = read(MultiDict({"location": "World"}))
    assert (question.start, question.end) == (2024, 2034)


@pytest.mark.parametrize(
    ("given", "period"),
    [
        ({"to": "2026"}, (2024, 2026)),
        ({"to": "1990"}, (1990, 1990)),
        ({"from": "2095"}, (2095, 2100)),
        ({"from": "1950"}, (1950, 2033)),
    ],
)
def test_one_year_alone_is_completed_in_range(given: dict[str, str], period: tuple[int, int]) -> None:
    question = read(MultiDict({"location": "World", **given}))
    assert (question.start, question.end) == period


def test_every_location_of_a_revision_may_be_asked_for_at_once() -> None:
    codes = pf.load_panel("wpp2024").locations.index
    assert len(read(change(location=[str(code) for code in codes])).locations) == len(codes) == 297


@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        (change(location="Wurld"), "location", ["'Wurld'", "wpp2024", "World"]),
        (change(location=["World", "Nigera", "Germny"]), "location", ["'Nigera'", "Niger", "'Germny'", "Germany"]),
        (change(location="1834", revision="wpp2019"), "location", ["Sub-Saharan Africa", "wpp2024", "SUB-SAHARAN"]),
        (change(location=["NGA", "Nigeria"]), "location", ["Nigeria (566)", "twice", "each location once"]),
        (change(location=[]), "location", ["no location was chosen", "at least one"]),
        (change(location=""), "location", ["location is empty", "code, ISO3 code, name or alias"]),
        (change(location=["World", " "]), "location", ["location is empty"]),
        (change(location=["108"] * 10_000), "location", ["10,000 times", f"at most {MOST_LOCATIONS}"]),
        (change(location="x" * 8000), "location", ["8000 characters", "at most 100"]),
        (change(from_="2036"), "from", ["2036", "2035", "must not be later than"]),
        (change(from_="1949"), "from", ["1949", "1950 to 2100"]),
        (change(to="2101"), "to", ["2101", "1950 to 2100"]),
        (change(to="-5"), "to", ["-5", "1950 to 2100"]),
        (change(from_="soon"), "from", ["'soon'", "whole year", "1950 to 2100"]),
        (change(from_="2030.5"), "from", ["'2030.5'", "whole year"]),
        (change(from_="２０３０"), "from", ["whole year"]),
        (change(from_="9" * 5000), "from", ["9999…'", "whole year"]),
        (change(to=""), "to", ["to is empty", "a year"]),
        (change(from_=["1", "2"]), "from", ["from", "2 times", "'1', '2'", "once"]),
        (change(model="arima"), "model", ["'arima'", "ar1, naive, drift"]),
        (change(model=""), "model", ["model is empty", "ar1"]),
        (change(model=["ar1", "ar1"]), "model", ["2 times"]),
        (change(revision="wpp2022"), "revision", ["'wpp2022'", "wpp2019, wpp2024"]),
        (change(revision=["wpp2019", "wpp2024"]), "revision", ["2 times"]),
        (change(level="0"), "level", ["level 0", "between 0 and 100"]),
        (change(level="100"), "level", ["level 100", "between 0 and 100"]),
        (change(level="high"), "level", ["'high'", "between 0 and 100"]),
        (change(level="95.01"), "level", ["'95.01'", "one decimal"]),
        (change(level=["95", "95.0"]), "level", ["level 95", "each level once"]),
        (change(level=""), "level", ["level is empty"]),
        (change(level=[str(level) for level in range(1, 11)]), "level", ["10 times", "at most 9"]),
        (change(start="2030"), "start", ["'start'", "location, group, from, to, model, revision, level"]),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_be_valid(
    arguments: MultiDict[str, str], field: str, words: list[str]
) -> None:
    faults = find_faults(arguments)
    assert list(faults) == [field]
    for word in words:
        assert word.casefold() in faults[field].casefold()
    assert len(faults[field]) < 1000


def test_all_wrong_arguments_are_named_at_once() -> None:
    wrong = change(location="Wurld", from_="x", to="y", model="z", level="w", colour="red")
    assert set(find_faults(wrong)) == {"location", "from", "to", "model", "level", "colour"}


def test_many_unknown_locations_are_counted_not_listed() -> None:
    faults = find_faults(change(location=[f"nowhere {i}" for i in range(200)]))
    assert "195 more are unknown, too" in faults["location"]


def test_history_is_within_range() -> None:
    fc = read(change(from_="1950", to="1952", revision="wpp2019")).answer()
    assert fc.to_frame()["variant"].tolist() == ["estimates"] * 3


GROUP = "South Asia:356,586,50"


def test_a_group_is_a_name_and_members_found_like_locations() -> None:
    question = read(change(group=["South Asia:India, PAK ,50", "Iberia:Spain,PRT"]))
    assert question.groups == (("South Asia", (356, 586, 50)), ("Iberia", (724, 620)))


def test_groups_alone_are_a_query() -> None:
    question = read(MultiDict({"group": GROUP, "from": "2030", "to": "2031"}))
    assert question.locations == ()
    assert question.answer().to_frame()["location"].tolist() == ["South Asia", "South Asia"]


def test_groups_come_after_locations_and_are_the_sums_of_their_countries() -> None:
    fc = read(change(location=["356", "586", "50"], group=GROUP)).answer()
    assert fc.locations["name"].tolist() == ["India", "Pakistan", "Bangladesh", "South Asia"]
    rows = fc.to_frame().pivot(index="year", columns="location", values="population")
    assert (rows["India"] + rows["Pakistan"] + rows["Bangladesh"] == rows["South Asia"]).all()


def test_a_query_with_groups_survives_the_way_through_its_own_arguments() -> None:
    question = read(change(group="Ünïcode & more=100%:NGA,356"))
    assert ("group", "Ünïcode & more=100%:566,356") in question.arguments
    assert read(MultiDict(question.arguments)) == question


def test_every_way_to_ask_the_same_has_one_canonical_form() -> None:
    ways = [
        change(location=["Nigeria", "WORLD"], level=["95", "80"], group="Two: IND , 586 "),
        change(location=["566", "900"], level=["80.0", "95"], group="Two:356,PAK", model="cohort"),
    ]
    assert read(ways[0]).arguments == read(ways[1]).arguments


@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_all_is_every_location_in_the_table_s_order(revision: str) -> None:
    question = read(change(location="all", revision=revision))
    assert question.locations == tuple(pf.load_panel(revision).locations.index)
    assert [value for name, value in question.arguments if name == "location"] == ["all"]
    assert read(MultiDict(question.arguments)) == question


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("South Asia", ["'South Asia'", "no colon", "My markets:NGA"]),
        (":356", ["':356'", "no name"]),
        ("South Asia:", ["'South Asia'", "no member"]),
        ("South Asia:356,,586", ["'South Asia'", "empty member"]),
        ("South Asia:356,", ["'South Asia'", "empty member"]),
        ("South Asia:356,Indai", ["'South Asia'", "'Indai'", "India"]),
        ("South Asia:356,IND", ["'South Asia'", "India", "twice"]),
        ("South Asia:Southern Asia,IND", ["'South Asia'", "India", "twice"]),
        ("World:356,586", ["'World'", "name of a location"]),
        ("nga:356,586", ["'nga'", "Nigeria (566)"]),
        ("900:356", ["'900'", "name of a location"]),
        ("x" * 61 + ":356", ["61 characters", "at most 60"]),
        ("x:" + "y" * 101, ["101 characters", "at most 100"]),
        ("x:" + ",".join(["356"] * 301), ["301 members", "at most 300"]),
        ("a\x00b:356", ["invisible"]),
        ("a\u202eb:356", ["invisible"]),
        ("\u200b:356", ["invisible"]),
        ("a\ud800b:356", ["invisible"]),
        ("a:b:356", ["'a'", "'b:356'"]),
        (["A:356", "a:586"], ["'a'", "twice", "each name once"]),
        ([f"G{i}:356" for i in range(11)], ["11 times", "at most 10"]),
        ("", ["group is empty", "colon"]),
        ("=cmd|calc!A0:NGA", ["'=cmd|calc!A0'", "formula", "begin with"]),
        ("+1:NGA", ["'+1'", "formula"]),
        ("@SUM(A1):NGA", ["formula"]),
        ("\uff1dA1:NGA", ["formula"]),
        ("Two; -A1:NGA", ["formula"]),
    ],
)
def test_a_wrong_group_is_named_with_what_would_be_valid(group: str | list[str], words: list[str]) -> None:
    faults = find_faults(change(group=group))
    assert list(faults) == ["group"]
    for word in words:
        assert word.casefold() in faults["group"].casefold()
    assert len(faults["group"]) < 1000
    faults["group"].encode()


def test_a_plain_model_cannot_group_and_says_which_can() -> None:
    faults = find_faults(change(group=GROUP, model="ar1"))
    assert list(faults) == ["group"]
    assert "ar1" in faults["group"]
    assert "panel-ar" in faults["group"]


@pytest.mark.parametrize("model", [name for name, model in pf.models.MODELS.items() if model.calibrated])
def test_every_other_model_groups(model: str) -> None:
    fc = read(change(group=GROUP, model=model)).answer()
    assert fc.to_frame()["lower_80"].notna().all()


@pytest.mark.parametrize("text", ["a\x00", "\u202eWorld", "\ud800", "World\n", "\N{ARABIC LETTER ALEF}" * 50])
def test_strange_characters_are_answered_with_ones_that_print(text: str) -> None:
    arguments = change(location=[text], colour=text)
    if text.strip() == "World":
        arguments.poplist("colour")
        assert read(arguments).locations == (900,)
        return
    for fault in find_faults(arguments).values():
        assert fault.isprintable()


@pytest.mark.parametrize("levels", [(80, 95), (50, 80, 90, 95, 99), (33.3,), (80, 99.5)])
@pytest.mark.parametrize("model", ["panel-ar", "ar1"])
def test_the_outlook_gives_the_numbers_of_the_module(levels: tuple[float, ...], model: str) -> None:
    question = Question((566, 900), 2020, 2040, model, "wpp2024", levels)
    here = pf.forecast(pf.load_panel("wpp2024"), [566, 900], 2020, 2040, model, levels)
    assert question.answer().to_csv() == here.to_csv()


def read_options(command: str) -> set[str]:
    return {option for parameter in main.commands[command].params for option in parameter.opts}


def test_every_parameter_of_the_table_is_on_every_surface() -> None:
    described = describe_api()["components"]["parameters"]
    assert {row.name for field, row in PARAMETERS.items() if field != "scale"} <= set(described)
    page = create_app(Settings(rate_limits=False)).test_client().get("/").text
    for row in Question.rows().values():
        assert f'id="field-{row.name}"' in page
    assert {f"--{row.name}" for row in Question.rows().values()} - read_options("request") == {"--location"}
    # The explorer has neither groups nor what-if scenarios.
    assert set(NAMES) == set(View.names()) - {"group", *SCENARIOS}


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=list(PARAMETERS))
def test_the_example_of_a_parameter_is_read_and_written_as_itself(row: Parameter) -> None:
    examples = list(map(str, row.example if isinstance(row.example, list) else [row.example]))
    value = row.read(row.take({row.name: examples}), Given("wpp2024", "cohort"))
    texts = row.list_texts(value)
    assert row.read(texts, Given("wpp2024", "cohort")) == value
    assert len(texts) == len(examples) <= row.most


def test_the_years_of_the_table_are_those_of_the_revisions() -> None:
    panels = [pf.load_panel(revision) for revision in pf.REVISIONS]
    schema = PARAMETERS["start"].schema
    assert schema["minimum"] == min(panel.years[0] for panel in panels)
    assert schema["maximum"] == max(last_year(panel) for panel in panels)


@pytest.mark.parametrize("kind", [Question, View, *(resource.question for resource in RESOURCES)])
def test_a_parameter_that_the_table_does_not_know_is_refused_with_those_it_knows(kind: type[Asked]) -> None:
    with pytest.raises(QuestionError) as caught:
        kind.read({"colour": ["red"], "location": ["World"], "revision": ["wpp2024"]})
    known = ", ".join(kind.names()) or "none"
    assert caught.value.faults["colour"] == f"Unknown parameter 'colour': expected {known}."


def test_the_client_refuses_a_parameter_that_the_table_does_not_know() -> None:
    with pytest.raises(QuestionError, match="'colour': expected locations, groups, start, end, model"):
        request_forecast("http://127.0.0.1:9", ["NGA"], 2030, 2031, colour="red")


@pytest.mark.parametrize(
    "question",
    [
        Question((566, 900), 2030, 2031, "ar1", "wpp2019", (80,)),
        Question((392,), 2024, 2025, groups=(("South Asia", (356, 586, 50)),)),
        Question.read({"location": ["all"], "to": ["2024"]}),
    ],
)
def test_a_question_as_code_gives_the_numbers_of_its_answer(question: Question) -> None:
    *lines, last = write_code(question).splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    assert eval(last, names).to_csv() == question.answer().to_csv()


# What somebody who adds a parameter writes into the table, and what then is on the surfaces.
ROW = """
PARAMETERS["colour"] = Parameter(
    "colour",
    lambda texts, given: choose_among("colour", ("red", "green"))(texts, given)[0],
    "red or green",
    "The colour of nothing.",
    {"type": "string", "enum": ["red", "green"]},
    "red",
    default="red",
)


class Asked:"""
FIELD = '    levels: tuple[float, ...] = DEFAULT_LEVELS\n    colour: str = "red"\n'
SURFACES = """
import json, sys, threading
from click.testing import CliRunner
from werkzeug.serving import make_server
from app import create_app
from app.settings import Settings
from popforecast.cli import main
from popforecast.client import RequestError, request_forecast
from popforecast.explorer.addresses import AddressError, read_address

app = create_app(Settings(rate_limits=False))
client = app.test_client()
server = make_server("127.0.0.1", 0, app, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"

def ask(colour):
    try:
        return len(request_forecast(url, ["NGA"], 2030, 2031, colour=colour)["forecasts"])
    except RequestError as error:
        return str(error)

def refuse(address):
    try:
        read_address(address, None)
    except AddressError as error:
        return str(error)

document = client.get("/openapi.json").json
command = ["request", url, "NGA", "--from", "2030", "--to", "2030", "--colour"]
found = {
    "openapi": document["components"]["parameters"]["colour"]["schema"],
    "posted": document["components"]["schemas"]["Question"]["properties"]["colour"]["enum"],
    "docs": "The colour of nothing." in client.get("/docs").text,
    "form": 'id="field-colour"' in client.get("/").text,
    "page": "<option selected>green" in client.get("/forecast?location=NGA&colour=green").text,
    "blank": client.get("/forecast?location=NGA&colour=").location,
    "link": client.get("/api/v1/forecast?location=NGA&colour=green").headers["Link"].split(">")[0],
    "wrong": client.get("/api/v1/forecast?location=NGA&colour=blue").json["errors"],
    "client": [ask("green"), ask("blue")],
    "command": [CliRunner().invoke(main, [*command, colour]).exit_code for colour in ("green", "blue")],
    "help": "The colour of nothing." in CliRunner().invoke(main, ["request", "--help"]).output,
    "explorer": refuse("colour=green"),
}
print(json.dumps(found))
"""


def test_a_parameter_added_to_the_table_alone_is_on_every_surface(tmp_path: Path) -> None:
    package = tmp_path / "popforecast"
    shutil.copytree(ROOT / "popforecast" / "question", package / "question")
    for entry in (ROOT / "popforecast").iterdir():
        if entry.name != "question":
            (package / entry.name).symlink_to(entry)
    table = package / "question" / "table.py"
    source = table.read_text(encoding="utf-8")
    for old, new in (("\nclass Asked:", ROW), ("    levels: tuple[float, ...] = DEFAULT_LEVELS\n", FIELD)):
        assert source.count(old) == 1
        source = source.replace(old, new)
    table.write_text(source, encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", SURFACES]
    run = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    sentence = "Colour 'blue': expected one of red, green."
    assert found["wrong"] == [{"parameter": "colour", "detail": sentence}]
    assert found["client"][0] == 2
    assert sentence in found["client"][1]
    assert found["command"] == [0, 1]
    assert found["openapi"] == {"type": "string", "enum": ["red", "green"]}
    assert found["posted"] == ["red", "green"]
    assert found["link"].endswith("&colour=green")
    assert "colour" not in found["blank"].replace("&colour=red", "")
    assert "expected location, from" in found["explorer"]
    assert all(found[name] for name in ("docs", "form", "page", "help"))
