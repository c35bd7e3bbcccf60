"""What the tests share: the embedded revisions, and the UN's raw files where they are at hand."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits
from werkzeug.serving import make_server

import popforecast as pf
from app import create_app
from app.settings import Settings
from popforecast.files import hold
from popforecast.reports import make_reports
from tests.helpers.serving import serve_in_thread

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"

# The same examples in every run, and none failed for a machine that is busy.
settings.register_profile("popforecast", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("popforecast")

# Where files of tests run side by side, every core has its work: more threads of linear algebra would but wait for each
# other, which costs as much as to compute. The second is for the processes that tests start; tests/kernels.py says its
# own.
if "PYTEST_XDIST_WORKER" in os.environ:
    threadpool_limits(1, user_api="blas")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What a test needs beyond Python and the packages, told from the functions that it, or a fixture of its, calls, be it
# in a script for another process, and else from a fixture's name: nobody has to remember a mark. `make check` leaves
# these out. Tests of tests/browser say it of their whole modules.
NEEDS = {
    "kernel": {"make_reports", "make_series", "start_python", "execute_notebook", "workers", "pages"},
    "process": {"subprocess", "Popen", "compute_each", "kill_workers", "LocalCluster"},
    "embedding": {"computed"},
    "service": {"serve", "run_redis", "web"},
    "install": {"wheel"},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "_fixtureinfo", None)
        functions = [getattr(item, "function", None)]
        functions += [one.func for found in fixtures.name2fixturedefs.values() for one in found] if fixtures else []
        used = {*getattr(item, "fixturenames", ())}.union(*map(find_calls, functions))
        for mark, names in NEEDS.items():
            if used & names:
                item.add_marker(mark)


def find_calls(function: object, module: str | None = None) -> set[str]:
    """Return what a function, or a class's methods, call, and what those of its own module do that they call."""
    if module not in (None, getattr(function, "__module__", None)):
        return set()
    if isinstance(function, type):
        return set().union(*(find_calls(method, function.__module__) for method in vars(function).values()))
    code = getattr(function, "__code__", None)
    if code is None:
        return set()
    # Comprehensions and inner functions have code of their own.
    codes = [code]
    for one in codes:
        codes += [constant for constant in one.co_consts if isinstance(constant, CodeType)]
    names = {name for one in codes for name in one.co_names}
    scripts = [constant for one in codes for constant in one.co_consts if isinstance(constant, str)]
    others = [function.__globals__.get(name) for name in names if name != code.co_name]
    called = names | set(re.findall(r"(\w+)\(", " ".join(scripts)))
    return called.union(*(find_calls(other, function.__module__) for other in others))


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
