"""The files people have -> Panel. Here, and nowhere else, the UN's thousands become persons.

A reader loses nothing silently: what it leaves out stands in :attr:`Reading.dropped` with the reason, and what it
cannot read is an error that names the row.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from popforecast.errors import PanelError, ReadError
from popforecast.panel import COUNTRY, Panel

THOUSAND = 1000
WORLD = 900
LABEL = "label/separator"

# Rounding to thousands in 235 countries moves their sum by a few parts in a million; a lost country moves it more.
TOTAL_TOLERANCE = 1e-3

# The UN writes two or three dots where a figure is missing; the ellipsis is what some editors make of them.
MISSING = frozenset({"", "..", "...", "…"})
SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
NUMBER = re.compile(r"\d+(\.\d+)?|\d{1,3}( \d{3})+(\.\d+)?")

WIDE_COLUMNS = {
    "name": ("region, subregion, country or area", "region, subregion, country or area *"),
    "code": ("country code", "location code"),
    "type": ("type",),
    "parent": ("parent code",),
    "variant": ("variant",),
}
LONG_COLUMNS = ("LocID", "Location", "Variant", "Time", "PopTotal")
LONG_OPTIONAL = {"LocTypeName": "type", "ParentID": "parent", "ISO3_code": "iso3"}
TYPE_NAMES = {"Geographic region": "Region"}


@dataclass(frozen=True, eq=False, repr=False)
class Reading:
    """A file read: its panel, and what became of every row that is not in it.

    Attributes
    ----------
    panel : Panel
    dropped : DataFrame
        One row for each series left out: row (in the file; 1 is the first), code, name, reason.
    source : str
        The file's name.
    sha256 : str
        Checksum of its bytes.
    encoding : str
        How its text was encoded.
    series : int
        How many series the file holds, kept and dropped.
    """

    panel: Panel
    dropped: pd.DataFrame
    source: str
    sha256: str
    encoding: str
    series: int

    def __repr__(self) -> str:
        return f"<Reading of {self.source}: {self.panel!r}, {len(self.dropped)} rows dropped>"


def read(path: str | Path, revision: str | None = None) -> Reading:
    """Read a UN file of either form, wide or long, told apart by its header.

    Raises
    ------
    ReadError
        If the file has neither form, or as :func:`read_un_wide` and :func:`read_un_long` do.
    """
    text, _, _ = _decode(Path(path))
    head = "\n".join(text[:100_000].splitlines()[:40])
    if all(column in head for column in LONG_COLUMNS):
        return read_un_long(path, revision=revision)
    return read_un_wide(path, revision=revision)


def read_un_wide(path: str | Path, variant: str | None = None, revision: str | None = None) -> Reading:
    """Read the UN's wide table: one row for each location, one column for each year, thousands of persons.

    Spaces as thousands separators, leading spaces, ``...`` for missing, label rows, a preamble above the header,
    UTF-8, UTF-16 or Latin-1, and any order of columns are understood.

    Parameters
    ----------
    path : path
        The sheet saved as CSV, plain or .gz.
    variant : str, optional
        Which variant to read, where the file has several (default: the only one).
    revision : str, optional
        Recorded in the panel.

    Raises
    ------
    ReadError
        If the file is cut or damaged, or holds a cell that is not a figure; the error names the row.
    """
    path = Path(path)
    text, encoding, sha256 = _decode(path)
    table = _parse_rows(text, path)
    header, rows = _find_header(table, path)
    columns = _find_columns(header, path)
    years = {i: int(cell) for i, cell in enumerate(header) if re.fullmatch(r"(1[89]|2[01])\d\d", cell)}
    if not years:
        raise ReadError(f"{path.name}: the header has no years; expected columns such as 1950, 1951, ...")
    if len(set(years.values())) < len(years):
        raise ReadError(f"{path.name}: the header has a year twice; expected each year once")
    rows = _choose_variant(rows, columns, variant, path)
    kept, dropped = [], []
    for number, cells in rows:
        code = _parse_code(cells[columns["code"]], number, path)
        name = SPACES.sub(" ", cells[columns["name"]]).strip()
        _check_name(name, number, path)
        kind = cells[columns["type"]].strip() if "type" in columns else None
        figures = [_parse_figure(cells[i], year, name, number, path) for i, year in years.items()]
        if (kind and kind.casefold() == LABEL) or all(figure is None for figure in figures):
            reason = "a label, without any figure" if all(f is None for f in figures) else "a label"
            dropped.append((number, code, name, reason))
            continue
        if None in figures:
            absent = [str(y) for y, figure in zip(years.values(), figures, strict=True) if figure is None]
            raise ReadError(
                f"{path.name}, row {number}: {name} ({code}) has no figure for {', '.join(absent[:5])}"
                f"{' and others' * (len(absent) > 5)}; expected one for every year from {min(years.values())} to "
                f"{max(years.values())}"
            )
        parent = _parse_code(cells[columns["parent"]], number, path) if "parent" in columns else None
        kept.append((number, code, name, kind, parent, figures))
    _check_repeated([(number, code, name) for number, code, name, *_ in kept], path)
    if not kept:
        raise ReadError(f"{path.name}: no row holds figures; expected one for each location")
    order = np.argsort(list(years.values()))
    parents = {code: parent for _, code, _, _, parent, _ in kept}
    labels = {_parse_code(c[columns["code"]], n, path): c for n, c in rows}
    locations = pd.DataFrame(
        {
            "name": [name for _, _, name, *_ in kept],
            "type": [kind for _, _, _, kind, *_ in kept],
            "parent": [_climb(code, parents, labels, columns) for _, code, *_ in kept],
        },
        index=pd.Index([code for _, code, *_ in kept], name="code"),
    )
    values = np.array([figures for *_, figures in kept])[:, order] * THOUSAND
    panel = _make_panel(values, np.array(list(years.values()))[order], locations, revision, path)
    return Reading(panel, _tabulate_dropped(dropped), path.name, sha256, encoding, len(rows))


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
    if incomplete not in ("raise", "drop"):
        raise ReadError(f"incomplete {incomplete!r}: expected 'raise' or 'drop'")
    text, encoding, sha256 = _decode(path)
    table = _parse_long(text, path)
    series = int(table["LocID"].nunique())
    table = _choose_long_variant(table, variant, until, path)
    repeated = table.duplicated(["LocID", "Time"])
    if repeated.any():
        row = table[repeated].iloc[0]
        raise ReadError(
            f"{path.name}, row {row['row']}: {row['Location']} ({row['LocID']}) has the year {row['Time']} a second "
            "time; expected each year once"
        )
    wide = table.pivot(index="LocID", columns="Time", values="PopTotal").reindex(table["LocID"].unique())
    first = table.drop_duplicates("LocID").set_index("LocID").reindex(wide.index)
    gaps = wide.isna().any(axis=1)
    dropped = []
    for code in wide.index[gaps]:
        absent = wide.columns[wide.loc[code].isna()]
        fault = f"no figure for {len(absent)} years from {absent.min()} to {absent.max()}"
        if incomplete == "raise":
            raise ReadError(
                f"{path.name}: {first.at[code, 'Location']} ({code}, first at row {first.at[code, 'row']}) has "
                f"{fault}; expected one for every year, or incomplete='drop' to leave such locations out and have "
                "them reported"
            )
        dropped.append((first.at[code, "row"], code, first.at[code, "Location"], fault))
    wide, first = wide[~gaps], first[~gaps]
    if wide.empty:
        raise ReadError(f"{path.name}: no location has a figure for every year")
    locations = pd.DataFrame({"name": first["Location"]})
    for column, target in LONG_OPTIONAL.items():
        if column in first:
            locations[target] = first[column].astype(object).where(first[column].notna(), None)
    if "type" in locations:
        locations["type"] = locations["type"].replace(TYPE_NAMES)
    values = wide.to_numpy() * THOUSAND
    panel = _make_panel(values, wide.columns.to_numpy(), locations, revision, path)
    return Reading(panel, _tabulate_dropped(dropped), path.name, sha256, encoding, series)


def read_long(path: str | Path, id: str, time: str, value: str, group: str | None = None) -> Panel:
    """Read any long CSV: one row for each location and year, in persons (or whatever is counted).

    Raises
    ------
    ReadError
        If the file cannot be read as CSV.
    PanelError
        As :meth:`Panel.from_frame` does.
    """
    text, _, _ = _decode(Path(path))
    return Panel.from_frame(_parse_csv(text, Path(path)), id=id, time=time, value=value, group=group)


def _decode(path: Path) -> tuple[str, str, str]:
    """Return a file's text, its encoding and its SHA-256."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}") from error
    sha256 = hashlib.sha256(content).hexdigest()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ReadError(f"{path.name} is a gzip file that is cut or damaged ({error}): get it again") from error
    if not content.strip():
        raise ReadError(f"{path.name} is empty: expected a CSV file of population")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\x00" in content:
        raise ReadError(f"{path.name} holds NUL bytes: it is no CSV text (a spreadsheet must be saved as CSV first)")
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            return content.decode(encoding), encoding, sha256
        except UnicodeDecodeError:
            continue
    raise ReadError(f"{path.name} is not text in {' or '.join(encodings)}: save it as UTF-8")


