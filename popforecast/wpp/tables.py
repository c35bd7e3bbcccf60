"""All tables of a revision: loaded together, and written together or not at all."""

from __future__ import annotations

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
        The UN's medium variant and its bounds; None where the revision has none.
    members : dict
        The countries of each aggregate.
    source : dict
        How the tables came to be.
    """

    panel: Panel
    projections: pd.DataFrame | None
    members: Members
    source: dict[str, Any]


def load_tables(revision: str = DEFAULT_REVISION, folder: str | Path | None = None) -> Tables:
    """Load all tables of a revision, and where they come from.

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
    """Write the tables of a revision in the project's own schema, and record them in the manifest.

    Parameters
    ----------
    panel : Panel
        Estimates, with the revision's name.
    folder : path
        Where the tables go.
    source : dict
        What the manifest shall say of their origin.
    projections : DataFrame, optional
        As :func:`popforecast.load_projections` returns it.
    members : dict, optional
        As :func:`popforecast.wpp.editions.load_members` returns it (default: what the figures prove).

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
        # Bounds that are not known leave floats, which would be written with a point.
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
    files = {table_path(folder, revision, name): content for name, content in contents.items()}
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
