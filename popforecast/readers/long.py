"""Long tables: one row for each location and year, the UN's or anyone's."""

from __future__ import annotations

import csv
import io
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd

from popforecast.errors import ReadError
from popforecast.panel import Panel
from popforecast.readers.cells import check_width, clean, decode, parse_code, parse_name, split_rows
from popforecast.readers.reading import Reading, check_incomplete, make_panel, tabulate_dropped

LONG_COLUMNS = ("LocID", "Location", "Variant", "Time", "PopTotal")
OPTIONAL = {"LocTypeName": "type", "ParentID": "parent", "ISO3_code": "iso3"}
TYPE_NAMES = {"Geographic region": "Region"}
ESTIMATES, MEDIUM = "estimates", "medium"

WHOLE = r"[0-9]{1,9}"
AMOUNT = r"[0-9]{1,12}(\.[0-9]+)?"
CANONICAL = r"0|[1-9][0-9]{0,17}"


def read_un_long(
    path: str | Path,
    variant: str | None = None,
    until: int | None = None,
    incomplete: str = "raise",
    revision: str | None = None,
) -> Reading:
    """Read the UN's long table: one row for each location, variant and year, thousands of persons.

    Parameters
    ----------
    path : path
        CSV, plain or .gz, as published since 2019 (columns LocID, Location, Variant, Time, PopTotal, ...).
    variant : str, optional
        Which variant to read. By default the past: ``Estimates`` where the file has it, else ``Medium`` up to the
        year before the other variants begin.
    until : int, optional
        The last year to read.
    incomplete : {"raise", "drop"}
        What to do with a location that lacks a year which others have: stop, or leave it out and report it.
    revision : str, optional
        Recorded in the panel.

    Raises
    ------
    ReadError
        If the file is cut or damaged, a location has a year twice or lacks one, or a cell is not a figure.
    """
    path = Path(path)
    check_incomplete(incomplete)
    text, encoding, sha256 = decode(path)
    table = _parse(text, path)
    series = int(table["LocID"].nunique())
    table = _choose_variant(table, variant, until, path)
    _check_repeated(table, path)
    first = table.drop_duplicates("LocID").set_index("LocID")
    wide = table.pivot(index="LocID", columns="Time", values="PopTotal").loc[first.index]
    dropped = _find_gaps(wide, first)
    if dropped and incomplete == "raise":
        row, code, name, fault = dropped[0]
        raise ReadError(
            f"{path.name}: {name} ({code}, first at row {row}) has {fault}; expected one for every year, or "
            "incomplete='drop' to leave such locations out and have them reported"
        )
    wide = wide.drop(index=[code for _, code, _, _ in dropped])
    if wide.empty:
        raise ReadError(f"{path.name}: no location has a figure for every year")
    locations = _describe(first.loc[wide.index], path)
    panel = make_panel(wide.to_numpy(), wide.columns.to_numpy(), locations, revision, path)
    return Reading(panel, tabulate_dropped(dropped), path.name, sha256, encoding, series)


def list_variants(path: str | Path) -> tuple[str, ...]:
    """Return the names of the variants in the UN's long table, as it writes them.

    Raises
    ------
    ReadError
        If the file is cut or damaged.
    """
    path = Path(path)
    return tuple(_parse(decode(path).text, path)["Variant"].unique())


def read_long(path: str | Path, id: str, time: str, value: str, group: str | None = None) -> Panel:
    """Read any long CSV: one row for each location and year, in persons (or whatever is counted).

    Codes stay text where they are text: the county ``01001`` keeps its zero, and ``NA`` is Namibia.

    Raises
    ------
    ReadError
        If the file cannot be read as CSV.
    PanelError
        As :meth:`Panel.from_frame` does.
    """
    path = Path(path)
    text = decode(path).text
    as_text = {column: str for column in (id, group) if column}
    try:
        header = next(csv.reader(text.splitlines()))
        # Names that stand twice would be numbered, and cells beyond the header's last be taken for row names.
        frame = pd.read_csv(io.StringIO(text), dtype=as_text, keep_default_na=False, low_memory=False)
    except (ValueError, csv.Error, pd.errors.ParserError) as error:
        raise ReadError(f"{path.name} is no well-formed CSV ({str(error).strip()}): it may be cut") from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise ReadError(f"{path.name}: the rows have more cells than the header, which has {len(header)}")
    repeated = [column for column in (id, time, value, group) if header.count(column) > 1]
    if repeated:
        raise ReadError(f"{path.name}: the header has {repeated[0]!r} twice; expected each column once")
    if id in frame:
        codes = frame[id].map(clean)
        whole = codes.str.fullmatch(CANONICAL).all()
        frame[id] = codes.astype(np.int64) if whole else codes.mask(codes == "")
    return Panel.from_frame(frame, id=id, time=time, value=value, group=group)


