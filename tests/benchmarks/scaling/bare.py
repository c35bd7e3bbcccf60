"""``python bare.py DATA OUTPUT``: the least that AR(1) with bounds needs, in NumPy and Arrow, nothing checked.

It takes for granted that all series have the same years, and no row group less or more than the file's order. Arrow
reads and writes on all cores; the figures are worked on by two threads.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from peak import tell_peak

T, HORIZON, CHUNK = 70, 10, 2000
QUANTILES = {80: 1.2815515655446004, 95: 1.959963984540054}


def forecast(y: np.ndarray) -> list[np.ndarray]:
    """Fit by the textbook's covariance; predict by recursion."""
    x, z = y[:, :-1], y[:, 1:]
    mean_x, mean_z = x.mean(axis=1, keepdims=True), z.mean(axis=1, keepdims=True)
    phi = ((x - mean_x) * (z - mean_z)).sum(axis=1) / ((x - mean_x) ** 2).sum(axis=1)
    constant = mean_z[:, 0] - phi * mean_x[:, 0]
    variance = ((z - constant[:, None] - phi[:, None] * x) ** 2).mean(axis=1)
    path, last, spread, total = np.empty((len(y), HORIZON)), y[:, -1], np.empty((len(y), HORIZON)), np.zeros(len(y))
    for h in range(HORIZON):
        last = constant + phi * last
        total = total + phi ** (2 * h)
        path[:, h], spread[:, h] = last, np.sqrt(variance * total)
    return [path, *(path + sign * z * spread for z in QUANTILES.values() for sign in (-1, 1))]


def main(data: str, output: str) -> None:
    """Read all, forecast all, write all."""
    table = pq.read_table(data, columns=["id", "year", "population"], read_dictionary=["id"])
    values = table["population"].to_numpy().reshape(-1, T)
    ids = table["id"].unify_dictionaries().combine_chunks()
    ids = (ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids).take(np.arange(0, len(table), T))
    with ThreadPoolExecutor(2) as threads:
        parts = list(threads.map(lambda i: forecast(values[i : i + CHUNK]), range(0, len(values), CHUNK)))
    columns = [np.rint(np.concatenate(part)).ravel() for part in zip(*parts, strict=True)]
    codes = pa.DictionaryArray.from_arrays(np.repeat(ids.indices.to_numpy(), HORIZON), ids.dictionary)
    years = np.tile(np.arange(2020, 2020 + HORIZON), len(values))
    names = ["id", "year", "population", "lower_80", "upper_80", "lower_95", "upper_95"]
    made = pa.table([codes, years, *columns], names=names)
    pq.write_table(made, output, compression="zstd", use_dictionary=["id", "year"], store_schema=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
    tell_peak()
