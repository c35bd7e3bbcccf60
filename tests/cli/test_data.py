"""--data: a file of one's own on the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import popforecast as pf
from popforecast.cli import main

COLUMNS = ["--id", "fips", "--time", "year", "--value", "pop"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, wpp2024: pf.Panel) -> Path:
    panel = wpp2024.select(["Austria", "Germany", "Japan", "India", "Nigeria"])
    frame = panel.to_frame().assign(fips=lambda rows: rows["location_code"].map("{:05d}".format))
    frame["area"] = frame["location"].map({"Austria": "Alps", "Germany": "Alps"}).fillna("Far")
    folder = tmp_path_factory.mktemp("own")
    frame = frame.rename(columns={"population": "pop"})
    frame.to_csv(folder / "mine.csv", index=False)
    frame[~((frame["location"] == "Japan") & (frame["year"] > 2015))].to_csv(folder / "uneven.csv", index=False)
    return folder


def test_forecast_of_a_file_is_that_of_its_panel(data: Path) -> None:
    path = str(data / "mine.csv")
    result = run("forecast", "--data", path, *COLUMNS, "00040", "--from", "2024", "--to", "2030", "--format", "csv")
    panel = pf.read_panel(path, "fips", "year", "pop")
    assert result.stdout == pf.forecast(panel, "00040", 2024, 2030).to_csv()
    assert pd.read_csv(io.StringIO(result.stdout), dtype={"location_code": str})["location_code"].unique() == ["00040"]


def test_a_region_is_the_sum_of_its_locations(data: Path) -> None:
    options = ["--data", str(data / "mine.csv"), *COLUMNS, "--group", "area", "--name", "location"]
    shown = ["Alps", "Austria", "Germany", "--from", "2030", "--to", "2030", "--format", "csv"]
    result = run("forecast", *options, *shown)
    figures = pd.read_csv(io.StringIO(result.stdout)).set_index("location")["population"]
    assert figures["Alps"] == figures["Austria"] + figures["Germany"]


def test_locations_of_unequal_years_need_no_word(data: Path) -> None:
    options = ["--data", str(data / "uneven.csv"), *COLUMNS]
    made = run("forecast", *options, "--from", "2016", "--to", "2017", "--format", "csv")
    rows = pd.read_csv(io.StringIO(made.stdout), dtype={"location_code": str})
    assert rows.groupby("location_code")["origin"].first().to_dict()["00392"] == 2015
    assert "own data, panel-ar from 2015 to 2023" in run("forecast", *options, "--from", "2020", "--to", "2021").stdout
    scored = run(
        "backtest", *options, "--models", "ar1,naive", "--origins", "2000,2010", "--horizons", "1", "--format", "csv"
    )
    assert pd.read_csv(io.StringIO(scored.stdout))["n"].tolist() == [10, 10]


def test_a_fit_to_a_file_serves_its_forecasts(data: Path, tmp_path: Path) -> None:
    options, model = ["--data", str(data / "mine.csv"), *COLUMNS], str(tmp_path / "m.npz")
    assert run("fit", *options, "--model", "ar1", "--output", model).exit_code == 0
    asked = ["00040", "--from", "2024", "--to", "2025", "--format", "csv"]
    fitted, named = (
        run("forecast", *options, *asked, "--fitted", model),
        run("forecast", *options, *asked, "--model", "ar1"),
    )
    assert fitted.stdout == named.stdout != ""


def test_what_is_left_out_is_told_beside_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("fips,year,pop\nA,2000,1\nA,2001,2\nA,2002,3\nB,2000,1\nB,2002,2\n")
    options = ["forecast", "--data", str(path), *COLUMNS, "--model", "naive"]
    assert "'B' has no figure in 2001" in run(*options).stderr
    result = run(*options, "--incomplete", "drop")
    assert result.exit_code == 0
    assert "left out: 'B' (row 5) has no figure in 2001" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--id", "fips"], ["--id", "--data"]),
        (["--data", "no.csv", "--revision", "wpp2019"], ["--data", "--revision"]),
        (["--data", "no.csv", *COLUMNS], ["no.csv", "cannot be read"]),
        (["--data", "{mine}"], ["name id", "--id", "fips"]),
        (["--data", "{mine}", "--id", "fips"], ["no columns of years", "time and value"]),
        (["--data", "{mine}", "--id", "fips", "--time", "year"], ["'year'", "value"]),
        (["--data", "{mine}", "--id", "fip", "--time", "year", "--value", "pop"], ["'fip'", "'fips'"]),
        (["--data", "{mine}", *COLUMNS, "--where", "area"], ["'area'", "sex=T"]),
        (["--data", "{mine}", *COLUMNS, "--where", "area=Moon"], ["no rows", "'Moon'"]),
        (["--data", "{mine}", *COLUMNS, "--intervals", "real-time"], ["real-time", "final"]),
        (["--data", "{mine}", *COLUMNS, "99999"], ["'99999'"]),
    ],
)
def test_bad_input_is_one_sentence(data: Path, arguments: list[str], words: list[str]) -> None:
    result = run("forecast", *(word.format(mine=data / "mine.csv") for word in arguments))
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert all(word in result.stderr for word in words), result.stderr
