"""The command line: what a person types, sees, and is told when it cannot be."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import popforecast as pf
from popforecast.cli import main
from popforecast.text import VINTAGE_INTERVALS, format_populations

WORLD = ["8,745,733,000", "8,844,029,000", "8,942,922,000", "9,042,415,000", "9,142,512,000", "9,243,217,000"]
MORE_DEVELOPED = ["1,304,051,000", "1,306,841,000", "1,309,584,000", "1,312,279,000", "1,314,927,000", "1,317,530,000"]
KNOWN = ["WORLD", "More developed regions", "--from", "2030", "--to", "2035", "--revision", "wpp2019"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def refusal(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stderr


def test_the_known_table_comes_out_to_the_digit() -> None:
    result = run("forecast", *KNOWN, "--model", "ar1")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    years = [str(year) for year in range(2030, 2036)]
    assert [row[:2] for row in rows if row and row[0] in years] == [
        [year, figure] for figures in (WORLD, MORE_DEVELOPED) for year, figure in zip(years, figures, strict=True)
    ]


def test_python_dash_m_is_the_same_command() -> None:
    command = [sys.executable, "-m", "popforecast", "forecast", *KNOWN, "--model", "ar1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert all(figure in done.stdout for figure in WORLD + MORE_DEVELOPED)
    assert done.stderr == ""


def test_csv_is_the_frame_and_says_what_the_intervals_hold() -> None:
    result = run("forecast", "NGA", "Japan", "--from", "2022", "--to", "2026", "--format", "csv")
    forecast = pf.forecast(pf.load_panel(), ["NGA", "JPN"], 2022, 2026)
    assert result.stdout == forecast.to_csv()
    frame = forecast.to_frame()
    read = pd.read_csv(io.StringIO(result.stdout), dtype=dict(frame.dtypes.astype(str)))
    pd.testing.assert_frame_equal(read[frame.columns.tolist()], frame)
    assert set(read["intervals"]) == {"real-time"}


def test_json_carries_provenance_and_null_where_history_has_no_interval() -> None:
    answer = json.loads(run("forecast", "356", "--from", "2023", "--to", "2024", "--format", "json").stdout)
    past, future = answer["forecasts"]
    assert (past["variant"], past["population"], past["lower_95"]) == ("estimates", 1_438_069_596, None)
    assert future["variant"] == "forecast"
    assert future["lower_95"] < future["lower_80"] < future["population"] < future["upper_80"] < future["upper_95"]
    assert answer["provenance"]["checksum"] == pf.load_panel().checksum
    assert answer["provenance"]["origin"] == 2023
    assert "CC BY 3.0 IGO" in answer["citation"]


def test_history_is_shown_and_marked() -> None:
    rows = run("forecast", "NGA", "--from", "2022", "--to", "2024").stdout.splitlines()
    assert [line.endswith("estimate") for line in rows[2:5]] == [True, True, False]
    past = run("forecast", "NGA", "--from", "2000", "--to", "2001").stdout.splitlines()
    assert past[0].split() == ["Estimate"]
    assert [len(line.split()) for line in past[2:4]] == [2, 2]


@pytest.mark.parametrize("revision", list(pf.REVISIONS))
def test_a_table_says_first_how_wrong_the_forecast_may_be_and_what_the_un_says(revision: str) -> None:
    heading, name, row, *_ = run(
        "forecast", "NGA", "--from", "2030", "--to", "2030", "--revision", revision
    ).stdout.splitlines()
    forecast = pf.forecast(pf.load_panel(revision), ["NGA"], 2030, 2030, levels=[80])
    expected = ["2030", *format_populations([forecast.population[0, 0]])]
    lower, upper = format_populations([forecast.lower[80][0, 0], forecast.upper[80][0, 0]])
    expected.append(f"{lower} – {upper}")
    if revision == "wpp2024":
        medium = pf.load_projections(revision).set_index(["location_code", "year"])["population"]
        expected += format_populations([medium[566, 2030]])
    assert (name, re.split(r"  +", row.strip())) == ("Nigeria", expected)
    assert ("UN medium" in heading) == (revision == "wpp2024")


def test_a_table_of_the_largest_place_fits_80_columns() -> None:
    table = run("forecast", "World", "CHN", "Tokelau", "--to", "2100").stdout.partition("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 80


def test_levels_are_shown_where_asked() -> None:
    output = run("forecast", "NGA", "--from", "2030", "--to", "2030", "--level", "50", "--level", "95").stdout
    assert re.search("50% range +95% range", output)
    assert "80%" not in output


def test_places_of_one_name_are_told_apart_and_groups_have_no_figure_of_the_uns(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": list("ab"), "1": [1.0, 5.0], "2": [2.0, 6.0], "3": [3.0, 7.0]}).melt("id")
    table.assign(name="Arda").to_csv(tmp_path / "mine.csv", index=False)
    options = ["--id", "id", "--time", "variable", "--value", "value", "--name", "name", "--model", "drift"]
    output = run("forecast", "--data", str(tmp_path / "mine.csv"), *options, "--to", "4").stdout
    assert re.findall("^Arda.*", output, re.MULTILINE) == ["Arda (a)", "Arda (b)"]
    assert "UN medium" not in output


def test_every_location_is_the_default() -> None:
    frame = pd.read_csv(io.StringIO(run("forecast", "--from", "2024", "--to", "2024", "--format", "csv").stdout))
    assert len(frame) == 297


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["forecast", "Nigerai"], ["'Nigerai'", "Nigeria"]),
        (["forecast", "NGA", "nigeria"], ["twice", "Nigeria (566)"]),
        (["forecast", "NGA", "--from", "2040", "--to", "2030"], ["2040", "2030", "must not be later than"]),
        (["forecast", "NGA", "--from", "2030", "--to", "2101"], ["2101", "2100"]),
        (["forecast", "NGA", "--from", "1949", "--to", "2030"], ["1949", "1950"]),
        (["forecast", "NGA", "--from", "soon"], ["'soon'", "--from"]),
        (["forecast", "NGA", "--model", "prophecy"], ["'prophecy'", "ar1"]),
        (["forecast", "NGA", "--revision", "wpp2031"], ["'wpp2031'", "wpp2024"]),
        (["forecast", "NGA", "--level", "100"], ["100", "between 0 and 100"]),
        (["forecast", "NGA", "--level", "80", "--level", "80"], ["80", "once"]),
        (["forecast", "NGA", "--format", "xml"], ["'xml'", "csv"]),
        (["forecast", "NGA", "--fitted", "nowhere.npz"], ["nowhere.json", "manifest"]),
        (["forecast", "NGA", "--fitted", "a.npz", "--model", "ar1"], ["--fitted", "--model"]),
        (["backtest", "--origins", "19x"], ["'19x'", "1988:2022:5"]),
        (["backtest", "--origins", "1988:2000:0"], ["1988:2000:0", "first:last:step"]),
        (["backtest", "--origins", "2000:1990"], ["'2000:1990'", "no year"]),
        (["backtest", "--origins", "1988:2000:1:1"], ["'1988:2000:1:1'", "first:last:step"]),
        (["backtest", "--origins", "1:99999999999999999999"], ["too many years"]),
        (["backtest", "--origins", "2023"], ["2023", "1951 to 2022"]),
        (["backtest", "--horizons", "0"], ["horizon 0", "1 to"]),
        (["backtest", "--models", "ar1,ar1"], ["once"]),
        (["backtest", "--models", ""], ["''", "ar1"]),
        (["backtest", "--by", "colour"], ["'colour'", "region"]),
        (["fit", "--output", "model.pkl"], ["model.pkl", ".npz"]),
        (["fetch", "wpp1999"], ["'wpp1999'", "wpp2019", "wpp1998, wpp2000"]),
        (["report", "4-dreams"], ["'4-dreams'", "3-backtest"]),
        (["report", "2-validate-ar", "-p", "legs", "2"], ["'legs'", "lags"]),
        (["request", "http://127.0.0.1:9", "NGA", "--from", "2030", "--to", "2031"], ["127.0.0.1:9", "reached"]),
        (["divine"], ["'divine'"]),
    ],
)
def test_bad_input_is_one_sentence_that_names_it(
    arguments: list[str], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refusal(*arguments)
    assert all(word in message for word in words), message
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_nested_beyond_reason_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("[" * 100_000)
    assert "not a manifest" in refusal("forecast", "NGA", "--fitted", str(tmp_path / "model.npz"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
@pytest.mark.parametrize("arguments", [["forecast", "--format", "csv"], ["fit", "--output", "model.npz"]])
def test_a_full_disk_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "popforecast", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: No space left on device"


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "popforecast", "forecast", "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_fitted_model_forecasts_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "model.npz")
    assert run("fit", "--model", "drift", "--revision", "wpp2019", "--output", path).exit_code == 0
    query = ["NGA", "--from", "2030", "--to", "2031", "--revision", "wpp2019", "--format", "csv"]
    assert run("forecast", *query, "--fitted", path).stdout == run("forecast", *query, "--model", "drift").stdout


def test_a_fitted_model_is_refused_for_another_revision(tmp_path: Path) -> None:
    path = str(tmp_path / "model.npz")
    run("fit", "--revision", "wpp2019", "--output", path)
    assert "wpp2019" in refusal("forecast", "NGA", "--fitted", path, "--revision", "wpp2024")


def test_backtest_prints_the_measures_of_the_original_model() -> None:
    output = run(
        "backtest", "--models", "ar1", "--origins", "1988:2022:5", "--horizons", "1,3,5,10,20", "--format", "csv"
    )
    scores = pd.read_csv(io.StringIO(output.stdout))
    assert scores["mape"].round(1).tolist() == [0.7, 2.3, 3.9, 8.7, 24.2]
    assert list(scores.columns[:7]) == ["model", "horizon", "n", "mape", "median_ape", "mase", "wis"]
    assert {"coverage_80", "coverage_95"} <= set(scores.columns)


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_backtest_of_chosen_locations_by_origin(form: str) -> None:
    result = run(
        "backtest", "NGA", "JPN", "--models", "ar1,naive", "--horizons", "5", "--by", "origin", "--format", form
    )
    assert result.exit_code == 0
    assert "2013" in result.stdout


def test_backtest_of_one_location_is_its_part_of_the_backtest_of_all() -> None:
    """A model that learns from all countries is not fitted to the chosen one alone, and the world has its countries."""
    options = ["--models", "panel-ar", "--origins", "1993,2008", "--horizons", "1,10", "--format", "csv"]
    printed = pd.read_csv(io.StringIO(run("backtest", "World", *options).stdout))
    whole = pf.backtest(pf.load_panel("wpp2024"), "panel-ar", [1993, 2008], [1, 10]).scores("World")
    pd.testing.assert_frame_equal(printed, whole, check_dtype=False)


def test_vintages_print_the_intervals_of_the_time_before_those_that_knew_more_and_what_either_means() -> None:
    output = run("vintages", "--revision", "wpp2010").stdout
    assert output.index("published  ") < output.index("real-time  ")
    for kind, meaning in VINTAGE_INTERVALS.items():
        assert f"{kind}: {meaning}." in output.splitlines()
    scores = pd.read_csv(io.StringIO(run("vintages", "--revision", "wpp2010", "--format", "csv").stdout))
    rows = scores[(scores["source"] == "cohort") & (scores["basis"] == "raw")]
    assert rows["intervals"].tolist() == ["published", "real-time"] * 2
    assert rows["coverage_95"].round().tolist() == [70, 92, 84, 93]


def test_vintages_of_one_kind_of_intervals_explain_that_one_alone() -> None:
    output = run("vintages", "--intervals", "final", "--models", "naive").stdout
    assert not any(meaning in output for meaning in VINTAGE_INTERVALS.values())
    assert "expected one or more of published, real-time, final, each once" in refusal(
        "vintages", "--intervals", "final", "--intervals", "final"
    )
    assert "'honest' is not one of 'published', 'real-time', 'final'" in refusal("vintages", "--intervals", "honest")


def test_ratios_are_of_every_vintage_and_pooled_and_refuse_what_they_would_ignore() -> None:
    output = run("vintages", "--ratios", "--models", "naive").stdout
    assert [line.split()[1] for line in output.splitlines()[1:8]] == ["wpp2010"] * 3 + ["wpp2012"] * 3 + ["all"]
    assert "interpolated with constant growth" in output
    assert "expected no --revision, --data, --intervals or --level" in refusal("vintages", "--ratios", "--level", "80")


def test_every_command_has_help_with_an_example() -> None:
    names = {"forecast", "ages", "components", "backtest", "vintages", "fit", "report", "request", "fetch"}
    assert set(main.commands) == names
    for name in main.commands:
        output = run(name, "--help").stdout
        # On lines of its own, as it is typed.
        assert f"\n  Example:\n    popforecast {name}" in output, output
        assert "\\b" not in output


def test_every_option_is_explained_or_speaks_for_itself() -> None:
    for command in main.commands.values():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help or option.metavar or isinstance(option.type, click.Choice) or option.show_default
