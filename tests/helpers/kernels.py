"""The same figures on other processors: computed with what this processor can run of their arithmetic, and compared.

A kernel is what a processor's instructions make of linear algebra (OpenBLAS), of NumPy's own loops and of the C
library's logarithms. A processor runs its own and those of older ones, in a process that is told so before it begins.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Figures = dict[str, NDArray[np.float64]]

ROOT = Path(__file__).parents[2]

LEVELS = (80, 95, 99.9)

# Two figures that differ by less, relative to the larger, are the same.
TOLERANCE = 1e-9

# What NumPy and the C library leave alone on a processor without AVX-512, and on one without AVX2 and FMA.
NO_AVX512 = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
NO_AVX2 = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA",
}


class Kernel(NamedTuple):
    """A kernel: the instructions it needs, as Linux names them, what OpenBLAS calls it, and what the others leave."""

    needs: tuple[str, ...]
    reported: str
    environment: Mapping[str, str]


# By the names that OPENBLAS_CORETYPE takes. OpenBLAS has one kernel before Nehalem, and one for Haswell and Zen.
KERNELS: Mapping[str, Kernel] = {
    "Prescott": Kernel((), "Katmai", NO_AVX2),
    "Nehalem": Kernel(("ssse3", "sse4_2"), "Nehalem", NO_AVX2),
    "Sandybridge": Kernel(("avx",), "Sandybridge", NO_AVX2),
    "Haswell": Kernel(("avx2", "fma"), "Haswell", NO_AVX512),
    "Zen": Kernel(("avx2", "fma"), "Haswell", NO_AVX512),
    "SkylakeX": Kernel(("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"), "SkylakeX", {}),
}


class KernelError(ValueError):
    """There is no such kernel, or this processor cannot run it."""


class Difference(NamedTuple):
    """The largest difference between two sets of figures, relative to the larger figure, and where it is."""

    value: float
    figure: str
    row: int
    step: int

    def __str__(self) -> str:
        import popforecast as pf

        panel = pf.load_panel(self.figure.split("/")[0])
        year = panel.origin + panel.step * (self.step + 1)
        return f"{self.figure}, {panel.locations['name'].iloc[self.row]} in {year}"


def list_kernels(flags: Set[str] | None = None) -> list[str]:
    """Return the kernels that a processor with these instructions can run (default: this one), the oldest first."""
    flags = _read_flags() if flags is None else flags
    return [name for name, kernel in KERNELS.items() if flags >= set(kernel.needs)]


def choose_environment(name: str, threads: int = 1, flags: Set[str] | None = None) -> dict[str, str]:
    """Return the environment in which a process computes with a kernel.

    Raises
    ------
    KernelError
        If there is no such kernel, or the processor lacks its instructions.
    """
    flags = _read_flags() if flags is None else flags
    if name not in KERNELS:
        raise KernelError(f"no kernel {name!r}: expected one of {', '.join(KERNELS)}")
    lacking = sorted(set(KERNELS[name].needs) - flags)
    if lacking:
        raise KernelError(
            f"kernel {name} needs {', '.join(lacking)}, which the processor lacks: expected one of "
            f"{', '.join(list_kernels(flags))}"
        )
    own = {"OPENBLAS_CORETYPE": name, "OPENBLAS_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    given = {key: value for key, value in os.environ.items() if key not in NO_AVX2}
    return given | own | KERNELS[name].environment


def compute_each(
    runs: Iterable[tuple[str, int]], folder: Path, panels: Iterable[str], models: Iterable[str]
) -> dict[tuple[str, int], Figures]:
    """Return what :func:`compute` returns in a process of each kernel and number of threads; two run at a time.

    Raises
    ------
    KernelError
        If a kernel is unknown, cannot be run, or was not used.
    """
    runs = list(runs)
    environments = [choose_environment(*run) for run in runs]
    paths = [folder / f"{name}-{threads}.npz" for name, threads in runs]

    def run(order: tuple[tuple[str, int], dict[str, str], Path]) -> Figures:
        (name, _), environment, path = order
        command = [sys.executable, "-m", "tests.helpers.kernels", name, str(path), ",".join(panels), ",".join(models)]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if ran.returncode:
            raise KernelError(f"kernel {name} computed nothing: {ran.stderr.strip()}")
        with np.load(path) as file:
            return {key: file[key] for key in file.files}

    panels, models = list(panels), list(models)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(runs, pool.map(run, zip(runs, environments, paths, strict=True)), strict=True))


def compute(panels: Iterable[str], models: Iterable[str]) -> Figures:
    """Forecast every location of panels by models to the last year: medians, and bounds at all levels.

    Returns
    -------
    dict of str to ndarray, shape (n, horizon)
        By "panel/model/how it was fitted/intervals/figure".
    """
    import popforecast as pf
    from popforecast.forecasting import ANALYTIC, FINAL, REAL_TIME
    from popforecast.forecasting.calibration import fit
    from popforecast.forecasting.store import EMBEDDED

    figures = {}
    for name in panels:
        panel = pf.load_panel(name)
        for model in map(pf.models.get, models):
            fits = {"fresh": fit(panel, model)}
            is_embedded = name in pf.REVISIONS and model.name in EMBEDDED
            fits |= {"embedded": pf.load_fitted(name, panel, model.name)} if is_embedded else {}
            for how, fitted in fits.items():
                for kind in (REAL_TIME, FINAL) if model.calibrated else (ANALYTIC,):
                    outlook = pf.forecast_all(panel, fitted, LEVELS, kind if model.calibrated else None)
                    whole, key = outlook.prediction, f"{name}/{model.name}/{how}/{kind}"
                    figures[f"{key}/median"] = whole.population
                    for level in LEVELS:
                        figures[f"{key}/lower {level:g}"] = whole.lower[level]
                        figures[f"{key}/upper {level:g}"] = whole.upper[level]
    return figures


def compare(one: Figures, other: Figures) -> Difference:
    """Return the largest relative difference between figures of the same names; what is below one person counts as one.

    Examples
    --------
    >>> round(compare({"a": np.array([[2.0, np.inf]])}, {"a": np.array([[2.002, np.inf]])}).value, 6)
    0.000999
    """
    worst = Difference(0.0, next(iter(one)), 0, 0)
    for key, ours in one.items():
        theirs = other[key]
        with np.errstate(invalid="ignore"):
            apart = np.abs(ours - theirs) / np.maximum(np.maximum(np.abs(ours), np.abs(theirs)), 1)
        # What one kernel has no number for, and the other has, differs by all there is.
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        apart = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
        row, step = np.unravel_index(apart.argmax(), apart.shape)
        if apart[row, step] > worst.value:
            worst = Difference(float(apart[row, step]), key, int(row), int(step))
    return worst


def compare_fits(figures: Figures) -> Difference:
    """Return the largest relative difference between the embedded fits and fresh ones."""
    embedded = {key: figure for key, figure in figures.items() if "/embedded/" in key}
    return compare(embedded, {key: figures[key.replace("/embedded/", "/fresh/")] for key in embedded})


def _read_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return set(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())


def _check_kernel(name: str) -> None:
    from threadpoolctl import threadpool_info

    found = {library["architecture"] for library in threadpool_info() if library["user_api"] == "blas"}
    if found != {KERNELS[name].reported}:
        sys.exit(f"asked for {KERNELS[name].reported}, and OpenBLAS computes with {', '.join(sorted(found))}")


def _run(name: str, command: Sequence[str]) -> int:
    """Run a command with a kernel, and return its status."""
    try:
        return subprocess.run(command, env=choose_environment(name)).returncode
    except KernelError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    # "run KERNEL COMMAND ..." runs any command with a kernel; what compute_each() starts writes figures.
    if sys.argv[1:2] == ["run"]:
        sys.exit(_run(sys.argv[2], sys.argv[3:]))
    kernel, path, panels, models = sys.argv[1:]
    _check_kernel(kernel)
    np.savez(path, **compute(panels.split(","), models.split(",")))
