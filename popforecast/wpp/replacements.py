"""Reading UN files of interim updates, and checking them against the tables to update."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from popforecast.errors import ReadError
from popforecast.panel import COUNTRY, Panel, Update, describe_years
from popforecast.readers import Reading, is_long, list_variants, read_wpp
from popforecast.wpp.editions import get_revision
from popforecast.wpp.tables import Tables

# The UN's names of variants, and our columns.
ESTIMATES = "Estimates"
MEDIUM = "Medium"
BOUNDS = {
    "Lower 80 PI": "lower_80",
    "Upper 80 PI": "upper_80",
    "Lower 95 PI": "lower_95",
    "Upper 95 PI": "upper_95",
}
# Other scenarios, such as "High", are left out. A name this similar to an expected one is taken for a misspelling.
MISSPELT = 0.8

DATE = re.compile(r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")

# A new census can change a series by 10% or even 25%. A tenfold change means another unit or another country.
MOST_CHANGE = 10


@dataclass(frozen=True, eq=False)
class Replacement:
    """The series of an update file, checked against the tables to update.

    Attributes
    ----------
    update : Update
        Date, countries and checksum.
    file : str
        The name of the file.
    estimates : Panel
        The estimates of the countries, in whole persons.
    projections : DataFrame or None
        Their medium variant and its bounds, as returned by :func:`popforecast.load_projections`; None if the file
        has none.
    """

    update: Update
    file: str
    estimates: Panel
    projections: pd.DataFrame | None

    def describe(self) -> dict[str, Any]:
        """Return the manifest entry for the update."""
        return {
            "date": self.update.date,
            "locations": list(self.update.locations),
            "file": self.file,
            "sha256": self.update.sha256,
            "projections": "replaced" if self.projections is not None else "left out",
        }


def read_update(path: str | Path, tables: Tables, day: str = "") -> Replacement:
    """Return the series of an update file: UN wide or long format, thousands of persons, updated countries only.

    Parameters
    ----------
    path : path
    tables : Tables
        The tables to update.
    day : str
        The date on which the UN published the update, such as ``2026-01-19`` (default: the date in the file name).

    Raises
    ------
    UnknownRevisionError
        If the tables do not belong to a revision.
    ReadError
        If the file cannot be read; if its years differ from those of the tables; if it has a gap, an unknown location,
        an aggregate or figures in another unit; or if its date is not valid or out of order. The first fault is named.
    """
    path, panel = Path(path), tables.panel
    revision = get_revision(str(panel.revision))
    day = _check_date(day or _find_date(path), path, panel, revision.edition)
    reading = read_wpp(path, revision.name)
    empty = reading.dropped[reading.dropped["reason"] != "a label, without any figure"]
    for row in empty.itertuples():
        raise ReadError(f"{path.name}, row {row.row}: {row.name} ({row.code}) is {row.reason}; expected a whole series")
    variants = {name.casefold(): name for name in list_variants(path)} if is_long(path) else {}
    _check_variants(variants, path)
    estimates = _cut_estimates(reading, tables, len(variants) <= 1)
    _check_places(estimates, panel, path)
    estimates = replace(estimates, values=np.rint(estimates.values))
    check_size(estimates, panel, path)
    projections = None if tables.projections is None else _read_projections(path, reading, variants, tables)
    return Replacement(
        Update(day, tuple(estimates.locations.index.tolist()), reading.sha256), path.name, estimates, projections
    )


def check_size(series: Panel, panel: Panel, path: Path) -> None:
    """Check that new series have the same order of magnitude as those they replace.

    Raises
    ------
    ReadError
        If a figure changes by a factor of more than ten, which suggests another unit or another country.
    """
    then = np.maximum(panel.values[panel.locations.index.get_indexer(series.locations.index)], 1)
    factor = np.maximum(series.values, 1) / then
    apart = np.abs(np.log(factor))
    row, column = np.unravel_index(apart.argmax(), apart.shape)
    if apart[row, column] > np.log(MOST_CHANGE):
        code = series.locations.index[int(row)]
        raise ReadError(
            f"{path.name}: {series.locations['name'][code]} ({code}) would have {series.values[row, column]:,.0f} "
            f"persons in {series.years[column]}, {factor[row, column]:,.4g} times the {then[row, column]:,.0f} of "
            f"{panel.title}; expected thousands of persons, and no change by more than a factor of {MOST_CHANGE}"
        )


def _find_date(path: Path) -> str:
    found = sorted(set(DATE.findall(path.name)))
    if len(found) != 1:
        raise ReadError(
            f"{path.name}: the name contains {' and '.join(found) or 'no date'}; expected the date on which the UN "
            "published the update, such as 2026-01-19, there or as update_date"
        )
    return found[0]


def _check_date(day: str, path: Path, panel: Panel, edition: int) -> str:
    try:
        year = date.fromisoformat(day).year if DATE.fullmatch(day) else 0
    except ValueError:
        year = 0
    if not year:
        raise ReadError(f"{path.name}: {day!r} is not a valid date; expected one such as 2026-01-19")
    if year < edition:
        raise ReadError(
            f"{path.name}: an update of {day} is older than {panel.revision}, which was published in {edition}; "
            "expected a later date"
        )
    # In some time zones it is already tomorrow.
    if date.fromisoformat(day) > date.today() + timedelta(days=1):
        raise ReadError(
            f"{path.name}: {day} is in the future; expected the date on which the UN published the update, no later "
            f"than {date.today()}"
        )
    if panel.updates and day <= panel.updates[-1].date:
        raise ReadError(
            f"{path.name}: an update of {day} is not later than that of {panel.updates[-1].date}, which {panel!r} "
            "already includes; expected updates in the order of their dates"
        )
    return day


def _check_variants(variants: Mapping[str, str], path: Path) -> None:
    read = {name.casefold(): name for name in (ESTIMATES, MEDIUM, *BOUNDS)}
    for folded in variants.keys() - read.keys():
        for near in get_close_matches(folded, read, 1, MISSPELT):
            raise ReadError(
                f"{path.name}: the variant {variants[folded]!r} is unknown; expected {read[near]!r}, or the name of "
                "a scenario, which is ignored"
            )


def _cut_estimates(reading: Reading, tables: Tables, whole: bool) -> Panel:
    """Return the file's estimates in the years of the tables; a file with one variant may include projected years."""
    got, years = reading.panel.years, tables.panel.years
    if np.array_equal(got, years):
        return reading.panel
    last = _list_projected(tables)[-1:]
    if whole and got[0] == years[0] and reading.panel.step == tables.panel.step and np.array_equal(got[-1:], last):
        return reading.panel.until(tables.panel.origin)
    raise ReadError(
        f"{reading.source} has estimates of {describe_years(got)}; expected those of {tables.panel.revision}, "
        f"{describe_years(years)}: it may belong to another edition"
    )


