"""Tables of the notebook ``1-prepare``: source, coverage, totals, unusual growth and files written."""

from __future__ import annotations

import csv
import gzip
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from popforecast.errors import PanelError, ReadError
from popforecast.panel import Panel
from popforecast.readers import WORLD, read_wpp
from popforecast.studies.events import explain_break
from popforecast.text import format_populations, sign
from popforecast.wpp.editions import DEFAULT_REVISION, REVISIONS, get_revision
from popforecast.wpp.preparation import add_geography, describe_reading, find_anomalies
from popforecast.wpp.replacements import read_update
from popforecast.wpp.tables import Tables, load_tables, write_tables
from popforecast.wpp.updates import apply_update, tabulate_changes


@dataclass(frozen=True, eq=False)
class Opening:
    """A revision: its panel, information on its source, and its first rows.

    Attributes
    ----------
    panel : Panel
    source : dict
        File, checksum, encoding, number of series, and dropped rows with reasons.
    path : Path or None
        The UN file, if it was read instead of the tables.
    tables : Tables or None
        The tables, if these were read.
    before : Panel or None
        The panel before an update was applied.
    """

    panel: Panel
    source: dict[str, Any]
    path: Path | None
    tables: Tables | None = None
    before: Panel | None = None

    @property
    def dropped(self) -> pd.DataFrame:
        """The dropped rows, with reasons."""
        return pd.DataFrame(self.source["dropped"], columns=["row", "code", "name", "reason"]).set_index("row")

    @property
    def facts(self) -> dict[str, str]:
        """Information on the source, for display."""
        facts = {key: str(value) for key, value in self.source.items() if key not in ("dropped", "updates")}
        for update in self.source.get("updates", ()):
            told = f"{update['file']}, SHA-256 {update['sha256']}, projections {update['projections']}"
            facts[f"update {update['date']}"] = told
        return facts | {"series kept": str(len(self.panel)), "rows dropped": str(len(self.dropped))}

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return pd.Series(self.facts).to_frame().to_html(header=False)

    def show_rows(self, rows: int = 8, columns: int = 8) -> pd.DataFrame:
        """Return the first rows as text: of the unmodified UN file, or otherwise of the panel."""
        if self.path is None:
            table = self.panel.to_frame().head(rows).set_index("location_code")
            return table.assign(population=table["population"].map("{:,}".format))
        opened = gzip.open if self.path.suffix == ".gz" else open
        with opened(self.path, "rt", encoding=self.source["encoding"], newline="") as file:
            table = pd.DataFrame(itertools.islice(csv.reader(file), rows)).iloc[:, :columns]
        return table.set_axis(range(1, len(table) + 1)).rename_axis("row")


def open_revision(revision: str = "", raw: str = "", folder: str = "", update: str = "", day: str = "") -> Opening:
    """Return a revision read from the embedded tables, tables in a folder (both with optional update) or a UN file.

    Parameters
    ----------
    revision : {"wpp2019", "wpp2024"}
        Empty for the earliest, or for the latest if an update is given.
    raw : str
        Path of a UN file, wide or long; empty to read tables.
    folder : str
        Folder of the tables; empty for the embedded tables.
    update : str
        Path of an interim update, wide or long; empty for none.
    day : str
        Publication date of the update, such as ``2026-01-19``; empty to use the date in the file name.

    Raises
    ------
    UnknownRevisionError, ReadError
        If the revision is unknown, or the file cannot be read.

    Examples
    --------
    >>> open_revision("wpp2019").dropped["name"].tolist()[:2]
    ['UN development groups', 'World Bank income groups']
    """
    revision = revision or (DEFAULT_REVISION if update else min(REVISIONS))
    if not raw:
        tables = load_tables(revision, folder or None)
        if not update:
            return Opening(tables.panel, tables.source, None, tables)
        updated = apply_update(tables, read_update(update, tables, day))
        return Opening(updated.panel, updated.source, None, updated, tables.panel)
    if update or folder:
        raise ReadError(
            f"raw is {raw!r}, and {folder or update!r} was named, too; expected the tables of the raw file to be "
            "written first, and then read or updated"
        )
    reading = read_wpp(raw, revision=get_revision(revision).name)
    return Opening(add_geography(reading.panel), describe_reading(reading), Path(raw))


