"""What tests of readers share: a file of rows, written as they ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.readers.samples import Rows, to_text


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows, text or bytes as a file of the name given."""

    def write(content: Rows | str | bytes, name: str = "table.csv") -> Path:
        if isinstance(content, list):
            content = to_text(content)
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
