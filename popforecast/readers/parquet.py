"""Reader of Parquet files and folders of them; a series may be split across row groups and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from popforecast.errors import ReadError, shorten
from popforecast.panel.frames import name_nearest

MAGIC = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Return whether a path is a folder or a Parquet file, by its first bytes."""
    if path.is_dir():
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_parquet(path: Path, columns: Sequence[str], where: Mapping[str, str]) -> pd.DataFrame:
    """Return columns of the rows that satisfy the conditions in `where`.

    Raises
    ------
    ReadError
        If pyarrow is not installed, the file is damaged, a column is missing, or no row is left.
    """
    try:
        import pyarrow as pa
        from pyarrow import dataset
    except ModuleNotFoundError as error:
        raise ReadError(f"{path.name} is Parquet, which needs pyarrow: pip install 'popforecast[scale]'") from error
    if path.is_dir() and not any(path.rglob("*.parquet")):
        raise ReadError(f"{path.name} is a folder without any .parquet file: expected a table")
    try:
        files = sorted(map(str, path.rglob("*.parquet"))) if path.is_dir() else [str(path)]
        partitioning = dataset.HivePartitioning.discover() if path.is_dir() else None
        table = dataset.dataset(files, format="parquet", partitioning=partitioning, partition_base_dir=str(path))
        for column in dict.fromkeys([*columns, *where]):
            if column not in table.schema.names:
                near = name_nearest(column, table.schema.names)
                raise ReadError(
                    f"{path.name} has no column {column!r}{near}: it has {shorten(', '.join(table.schema.names))}"
                )
        frame = table.to_table(columns=list(dict.fromkeys([*columns, *where]))).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise ReadError(f"{path.name} is no whole Parquet file ({shorten(str(error))}): get it again") from error
    for column, wanted in where.items():
        frame = frame[frame[column].astype(str) == str(wanted)]
    if frame.empty:
        raise ReadError(f"{path.name} has no rows{' as asked' * bool(where)}: expected one for each location and year")
    return frame.reset_index(drop=True)
