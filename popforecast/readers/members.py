"""Tables in a zip of the UN's archive, found by the names of its members."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from popforecast.errors import ReadError
from popforecast.readers.cells import clean
from popforecast.readers.opening import decode_bytes
from popforecast.readers.reading import WORLD

# Members, by name, and their columns. Files by age have one row for each location, variant, year and age group.
TOTALS, BY_AGE = r"total_?population.*\.csv$", r"population_?by_?age.*\.csv$"
OTHER = "single|_1x|percent"  # Tables by single years of age, and percentages.
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
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if is_of(name, kind)]
            texts = {name: decode_bytes(archive.read(name), f"{path.name}/{name}").text for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ReadError(f"{path.name} is a zip archive that is cut or damaged ({error}): get it again") from error
    tables = [parse(text, COLUMNS[kind], f"{path.name}/{name}") for name, text in texts.items()]
    if not tables:
        return None
    whole = pd.concat(tables, ignore_index=True)
    whole = whole[whole["LocID"] < WORLD].assign(Variant=whole["Variant"].str.casefold()).drop_duplicates()
    keys = [column for column in COLUMNS[kind] if not column.startswith("Pop")]
    for row in whole[whole.duplicated(keys)].head(1).itertuples():
        place = f"{row.Location} ({row.LocID})"
        raise ReadError(f"{path.name}: {place} has two figures of one kind in {row.Time}; expected one")
    return whole


def parse(text: str, columns: Sequence[str], source: str) -> pd.DataFrame:
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
