"""Reader of an old revision in full: a zip of the UN's archive, or a CSV of estimates and the medium variant."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from popforecast.errors import PanelError, ReadError
from popforecast.panel import COUNTRY, Panel
from popforecast.panel.components import AGES, SEXES
from popforecast.readers.cells import clean
from popforecast.readers.opening import decode, decode_bytes
from popforecast.readers.reading import THOUSAND, WORLD
from popforecast.readers.un import MEDIUM, PAST

# Members, by name, and their columns. Files by age have one row for each location, variant, year and age group.
TOTALS, BY_AGE = r"total_?population.*\.csv$", r"population_?by_?age.*\.csv$"
OTHER = "single|_1x|percent"  # Tables by single years of age, and percentages.
KEYS = ["LocID", "Location", "Variant", "Time"]
BY_SEX = ["PopMale", "PopFemale"]
COLUMNS = {TOTALS: [*KEYS, "PopTotal"], BY_AGE: [*KEYS, "AgeGrpStart", *BY_SEX]}
PLAIN = ["location_code", "year", "kind", "population_thousands"]
TEXTS = {"Location", "Variant", "kind"}

# Largest difference between a total and the sum of its ages, and the open group of some early years.
AGE_TOLERANCE = 0.01
OLD = 80

# First revision with annual estimates; annual figures of earlier ones are interpolated.
ANNUAL_SINCE = 2022


class Archive(NamedTuple):
    """What a revision said: its estimates, its medium variant and, where it has them, its ages.

    Attributes
    ----------
    panel : Panel
        Total population of countries, up to the last year of estimates.
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
        plain = _parse(decode(path).text, PLAIN, path.name)
        plain = plain.set_axis(["LocID", "Time", "Variant", "PopTotal"], axis=1)
        plain["Variant"] = plain["Variant"].str.casefold().replace("estimate", PAST)
        return _split(plain.assign(Location=plain["LocID"].astype(str)), None, until, name, path.name)
    members = {kind: _read_members(path, kind) for kind in (TOTALS, BY_AGE)}
    totals, by_age = members[TOTALS], members[BY_AGE]
    if totals is None and by_age is None:
        raise ReadError(f"{path.name} has no table of population: expected TotalPopulation or PopulationByAge, as .csv")
    if totals is None:
        assert by_age is not None
        sums = by_age.assign(PopTotal=by_age[BY_SEX].sum(axis=1)).groupby(KEYS)["PopTotal"].sum()
        totals = sums.reset_index()
    return _split(totals, by_age, until, name, path.name)


def is_population(name: str) -> bool:
    """Whether a member of a zip, by its name, is a table of population that is read."""
    return _is_of(name, TOTALS) or _is_of(name, BY_AGE)


def _is_of(name: str, kind: str) -> bool:
    return bool(re.search(kind, name.casefold())) and not re.search(OTHER, name.casefold())


