"""Integrity of the embedded tables: checksums, and agreement of track records with the data and version."""

from __future__ import annotations

from collections.abc import Iterator

from popforecast.data import DATA, FACTS
from popforecast.errors import ReadError
from popforecast.evaluation import record
from popforecast.version import __version__
from popforecast.wpp import editions
from popforecast.wpp.components import ORIGINS, components_name
from popforecast.wpp.editions import REVISIONS, VINTAGES


def check_embedded() -> int:
    """Return the number of embedded tables, after checking each against the checksum in its manifest.

    Raises
    ------
    ReadError
        If a table is missing or altered, or the track records were computed from other data or by another version;
        the error names it.

    Examples
    --------
    >>> check_embedded() > 10
    True
    """
    checked = 0
    for name, stated_in, keys in list_embedded():
        editions.read_checked(DATA / name, stated_in, *keys)
        checked += 1
    manifest = editions.read_manifest(DATA, record.MANIFEST)
    if manifest.get("version") != __version__:
        raise ReadError(
            f"the embedded track records were measured by popforecast {manifest.get('version')}, and this is "
            f"{__version__}: python -m popforecast.embedding computes them again"
        )
    measured = manifest.get("panels", {})
    for edition, facts in editions.read_manifest(DATA).items():
        if measured.get(edition) != facts["panel_sha256"]:
            raise ReadError(
                f"the embedded track records were measured on other figures of {edition} than are embedded: "
                "python -m popforecast.embedding computes them again"
            )
    return checked


def list_embedded() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the file of each embedded table, the manifest with its checksum, and the keys of the checksum in it."""
    for name, edition in (REVISIONS | VINTAGES).items():
        tables = {"locations": True, "estimates": True}
        tables |= {"projections": edition.has_projections, "members": name in REVISIONS}
        for table in (table for table, is_there in tables.items() if is_there):
            yield editions.table_path(DATA, name, table).name, editions.MANIFEST, (name, "tables", table)
    packed = map(components_name, ORIGINS)
    for name in (record.VINTAGE_RECORD, *map(record.record_name, REVISIONS), *packed, *FACTS):
        yield name, record.MANIFEST, ("files", name)
