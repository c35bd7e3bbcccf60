"""Errors of growth in real time relative to the UN's, for our default models, pooled over vintages and years."""

from __future__ import annotations

from collections.abc import Iterator

from popforecast.evaluation.real_time import LEVEL, POOLED, relate_to_medium
from popforecast.models import BY_AGE

from .figure import Figure

ASKED = {"mean": 1.01, "median": 0.95}


def measure() -> Iterator[Figure]:
    """Compare the ratios of the default model with what is asked of it; what is at each target stands beside it."""
    table = relate_to_medium(models=BY_AGE)
    pooled = table[table["vintage"] == POOLED].iloc[0]
    for measure, asked in ASKED.items():
        each = ", ".join(f"{value:.2f}" for value in table.loc[table["vintage"] != POOLED, measure])
        bounds = f"[{pooled[f'{measure}_lower_{LEVEL}']:.2f}, {pooled[f'{measure}_upper_{LEVEL}']:.2f}]"
        yield Figure(f"{BY_AGE}: {measure} error / the UN's", pooled[measure], "", asked, f"{bounds}; targets {each}")
