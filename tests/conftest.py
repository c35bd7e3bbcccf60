"""What the tests share: the embedded revisions, and the UN's raw files where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

import popforecast as pf
from popforecast.reports import make_reports

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"

# The same examples in every run, and none failed for a machine that is busy.
settings.register_profile("popforecast", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("popforecast")


@pytest.fixture(scope="session")
def wpp2019() -> pf.Panel:
    return pf.load_panel("wpp2019")


@pytest.fixture(scope="session")
def wpp2024() -> pf.Panel:
    return pf.load_panel("wpp2024")


@pytest.fixture(scope="session")
def raw() -> Path:
    """The folder of the UN's own files; tests that need it are skipped where it is absent."""
    folder = SHARED / "raw"
    if not folder.exists():
        pytest.skip("the UN's raw files are not at hand (../shared/data/raw)")
    return folder


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all reports, made once from the real notebooks with their own parameters."""
    output = tmp_path_factory.mktemp("reports")
    results = make_reports(output=output, jobs=2)
    assert [result.error for result in results] == [None] * len(results)
    return output
