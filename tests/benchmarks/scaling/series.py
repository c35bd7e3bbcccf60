"""Series made by a seed, written as sorted Parquet: seventy annual values each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

YEARS = np.arange(1950, 2020)
SCHEMA = pa.schema([("id", pa.string()), ("year", pa.int64()), ("population", pa.float64())])

# Rows of a row group, as pandas and Arrow write them; most of them cut a series.
GROUP_ROWS = 1 << 20
AT_ONCE = 15_000


def write(path: Path, count: int, seed: int = 0) -> None:
    """Write so many series."""
    with pq.ParquetWriter(path, SCHEMA) as file:
        held: list[pa.Table] = []
        for table in make_tables(count, seed):
            held.append(table)
            if sum(len(part) for part in held) >= GROUP_ROWS:
                together = pa.concat_tables(held)
                file.write_table(together.slice(0, GROUP_ROWS), GROUP_ROWS)
                held = [together.slice(GROUP_ROWS)]
        file.write_table(pa.concat_tables(held), GROUP_ROWS)


def make_tables(count: int, seed: int) -> Iterator[pa.Table]:
    """Yield the series, some thousands at once: growth that fades and wanders."""
    rng, t = np.random.default_rng(seed), len(YEARS)
    for first in range(0, count, AT_ONCE):
        n = min(AT_ONCE, count - first)
        growth = rng.normal(0.01, 0.02, (n, 1)) * 0.97 ** np.arange(t) + np.cumsum(rng.normal(0, 0.001, (n, t)), axis=1)
        values = np.rint(np.exp(rng.normal(10, 1.5, (n, 1)) + np.cumsum(growth, axis=1)) + 1)
        names = pa.array([f"S{i:07d}" for i in range(first, first + n)])
        ids = pa.DictionaryArray.from_arrays(np.repeat(np.arange(n, dtype=np.int32), t), names).cast(pa.string())
        yield pa.table([ids, np.tile(YEARS, n), values.ravel()], schema=SCHEMA)
