"""All tables of a revision, loaded together and written atomically."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from popforecast.errors import StoreError
from popforecast.files import write_together
from popforecast.panel import Panel
from popforecast.wpp.citation import LICENCE
from popforecast.wpp.editions import (
    DEFAULT_REVISION,
    MANIFEST,
    REVISIONS,
    describe_source,
    get_edition,
    load_members,
    load_panel,
    load_projections,
    read_manifest,
    table_path,
)
from popforecast.wpp.membership import Members, find_members


@dataclass(frozen=True, eq=False)
class Tables:
    """All tables of a revision.

    Attributes
    ----------
    panel : Panel
        Estimates.
    projections : DataFrame or None
        The UN's medium variant and its bounds; None if the revision has none.
    members : dict
        The countries of each aggregate.
    source : dict
        The provenance of the tables.
    """

    panel: Panel
    projections: pd.DataFrame | None
    members: Members
    source: dict[str, Any]


def load_tables(revision: str = DEFAULT_REVISION, folder: str | Path | None = None) -> Tables:
    """Load all tables of a revision, with their provenance.

    Parameters
    ----------
    revision, folder
        As for :func:`popforecast.load_panel`.

    Raises
    ------
    UnknownRevisionError, ReadError
        As :func:`popforecast.load_panel` does.
    """
    projections = load_projections(revision, folder) if get_edition(revision).has_projections else None
    return Tables(
        load_panel(revision, folder), projections, load_members(revision, folder), describe_source(revision, folder)
    )


def write_tables(
    panel: Panel,
    folder: str | Path,
    source: dict[str, Any],
    projections: pd.DataFrame | None = None,
    members: Members | None = None,
) -> list[Path]:
    """Write the tables of a revision, record them in the manifest and return their paths.

    Parameters
    ----------
    panel : Panel
        Estimates, with the name of the revision.
    folder : path
        The folder to write to.
    source : dict
        The provenance to record in the manifest.
    projections : DataFrame, optional
        As returned by :func:`popforecast.load_projections`.
    members : dict, optional
        As returned by :func:`popforecast.wpp.editions.load_members` (default: derived and verified from the figures).

    Returns
    -------
    list of Path
        The files written.
    """
    folder = Path(folder)
    revision = get_edition(str(panel.revision)).name
    locations = panel.locations.astype({"parent": "Int64"}).reset_index()
    tables = {"locations": locations, "estimates": _widen(panel)}
    if projections is not None:
        # Missing bounds make these columns floats, which would be written with a decimal point.
        tables["projections"] = projections.astype("Int64")
    if revision in REVISIONS:
        tables["members"] = _list_members(find_members(panel) if members is None else members)
    contents = {name: table.to_csv(index=False, lineterminator="\n").encode() for name, table in tables.items()}
    manifest = read_manifest(folder) if (folder / MANIFEST).exists() else {}
    manifest[revision] = {
        "title": get_edition(revision).title,
        "licence": LICENCE,
        "unit": "persons, 1 July",
        "panel_sha256": panel.checksum,
        "tables": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        "source": source,
    }
    text = json.dumps(dict(sorted(manifest.items())), indent=2, ensure_ascii=False) + "\n"
    paths = {name: table_path(folder, revision, name) for name in contents}
    files = {
        path: gzip.compress(contents[name], mtime=0) if path.suffix == ".gz" else contents[name]
        for name, path in paths.items()
    }
    files[folder / MANIFEST] = text.encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_together(files)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror}): nothing was changed there") from error
    return list(files)


def _widen(panel: Panel) -> pd.DataFrame:
    whole = pd.DataFrame(np.rint(panel.values).astype(np.int64), columns=panel.years)
    whole.insert(0, "code", panel.locations.index)
    return whole


def _list_members(members: Members) -> pd.DataFrame:
    lists = [" ".join(map(str, codes)) for codes in members.values()]
    return pd.DataFrame({"aggregate": list(members), "members": lists})
