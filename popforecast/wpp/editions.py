"""The revisions of World Population Prospects: metadata, and their embedded tables."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from popforecast.data import DATA
from popforecast.errors import UnknownRevisionError
from popforecast.panel import Panel, Source, Update
from popforecast.wpp.citation import LICENCE, PUBLISHER, say_date
from popforecast.wpp.components import load_components
from popforecast.wpp.embedded import DEFAULT_REVISION, MANIFEST, read_checked, read_manifest, table_path
from popforecast.wpp.membership import Members


@dataclass(frozen=True)
class Revision:
    """One edition of World Population Prospects.

    Attributes
    ----------
    name : str
        ``wpp2019`` or ``wpp2024``; for vintages ``wpp2010`` or ``wpp2012``.
    edition : int
        Year of publication.
    url : str
        The URL of the UN's long table of total population; for vintages, of its archive.
    has_projections : bool
        Whether the UN's medium variant is embedded, with its bounds if it has any.
    """

    name: str
    edition: int
    url: str
    has_projections: bool

    @property
    def title(self) -> str:
        """The title of the edition."""
        return f"World Population Prospects {self.edition}"

    @property
    def citation(self) -> str:
        """The citation of the edition, with its licence."""
        return self.cite()

    def cite(self, *updates: str) -> str:
        """Return the citation of the edition with the interim updates of these dates."""
        days = " and ".join(map(say_date, updates))
        updated = f", with the update{'s' * (len(updates) > 1)} of {days}" if updates else ""
        return f"{PUBLISHER} ({self.edition}). {self.title}{updated}. {LICENCE}."


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


# The UN's archive: a page, and a zip of each revision since 1992, with all its tables as CSV.
ARCHIVE = "https://population.un.org/wpp/Download/Archive/Standard/"
ARCHIVED_FILE = "https://population.un.org/wpp/assets/Excel%20Files/5_Archive/WPP{}-CSV-data.zip"
ARCHIVED = (1992, 1994, 1996, 1998, 2000, 2002, 2004, 2006, 2008, 2010, 2012, 2015, 2017, 2022)

# Older editions for real-time evaluation: five-yearly, with estimates to 2010. Not offered in any interface.
VINTAGES: dict[str, Revision] = {
    vintage.name: vintage
    for vintage in (
        Revision("wpp2010", 2010, ARCHIVE, has_projections=True),
        Revision("wpp2012", 2012, ARCHIVE, has_projections=True),
    )
}


def get_revision(name: str) -> Revision:
    """Return the revision with this name, vintages excluded.

    Raises
    ------
    UnknownRevisionError
        If there is no such revision; the error lists the names.
    """
    if not isinstance(name, str) or name not in REVISIONS:
        raise UnknownRevisionError(f"no revision {name!r}: expected one of {', '.join(REVISIONS)}")
    return REVISIONS[name]


def get_fetchable(name: str) -> Revision:
    """Return the revision with this name, those of the UN's archive included.

    Raises
    ------
    UnknownRevisionError
        If there is no such revision; the error lists the names.

    Examples
    --------
    >>> get_fetchable("wpp2000").url[-20:]
    'WPP2000-CSV-data.zip'
    """
    archived = {f"wpp{year}": year for year in ARCHIVED}
    if isinstance(name, str) and name in archived:
        return Revision(name, archived[name], ARCHIVED_FILE.format(archived[name]), has_projections=False)
    try:
        return get_revision(name)
    except UnknownRevisionError as error:
        raise UnknownRevisionError(f"{error}, or of the UN's archive {', '.join(archived)}") from None


def get_edition(name: str) -> Revision:
    """Return the revision or vintage with this name.

    Raises
    ------
    UnknownRevisionError
        If there is no such edition; the error lists the names.
    """
    editions = REVISIONS | VINTAGES
    if not isinstance(name, str) or name not in editions:
        raise UnknownRevisionError(
            f"no revision {name!r}: expected one of {', '.join(REVISIONS)}, or of the vintages {', '.join(VINTAGES)}"
        )
    return editions[name]


def find_edition(panel: Panel) -> Revision | None:
    """Return the embedded edition from which a panel was read; None for the user's own data.

    Examples
    --------
    >>> find_edition(load_panel("wpp2019").select("World")).title
    'World Population Prospects 2019'
    >>> named = Panel([[1, 2]], [2019, 2020], pd.DataFrame({"name": ["Arda"]}), "wpp2019")
    >>> find_edition(named) is None
    True
    """
    return (REVISIONS | VINTAGES).get(panel.source.edition) if panel.source else None


def cite(panel: Panel) -> str | None:
    """Return the citation of a panel's figures, with the updates applied to them; None for the user's own data.

    Examples
    --------
    >>> cite(load_panel("wpp2019"))[-55:]
    '(2019). World Population Prospects 2019. CC BY 3.0 IGO.'
    """
    edition = find_edition(panel)
    return edition.cite(*(update.date for update in panel.updates)) if edition else None


def load_panel(revision: str = DEFAULT_REVISION, folder: str | Path | None = None) -> Panel:
    """Load the embedded estimates of a revision, for all locations, in persons. No network is needed.

    Parameters
    ----------
    revision : {"wpp2019", "wpp2024", "wpp2010", "wpp2012"}
        The name of a revision or vintage.
    folder : path, optional
        A folder with tables written by :func:`popforecast.wpp.tables.write_tables` (default: the embedded tables).

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
    estimates = _read_table(revision, "estimates", folder).set_index("code")
    locations = load_locations(revision, folder)
    years = estimates.columns.astype(np.int64).to_numpy()
    updates = tuple(
        Update(entry["date"], tuple(entry["locations"]), entry["sha256"])
        for entry in describe_source(revision, folder).get("updates", ())
    )
    places, components = locations.loc[estimates.index], partial(load_components, revision)
    return Panel(estimates.to_numpy(), years, places, revision, updates, Source(revision), components)


