"""What the explorer's server answers beside Voilà's own: a page or that it is full, and whether a kernel is alive."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, RequestHandler, authenticated
from voila.tornado.handler import TornadoVoilaHandler

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


class Anybody(IdentityProvider):
    """Whoever comes is nobody in particular, and gets no cookie that would tell them from others."""

    # There is nothing of anybody's to protect.
    auth_enabled = False

    def get_user(self, handler: JupyterHandler) -> User:  # noqa: ARG002
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
            raise HTTPError(503, f"all {self.most_kernels} kernels are taken")
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
