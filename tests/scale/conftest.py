"""What the tests of scale share: the same rows in any number of pieces."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.scale.series import make_rows


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    return make_rows()


@pytest.fixture
def history(rows: pd.DataFrame, tmp_path: Path) -> Path:
    """The rows as one file of some 64 row groups, which cut series anywhere."""
    path = tmp_path / "history.parquet"
    rows.to_parquet(path, row_group_size=len(rows) // 64 + 1)
    return path
