"""The client: what a deployed app answers, and what a person is told when it does not."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pandas as pd
import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.client import RequestError, request_csv, request_forecast
from popforecast.text import format_populations
from tests.helpers.serving import serve_in_thread


class NoApp(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<h1>It works!</h1>")

    def log_message(self, *_: object) -> None:
        pass


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["request", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_app_answers_what_the_module_gives(url: str) -> None:
    answer = request_forecast(url, ["WORLD", 901], 2018, 2035, model="ar1", revision="wpp2019", levels=(80, 95))
    here = pf.forecast(pf.load_panel("wpp2019"), ["WORLD", 901], 2018, 2035, model="ar1")
    assert answer["forecasts"] == json.loads(json.dumps(here.to_dict()["forecasts"]))
    assert answer["provenance"] == json.loads(json.dumps(here.to_dict()["provenance"]))


def test_a_slash_at_the_end_of_the_address_does_no_harm(url: str) -> None:
    assert len(request_forecast(url + "/", ["NGA"], 2030, 2031)["forecasts"]) == 2


def test_the_command_prints_the_known_table(url: str) -> None:
    status, output, _ = run(url, "WORLD", "--from", "2030", "--to", "2035", "--revision", "wpp2019", "--model", "ar1")
    assert status == 0
    figures = ["8,745,733,000", "8,844,029,000", "8,942,922,000", "9,042,415,000", "9,142,512,000", "9,243,217,000"]
    assert [figure for figure in figures if figure in output] == figures


def test_the_command_prints_csv_with_whole_persons(url: str) -> None:
    _, output, _ = run(url, "NGA", "--from", "2022", "--to", "2025", "--level", "90", "--format", "csv")
    expected = pf.forecast(pf.load_panel(), ["NGA"], 2022, 2025, levels=[90]).to_csv()
    assert output == expected
    assert len(pd.read_csv(io.StringIO(output))) == 4


def test_the_command_prints_json(url: str) -> None:
    _, output, _ = run(url, "NGA", "--from", "2030", "--to", "2030", "--format", "json")
    assert json.loads(output)["forecasts"][0]["location_code"] == 566


def test_the_app_s_own_words_are_passed_on(url: str) -> None:
    with pytest.raises(RequestError, match=r"400.*Nigerai.*Nigeria"):
        request_forecast(url, ["Nigerai"], 2030, 2035)
    status, _, message = run(url, "NGA", "--from", "2040", "--to", "2030")
    assert status == 1
    assert "2040" in message
    assert "2030" in message


def test_an_app_that_is_not_there_is_named() -> None:
    with pytest.raises(RequestError, match=r"http://127\.0\.0\.1:9/api/v1/forecast cannot be reached"):
        request_forecast("http://127.0.0.1:9", ["NGA"], 2030, 2035)


@pytest.mark.parametrize("address", ["nowhere", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(RequestError, match="cannot be reached"):
        request_forecast(address, ["NGA"], 2030, 2035)


def test_a_server_that_is_no_app_is_told_apart() -> None:
    with (
        serve_in_thread(ThreadingHTTPServer(("127.0.0.1", 0), NoApp)) as url,
        pytest.raises(RequestError, match="is it a popforecast app"),
    ):
        request_forecast(url, ["NGA"], 2030, 2035)


def test_a_group_is_the_sum_that_the_module_gives(url: str) -> None:
    groups = {"South Asia": ["IND", 586, "Bangladesh"]}
    answer = request_forecast(url, [], 2030, 2031, groups=groups)
    here = pf.forecast(pf.load_panel(), list(groups), 2030, 2031, groups=groups)
    assert answer["forecasts"] == json.loads(json.dumps(here.to_dict()["forecasts"]))
    assert answer["groups"] == [{"name": "South Asia", "members": [356, 586, 50]}]


def test_csv_is_the_csv_of_the_module(url: str) -> None:
    here = pf.forecast(pf.load_panel("wpp2019"), ["NGA"], 2018, 2025, "ar1", [90])
    assert request_csv(url, ["NGA"], 2018, 2025, "ar1", "wpp2019", [90]) == here.to_csv()


def test_the_command_takes_groups(url: str) -> None:
    asked = ("--group", "South Asia: IND, PAK, BGD", "--from", "2030", "--to", "2031")
    status, output, _ = run(url, *asked, "--format", "csv")
    assert status == 0
    groups = {"South Asia": ["IND", "PAK", "BGD"]}
    assert output == pf.forecast(pf.load_panel(), list(groups), 2030, 2031, groups=groups).to_csv()
    assert "South Asia" in run(url, "NGA", *asked)[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected at least one LOCATION or --group"),
        (["--group", "IND,PAK"], "expected a name, a colon and members"),
        (["--group", "A:IND", "--group", "A:PAK"], "expected each name once"),
    ],
)
def test_a_wrong_command_is_a_usage_error(arguments: list[str], words: str) -> None:
    status, _, message = run("http://127.0.0.1:9", *arguments, "--from", "2030", "--to", "2031")
    assert status == 2
    assert words in message


@pytest.mark.parametrize(
    ("groups", "words"), [({"A:B": ["IND"]}, "'A:B'.*colon"), ({"A": ["China, Hong Kong SAR"]}, "comma.*code")]
)
def test_a_group_that_an_address_cannot_hold_is_refused(groups: dict[str, list[str]], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        request_forecast("http://127.0.0.1:9", [], 2030, 2031, groups=groups)


@pytest.mark.parametrize("ask", [request_forecast, request_csv])
def test_what_no_address_holds_is_posted(url: str, ask: Callable[..., object]) -> None:
    names = [f"{' ' * 30}{code}" for code in pf.load_panel().locations.index]
    assert len("&".join(names)) > 8000
    assert ask(url, names, 2030, 2030) == ask(url, ["all"], 2030, 2030)


class Busy(BaseHTTPRequestHandler):
    """An app that was asked too often, as many times as it has answers."""

    answers: ClassVar[list[tuple[int, str | None, bytes]]] = []

    def do_GET(self) -> None:
        status, wait, body = self.answers.pop(0)
        self.send_response(status)
        if wait is not None:
            self.send_header("Retry-After", wait)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[str]:
    with serve_in_thread(ThreadingHTTPServer(("127.0.0.1", 0), Busy)) as url:
        yield url


NOTHING = {"forecasts": [], "notes": [], "provenance": {}}
TOO_MANY = b'{"detail": "Too many requests: ask again later."}'


@pytest.mark.parametrize("wait", ["1", "0", "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_who_was_too_quick_asks_once_more_when_told(busy: str, wait: str) -> None:
    Busy.answers = [(429, wait, TOO_MANY), (200, None, json.dumps(NOTHING).encode())]
    started = time.monotonic()
    assert request_forecast(busy, ["NGA"], 2030, 2031) == NOTHING
    assert time.monotonic() - started >= (1 if wait == "1" else 0)


@pytest.mark.parametrize("wait", ["3600", "soon", "", None, "-1"])
def test_who_is_told_to_wait_too_long_or_nothing_does_not_wait(busy: str, wait: str | None) -> None:
    Busy.answers = [(429, wait, TOO_MANY)]
    with pytest.raises(RequestError, match="429: Too many requests"):
        request_forecast(busy, ["NGA"], 2030, 2031)
    assert Busy.answers == []


def test_it_asks_no_third_time(busy: str) -> None:
    Busy.answers = [(429, "0", TOO_MANY)] * 3
    with pytest.raises(RequestError, match="429"):
        request_csv(busy, ["NGA"], 2030, 2031)
    assert len(Busy.answers) == 1


def test_json_that_is_no_answer_is_told_apart(busy: str) -> None:
    Busy.answers = [(200, None, body) for body in (b"[1]", b"{}", b'{"forecasts": 1}', b"{}")]
    for _ in range(3):
        with pytest.raises(RequestError, match="is it a popforecast app"):
            request_forecast(busy, ["NGA"], 2030, 2031)
    with pytest.raises(RequestError, match="is it a popforecast app"):
        request_csv(busy, ["NGA"], 2030, 2031)


SECRETS = [
    "http://ada:secret@127.0.0.1:9",
    "http://secret@127.0.0.1:9",
    "http://ada:sec/ret@127.0.0.1:9",
    "http://ada:sec\nret@127.0.0.1:9",
    "http://ada:se%63ret@127.0.0.1:9",
    "http://ada:secret@b..c",
    "http://ada:secret@[::1",
    "http://ada:secret@",
    "http://ada:secret@x:99999999",
    "ada:secret@nowhere",
    "ftp://ada:secret@127.0.0.1",
]


@pytest.mark.parametrize("address", SECRETS)
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_password_in_the_address_is_in_no_error(address: str, form: str) -> None:
    status, output, message = run(address, "NGA", "--from", "2030", "--to", "2030", "--format", form)
    assert status == 1
    assert "cannot be reached" in message
    assert not {"secret", "sec", "se%63ret", "ret@"} & set(re.split(r"[^\w%@]", output + message))


@pytest.mark.parametrize("address", SECRETS)
def test_a_password_in_the_address_is_in_no_message_of_what_led_to_the_error(address: str) -> None:
    with pytest.raises(RequestError) as caught:
        request_forecast(address, ["NGA"], 2030, 2030)
    error: BaseException | None = caught.value
    while error is not None:
        assert not re.search(r"sec.?ret|se%63ret", f"{error} {error!r}", re.DOTALL)
        error = error.__cause__ or error.__context__


class Guarded(BaseHTTPRequestHandler):
    """A server that lets nobody in, and keeps what they said."""

    said: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.said.append(self.headers.get("Authorization"))
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_password_in_the_address_is_sent_and_not_shown() -> None:
    with serve_in_thread(ThreadingHTTPServer(("127.0.0.1", 0), Guarded)) as url:
        address = url.replace("http://", "http://ada:s%C3%A9cret@")
        status, _, message = run(address, "NGA", "--from", "2030", "--to", "2030")
    assert status == 1
    assert f"{url}/api/v1/forecast answered 401" in message
    assert Guarded.said == [f"Basic {base64.b64encode('ada:sécret'.encode()).decode()}"]


@pytest.mark.parametrize("place", ["Wu\udcffrld", "\ud800"])
def test_a_name_that_is_no_text_is_one_sentence(place: str) -> None:
    with pytest.raises(RequestError, match="is not valid text"):
        request_forecast("http://127.0.0.1:9", [place], 2030, 2031)


def test_the_table_writes_every_figure_in_one_form_and_says_what_it_is(url: str) -> None:
    _, output, _ = run(url, "NGA", "Tokelau", "--from", "2022", "--to", "2025", "--level", "80", "--model", "ar1")
    here = pf.forecast(pf.load_panel(), ["NGA", "Tokelau"], 2022, 2025, "ar1", [80]).to_frame()
    for _, rows in here[["location", "population", "lower_80", "upper_80"]].groupby("location"):
        for text in format_populations(rows.drop(columns="location").to_numpy(object).ravel()):
            assert text == "–" or text in output
    assert "." not in re.sub(r"[A-Za-z]+\.", "", output.partition("\n\n")[0])
    assert "wpp2024, ar1 from 2023; ranges allow for random error only" in output
    assert "Persons, rounded to thousands (to whole numbers where a location has figures below 10,000)" in output


def test_the_table_has_the_notes_of_the_answer(url: str) -> None:
    _, output, _ = run(url, "Kuwait", "--from", "2030", "--to", "2030", "--model", "ar1")
    notes = pf.forecast(pf.load_panel(), ["Kuwait"], 2030, 2030, "ar1").notes
    assert notes
    assert all(f"  Kuwait: {note.text}" in output for note in notes)
