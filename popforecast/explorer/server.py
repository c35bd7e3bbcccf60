"""The explorer as a page: Voilà with the project's own settings and template, from a checkout or a wheel."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, RequestHandler, authenticated
from traitlets import Int
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from popforecast.errors import InputError
from popforecast.explorer.assets import AssetHandler, list_large
from popforecast.reports.notebooks import PACKAGE, find_folder

KERNEL_ID = r"(?P<kernel_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

# Seconds after which a page that was refused may try again.
RETRY_AFTER = 30

# The page is whole without any other host. Jupyter's scripts make functions of text, and styles as they go.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)


class Kernels(AsyncMappingKernelManager):
    """Voilà's kernels: it adds the pool of those that wait, preheated, for a page to open.

    Attributes
    ----------
    opening : int
        Pages that are being made and have no kernel yet.
    """

    opening = 0
    # Voilà's pool sets it.
    notebook_path: str

    def count_taken(self) -> int:
        """Return how many kernels pages have, or are about to have."""
        return len(set(self.list_kernel_ids()) - self.list_waiting()) + self.opening

    def list_waiting(self) -> set[str]:
        """Return the kernels of the pool."""
        tasks = [task for pool in getattr(self, "_pools", {}).values() for task in pool]
        return {task.result()["kernel_id"] for task in tasks if task.done() and not task.exception()}

    async def is_alive_still(self, kernel_id: str) -> bool:
        """Return whether a kernel is there and runs; one that died is cleared away."""
        if kernel_id not in self:
            return False
        if await ensure_async(self.get_kernel(kernel_id).is_alive()):
            return True
        await self.leave(kernel_id)
        return False

    async def clear_away(self) -> None:
        """Clear away the kernels that died, those in the pool among them, and fill the pool again."""
        for kernel_id in self.list_kernel_ids():
            if not await self.is_alive_still(kernel_id) and hasattr(self, "fill_if_needed"):
                self.fill_if_needed(notebook_name=self.notebook_path)

    async def leave(self, kernel_id: str) -> None:
        """End a kernel at once: its page is closed, or it died."""
        if kernel_id in self:
            await ensure_async(self.shutdown_kernel(kernel_id, now=True))


class Anybody(IdentityProvider):
    """Whoever comes is nobody in particular, and gets no cookie that would tell them from others."""

    # There is nothing of anybody's to protect.
    auth_enabled = False

    def get_user(self, handler: RequestHandler) -> User:  # noqa: ARG002
        """Return the one user there is."""
        return User("anybody")


class PageHandler(TornadoVoilaHandler):
    """The page; where every kernel is taken, one that says so."""

    def initialize(self, most_kernels: int, **kwargs: Any) -> None:
        """Take the limit, and what Voilà's handler takes."""
        super().initialize(**kwargs)
        self.most_kernels = most_kernels

    @authenticated
    async def get(self, path: str | None = None) -> None:
        """Send the page as it is made."""
        if path:
            raise HTTPError(404)
        kernels = self.kernel_manager
        await kernels.clear_away()
        if kernels.count_taken() >= self.most_kernels:
            raise HTTPError(503, f"all {self.most_kernels} kernels are in use")
        kernels.opening += 1
        is_opening = True
        try:
            async for html in self.get_generator():
                if is_opening:
                    # With the first words of the page its kernel is there, and counted.
                    kernels.opening, is_opening = kernels.opening - 1, False
                self.write(html)
                self.flush()
        finally:
            kernels.opening -= is_opening

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the error as a page; one that is full says when to come again."""
        if status_code == 503:
            self.set_header("Retry-After", str(RETRY_AFTER))
        super().write_error(status_code, **kwargs)

    @property
    def content_security_policy(self) -> str:
        """What the browser may load: nothing from elsewhere."""
        return POLICY


class KernelHandler(RequestHandler):
    """Whether the kernel of an open page is alive (GET), and the end of one whose page is closed (POST)."""

    async def get(self, kernel_id: str) -> None:
        """Answer 204 for a kernel that runs, 410 for one that is gone."""
        alive = await self.settings["kernel_manager"].is_alive_still(kernel_id)
        self.set_header("Cache-Control", "no-store")
        self.set_status(204 if alive else 410)

    async def post(self, kernel_id: str) -> None:
        """End the kernel."""
        await self.settings["kernel_manager"].leave(kernel_id)
        self.set_status(204)


class HealthHandler(RequestHandler):
    """Whether the server answers: for a platform that asks."""

    def get(self) -> None:
        """Answer how many kernels pages have, and how many wait for one."""
        kernels = self.settings["kernel_manager"]
        self.set_header("Cache-Control", "no-store")
        self.write({"taken": kernels.count_taken(), "waiting": len(kernels.list_waiting())})


class Server(Voila):
    """Voilà with a limit on its kernels, compressing what it sends: a third of the bytes of the first load."""

    most_kernels = Int(8, min=1, config=True, help="Number of pages that can be open at a time.")

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
