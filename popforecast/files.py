"""Atomic writes, and locks on folders."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from popforecast.errors import LockError

# Seconds to wait; writing takes a fraction of one.
PATIENCE = 60


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file atomically: to a temporary name in its folder, then rename."""
    write_together({path: content})


def write_together(contents: dict[Path, bytes]) -> None:
    """Write several files, all or none: to temporary names in their folders, then rename."""
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
    """Lock a folder against other runs that hold the same file.

    SQLite does the locking: it works on every platform, and the lock of a process that dies goes with it. The empty
    file stays: if it were removed, a run waiting for it and one that creates it again would both proceed.

    Parameters
    ----------
    path : Path
        The lock file, in an existing folder.
    folder : Path
        The folder to be written to, for errors.
    patience : float
        Seconds to wait for another run.

    Raises
    ------
    LockError
        If another run holds the file for longer, or it cannot be locked.
    """
    import sqlite3

    try:
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
    except sqlite3.Error as error:
        raise LockError(f"{path} cannot be opened ({error}): choose a writable folder") from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise LockError(f"{path} is not a lock file ({error}): remove it and run again") from error
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise LockError(f"{path} cannot be locked ({error}): choose a writable folder") from error
            waited = f" and did not end within {patience:g} seconds" if patience else ""
            raise LockError(
                f"another run is writing to {folder}{waited}: wait for it, or choose another folder"
            ) from error
        yield
