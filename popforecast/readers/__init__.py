"""The files people have -> Panel. Here, and nowhere else, the UN's thousands become persons.

A reader loses nothing silently: what it leaves out stands in :attr:`Reading.dropped` with the reason, and what it
cannot read is an error that names the row.
"""

from __future__ import annotations

from pathlib import Path

from popforecast.panel import Panel
from popforecast.readers.own import read_long, read_own, read_panel
from popforecast.readers.reading import THOUSAND, WORLD, Reading, check_total
from popforecast.readers.un import LONG_FORM, WIDE_FORM, is_long, list_variants, read_un

__all__ = [
    "THOUSAND",
    "WORLD",
    "Reading",
    "check_total",
    "is_long",
    "list_variants",
    "read_long",
    "read_own",
    "read_panel",
    "read_un_long",
    "read_un_wide",
    "read_wpp",
]


def read_wpp(
    path: str | Path,
    revision: str | None = None,
    *,
    variant: str | None = None,
    until: int | None = None,
    incomplete: str = "raise",
) -> Reading[Panel]:
    r"""Read a UN file of total population, wide or long; its header tells which.

    Parameters
    ----------
    path : path
        CSV, plain or .gz: the long table as published, or the sheet saved as CSV.
    revision : str, optional
        Recorded in the panel.
    variant : str, optional
        Which variant to read. By default the only one of a wide table; of a long one the past: ``Estimates`` where the
        file has it, else ``Medium`` up to the year before the other variants begin.
    until : int, optional
        The last year to read.
    incomplete : {"raise", "drop"}
        What to do with a location that lacks a year which others have: stop, or leave it out and report it.

    Returns
    -------
    Reading
        The panel, in persons, and every row left out with the reason.

    Raises
    ------
    ReadError
        If the file has neither form, is cut or damaged, or holds a cell that is not a figure; the error names the row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "wpp.csv")
    ...     header = "LocID,Location,Variant,Time,PopTotal"
    ...     _ = path.write_text(f"{header}\n566,Nigeria,Estimates,2022,223.15\n566,Nigeria,Estimates,2023,227.883\n")
    ...     read_wpp(path).panel.values.tolist()
    [[223150.0, 227883.0]]
    """
    return read_un(Path(path), variant, revision, until, incomplete)


def read_un_long(
    path: str | Path,
    variant: str | None = None,
    until: int | None = None,
    incomplete: str = "raise",
    revision: str | None = None,
) -> Reading[Panel]:
    """Read the UN's long table, as :func:`read_wpp` does: one row for each location, variant and year."""
    return read_un(Path(path), variant, revision, until, incomplete, LONG_FORM)


def read_un_wide(
    path: str | Path,
    variant: str | None = None,
    revision: str | None = None,
    until: int | None = None,
    incomplete: str = "raise",
) -> Reading[Panel]:
    """Read the UN's wide table, as :func:`read_wpp` does: one row for each location, one column for each year."""
    return read_un(Path(path), variant, revision, until, incomplete, WIDE_FORM)
