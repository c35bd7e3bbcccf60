"""What is embedded is what the code computes from the tables today; whoever changes either makes it anew."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast import embedding
from popforecast.errors import ReadError, StoreError, UnknownRevisionError
from popforecast.evaluation import record
from popforecast.forecasting import calibration as intervals
from popforecast.forecasting import store
from popforecast.wpp import components, editions, embedded

STALE = (
    "what is embedded is not what this code computes: run python -m popforecast.embedding, and commit what it writes"
)


@pytest.fixture(scope="module")
def computed() -> dict[str, bytes]:
    """Every file to keep, computed anew."""
    return embedding.compute()


@pytest.fixture(scope="module")
def made(computed: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of those files."""
    folder = tmp_path_factory.mktemp("data")
    assert sorted(embedding.write(computed, folder)) == sorted(folder.iterdir())
    return folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the embedded files that a test may damage."""
    folder = tmp_path / "data"
    shutil.copytree(editions.DATA, folder)
    for module in (editions, embedded, components, store, record):
        monkeypatch.setattr(module, "DATA", folder)
    return folder


# Up to date -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", store.EMBEDDED)
@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_the_embedded_model_is_what_the_code_fits_today(made: Path, revision: str, model: str) -> None:
    try:
        kept = pf.load_fitted(revision, model=model)
    except StoreError as error:
        pytest.fail(f"{error} ({STALE})")
    assert kept is not None, STALE
    panel = pf.load_panel(revision)
    fresh = pf.load_fit(made / f"{revision}-{model}.npz", panel)
    assert fresh.model == kept.model == pf.models.get(model)
    ours, theirs = (intervals.pack(each) for each in (kept, fresh))
    assert ours.keys() == theirs.keys(), STALE
    for name, array in theirs.items():
        close = array.shape == ours[name].shape and np.allclose(array, ours[name], rtol=1e-9, atol=1e-9, equal_nan=True)
        assert close, f"{name} of {revision}: {STALE}"
    ours, theirs = (pf.forecast(panel, None, 2030, 2100, each).to_frame() for each in (kept, fresh))
    figures = ["population", "lower_80", "upper_80", "lower_95", "upper_95"]
    assert np.allclose(ours[figures].astype(float), theirs[figures].astype(float), rtol=1e-9, atol=1), STALE


@pytest.mark.parametrize("name", [*map(record.record_name, pf.REVISIONS), record.VINTAGE_RECORD])
def test_the_embedded_records_are_what_the_code_measures_today(made: Path, name: str) -> None:
    kept, fresh = (pd.read_csv(folder / name) for folder in (editions.DATA, made))
    assert kept.columns.tolist() == fresh.columns.tolist(), STALE
    texts = [column for column in fresh if not pd.api.types.is_numeric_dtype(fresh[column])]
    assert kept[texts].equals(fresh[texts]), STALE
    numbers = fresh.columns.difference(texts)
    # Another machine may round the last figure, or the outcome on a bound, the other way.
    apart = (kept[numbers] - fresh[numbers]).abs() > 0.011 * fresh[numbers].abs().clip(lower=1)
    assert apart.to_numpy().mean() < 1e-3, STALE
    assert (kept[numbers].isna() == fresh[numbers].isna()).all(axis=None), STALE


def test_the_manifest_is_of_this_version_and_of_the_embedded_panels() -> None:
    manifest = json.loads((editions.DATA / record.MANIFEST).read_text())
    assert manifest["version"] == pf.__version__, STALE
    assert manifest["panels"] == {name: pf.load_panel(name).checksum for name in manifest["panels"]}, STALE
    assert set(manifest["panels"]) == set(pf.REVISIONS) | set(editions.VINTAGES)


def test_all_embedded_files_together_stay_below_five_megabytes() -> None:
    assert sum(path.stat().st_size for path in editions.DATA.iterdir()) < 5_000_000


# Made -----------------------------------------------------------------------------------------------------------


AGAIN = """
import hashlib, pathlib
import popforecast as pf
from popforecast import embedding
from popforecast.evaluation import record
from popforecast.forecasting import calibration, store
fitted = calibration.fit(pf.load_panel("wpp2019"), pf.Cohort())
contents = {record.VINTAGE_RECORD: embedding._write_csv(record.measure_vintage_record())}
for path, content in store.pack(fitted, pathlib.Path("wpp2019-cohort.npz")).items():
    contents[path.name] = content
for name, content in contents.items():
    print(name, hashlib.sha256(content).hexdigest())
