"""What-if scenarios on the page, in the API and on the command line."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

import popforecast as pf
from popforecast.cli import main
from popforecast.question import Question, write_code

ASKED = "location=KOR&from=2050&to=2060&fertility=2.1&migration=zero"


def test_every_way_gives_the_forecast_of_the_model(client: FlaskClient, wpp2024: pf.Panel) -> None:
    expected = pf.forecast(wpp2024, "KOR", 2050, 2060, pf.Cohort(fertility=2.1, migration="zero"))
    answer = client.get(f"/api/v1/forecast?{ASKED}").json
    assert [row["population"] for row in answer["forecasts"]] == expected.population[0].round().tolist()
    assert answer["provenance"]["model"] == "cohort(fertility 2.1, migration zero)"
    command = ["forecast", "KOR", "--from", "2050", "--to", "2060", "--fertility", "2.1", "--migration", "zero"]
    printed = CliRunner().invoke(main, [*command, "--format", "csv"])
    assert pd.read_csv(io.StringIO(printed.stdout))["population"].tolist() == expected.population[0].round().tolist()
    code = write_code(Question((410,), 2050, 2060, fertility=2.1, migration="zero"))
    assert "pf.Cohort(fertility=2.1, migration='zero')" in code


def test_the_page_says_that_it_is_a_what_if_and_shows_its_ages_without_files_of_others(client: FlaskClient) -> None:
    page = client.get(f"/forecast?{ASKED}").text
    assert "what if: fertility 2.1, migration zero instead of the model" in page
    assert "What-if scenarios have no ranges" in page
    assert 'id="ages"' in page
    assert "CSV of ages" not in page
    assert 'value="2.1"' in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("fertility=40", "Fertility 40.0: expected constant, replacement, low or 0 to 12 children per woman."),
        ("migration=many", "Migration 'many': expected constant, zero or -100 to 100 net migrants"),
        ("mortality=zero", "Mortality 'zero': expected constant."),
        ("fertility=2&model=ar1", "Fertility '2' needs the model cohort: ar1 forecasts totals only."),
    ],
)
def test_a_scenario_that_is_none_is_refused_in_a_sentence(client: FlaskClient, asked: str, said: str) -> None:
    answer = client.get(f"/api/v1/forecast?location=KOR&{asked}")
    assert answer.status_code == 400
    assert said in answer.json["detail"]
