"""Files written whole or not at all, and folders that one run at a time writes to."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from popforecast.errors import LockError

# Writing takes a fraction of a second.
PATIENCE = 60


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file or none: to a temporary name beside it, then move."""
    write_together({path: content})


def write_together(contents: dict[Path, bytes]) -> None:
    """Write all of the files whole, or none: to temporary names beside them, then move."""
    written: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder")
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            written[path] = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            written[path].chmod(0o644)
        for path, temporary in written.items():
            temporary.replace(path)
    finally:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)


@contextmanager
def hold(path: Path, folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Keep other runs that hold the same file from writing to a folder.

    SQLite does the locking: it knows how on every platform, and the lock of a process that dies is gone with it. The
    file stays, empty: were it removed, a run that waits for it and one that makes it anew would both go ahead.

    Parameters
    ----------
    path : Path
        The file that is held, in a folder that is there.
    folder : Path
        What the runs write to, and errors name.
    patience : float
        Seconds to wait for another run.

    Raises
    ------
    LockError
        If another run holds the file for longer than that, or it cannot be held at all.
    """
    import sqlite3

    try:
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
    except sqlite3.Error as error:
        raise LockError(f"{path} cannot be opened ({error}): choose a folder that can be written to") from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise LockError(f"{path} is no lock ({error}): remove it, and run again") from error
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise LockError(f"{path} cannot be locked ({error}): choose a folder that can be written to") from error
            waited = f" and did not end within {patience:g} seconds" if patience else ""
            raise LockError(
                f"another run is writing to {folder}{waited}: wait for it, or choose another folder"
            ) from error
        yield
