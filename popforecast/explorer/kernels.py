"""The kernels behind the explorer's pages: how many there may be, and what becomes of those that are closed or dead."""

from __future__ import annotations

from jupyter_core.utils import ensure_async
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager


class Kernels(AsyncMappingKernelManager):
    """Voilà's kernels: it adds the pool of those that wait, preheated, for a page to open.

    Attributes
    ----------
    opening : int
        Pages that are being made and have no kernel yet.
    """

    opening = 0

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
