"""make_reports(): run stale reports, publish their pages and update the index."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from popforecast.errors import LockError, ReportError
from popforecast.reports.kernels import Worker
from popforecast.reports.notebooks import choose_notebooks, find_changes, find_notebooks
from popforecast.reports.pipeline import Progress, Step, look_again, plan, run_in_order
from popforecast.reports.site import Site

# Imported only in the process that runs a notebook, or when a page is made.
NEEDED = ("papermill", "nbconvert", "bs4", "yaml")

# Longer than any cell should take, short enough that a hung one is noticed.
TIMEOUT = 600


@dataclass(frozen=True)
class Result:
    """Result of one report.

    Attributes
    ----------
    name, title : str
    ok : bool
    error : str or None
        Error message, as a sentence.
    path : Path or None
        Its page; for a failed report the last good page, or None if there is none.
    fresh : bool
        Whether the page was up to date, so that nothing was run.
    listed : bool
        Whether the index lists it: in the ``reports/`` folder of a checkout, only reports with default parameters.
    """

    name: str
    title: str
    ok: bool
    error: str | None
    path: Path | None
    fresh: bool = False
    listed: bool = True


def make_reports(
    names: Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    output: str | Path = "reports",
    jobs: int = 1,
    progress: bool = False,
    folder: Path | None = None,
    timeout: int = TIMEOUT,
    force: bool = False,
) -> tuple[Result, ...]:
    """Run the notebooks whose pages are stale, publish the pages and return the results.

    A page is fresh if it was made in this folder from the same inputs and has not changed since. A page with changed
    parameters has its own name, such as ``2-validate-ar.lags-2.html``, and does not replace the default page.

    A failed report is listed as failed, its last good page remains, and reports that depend on it are not made. Writes
    are atomic, and the same notebook, parameters and data give identical bytes. After an interrupted run, the next run
    continues. Several runs may share a folder: each waits while another writes.

    Parameters
    ----------
    names : sequence of str, optional
        Names of the reports (default: all).
    parameters : dict, optional
        Values, or text as on the command line, of parameters that all these reports accept.
    output : path
        Folder of the pages and the index; ``notebooks/`` in it has the executed notebooks and the record of runs.
    jobs : int
        Number of reports to run at a time.
    progress : bool
        Whether to show progress.
    folder : path, optional
        Folder of the notebooks (default: those included with popforecast).
    timeout : int
        Maximum seconds per cell.
    force : bool
        Whether to run reports whose pages are fresh too.

    Returns
    -------
    tuple of Result
        Results in the order of the names.

    Raises
    ------
    ReportError
        If a name or parameter is unknown, a value is invalid or a required package is missing (nothing is run), or if
        the folder is full or not writable.
    """
    check(jobs, timeout)
    known = find_notebooks(folder)
    chosen = choose_notebooks(known, names)
    changes = {notebook.name: find_changes(notebook, parameters or {}) for notebook in chosen}
    site = Site(Path(output))
    with explain(site):
        steps = plan(chosen, changes, site, force)
        site.open()
        results = make_pages(steps, site, jobs, timeout, progress, on_end=partial(site.write_index, list(known)))
        site.write_index(known)
    return tuple(results[notebook.name] for notebook in chosen)


def plan_reports(
    names: Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    output: str | Path = "reports",
    folder: Path | None = None,
    force: bool = False,
) -> tuple[Step, ...]:
    """Return the steps that :func:`make_reports` would take, with reasons, without running anything.

    Raises
    ------
    ReportError
        As for :func:`make_reports`.
    """
    chosen = choose_notebooks(find_notebooks(folder), names)
    changes = {notebook.name: find_changes(notebook, parameters or {}) for notebook in chosen}
    return tuple(plan(chosen, changes, Site(Path(output)), force).values())


def check(jobs: int, timeout: int) -> None:
    """Check arguments and required packages before anything is run; raise ReportError if one is invalid or missing."""
    for module in NEEDED:
        if find_spec(module) is None:
            raise ReportError(f"{module} is not installed: reports need pip install 'popforecast[reports]'")
    if jobs < 1:
        raise ReportError(f"jobs {jobs}: expected 1 or more")
    if timeout < 1:
        raise ReportError(f"timeout {timeout}: expected 1 second or more")


@contextmanager
def explain(site: Site) -> Iterator[None]:
    """Convert errors of writing to a ReportError that names the folder and a remedy."""
    try:
        yield
    except LockError:
        raise
    except OSError as error:
        raise ReportError(
            f"the {'pages' if site.series else 'reports'} cannot be written to {site.folder} ({error.strerror}): "
            "choose a writable folder with enough free space"
        ) from error


def make_pages(
    steps: Mapping[str, Step],
    site: Site,
    jobs: int,
    timeout: int,
    progress: bool,
    on_end: Callable[[], None] = lambda: None,
) -> dict[str, Result]:
    """Make the stale reports, or the stale pages of a series, in order; return the result of each.

    Parameters
    ----------
    steps : dict of Step
        Steps by name.
    site : Site
        Folder of the pages; already open.
    jobs, timeout, progress
        As for :func:`make_reports`.
    on_end : callable
        Called after each report ends.
    """
    after = {name: step.after for name, step in steps.items()}
    shown = Progress(steps.values(), progress, bool(site.series))
    making = _Making(steps, site, timeout, shown)
    with tempfile.TemporaryDirectory(prefix="popforecast-") as folder, closing(shown):
        run = partial(making.run, folder=Path(folder))
        try:
            with closing(run_in_order(after, jobs, making.begin, run)) as ended:
                for name, outcome in ended:
                    making.end(name, *outcome)
                    on_end()
        finally:
            making.stop()
    return making.results


class _Making:
    """A run in progress: state, workers and results."""

    def __init__(self, steps: Mapping[str, Step], site: Site, timeout: int, shown: Progress) -> None:
        self.steps = dict(steps)
        self.site = site
        self.timeout = timeout
        self.shown = shown
        self.results: dict[str, Result] = {}
        self.workers: list[Worker] = []
        self.idle: SimpleQueue[Worker] = SimpleQueue()
        self.stopped = threading.Event()

    def begin(self, name: str) -> bool:
        """Return whether to run a report, after its dependencies are done."""
        step = self.steps[name]
        before = [self.results[other] for other in step.after]
        failed = [result.name for result in before if not result.ok]
        if not all(result.fresh for result in before):
            # They may have written files that it reads.
            step = self.steps[name] = look_again(step, self.site)
        if step.fresh:
            self.results[name] = self._conclude(step, None, fresh=True)
        elif failed:
            self._end(step, f"Not made, because it depends on {', '.join(failed)}, which failed.")
        return name not in self.results

    def run(self, name: str, folder: Path) -> tuple[Path, dict[str, Any], float]:
        """Run a notebook; return the executed copy, the result of the worker and the elapsed seconds."""
        start = time.monotonic()
        step, series = self.steps[name], bool(self.site.series)
        target = folder / f"{name}.ipynb"
        job = {"source": str(step.notebook.path), "target": str(target), "parameters": step.changed}
        if series:
            # With many pages, making them in the worker processes uses all jobs and is worth the imports.
            own = {"title": step.notebook.title, "defaults": step.notebook.defaults, "key": asdict(step.key)}
            job["page"] = own
        worker = self._find_worker(folder)
        answer = worker.run(self.shown.begin(name), **job, timeout=self.timeout)
        if series and worker.alive:
            self.idle.put(worker)
        else:
            # Each report gets a new kernel: another report may write files that a kernel has cached.
            worker.finish()
        seconds = time.monotonic() - start
        self.shown.end(name, seconds, answer["error"])
        return target, answer, seconds

    def end(self, name: str, executed: Path, answer: dict[str, Any], seconds: float) -> None:
        """Publish the page of a notebook if it ran, and record the result."""
        from popforecast.reports.pages import make_page

        step = self.steps[name]
        asked = answer["error"] or "files" in answer
        made = answer if asked else make_page(executed, step.notebook, step.changed, step.key)
        if not made["error"]:
            self.site.publish(step.page, step.notebook, made, seconds)
        self._end(step, made["error"])

    def stop(self) -> None:
        """Stop all running processes."""
        self.stopped.set()
        for worker in self.workers:
            worker.stop()

    def _find_worker(self, folder: Path) -> Worker:
        try:
            return self.idle.get_nowait()
        except Empty:
            worker = Worker(Path(tempfile.mkdtemp(dir=folder)))
        self.workers.append(worker)
        if self.stopped.is_set():
            worker.stop()
        return worker

    def _end(self, step: Step, error: str | None) -> None:
        if error:
            self.site.record(step.page, step.notebook, step.changed, error)
        self.results[step.name] = self._conclude(step, error)

    def _conclude(self, step: Step, error: str | None, fresh: bool = False) -> Result:
        page = self.site.find_page(step.page)
        path = page if page.exists() else None
        listed = self.site.is_listed(step.page, step.notebook)
        return Result(step.name, step.notebook.title, error is None, error, path, fresh, listed)
