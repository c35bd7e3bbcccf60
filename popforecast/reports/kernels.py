"""Processes in which papermill runs notebooks: ``python -P popforecast/reports/kernels.py``.

Processes, because papermill changes the working directory, and so that a run can be given a clean environment and be
stopped for certain. One is started as a file, and imports nothing of the package before it is asked for a page: what a
notebook computes with, its kernel imports, and to import it here, too, takes longer than all the rest.

To start a kernel, to import and to forecast a whole panel takes far longer than the page of a place. A process keeps
its kernel, and with it what modules remember of pure computations, for the next run. It clears what a run may leave
behind: names, counters and pandas' options. Tests hold its pages to those of a kernel of their own, byte for byte.
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

# Seconds that a stopped process has to end its kernel.
GRACE = 10
LONGEST_ERROR = 400

# In place of a job: there is none to come.
END = "\n"

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
    """A process that runs one notebook after another; it can be stopped from another thread.

    Parameters
    ----------
    scratch : Path
        An empty folder for whatever Jupyter wants to keep.
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
        """Whether the process can take another job."""
        return self.process.poll() is None

    def run(self, on_cell: Callable[[int, int], None] | None = None, **job: Any) -> dict[str, Any]:
        """Do a job as :func:`do_job` does, and return what it returns.

        Parameters
        ----------
        on_cell : callable, optional
            Told when a cell begins: which one, and of how many.
        **job
            The parameters of :func:`do_job`.
        """
        # Who stops the process, or it dies, breaks its pipes, or closes them.
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
        """Let the process and its kernel end by themselves."""
        with suppress(OSError, ValueError, subprocess.TimeoutExpired):
            self._write(END)
            self.process.wait(GRACE)
        self.stop()

    def stop(self) -> None:
        """End the process and its kernel."""
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
    """Return the environment of a run: nobody's own Jupyter settings, and nothing that varies between runs."""
    folders = {name: str(scratch) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    fixed = {"PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    return os.environ | folders | fixed | {"JUPYTER_RUNTIME_DIR": str(scratch / "runtime")}


def skip_grammar() -> None:
    """Keep jsonschema, which nbformat imports, from compiling a grammar of international addresses in this process.

    It takes a second, and no notebook is checked by it. To jsonschema it is optional; who has it already keeps it.
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
    """Run a notebook here and now, and make its page if asked to.

    Parameters
    ----------
    source, target : str
        The notebook, and where the executed one goes.
    parameters : dict
        What differs from the defaults.
    timeout : int
        Seconds that a cell may take.
    on_cell : callable
        Told when a cell begins: which one, and of how many.
    page : dict, optional
        What its page says: ``title`` and ``defaults`` of the notebook, and the fields of its ``key``.

    Returns
    -------
    dict
        As :func:`popforecast.reports.pages.make_page` returns it; without a page, nothing but the error.
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
    """Return papermill's own engine, but that one notebook's kernel is the next one's."""
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
                    # The next notebook gets a kernel that nothing has happened to.
                    client._cleanup_kernel()
                    raise
            client.nb.metadata["language_info"] = reply["content"]["language_info"]
            cls.client = client
            return client.nb

    return WarmEngine


def serve(jobs: Iterator[str], answers: IO[str]) -> None:
    """Do one job after another, and answer each with a line, and each of its cells; then end the kernel."""
    from papermill.engines import papermill_engines

    def tell(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    engine = make_engine()
    # The engine that papermill takes when it is told of none.
    papermill_engines.register(None, engine)
    try:
        for job in jobs:
            tell(**do_job(**json.loads(job), on_cell=lambda cell, cells: tell(cell=cell, cells=cells)))
    finally:
        if engine.client:
            engine.client._cleanup_kernel()


def _shorten(text: str) -> str:
    # Without colours, and addresses in memory, which differ from run to run and tell nobody anything.
    plain = " ".join(re.sub(r"\x1b\[[\d;]*m|\s+at\s+0x[0-9a-f]+", "", text).split())
    return plain if len(plain) <= LONGEST_ERROR else plain[: LONGEST_ERROR - 2] + " …"


def _listen(jobs: IO[str], waiting: SimpleQueue[str]) -> None:
    """Pass jobs on; end this process and its kernel when the one that started it is gone, however it went."""
    for line in jobs:
        waiting.put(line)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    skip_grammar()
    # Papermill could read notebooks from Hadoop by it, and takes long to import it for that.
    sys.modules.setdefault("pyarrow", None)  # type: ignore[arg-type]
    # The package that this file belongs to, wherever the process was started.
    sys.path.append(str(Path(__file__).parents[2]))
    waiting: SimpleQueue[str] = SimpleQueue()
    # By a file of its own: at the end, Python closes its own, and cannot while somebody reads.
    jobs = os.fdopen(os.dup(sys.stdin.fileno()))
    threading.Thread(target=_listen, args=(jobs, waiting), daemon=True).start()
    # Nothing else may write where the answers go.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(iter(waiting.get, END), answers)
