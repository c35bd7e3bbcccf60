"""What goes wrong at scale: it is named, nothing is lost, and no part is ever half of one under its own name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import popforecast as pf
from popforecast.errors import LockError, PopforecastError, ScaleError
from popforecast.files import hold
from popforecast.scale.running import LOCK
from tests.scale.series import make_rows, read_bytes
from tests.soak.scale import kill_workers

ROOT = Path(__file__).parents[2]


def forecast(data: Path, output: Path, **options: object) -> pf.scale.Manifest:
    return pf.scale.forecast(data, output, **{"id": "id", "model": "ar1", "partition_rows": 1} | options)


def list_skipped(output: Path) -> list[dict[str, object]]:
    return json.loads((output / "_manifest.json").read_text())["skipped"]


# Series ---------------------------------------------------------------------------------------------------------


def spoil(rows: pd.DataFrame, year: int, value: float) -> pd.DataFrame:
    return rows.assign(population=rows["population"].mask((rows["id"] == "S00007") & (rows["year"] == year), value))


POISON: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "missing": (lambda rows: spoil(rows, 1999, np.nan), "has no figure in 1999"),
    "infinite": (lambda rows: spoil(rows, 1999, np.inf), "is infinite in 1999"),
    "negative": (lambda rows: spoil(rows, 1999, -5), r"is negative in 1999 \(-5\)"),
    "zero": (lambda rows: spoil(rows, 1999, 0), "is zero in 1999"),
    "gap": (
        lambda rows: rows[~((rows["id"] == "S00007") & (rows["year"] == 1999))],
        "has 2000 after 1998: expected a step of 1",
    ),
    "twice": (
        lambda rows: rows.assign(year=rows["year"].mask((rows["id"] == "S00007") & (rows["year"] == 1999), 1998)),
        "has 1998 twice",
    ),
    "alone": (
        lambda rows: rows[(rows["id"] != "S00007") | (rows["year"] == 2019)],
        r"has one year \(2019\)",
    ),
}


@pytest.mark.parametrize("engine", ["local", pytest.param("dask", marks=pytest.mark.process)])
@pytest.mark.parametrize("kind", POISON)
def test_a_poison_series_is_named_or_listed(kind: str, engine: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    if engine == "dask" and kind != "negative":
        pytest.skip("one kind shows that the sentence comes back from a worker")
    poison, said = POISON[kind]
    data, output = tmp_path / "data.parquet", tmp_path / "out"
    poison(rows).to_parquet(data, row_group_size=1000)
    model = "damped-growth" if kind == "zero" else "ar1"
    with pytest.raises(ScaleError, match=rf"partition 0 .*series 'S00007' {said}.*--on-error skip"):
        forecast(data, output, model=model, engine=engine, workers=1)
    skipping = {"model": model, "engine": engine, "workers": 1, "on_error": "skip"}
    made = forecast(data, tmp_path / "skipped", **skipping)
    assert [(each.partition, each.location_code) for each in made.skipped] == [(0, "S00007")]
    assert list_skipped(tmp_path / "skipped")[0]["location_code"] == "S00007"
    expected = rows.loc[rows["id"] != "S00007", "id"].unique().tolist()
    assert pd.read_parquet(tmp_path / "skipped")["location_code"].unique().tolist() == expected


def test_zero_is_a_population_to_a_plain_autoregression(rows: pd.DataFrame, tmp_path: Path) -> None:
    spoil(rows, 1999, 0).to_parquet(tmp_path / "data.parquet")
    assert forecast(tmp_path / "data.parquet", tmp_path / "out").series == 320


@pytest.mark.parametrize("model", [pf.AR(1, "c", "log"), pf.AR(2, "c", "growth")])
def test_zero_is_a_fault_of_one_series_alone_to_what_works_in_logarithms(
    model: pf.Model, rows: pd.DataFrame, tmp_path: Path
) -> None:
    spoil(rows, 1999, 0).to_parquet(tmp_path / "data.parquet")
    made = forecast(tmp_path / "data.parquet", tmp_path / "out", model=model, on_error="skip")
    assert [each.location_code for each in made.skipped] == ["S00007"]
    assert made.series == 319


def test_a_run_that_a_fault_stopped_goes_on_without_the_series(rows: pd.DataFrame, tmp_path: Path) -> None:
    poisoned = rows.assign(population=rows["population"].mask(rows["id"] == "S00200", -1))
    poisoned.to_parquet(tmp_path / "data.parquet", row_group_size=1000)
    with pytest.raises(ScaleError, match=r"partition 10 .*'S00200' is negative"):
        forecast(tmp_path / "data.parquet", tmp_path / "out")
    made = forecast(tmp_path / "data.parquet", tmp_path / "out", on_error="skip")
    assert made.series == 319
    assert pd.read_parquet(tmp_path / "out")["location_code"].nunique() == 319


def test_a_series_too_short_for_the_model_is_named(rows: pd.DataFrame, tmp_path: Path) -> None:
    rows[(rows["id"] != "S00007") | (rows["year"] > 2017)].to_parquet(tmp_path / "data.parquet")
    with pytest.raises(ScaleError, match="series 'S00007' 2 years are too few for 1 lags"):
        forecast(tmp_path / "data.parquet", tmp_path / "out")
    assert (
        forecast(tmp_path / "data.parquet", tmp_path / "skipped", on_error="skip").skipped[0].location_code == "S00007"
    )


def test_rows_out_of_order_are_refused_with_how_to_sort_them(rows: pd.DataFrame, tmp_path: Path) -> None:
    for name, order, options in (
        ("across", np.roll(np.arange(len(rows)), 2500), {"row_group_size": 1000}),
        ("within", np.r_[50:100, 0:50, 100 : len(rows)], {}),
    ):
        rows.iloc[order].to_parquet(tmp_path / f"{name}.parquet", **options)
        with pytest.raises(ScaleError, match=r"id 'S\d+' comes after 'S\d+': expected rows sorted.*sort_values"):
            forecast(tmp_path / f"{name}.parquet", tmp_path / "out")
        assert not list((tmp_path / "out").glob("part-*")) if (tmp_path / "out").exists() else True


def test_years_in_any_order_are_put_in_order(rows: pd.DataFrame, tmp_path: Path) -> None:
    shuffled = rows.sample(frac=1, random_state=0).sort_values("id", kind="stable")
    for name, table in (("plain", rows), ("shuffled", shuffled)):
        table.to_parquet(tmp_path / f"{name}.parquet", row_group_size=999)
        forecast(tmp_path / f"{name}.parquet", tmp_path / name)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "plain"), pd.read_parquet(tmp_path / "shuffled"))


# Partitions -----------------------------------------------------------------------------------------------------


def corrupt(path: Path, group: int) -> None:
    """Overwrite the middle of a row group's figures."""
    column = pq.read_metadata(path).row_group(group).column(2)
    with path.open("r+b") as file:
        file.seek(column.data_page_offset)
        file.write(b"\xff" * 200)


