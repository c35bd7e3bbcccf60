"""Server of the explorer: Voilà with the settings and template of the project."""

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

# Seconds after which a refused client may try again.
RETRY_AFTER = 30

# The page needs no other host. Jupyter scripts evaluate code and set inline styles, hence the unsafe sources.
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
    """Manager of the kernels, to which Voilà adds a pool of preheated kernels for new pages.

    Attributes
    ----------
    opening : int
        Number of pages being opened that do not have a kernel yet.
    """

    opening = 0
    # Set by the pool of Voilà.
    notebook_path: str

    def count_taken(self) -> int:
        """Return the number of kernels that pages use or are about to use."""
        return len(set(self.list_kernel_ids()) - self.list_waiting()) + self.opening

    def list_waiting(self) -> set[str]:
        """Return the IDs of the preheated kernels in the pool."""
        tasks = [task for pool in getattr(self, "_pools", {}).values() for task in pool]
        return {task.result()["kernel_id"] for task in tasks if task.done() and not task.exception()}

    async def is_alive_still(self, kernel_id: str) -> bool:
        """Whether a kernel exists and is running; a dead kernel is removed."""
        if kernel_id not in self:
            return False
        if await ensure_async(self.get_kernel(kernel_id).is_alive()):
            return True
        await self.leave(kernel_id)
        return False

    async def clear_away(self) -> None:
        """Remove dead kernels, including those in the pool, and refill the pool."""
        for kernel_id in self.list_kernel_ids():
            if not await self.is_alive_still(kernel_id) and hasattr(self, "fill_if_needed"):
                self.fill_if_needed(notebook_name=self.notebook_path)

    async def leave(self, kernel_id: str) -> None:
        """Shut down a kernel immediately, because its page was closed or it died."""
        if kernel_id in self:
            await ensure_async(self.shutdown_kernel(kernel_id, now=True))


class Anybody(IdentityProvider):
    """Identity provider that treats all visitors as one anonymous user and sets no cookie."""

    # There is no user data to protect.
    auth_enabled = False

    def get_user(self, handler: RequestHandler) -> User:  # noqa: ARG002
        """Return the anonymous user."""
        return User("anybody")


class PageHandler(TornadoVoilaHandler):
    """Handler of the page; answers 503 if all kernels are in use."""

    def initialize(self, most_kernels: int, **kwargs: Any) -> None:
        """Set the kernel limit and the options of the Voilà handler."""
        super().initialize(**kwargs)
        self.most_kernels = most_kernels

    @authenticated
    async def get(self, path: str | None = None) -> None:
        """Stream the page while it is being rendered."""
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
                    # Once the first part of the page is ready, its kernel exists and is counted.
                    kernels.opening, is_opening = kernels.opening - 1, False
                self.write(html)
                self.flush()
        finally:
            kernels.opening -= is_opening

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write an error page; a full server adds a Retry-After header."""
        if status_code == 503:
            self.set_header("Retry-After", str(RETRY_AFTER))
        super().write_error(status_code, **kwargs)

    @property
    def content_security_policy(self) -> str:
        """The content security policy: nothing is loaded from other hosts."""
        return POLICY


class KernelHandler(RequestHandler):
    """Handler that checks the kernel of an open page (GET) and shuts it down when the page is closed (POST)."""

    async def get(self, kernel_id: str) -> None:
        """Answer 204 if the kernel is running, and 410 otherwise."""
        alive = await self.settings["kernel_manager"].is_alive_still(kernel_id)
        self.set_header("Cache-Control", "no-store")
        self.set_status(204 if alive else 410)

    async def post(self, kernel_id: str) -> None:
        """Shut down the kernel."""
        await self.settings["kernel_manager"].leave(kernel_id)
        self.set_status(204)


class HealthHandler(RequestHandler):
    """Health check for hosting platforms."""

    def get(self) -> None:
        """Answer with the numbers of kernels in use and of preheated kernels."""
        kernels = self.settings["kernel_manager"]
        self.set_header("Cache-Control", "no-store")
        self.write({"taken": kernels.count_taken(), "waiting": len(kernels.list_waiting())})


class Server(Voila):
    """Voilà with a limit on kernels and compressed responses, which cut the first load to a third."""

    most_kernels = Int(8, min=1, config=True, help="Number of pages that can be open at a time.")

    def init_settings(self) -> dict[str, Any]:
        """Return the settings of the Tornado application."""
        self.voila_configuration.page_config_hook = self._add_large
        return super().init_settings() | {"compress_response": True}

    def init_handlers(self) -> list[tuple[Any, ...]]:
        """Return the handlers of the application."""
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
        """Add the scripts to preload to the page configuration."""
        names = self.voila_configuration.extension_allowlist
        return page_config | {"large": list_large(self.labextensions_path, names)}


def read_environ(environ: Mapping[str, str], arguments: Sequence[str] = ()) -> list[str]:
    """Return the options set by environment variables: port and kernel limit.

    Arguments override environment variables.

    Raises
    ------
    InputError
        If a variable is not a whole number above zero.

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
        # A port is set if a hosting platform routes requests; otherwise only local requests are accepted.
        options += [f"--port={port}", "--Voila.ip=0.0.0.0", "--no-browser"]
    if "--Server.most_kernels" not in given and (kernels := _read_number(environ, "POPFORECAST_KERNELS")):
        options.append(f"--Server.most_kernels={kernels}")
    return options


def serve(arguments: Sequence[str] = ()) -> None:
    """Serve the explorer until stopped; arguments are those of Voilà and override environment variables."""
    notebook = find_folder() / "explore.ipynb"
    # Search path for Voilà templates; the second entry gives the template access to the shared style sheet.
    roots = [str(PACKAGE / "templates"), str(PACKAGE), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, roots))
    options = [f"--Voila.config_file_paths={notebook.parent}", *read_environ(os.environ, arguments), *arguments]
    Server.launch_instance([str(notebook), *options])


def _read_number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text)):
        raise InputError(f"{name} is {text!r}: expected a whole number above zero")
    return int(text) if text else None
