"""How long the embedded tables take to load and check."""

from __future__ import annotations

from functools import partial

import popforecast as pf

from .figure import Figure, time_median


def measure() -> list[Figure]:
    """Time every embedded revision."""
    return [
        Figure(f"load_panel({name!r})", 1e3 * time_median(partial(pf.load_panel, name), 20), "ms", 50)
        for name in pf.REVISIONS
    ]
