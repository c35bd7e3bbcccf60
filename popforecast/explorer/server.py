"""The explorer as a page: Voilà with the project's own settings and template, from a checkout or a wheel."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_server.utils import url_path_join
from traitlets import Int
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from popforecast.errors import InputError
from popforecast.explorer.assets import AssetHandler, list_large
from popforecast.explorer.handlers import HealthHandler, KernelHandler, PageHandler
from popforecast.reports.notebooks import PACKAGE, find_folder

KERNEL_ID = r"(?P<kernel_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"


class Server(Voila):
    """Voilà with a limit on its kernels, compressing what it sends: a third of the bytes of the first load."""

    most_kernels = Int(8, min=1, config=True, help="How many pages may be open at a time; one more is told to wait.")

    def init_settings(self) -> dict[str, Any]:
        """Return the settings of the web application."""
        self.voila_configuration.page_config_hook = self._add_large
        return super().init_settings() | {"compress_response": True}

    def init_handlers(self) -> list[tuple[Any, ...]]:
        """Return what answers which path."""
        answers: dict[str, tuple[Any, ...]] = {
            f"explorer/kernels/{KERNEL_ID}": (KernelHandler,),
            "explorer/health": (HealthHandler,),
            "voila/static/(.*)": (AssetHandler, {"roots": self.static_paths}),
            "voila/labextensions/(.*)": (AssetHandler, {"roots": self.labextensions_path}),
        }
        own = [(url_path_join(self.server_url, path), *answer) for path, answer in answers.items()]
        limit = {"most_kernels": self.most_kernels}
        theirs = [
            (path, PageHandler, *(options | limit for options in rest)) if handler is TornadoVoilaHandler else entry
            for entry in super().init_handlers()
            for path, handler, *rest in [entry]
        ]
        return own + theirs

    def _add_large(self, page_config: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Tell the template which scripts to ask for first."""
        names = self.voila_configuration.extension_allowlist
        return page_config | {"large": list_large(self.labextensions_path, names)}


def read_environ(environ: Mapping[str, str], arguments: Sequence[str] = ()) -> list[str]:
    """Return the options that a platform's environment asks for: its port, and how many kernels it has room for.

    What the arguments say already, the environment does not.

    Raises
    ------
    InputError
        If a variable is no whole number.

    Examples
    --------
    >>> read_environ({"PORT": "5000", "POPFORECAST_KERNELS": "2"})
    ['--port=5000', '--Voila.ip=0.0.0.0', '--no-browser', '--Server.most_kernels=2']
    >>> read_environ({"PORT": "5000"}, ["--port=8866"])
    []
    """
    given = {argument.partition("=")[0] for argument in arguments}
    options = []
    if "--port" not in given and (port := _read_number(environ, "PORT")):
        # A port means that a platform's router is in front; without one only this machine may ask.
        options += [f"--port={port}", "--Voila.ip=0.0.0.0", "--no-browser"]
    if "--Server.most_kernels" not in given and (kernels := _read_number(environ, "POPFORECAST_KERNELS")):
        options.append(f"--Server.most_kernels={kernels}")
    return options


def serve(arguments: Sequence[str] = ()) -> None:
    """Serve the explorer until it is stopped; arguments are Voilà's own, and come before what the environment says."""
    notebook = find_folder() / "explore.ipynb"
    # Where Jupyter looks for Voilà's templates; the second entry lets the template take up the shared style sheet.
    roots = [str(PACKAGE / "templates"), str(PACKAGE), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, roots))
    options = [f"--Voila.config_file_paths={notebook.parent}", *read_environ(os.environ, arguments), *arguments]
    Server.launch_instance([str(notebook), *options])


def _read_number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text)):
        raise InputError(f"{name} is {text!r}: expected a whole number above zero")
    return int(text) if text else None
