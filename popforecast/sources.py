"""The revisions of World Population Prospects: embedded tables, URL, licence, checksum."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from popforecast.errors import ReadError, StoreError, UnknownRevisionError
from popforecast.files import write_together
from popforecast.membership import Members, find_members
from popforecast.panel import Panel

DATA = Path(__file__).parent / "data"
MANIFEST = "revisions.json"
DEFAULT_REVISION = "wpp2024"
LICENCE = "CC BY 3.0 IGO"
LICENCE_URL = "https://creativecommons.org/licenses/by/3.0/igo/"
PUBLISHER = "United Nations, Department of Economic and Social Affairs, Population Division"


@dataclass(frozen=True)
class Revision:
    """One edition of World Population Prospects.

    Attributes
    ----------
    name : str
        ``wpp2019``, ``wpp2024``; of the vintages ``wpp2010``, ``wpp2012``.
    edition : int
        Year of publication.
    url : str
        Where the UN publishes its long table of total population.
    has_projections : bool
        Whether the UN's medium variant and its bounds are embedded, too.
    """

    name: str
    edition: int
    url: str
    has_projections: bool

    @property
    def title(self) -> str:
        """The edition's title."""
        return f"World Population Prospects {self.edition}"

    @property
    def citation(self) -> str:
        """How to cite it, with the licence."""
        return f"{PUBLISHER} ({self.edition}). {self.title}. {LICENCE}."


REVISIONS: dict[str, Revision] = {
    revision.name: revision
    for revision in (
        Revision(
            "wpp2019",
            2019,
            "https://population.un.org/wpp/Download/Files/1_Indicators%20(Standard)/CSV_FILES/"
            "WPP2019_TotalPopulationBySex.csv",
            has_projections=False,
        ),
        Revision(
            "wpp2024",
            2024,
            "https://population.un.org/wpp/assets/Excel%20Files/1_Indicator%20(Standard)/CSV_FILES/"
            "WPP2024_TotalPopulationBySex.csv.gz",
            has_projections=True,
        ),
    )
}


# Older editions, kept to ask what was known then: five-yearly, to 2010. The surfaces do not list them.
ARCHIVE = "https://population.un.org/wpp/Download/Archive/Standard/"
VINTAGES: dict[str, Revision] = {
    vintage.name: vintage
    for vintage in (
        Revision("wpp2010", 2010, ARCHIVE, has_projections=True),
        Revision("wpp2012", 2012, ARCHIVE, has_projections=True),
    )
}


def get_revision(name: str) -> Revision:
    """Return the revision of that name, of those that the surfaces offer.

    Raises
    ------
    UnknownRevisionError
        If there is none; the error lists those there are.
    """
    if not isinstance(name, str) or name not in REVISIONS:
        raise UnknownRevisionError(f"no revision {name!r}: expected one of {', '.join(REVISIONS)}")
    return REVISIONS[name]


def get_edition(name: str) -> Revision:
    """Return the revision or vintage of that name: any edition whose tables are embedded.

    Raises
    ------
    UnknownRevisionError
        If there is none; the error lists those there are.
    """
    editions = REVISIONS | VINTAGES
    if not isinstance(name, str) or name not in editions:
        raise UnknownRevisionError(
            f"no revision {name!r}: expected one of {', '.join(REVISIONS)}, or of the vintages {', '.join(VINTAGES)}"
        )
    return editions[name]


def load_panel(revision: str = DEFAULT_REVISION) -> Panel:
    """Load the embedded estimates of a revision: every location, in persons; no network.

    Parameters
    ----------
    revision : {"wpp2019", "wpp2024"} or a vintage, {"wpp2010", "wpp2012"}

    Raises
    ------
    UnknownRevisionError
        If the revision is not embedded.
    ReadError
        If an embedded table is damaged.

    Examples
    --------
    >>> load_panel("wpp2019")
    <Panel: 285 locations, 1950 to 2020, wpp2019>
    >>> load_panel("wpp2012")
    <Panel: 236 locations, 1950 to 2010 by 5, wpp2012>
    """
    get_edition(revision)
    estimates = _read_table(revision, "estimates").set_index("code")
    locations = load_locations(revision)
    years = estimates.columns.astype(np.int64).to_numpy()
    return Panel(estimates.to_numpy(), years, locations.loc[estimates.index], revision)