def _check_places(series: Panel, panel: Panel, path: Path) -> None:
    for code, name, iso3 in series.locations[["name", "iso3"]].itertuples():
        said = f"{path.name}: {name} ({code})"
        if code not in panel.locations.index:
            raise ReadError(f"{said} is not in {panel.revision}; an update can replace existing series only")
        known = panel.locations.loc[code]
        if known["type"] != COUNTRY:
            raise ReadError(
                f"{said} is an aggregate; expected only countries and areas, from which aggregates are computed"
            )
        if isinstance(iso3, str) and iso3 != known["iso3"]:
            raise ReadError(
                f"{said} has the ISO3 code {iso3}, but {code} is {known['name']} ({known['iso3']}) in "
                f"{panel.revision}; expected the code and ISO3 code of the same place"
            )
        if name != known["name"] and panel.index.has(name) and panel.index.find(name) != code:
            other = panel.index.find(name)
            raise ReadError(
                f"{said} has the name of {panel.index.names[other]} ({other}), but {code} is {known['name']} in "
                f"{panel.revision}; expected the code and name of the same place"
            )


def _read_projections(path: Path, reading: Reading, variants: Mapping[str, str], tables: Tables) -> pd.DataFrame | None:
    """Return the file's medium variant with any bounds; None if it has no projected years."""
    medium = read_wpp(path, variant=variants[MEDIUM.casefold()]) if MEDIUM.casefold() in variants else reading
    if medium.panel.origin <= tables.panel.origin:
        return None
    columns = {"population": medium.panel} | {
        ours: read_wpp(path, variant=variants[name.casefold()]).panel
        for name, ours in BOUNDS.items()
        if name.casefold() in variants
    }
    codes, years = reading.panel.locations.index, _list_projected(tables)
    for column, panel in columns.items():
        ahead = panel.years[panel.years > tables.panel.origin]
        if not np.array_equal(ahead, years) or set(panel.locations.index) != set(codes):
            raise ReadError(
                f"{path.name}: its projections ({column}) cover {len(panel)} locations, {describe_years(ahead)}; "
                f"expected the {len(codes)} of its estimates, and the years of {tables.panel.revision}, "
                f"{describe_years(years)}"
            )
    table = pd.DataFrame({"location_code": np.repeat(codes, len(years)), "year": np.tile(years, len(codes))})
    for column, panel in columns.items():
        table[column] = np.rint(panel.select(codes.tolist()).values[:, -len(years) :]).ravel()
    _check_bounds(table, path)
    return table


def _check_bounds(table: pd.DataFrame, path: Path) -> None:
    stated = [name for name in ("lower_95", "lower_80", "population", "upper_80", "upper_95") if name in table]
    # Each is rounded to whole persons separately, so bounds may cross by one person.
    crossing = (np.diff(table[stated].to_numpy(), axis=1) < -1).any(axis=1)
    if crossing.any():
        code, year = table[crossing][["location_code", "year"]].iloc[0]
        raise ReadError(f"{path.name}: the bounds of {code} in {year} cross; expected {' <= '.join(stated)}")


def _list_projected(tables: Tables) -> np.ndarray:
    """Return the projected years of the tables; empty if there are no projections."""
    return np.array([], dtype=np.int64) if tables.projections is None else np.unique(tables.projections["year"])
