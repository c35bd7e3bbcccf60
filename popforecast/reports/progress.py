"""How far a pipeline is: on a terminal a bar for the reports and one for the cells of each; else a line for each."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable


class Progress:
    """What is shown while reports are made, on standard error.

    Parameters
    ----------
    total : int
        How many reports are to be made.
    shown : bool
        Whether to show anything.
    """

    def __init__(self, total: int, shown: bool) -> None:
        from tqdm import tqdm

        self.lines = shown and not sys.stderr.isatty()
        self.bars = shown and not self.lines
        self.pipeline = tqdm(total=total, desc="reports", unit="report", position=0, disable=not self.bars)
        # Below it, one for each report that is being made, in a place that another may take later.
        self.cells: dict[str, tqdm] = {}
        self.lock = threading.Lock()

    def begin(self, name: str) -> Callable[[int, int], None]:
        """Show that a report is begun; return what is told of its cells."""
        from tqdm import tqdm

        self._say(f"{name}: begun")
        with self.lock:
            taken = {abs(bar.pos) for bar in self.cells.values()}
            place = next(place for place in range(1, len(taken) + 2) if place not in taken)
            bar = tqdm(desc=f"  {name}", unit="cell", position=place, leave=False, disable=not self.bars)
            self.cells[name] = bar

        def show_cell(cell: int, cells: int) -> None:
            bar.total = cells
            bar.n = cell
            bar.refresh()

        return show_cell

    def end(self, name: str, seconds: float, error: str | None) -> None:
        """Show that a report has ended."""
        with self.lock:
            self.cells.pop(name).close()
        self.pipeline.update()
        self._say(f"{name}: {'failed' if error else 'made'} in {seconds:.1f} s")

    def close(self) -> None:
        """Take the bars away."""
        for bar in [*self.cells.values(), self.pipeline]:
            bar.close()

    def _say(self, line: str) -> None:
        if self.lines:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
