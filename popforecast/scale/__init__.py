"""The same forecast over partitioned Parquet: out of core, on this machine or on any Dask scheduler.

What is heavy (pyarrow, dask) loads when a forecast is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.models import choose
from popforecast.models.base import Model

if TYPE_CHECKING:
    from popforecast.scale.manifest import Manifest

ENGINES = ("local", "dask")
ON_ERROR = ("raise", "skip")

# Rows of the input in one partition: whole row groups are put together until they have as many.
PARTITION_ROWS = 1 << 20


def forecast(
    data: str | Path,
    output: str | Path,
    *,
    id: str = "location_code",
    time: str = "year",
    value: str = "population",
    start: int | None = None,
    end: int | None = None,
    model: str | Model | None = None,
    levels: Sequence[float] = DEFAULT_LEVELS,
    engine: str = "local",
    scheduler: str | None = None,
    workers: int | None = None,
    on_error: str = "raise",
    partition_rows: int = PARTITION_ROWS,
    progress: bool = False,
) -> Manifest:
    """Forecast every series of a Parquet file or folder into a folder of Parquet, one part for each partition.

    The rows must be sorted by `id` (in the byte order of text, or as numbers); a series may be cut anywhere, across row
    groups or files. Memory does not grow with the number of series. What was finished is kept: the same call goes on
    where a run was ended. A part has its final name only when it is whole.

    A plain autoregression treats each series on its own, so that any partition gives the same bytes. All other models
    learn what the panel shares (coefficients, bounds of growth, intervals) from a sample: the 3,000 series whose
    identifiers have the least hashes, whatever the partitions (see ``docs/scale.md``).

    Parameters
    ----------
    data : path
        A Parquet file, or a folder of them.
    output : path
        The folder to write: ``part-00000.parquet``, ..., and ``_manifest.json``.
    id, time, value : str
        The columns of identifiers, whole years and population.
    start, end : int, optional
        First and last year (default: the ten steps after the last year of the first series).
    model : str or Model, optional
        A model's name or a specification (default: what :func:`popforecast.models.choose` chooses).
    levels : sequence of float
        Central coverage of the intervals, in percent.
    engine : {"local", "dask"}
        Threads of this process, or Dask.
    scheduler : str, optional
        The address of a Dask scheduler, whose workers see the same paths (default: a cluster on this machine).
    workers : int, optional
        Threads, or workers of the cluster on this machine (default: one for each core).
    on_error : {"raise", "skip"}
        Whether a series or partition that cannot be forecast stops the run, or is left out and listed in the manifest.
    partition_rows : int
        Rows of the input in one partition, about.
    progress : bool
        Whether to show a bar, and the address of Dask's dashboard.

    Returns
    -------
    Manifest
        What was done: parts, rows, and what was skipped.

    Raises
    ------
    ScaleError, ModelError, UnknownModelError, YearError, LevelError
        If the data or an argument is not valid; the error names partition and series.
    LockError
        If another run is writing to the same output.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> rows = pd.DataFrame({"id": ["A"] * 5 + ["B"] * 5, "year": [*range(2000, 2005)] * 2})
    >>> rows["population"] = [1, 2, 4, 8, 16, 100, 101, 103, 107, 115]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows.to_parquet(f"{folder}/history.parquet")
    ...     made = forecast(f"{folder}/history.parquet", f"{folder}/out.parquet", id="id", model="ar1", end=2006)
    ...     pd.read_parquet(f"{folder}/out.parquet")["population"].tolist()
    [32.0, 64.0, 131.0, 163.0]
    >>> made
    <Manifest: 1 of 1 partitions, 2 series, 4 rows, 0 skipped>
    """
    from popforecast.scale.running import Request, run

    chosen = choose() if model is None else model
    request = Request(
        Path(data), Path(output), (id, time, value), start, end, chosen, tuple(levels), on_error, partition_rows
    )
    return run(request, engine, scheduler, workers, progress)
