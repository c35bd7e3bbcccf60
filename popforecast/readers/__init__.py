"""Readers of UN files and users' own data, which return panels. UN figures in thousands are converted to persons here.

No data are dropped silently: :attr:`Reading.dropped` lists everything left out, with the reason, and anything that
cannot be read raises an error that names the row.
"""

from __future__ import annotations

from pathlib import Path

from popforecast.panel import Panel
from popforecast.readers.formats import read_long, read_own, read_panel
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
    r"""Read a UN file of total population, in wide or long format (detected from its header).

    Parameters
    ----------
    path : path
        CSV, plain or .gz: the long table as published, or the sheet saved as CSV.
    revision : str, optional
        The name of the revision, recorded in the panel.
    variant : str, optional
        The variant to read. Default for a wide table: its only variant. Default for a long table: the estimates, that
        is ``Estimates`` if present, otherwise ``Medium`` up to the year before the other variants begin.
    until : int, optional
        The last year to read.
    incomplete : {"raise", "drop"}
        Whether to raise an error for a location with missing years, or to leave it out and report it.

    Returns
    -------
    Reading
        The panel, in persons, and all rows left out, with reasons.

    Raises
    ------
    ReadError
        If the file has another format, is damaged, or has a cell that is not a figure; the error names the row.

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
    """Read the UN's long table (one row for each location, variant and year), as :func:`read_wpp` does."""
    return read_un(Path(path), variant, revision, until, incomplete, LONG_FORM)


def read_un_wide(
    path: str | Path,
    variant: str | None = None,
    revision: str | None = None,
    until: int | None = None,
    incomplete: str = "raise",
) -> Reading[Panel]:
    """Read the UN's wide table (one row for each location, one column for each year), as :func:`read_wpp` does."""
    return read_un(Path(path), variant, revision, until, incomplete, WIDE_FORM)
