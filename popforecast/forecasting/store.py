"""Save and load fitted models: arrays as .npz, everything else in a JSON manifest; never pickle."""

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
from popforecast.models.base import Arrays, Fitted, Model
from popforecast.panel import Panel
from popforecast.version import __version__
from popforecast.wpp.editions import DATA, DEFAULT_REVISION, REVISIONS, find_edition, get_revision, load_panel

FORMAT = 1

# Models with embedded fits.
EMBEDDED = (models.BY_AGE, models.OF_TOTALS, "combination")

# The command that rebuilds embedded models and all other data computed from the embedded tables.
EMBED = "python -m popforecast.embedding"

# Required fields of a manifest, and their types.
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
    """Save a fitted model as `path` (.npz) with a .json manifest of the same name, and return the path.

    Both are written to temporary files and moved when both are complete, so that a failure leaves earlier files
    intact. The same fit gives the same bytes.

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
    """Return the contents of the files that :func:`save_fit` writes, by path: arrays and manifest."""
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
    """Return a saved model, fitted to this panel.

    Raises
    ------
    StoreError
        If a file is missing or damaged, or was saved for other data or by another version.
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
        raise StoreError(f"{path} does not have what {model.name} needs ({error}): fit it again") from error


def load_fitted(
    revision: str = DEFAULT_REVISION, panel: Panel | None = None, model: str | None = None
) -> Fitted | None:
    """Return the embedded fit of a model to a revision.

    Parameters
    ----------
    revision : {"wpp2024", "wpp2019"}
    panel : Panel, optional
        The revision's panel, if it is already loaded.
    model : {"cohort", "panel-ar"}, optional
        Default: the default model of the revision.

    Returns
    -------
    Fitted or None
        None if there is no embedded fit.

    Raises
    ------
    UnknownRevisionError
        If there is no such revision.
    StoreError
        If the embedded fit is damaged, or is for other data, another version or another model.

    Examples
    --------
    >>> load_fitted("wpp2024").origin
    2023
    """
    expected = models.get(model or models.choose())
    path = fitted_path(DATA, get_revision(revision).name, expected.name)
    if not (path.exists() or manifest_path(path).exists()):
        return None
    try:
        fitted = load_fit(path, load_panel(revision) if panel is None else panel)
    except StoreError as error:
        raise StoreError(f"{error}; {EMBED} rebuilds all embedded data") from error
    if fitted.model != expected:
        raise StoreError(f"{path} is a fit of {fitted.model}, expected {expected}: run {EMBED}")
    return fitted


def find_embedded(panel: Panel, model: Model) -> Fitted | None:
    """Return the embedded fit of a model to a panel; None if there is none or it cannot be used.

    Only complete embedded revisions have one. A fit that is damaged or from another version is not used, and a warning
    is logged once.

    Examples
    --------
    >>> panel = load_panel("wpp2024")
    >>> model = models.get("cohort")
    >>> find_embedded(panel, model).origin, find_embedded(panel.until(2000), model)
    (2023, None)
    """
    edition = find_edition(panel)
    if edition is None or edition.name not in REVISIONS or models.MODELS.get(model.name) != model:
        return None
    path = fitted_path(DATA, edition.name, model.name)
    try:
        if manifest_path(path).exists() and _read_manifest(path)["panel_sha256"] != panel.checksum:
            return None
        return load_fitted(edition.name, panel, model.name)
    except StoreError as error:
        _warn_once(f"{error}. Until then, {model.name} is refitted")
        return None


@lru_cache
def _warn_once(text: str) -> None:
    logging.getLogger(__name__).warning(text)


def fitted_path(folder: Path, revision: str, model: str) -> Path:
    """Return the path of the embedded fit of a model to a revision."""
    return folder / f"{revision}-{model}.npz"


def manifest_path(path: Path) -> Path:
    """Return the path of a saved model's manifest."""
    return path.with_suffix(".json")


def _check_path(path: str | Path) -> Path:
    if not isinstance(path, str | os.PathLike) or "\0" in str(path):
        raise StoreError(f"{path!r} is not a path: expected a file name ending in .npz")
    path = Path(path)
    if path.suffix != ".npz":
        raise StoreError(f"{path}: models are saved as .npz, expected a name ending in .npz")
    return path


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(manifest_path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"{manifest_path(path)} is missing: a saved model needs its manifest") from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{manifest_path(path)} is not a manifest ({error}): fit the model again") from error
    stated = isinstance(manifest, dict) and all(
        field in manifest and isinstance(manifest[field], kind) for field, kind in FIELDS.items()
    )
    if not stated or manifest["format"] != FORMAT:
        raise StoreError(f"{manifest_path(path)} is not a manifest of format {FORMAT}: fit the model again")
    if manifest.pop("manifest_sha256", None) != _seal(manifest):
        raise StoreError(f"{manifest_path(path)} was changed after it was saved: fit the model again")
    return manifest


def _seal(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _read_arrays(path: Path, manifest: dict[str, Any]) -> Arrays:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != manifest["npz_sha256"]:
        raise StoreError(f"{path} does not have the checksum in its manifest: it is damaged or from another fit")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path} has no plain arrays ({error}): fit the model again") from error
    if {name: list(array.shape) for name, array in arrays.items()} != manifest["arrays"]:
        raise StoreError(f"{path} does not have the arrays listed in its manifest: fit the model again")
    return arrays


def describe(path: str | Path) -> pd.Series:
    """Return the manifest of a saved model."""
    return pd.Series(_read_manifest(_check_path(path)))