def load_locations(revision: str = DEFAULT_REVISION, folder: str | Path | None = None) -> pd.DataFrame:
    """Load the locations of a revision, indexed by code: name, type, iso3, parent, region."""
    get_edition(revision)
    options = {"dtype": {"parent": "Int64"}, "keep_default_na": False, "na_values": [""]}
    table = _read_table(revision, "locations", folder, **options)
    table = table.set_index("code").astype(object)
    return table.where(table.notna(), None)


def load_projections(revision: str = DEFAULT_REVISION, folder: str | Path | None = None) -> pd.DataFrame:
    """Load the UN's own medium variant and its prediction intervals, for comparison.

    Returns
    -------
    DataFrame
        location_code, year, population, lower_80, upper_80, lower_95, upper_95, in persons. ``wpp2010`` has no bounds;
        for aggregates changed by an interim update they are missing.

    Raises
    ------
    UnknownRevisionError
        If no projections are embedded for the revision.
    """
    if not get_edition(revision).has_projections:
        having = [name for name, edition in (REVISIONS | VINTAGES).items() if edition.has_projections]
        raise UnknownRevisionError(f"no projections are embedded for {revision!r}: expected one of {', '.join(having)}")
    return _read_table(revision, "projections", folder)


def load_members(revision: str = DEFAULT_REVISION, folder: str | Path | None = None) -> Members:
    """Load the countries that make up each aggregate of a revision; empty for a vintage.

    Returns
    -------
    dict of int to tuple of int
        Country codes by code of the aggregate, as verified by :func:`popforecast.wpp.membership.find_members`.

    Examples
    --------
    >>> load_members("wpp2024")[905]
    (60, 124, 304, 666, 840)
    """
    if get_edition(revision).name in VINTAGES:
        return {}
    path = table_path(Path(folder or DATA), revision, "members")
    content = read_checked(path, MANIFEST, revision, "tables", "members")
    return dict(_parse_members(content))


@lru_cache(maxsize=len(REVISIONS))
def _parse_members(content: bytes) -> Members:
    table = pd.read_csv(io.BytesIO(content), dtype={"members": str})
    rows = zip(table["aggregate"].tolist(), table["members"].tolist(), strict=True)
    return {aggregate: tuple(map(int, members.split())) for aggregate, members in rows}


def describe_source(revision: str, folder: str | Path | None = None) -> dict[str, Any]:
    """Return the provenance of a revision's tables: source file, checksum, dropped series with reasons, and updates."""
    get_edition(revision)
    return read_manifest(Path(folder or DATA))[revision]["source"]


def _read_table(revision: str, table: str, folder: str | Path | None, **options: Any) -> pd.DataFrame:
    content = read_checked(table_path(Path(folder or DATA), revision, table), MANIFEST, revision, "tables", table)
    return pd.read_csv(io.BytesIO(content), **options)
