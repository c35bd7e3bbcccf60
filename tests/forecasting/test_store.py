"""A stored model is the model that was fitted, whole and for its own data, or it is refused."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import popforecast as pf
from popforecast.errors import StoreError
from popforecast.forecasting import calibration as intervals
from popforecast.forecasting import store

EVERY = [*pf.models.MODELS.values(), pf.AR(2, "ct"), pf.AR("bic"), pf.AR(np.int64(1), "c", "growth")]


@pytest.fixture
def saved(wpp2024: pf.Panel, tmp_path: Path) -> Path:
    return pf.save_fit(pf.AR().fit(wpp2024), tmp_path / "model.npz")


def read_manifest(path: Path) -> dict:
    return json.loads(path.with_suffix(".json").read_text())


def write_manifest(path: Path, manifest: dict) -> None:
    path.with_suffix(".json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.name)
def test_loaded_model_forecasts_to_the_bit(wpp2024: pf.Panel, tmp_path: Path, model: pf.Model) -> None:
    fitted = pf.fit(wpp2024, model)
    loaded = pf.load_fit(pf.save_fit(fitted, tmp_path / "model.npz"), wpp2024)
    assert loaded.model == model
    for key, array in intervals.pack(fitted).items():
        assert np.array_equal(array, intervals.pack(loaded)[key], equal_nan=True), key
    ours, theirs = (pf.forecast(wpp2024, None, 2020, 2100, model=each) for each in (fitted, loaded))
    assert ours.to_frame().equals(theirs.to_frame())
    assert ours.notes == theirs.notes
    assert ours.provenance == theirs.provenance


def test_same_fit_gives_the_same_bytes(wpp2024: pf.Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pf.save_fit(pf.AR().fit(wpp2024), tmp_path / "first.npz")
    # A zip file holds times, which would differ years later.
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    second = pf.save_fit(pf.AR().fit(pf.load_panel("wpp2024")), tmp_path / "second.npz")
    assert first.read_bytes() == second.read_bytes()
    assert first.with_suffix(".json").read_bytes() == second.with_suffix(".json").read_bytes()


def test_manifest_says_what_was_fitted_to_what(saved: Path, wpp2024: pf.Panel) -> None:
    manifest = read_manifest(saved)
    assert manifest["model"]["parameters"] == {"lags": 1, "trend": "c", "transform": "level", "max_lags": 5}
    assert manifest["panel_sha256"] == wpp2024.checksum
    assert (manifest["revision"], manifest["origin"], manifest["version"]) == ("wpp2024", 2023, pf.__version__)
    assert store.describe(saved)["locations"] == 297


def test_nothing_else_is_left_beside_the_two_files(saved: Path) -> None:
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model.json", "model.npz"]


def test_any_changed_byte_is_noticed(saved: Path, wpp2024: pf.Panel) -> None:
    for path in (saved, saved.with_suffix(".json")):
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 150)):
            changed = bytes([content[place] ^ 1])
            # White space between the parts of a manifest says nothing.
            if content[place : place + 1].isspace():
                continue
            path.write_bytes(content[:place] + changed + content[place + 1 :])
            with pytest.raises(StoreError):
                pf.load_fit(saved, wpp2024)
        for length in (0, 1, len(content) // 2, len(content) - 3):
            path.write_bytes(content[:length])
            with pytest.raises(StoreError):
                pf.load_fit(saved, wpp2024)
        path.write_bytes(content)
    assert pf.load_fit(saved, wpp2024)


def resealed(saved: Path, **changes: object) -> None:
    """Change a manifest as a careful stranger would: with its checksum made right again."""
    manifest = {key: value for key, value in read_manifest(saved).items() if key != "manifest_sha256"} | changes
    write_manifest(saved, manifest | {"manifest_sha256": store._seal(manifest)})


def replace_arrays(saved: Path, content: bytes, **changes: object) -> None:
    saved.write_bytes(content)
    resealed(saved, npz_sha256=hashlib.sha256(content).hexdigest(), **changes)


class Payload:
    """What must never be run."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("a pickle was loaded",))


