"""Tables in a zip of the UN's archive, found by the names of its members."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from popforecast.errors import ReadError
from popforecast.readers.cells import clean
from popforecast.readers.opening import decode_bytes
from popforecast.readers.reading import WORLD

# Members, by name, and their columns. Files by age have one row for each location, variant, year and age group.
TOTALS, BY_AGE = r"total_?population.*\.csv$", r"population_?by_?age.*\.csv$"
# Tables by single years of age, percentages, and explanations.
OTHER = r"single|_1x|age1(?![0-9])|complete|percent|notes"
KEYS = ["LocID", "Location", "Variant", "Time"]
BY_SEX = ["PopMale", "PopFemale"]
COLUMNS = {TOTALS: [*KEYS, "PopTotal"], BY_AGE: [*KEYS, "AgeGrpStart", *BY_SEX]}
TEXTS = {"Location", "Variant", "kind"}


def is_population(name: str) -> bool:
    """Whether a member of a zip, by its name, is a table of population that is read."""
    return is_of(name, TOTALS) or is_of(name, BY_AGE)


def is_of(name: str, kind: str) -> bool:
    """Whether a member of a zip, by its name, is a table of a kind."""
    return bool(re.search(kind, name.casefold())) and not re.search(OTHER, name.casefold())


def read_members(path: Path, kind: str) -> pd.DataFrame | None:
    """Return the rows of countries in all members of a kind; None if there is no such member."""
    tables = [parse(text, COLUMNS[kind], source) for source, text in _open_members(path, kind)]
    if not tables:
        return None
    whole = pd.concat(tables, ignore_index=True)
    whole = whole[whole["LocID"] < WORLD].assign(Variant=whole["Variant"].str.casefold()).drop_duplicates()
    keys = [column for column in COLUMNS[kind] if not column.startswith("Pop")]
    for row in whole[whole.duplicated(keys)].head(1).itertuples():
        place = f"{row.Location} ({row.LocID})"
        raise ReadError(f"{path.name}: {place} has two figures of one kind in {row.Time}; expected one")
    return whole


def read_cells(path: Path, kind: str, columns: Sequence[str]) -> pd.DataFrame | None:
    """Return those of some columns that there are, as text, for countries, in all members of a kind."""
    tables = []
    for source, text in _open_members(path, kind):
        # Life tables are large: other columns are not kept.
        table = _open_table(text, source, columns)
        if "LocID" not in table:
            raise ReadError(f"{source} has no column 'LocID': expected {', '.join(columns)}")
        code = pd.to_numeric(table["LocID"], errors="coerce")
        for cell in table["LocID"][code.isna()].head(1):
            raise ReadError(f"{source}: LocID {cell!r}; expected a whole number")
        tables.append(table.assign(LocID=code.astype(np.int64))[code < WORLD])
    return pd.concat(tables, ignore_index=True).drop_duplicates() if tables else None


def _open_members(path: Path, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each member of a kind."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if is_of(name, kind):
                    source = f"{path.name}/{name}"
                    yield source, decode_bytes(archive.read(name), source).text
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ReadError(f"{path.name} is a zip archive that is cut or damaged ({error}): get it again") from error


def _open_table(text: str, source: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a CSV as text, with only some of its columns if any are given."""
    kept = None if columns is None else lambda name: clean(name) in columns
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, usecols=kept)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ReadError(f"{source} is no well-formed CSV ({error}); the file may be cut") from error
    return table.set_axis(table.columns.map(clean), axis=1)


def parse(text: str, columns: Sequence[str], source: str) -> pd.DataFrame:
    """Return columns of a CSV with their figures as numbers; codes, years and ages whole."""
    table = _open_table(text, source)
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
