"""Many pages from one kernel, which is cleared between notebooks: ``python -m popforecast.reports.warm``.

To start a kernel, to import and to forecast a whole panel takes far longer than a page. A worker therefore keeps its
kernel, and with it what modules remember of pure computations. It clears what a notebook may leave behind: names,
counters and pandas' options. Tests hold its pages to those of a kernel of their own, byte for byte.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from popforecast.reports.execution import GRACE, make_environment, run_notebook, skip_grammar

if TYPE_CHECKING:
    from papermill.engines import Engine

# In a new kernel: the names it begins with, of which IPython's own reset leaves some out.
REMEMBER = "get_ipython().first_names = dict(get_ipython().user_ns)"

# Between two notebooks. It leaves no name of its own.
CLEAR = """
import warnings, pandas
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pandas.reset_option("all")
get_ipython().reset(new_session=True)
get_ipython().user_ns.update(
    {name: value for name, value in get_ipython().first_names.items() if name not in get_ipython().user_ns}
)
"""


class Worker:
    """A process that makes one page after another; it can be stopped from another thread.

    Parameters
    ----------
    scratch : Path
        An empty folder for whatever Jupyter wants to keep.
    """

    def __init__(self, scratch: Path) -> None:
        self.errors = scratch / "errors.txt"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=make_environment(scratch),
                text=True,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Whether the process can take another job."""
        return self.process.poll() is None

    def run(self, **job: Any) -> dict[str, Any]:
        """Make a page, as :func:`make_page` does, and return what it returns."""
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except (OSError, ValueError):
            # It was stopped, or died: a pipe that is broken, or closed.
            answer = ""
        if answer:
            return json.loads(answer)
        self.stop()
        said = self.errors.read_text(errors="replace").strip().splitlines()
        last = (said or [f"exit status {self.process.returncode}"])[-1]
        return {"error": f"The notebook could not be run: {last}"}

    def stop(self) -> None:
        """End the process and its kernel."""
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                pipe.close()


def make_page(
    folder: str,
    name: str,
    parameters: dict[str, Any],
    target: str,
    timeout: int,
    title: str | None = None,
    key: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Run a notebook in this process's kernel and write its page.

    Parameters
    ----------
    folder, name : str
        Where the notebook lies, and what it is called.
    parameters : dict
        What differs from the defaults.
    target : str
        The file of the page; the executed notebook goes beside it.
    timeout : int
        Seconds that a cell may take.
    title : str, optional
        What the page is called (default: as the notebook).
    key : dict, optional
        What the page is made of, as the fields of a :class:`popforecast.reports.keys.Key` (default: what is there now).

    Returns
    -------
    dict
        error: what went wrong, in a sentence, or None; then facts: what the page states of itself.
    """
    from dataclasses import replace

    from popforecast.reports.keys import Key
    from popforecast.reports.notebooks import LOCATION, find_notebooks
    from popforecast.reports.pages import read_report, render_page

    notebook = find_notebooks(Path(folder))[name]
    if title:
        # Of the page of a place, the place is no change.
        own = {**notebook.defaults, LOCATION: parameters[LOCATION]}
        notebook = replace(notebook, title=title, defaults=own)
    page = Path(target)
    executed = page.with_suffix(".ipynb")
    error = run_notebook(str(notebook.path), str(executed), parameters, timeout)
    if error:
        return {"error": error}
    try:
        report = read_report(executed, notebook, parameters, key and Key(**key))
        page.write_text(render_page(report), encoding="utf-8")
    except Exception as error:
        # Whatever a notebook shows that cannot be a page must not take the other pages down with it.
        return {"error": f"The page could not be made: {type(error).__name__}: {error}"}
    return {"error": None, "facts": dict(report.facts)}


def make_engine() -> type[Engine]:
    """Return papermill's own engine, but that one notebook's kernel is the next one's."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine

    class WarmEngine(NBClientEngine):
        client: PapermillNotebookClient | None = None

        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, execution_timeout=None, **_):
            last, cls.client = cls.client, None
            client = PapermillNotebookClient(
                nb_man, last and last.km, kernel_name=kernel_name, timeout=execution_timeout
            )
            client.kc = last and last.kc
            with client.setup_kernel(cleanup_kc=False):
                try:
                    prepare = client.kc.execute(CLEAR if last else REMEMBER, silent=True, store_history=False)
                    client.wait_for_reply(prepare)
                    client.papermill_execute_cells()
                    reply = client.wait_for_reply(client.kc.kernel_info())
                except BaseException:
                    # The next notebook gets a kernel that nothing has happened to.
                    client._cleanup_kernel()
                    raise
            client.nb.metadata["language_info"] = reply["content"]["language_info"]
            cls.client = client
            return client.nb

    return WarmEngine


def serve(jobs: IO[str], answers: IO[str]) -> None:
    """Make a page for each line of jobs, and answer each with a line; then end the kernel."""
    from papermill.engines import papermill_engines

    engine = make_engine()
    # The engine that papermill takes when it is told of none.
    papermill_engines.register(None, engine)
    try:
        for job in jobs:
            answers.write(json.dumps(make_page(**json.loads(job))) + "\n")
            answers.flush()
    finally:
        if engine.client:
            engine.client._cleanup_kernel()


if __name__ == "__main__":
    skip_grammar()
    # Nothing else may write where the answers go.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin, answers)