def tabulate_update(opening: Opening) -> pd.DataFrame | None:
    """Return the changes made by an update, by location: year, before and after; None without an update."""
    if opening.before is None:
        return None
    table = tabulate_changes(opening.before, opening.panel)
    persons = {column: table[column].map("{:,}".format) for column in ("before", "after")}
    change = [sign(percent, 2) for percent in table["change"]]
    return table.assign(**persons, change=change).rename(columns={"change": "change, percent"}).set_index("location")


def write_revision(opening: Opening, folder: str) -> pd.DataFrame:
    """Write tables to a folder and return the files written with their sizes; write nothing without a folder."""
    tables = opening.tables
    projections, members = (tables.projections, tables.members) if tables else (None, None)
    paths = write_tables(opening.panel, folder, opening.source, projections, members) if folder else []
    rows = [(path.name, path.stat().st_size) for path in paths]
    return pd.DataFrame(rows or [("nothing: no folder given", 0)], columns=["written", "bytes"]).set_index("written")


def count_types(panel: Panel) -> pd.DataFrame:
    """Return the number of locations of each type, in the order of the panel."""
    return panel.locations["type"].value_counts(sort=False).rename("locations").to_frame()


def count_regions(panel: Panel) -> pd.DataFrame:
    """Return the number of countries in each region, and their population in the last year."""
    countries = panel.countries()
    regions = countries.locations["region"].fillna("none given")
    persons = pd.Series(countries.values[:, -1], regions.index).groupby(regions).sum()
    return pd.DataFrame(
        {
            "countries": regions.value_counts(),
            f"population in {panel.origin}": pd.Series(format_populations(persons), persons.index),
        }
    ).rename_axis("region")


def compare_totals(panel: Panel) -> pd.DataFrame:
    """Return the sum of the countries and the world total, by year.

    Returns
    -------
    DataFrame
        Indexed by year: countries, world and gap in persons, and the gap in parts per million of the world total.

    Raises
    ------
    PanelError
        If the panel does not include the world.

    Examples
    --------
    >>> import popforecast as pf
    >>> bool(compare_totals(pf.load_panel("wpp2019"))["parts per million"].abs().max() < 10)
    True
    """
    if WORLD not in panel.locations.index:
        raise PanelError(f"no location {WORLD} (World) to compare the countries' sum with")
    countries = panel.countries().values.sum(axis=0)
    world = panel.values[panel.locations.index.get_loc(WORLD)]
    gap = countries - world
    table = {"countries": countries, "world": world, "gap": gap}
    whole = pd.DataFrame(table, pd.Index(panel.years, name="year")).round().astype(np.int64)
    return whole.assign(**{"parts per million": np.round(1e6 * gap / world, 2)})


def list_worst_years(totals: pd.DataFrame, most: int = 5) -> pd.DataFrame:
    """Return the years with the largest gaps for display, largest first and ties by year.

    Examples
    --------
    >>> import popforecast as pf
    >>> list_worst_years(compare_totals(pf.load_panel("wpp2019")), 1)["gap"].to_dict()
    {1962: '-14,000'}
    """
    worst = totals.sort_values("parts per million", key=abs, ascending=False, kind="stable").head(most)
    return worst.map("{:,}".format)


def explain_anomalies(panel: Panel, most: int | None = None, smallest: int = 100_000) -> pd.DataFrame:
    """Return country-years of unusual growth, with undisputed causes.

    Parameters
    ----------
    panel : Panel
    most : int, optional
        Number of rows to return (default: all).
    smallest : int
        Omit countries that ever had fewer people: figures rounded to thousands make their growth irregular.

    Returns
    -------
    DataFrame
        Indexed by country: year, growth and usual growth (percent a year), what happened.
    """
    countries = panel.countries()
    large = countries.locations.index[countries.values.min(axis=1) >= smallest]
    found = find_anomalies(countries.select(large.tolist()), len(panel) if most is None else most)
    places = panel.locations["iso3"].reindex(found["location_code"])
    return pd.DataFrame(
        {
            "country": found["location"],
            "year": found["year"],
            "growth": found["growth"].round(1),
            "usual growth": found["usual"].round(1),
            "what happened": [explain_break(place, year) for place, year in zip(places, found["year"], strict=True)],
        }
    ).set_index("country")
