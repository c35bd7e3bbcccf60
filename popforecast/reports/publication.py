"""make_reports(): run notebooks, publish each as a page, and keep the index of all that was published."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from popforecast.errors import ReportError
from popforecast.files import write_atomically, write_together
from popforecast.reports.execution import Execution
from popforecast.reports.lock import hold
from popforecast.reports.notebooks import PACKAGE, Notebook, check_parameters, choose_notebooks, find_notebooks

STATUS = "status.json"
INDEX = "index.html"
STYLE = PACKAGE / "theme" / "style.css"

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
    """

    name: str
    title: str
    ok: bool
    error: str | None
    path: Path | None


def make_reports(
    names: Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    output: str | Path = "reports",
    jobs: int = 1,
    progress: bool = False,
    folder: Path | None = None,
    timeout: int = TIMEOUT,
) -> tuple[Result, ...]:
    """Run notebooks and publish what they show.

    A report that fails is listed as failed, and its last good page stays. Pages are written whole or not at all, and
    the same notebook with the same parameters and data gives the same bytes. Several runs may share a folder: each
    waits while another writes.

    Parameters
    ----------
    names : sequence of str, optional
        Which reports (default: all there are).
    parameters : dict, optional
        Values, or their text as the command line has it, for parameters that every one of these reports takes.
    output : path
        Folder of the pages, the index and, under ``notebooks/``, the executed notebooks.
    jobs : int
        How many to run at a time.
    progress : bool
        Show a progress bar.
    folder : path, optional
        Where the notebooks lie (default: those that come with popforecast).
    timeout : int
        Seconds that one cell may take.

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
    _check_installed()
    notebooks = find_notebooks(folder)
    chosen = choose_notebooks(notebooks, names)
    changed = check_parameters(chosen, parameters or {})
    if jobs < 1:
        raise ReportError(f"jobs {jobs}: expected 1 or more")
    output = Path(output)
    results = {}
    try:
        (output / "notebooks").mkdir(parents=True, exist_ok=True)
        write_atomically(output / STYLE.name, STYLE.read_bytes())
        with closing(_run(chosen, changed, jobs, timeout)) as runs:
            for notebook, executed, error in _show(runs, len(chosen), progress):
                if error is None:
                    error = _publish(notebook, changed, executed, output)
                results[notebook.name] = _record(notebook, error, output, notebooks)
    except OSError as error:
        raise ReportError(
            f"the reports cannot be written to {output} ({error.strerror}): choose a folder that can be written to, "
            "and has room"
        ) from error
    return tuple(results[notebook.name] for notebook in chosen)


def _check_installed() -> None:
    for module in NEEDED:
        if find_spec(module) is None:
            raise ReportError(f"{module} is not installed: reports need pip install 'popforecast[reports]'")


def _run(
    notebooks: Sequence[Notebook], parameters: dict[str, Any], jobs: int, timeout: int
) -> Iterator[tuple[Notebook, Path, str | None]]:
    """Run notebooks side by side; yield each as it ends, with the executed notebook and what went wrong."""
    running: list[Execution] = []
    with tempfile.TemporaryDirectory(prefix="popforecast-") as temporary, ThreadPoolExecutor(jobs) as pool:
        start = partial(_run_one, parameters=parameters, timeout=timeout, folder=Path(temporary), running=running)
        futures = [pool.submit(start, notebook) for notebook in notebooks]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for execution in running:
                execution.stop()


def _run_one(
    notebook: Notebook, parameters: dict[str, Any], timeout: int, folder: Path, running: list[Execution]
) -> tuple[Notebook, Path, str | None]:
    scratch, target = folder / notebook.name, folder / notebook.path.name
    scratch.mkdir()
    execution = Execution(notebook.path, target, parameters, scratch, timeout)
    running.append(execution)
    return notebook, target, execution.wait()


def _publish(notebook: Notebook, changed: dict[str, Any], executed: Path, output: Path) -> str | None:
    """Write the pages of an executed notebook and what the index says of it; return what went wrong, or None."""
    from popforecast.reports import pages

    try:
        report = pages.read_report(executed, notebook, changed)
        page = pages.render_page(report)
    except Exception as error:
        # Whatever a notebook shows that cannot be a page must not take the other reports down with it.
        return f"The page could not be made: {type(error).__name__}: {error}"
    contents = {
        f"{notebook.name}.svg": report.figure,
        f"notebooks/{notebook.name}.ipynb": report.source,
        f"{notebook.name}.html": page,
    }
    # Together: the index must not show the figure of one run beside the finding of another.
    with hold(output):
        write_together({output / name: content.encode() for name, content in contents.items() if content})
        for name, content in contents.items():
            if not content:
                (output / name).unlink(missing_ok=True)
        _update(output, notebook.name, {"good": report.facts})
    return None


def _record(notebook: Notebook, error: str | None, output: Path, notebooks: Mapping[str, Notebook]) -> Result:
    """Record how a run ended, write the index anew, and return the result."""
    from popforecast.reports import pages

    with hold(output):
        status = _update(output, notebook.name, {"title": notebook.title, "error": error})
        listed = [_list(name, status[name], output) for name in notebooks if name in status]
        write_atomically(output / INDEX, pages.render_index(listed).encode())
    page = output / f"{notebook.name}.html"
    return Result(notebook.name, notebook.title, error is None, error, page if page.exists() else None)


def _list(name: str, recorded: dict[str, Any], output: Path) -> dict[str, Any]:
    """Return what the index shows of a report."""
    figure = output / f"{name}.svg"
    there = (output / f"{name}.html").exists()
    return {
        "name": name,
        **recorded,
        "good": recorded["good"] if there else None,
        "figure": figure.read_text(encoding="utf-8") if there and figure.exists() else "",
    }


def _update(output: Path, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Change what is recorded of one report; return what is recorded of all."""
    status = _read_status(output)
    status[name] = {"title": name, "error": None, "good": None} | status.get(name, {}) | facts
    content = json.dumps(dict(sorted(status.items())), indent=2, ensure_ascii=False) + "\n"
    write_atomically(output / STATUS, content.encode())
    return status


def _read_status(output: Path) -> dict[str, Any]:
    try:
        status = json.loads((output / STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # It can be made again from the notebooks; a damaged one must not keep them from running.
        return {}
    known = status.items() if isinstance(status, dict) else ()
    return {name: facts for name, facts in known if isinstance(facts, dict)}


def _show(ended: Iterator[Any], total: int, progress: bool) -> Iterator[Any]:
    from tqdm import tqdm

    yield from tqdm(ended, total=total, desc="reports", unit="report", disable=not progress)
