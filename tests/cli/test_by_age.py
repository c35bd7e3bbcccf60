"""popforecast ages and components: what they print is what the module gives."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.models import Cohort


@pytest.fixture(scope="module")
def fc(wpp2024: pf.Panel) -> pf.Forecast:
    return pf.forecast_all(wpp2024, Cohort().fit(wpp2024), levels=()).forecast(["KOR", "ARE"], 2024, 2050)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_csv_has_the_ages_of_the_module_and_their_source(fc: pf.Forecast) -> None:
    table = pd.read_csv(io.StringIO(run("ages", "KOR", "ARE", "--years", "2030,2050", "--format", "csv")))
    ages = fc.ages().query("year == 2030 or year == 2050").reset_index(drop=True)
    assert table[ages.columns.tolist()].equals(ages.astype({"location_code": "int64"}))
    assert set(table["model"]) == {"cohort"}
    assert set(table.query("location_code == 784")["note"].str.contains("labour migrants")) == {True}


def test_json_has_the_components_of_the_module(fc: pf.Forecast) -> None:
    rows = json.loads(run("components", "KOR", "--years", "2024:2026", "--format", "json"))
    assert rows == fc.components().query("location_code == 410 and year <= 2026").to_dict("records")


def test_the_table_says_who_how_many_and_how_old(fc: pf.Forecast) -> None:
    lines = run("ages", "ARE", "--years", "2050").splitlines()
    total = fc.ages().query("location_code == 784 and year == 2050")["population"].sum()
    assert lines[0].startswith(f"United Arab Emirates, 2050: {total:,}, of whom ")
    assert lines[1].split() == ["Age", "Men", "Women"]
    assert len([line for line in lines if "–" in line.split(" ")[0] or line.strip().startswith("100+")]) == 1
    assert "Persons, without a range" in lines
    assert any("labour migrants" in line for line in lines)


def test_without_years_there_are_the_last_estimate_and_ten_years_later() -> None:
    lines = run("ages", "TUV").splitlines()
    assert [line[:12] for line in lines if line.startswith("Tuvalu")] == ["Tuvalu, 2023", "Tuvalu, 2033"]
    years = [line.split()[0] for line in run("components", "TUV").splitlines() if line.strip().startswith("20")]
    assert years == [str(year) for year in range(2024, 2034)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ages", "KOR", "--years", "1951"], "expected every fifth year, or 2023 or later"),
        (["components", "KOR", "--years", "1990"], "expected a year after 2023"),
        (["ages", "KOR", "--years", "soon"], "expected first:last:step or years separated by commas"),
        (["ages", "AND", "--revision", "wpp2019"], "no ages are known of Andorra"),
        (["ages"], "Missing argument"),
        (["ages", "Korrea"], "no location 'Korrea'"),
    ],
)
def test_what_has_no_ages_is_refused_in_a_sentence(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code
    assert words in result.output
    assert "Traceback" not in result.output
