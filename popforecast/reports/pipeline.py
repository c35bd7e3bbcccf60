"""Plan of stale reports: reasons, order and progress."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from popforecast.errors import ReportError
from popforecast.reports.keys import Key, digest, read_key, read_package
from popforecast.reports.notebooks import Notebook, name_page
from popforecast.reports.site import Site


@dataclass(frozen=True)
class Step:
    """A report in a plan, or the page of a location in a series.

    Attributes
    ----------
    name : str
        Name in the plan.
    page : str
        Name of the page.
    notebook : Notebook
    changed : dict
        Parameters that differ from the defaults.
    key : Key
        Current key of its inputs.
    reasons : tuple of str
        Reasons to make it; empty if its page is fresh.
    after : tuple of str
        Reports in the same plan that must be made first.
    """

    name: str
    page: str
    notebook: Notebook
    changed: Mapping[str, Any]
    key: Key
    reasons: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def fresh(self) -> bool:
        """Whether the page is up to date."""
        return not self.reasons

    def __str__(self) -> str:
        state = f"stale: {', '.join(self.reasons)}" if self.reasons else "fresh"
        return f"{self.page}: {state}" + (f" (after {', '.join(self.after)})" if self.after else "")


def plan(
    notebooks: Sequence[Notebook], changes: Mapping[str, Mapping[str, Any]], site: Site, force: bool = False
) -> dict[str, Step]:
    """Return the steps of a plan by name, in an order that respects their dependencies.

    Parameters
    ----------
    notebooks : sequence of Notebook
    changes : dict
        For each notebook, by name, the parameters that differ from its defaults.
    site : Site
        Folder of the pages.
    force : bool
        Make fresh pages too.

    Raises
    ------
    ReportError
        If reports depend on one another in a cycle.
    """
    chosen = {notebook.name: notebook for notebook in notebooks}
    after = {name: tuple(filter(chosen.__contains__, chosen[name].after)) for name in chosen}
    try:
        order = list(TopologicalSorter(after).static_order())
    except CycleError as error:
        raise ReportError(
            f"reports depend on one another in a cycle: {' after '.join(error.args[1])}; expected an order"
        ) from error
    package = read_package()
    steps = []
    for name in order:
        notebook, changed = chosen[name], changes[name]
        key = read_key(notebook, changed, package)
        steps.append(Step(name, name_page(notebook, changed), notebook, changed, key, after=after[name]))
    return compare(steps, site, force)


def compare(steps: Iterable[Step], site: Site, force: bool = False) -> dict[str, Step]:
    """Return steps by name, with the reasons to make each, based on the record of a site."""
    status, asked = site.read_status(), ("asked for",) if force else ()
    return {step.name: replace(step, reasons=find_reasons(step, status, site.output) or asked) for step in steps}


def find_reasons(step: Step, status: Mapping[str, Any], output: Path) -> tuple[str, ...]:
    """Return the reasons to make a report; empty if its page is fresh."""
    recorded = status.get(step.page)
    if not recorded or not recorded["good"]:
        return ("never made",) if not recorded or not recorded["error"] else ("failed last time",)
    good, made, parameters = recorded["good"], recorded["made"], step.key.parameters
    reasons = ["failed last time"] if recorded["error"] else []
    reasons += ["not made in this checkout"] if made is None else []
    reasons += step.key.explain(good.get("key", {}), good["parameters"])
    for name, checksum in {**good.get("files", {}), **(made or {}).get("files", {})}.items():
        try:
            if digest((output / name).read_bytes()) != checksum:
                reasons.append(f"{name} changed since")
        except OSError:
            reasons.append(f"{name} is missing")
    reasons += [f"{name} {parameters[name]} is to be written" for name in step.notebook.writes if parameters[name]]
    return tuple(reasons)


def look_again(step: Step, site: Site) -> Step:
    """Return a step with its current key and reasons, after others were made; a stale step remains stale."""
    step = replace(step, key=read_key(step.notebook, step.changed, read_package()))
    return replace(step, reasons=find_reasons(step, site.read_status(), site.output) or step.reasons)


def run_in_order(
    after: Mapping[str, Iterable[str]], jobs: int, begin: Callable[[str], bool], run: Callable[[str], Any]
) -> Generator[tuple[str, Any]]:
    """Run tasks in parallel, each after its dependencies, and yield their results.

    Parameters
    ----------
    after : dict
        Dependencies of each task.
    jobs : int
        Number of tasks to run at a time.
    begin : callable
        Called for each task that is ready; returns whether to run it.
    run : callable
        Runs a task in a thread.

    Yields
    ------
    tuple
        Task and result, in order of completion. Dependent tasks start when the next result is requested.

    Examples
    --------
    >>> list(run_in_order({"b": ["a"], "a": [], "c": ["b"]}, 2, lambda name: name != "b", str.upper))
    [('a', 'A'), ('c', 'C')]
    """
    sorter = TopologicalSorter(after)
    sorter.prepare()
    running: dict[Future[Any], str] = {}
    pool = ThreadPoolExecutor(jobs)
    try:
        while sorter.is_active():
            while ready := sorter.get_ready():
                for name in ready:
                    if begin(name):
                        running[pool.submit(run, name)] = name
                    else:
                        sorter.done(name)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                yield name, future.result()
                sorter.done(name)
    finally:
        # Without waiting: the caller may need to stop running tasks.
        pool.shutdown(wait=False, cancel_futures=True)


class Progress:
    """Progress display: bars for all reports and the cells of each on a terminal, and lines of text elsewhere.

    Parameters
    ----------
    steps : collection of Step
        All steps; stale ones will be made.
    shown : bool
        Whether to show progress.
    series : bool
        Whether the steps are pages of a series, for which a single bar is always shown.
    """

    def __init__(self, steps: Collection[Step], shown: bool, series: bool = False) -> None:
        from tqdm import tqdm

        fresh = sum(step.fresh for step in steps)
        unit, total, done = ("page", len(steps), fresh) if series else ("report", len(steps) - fresh, 0)
        self.lines = shown and not series and not sys.stderr.isatty()
        self.bars = shown and not self.lines
        self.hidden = series or not self.bars
        self.pipeline = tqdm(total=total, initial=done, desc=f"{unit}s", unit=unit, position=0, disable=not self.bars)
        # Bars of the running reports, below the main bar; their positions are reused.
        self.cells: dict[str, tqdm] = {}
        self.lock = threading.Lock()

    def begin(self, name: str) -> Callable[[int, int], None]:
        """Show that a report has started; return the callback for its cells."""
        from tqdm import tqdm

        self._say(f"{name}: begun")
        with self.lock:
            taken = {abs(bar.pos) for bar in self.cells.values()}
            place = next(place for place in range(1, len(taken) + 2) if place not in taken)
            bar = tqdm(desc=f"  {name}", unit="cell", position=place, leave=False, disable=self.hidden)
            self.cells[name] = bar

        def show_cell(cell: int, cells: int) -> None:
            bar.total = cells
            bar.n = cell
            bar.refresh()

        return show_cell

    def end(self, name: str, seconds: float, error: str | None) -> None:
        """Show that a report has ended."""
        with self.lock:
            self.cells.pop(name).close()
        self.pipeline.update()
        self._say(f"{name}: {'failed' if error else 'made'} in {seconds:.1f} s")

    def close(self) -> None:
        """Remove the bars."""
        for bar in [*self.cells.values(), self.pipeline]:
            bar.close()

    def _say(self, line: str) -> None:
        if self.lines:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
