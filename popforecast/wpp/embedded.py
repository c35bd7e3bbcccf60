"""Paths, manifests and checksums of the embedded tables."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from popforecast.data import DATA, REMEDY
from popforecast.errors import ReadError

MANIFEST = "revisions.json"
DEFAULT_REVISION = "wpp2024"


def read_manifest(folder: Path, name: str = MANIFEST) -> dict[str, Any]:
    """Return a manifest of the tables in a folder."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def table_path(folder: Path, revision: str, table: str) -> Path:
    """Return the path of a table; projections, the largest, are compressed."""
    return folder / f"{revision}-{table}.csv{'.gz' if table == 'projections' else ''}"


def read_checked(path: Path, manifest: str, *keys: str) -> bytes:
    """Return the content of an embedded file, decompressed, after checking it against its checksum in the manifest.

    Parameters
    ----------
    path : Path
    manifest : str
        The name of the manifest, in the same folder.
    keys : str
        The keys that lead to the checksum in the manifest.

    Raises
    ------
    ReadError
        If either cannot be read, or the checksum differs.
    """
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        expected = reduce(getitem, keys, json.loads((path.parent / manifest).read_text(encoding="utf-8")))
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError) as error:
        raise ReadError(f"the {_name_table(path)} cannot be read ({error}): {_say_remedy(path)}") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ReadError(f"the {_name_table(path)} does not have the checksum in {manifest}: {_say_remedy(path)}")
    return content


def _name_table(path: Path) -> str:
    return f"embedded table {path.name}" if path.parent == DATA else f"table {path}"


def _say_remedy(path: Path) -> str:
    return REMEDY if path.parent == DATA else "write the tables of that folder again"
