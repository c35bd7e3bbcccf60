"""Reader of the UN's long and wide tables (thousands of persons, with labels and variants): one preset for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError, ReadError
from popforecast.panel import Panel, Source
from popforecast.readers.cells import clean, parse_code, parse_figure, parse_name
from popforecast.readers.headers import WITHIN
from popforecast.readers.opening import decode
from popforecast.readers.reading import THOUSAND, Reading, check_incomplete, check_total, tabulate_dropped
from popforecast.readers.rows import check_widths, split_rows

# Titles of columns, by content.
LONG = {"code": ["LocID"], "name": ["Location"], "variant": ["Variant"], "year": ["Time"], "figure": ["PopTotal"]}
OPTIONAL = {"type": ["LocTypeName"], "parent": ["ParentID"], "iso3": ["ISO3_code"]}
LONG_COLUMNS = [title for (title,) in LONG.values()]
WIDE = {
    "name": ["region, subregion, country or area", "region, subregion, country or area *"],
    "code": ["country code", "location code"],
    "type": ["type"],
    "parent": ["parent code"],
    "variant": ["variant"],
}
FORMS = {  # Patterns for cells of the long table.
    "code": ("[0-9]{1,9}", "a location code"),
    "year": ("[0-9]{1,9}", "a year"),
    "figure": (r"[0-9]{1,12}(\.[0-9]+)?", "thousands of persons, zero or more"),
    "variant": (".+", "the name of a variant"),
}
PAST, MEDIUM = "estimates", "medium"


class Table(NamedTuple):
    """The locations of one variant, a mask of labels among them, and their figures in thousands (NaN if missing).

    `places` has, by code, the first ``row`` of a location, its ``name``, ``type``, ``parent`` and ``iso3``; `series`
    is the number of series in the file.
    """

    places: pd.DataFrame
    labels: NDArray[np.bool_]
    years: NDArray[np.int64]
    figures: NDArray[np.float64]
    series: int


class Form(NamedTuple):
    """A preset: functions that parse rows and describe locations, and error texts for gaps and for no locations."""

    parse: Callable[[str, str | None, int | None, Path], Table]
    describe: Callable[[Table, NDArray[np.bool_], Path], pd.DataFrame]
    gap: str
    none: str


def is_long(path: str | Path) -> bool:
    """Return whether a UN file is in long format, by its header."""
    return _is_long(decode(Path(path)).text)


def list_variants(path: str | Path) -> tuple[str, ...]:
    """Return the names of the variants in a UN long table, as spelled there."""
    return tuple(_parse_rows(decode(Path(path)).text, Path(path))["variant"].unique())


def read_un(
    path: Path, variant: str | None, revision: str | None, until: int | None, incomplete: str, form: Form | None = None
) -> Reading[Panel]:
    """Read a UN file in the given format (default: detected from the header); see :func:`popforecast.read_wpp`."""
    text = decode(path)
    form = form or (LONG_FORM if _is_long(text.text) else WIDE_FORM)
    check_incomplete(incomplete)
    table = form.parse(text.text, variant, until, path)
    absent: NDArray[np.bool_] = np.isnan(table.figures)
    empty, gaps = np.all(absent, axis=1), np.any(absent, axis=1)
    left = table.labels | empty | (gaps & (incomplete == "drop"))
    if left.all():
        raise ReadError(f"{path.name}: {form.none}")
    why = {at: _say_why(table.labels[at], empty[at], table.years[absent[at]]) for at in np.flatnonzero(left | gaps)}
    rows = list(zip(table.places["row"].tolist(), table.places.index.tolist(), table.places["name"], strict=True))
    for at in np.flatnonzero(gaps & ~left):
        lost = table.years[absent[at]].tolist()
        some = ", ".join(map(str, lost[:5])) + " and others" * (len(lost) > 5)
        row, code, name = rows[at]
        ends = {"first": table.years.min(), "last": table.years.max()}
        raise ReadError(path.name + form.gap.format(row=row, code=code, name=name, why=why[at], some=some, **ends))
    dropped = tabulate_dropped([(*rows[at], why[at]) for at in np.flatnonzero(left)])
    order = np.argsort(table.years)
    # Thousands with three decimals are whole persons; rounding removes floating-point error from the multiplication.
    persons = np.round(table.figures[~left][:, order] * THOUSAND, 6)
    locations = form.describe(table, ~left, path)
    try:
        panel = Panel(persons, table.years[order], locations, revision, source=Source(revision) if revision else None)
    except PanelError as error:
        raise ReadError(f"{path.name}: {error}") from error
    check_total(panel, path.name)
    return Reading(panel, dropped, path.name, text.sha256, text.encoding, table.series)


def _is_long(text: str) -> bool:
    first_lines = "\n".join(text[:100_000].splitlines()[:40])
    return all(title in first_lines for title in LONG_COLUMNS)


def _say_why(is_label: np.bool_, is_empty: np.bool_, absent: NDArray[np.int64]) -> str:
    if is_label:
        return "a label, without any figure" if is_empty else "a label, though it has figures"
    span = f"for {len(absent)} years from {min(absent)} to {max(absent)}"
    return f"no figure {'in any year' if is_empty else span}"


def _find_columns(titles: Sequence[str], wanted: Mapping[str, Sequence[str]], path: Path) -> dict[str, int]:
    found = {}
    for meaning, names in wanted.items():
        places = [place for place, title in enumerate(titles) if title in names or title.casefold() in names]
        if len(places) > 1:
            raise ReadError(f"{path.name}: the header has {titles[places[1]]!r} twice; expected each column once")
        if places:
            found[meaning] = places[0]
    return found


def _parse_long(text: str, variant: str | None, until: int | None, path: Path) -> Table:
    rows = _parse_rows(text, path)
    chosen = _choose_past(rows, variant, until, path)
    repeated = chosen[chosen.duplicated(["code", "year"])]
    for row, name, code, year in repeated[["row", "name", "code", "year"]].to_numpy():
        raise ReadError(
            f"{path.name}, row {row}: {name} ({code}) has the year {year} a second time; expected each year once"
        )
    places = chosen.drop_duplicates("code").set_index("code")
    grid = chosen.pivot(index="code", columns="year", values="figure").loc[places.index]
    return Table(places, np.zeros(len(grid), bool), grid.columns.to_numpy(), grid.to_numpy(), rows["code"].nunique())


def _parse_rows(text: str, path: Path) -> pd.DataFrame:
    rows = split_rows(text, path)
    titles = [clean(cell) for cell in next(rows, (1, [""]))[1]]
    absent = [title for title in LONG_COLUMNS if title not in titles]
    if absent:
        raise ReadError(f"{path.name} has no column {absent[0]!r}: expected {', '.join(LONG_COLUMNS)}")
    columns = _find_columns(titles, LONG | OPTIONAL, path)
    pick = itemgetter(*columns.values())
    picked = [(number, *pick(cells)) for number, cells in check_widths(rows, titles, path)]
    if not picked:
        raise ReadError(f"{path.name} has a header and no rows: expected one for each location, variant and year")
    table = pd.DataFrame(picked, columns=["row", *columns], dtype=object)
    for column in columns:
        table[column] = table[column].map({cell: clean(cell) for cell in table[column].unique()})
    for column, (form, meaning) in FORMS.items():
        wrong = table[~table[column].str.fullmatch(form)]
        for row, cell, name in wrong[["row", column, "name"]].to_numpy():
            raise ReadError(
                f"{path.name}, row {row}: {LONG[column][0]} {cell!r} of {name!r} is not {meaning}; the file may be cut "
                "or damaged"
            )
    return table.astype({"row": np.int64, "code": np.int64, "year": np.int64, "figure": np.float64})


def _choose_past(table: pd.DataFrame, variant: str | None, until: int | None, path: Path) -> pd.DataFrame:
    """Return the rows of a variant (default: those of the estimates)."""
    folded = table["variant"].str.casefold()
    wanted = variant.strip().casefold() if variant else PAST if (folded == PAST).any() else MEDIUM
    chosen = table[_match(table["variant"], wanted, f"no variant {variant or 'Medium'!r}: expected one of", path)]
    others = table[folded != wanted]
    if variant is None and until is None and wanted == MEDIUM and len(others):
        until = int(others["year"].min()) - 1
        projected = set(chosen["year"][chosen["year"] > until])
        # A misspelt variant must not shorten the estimates.
        for name, rows in others.groupby("variant", sort=False):
            absent = projected - set(rows["year"])
            if absent:
                raise ReadError(
                    f"{path.name}, row {rows['row'].iloc[0]}: variant {name!r} has {rows['year'].iloc[0]} but not "
                    f"{min(absent)}; expected every variant in every year from {until + 1}, where the estimates end"
                )
    kept = chosen if until is None else chosen[chosen["year"] <= until]
    if kept.empty:
        raise ReadError(f"{path.name} has no {chosen['variant'].iloc[0]} figure up to {until}")
    return kept


def _match(variants: pd.Series[str], wanted: str | None, fault: str, path: Path) -> pd.Series[bool]:
    chosen = variants.map(str.casefold) == wanted
    if not chosen.any():
        raise ReadError(f"{path.name} has {fault} {', '.join(variants.unique())}")
    return chosen


def _describe_long(table: Table, kept: NDArray[np.bool_], path: Path) -> pd.DataFrame:
    places = table.places[kept].astype(object)
    rows = places["row"]
    places["name"] = [parse_name(name, row, path) for name, row in zip(places["name"], rows, strict=True)]
    if "type" in places:
        places["type"] = places["type"].replace("Geographic region", "Region")
    if "parent" in places:
        codes = [cell and parse_code(cell, row, path) for cell, row in zip(places["parent"], rows, strict=True)]
        places["parent"] = pd.Series(codes, places.index, object)
    return places.mask(places == "")


def _parse_wide(text: str, variant: str | None, until: int | None, path: Path) -> Table:
    table = list(split_rows(text, path))
    heads = [[clean(cell) for cell in cells] for _, cells in table[:WITHIN]]
    head = next((at for at, titles in enumerate(heads) if {*map(str.casefold, titles)} & {*WIDE["code"]}), None)
    if head is None:
        expected = "'Country code' or 'LocID': expected the UN's wide or long table"
        raise ReadError(f"{path.name} has no header with a column {expected}")
    titles, body = heads[head], list(check_widths(table[head + 1 :], heads[head], path))
    columns = _find_columns(titles, WIDE, path)
    if "name" not in columns:
        raise ReadError(f"{path.name}: the header has no column {WIDE['name'][0]!r}")
    years = _find_years(titles, [cells for _, cells in body], until, path)
    rows, figures = [], []
    for number, cells in body:
        at = {meaning: cells[place] for meaning, place in columns.items()}
        name = parse_name(at["name"], number, path)
        code = parse_code(at["code"], number, path)
        parent = parse_code(at["parent"], number, path) if "parent" in at else None
        kind = clean(at["type"]) if "type" in at else None
        rows.append((number, code, name, kind, parent, clean(at.get("variant", ""))))
        figures.append([parse_figure(cells[place], year, name, number, path) for year, place in years.items()])
    places = pd.DataFrame(rows, columns=["row", "code", "name", "type", "parent", "variant"], dtype=object)
    there = places["variant"].nunique()
    if variant is not None or there > 1:
        fault = f"no variant {variant!r}" if variant else f"{there} variants"
        wanted = variant.strip().casefold() if variant else None
        places = places[_match(places["variant"], wanted, f"{fault}: name one of", path)]
    thousands = np.array(figures, dtype=np.float64).reshape(-1, len(years))[places.index]
    places = places.astype({"row": np.int64, "code": np.int64}).set_index("code")
    for code, row, name in places[places.index.duplicated()][["row", "name"]].itertuples():
        raise ReadError(
            f"{path.name}, row {row}: {name} ({code}) stands already at row {places['row'][[code]].iloc[0]}; "
            "expected each location once"
        )
    labels = np.array([(kind or "").casefold() == "label/separator" for kind in places["type"]], bool)
    return Table(places, labels, np.array(list(years)), thousands, len(places))


def _find_years(titles: Sequence[str], body: Sequence[list[str]], until: int | None, path: Path) -> dict[int, int]:
    """Return the column position of each year, up to the last year to read."""
    years: dict[int, int] = {}
    for place, title in enumerate(titles):
        if re.fullmatch("(1[89]|2[01])[0-9]{2}", title):
            if int(title) in years:
                raise ReadError(f"{path.name}: the header has the year {title} twice; expected each year once")
            years[int(title)] = place
        elif any(map(str.isdigit, title)):
            raise ReadError(f"{path.name}: the header has {title!r}; expected years such as 1950, 1951, ...")
        elif not title and any(cells[place].strip() for cells in body):
            raise ReadError(f"{path.name}: column {place + 1} has cells but no header; expected a year or a name")
    if not years:
        raise ReadError(f"{path.name}: the header has no years; expected columns such as 1950, 1951, ...")
    if until is not None and until < min(years):
        raise ReadError(f"{path.name} has no year up to {until}: it begins in {min(years)}")
    return {year: place for year, place in years.items() if until is None or year <= until}


def _describe_wide(table: Table, kept: NDArray[np.bool_], _path: Path) -> pd.DataFrame:
    parents: dict[int, int | None] = dict(zip(table.places.index, table.places["parent"], strict=True))
    places = table.places[kept]
    climbed = [_climb(code, parents, set(places.index)) for code in places.index]
    return places.assign(parent=pd.Series(climbed, places.index))


def _climb(code: int, parents: Mapping[int, int | None], series: set[int]) -> int | None:
    """Return the nearest ancestor with a series, skipping labels."""
    passed = {code}
    parent = parents[code]
    while parent is not None and parent not in series:
        if parent in passed:
            return None
        passed.add(parent)
        parent = parents.get(parent)
    return parent


LONG_FORM = Form(
    _parse_long,
    _describe_long,
    ": {name} ({code}, first at row {row}) has {why}; expected one for every year, or incomplete='drop' to leave "
    "such locations out and have them reported",
    "no location has a figure for every year",
)
WIDE_FORM = Form(
    _parse_wide,
    _describe_wide,
    ", row {row}: {name} ({code}) has no figure for {some}; expected one for every year from {first} to {last}",
    "no row holds figures; expected one for each location",
)
