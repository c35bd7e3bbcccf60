"""The UN's wide table: one row for each location, one column for each year."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from popforecast.errors import ReadError
from popforecast.readers.cells import (
    YEAR,
    check_width,
    clean,
    decode,
    parse_code,
    parse_figure,
    parse_name,
    split_rows,
)
from popforecast.readers.reading import Reading, check_incomplete, make_panel, tabulate_dropped

LABEL = "label/separator"
COLUMNS = {
    "name": ("region, subregion, country or area", "region, subregion, country or area *"),
    "code": ("country code", "location code"),
    "type": ("type",),
    "parent": ("parent code",),
    "variant": ("variant",),
}

# A preamble stands above the header in some of the UN's sheets; further down there is none.
HEADER_WITHIN = 50


class Row(NamedTuple):
    """One location as the file has it; a figure that is not there is None."""

    number: int
    code: int
    name: str
    kind: str | None
    parent: int | None
    variant: str
    figures: list[float | None]

    @property
    def is_label(self) -> bool:
        """Whether the row only heads those that follow."""
        return (self.kind or "").casefold() == LABEL

    @property
    def is_empty(self) -> bool:
        """Whether it has no figure at all."""
        return all(figure is None for figure in self.figures)


class Header(NamedTuple):
    """Where the columns stand: what describes the location by meaning, and each year."""

    columns: dict[str, int]
    years: dict[int, int]


def read_un_wide(
    path: str | Path,
    variant: str | None = None,
    revision: str | None = None,
    until: int | None = None,
    incomplete: str = "raise",
) -> Reading:
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
    until : int, optional
        The last year to read.
    incomplete : {"raise", "drop"}
        What to do with a location that has figures for some of the years: stop, or leave it out and report it.

    Raises
    ------
    ReadError
        If the file is cut or damaged, or holds a cell that is not a figure; the error names the row.
    """
    path = Path(path)
    check_incomplete(incomplete)
    text, encoding, sha256 = decode(path)
    header, rows = _parse_table(list(split_rows(text, path)), until, path)
    rows = _choose_variant(rows, variant, path)
    _check_repeated(rows, path)
    kept: list[Row] = []
    left_out: list[Row] = []
    for row in rows:
        whole = not (row.is_label or row.is_empty or (incomplete == "drop" and None in row.figures))
        (kept if whole else left_out).append(row)
    dropped = [(row.number, row.code, row.name, _say_why(row, header)) for row in left_out]
    if not kept:
        raise ReadError(f"{path.name}: no row holds figures; expected one for each location")
    for row in kept:
        _check_complete(row, header, path)
    parents = {row.code: row.parent for row in rows}
    series = {row.code for row in kept}
    locations = pd.DataFrame(
        {
            "name": [row.name for row in kept],
            "type": [row.kind for row in kept],
            "parent": [_climb(row.code, parents, series) for row in kept],
        },
        index=pd.Index([row.code for row in kept], name="code"),
    )
    years = np.array(list(header.years))
    order = np.argsort(years)
    thousands = np.array([row.figures for row in kept], dtype=np.float64)[:, order]
    panel = make_panel(thousands, years[order], locations, revision, path)
    return Reading(panel, tabulate_dropped(dropped), path.name, sha256, encoding, len(rows))


def _parse_table(table: list[tuple[int, list[str]]], until: int | None, path: Path) -> tuple[Header, list[Row]]:
    for position, (_, cells) in enumerate(table[:HEADER_WITHIN]):
        titles = [clean(cell) for cell in cells]
        if {title.casefold() for title in titles} & set(COLUMNS["code"]):
            body = table[position + 1 :]
            for number, row in body:
                check_width(row, titles, number, path)
            header = _end(_parse_header(titles, [row for _, row in body], path), until, path)
            return header, [_parse_row(row, number, header, path) for number, row in body]
    raise ReadError(
        f"{path.name} has no header with a column 'Country code' or 'LocID': expected the UN's wide or long table"
    )


