"""Readers of users' own data: CSV (long or wide, plain or compressed) and Parquet."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from popforecast.errors import PanelError, ReadError
from popforecast.panel import Panel
from popforecast.panel.frames import read_numbers, read_years
from popforecast.panel.rectangles import UnevenPanel
from popforecast.readers.cells import CANONICAL, clean
from popforecast.readers.opening import EncodingError, Source, decode, open_source
from popforecast.readers.parquet import is_parquet, read_parquet
from popforecast.readers.reading import Figures, Reading, assemble, check_incomplete
from popforecast.readers.tables import Query, read_table


def read_panel(
    path: str | Path,
    id: str | None = None,
    time: str | None = None,
    value: str | None = None,
    group: str | None = None,
    name: str | None = None,
    where: Mapping[str, str] | None = None,
    decimal: str | None = None,
    incomplete: str = "raise",
) -> Panel | UnevenPanel:
    r"""Read your own data as a panel.

    Long tables have a row for each location and year: pass `id`, `time` and `value`. Wide tables have a column for each
    year: pass only `id`. The delimiter, encoding, number format and any preamble above the header are detected; if
    they are ambiguous, an error says what to pass.

    Parameters
    ----------
    path : path
        A CSV file, plain, .gz, .bz2 or .xz; or a Parquet file or a folder of Parquet files.
    id : str, optional
        The column of location codes. Text stays text, so county 01001 keeps its zero. Optional for wide tables of the
        World Bank (``Country Code``) and Eurostat (``geo``).
    time, value : str, optional
        The columns of years and figures in a long table. Dates are accepted as years if all fall on the same day of the
        year. In a wide table, `value` is the prefix of the year columns, if any, such as ``POPESTIMATE``.
    group, name : str, optional
        The columns of regions and of display names.
    where : mapping of str to str, optional
        Conditions on the rows to read, such as ``{"sex": "T"}``.
    decimal : {".", ","}, optional
        The decimal mark, if the figures are ambiguous.
    incomplete : {"raise", "drop"}
        Whether to raise an error for a location with a gap or fewer than two figures, or to leave it out
        (:func:`read_own` reports these).

    Returns
    -------
    Panel or UnevenPanel
        An UnevenPanel if locations begin or end in different years.

    Raises
    ------
    ReadError
        If the file is not as described; the error names the file, the line or location, the problem and what to pass.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "counties.csv")
    ...     _ = path.write_text("fips;year;pop\n01001;2020;58.805\n01001;2021;59.095\n", encoding="utf-8")
    ...     panel = read_panel(path, "fips", "year", "pop", decimal=",")
    >>> panel.locations.index.tolist(), panel.values.tolist()
    (['01001'], [[58805.0, 59095.0]])
    """
    return read_own(path, id, time, value, group, name, where, decimal, incomplete).panel


def read_own(
    path: str | Path,
    id: str | None = None,
    time: str | None = None,
    value: str | None = None,
    group: str | None = None,
    name: str | None = None,
    where: Mapping[str, str] | None = None,
    decimal: str | None = None,
    incomplete: str = "raise",
) -> Reading[Panel | UnevenPanel]:
    """Read your own data as :func:`read_panel` does, and report series left out and the source."""
    path = Path(path)
    check_incomplete(incomplete)
    if decimal not in (None, ".", ","):
        raise ReadError(f"decimal {decimal!r}: expected '.' or ','")
    query = Query(id, time, value, group, name, dict(where or {}), decimal)
    if is_parquet(path):
        figures, encoding = _read_parquet(path, query), "Parquet"
    else:
        source = open_source(path)
        figures, encoding = _read_text(source, query)
    panel, dropped = assemble(figures, path, incomplete)
    return Reading(panel, dropped, path.name, _measure(path), encoding, len(figures.codes))


def read_long(path: str | Path, id: str, time: str, value: str, group: str | None = None) -> Panel | UnevenPanel:
    """Read a long CSV as a panel: one row for each location and year, in persons or another unit.

    Codes that are text stay text: county ``01001`` keeps its zero, and ``NA`` is Namibia.

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
        # pandas renames repeated columns, and takes surplus cells for row names: both are checked below.
        frame = pd.read_csv(io.StringIO(text), dtype=as_text, keep_default_na=False, low_memory=False)
    except (ValueError, csv.Error, pd.errors.ParserError) as error:
        raise ReadError(f"{path.name} is no well-formed CSV ({str(error).strip()}): it may be cut") from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise ReadError(f"{path.name}: the rows have more cells than the header, which has {len(header)}")
    repeated = [column for column in (id, time, value, group) if column is not None and header.count(column) > 1]
    if repeated:
        raise ReadError(f"{path.name}: the header has {repeated[0]!r} twice; expected each column once")
    if id in frame:
        codes = frame[id].map(clean)
        whole = codes.str.fullmatch(CANONICAL.pattern).all()
        frame[id] = codes.astype(np.int64) if whole else codes.mask(codes == "")
    return Panel.from_frame(frame, id=id, time=time, value=value, group=group)


def _read_text(source: Source, query: Query) -> tuple[Figures, str]:
    try:
        return read_table(source, query), source.encoding
    except EncodingError:
        if source.encoding != "utf-8":
            raise
    # An ASCII beginning was taken for UTF-8, but later bytes are not valid: the file must be in the Western encoding.
    western = source._replace(encoding="cp1252")
    return read_table(western, query), western.encoding


def _read_parquet(path: Path, query: Query) -> Figures:
    key, time, value = query.id, query.time, query.value
    if not (key and time and value):
        raise ReadError(f"{path.name} is Parquet: name id, time and value, the columns of a long table")
    frame = read_parquet(path, [*query.columns, value], query.where)
    try:
        if frame[key].isna().any():
            raise PanelError(f"row {int(np.flatnonzero(frame[key].isna())[0]) + 1}: no {key}")
        known = frame[value].notna()
        values = np.full(len(frame), np.nan)
        values[known] = read_numbers(frame.loc[known, value], "a population")
        years = read_years(frame[time], time)
        series, codes = pd.factorize(frame[key])
        labels = {meaning: _label(frame, column, key, series) for meaning, column in query.labels.items()}
    except PanelError as error:
        raise ReadError(f"{path.name}, {error}") from error
    rows = np.arange(len(frame))
    shown = pd.Index(codes).tolist()
    return Figures(shown, series.astype(np.int64), years, values, labels, rows, lambda wanted: [r + 1 for r in wanted])


def _label(frame: pd.DataFrame, column: str, id: str, series: np.ndarray) -> Sequence[str | None]:
    labels, texts = pd.factorize(frame[column])
    first = np.empty(series.max() + 1, np.int64)
    first[series[::-1]] = labels[::-1]
    varied = np.flatnonzero(labels != first[series])
    if len(varied):
        row = int(varied[0])
        raise PanelError(
            f"row {row + 1}: {frame[id].iloc[row]!r} has the {column} {frame[column].iloc[row]!r}, and another before: "
            "expected one for each location"
        )
    return [texts[number] if number >= 0 else None for number in first]


def _measure(path: Path) -> str:
    """Return the SHA-256 of a file, or that of the hashes of a folder's files in order of name."""
    digests = []
    for part in sorted(path.rglob("*.parquet")) if path.is_dir() else [path]:
        with part.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256"))
    if path.is_dir():
        return hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()
    return digests[0].hexdigest()
