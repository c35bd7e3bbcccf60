"""Errors of growth in real time relative to the UN's, for our default and its mean with the UN's, pooled."""

from __future__ import annotations

from collections.abc import Iterator

from popforecast.evaluation.real_time import LEVEL, WITH_UN, relate_to_medium
from popforecast.models import BY_AGE

from .figure import Figure

ASKED = {(BY_AGE, "mean"): 1.01, (BY_AGE, "median"): 0.95, (WITH_UN, "mean"): 0.98}


def measure() -> Iterator[Figure]:
    """Compare the pooled ratios with what is asked; those of each vintage and year stand beside them."""
    table = relate_to_medium(models=BY_AGE)
    for (source, measure), asked in ASKED.items():
        *targets, pooled = table[table["source"] == source].to_dict("records")
        each = ", ".join(f"{target[measure]:.2f}" for target in targets)
        bounds = f"[{pooled[f'{measure}_lower_{LEVEL}']:.2f}, {pooled[f'{measure}_upper_{LEVEL}']:.2f}]"
        yield Figure(f"{source}: {measure} error / the UN's", pooled[measure], "", asked, f"{bounds}; targets {each}")