def object_array() -> bytes:
    file = io.BytesIO()
    np.savez(file, coefficients=np.array([Payload()], dtype=object))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (object_array, "no plain arrays"),
        (lambda: pickle.dumps(Payload()), "no plain arrays"),
        (lambda: b"PK\x03\x04 but not whole", "no plain arrays"),
        (lambda: b"", "no plain arrays"),
    ],
    ids=["object array", "pickle", "broken zip", "nothing"],
)
def test_pickle_is_never_loaded(saved: Path, wpp2024: pf.Panel, content: Callable[[], bytes], named: str) -> None:
    replace_arrays(saved, content(), arrays={"coefficients": [1]})
    with pytest.raises(StoreError, match=named):
        pf.load_fit(saved, wpp2024)


# What has another shape than a model's array, broadcast or not, and what is no number.
MISSHAPEN: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {
    "gone": lambda array: None,
    "empty": lambda array: array[:0],
    "one row short": lambda array: array[:-1],
    "twice": lambda array: np.concatenate([array, array]),
    "with an axis": lambda array: array[..., None],
    "on its side": lambda array: array.T[..., None],
    "a single number": lambda array: np.array(1.0),
    "words": lambda array: np.full(array.shape, "much"),
    "dates": lambda array: np.zeros(array.shape, "M8[s]"),
    "complex": lambda array: array + 1j,
}
BROADCAST: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {
    "the first row for all": lambda array: array[:1],
    "the first column for all": lambda array: array[..., :1],
    "flat": np.ravel,
}
SOME = ["World", "NGA", "JPN", "TKL", "KWT", "IND", "FRA"]


def forge(saved: Path, key: str, forgery: Callable[[np.ndarray], np.ndarray | None]) -> bool:
    """Put something else in the place of an array, under right checksums; return whether it has another shape."""
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files}
    forged = forgery(arrays[key])
    changed = {name: array for name, array in arrays.items() if name != key}
    changed |= {} if forged is None else {key: forged}
    content = io.BytesIO()
    np.savez(content, **changed)
    replace_arrays(saved, content.getvalue(), arrays={name: list(array.shape) for name, array in changed.items()})
    return forged is None or forged.shape != arrays[key].shape or forged.dtype.kind != arrays[key].dtype.kind


@pytest.mark.parametrize("forgery", MISSHAPEN | BROADCAST)
@pytest.mark.parametrize("name", ["ar1", "ar", "naive", "drift", "damped-growth", "panel-ar"])
def test_arrays_that_are_not_those_of_the_model_are_refused(tmp_path: Path, name: str, forgery: str) -> None:
    """Whatever a stranger stored under a right checksum: one row for all would give Nigeria 9.3 billion people."""
    panel = pf.load_panel("wpp2019").select(SOME)
    saved = pf.save_fit(pf.fit(panel, name), tmp_path / "model.npz")
    contents = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with np.load(saved) as file:
        keys = file.files
    refused = 0
    for key in keys:
        if forge(saved, key, (MISSHAPEN | BROADCAST)[forgery]):
            with pytest.raises(StoreError, match=r"fit it again|fit the model again"):
                pf.load_fit(saved, panel)
            refused += 1
        for path, content in contents.items():
            path.write_bytes(content)
    assert refused


def test_an_array_too_many_is_refused(saved: Path, wpp2024: pf.Panel) -> None:
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files} | {"spare": np.zeros(3)}
    content = io.BytesIO()
    np.savez(content, **arrays)
    replace_arrays(saved, content.getvalue(), arrays={name: list(array.shape) for name, array in arrays.items()})
    with pytest.raises(StoreError, match=r"expected arrays of the shapes .* got .*'spare': \(3,\)"):
        pf.load_fit(saved, wpp2024)