@pytest.mark.parametrize("model", ["ar1", "panel-ar"])
def test_a_corrupt_partition_is_named_or_listed(model: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    data, output = tmp_path / "data.parquet", tmp_path / "out"
    rows.to_parquet(data, row_group_size=1000)
    corrupt(data, 3)
    with pytest.raises(ScaleError, match=r"data.parquet, row group 3 cannot be read"):
        forecast(data, output, model=model)
    assert all(pq.read_metadata(part).num_rows == 200 for part in output.glob("part-*"))
    made = forecast(data, tmp_path / "skipped", model=model, on_error="skip")
    assert [(each.partition, each.location_code) for each in made.skipped] == [(3, None)]
    assert made.series == 300
    assert len(list((tmp_path / "skipped").glob("part-*"))) == 15


def test_a_file_that_is_no_parquet_is_named_or_listed(rows: pd.DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rows.to_parquet(folder / "a.parquet")
    (folder / "b.parquet").write_bytes(b"PAR1 this is not")
    with pytest.raises(ScaleError, match=r"b\.parquet cannot be read as Parquet"):
        forecast(folder, tmp_path / "out")
    assert "b.parquet cannot be read" in forecast(folder, tmp_path / "out", on_error="skip").skipped[0].reason


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"id": "fips"}, "has no column 'fips': expected one of id, year, population"),
        ({"time": "id"}, "column 'id' is of type .*string: expected years as whole numbers"),
        ({"value": "id"}, "column 'id' is of type .*string: expected numbers"),
        ({"id": "population"}, "column 'population' is of type double: expected whole numbers or text"),
        ({"model": "arima"}, "no model 'arima'"),
        ({"engine": "spark"}, "engine 'spark': expected local or dask"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "needs Dask: expected engine 'dask'"),
        ({"on_error": "ignore"}, "on_error 'ignore': expected raise or skip"),
        ({"start": 2030, "end": 2020}, r"\(2030\) must not be later than"),
        ({"end": 2500}, "2500 is out of range: expected 2169 or before"),
        ({"levels": (200,)}, "level 200"),
        ({"partition_rows": 0}, "partition_rows 0: expected 1 or more"),
    ],
)
def test_what_is_not_valid_is_said_before_anything_is_written(
    options: dict[str, object], said: str, history: Path, tmp_path: Path
) -> None:
    with pytest.raises(PopforecastError, match=said):
        forecast(history, tmp_path / "out", **options)
    assert not list(tmp_path.glob("out/part-*"))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScaleError, match="does not exist: expected a Parquet file or a folder"):
        forecast(tmp_path / "nothing.parquet", tmp_path / "out")
    with pytest.raises(ScaleError, match=r"contains no \.parquet file"):
        forecast(tmp_path, tmp_path.with_name("out"))
    make_rows(1)[:0].to_parquet(tmp_path / "empty.parquet")
    with pytest.raises(ScaleError, match="has no rows"):
        forecast(tmp_path / "empty.parquet", tmp_path / "out")


