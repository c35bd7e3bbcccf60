"""The explorer as a page: Voilà with the project's own settings and template, from a checkout or a wheel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from voila.app import Voila

PACKAGE = Path(__file__).parents[1]


class KernelManager(AsyncMappingKernelManager):
    """Culls the kernels of closed tabs, and spares those that wait, preheated, for a first tab.

    Without this the pool is empty after the first idle timeout, and Voilà never fills it again.
    """

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Cull a kernel that was used and is idle."""
        if kernel_id not in self._list_waiting():
            await super().cull_kernel_if_idle(kernel_id)

    def _list_waiting(self) -> set[str]:
        tasks = [task for pool in getattr(self, "_pools", {}).values() for task in pool]
        return {task.result()["kernel_id"] for task in tasks if task.done() and not task.exception()}


class Server(Voila):
    """Voilà, compressing what it sends: a third of the bytes of the first load."""

    def init_settings(self) -> dict[str, Any]:
        """Return the settings of the web application."""
        return super().init_settings() | {"compress_response": True}


def find_notebook(name: str = "explore") -> Path:
    """Return the notebook of the explorer: in the wheel it lies inside the package, in a checkout beside it."""
    folders = (PACKAGE / "notebooks", PACKAGE.parent / "notebooks")
    return next(path for folder in folders if (path := folder / f"{name}.ipynb").exists())


def serve(arguments: Sequence[str] = ()) -> None:
    """Serve the explorer until it is stopped; arguments are Voilà's own."""
    notebook = find_notebook()
    # Where Jupyter looks for Voilà's templates; the second entry lets the template take up the shared style sheet.
    roots = [str(PACKAGE / "templates"), str(PACKAGE), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, roots))
    Server.launch_instance([str(notebook), f"--Voila.config_file_paths={notebook.parent}", *arguments])
