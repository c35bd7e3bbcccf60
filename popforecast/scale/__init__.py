"""Out-of-core forecasts of partitioned Parquet data, on this machine or on a Dask cluster.

Heavy dependencies (pyarrow, dask) are imported only when a forecast runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.models.base import Model

if TYPE_CHECKING:
    from popforecast.scale.manifest import Manifest

ENGINES = ("local", "dask")
ON_ERROR = ("raise", "skip")

# Input rows per partition: whole row groups are combined up to this number.
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
    """Forecast every series of a Parquet file or folder, write one Parquet file per partition, and return the manifest.

    Rows must be sorted by `id` (text in byte order, or numbers); a series may continue across row groups and files.
    Memory use does not grow with the number of series. Finished parts are kept: repeating the call continues an
    interrupted run. A part gets its final name only when it is complete.

    A plain autoregression is fitted to each series separately. All other models estimate shared quantities
    (coefficients, bounds of growth, intervals) from a sample: the 3,000 series whose identifiers have the smallest
    hashes. Neither depends on the partitions (see ``docs/scale.md``).

    Parameters
    ----------
    data : path
        A Parquet file, or a folder of Parquet files.
    output : path
        The output folder, with ``part-00000.parquet``, ..., and ``_manifest.json``.
    id, time, value : str
        Names of the columns of identifiers, integer years and population.
    start, end : int, optional
        First and last year (default: the ten steps after the most common last year of the first series).
    model : str or Model, optional
        Name or specification of a model (default: the choice of :func:`popforecast.models.choose`).
    levels : sequence of float
        Coverage of the intervals, in percent.
    engine : {"local", "dask"}
        Threads in this process, or Dask.
    scheduler : str, optional
        Address of a Dask scheduler whose workers see the same paths (default: a cluster on this machine).
    workers : int, optional
        Number of threads, or of workers of the cluster on this machine (default: one per core).
    on_error : {"raise", "skip"}
        Whether to stop at a series or partition that cannot be forecast, or to skip it and list it in the manifest.
    partition_rows : int
        Approximate number of input rows per partition.
    progress : bool
        Whether to show a progress bar and the address of the Dask dashboard.

    Returns
    -------
    Manifest
        Finished parts, numbers of rows, and skipped series.

    Raises
    ------
    ScaleError, ModelError, UnknownModelError, YearError, LevelError
        If the data or an argument is invalid; the error names partition and series.
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

    request = Request(
        Path(data), Path(output), (id, time, value), start, end, model, tuple(levels), on_error, partition_rows
    )
    return run(request, engine, scheduler, workers, progress)
