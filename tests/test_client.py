"""The client: what a deployed app answers, and what a person is told when it does not."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

import popforecast as pf
from app import create_app
from popforecast.cli import main
from popforecast.client import RequestError, request_forecast


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


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
    server = ThreadingHTTPServer(("127.0.0.1", 0), NoApp)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(RequestError, match="is it a popforecast app"):
            request_forecast(f"http://127.0.0.1:{server.server_port}", ["NGA"], 2030, 2035)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
