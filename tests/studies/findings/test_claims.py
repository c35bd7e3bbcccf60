"""Every report, made with each of its parameters changed: what its page claims is what the figures say.

A new report, or a new parameter, needs a line in RUNS; a new sentence with a figure, a check in ``claims.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import pytest

import popforecast as pf
from popforecast.reports.kernels import Worker
from popforecast.reports.notebooks import find_notebooks
from tests.studies.findings.claims import CLAIMS, EVERY, Page, list_claims, read_page

# A file of one's own, made below.
OWN = {"data": "own.csv", "id": "place", "time": "year", "value": "persons"}


@dataclass(frozen=True)
class Run:
    """A report with some of its parameters changed."""

    name: str
    changed: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        values = (f"{name}={value}" for name, value in self.changed.items() if name not in ("id", "time", "value"))
        return "-".join([self.name, *values]).replace(" ", "").replace("'", "")


RUNS = [
    Run("1-prepare"),
    Run("1-prepare", {"revision": "wpp2024"}),
    Run("2-validate-ar"),
    Run("2-validate-ar", {"lags": 2}),
    Run("2-validate-ar", {"trend": "ct"}),
    Run("2-validate-ar", {"revision": "wpp2024", "end": 2060}),
    Run("2-validate-ar", {"start": 2010, "end": 2015, "locations": ["Ukraine", "Tokelau"]}),
    Run("2-validate-ar", {**OWN, "lags": 3, "trend": "n"}),
    Run("3-backtest"),
    Run("3-backtest", {"models": ["ar1", "naive"], "sizes": []}),
    Run("3-backtest", {"models": ["naive"], "origins": [1995, 2005]}),
    Run("3-backtest", {"models": ["drift", "ar1"], "horizons": [1, 10], "closer": 1, "revision": "wpp2019"}),
    Run("3-backtest", {**OWN, "models": ["damped-growth", "naive"], "origins": [1995, 2005]}),
    Run("4-vintages", {"models": ["panel-ar"]}),
    Run("4-vintages", {"models": ["ar1", "naive"], "vintages": ["wpp2010"]}),
    Run("4-vintages", {"models": ["damped-growth"], "truth": "wpp2019"}),
    Run("5-peers"),
    Run("5-peers", {"reported": False}),
    Run("6-ages"),
    Run("6-ages", {"location": "Qatar", "year": 2035, "half_life": 20.0}),
    Run("country-profile"),
    Run("country-profile", {"model": "ar1"}),
    Run("country-profile", {"location": "Ukraine"}),
    Run("country-profile", {"location": "Ukraine", "revision": "wpp2019"}),
    Run("country-profile", {"location": "Eastern Europe", "model": "naive"}),
    Run("country-profile", {"location": "Montserrat", "model": "ar1"}),
    Run("country-profile", {"location": "Tokelau", "model": "damped-growth"}),
    Run("country-profile", {"location": "World", "revision": "wpp2019", "model": "ar1"}),
    Run("revision-diff"),
    Run("revision-diff", {"model": "naive", "year": 2030}),
    Run("revision-diff", {"model": "ar1", "year": 2100}),
]

# The one edition that the peers saw, the one with births by calendar year, and the one pair of editions there is.
NOT_CHANGED = {("5-peers", "revision"), ("6-ages", "revision"), ("revision-diff", "old"), ("revision-diff", "new")}


@pytest.fixture(scope="module")
def pages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Run], Page]]:
    """Make the pages of the runs that are tested, two at a time, and return each as it is asked for."""
    folder = tmp_path_factory.mktemp("pages")
    own = pf.load_panel("wpp2024").select(["AUT", "DEU", "CHE", "FRA", "ITA", "POL", "ESP", "NOR"]).to_frame()
    own = own.assign(place="P" + own["location_code"].astype(str), persons=(0.7 * own["population"]).round())
    own[["place", "year", "persons"]].to_csv(folder / "own.csv", index=False)
    notebooks = find_notebooks()
    runs = (item.callspec.params.get("run") for item in request.session.items if hasattr(item, "callspec"))
    tested = {str(run): run for run in runs if isinstance(run, Run)}
    workers: SimpleQueue[Worker] = SimpleQueue()
    started = []
    for name in ("first", "second"):
        (folder / name).mkdir()
        started.append(Worker(folder / name))
        workers.put(started[-1])

    def make(number: int, run: Run) -> Page:
        changed = {name: str(folder / value) if name == "data" else value for name, value in run.changed.items()}
        source, target = notebooks[run.name].path, folder / f"{number}.ipynb"
        worker = workers.get()
        try:
            answer = worker.run(source=str(source), target=str(target), parameters=changed, timeout=240)
        finally:
            workers.put(worker)
        assert answer["error"] is None, f"{run}: {answer['error']}"
        return read_page(run.name, {**notebooks[run.name].defaults, **changed}, target)

    with ThreadPoolExecutor(len(started)) as threads:
        made: dict[str, Future[Page]] = {
            name: threads.submit(make, number, run) for number, (name, run) in enumerate(tested.items())
        }
        try:
            yield lambda run: made[str(run)].result()
        finally:
            for future in made.values():
                future.cancel()
            for worker in started:
                worker.stop()


# CI has twenty minutes for everything: there, the pages as they are published stand for the others.
MADE = [run for run in RUNS if not run.changed] if os.environ.get("CI") else RUNS


@pytest.mark.parametrize("run", MADE, ids=str)
def test_a_page_claims_what_its_figures_say(run: Run, pages: Callable[[Run], Page]):
    page, refuted = pages(run), []
    for check in list_claims(run.name):
        try:
            check(page)
        except AssertionError as error:
            refuted.append(f"{check.__name__}: {error}")
    assert not refuted, "\n".join(refuted)


def test_every_parameter_of_every_report_is_changed():
    for name, notebook in find_notebooks().items():
        changed = {parameter for run in RUNS if run.name == name for parameter in run.changed}
        # What is empty by default names a file, or a part of it, that is not at hand.
        named = {parameter for parameter, default in notebook.defaults.items() if default != ""}
        left = {parameter for parameter in named if (name, parameter) not in NOT_CHANGED}
        assert left <= changed, f"{name}: no line in RUNS changes {', '.join(sorted(left - changed))}"


def test_every_report_has_checks_of_its_own():
    assert set(CLAIMS) == {EVERY, *find_notebooks()}