def _read_members(path: Path, kind: str) -> pd.DataFrame | None:
    """Return the rows of countries in all members of a kind; None if there is no such member."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if _is_of(name, kind)]
            texts = {name: decode_bytes(archive.read(name), f"{path.name}/{name}").text for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ReadError(f"{path.name} is a zip archive that is cut or damaged ({error}): get it again") from error
    tables = [_parse(text, COLUMNS[kind], f"{path.name}/{name}") for name, text in texts.items()]
    if not tables:
        return None
    whole = pd.concat(tables, ignore_index=True)
    whole = whole[whole["LocID"] < WORLD].assign(Variant=whole["Variant"].str.casefold()).drop_duplicates()
    keys = [column for column in COLUMNS[kind] if not column.startswith("Pop")]
    for row in whole[whole.duplicated(keys)].head(1).itertuples():
        place = f"{row.Location} ({row.LocID})"
        raise ReadError(f"{path.name}: {place} has two figures of one kind in {row.Time}; expected one")
    return whole


def _parse(text: str, columns: Sequence[str], source: str) -> pd.DataFrame:
    """Return columns of a CSV with their figures as numbers; codes, years and ages whole."""
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ReadError(f"{source} is no well-formed CSV ({error}); the file may be cut") from error
    table.columns = table.columns.map(clean)
    absent = [column for column in columns if column not in table]
    if absent:
        raise ReadError(f"{source} has no column {absent[0]!r}: expected {', '.join(columns)}")
    parsed = table[list(columns)].copy()
    for column in columns:
        cells = parsed[column].fillna("").map(clean)
        whole = not column.casefold().startswith("pop")
        wrong = ~cells.str.fullmatch(".+" if column in TEXTS else "[0-9]{1,9}" if whole else r"[0-9]*\.?[0-9]+")
        for at in np.flatnonzero(wrong)[:1]:
            row = table.iloc[at]
            place, year = row.get("Location", row[columns[0]]), row.get("Time", row.get("year"))
            expected = "a name" if column in TEXTS else "a whole number" if whole else "thousands, zero or more"
            raise ReadError(
                f"{source}, row {at + 2}: {column} {cells.iloc[at]!r} of {place} in {year}; expected {expected}"
            )
        parsed[column] = cells if column in TEXTS else cells.astype(np.int64 if whole else np.float64)
    return parsed


def _split(
    totals: pd.DataFrame, by_age: pd.DataFrame | None, until: int | None, revision: str | None, source: str
) -> Archive:
    notes = [] if by_age is not None else ["no table of population by age: total population only"]
    notes.append("no tables of mortality, fertility and migration are read: forecasts use total population")
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
    ages = None if by_age is None else _read_ages(by_age, known, last, source, notes)
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
        raise ReadError(f"{source}: its name has no revision such as WPP2000, so its last year of estimates is unknown")
    years = np.unique(totals["Time"])
    published = int(revision[3:])
    early = years[years < published] if published >= ANNUAL_SINCE else years[(years <= published) & (years % 5 == 0)]
    if not len(early):
        raise ReadError(f"{source} begins in {years[0]}: expected years before {published}, when it was published")
    notes.append(f"the table does not say where estimates end: taken to be {early[-1]}")
    return int(early[-1])


def _read_ages(by_age: pd.DataFrame, totals: pd.DataFrame, last: int, source: str, notes: list[str]) -> pd.DataFrame:
    """Return estimates by age as a long table, after checking each group and the sum of all."""
    rows = by_age[by_age["Variant"].isin([PAST, MEDIUM]) & (by_age["Time"] <= last) & (by_age["Time"] % 5 == 0)]
    # The base year may stand in both variants.
    rows = rows.drop_duplicates(["LocID", "Time", "AgeGrpStart"])
    names = rows.drop_duplicates("LocID").set_index("LocID")["Location"]
    sums = rows.groupby(["LocID", "Time"])[BY_SEX].sum().sum(axis=1).rename("ages").reset_index()
    both = sums.merge(totals, on=["LocID", "Time"])
    wrong = both[(both["ages"] - both["PopTotal"]).abs() > AGE_TOLERANCE * both["PopTotal"]]
    for off in wrong.head(1).itertuples():
        raise ReadError(
            f"{source}: the ages of {off.Location} ({off.LocID}) in {off.Time} sum to {off.ages:,.3f} thousand; "
            f"expected its total, {off.PopTotal:,.3f}, within {100 * AGE_TOLERANCE:g}%"
        )
    odd = sorted(set(rows["AgeGrpStart"]) - set(AGES))
    if odd:
        raise ReadError(f"{source} has an age group that starts at {odd[0]}; expected 0, 5, ..., 100")
    rows = rows.rename(columns=dict(zip(BY_SEX, SEXES, strict=True)))
    long = rows.melt(["LocID", "Time", "AgeGrpStart"], SEXES, "sex", "persons")
    grid = long.pivot(index=["LocID", "sex", "Time"], columns="AgeGrpStart", values="persons").reindex(columns=AGES)
    groups = grid.to_numpy(copy=True)
    codes, sexes, years = (grid.index.get_level_values(level).to_numpy() for level in range(3))
    old = np.array(AGES) >= OLD
    is_open = np.isnan(groups[:, np.array(AGES) > OLD]).all(axis=1)
    for row in np.flatnonzero(is_open).tolist():
        code, year = codes[row], years[row]
        whole = np.flatnonzero((codes == code) & (sexes == sexes[row]) & ~is_open & (years > year))
        if not len(whole):
            raise ReadError(f"{source}: {names[code]} ({code}) has no later year than {year} with ages to 100 and over")
        first = groups[whole[0], old]
        shares = first / first.sum() if first.sum() else np.eye(len(first))[0]
        groups[row, old] = groups[row, AGES.index(OLD)] * shares
    if is_open.any():
        span = f"{years[is_open].min()} to {years[is_open].max()}"
        notes.append(f"{OLD} and over split by the first year with all ages: {span}")
    for row, column in np.argwhere(np.isnan(groups))[:1]:
        where = f"{names[codes[row]]} ({codes[row]}) has nobody stated at ages from {AGES[column]} in {years[row]}"
        raise ReadError(f"{source}: {where}; expected 0, 5, ..., 100 and over")
    return pd.DataFrame(
        {
            "location_code": np.repeat(codes, len(AGES)),
            "year": np.repeat(years, len(AGES)),
            "sex": np.repeat(sexes, len(AGES)),
            "age": np.tile(AGES, len(codes)),
            "population_thousands": groups.ravel(),
        }
    )
