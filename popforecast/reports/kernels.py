"""Processes in which papermill runs notebooks: ``python -P popforecast/reports/kernels.py``.

Processes are used because papermill changes the working directory, and because a process has a clean environment and
can always be stopped. A process runs this file and imports the package only to make a page: the kernel has its own
imports, and repeating them here would take longer than everything else.

Starting a kernel, importing and forecasting a panel take far longer than the page of one location. Each process
therefore reuses its kernel, including cached computations, for its next run. It clears names, counters and pandas
options in between. Tests check that the pages equal those of a fresh kernel, byte for byte.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from papermill.engines import Engine

# Seconds allowed for a stopped process to shut down its kernel.
GRACE = 10
LONGEST_ERROR = 400

# Sent instead of a job when no more will follow.
END = "\n"

# Run in a new kernel: records its initial names, because IPython's reset does not restore all of them.
REMEMBER = "get_ipython().first_names = dict(get_ipython().user_ns)"

# Run between two notebooks. It must not leave any names behind.
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
    """Process that runs notebooks one at a time; another thread can stop it.

    Parameters
    ----------
    scratch : Path
        Empty folder for the files that Jupyter writes.
    """

    def __init__(self, scratch: Path) -> None:
        self.errors = scratch / "errors.txt"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=make_environment(scratch),
                text=True,
                start_new_session=True,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.jobs, self.answers = self.process.stdin, self.process.stdout

    @property
    def alive(self) -> bool:
        """Whether the process is running and can accept another job."""
        return self.process.poll() is None

    def run(self, on_cell: Callable[[int, int], None] | None = None, **job: Any) -> dict[str, Any]:
        """Return the result of :func:`do_job`, run in the process.

        Parameters
        ----------
        on_cell : callable, optional
            Called when a cell starts, with its number and the number of cells.
        **job
            Parameters of :func:`do_job`.
        """
        # If the process is stopped or dies, its pipes are broken or closed.
        with suppress(OSError, ValueError):
            self._write(json.dumps(job) + "\n")
            while line := self.answers.readline():
                answer = json.loads(line)
                if "cell" not in answer:
                    return answer
                if on_cell:
                    on_cell(answer["cell"], answer["cells"])
        self.stop()
        said = self.errors.read_text(errors="replace").strip().splitlines()
        last = (said or [f"exit status {self.process.returncode}"])[-1]
        return {"error": f"The notebook could not be run: {_shorten(last)}"}

    def finish(self) -> None:
        """Let the process and its kernel exit normally."""
        with suppress(OSError, ValueError, subprocess.TimeoutExpired):
            self._write(END)
            self.process.wait(GRACE)
        self.stop()

    def stop(self) -> None:
        """Terminate the process and its kernel."""
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.jobs, self.answers):
            with suppress(OSError):
                pipe.close()

    def _write(self, line: str) -> None:
        self.jobs.write(line)
        self.jobs.flush()


def make_environment(scratch: Path) -> dict[str, str]:
    """Return the environment variables of a run: no user's Jupyter settings, and nothing that varies between runs."""
    folders = {name: str(scratch) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    fixed = {"PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    return os.environ | folders | fixed | {"JUPYTER_RUNTIME_DIR": str(scratch / "runtime")}


def skip_grammar() -> None:
    """Keep jsonschema, which nbformat imports, from compiling a grammar of international URLs (IRIs) in this process.

    Compiling takes a second, and no notebook needs it. The module is optional for jsonschema; if loaded, it stays.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def do_job(
    source: str,
    target: str,
    parameters: Mapping[str, Any],
    timeout: int,
    on_cell: Callable[[int, int], None],
    page: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run a notebook in this process, make its page if requested, and return the result.

    Parameters
    ----------
    source, target : str
        Paths of the notebook and of the executed copy.
    parameters : dict
        Parameters that differ from the defaults.
    timeout : int
        Maximum seconds per cell.
    on_cell : callable
        Called when a cell starts, with its number and the number of cells.
    page : dict, optional
        Information for the page: ``title`` and ``defaults`` of the notebook, and the fields of its ``key``.

    Returns
    -------
    dict
        As :func:`popforecast.reports.pages.make_page` returns it; without a page, only the error.
    """
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    cells = nbformat.read(source, as_version=4)
    try:
        papermill.execute_notebook(
            cells,
            target,
            parameters,
            kernel_name="python3",
            language="python",
            cwd=Path.cwd(),
            execution_timeout=timeout,
            progress_bar=False,
            request_save_on_cell_execute=False,
            on_cell_start=lambda cell_index, **_: on_cell(cell_index, len(cells.cells)),
        )
    except papermill.PapermillExecutionError as error:
        return {"error": f"Cell {error.exec_count}: {error.ename}: {_shorten(error.evalue)}"}
    except CellTimeoutError:
        return {"error": f"A cell took longer than {timeout} seconds and was stopped."}
    except DeadKernelError:
        return {"error": "The kernel died while running a cell, perhaps because it ran out of memory."}
    if page is None:
        return {"error": None}
    from popforecast.reports.keys import Key
    from popforecast.reports.notebooks import Notebook
    from popforecast.reports.pages import make_page

    notebook = Notebook(Path(source), page["title"], page["defaults"])
    return make_page(Path(target), notebook, parameters, Key(**page["key"]))


def make_engine() -> type[Engine]:
    """Return a papermill engine that reuses the kernel of the previous notebook."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine

    class WarmEngine(NBClientEngine):
        client: PapermillNotebookClient | None = None

        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, execution_timeout=None, on_cell_start=None, **_):
            last, cls.client = cls.client, None
            options = {"kernel_name": kernel_name, "timeout": execution_timeout, "on_cell_start": on_cell_start}
            client = PapermillNotebookClient(nb_man, last and last.km, **options)
            client.kc = last and last.kc
            with client.setup_kernel(cleanup_kc=False):
                try:
                    prepare = client.kc.execute(CLEAR if last else REMEMBER, silent=True, store_history=False)
                    client.wait_for_reply(prepare)
                    client.papermill_execute_cells()
                    reply = client.wait_for_reply(client.kc.kernel_info())
                except BaseException:
                    # After a failure, the next notebook starts with a new kernel.
                    client._cleanup_kernel()
                    raise
            client.nb.metadata["language_info"] = reply["content"]["language_info"]
            cls.client = client
            return client.nb

    return WarmEngine


def serve(jobs: Iterator[str], answers: IO[str]) -> None:
    """Run jobs one at a time, write a line for each cell and result, and finally shut down the kernel."""
    from papermill.engines import papermill_engines

    def tell(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    engine = make_engine()
    # Papermill uses this engine when none is named.
    papermill_engines.register(None, engine)
    try:
        for job in jobs:
            tell(**do_job(**json.loads(job), on_cell=lambda cell, cells: tell(cell=cell, cells=cells)))
    finally:
        if engine.client:
            engine.client._cleanup_kernel()


def _shorten(text: str) -> str:
    # Colours and memory addresses are removed: addresses differ between runs and are of no use to readers.
    plain = " ".join(re.sub(r"\x1b\[[\d;]*m|\s+at\s+0x[0-9a-f]+", "", text).split())
    return plain if len(plain) <= LONGEST_ERROR else plain[: LONGEST_ERROR - 2] + " …"


def _listen(jobs: IO[str], waiting: SimpleQueue[str]) -> None:
    """Queue jobs; terminate this process and its kernel when the parent process has ended, for whatever reason."""
    for line in jobs:
        waiting.put(line)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    skip_grammar()
    # Papermill imports pyarrow only to read notebooks from Hadoop, and the import is slow.
    sys.modules.setdefault("pyarrow", None)  # type: ignore[arg-type]
    # Makes the package importable from any working directory.
    sys.path.append(str(Path(__file__).parents[2]))
    waiting: SimpleQueue[str] = SimpleQueue()
    # A duplicate, because Python cannot close sys.stdin at exit while a thread reads it.
    jobs = os.fdopen(os.dup(sys.stdin.fileno()))
    threading.Thread(target=_listen, args=(jobs, waiting), daemon=True).start()
    # Anything else written to stdout goes to stderr, so that it cannot mix with the answers.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(iter(waiting.get, END), answers)
