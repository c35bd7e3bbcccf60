"""The files people have -> Panel. Here, and nowhere else, the UN's thousands become persons.

A reader loses nothing silently: what it leaves out stands in :attr:`Reading.dropped` with the reason, and what it
cannot read is an error that names the row.
"""

from __future__ import annotations

from pathlib import Path

from popforecast.readers.cells import decode
from popforecast.readers.long import LONG_COLUMNS, list_variants, read_long, read_un_long
from popforecast.readers.own import read_own, read_panel
from popforecast.readers.reading import THOUSAND, WORLD, Reading, check_total
from popforecast.readers.wide import read_un_wide

__all__ = [
    "THOUSAND",
    "WORLD",
    "Reading",
    "check_total",
    "is_long",
    "list_variants",
    "read",
    "read_long",
    "read_own",
    "read_panel",
    "read_un_long",
    "read_un_wide",
]


def read(path: str | Path, revision: str | None = None) -> Reading:
    """Read a UN file of either form, wide or long, told apart by its header.

    Raises
    ------
    ReadError
        If the file has neither form, or as :func:`read_un_wide` and :func:`read_un_long` do.
    """
    return read_un_long(path, revision=revision) if is_long(path) else read_un_wide(path, revision=revision)


def is_long(path: str | Path) -> bool:
    """Whether a UN file is of the long form, by its header."""
    head = decode(Path(path)).text[:100_000]
    first_lines = "\n".join(head.splitlines()[:40])
    return all(column in first_lines for column in LONG_COLUMNS)
