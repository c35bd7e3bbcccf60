"""One run at a time writes to a folder of reports; another waits, for as long as writing can take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from popforecast.errors import ReportError

# Beside the executed notebooks, which are no part of what is published. The file stays, empty: were it removed, a run
# that waits for it and one that makes it anew would both go ahead.
LOCK = "notebooks/.lock"

# Writing takes a fraction of a second.
PATIENCE = 60


@contextmanager
def hold(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Keep other runs from writing to the folder.

    SQLite does the locking: it knows how on every platform, and the lock of a process that dies is gone with it.

    Raises
    ------
    ReportError
        If another run holds the folder for longer than the patience lasts (seconds).
    """
    import sqlite3

    path = folder / LOCK
    try:
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
    except sqlite3.Error as error:
        raise ReportError(f"{path} cannot be opened ({error}): choose a folder that can be written to") from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise ReportError(f"{path} is no lock ({error}): remove it, and run again") from error
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise ReportError(
                    f"{path} cannot be locked ({error}): choose a folder that can be written to"
                ) from error
            raise ReportError(
                f"another run is writing to {folder} and did not end within {patience:g} seconds: wait for it, or "
                "choose another folder"
            ) from error
        yield
