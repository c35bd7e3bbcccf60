"""Reader of the figures in users' own text tables, long or wide."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import ReadError
from popforecast.readers.amounts import parse_amounts
from popforecast.readers.cells import CellError, check_text, clean, read_codes
from popforecast.readers.headers import Header, find_header, refuse
from popforecast.readers.opening import Source
from popforecast.readers.reading import Figures
from popforecast.readers.rows import Columns, Record, find_lines, iterate, read_columns, read_plain
from popforecast.readers.times import parse_times, parse_title

# Columns of location codes, and of names, in widely used tables.
KNOWN = {"Country Code": "Country Name", "Code": "Entity", "geo": None}

Say = Callable[[int], str]

# A figure followed by Eurostat flags: provisional, break in series, estimated, ...
FLAGGED = re.compile(r"([0-9.]*|:) ?[a-z]{0,4}")


@dataclass(frozen=True)
class Query:
    """The columns and rows to read from a table.

    Attributes
    ----------
    id, time, value, group, name : str, optional
    where : mapping of str to str
        The required values of columns: other rows are not read.
    decimal : {".", ","}, optional
    """

    id: str | None = None
    time: str | None = None
    value: str | None = None
    group: str | None = None
    name: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    decimal: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        """The columns that describe a location, by their meaning: ``name`` or ``region``."""
        pairs = {"name": self.name, "region": self.group}
        return {meaning: column for meaning, column in pairs.items() if column}

    @property
    def columns(self) -> list[str]:
        """All columns named in the query, without repetition."""
        named = [self.id, self.time, self.value if self.time else None, *self.labels.values(), *self.where]
        return list(dict.fromkeys(column for column in named if column))


def read_table(source: Source, query: Query) -> Figures:
    """Return the figures of a table.

    Raises
    ------
    ReadError
        If a column is missing or a cell is not valid.
    """
    if query.time and query.value:
        return _read_long(source, query)
    if query.time:
        raise ReadError(f"{source.path.name}: time {query.time!r} without a value: name the column of figures, too")
    return _read_wide(source, query)


def _read_long(source: Source, query: Query) -> Figures:
    path = source.path
    header = find_header(source.head, lambda titles: _fits(titles, query))
    if header is None:
        raise refuse(source.head, query.columns, path.name)
    query = _complete(query, header)
    key, time, value = str(query.id), str(query.time), str(query.value)
    repeating = [key, time, *query.labels.values()]
    columns = read_plain(source, header, repeating, value) if not query.where and query.decimal is None else None
    columns = columns or read_columns(source, header, repeating, [value], query.where)
    if not len(columns.numbers[key]):
        what = " and ".join(f"{column} {wanted!r}" for column, wanted in query.where.items())
        raise ReadError(
            f"{path.name} has a header in line {header.line} and no rows{f' with {what}' * bool(what)}: "
            "expected one for each location and year"
        )

    def lines(rows: Sequence[int]) -> list[int]:
        return find_lines(source, header, query.where, rows)

    def say(row: int) -> str:
        return f"{path.name}, line {lines([row])[0]}"

    ids, series = columns.texts[key], columns.numbers[key]
    _check_ids(columns, [key, *query.labels.values()], key, say)
    try:
        years = np.array(parse_times(columns.texts[time]))[columns.numbers[time]]
    except CellError as error:
        raise ReadError(f"{say(_first(columns, time, error.position))}: {time} {error.fault}") from error
    try:
        values = columns.amounts[value] if columns.amounts else parse_amounts(columns.cells[value], query.decimal)
    except CellError as error:
        row = error.position
        raise ReadError(f"{say(row)}: {ids[series[row]]!r} in {years[row]}: {value} {error.fault}") from error
    if columns.cells and header.titles[-1] == value and source.ends_open():
        _check_last(columns.cells[value], series, say)
    labels = {meaning: _label(columns, column, series, ids, say) for meaning, column in query.labels.items()}
    return Figures(read_codes(ids), series, years, values, labels, np.arange(len(series)), lines)


def _read_wide(source: Source, query: Query) -> Figures:
    path = source.path
    header = find_header(source.head, lambda titles: _fits(titles, query) and _has_years(titles, query.value))
    if header is None:
        header = find_header(source.head, lambda titles: _fits(titles, query))
        if header is None:
            raise _refuse_wide(source, query)
        shown = ", ".join(header.titles[:12])
        raise ReadError(
            f"{path.name}, line {header.line} has no columns of years: name time and value, as for a long table; "
            f"it has {shown}"
        )
    query = _complete(query, header)
    wide = _find_years(header, query.value, path.name)
    years = list(wide)
    key = header.titles.index(query.id or "")
    records = list(iterate(source, header, query.where))
    if not records:
        raise ReadError(f"{path.name} has a header in line {header.line} and no rows as asked: expected one a location")
    if header.keys > 1:
        _drop_flags(records, wide)
    ids = [clean(record.cells[key]) for record in records]
    seen: dict[str, int] = {}
    for row, text in enumerate(ids):
        where = f"{path.name}, line {records[row].line}"
        fault = f"no {query.id}, so its figures belong to no location" if not text else check_text(text)
        if text == query.id:
            fault = f"{text!r} is the title of its column: the header stands a second time; leave it out"
        if fault:
            raise ReadError(f"{where}: {fault}")
        if text in seen:
            raise ReadError(
                f"{where}: {text!r} stands a second time {_compare(records[seen[text]], records[row], header, wide)}"
            )
        seen[text] = row
    cells = [record.cells[place] for record in records for place in wide.values()]
    try:
        values = parse_amounts(cells, query.decimal)
    except CellError as error:
        row, column = divmod(error.position, len(years))
        where = f"{path.name}, line {records[row].line}: {ids[row]!r} in {years[column]}"
        raise ReadError(f"{where}: {error.fault}") from error
    if wide[years[-1]] == len(header.titles) - 1 and source.ends_open():
        last = cells[-len(years) :]
        _check_last(last, np.zeros(len(last), np.int64), lambda _: f"{path.name}, line {records[-1].line}")
    labels = {
        meaning: [clean(record.cells[header.titles.index(column)]) or None for record in records]
        for meaning, column in query.labels.items()
    }
    rows = np.repeat(np.arange(len(ids)), len(years))
    return Figures(
        read_codes(ids),
        rows,
        np.tile(years, len(ids)),
        values,
        labels,
        rows,
        lambda wanted: [records[row].line for row in wanted],
    )


def _refuse_wide(source: Source, query: Query) -> ReadError:
    if query.id:
        return refuse(source.head, query.columns, source.path.name)
    header = find_header(source.head, lambda titles: len(titles) > 1)
    shown = ", ".join(header.titles[:12]) if header else "one column"
    return ReadError(
        f"{source.path.name}: name id, the column of location codes (--id), and, unless years are columns, "
        f"time and value; line {header.line if header else 1} has {shown}"
    )


def _fits(titles: Sequence[str], query: Query) -> bool:
    if not all(titles.count(column) == 1 for column in query.columns):
        return False
    return query.id is not None or any(titles.count(column) == 1 for column in KNOWN)


def _has_years(titles: Sequence[str], prefix: str | None) -> bool:
    return sum(parse_title(title, prefix) is not None for title in titles) > 1


def _complete(query: Query, header: Header) -> Query:
    """Return the query, with id and name filled in from `KNOWN` if not given."""
    key = query.id or next(column for column in KNOWN if column in header.titles)
    name = query.name or KNOWN.get(key)
    name = name if name in header.titles else None
    return Query(key, query.time, query.value, query.group, name, query.where, query.decimal)


def _find_years(header: Header, prefix: str | None, source: str) -> dict[int, int]:
    places: dict[int, int] = {}
    for place, title in enumerate(header.titles):
        year = parse_title(title, prefix)
        if year is None:
            continue
        if year in places:
            raise ReadError(f"{source}, line {header.line}: the header has the year {year} twice; expected each once")
        places[year] = place
    beside = range(max(0, min(places.values()) - 1), min(max(places.values()) + 2, len(header.titles)))
    for place in beside if not prefix else ():
        title = header.titles[place]
        if place not in places.values() and (not title or any(map(str.isdigit, title))):
            raise ReadError(
                f"{source}, line {header.line}: {title!r} stands beside years and is none: expected one such as 2000"
            )
    return places


def _drop_flags(records: Sequence[Record], wide: Mapping[int, int]) -> None:
    for record in records:
        for place in wide.values():
            cell = clean(record.cells[place])
            found = FLAGGED.fullmatch(cell)
            if found:
                record.cells[place] = found.group(1)


def _check_ids(columns: Columns, checked: Sequence[str], id: str, say: Say) -> None:
    for column in checked:
        for number, text in enumerate(columns.texts[column]):
            fault = check_text(text)
            if column == id and not text:
                fault = f"no {id}, so its figure belongs to no location"
            if fault:
                raise ReadError(f"{say(_first(columns, column, number))}: {fault}")


def _first(columns: Columns, column: str, number: int) -> int:
    return int(np.flatnonzero(columns.numbers[column] == number)[0])


def _label(columns: Columns, column: str, series: NDArray[np.int64], ids: Sequence[str], say: Say) -> list[str | None]:
    numbers = columns.numbers[column]
    label = np.empty(len(ids), np.int64)
    label[series[::-1]] = numbers[::-1]
    varied = np.flatnonzero(numbers != label[series])
    texts = columns.texts[column]
    if len(varied):
        row = int(varied[0])
        raise ReadError(
            f"{say(row)}: {ids[series[row]]!r} has the {column} {texts[numbers[row]]!r}, and "
            f"{texts[label[series[row]]]!r} before: expected one for each location"
        )
    return [texts[number] or None for number in label]


def _check_last(cells: Sequence[str], series: NDArray[np.int64], say: Say) -> None:
    """Check a last figure without a line end: it is taken for truncated if shorter than the one before."""
    last = len(cells) - 1
    before = np.flatnonzero(series[:-1] == series[-1])
    if len(before) and len(clean(cells[last])) >= len(clean(cells[before[-1]])):
        return
    raise ReadError(
        f"{say(last)}: the last row has no line end, and its figure {cells[last]!r} is shorter than the one before, so "
        "it may be cut: get the file again (or, if it is whole, add the line end)"
    )


def _compare(first: Record, second: Record, header: Header, wide: Mapping[int, int]) -> str:
    """Return a description of how two rows of the same location differ."""
    differing = [
        place
        for place, (one, two) in enumerate(zip(first.cells, second.cells, strict=True))
        if place not in wide.values() and clean(one) != clean(two)
    ]
    start = f"(first in line {first.line})"
    if not differing:
        return f"{start}; expected one row for each location"
    title = header.titles[differing[0]]
    one, two = clean(first.cells[differing[0]]), clean(second.cells[differing[0]])
    chosen = f"where={{{title!r}: {one!r}}} (--where {title}={one})"
    return f"{start}, with {title} {two!r} instead of {one!r}: choose one with {chosen}"
