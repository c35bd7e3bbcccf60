"""A forecast in parts: the numbers of pf.forecast, however the rows are cut and whoever works on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

import popforecast as pf
from tests.scale.series import make_rows, read_bytes

ROOT = Path(__file__).parents[2]


def forecast_in_parts(data: Path, output: Path, model: str = "ar1", **options: object) -> pd.DataFrame:
    pf.scale.forecast(data, output, **{"id": "id", "model": model, "partition_rows": 1} | options)
    return pd.read_parquet(output)


def forecast_whole(rows: pd.DataFrame, model: str, **options: object) -> pd.DataFrame:
    panel = pf.Panel.from_frame(rows, id="id")
    return pf.forecast(panel, model=model, **options).to_frame().drop(columns=["location", "variant"])


@pytest.mark.parametrize("model", [name for name in pf.models.MODELS if name not in ("cohort", "combination")])
def test_numbers_of_64_partitions_are_those_of_one_and_of_the_panel(
    model: str, history: Path, rows: pd.DataFrame, tmp_path: Path
) -> None:
    parts = forecast_in_parts(history, tmp_path / "parts", model)
    assert len(list((tmp_path / "parts").glob("part-*.parquet"))) == 64
    rows.to_parquet(tmp_path / "one.parquet")
    one = forecast_in_parts(tmp_path / "one.parquet", tmp_path / "one", model)
    pd.testing.assert_frame_equal(parts, one, check_exact=True)
    expected = pf.forecast(pf.Panel.from_frame(rows, id="id"), model=model)
    noted = json.loads((tmp_path / "one" / "_manifest.json").read_text())["noted"]
    assert noted == len({note.location_code for note in expected.notes})
    # With fewer series than the sample holds, all of them teach: the panel's own numbers, to the person.
    pd.testing.assert_frame_equal(parts, forecast_whole(rows, model), check_dtype=False, check_exact=True)


@pytest.mark.parametrize("cut", [1, 7, 51, 333])
def test_no_series_is_lost_or_doubled_wherever_row_groups_and_files_cut_it(
    cut: int, rows: pd.DataFrame, tmp_path: Path
) -> None:
    few = rows[: 12 * 50]
    folder = tmp_path / "cut"
    folder.mkdir()
    half = len(few) // 2 + 13
    # Names in no order: what a file holds says where it belongs.
    few[half:].to_parquet(folder / "part.10.parquet", row_group_size=cut)
    few[:half].to_parquet(folder / "part.9.parquet", row_group_size=cut)
    parts = forecast_in_parts(folder, tmp_path / "out")
    pd.testing.assert_frame_equal(parts, forecast_whole(few, "ar1"), check_dtype=False, check_exact=True)


def test_identifiers_may_be_numbers_categories_or_text_without_statistics(rows: pd.DataFrame, tmp_path: Path) -> None:
    few = rows[: 30 * 50]
    expected = forecast_whole(few, "ar1").drop(columns="location_code")
    forms = {
        "numbers": few.assign(id=few["id"].str[1:].astype(int)),
        "categories": few.assign(id=few["id"].astype("category")),
        "plain": few,
    }
    for name, form in forms.items():
        path = tmp_path / f"{name}.parquet"
        form.to_parquet(path, row_group_size=170, write_statistics=name != "plain")
        parts = forecast_in_parts(path, tmp_path / name)
        assert parts["location_code"].tolist() == np.repeat(form["id"].unique().tolist(), 10).tolist()
        pd.testing.assert_frame_equal(parts.drop(columns="location_code"), expected, check_dtype=False)


@pytest.mark.parametrize("engine", ["local", pytest.param("dask", marks=pytest.mark.process)])
def test_identifiers_without_sign_stay_what_they_are(engine: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    few = rows[: 30 * 50]
    ids = few["id"].str[1:].astype(np.uint64) + np.uint64(2**64 - 100)
    few.assign(id=ids).to_parquet(tmp_path / "history.parquet", row_group_size=170)
    parts = forecast_in_parts(tmp_path / "history.parquet", tmp_path / "out", engine=engine, partition_rows=500)
    assert parts["location_code"].tolist() == np.repeat(ids.unique().tolist(), 10).tolist()
    assert parts["location_code"].dtype == np.uint64
    expected = forecast_whole(few, "ar1").drop(columns="location_code")
    pd.testing.assert_frame_equal(parts.drop(columns="location_code"), expected, check_dtype=False)


def test_series_may_begin_and_end_in_any_year(rows: pd.DataFrame, tmp_path: Path) -> None:
    whole = rows[: 9 * 50]
    begins = whole["id"].str[-1].astype(int) % 3 * 4 + 1970
    ends = 2019 - whole["id"].str[-1].astype(int) % 2 * 3
    uneven = whole[whole["year"].between(begins, ends)]
    uneven.to_parquet(tmp_path / "uneven.parquet", row_group_size=100)
    parts = forecast_in_parts(tmp_path / "uneven.parquet", tmp_path / "out", start=2018, end=2025)
    for code, series in uneven.groupby("id"):
        alone = forecast_whole(series, "ar1", start=2018 if series["year"].max() >= 2018 else 2017, end=2025)
        mine = parts[parts["location_code"] == code].reset_index(drop=True)
        alone = alone[alone["year"] >= 2018].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, alone.astype(mine.dtypes), check_exact=True)


@pytest.mark.parametrize("model", ["panel-ar", "ar1"])
def test_panel_ar_forecasts_series_of_other_years_too(model: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    early = rows[~((rows["id"] < "S00020") & (rows["year"] > 2010))]
    early.to_parquet(tmp_path / "early.parquet")
    parts = forecast_in_parts(tmp_path / "early.parquet", tmp_path / "out", model, start=2020, end=2025)
    assert parts.groupby("location_code").size().eq(6).all()
    assert parts.notna().all(axis=None)
    assert (parts["lower_95"] <= parts["population"]).all()


def test_sample_is_the_same_whatever_the_partitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So few teach that most series are only taught.
    from popforecast.scale import learning

    monkeypatch.setattr(learning.take_sample, "__defaults__", (60,))
    monkeypatch.setattr(learning.choose_least, "__defaults__", (60,))
    rows = make_rows(400, seed=3)
    rows.to_parquet(tmp_path / "one.parquet")
    rows.to_parquet(tmp_path / "many.parquet", row_group_size=311)
    one, many = (
        forecast_in_parts(tmp_path / f"{name}.parquet", tmp_path / name, "panel-ar") for name in ("one", "many")
    )
    pd.testing.assert_frame_equal(one, many, check_exact=True)
    assert not one.equals(forecast_whole(rows, "panel-ar"))


@pytest.mark.process
@pytest.mark.parametrize("model", ["ar1", "panel-ar"])
def test_dask_writes_the_same_bytes_with_two_and_four_workers(model: str, history: Path, tmp_path: Path) -> None:
    forecast_in_parts(history, tmp_path / "local", model, partition_rows=2000)
    for workers in (2, 4):
        output = tmp_path / f"dask-{workers}"
        forecast_in_parts(history, output, model, partition_rows=2000, engine="dask", workers=workers)
        assert read_bytes(output) == read_bytes(tmp_path / "local")
    assert not [
        child for child in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(child.cmdline())
    ]


def test_any_scheduler_is_reached_by_its_address(history: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster

    forecast_in_parts(history, tmp_path / "local", partition_rows=4000)
    with LocalCluster(n_workers=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        forecast_in_parts(history, tmp_path / "dask", partition_rows=4000, engine="dask", scheduler=address)
    assert read_bytes(tmp_path / "dask") == read_bytes(tmp_path / "local")


def test_command_line_writes_parts_and_says_what_it_did(history: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "popforecast", "forecast", "--data", history, "--id", "id", "--time", "year"]
    command += [
        "--value",
        "population",
        "--from",
        "2030",
        "--to",
        "2031",
        "--model",
        "ar1",
        "--output",
        tmp_path / "out",
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{tmp_path / 'out'}: 320 series, 640 rows in 1 parts; 101 have a note\n"
    assert pd.read_parquet(tmp_path / "out")["year"].unique().tolist() == [2030, 2031]


def test_parts_are_a_table_that_other_readers_take(history: Path, tmp_path: Path) -> None:
    import pyarrow.dataset as ds

    forecast_in_parts(history, tmp_path / "out", levels=(50,))
    table = ds.dataset(tmp_path / "out", format="parquet").to_table()
    assert table.column_names == ["location_code", "year", "population", "lower_50", "upper_50"]
    assert [str(kind) for kind in table.schema.types] == ["string", "int64", "double", "double", "double"]
