"""A fitted model on disk: arrays in .npz, everything else in a JSON manifest beside it; never pickle."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import popforecast.models as models
from popforecast.errors import PopforecastError, StoreError
from popforecast.files import write_together
from popforecast.forecasting import calibration as intervals
from popforecast.forecasting.soundness import check_fit
from popforecast.models.base import Arrays, Fitted
from popforecast.panel import Panel
from popforecast.version import __version__
from popforecast.wpp.editions import DATA, DEFAULT_REVISION, REVISIONS, find_edition, get_revision, load_panel

FORMAT = 1

# What writes the embedded models, and everything else that is computed from the embedded tables.
EMBED = "python -m popforecast.embedding"

# What a manifest must state, and as what kind of value.
FIELDS: dict[str, type | tuple[type, ...]] = {
    "format": int,
    "version": str,
    "model": dict,
    "revision": (str, type(None)),
    "panel_sha256": str,
    "origin": int,
    "arrays": dict,
    "npz_sha256": str,
}


def save_fit(fitted: Fitted, path: str | Path) -> Path:
    """Save a fitted model as `path` (.npz) and a manifest of the same name ending in .json.

    Both are written to temporary files, and moved when both are whole, so that a failure leaves what was there. The
    same fit gives the same bytes.

    Raises
    ------
    StoreError
        If the path does not end in .npz, or cannot be written.

    Examples
    --------
    >>> import popforecast as pf, tempfile
    >>> panel = pf.load_panel("wpp2019")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_fit(pf.models.get("ar1").fit(panel), f"{folder}/model.npz")
    ...     load_fit(path, panel).model
    AR(lags=1, trend='c', transform='level', max_lags=5)
    """
    path = _check_path(path)
    try:
        write_together(pack(fitted, path))
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): nothing was saved") from error
    return path


def pack(fitted: Fitted, path: Path) -> dict[Path, bytes]:
    """Return what :func:`save_fit` writes, by path: the arrays and their manifest."""
    content, arrays = io.BytesIO(), intervals.pack(fitted)
    np.savez_compressed(content, allow_pickle=False, **arrays)
    manifest = {
        "format": FORMAT,
        "version": __version__,
        "model": models.specify(fitted.model),
        "revision": fitted.revision,
        "panel_sha256": fitted.checksum,
        "origin": fitted.origin,
        "step": fitted.step,
        "locations": len(fitted.codes),
        "arrays": {name: list(array.shape) for name, array in arrays.items()},
        "npz_sha256": hashlib.sha256(content.getvalue()).hexdigest(),
    }
    manifest["manifest_sha256"] = _seal(manifest)
    text = json.dumps(manifest, indent=2) + "\n"
    return {path: content.getvalue(), manifest_path(path): text.encode()}


def load_fit(path: str | Path, panel: Panel) -> Fitted:
    """Load a fitted model for the panel it was fitted to.

    Raises
    ------
    StoreError
        If a file is absent or damaged, or was saved from other data or by another version.
    """
    path = _check_path(path)
    manifest = _read_manifest(path)
    if manifest["version"] != __version__:
        raise StoreError(
            f"{path} was saved by popforecast {manifest['version']}, this is {__version__}: fit the model again"
        )
    if manifest["panel_sha256"] != panel.checksum:
        raise StoreError(
            f"{path} was fitted to {manifest['revision'] or 'own data'} with origin {manifest['origin']} (checksum "
            f"{manifest['panel_sha256'][:12]}), not to {panel!r} (checksum {panel.checksum[:12]}): fit it to this panel"
        )
    arrays = _read_arrays(path, manifest)
    try:
        model = models.build(manifest["model"])
    except (PopforecastError, TypeError, KeyError) as error:
        raise StoreError(f"{manifest_path(path)} names a model that cannot be built: {error}") from error
    try:
        own, calibration = intervals.unpack(arrays)
        return check_fit(path, Fitted(model, panel, own, calibration))
    except (PopforecastError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path} does not hold what {model.name} needs ({error}): fit it again") from error


def load_fitted(revision: str = DEFAULT_REVISION, panel: Panel | None = None) -> Fitted | None:
    """Load the default model as it is embedded with a revision's tables: nobody needs to fit it again.

    Parameters
    ----------
    revision : {"wpp2024", "wpp2019"}
    panel : Panel, optional
        The revision's panel, if it is loaded already.

    Returns
    -------
    Fitted or None
        None where none is embedded.

    Raises
    ------
    UnknownRevisionError
        If there is no such revision.
    StoreError
        If what is embedded is damaged, or of other data, another version or another model than these.

    Examples
    --------
    >>> load_fitted("wpp2024").origin
    2023
    """
    path = fitted_path(DATA, get_revision(revision).name)
    if not (path.exists() or manifest_path(path).exists()):
        return None
    try:
        fitted = load_fit(path, load_panel(revision) if panel is None else panel)
    except StoreError as error:
        raise StoreError(f"{error}; {EMBED} makes all that is embedded anew") from error
    expected = models.get(models.choose())
    if fitted.model != expected:
        raise StoreError(f"{path} holds {fitted.model}, expected {expected}, the default: run {EMBED}")
    return fitted


def find_embedded(panel: Panel) -> Fitted | None:
    """Return the default model as it is embedded for a panel; None where none is, or it cannot be taken.

    A panel that is not a whole embedded revision has none. What is damaged, or of another version, is not taken, and
    the log says so once.

    Examples
    --------
    >>> panel = load_panel("wpp2024")
    >>> find_embedded(panel).origin, find_embedded(panel.until(2000))
    (2023, None)
    """
    edition = find_edition(panel)
    if edition is None or edition.name not in REVISIONS:
        return None
    path = fitted_path(DATA, edition.name)
    try:
        if manifest_path(path).exists() and _read_manifest(path)["panel_sha256"] != panel.checksum:
            return None
        return load_fitted(edition.name, panel)
    except StoreError as error:
        _warn_once(f"{error}. {models.choose()} is fitted anew meanwhile")
        return None


@lru_cache
def _warn_once(text: str) -> None:
    logging.getLogger(__name__).warning(text)


def fitted_path(folder: Path, revision: str) -> Path:
    """Return where the default model of a revision is embedded."""
    return folder / f"{revision}-{models.choose()}.npz"


def manifest_path(path: Path) -> Path:
    """Return where the manifest of a stored model lies."""
    return path.with_suffix(".json")


def _check_path(path: str | Path) -> Path:
    if not isinstance(path, str | os.PathLike) or "\0" in str(path):
        raise StoreError(f"{path!r} is no path: expected the name of a file that ends in .npz")
    path = Path(path)
    if path.suffix != ".npz":
        raise StoreError(f"{path}: a model is stored as .npz, expected a name that ends so")
    return path


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(manifest_path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"{manifest_path(path)} is not there: a stored model needs its manifest") from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{manifest_path(path)} is no manifest ({error}): fit the model again") from error
    stated = isinstance(manifest, dict) and all(
        field in manifest and isinstance(manifest[field], kind) for field, kind in FIELDS.items()
    )
    if not stated or manifest["format"] != FORMAT:
        raise StoreError(f"{manifest_path(path)} is no manifest of format {FORMAT}: fit the model again")
    if manifest.pop("manifest_sha256", None) != _seal(manifest):
        raise StoreError(f"{manifest_path(path)} is not as it was saved: fit the model again")
    return manifest


def _seal(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _read_arrays(path: Path, manifest: dict[str, Any]) -> Arrays:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != manifest["npz_sha256"]:
        raise StoreError(f"{path} does not have the checksum its manifest states: it is damaged or of another fit")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path} holds no plain arrays ({error}): fit the model again") from error
    if {name: list(array.shape) for name, array in arrays.items()} != manifest["arrays"]:
        raise StoreError(f"{path} does not hold the arrays that its manifest states: fit the model again")
    return arrays


def describe(path: str | Path) -> pd.Series:
    """Return what a stored model's manifest says of it."""
    return pd.Series(_read_manifest(_check_path(path)))