@pytest.mark.parametrize("key", ["interval_knots", "interval_errors"])
def test_a_calibration_of_other_past_origins_or_horizons_is_refused(
    tmp_path: Path, wpp2024: pf.Panel, key: str
) -> None:
    panel = wpp2024.countries().take(np.arange(0, 236, 6))
    saved = pf.save_fit(pf.fit(panel, "naive"), tmp_path / "model.npz")
    forge(saved, key, lambda array: array + 1 if key == "interval_knots" else array[:, 1:])
    with pytest.raises(StoreError, match="does not have what naive needs"):
        pf.load_fit(saved, panel)


@pytest.mark.parametrize("name", ["ar1", "ar", "naive", "drift", "panel-ar"])
def test_numbers_that_are_none_are_refused_or_forecast(tmp_path: Path, name: str) -> None:
    panel = pf.load_panel("wpp2019").select(SOME)
    saved = pf.save_fit(pf.fit(panel, name), tmp_path / "model.npz")
    contents = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with np.load(saved) as file:
        keys = file.files
    refused = 0
    for key in keys:
        forge(saved, key, lambda array: np.full(array.shape, np.inf))
        try:
            fitted = pf.load_fit(saved, panel)
        except StoreError:
            refused += 1
        else:
            with np.errstate(all="ignore"):
                frame = pf.forecast(panel, None, 2021, 2100, fitted).to_frame()
            assert frame["population"].notna().all(), key
        for path, content in contents.items():
            path.write_bytes(content)
    assert refused >= len(keys) / 3


def test_arrays_of_another_shape_are_refused(saved: Path, wpp2024: pf.Panel) -> None:
    file = io.BytesIO()
    np.savez(file, coefficients=np.zeros((2, 3)))
    replace_arrays(saved, file.getvalue())
    with pytest.raises(StoreError, match="does not have the arrays"):
        pf.load_fit(saved, wpp2024)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"version": "0.0.0"}, r"saved by popforecast 0\.0\.0"),
        ({"format": 99}, "format 1"),
        ({"model": {"class": "Oracle", "parameters": {}, "name": "oracle"}}, "cannot be built"),
        ({"model": {"class": "AR", "parameters": {"lags": -1}, "name": "ar"}}, "cannot be built"),
        ({"model": {"class": "AR", "parameters": {"sorcery": 1}, "name": "ar"}}, "cannot be built"),
        ({"model": {"class": ["AR"], "parameters": {}}}, "cannot be built"),
        ({"model": {}}, "cannot be built"),
        ({"model": "AR"}, "not a manifest"),
        ({"panel_sha256": 5}, "not a manifest"),
        ({"npz_sha256": None}, "not a manifest"),
        ({"npz_sha256": "0"}, "checksum"),
        ({"arrays": None}, "not a manifest"),
        ({"arrays": {}}, "does not have the arrays"),
    ],
)
def test_manifest_that_does_not_fit_is_refused(saved: Path, wpp2024: pf.Panel, changes: dict, named: str) -> None:
    resealed(saved, **changes)
    with pytest.raises(StoreError, match=named):
        pf.load_fit(saved, wpp2024)


@pytest.mark.parametrize("key", ["version", "model", "panel_sha256", "npz_sha256", "arrays", "origin", "revision"])
def test_manifest_that_lacks_something_is_refused(saved: Path, wpp2024: pf.Panel, key: str) -> None:
    manifest = {name: value for name, value in read_manifest(saved).items() if name not in (key, "manifest_sha256")}
    write_manifest(saved, manifest | {"manifest_sha256": store._seal(manifest)})
    with pytest.raises(StoreError):
        pf.load_fit(saved, wpp2024)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "{", '{"format": 1}', "\x00", "\ud800"])
