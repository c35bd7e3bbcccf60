"""The embedded tables, and a reader for facts listed by hand: aliases, groupings and events.

``README.md`` in this folder describes the columns. To add a fact, add a line, then run ``python -m
popforecast.embedding``, which records the checksum of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from popforecast.errors import ReadError

DATA = Path(__file__).parent
REMEDY = "install popforecast again"

FACTS = (
    *("aliases.csv", "counted-with.csv", "events.csv", "groupings.csv", "joins.csv", "known-table.csv"),
    *("m49-countries.csv", "m49-regions.csv", "updates.csv"),
)


def read_facts(name: str, folder: Path = DATA, /, **kinds: Callable[[str], Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a table of facts, with each cell converted by the function for its column.

    Parameters
    ----------
    name : str
        The name of the file.
    folder : path
        Its folder (default: that of the embedded tables).
    **kinds : callables
        The columns in order, each with a function that converts text and raises a ValueError if the text is invalid.

    Raises
    ------
    ReadError
        If the file cannot be read, has different columns or an invalid cell; the error states the line.

    Examples
    --------
    >>> read_facts("counted-with.csv", part=int, part_name=str, whole=int, whole_name=str)[0]
    (412, 'Kosovo (under UNSC res. 1244)', 688, 'Serbia')
    """
    try:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, strict=True)
    except (OSError, ValueError, csv.Error) as error:
        raise ReadError(f"the embedded table {name} cannot be read ({error}): {REMEDY}") from error
    if header != list(kinds):
        raise ReadError(f"the embedded table {name} has columns {header}: expected {list(kinds)}; {REMEDY}")
    return [_read_row(f"{name}, line {line}", row, kinds) for line, row in enumerate(rows, start=2)]


def maybe(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a function that reads an empty cell as None and converts any other by `kind`.

    Examples
    --------
    >>> maybe(int)("7"), maybe(int)("")
    (7, None)
    """
    return lambda text: kind(text) if text else None


def _read_row(where: str, row: list[str], kinds: dict[str, Callable[[str], Any]]) -> tuple[Any, ...]:
    if len(row) != len(kinds):
        raise ReadError(f"the embedded table {where}: {len(row)} cells; expected {len(kinds)} ({', '.join(kinds)})")
    values = []
    for (column, kind), text in zip(kinds.items(), row, strict=True):
        try:
            values.append(kind(text))
        except ValueError as error:
            raise ReadError(f"the embedded table {where}, {column} {text!r}: {error}; or {REMEDY}") from error
    return tuple(values)