def test_files_whose_identifiers_differ_in_sign_are_not_mixed(rows: pd.DataFrame, tmp_path: Path) -> None:
    numbers = rows[:200].assign(id=rows["id"].str[1:].astype(np.int64))
    numbers[:100].to_parquet(tmp_path / "a.parquet")
    numbers[100:].astype({"id": np.uint64}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ScaleError, match=r"b\.parquet: .*unsigned .*but whole numbers in other files: .*one type"):
        forecast(tmp_path, tmp_path.parent / "out")


@pytest.mark.parametrize("year", [2**64 - 1, 2**63 - 1, 10**9], ids=str)
def test_a_number_that_is_no_year_is_named(year: int, rows: pd.DataFrame, tmp_path: Path) -> None:
    years = rows["year"][:100].astype(np.uint64 if year >= 2**63 else np.int64)
    years.iloc[-1] = year
    rows[:100].assign(year=years).to_parquet(tmp_path / "history.parquet")
    with pytest.raises(ScaleError, match=f"row group 0: year {year} is not a year"):
        forecast(tmp_path / "history.parquet", tmp_path / "out")


@pytest.mark.parametrize("place", ["out", "a/b/out", "."])
def test_an_output_inside_the_input_is_refused_before_anything_is_written(
    place: str, rows: pd.DataFrame, tmp_path: Path
) -> None:
    rows[:100].to_parquet(tmp_path / "history.parquet")
    with pytest.raises(ScaleError, match=r"is inside the input .*: expected one outside it"):
        forecast(tmp_path, tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["history.parquet"]


# Runs that end early --------------------------------------------------------------------------------------------


def test_a_killed_run_goes_on_where_it_stopped(history: Path, tmp_path: Path) -> None:
    forecast(history, tmp_path / "whole")
    output = tmp_path / "out"
    program = f"import popforecast as pf; pf.scale.forecast({str(history)!r}, {str(output)!r}, id='id', model='ar1', "
    program += "partition_rows=1, workers=1)"
    running = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    wait_for(lambda: len(list(output.glob("part-*"))) >= 5 or running.poll() is not None)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = {name: (output / name).stat().st_mtime_ns for name in read_bytes(output) if name.startswith("part-")}
    assert all((output / name).read_bytes() == (tmp_path / "whole" / name).read_bytes() for name in before)
    forecast(history, output)
    assert read_bytes(output) == read_bytes(tmp_path / "whole")


def test_a_second_run_on_the_same_output_is_told_of_the_first_and_changes_nothing(
    history: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    with (
        hold(output / LOCK, output),
        pytest.raises(LockError, match=r"another run is writing to .*out: wait for it, or choose another folder"),
    ):
        forecast(history, output)
    assert [path.name for path in output.iterdir()] == [LOCK]
    assert forecast(history, output).complete


def test_finished_parts_are_not_made_again(history: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    forecast(history, output)
    times = {path: path.stat().st_mtime_ns for path in output.glob("part-*")}
    (output / "part-00005.parquet").unlink()
    (output / "part-00009.parquet").write_bytes(b"half")
    forecast(history, output)
    again = sorted(path.name for path in output.glob("part-*") if path.stat().st_mtime_ns != times[path])
    assert again == ["part-00005.parquet", "part-00009.parquet"]


def test_parts_of_another_run_are_not_mixed_with_this_one(history: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    forecast(history, output)
    with pytest.raises(ScaleError, match=r"has the parts of another run \(different model, parameters\)"):
        forecast(history, output, model="naive")
    os.utime(history, (1, 1))
    with pytest.raises(ScaleError, match=r"\(different input_sha256\)"):
        forecast(history, output)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ScaleError, match="contains files that are not parts of a run"):
        forecast(history, tmp_path / "mine")


@pytest.mark.parametrize("engine", ["local", pytest.param("dask", marks=pytest.mark.process)])
def test_a_full_disk_stops_the_run_and_leaves_no_half_part(engine: str, tmp_path: Path) -> None:
    data, output = tmp_path / "data.parquet", tmp_path / "out"
    make_rows(3000).to_parquet(data, row_group_size=60_000)
    # No file may grow beyond this, in this process or in the workers that it starts.
    program = (
        "import resource, popforecast as pf\n"
        "if __name__ == '__main__':\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))\n"
        f"    pf.scale.forecast({str(data)!r}, {str(output)!r}, id='id', model='ar1', engine={engine!r}, "
        "workers=1, partition_rows=1)\n"
    )
    (tmp_path / "program.py").write_text(program)
    ended = subprocess.run([sys.executable, tmp_path / "program.py"], cwd=ROOT, capture_output=True, text=True)
    assert "ScaleError: partition 0 could not be written to" in ended.stderr
    assert "free some disk space and run it again to continue" in ended.stderr
    assert not [path for path in output.iterdir() if "part-" in path.name]
    assert forecast(data, output).series == 3000


def test_a_worker_killed_in_mid_run_loses_and_doubles_nothing(tmp_path: Path) -> None:
    lost = kill_workers(tmp_path, series=2400, kills=3)
    assert lost.kills == 3
    assert lost.faults == []


def test_a_scheduler_that_ends_stops_the_run_with_a_sentence_and_the_run_goes_on(tmp_path: Path) -> None:
    data, output = tmp_path / "data.parquet", tmp_path / "out"
    make_rows(4000).to_parquet(data, row_group_size=1000)
    whole = tmp_path / "whole"
    forecast(data, whole)
    program = (
        "from distributed import LocalCluster; import time\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=1, host='127.0.0.1', dashboard_address='127.0.0.1:0') as cluster:\n"
        "        print(cluster.scheduler_address, flush=True); time.sleep(300)\n"
    )
    (tmp_path / "cluster.py").write_text(program)
    cluster = subprocess.Popen(
        [sys.executable, tmp_path / "cluster.py"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert cluster.stdout is not None
    address = cluster.stdout.readline().strip()
    program = f"import popforecast as pf\npf.scale.forecast({str(data)!r}, {str(output)!r}, id='id', model='ar1', "
    program += f"engine='dask', scheduler={address!r}, partition_rows=1)"
    running = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(list(output.glob("part-*"))) >= 3 or running.poll() is not None)
    os.killpg(cluster.pid, signal.SIGKILL)
    cluster.communicate()
    _, said = running.communicate(timeout=120)
    assert "ScaleError: Dask was lost with" in said, said
    forecast(data, output)
    assert read_bytes(output) == read_bytes(whole)


def test_workers_that_are_not_there_or_not_alike_are_said(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    from popforecast.scale import engines

    monkeypatch.setattr(engines, "PATIENCE", 1.0)
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        elsewhere = {"engine": "dask", "scheduler": cluster.scheduler_address}
        with pytest.raises(ScaleError, match="Dask has no workers left: start some"):
            forecast(history, tmp_path / "out", **elsewhere)
        cluster.scale(1)
        cluster.wait_for_workers(1)
        monkeypatch.setattr(engines, "__version__", "0.0.1")
        with pytest.raises(ScaleError, match=rf"has popforecast {pf.__version__}: expected 0.0.1, as here"):
            forecast(history, tmp_path / "out", **elsewhere)
    with pytest.raises(ScaleError, match="scheduler 'nowhere' cannot be reached: expected an address"):
        forecast(history, tmp_path / "out", engine="dask", scheduler="nowhere")


def wait_for(holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)
