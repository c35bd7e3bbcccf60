"""What the tests share: the embedded revisions, and the UN's raw files where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from werkzeug.serving import make_server

import popforecast as pf
from app import create_app
from app.settings import Settings
from popforecast.lock import hold
from popforecast.reports import make_reports
from tests.serving import serve_in_thread

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


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of the app, as any WSGI server runs it."""
    app = create_app(Settings(rate_limits=False))
    with serve_in_thread(make_server("127.0.0.1", 0, app, threaded=True)) as url:
        yield url


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all reports, made once from the real notebooks with their own parameters."""
    base = tmp_path_factory.getbasetemp()
    # What runs beside this run has a folder of its own next to this one, and the same reports.
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with hold(run / "published.lock", run, patience=600):
        results = make_reports(output=run / "published", jobs=2)
    assert [result.error for result in results] == [None] * len(results)
    return run / "published"