def load_locations(revision: str = DEFAULT_REVISION) -> pd.DataFrame:
    """Load the locations of a revision, indexed by code: name, type, iso3, parent, region."""
    get_edition(revision)
    table = _read_table(revision, "locations", dtype={"parent": "Int64"}, keep_default_na=False, na_values=[""])
    table = table.set_index("code").astype(object)
    return table.where(table.notna(), None)


def load_projections(revision: str = DEFAULT_REVISION) -> pd.DataFrame:
    """Load the UN's own medium variant and its prediction bounds, for comparison.

    Returns
    -------
    DataFrame
        location_code, year, population, lower_80, upper_80, lower_95, upper_95: persons. ``wpp2010`` states no bounds.

    Raises
    ------
    UnknownRevisionError
        If none are embedded for the revision.
    """
    if not get_edition(revision).has_projections:
        having = [name for name, edition in (REVISIONS | VINTAGES).items() if edition.has_projections]
        raise UnknownRevisionError(f"no projections are embedded for {revision!r}: expected one of {', '.join(having)}")
    return _read_table(revision, "projections")


def load_members(revision: str = DEFAULT_REVISION) -> Members:
    """Load the countries that make up each aggregate of a revision; a vintage states none.

    Returns
    -------
    dict of int to tuple of int
        Codes of countries by the code of the aggregate, as :func:`popforecast.membership.find_members` proved them.

    Examples
    --------
    >>> load_members("wpp2024")[905]
    (60, 124, 304, 666, 840)
    """
    if get_edition(revision).name in VINTAGES:
        return {}
    content = read_checked(_table_path(DATA, revision, "members"), MANIFEST, revision, "tables", "members")
    return dict(_parse_members(content))


@lru_cache(maxsize=len(REVISIONS))
def _parse_members(content: bytes) -> Members:
    table = pd.read_csv(io.BytesIO(content), dtype={"members": str})
    return {int(row.aggregate): tuple(map(int, row.members.split())) for row in table.itertuples(index=False)}


def describe_source(revision: str) -> dict[str, Any]:
    """Return how an embedded table came to be: file read, its checksum, what was dropped and why."""
    get_edition(revision)
    return read_manifest(DATA)[revision]["source"]


def write_tables(
    panel: Panel, folder: str | Path, source: dict[str, Any], projections: pd.DataFrame | None = None
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
        As :func:`load_projections` returns it.

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
        tables["projections"] = projections
    if revision in REVISIONS:
        tables["members"] = _list_members(find_members(panel))
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
    files = {_table_path(folder, revision, name): content for name, content in contents.items()}
    files[folder / MANIFEST] = text.encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_together(files)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror}): nothing was changed there") from error
    return list(files)


def read_manifest(folder: Path, name: str = MANIFEST) -> dict[str, Any]:
    """Return a manifest of the tables in a folder."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _widen(panel: Panel) -> pd.DataFrame:
    whole = pd.DataFrame(np.rint(panel.values).astype(np.int64), columns=panel.years)
    whole.insert(0, "code", panel.locations.index)
    return whole


def _list_members(members: Members) -> pd.DataFrame:
    lists = [" ".join(map(str, codes)) for codes in members.values()]
    return pd.DataFrame({"aggregate": list(members), "members": lists})


def _table_path(folder: Path, revision: str, table: str) -> Path:
    return folder / f"{revision}-{table}.csv"


def read_checked(path: Path, manifest: str, *keys: str) -> bytes:
    """Return the content of an embedded file, which must have the checksum that a manifest beside it states.

    Parameters
    ----------
    path : Path
    manifest : str
        The name of the manifest.
    keys : str
        What leads to the checksum in it.

    Raises
    ------
    ReadError
        If either cannot be read, or the content is another.
    """
    try:
        content = path.read_bytes()
        expected = reduce(getitem, keys, json.loads((path.parent / manifest).read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReadError(
            f"the embedded table {path.name} cannot be read ({error}): install popforecast again"
        ) from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ReadError(f"the embedded table {path.name} is not as it was published: install popforecast again")
    return content


def _read_table(revision: str, table: str, **options: Any) -> pd.DataFrame:
    content = read_checked(_table_path(DATA, revision, table), MANIFEST, revision, "tables", table)
    return pd.read_csv(io.BytesIO(content), **options)
