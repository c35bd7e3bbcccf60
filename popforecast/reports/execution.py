"""One notebook, run by papermill in a process of its own: ``python -P popforecast/reports/execution.py``.

A process, because papermill changes the working directory, and so that a run can be given a clean environment and be
stopped for certain. It is started as a file, and imports nothing of the package: what the notebook computes with, its
kernel imports, and to import it here, too, takes longer than all the rest.
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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# Seconds that a stopped run has to end its kernel.
GRACE = 10
LONGEST_ERROR = 400


class Execution:
    """A notebook being run; it can be stopped from another thread.

    Parameters
    ----------
    source, target : Path
        The notebook, and where the executed one goes.
    parameters : dict
        What differs from the defaults.
    scratch : Path
        An empty folder for whatever Jupyter wants to keep.
    timeout : int
        Seconds that a cell may take.
    """

    def __init__(self, source: Path, target: Path, parameters: dict[str, Any], scratch: Path, timeout: int) -> None:
        self.job = {"source": str(source), "target": str(target), "parameters": parameters, "timeout": timeout}
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

    def wait(self, on_cell: Callable[[int, int], None] | None = None) -> str | None:
        """Wait for the end; return what went wrong, in a sentence, or None.

        Parameters
        ----------
        on_cell : callable, optional
            Told when a cell begins: which one, and of how many.
        """
        answer = None
        with self.process:
            with suppress(OSError):
                # It stays open: where it ends, so does whoever wants the notebook, and the run stops.
                self.process.stdin.write(json.dumps(self.job) + "\n")
                self.process.stdin.flush()
            for line in self.process.stdout:
                answer = json.loads(line)
                if on_cell and "cell" in answer:
                    on_cell(answer["cell"], answer["cells"])
        if self.process.returncode or answer is None:
            said = self.errors.read_text(errors="replace").strip().splitlines()
            last = (said or [f"exit status {self.process.returncode}"])[-1]
            return f"The notebook could not be run: {_shorten(last)}"
        return answer["error"]

    def stop(self) -> None:
        """End the run and its kernel."""
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()


def run_notebook(
    source: str,
    target: str,
    parameters: dict[str, Any],
    timeout: int,
    on_cell: Callable[[int, int], None] | None = None,
) -> str | None:
    """Run a notebook here and now; return what went wrong, in a sentence, or None."""
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    notebook = nbformat.read(source, as_version=4)
    hooks = {"on_cell_start": lambda cell_index, **_: on_cell(cell_index, len(notebook.cells))} if on_cell else {}
    try:
        papermill.execute_notebook(
            notebook,
            target,
            parameters,
            kernel_name="python3",
            language="python",
            cwd=Path.cwd(),
            execution_timeout=timeout,
            progress_bar=False,
            log_output=False,
            request_save_on_cell_execute=False,
            **hooks,
        )
    except papermill.PapermillExecutionError as error:
        return f"Cell {error.exec_count}: {error.ename}: {_shorten(error.evalue)}"
    except CellTimeoutError:
        return f"A cell took longer than {timeout} seconds and was stopped."
    except DeadKernelError:
        return "The kernel died while a cell ran, perhaps for want of memory."
    return None


def skip_grammar() -> None:
    """Keep jsonschema, which nbformat imports, from compiling a grammar of international addresses in this process.

    It takes a second, and no notebook is checked by it. To jsonschema it is optional; who has it already keeps it.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def skip_storage() -> None:
    """Keep papermill from importing pyarrow in this process, by which it could read notebooks from Hadoop."""
    sys.modules.setdefault("pyarrow", None)  # type: ignore[arg-type]


def make_environment(scratch: Path) -> dict[str, str]:
    """Return the environment of a run: nobody's own Jupyter settings, and nothing that varies between runs."""
    folders = {name: str(scratch) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    fixed = {"PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    return os.environ | folders | fixed | {"JUPYTER_RUNTIME_DIR": str(scratch / "runtime")}


def _shorten(text: str) -> str:
    plain = " ".join(re.sub(r"\x1b\[[\d;]*m", "", text).split())
    # An address in memory differs from run to run, and tells nobody anything.
    plain = re.sub(r" at 0x[0-9a-f]+", "", plain)
    return plain if len(plain) <= LONGEST_ERROR else plain[: LONGEST_ERROR - 2] + " …"


def _stop_with_parent() -> None:
    """End this process and its kernel when the one that started it is gone, however it went."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def _tell(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    skip_grammar()
    skip_storage()
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    _tell(error=run_notebook(**job, on_cell=lambda cell, cells: _tell(cell=cell, cells=cells)))
