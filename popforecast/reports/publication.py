"""make_reports(): run what is stale, publish each as a page, and keep the index of all that was published."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from popforecast.errors import LockError, ReportError
from popforecast.reports.execution import Execution
from popforecast.reports.notebooks import choose_notebooks, find_changes, find_notebooks
from popforecast.reports.pipeline import Step, look_again, plan, run_in_order
from popforecast.reports.progress import Progress
from popforecast.reports.site import is_listed, open_site, publish, read_status, record, write_index

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
    _check(jobs, timeout)
    known = find_notebooks(folder)
    chosen = choose_notebooks(known, names)
    changes = {notebook.name: find_changes(notebook, parameters or {}) for notebook in chosen}
    output = Path(output)
    try:
        steps = plan(chosen, changes, read_status(output), output, force)
        open_site(output)
        shown = Progress(sum(not step.fresh for step in steps.values()), progress)
        results = _make(_Making(steps, output, timeout, shown), jobs, list(known))
    except LockError:
        raise
    except OSError as error:
        raise ReportError(
            f"the reports cannot be written to {output} ({error.strerror}): choose a folder that can be written to, "
            "and has room"
        ) from error
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
    output = Path(output)
    return tuple(plan(chosen, changes, read_status(output), output, force).values())


def _check(jobs: int, timeout: int) -> None:
    check_installed()
    if jobs < 1:
        raise ReportError(f"jobs {jobs}: expected 1 or more")
    if timeout < 1:
        raise ReportError(f"timeout {timeout}: expected 1 second or more")


def check_installed() -> None:
    """Raise an error that says how to get what is missing, before anything is begun."""
    for module in NEEDED:
        if find_spec(module) is None:
            raise ReportError(f"{module} is not installed: reports need pip install 'popforecast[reports]'")


class _Making:
    """Reports being made in a folder: what is asked, run and written as the pipeline goes on."""

    def __init__(self, steps: Mapping[str, Step], output: Path, timeout: int, shown: Progress) -> None:
        self.steps = dict(steps)
        self.output = output
        self.timeout = timeout
        self.shown = shown
        self.results: dict[str, Result] = {}
        self.running: list[Execution] = []
        self.stopped = threading.Event()

    def begin(self, name: str) -> bool:
        """Decide whether a report is to be run, now that those before it are made."""
        step = self.steps[name]
        before = [self.results[other] for other in step.after]
        failed = [result.name for result in before if not result.ok]
        if not all(result.fresh for result in before):
            # They may have written what it reads.
            step = self.steps[name] = look_again(step, self.output)
        if step.fresh:
            self.results[name] = self._conclude(step, None, fresh=True)
        elif failed:
            self._end(step, f"Not made, because it rests on {', '.join(failed)}, which failed.")
        return name not in self.results

    def run(self, name: str, folder: Path) -> tuple[Path, str | None, float]:
        """Run a notebook; return it executed, what went wrong, and the seconds it took."""
        start = time.monotonic()
        step = self.steps[name]
        scratch, target = folder / name, folder / step.notebook.path.name
        scratch.mkdir()
        execution = Execution(step.notebook.path, target, dict(step.changed), scratch, self.timeout)
        self.running.append(execution)
        if self.stopped.is_set():
            execution.stop()
        error = execution.wait(self.shown.begin(name))
        seconds = time.monotonic() - start
        self.shown.end(name, seconds, error)
        return target, error, seconds

    def end(self, name: str, executed: Path, error: str | None, seconds: float) -> None:
        """Publish what a notebook shows, if it ran, and record how it ended."""
        step = self.steps[name]
        self._end(step, error or self._publish(step, executed, seconds))

    def stop(self) -> None:
        """End whatever still runs."""
        self.stopped.set()
        for execution in self.running:
            execution.stop()

    def _publish(self, step: Step, executed: Path, seconds: float) -> str | None:
        from popforecast.reports import pages

        try:
            report = pages.read_report(executed, step.notebook, step.changed, step.key)
            page = pages.render_page(report)
        except Exception as error:
            # Whatever a notebook shows that cannot be a page must not take the other reports down with it.
            return f"The page could not be made: {type(error).__name__}: {error}"
        publish(report, page, seconds, step.notebook, self.output)
        return None

    def _end(self, step: Step, error: str | None) -> None:
        if error:
            record(step.page, step.notebook, step.changed, error, self.output)
        self.results[step.name] = self._conclude(step, error)

    def _conclude(self, step: Step, error: str | None, fresh: bool = False) -> Result:
        page = self.output / f"{step.page}.html"
        path = page if page.exists() else None
        listed = is_listed(step.page, step.notebook, self.output)
        return Result(step.name, step.notebook.title, error is None, error, path, fresh, listed)


def _make(making: _Making, jobs: int, known: Iterable[str]) -> dict[str, Result]:
    """Run what is stale, in order; return what became of each report."""
    after = {name: step.after for name, step in making.steps.items()}
    with tempfile.TemporaryDirectory(prefix="popforecast-") as folder, closing(making.shown):
        run = partial(making.run, folder=Path(folder))
        try:
            with closing(run_in_order(after, jobs, making.begin, run)) as ended:
                for name, (executed, error, seconds) in ended:
                    making.end(name, executed, error, seconds)
                    write_index(known, making.output)
        finally:
            making.stop()
    write_index(known, making.output)
    return making.results