def test_manifest_that_is_none_is_refused(saved: Path, wpp2024: pf.Panel, text: str) -> None:
    saved.with_suffix(".json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(StoreError, match="not a manifest"):
        pf.load_fit(saved, wpp2024)


def test_missing_file_is_named(saved: Path, wpp2024: pf.Panel) -> None:
    manifest = saved.with_suffix(".json")
    content = manifest.read_bytes()
    manifest.unlink()
    with pytest.raises(StoreError, match=r"model\.json is missing"):
        pf.load_fit(saved, wpp2024)
    manifest.write_bytes(content)
    saved.unlink()
    with pytest.raises(StoreError, match=r"model\.npz cannot be read"):
        pf.load_fit(saved, wpp2024)


def test_other_data_are_refused_with_both_origins(saved: Path, wpp2019: pf.Panel, wpp2024: pf.Panel) -> None:
    for other in (wpp2019, wpp2024.until(2020), wpp2024.select(["NGA", "World"])):
        with pytest.raises(StoreError, match="was fitted to wpp2024 with origin 2023"):
            pf.load_fit(saved, other)


def test_a_fit_to_own_data_is_called_so(wpp2024: pf.Panel, tmp_path: Path) -> None:
    own = pf.Panel(wpp2024.values[:3], wpp2024.years, wpp2024.locations[["name"]].iloc[:3])
    pf.save_fit(pf.fit(own, "naive"), tmp_path / "model.npz")
    with pytest.raises(StoreError, match="was fitted to own data with origin 2023"):
        pf.load_fit(tmp_path / "model.npz", wpp2024)


@pytest.mark.parametrize("name", ["model", "model.json", "model.npz.gz", ""])
def test_name_that_does_not_end_in_npz_is_refused(wpp2024: pf.Panel, tmp_path: Path, name: str) -> None:
    fitted = pf.Naive().fit(wpp2024)
    with pytest.raises(StoreError, match=r"\.npz"):
        pf.save_fit(fitted, tmp_path / name)
    with pytest.raises(StoreError, match=r"\.npz"):
        pf.load_fit(tmp_path / name, wpp2024)


@pytest.mark.parametrize("path", ["mo\0del.npz", None, 5, b"model.npz"])
def test_what_is_no_path_is_refused(wpp2024: pf.Panel, path: object) -> None:
    fitted = pf.Naive().fit(wpp2024)
    for verb in (lambda: pf.save_fit(fitted, path), lambda: pf.load_fit(path, wpp2024), lambda: store.describe(path)):
        with pytest.raises(StoreError, match="is not a path"):
            verb()


@pytest.mark.parametrize("obstacle", ["no folder", "file for folder", "folder for model", "folder for manifest"])
def test_what_cannot_be_written_leaves_what_was_there(wpp2024: pf.Panel, tmp_path: Path, obstacle: str) -> None:
    path = tmp_path / "model.npz"
    if obstacle == "no folder":
        path = tmp_path / "absent" / "model.npz"
    elif obstacle == "file for folder":
        (tmp_path / "file").write_text("in the way")
        path = tmp_path / "file" / "model.npz"
    elif obstacle == "folder for model":
        path.mkdir()
        path.with_suffix(".json").write_text("what was there")
    else:
        path.write_bytes(b"what was there")
        path.with_suffix(".json").mkdir()
    before = {each: each.read_bytes() if each.is_file() else None for each in tmp_path.rglob("*")}
    with pytest.raises(StoreError, match="nothing was saved"):
        pf.save_fit(pf.Naive().fit(wpp2024), path)
    assert {each: each.read_bytes() if each.is_file() else None for each in tmp_path.rglob("*")} == before


def test_saving_again_replaces_both_files(saved: Path, wpp2024: pf.Panel) -> None:
    pf.save_fit(pf.Drift().fit(wpp2024), saved)
    assert pf.load_fit(saved, wpp2024).model == pf.Drift()
    assert len(list(saved.parent.iterdir())) == 2
