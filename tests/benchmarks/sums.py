"""Intervals of sums are possible: bounds that cross, or exceed their members, over all models and revisions."""

from __future__ import annotations

from collections.abc import Iterator

import popforecast as pf
from tests.helpers.sums import count_faults

from .figure import Figure

LEVELS = (30, 50, 80, 95)


def measure() -> Iterator[Figure]:
    """Count the bounds to 2100 that cross, and those that reach beyond all members together."""
    for revision in pf.REVISIONS:
        panel = pf.load_panel(revision)
        for model in pf.models.MODELS:
            whole = pf.forecast_all(panel, model, LEVELS)
            if whole.membership is None:
                continue
            faults = count_faults(whole.prediction, whole.membership)
            beside = f"{len(whole.membership.aggregates)} aggregates, {faults.of:,} figures"
            yield Figure(f"{revision}, {model}: bounds that cross", faults.crossing, "", 0, beside)
            yield Figure(f"{revision}, {model}: wider than its members", faults.wider, "", 0)
