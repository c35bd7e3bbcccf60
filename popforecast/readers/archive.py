"""Reader of an old revision in full: a zip of the UN's archive, or a CSV of estimates and the medium variant."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from popforecast.errors import PanelError, ReadError
from popforecast.panel import COUNTRY, Panel
from popforecast.panel.components import Components
from popforecast.readers.archived_ages import read_ages
from popforecast.readers.archived_rates import read_rates
from popforecast.readers.members import BY_AGE, BY_SEX, KEYS, TOTALS, parse, read_members
from popforecast.readers.opening import decode
from popforecast.readers.reading import THOUSAND
from popforecast.readers.un import MEDIUM, PAST

# Columns of a plain CSV.
PLAIN = ["location_code", "year", "kind", "population_thousands"]

TOTALS_ONLY = "forecasts use total population"

# First revision with annual estimates; annual figures of earlier ones are interpolated.
ANNUAL_SINCE = 2022


class Archive(NamedTuple):
    """What a revision said: its estimates, its medium variant and, where it has them, its ages.

    Attributes
    ----------
    panel : Panel
        Total population of countries, up to the last year of estimates; with components, if a zip has tables of
        population by age, mortality and fertility.
    projections : DataFrame
        The medium variant after it: location_code, year, population, in persons.
    ages : DataFrame or None
        Estimates for every fifth year, in the columns of :meth:`popforecast.panel.components.Components.from_frames`.
    notes : tuple of str
        What was absent or assumed.
    """

    panel: Panel
    projections: pd.DataFrame
    ages: pd.DataFrame | None
    notes: tuple[str, ...]


def read_archive(path: str | Path, until: int | None = None) -> Archive:
    r"""Read a revision from a zip of the UN's archive (without unpacking it to disk), or from a CSV.

    Parameters
    ----------
    path : path
        ``WPP<revision>-CSV-data.zip``; or a CSV with the columns location_code, year, kind (estimate, medium) and
        population_thousands.
    until : int, optional
        The last year of estimates. Default: the last of variant ``Estimates`` or kind ``estimate``, or the year before
        other variants begin, or, if there is only one variant, the last year before the revision was published (before
        2022, when estimates were five-yearly, the last multiple of five up to then).

    Raises
    ------
    ReadError
        If the file is damaged, or a column, year or figure is missing or wrong; the error names place and year.

    Examples
    --------
    >>> import tempfile
    >>> rows = "4,1995,estimate,17000\n4,2000,estimate,20000\n4,2005,medium,24000\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "wpp2000.csv")
    ...     _ = path.write_text("location_code,year,kind,population_thousands\n" + rows)
    ...     read_archive(path).projections.to_numpy().tolist()
    [[4.0, 2005.0, 24000000.0]]
    """
    path = Path(path)
    revision = re.search("wpp_?([0-9]{4})", path.name.casefold())
    name = f"wpp{revision[1]}" if revision else None
    if not zipfile.is_zipfile(path):
        if path.is_file() and path.suffix.casefold() == ".zip":
            raise ReadError(
                f"{path.name} is not a zip archive, or is cut or damaged: expected WPP<revision>-CSV-data.zip"
            )
        plain = parse(decode(path).text, PLAIN, path.name)
        plain = plain.set_axis(["LocID", "Time", "Variant", "PopTotal"], axis=1)
        plain["Variant"] = plain["Variant"].str.casefold().replace("estimate", PAST)
        archive = _split(plain.assign(Location=plain["LocID"].astype(str)), None, until, name, path.name)
        return archive._replace(notes=(*archive.notes, TOTALS_ONLY))
    members = {kind: read_members(path, kind) for kind in (TOTALS, BY_AGE)}
    totals, by_age = members[TOTALS], members[BY_AGE]
    if totals is None and by_age is None:
        raise ReadError(f"{path.name} has no table of population: expected TotalPopulation or PopulationByAge, as .csv")
    if totals is None:
        assert by_age is not None
        sums = by_age.assign(PopTotal=by_age[BY_SEX].sum(axis=1)).groupby(KEYS)["PopTotal"].sum()
        totals = sums.reset_index()
    return _attach(_split(totals, by_age, until, name, path.name), path)


def _attach(archive: Archive, path: Path) -> Archive:
    """Return an archive whose panel has components, or with a note that says what lacks."""
    panel, ages = archive.panel, archive.ages
    if ages is None:
        return archive._replace(notes=(*archive.notes, TOTALS_ONLY))
    rates = read_rates(path, panel.origin)
    first = ages["year"].min()
    if isinstance(rates, str) or rates.fertility["period_start"].min() != first or first != panel.years[0]:
        lacks = rates if isinstance(rates, str) else f"rates for periods from {panel.years[0]} on"
        return archive._replace(notes=(*archive.notes, f"no {lacks}: {TOTALS_ONLY}"))
    tables = {"ages": ages, **{name: table for name, table in rates._asdict().items() if table is not None}}
    codes = set.intersection(*(set(table["location_code"]) for table in tables.values()))
    tables = {name: table[table["location_code"].isin(codes)] for name, table in tables.items()}
    try:
        panel = panel.with_components(Components.from_frames(**tables).until(panel.origin))
    except PanelError as error:
        raise ReadError(f"{path.name}: {error}") from error
    lacking = () if len(codes) == len(panel) else (f"rates of {len(codes)} of {len(panel)} countries",)
    return archive._replace(panel=panel, notes=(*archive.notes, *lacking))


def _split(
    totals: pd.DataFrame, by_age: pd.DataFrame | None, until: int | None, revision: str | None, source: str
) -> Archive:
    notes = [] if by_age is not None else ["no table of population by age: total population only"]
    stated = totals["Time"][totals["Variant"] == PAST]
    if until is not None and len(stated) and until != stated.max():
        raise ReadError(f"{source} says that its estimates end in {stated.max()}: expected that year, got {until}")
    last = until if until is not None else _find_base(totals, revision, source, notes)
    known = totals[totals["Variant"].isin([PAST, MEDIUM])].drop_duplicates(["LocID", "Time"], keep="first")
    past, later = known[known["Time"] <= last], known[(known["Time"] > last) & (known["Variant"] == MEDIUM)]
    if past.empty:
        raise ReadError(f"{source} has no estimates up to {last}: expected variant Estimates or Medium")
    if later.empty:
        notes.append(f"no medium variant after {last}: the UN's projections are not scored")
    names = past.drop_duplicates("LocID").set_index("LocID")["Location"]
    grid = past.pivot(index="LocID", columns="Time", values="PopTotal").loc[names.index]
    for row, column in np.argwhere(grid.isna().to_numpy())[:1]:
        where = f"{names.iloc[row]} ({names.index[row]}) has no population in {grid.columns[column]}"
        raise ReadError(f"{source}: {where}; expected one for every year of the table up to {last}")
    places = pd.DataFrame({"name": names, "type": COUNTRY})
    try:
        panel = Panel(THOUSAND * grid.to_numpy(), grid.columns.to_numpy(), places, revision)
    except PanelError as error:
        raise ReadError(f"{source}: {error}") from error
    projections = later[["LocID", "Time", "PopTotal"]].set_axis(["location_code", "year", "population"], axis=1)
    projections = projections.assign(population=THOUSAND * projections["population"]).reset_index(drop=True)
    ages = None if by_age is None else read_ages(by_age, known, last, source, notes)
    return Archive(panel, projections, ages, tuple(notes))


def _find_base(totals: pd.DataFrame, revision: str | None, source: str, notes: list[str]) -> int:
    """Return the last year of estimates."""
    variants = totals["Variant"]
    if (variants == PAST).any():
        return int(totals["Time"][variants == PAST].max())
    others = totals["Time"][variants != MEDIUM]
    if len(others):
        return int(others.min()) - 1
    if revision is None:
        raise ReadError(
            f"{source}: its name has no revision such as WPP2000, so its last year of estimates is unknown: "
            "give it by --until"
        )
    years = np.unique(totals["Time"])
    published = int(revision[3:])
    early = years[years < published] if published >= ANNUAL_SINCE else years[(years <= published) & (years % 5 == 0)]
    if not len(early):
        raise ReadError(f"{source} begins in {years[0]}: expected years before {published}, when it was published")
    notes.append(f"the table does not say where estimates end: taken to be {early[-1]}")
    return int(early[-1])
