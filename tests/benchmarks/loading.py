"""How long the embedded tables, models and records take to load and check."""

from __future__ import annotations

from functools import partial

import popforecast as pf

from .figure import Figure, time_median


def measure() -> list[Figure]:
    """Time every embedded revision, and what is computed from them: the app starts from both of each."""
    panels = {name: pf.load_panel(name) for name in pf.REVISIONS}

    def load_computed() -> None:
        for name, panel in panels.items():
            pf.load_fitted(name, panel)
            pf.load_record(name)
        pf.load_vintage_record()

    return [
        *(
            Figure(f"load_panel({name!r})", 1e3 * time_median(partial(pf.load_panel, name), 20), "ms", 50)
            for name in pf.REVISIONS
        ),
        Figure("fitted models and records of all", 1e3 * time_median(load_computed, 20), "ms", 50),
    ]