def _parse_rows(text: str, path: Path) -> list[tuple[int, list[str]]]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ReadError(f"{path.name} is no well-formed CSV ({error}): it may be cut") from error
    return [(number, cells) for number, cells in enumerate(rows, start=1) if any(cell.strip() for cell in cells)]


def _find_header(table: list[tuple[int, list[str]]], path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    for position, (_, cells) in enumerate(table[:50]):
        header = [SPACES.sub(" ", cell).strip() for cell in cells]
        if {cell.casefold() for cell in header} & set(WIDE_COLUMNS["code"]):
            body = table[position + 1 :]
            for number, row in body:
                if len(row) != len(header):
                    raise ReadError(
                        f"{path.name}, row {number}: {len(row)} cells, expected {len(header)}; the file may be cut"
                    )
            return header, body
    raise ReadError(
        f"{path.name} has no header with a column 'Country code' or 'LocID': expected the UN's wide or long table"
    )


def _find_columns(header: list[str], path: Path) -> dict[str, int]:
    folded = [cell.casefold() for cell in header]
    columns = {
        meaning: next(folded.index(name) for name in names if name in folded)
        for meaning, names in WIDE_COLUMNS.items()
        if any(name in folded for name in names)
    }
    if "name" not in columns:
        raise ReadError(f"{path.name}: the header has no column {WIDE_COLUMNS['name'][0]!r}")
    return columns


def _choose_variant(
    rows: list[tuple[int, list[str]]], columns: dict[str, int], variant: str | None, path: Path
) -> list[tuple[int, list[str]]]:
    if "variant" not in columns:
        return rows
    there = list(dict.fromkeys(cells[columns["variant"]].strip() for _, cells in rows))
    if variant is None and len(there) == 1:
        return rows
    wanted = (variant or "Estimates").casefold()
    chosen = [(n, cells) for n, cells in rows if cells[columns["variant"]].strip().casefold() == wanted]
    if not chosen:
        raise ReadError(f"{path.name} has no variant {variant or 'Estimates'!r}: expected one of {', '.join(there)}")
    return chosen


def _parse_code(cell: str, number: int, path: Path) -> int:
    if not re.fullmatch(r"\d+", cell.strip()):
        raise ReadError(f"{path.name}, row {number}: location code {cell!r} is not a whole number")
    return int(cell)


def _check_name(name: str, number: int, path: Path) -> None:
    if not name:
        raise ReadError(f"{path.name}, row {number}: the location has no name")
    try:
        repaired = name.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return
    if repaired != name:
        raise ReadError(f"{path.name}, row {number}: {name!r} should read {repaired!r}; the file was encoded twice")


def _parse_figure(cell: str, year: int, name: str, number: int, path: Path) -> float | None:
    text = SPACES.sub(" ", cell).strip()
    if text in MISSING:
        return None
    if not NUMBER.fullmatch(text):
        raise ReadError(
            f"{path.name}, row {number}: {name} has {cell!r} in {year}; expected thousands of persons such as "
            "'2 536 431', or '...' where there is no figure"
        )
    return float(text.replace(" ", ""))


def _check_repeated(kept: list[tuple[int, int, str]], path: Path) -> None:
    seen: dict[int, int] = {}
    for number, code, name in kept:
        if code in seen:
            raise ReadError(
                f"{path.name}, row {number}: {name} ({code}) stands already at row {seen[code]}; "
                "expected each location once"
            )
        seen[code] = number


def _climb(
    code: int, parents: dict[int, int | None], labels: dict[int, list[str]], columns: dict[str, int]
) -> int | None:
    """Return the nearest ancestor that is a series: labels are stepped over."""
    parent = parents[code]
    while parent is not None and parent not in parents:
        if parent not in labels:
            return None
        parent = int(labels[parent][columns["parent"]])
    return parent


def _parse_csv(text: str, path: Path, **options: object) -> pd.DataFrame:
    try:
        return pd.read_csv(io.StringIO(text), **options)
    except (ValueError, pd.errors.ParserError) as error:
        raise ReadError(f"{path.name} is no well-formed CSV ({error}): it may be cut") from error


def _parse_long(text: str, path: Path) -> pd.DataFrame:
    header = text[: text.find("\n")].strip().split(",")
    absent = [column for column in LONG_COLUMNS if column not in header]
    if absent:
        raise ReadError(f"{path.name} has no column {absent[0]!r}: expected {', '.join(LONG_COLUMNS)}")
    wanted = [column for column in (*LONG_COLUMNS, *LONG_OPTIONAL) if column in header]
    table = _parse_csv(text, path, usecols=wanted, dtype=str, keep_default_na=False, na_values=[""])
    table["row"] = np.arange(2, len(table) + 2)
    for column, parse in (("LocID", _whole), ("Time", _whole), ("PopTotal", _amount)):
        numbers = parse(table[column])
        if numbers.isna().any():
            row = table[numbers.isna()].iloc[0]
            raise ReadError(
                f"{path.name}, row {row['row']}: {column} {row[column]!r} of {row['Location']!r} is not "
                f"{'a figure of zero or more' if column == 'PopTotal' else 'a whole number'}; the file may be cut"
            )
        table[column] = numbers.astype(np.float64 if column == "PopTotal" else np.int64)
    for column in ("Location", "Variant"):
        if table[column].isna().any():
            raise ReadError(f"{path.name}, row {table.loc[table[column].isna(), 'row'].iloc[0]}: no {column}")
    if "ParentID" in table:
        table["ParentID"] = pd.to_numeric(table["ParentID"], errors="coerce")
    return table


def _whole(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column.where(column.str.fullmatch(r"\s*\d+\s*")), errors="coerce")


def _amount(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers.where((numbers >= 0) & np.isfinite(numbers))


def _choose_long_variant(table: pd.DataFrame, variant: str | None, until: int | None, path: Path) -> pd.DataFrame:
    folded = table["Variant"].str.strip().str.casefold()
    there = table["Variant"].str.strip().unique()
    wanted = variant or ("Estimates" if "estimates" in set(folded) else "Medium")
    chosen = folded == wanted.strip().casefold()
    if not chosen.any():
        raise ReadError(f"{path.name} has no variant {wanted!r}: expected one of {', '.join(there)}")
    if variant is None and until is None and wanted == "Medium" and not chosen.all():
        until = int(table.loc[~chosen, "Time"].min()) - 1
    kept = table[chosen] if until is None else table[chosen & (table["Time"] <= until)]
    if kept.empty:
        raise ReadError(f"{path.name} has no {wanted} figure up to {until}")
    return kept


def _make_panel(
    values: np.ndarray, years: np.ndarray, locations: pd.DataFrame, revision: str | None, path: Path
) -> Panel:
    try:
        # Thousands with three decimals are whole persons; rounding removes what the multiplication left over.
        panel = Panel(np.round(values, 6), years, locations, revision)
    except PanelError as error:
        raise ReadError(f"{path.name}: {error}") from error
    check_total(panel, path.name)
    return panel


def check_total(panel: Panel, source: str) -> None:
    """Check that the countries add up to the world, where the panel has both.

    Raises
    ------
    ReadError
        If they differ by more than 0.1 % in a year: a country is lost, or a figure is wrong.
    """
    countries = panel.locations["type"] == COUNTRY
    if WORLD not in panel.locations.index or countries.sum() < 2:
        return
    world = panel.values[panel.locations.index.get_loc(WORLD)]
    gap = panel.values[countries.to_numpy()].sum(axis=0) / world - 1
    worst = int(np.abs(gap).argmax())
    if abs(gap[worst]) > TOTAL_TOLERANCE:
        raise ReadError(
            f"{source}: in {panel.years[worst]} the countries' sum is {100 * gap[worst]:+.2f} % off the world's "
            "figure; expected 0.1 % at most: a row is lost or a figure is wrong"
        )


def _tabulate_dropped(dropped: list[tuple[int, int, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(dropped, columns=["row", "code", "name", "reason"])