"""


def test_another_process_computes_the_same_bytes(computed: dict[str, bytes]) -> None:
    """Nothing in memory, no order of a set, no time of day decides a byte."""
    ran = subprocess.run([sys.executable, "-c", AGAIN], check=True, capture_output=True, text=True)
    again = dict(line.split() for line in ran.stdout.splitlines())
    assert len(again) == 3
    assert again == {name: hashlib.sha256(computed[name]).hexdigest() for name in again}


def test_what_cannot_be_written_whole_is_not_written_at_all(computed: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "wpp2024-cohort.json").mkdir()
    with pytest.raises(StoreError, match="nothing was changed there"):
        embedding.write(computed, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["wpp2024-cohort.json"]


# Loaded ---------------------------------------------------------------------------------------------------------


def test_the_embedded_model_is_none_where_it_is_absent(data: Path) -> None:
    for suffix in ("npz", "json"):
        (data / f"wpp2024-cohort.{suffix}").unlink()
    assert pf.load_fitted("wpp2024") is None
    assert pf.load_fitted("wpp2019") is not None


@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_the_default_fit_is_the_embedded_one(revision: str) -> None:
    panel = pf.load_panel(revision)
    kept = pf.load_fitted(revision, panel)
    for fitted in (pf.fit(panel), pf.fit(panel, pf.Cohort()), pf.forecast_all(panel).fitted):
        assert np.array_equal(fitted.arrays["totals"], kept.arrays["totals"])
        assert np.array_equal(fitted.calibration.quantiles, kept.calibration.quantiles)


def test_part_of_a_revision_and_other_parameters_are_fitted(
    wpp2024: pf.Panel, caplog: pytest.LogCaptureFixture
) -> None:
    for panel in (wpp2024.until(2000), wpp2024.select(["NGA", "IND", "JPN"])):
        assert pf.fit(panel).checksum == panel.checksum
    assert pf.fit(wpp2024, pf.PanelAR(damping=0.9)).model.damping == 0.9
    assert pf.fit(wpp2024, pf.Cohort(half_life=5)).model.half_life == 5
    assert not caplog.records


@pytest.fixture
def damaged(data: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = data / "wpp2019-cohort.npz"
    content = path.read_bytes()
    if damage == "changed":
        path.write_bytes(content[:1000] + b"!" + content[1001:])
    elif damage == "cut":
        path.write_bytes(content[:-7])
    elif damage == "no manifest":
        path.with_suffix(".json").unlink()
    elif damage == "no manifest of ours":
        path.with_suffix(".json").write_text("{}")
    else:
        monkeypatch.setattr(store, "__version__", "9.9.9")


@pytest.mark.parametrize("damage", ["changed", "cut", "no manifest", "no manifest of ours", "another version"])
def test_a_damaged_embedded_fit_is_refused(damaged: None) -> None:
    with pytest.raises(StoreError, match="wpp2019-cohort"):
        pf.load_fitted("wpp2019")


# To fit anew takes a while: of what is refused, one that is damaged and one that is whole stand for the others.
@pytest.mark.parametrize("damage", ["changed", "another version"])
def test_where_an_embedded_fit_is_refused_the_model_is_fitted_and_the_log_says_so_once(
    damaged: None, caplog: pytest.LogCaptureFixture
) -> None:
    panel = pf.load_panel("wpp2019")
    whole = pf.fit(panel)
    pf.fit(panel)
    assert whole.calibration is not None
    (said,) = caplog.records
    assert said.levelname == "WARNING"
    assert "wpp2019-cohort" in said.getMessage()
    assert said.getMessage().endswith("Until then, cohort is refitted")


@pytest.mark.parametrize("suffix", ["npz", "json"])
def test_half_a_model_is_refused_with_what_to_do(data: Path, suffix: str) -> None:
    (data / f"wpp2019-cohort.{suffix}").unlink()
    with pytest.raises(StoreError, match=r"python -m popforecast\.embedding rebuilds all embedded data"):
        pf.load_fitted("wpp2019")


def test_a_model_of_other_data_is_refused(data: Path) -> None:
    for suffix in ("npz", "json"):
        shutil.copy(data / f"wpp2019-cohort.{suffix}", data / f"wpp2024-cohort.{suffix}")
    with pytest.raises(StoreError, match=r"fitted to wpp2019.*not to <Panel: 297.*popforecast\.embedding"):
        pf.load_fitted("wpp2024")


def test_a_model_of_another_version_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "__version__", "9.9.9")
    with pytest.raises(StoreError, match=r"saved by popforecast 0\.1\.0, this is 9\.9\.9.*popforecast\.embedding"):
        pf.load_fitted()


@pytest.mark.parametrize("model", ["naive", pf.PanelAR(damping=0.5)])
def test_another_model_than_the_default_is_refused(data: Path, wpp2024: pf.Panel, model: str | pf.Model) -> None:
    pf.save_fit(pf.fit(wpp2024, model), data / "wpp2024-cohort.npz")
    with pytest.raises(StoreError, match=r"expected Cohort\(half_life=10\.0.*popforecast\.embedding"):
        pf.load_fitted("wpp2024")


def test_the_panel_may_be_handed_over(wpp2024: pf.Panel, wpp2019: pf.Panel) -> None:
    assert pf.load_fitted("wpp2024", wpp2024).checksum == wpp2024.checksum
    with pytest.raises(StoreError, match="not to <Panel: 285"):
        pf.load_fitted("wpp2024", wpp2019)


@pytest.mark.parametrize("revision", ["wpp2012", "wpp2022", "../wpp2024", None, 2024])
def test_only_revisions_have_an_embedded_model_and_a_record(revision: object) -> None:
    for verb in (pf.load_fitted, pf.load_record):
        with pytest.raises(UnknownRevisionError, match="wpp2019, wpp2024"):
            verb(revision)


@pytest.mark.parametrize("damage", ["changed", "cut", "absent", "no manifest", "empty manifest", "manifest of lists"])
def test_a_record_that_is_not_as_it_was_published_is_refused(data: Path, damage: str) -> None:
    for name, verb in (
        (record.record_name("wpp2024"), pf.load_record),
        (record.VINTAGE_RECORD, pf.load_vintage_record),
    ):
        path, manifest = data / name, data / record.MANIFEST
        content, stated = path.read_bytes(), manifest.read_bytes()
        if damage == "changed":
            path.write_bytes(content.replace(b"1", b"2", 1))
        elif damage == "cut":
            path.write_bytes(content[:-1])
        elif damage == "absent":
            path.unlink()
        elif damage == "no manifest":
            manifest.unlink()
        else:
            manifest.write_bytes(b"{}" if damage == "empty manifest" else b'{"files": []}')
        with pytest.raises(ReadError, match="install popforecast again"):
            verb()
        path.write_bytes(content)
        manifest.write_bytes(stated)
        assert len(verb())
