"""make_reports(): run what is stale, publish each as a page, and keep the index of all that was published."""

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

# Not imported here, but in the process that runs a notebook or when a page is made.
NEEDED = ("papermill", "nbconvert", "bs4", "yaml")

# Longer than any cell should take, short enough that a hung one is noticed.
TIMEOUT = 600


@dataclass(frozen=True)
class Result:
    """What became of one report.

    Attributes
    ----------
    name, title : str
    ok : bool
    error : str or None
        What went wrong, in a sentence.
    path : Path or None
        Its page; of a failed report the last good one, or None if there never was one.
    fresh : bool
        Whether the page was as it should be, so that nothing was run.
    listed : bool
        Whether the index lists it: in the ``reports/`` of a checkout, only what has the notebook's own parameters.
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
    """Run the notebooks whose pages are stale, and publish what they show.

    A page is fresh if it was made here, of the same, and is as it was made. One with changed parameters has a name of
    its own, ``2-validate-ar.lags-2.html``, and leaves that of the notebook as it is.

    A report that fails is listed as failed, and its last good page stays; what rests on it is not made. Pages are
    written whole or not at all, and the same notebook with the same parameters and data gives the same bytes. A run
    that was stopped is taken up by the next. Several runs may share a folder: each waits while another writes.

    Parameters
    ----------
    names : sequence of str, optional
        Which reports (default: all there are).
    parameters : dict, optional
        Values, or their text as the command line has it, for parameters that every one of these reports takes.
    output : path
        Folder of the pages, the index and, under ``notebooks/``, the executed notebooks and the record of what was
        made here.
    jobs : int
        How many to run at a time.
    progress : bool
        Show how far it is.
    folder : path, optional
        Where the notebooks lie (default: those that come with popforecast).
    timeout : int
        Seconds that one cell may take.
    force : bool
        Run those whose pages are fresh, too.

    Returns
    -------
    tuple of Result
        In the order of the names.

    Raises
    ------
    ReportError
        If a name or a parameter is unknown, a value does not fit, or what runs notebooks is not installed; nothing
        was run then. Or if the folder cannot be written to, or is full.
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
    """Return what :func:`make_reports` would do, and why, without doing any of it.

    Raises
    ------
    ReportError
        As :func:`make_reports`.
    """
    chosen = choose_notebooks(find_notebooks(folder), names)
    changes = {notebook.name: find_changes(notebook, parameters or {}) for notebook in chosen}
    return tuple(plan(chosen, changes, Site(Path(output)), force).values())


def check(jobs: int, timeout: int) -> None:
    """Raise an error that says what cannot be, or how to get what is missing, before anything is begun."""
    for module in NEEDED:
        if find_spec(module) is None:
            raise ReportError(f"{module} is not installed: reports need pip install 'popforecast[reports]'")
    if jobs < 1:
        raise ReportError(f"jobs {jobs}: expected 1 or more")
    if timeout < 1:
        raise ReportError(f"timeout {timeout}: expected 1 second or more")


@contextmanager
def explain(site: Site) -> Iterator[None]:
    """Say where nothing can be written, and what to do."""
    try:
        yield
    except LockError:
        raise
    except OSError as error:
        raise ReportError(
            f"the {'pages' if site.series else 'reports'} cannot be written to {site.folder} ({error.strerror}): "
            "choose a folder that can be written to, and has room"
        ) from error


def make_pages(
    steps: Mapping[str, Step],
    site: Site,
    jobs: int,
    timeout: int,
    progress: bool,
    on_end: Callable[[], None] = lambda: None,
) -> dict[str, Result]:
    """Make what is stale of reports, or of a series, in order; return what became of each.

    Parameters
    ----------
    steps : dict of Step
        By name.
    site : Site
        Where the pages go; it is open.
    jobs, timeout, progress
        As for :func:`make_reports`.
    on_end : callable
        Called after each that ended.
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
    """Pages being made: what is asked, run and written as the pipeline goes on."""

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
        """Decide whether a report is to be run, now that those before it are made."""
        step = self.steps[name]
        before = [self.results[other] for other in step.after]
        failed = [result.name for result in before if not result.ok]
        if not all(result.fresh for result in before):
            # They may have written what it reads.
            step = self.steps[name] = look_again(step, self.site)
        if step.fresh:
            self.results[name] = self._conclude(step, None, fresh=True)
        elif failed:
            self._end(step, f"Not made, because it depends on {', '.join(failed)}, which failed.")
        return name not in self.results

    def run(self, name: str, folder: Path) -> tuple[Path, dict[str, Any], float]:
        """Run a notebook; return it executed, how its worker answered, and the seconds it took."""
        start = time.monotonic()
        step, series = self.steps[name], bool(self.site.series)
        target = folder / f"{name}.ipynb"
        job = {"source": str(step.notebook.path), "target": str(target), "parameters": step.changed}
        if series:
            # Many pages, and as many processes that can make them as there are jobs: it pays to import it there.
            own = {"title": step.notebook.title, "defaults": step.notebook.defaults, "key": asdict(step.key)}
            job["page"] = own
        worker = self._find_worker(folder)
        answer = worker.run(self.shown.begin(name), **job, timeout=self.timeout)
        if series and worker.alive:
            self.idle.put(worker)
        else:
            # Another report may write what this one's kernel remembers: each has a kernel of its own.
            worker.finish()
        seconds = time.monotonic() - start
        self.shown.end(name, seconds, answer["error"])
        return target, answer, seconds

    def end(self, name: str, executed: Path, answer: dict[str, Any], seconds: float) -> None:
        """Publish what a notebook shows, if it ran, and record how it ended."""
        from popforecast.reports.pages import make_page

        step = self.steps[name]
        asked = answer["error"] or "files" in answer
        made = answer if asked else make_page(executed, step.notebook, step.changed, step.key)
        if not made["error"]:
            self.site.publish(step.page, step.notebook, made, seconds)
        self._end(step, made["error"])

    def stop(self) -> None:
        """End whatever still runs."""
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