def _parse(text: str, path: Path) -> pd.DataFrame:
    rows = split_rows(text, path)
    header = [clean(cell) for cell in next(rows)[1]]
    absent = [column for column in LONG_COLUMNS if column not in header]
    if absent:
        raise ReadError(f"{path.name} has no column {absent[0]!r}: expected {', '.join(LONG_COLUMNS)}")
    wanted = [column for column in (*LONG_COLUMNS, *OPTIONAL) if column in header]
    repeated = [column for column in wanted if header.count(column) > 1]
    if repeated:
        raise ReadError(f"{path.name}: the header has {repeated[0]!r} twice; expected each column once")
    pick = itemgetter(*map(header.index, wanted))
    picked, numbers = [], []
    for number, cells in rows:
        check_width(cells, header, number, path)
        picked.append(pick(cells))
        numbers.append(number)
    if not picked:
        raise ReadError(f"{path.name} has a header and no rows: expected one for each location, variant and year")
    table = pd.DataFrame(picked, columns=wanted, dtype=object)
    table["row"] = numbers
    for column in wanted:
        table[column] = table[column].map({cell: clean(cell) for cell in table[column].unique()})
    for column, form, meaning in (
        ("LocID", WHOLE, "a location code"),
        ("Time", WHOLE, "a year"),
        ("PopTotal", AMOUNT, "thousands of persons, zero or more"),
        ("Variant", ".+", "the name of a variant"),
    ):
        _check_form(table, column, form, meaning, path)
    table[["LocID", "Time"]] = table[["LocID", "Time"]].astype(np.int64)
    table["PopTotal"] = table["PopTotal"].astype(np.float64)
    return table


def _check_form(table: pd.DataFrame, column: str, form: str, meaning: str, path: Path) -> None:
    wrong = ~table[column].str.fullmatch(form)
    if wrong.any():
        row = table[wrong].iloc[0]
        raise ReadError(
            f"{path.name}, row {row['row']}: {column} {row[column]!r} of {row['Location']!r} is not {meaning}; the "
            "file may be cut or damaged"
        )


def _choose_variant(table: pd.DataFrame, variant: str | None, until: int | None, path: Path) -> pd.DataFrame:
    folded = table["Variant"].str.casefold()
    wanted = variant.strip().casefold() if variant else ESTIMATES if (folded == ESTIMATES).any() else MEDIUM
    chosen = table[folded == wanted]
    if chosen.empty:
        there = ", ".join(table["Variant"].unique())
        raise ReadError(f"{path.name} has no variant {variant or 'Medium'!r}: expected one of {there}")
    if variant is None and until is None and wanted == MEDIUM:
        until = _last_estimate(table[folded != MEDIUM], chosen, path)
    kept = chosen if until is None else chosen[chosen["Time"] <= until]
    if kept.empty:
        raise ReadError(f"{path.name} has no {chosen['Variant'].iloc[0]} figure up to {until}")
    return kept


def _last_estimate(others: pd.DataFrame, medium: pd.DataFrame, path: Path) -> int | None:
    """Return the year before the other variants begin; each of them must then be there in every year."""
    if others.empty:
        return None
    until = int(others["Time"].min()) - 1
    projected = set(medium.loc[medium["Time"] > until, "Time"])
    for name, rows in others.groupby("Variant", sort=False):
        absent = projected - set(rows["Time"])
        if absent:
            raise ReadError(
                f"{path.name}, row {rows['row'].iloc[0]}: variant {name!r} has {rows['Time'].iloc[0]} but not "
                f"{min(absent)}; expected every variant in every year from {until + 1}, where the estimates end"
            )
    return until


def _check_repeated(table: pd.DataFrame, path: Path) -> None:
    repeated = table.duplicated(["LocID", "Time"])
    if repeated.any():
        row = table[repeated].iloc[0]
        raise ReadError(
            f"{path.name}, row {row['row']}: {row['Location']} ({row['LocID']}) has the year {row['Time']} a second "
            "time; expected each year once"
        )


def _find_gaps(wide: pd.DataFrame, first: pd.DataFrame) -> list[tuple[int, int, str, str]]:
    gaps = []
    for code in wide.index[wide.isna().any(axis=1)]:
        absent = wide.columns[wide.loc[code].isna()]
        fault = f"no figure for {len(absent)} years from {absent.min()} to {absent.max()}"
        gaps.append((first.at[code, "row"], code, first.at[code, "Location"], fault))
    return gaps


def _describe(first: pd.DataFrame, path: Path) -> pd.DataFrame:
    rows = first["row"].tolist()
    locations = {"name": [parse_name(name, row, path) for name, row in zip(first["Location"], rows, strict=True)]}
    for column, target in OPTIONAL.items():
        if column in first:
            locations[target] = [cell or None for cell in first[column]]
    if "type" in locations:
        locations["type"] = [TYPE_NAMES.get(kind, kind) for kind in locations["type"]]
    if "parent" in locations:
        locations["parent"] = [
            cell and parse_code(cell, row, path) for cell, row in zip(locations["parent"], rows, strict=True)
        ]
    return pd.DataFrame(locations, index=first.index, dtype=object)
