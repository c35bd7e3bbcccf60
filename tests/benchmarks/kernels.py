"""The same figures on any processor: the largest differences between kernels, threads, and ways to fit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import popforecast as pf
from popforecast.wpp.editions import VINTAGES
from tests.helpers.kernels import TOLERANCE, Difference, compare, compare_fits, compute_each, list_kernels

from .figure import Figure


def measure() -> Iterator[Figure]:
    """Compare all models on all revisions and vintages: every location to 2100, medians and bounds."""
    kernels = list_kernels()
    own = kernels[-1]
    runs = [*((name, 1) for name in kernels), (own, 2)]
    with TemporaryDirectory() as folder:
        computed = compute_each(runs, Path(folder), [*pf.REVISIONS, *VINTAGES], pf.models.MODELS)
    differences = {f"{a[0]} and {b[0]}": compare(computed[a], computed[b]) for a, b in combinations(runs[:-1], 2)}
    differences[f"{own}, one thread and two"] = compare(computed[own, 1], computed[own, 2])
    differences |= {f"{name}, embedded and fresh": compare_fits(computed[name, 1]) for name in kernels}
    for name, difference in differences.items():
        yield _show(name, difference)
    yield _show("all kernels, models, revisions and fits", max(differences.values()))


def _show(name: str, difference: Difference) -> Figure:
    return Figure(name, difference.value, "", TOLERANCE, str(difference) if difference.value else "none")
