"""Series that a seed makes, and what a folder holds: shared with the long runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

T = 50


def make_rows(n: int = 320, t: int = T, seed: int = 0) -> pd.DataFrame:
    """Return a long table of n series of t years, sorted."""
    rng = np.random.default_rng(seed)
    growth = rng.normal(0.01, 0.02, (n, 1)) * 0.97 ** np.arange(t) + np.cumsum(rng.normal(0, 0.001, (n, t)), axis=1)
    values = np.rint(np.exp(rng.normal(11, 1.5, (n, 1)) + np.cumsum(growth, axis=1)) + 10)
    return pd.DataFrame(
        {
            "id": np.repeat([f"S{i:05d}" for i in range(n)], t),
            "year": np.tile(range(1970, 1970 + t), n),
            "population": values.ravel(),
        }
    )


def read_bytes(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