def _parse_header(titles: list[str], body: Sequence[list[str]], path: Path) -> Header:
    folded = [title.casefold() for title in titles]
    columns = {}
    for meaning, names in COLUMNS.items():
        places = [place for place, title in enumerate(folded) if title in names]
        if len(places) > 1:
            raise ReadError(f"{path.name}: the header has {titles[places[1]]!r} twice; expected each column once")
        if places:
            columns[meaning] = places[0]
    if "name" not in columns:
        raise ReadError(f"{path.name}: the header has no column {COLUMNS['name'][0]!r}")
    years: dict[int, int] = {}
    for place, title in enumerate(titles):
        if YEAR.fullmatch(title):
            if int(title) in years:
                raise ReadError(f"{path.name}: the header has the year {title} twice; expected each year once")
            years[int(title)] = place
        elif any(character.isdigit() for character in title):
            raise ReadError(f"{path.name}: the header has {title!r}; expected years such as 1950, 1951, ...")
        elif not title and any(row[place].strip() for row in body):
            raise ReadError(f"{path.name}: column {place + 1} has cells but no header; expected a year or a name")
    if not years:
        raise ReadError(f"{path.name}: the header has no years; expected columns such as 1950, 1951, ...")
    return Header(columns, years)


def _end(header: Header, until: int | None, path: Path) -> Header:
    """Return the header without the years after the last to read."""
    years = {year: place for year, place in header.years.items() if until is None or year <= until}
    if not years:
        raise ReadError(f"{path.name} has no year up to {until}: it begins in {min(header.years)}")
    return header._replace(years=years)


def _parse_row(cells: list[str], number: int, header: Header, path: Path) -> Row:
    at = header.columns
    name = parse_name(cells[at["name"]], number, path)
    return Row(
        number,
        parse_code(cells[at["code"]], number, path),
        name,
        clean(cells[at["type"]]) if "type" in at else None,
        parse_code(cells[at["parent"]], number, path) if "parent" in at else None,
        clean(cells[at["variant"]]) if "variant" in at else "",
        [parse_figure(cells[place], year, name, number, path) for year, place in header.years.items()],
    )


def _choose_variant(rows: list[Row], variant: str | None, path: Path) -> list[Row]:
    there = list(dict.fromkeys(row.variant for row in rows))
    if variant is None and len(there) <= 1:
        return rows
    chosen = [row for row in rows if variant and row.variant.casefold() == variant.strip().casefold()]
    if not chosen:
        fault = f"no variant {variant!r}" if variant else f"{len(there)} variants"
        raise ReadError(f"{path.name} has {fault}: name one of {', '.join(there)}")
    return chosen


def _check_repeated(rows: list[Row], path: Path) -> None:
    seen: dict[int, int] = {}
    for row in rows:
        if row.code in seen:
            raise ReadError(
                f"{path.name}, row {row.number}: {row.name} ({row.code}) stands already at row {seen[row.code]}; "
                "expected each location once"
            )
        seen[row.code] = row.number


def _check_complete(row: Row, header: Header, path: Path) -> None:
    years = list(header.years)
    absent = [str(year) for year, figure in zip(years, row.figures, strict=True) if figure is None]
    if absent:
        raise ReadError(
            f"{path.name}, row {row.number}: {row.name} ({row.code}) has no figure for {', '.join(absent[:5])}"
            f"{' and others' * (len(absent) > 5)}; expected one for every year from {min(years)} to {max(years)}"
        )


def _say_why(row: Row, header: Header) -> str:
    if row.is_label:
        return "a label, without any figure" if row.is_empty else "a label, though it has figures"
    if row.is_empty:
        return "no figure in any year"
    absent = [year for year, figure in zip(header.years, row.figures, strict=True) if figure is None]
    return f"no figure for {len(absent)} years from {min(absent)} to {max(absent)}"


def _climb(code: int, parents: dict[int, int | None], series: set[int]) -> int | None:
    """Return the nearest ancestor that is a series: labels are stepped over."""
    passed = {code}
    parent = parents[code]
    while parent is not None and parent not in series:
        if parent in passed:
            return None
        passed.add(parent)
        parent = parents.get(parent)
    return parent
