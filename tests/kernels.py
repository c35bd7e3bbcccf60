"""The same figures on other processors: what one processor can run of the others' arithmetic, and how far figures part.

A kernel is the code that linear algebra (OpenBLAS) and NumPy's own loops choose by the processor's instructions. A
processor runs its own and those of the older ones, in a process that is told so before it begins.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent

LEVELS = (80, 95, 99.9)

# The instructions of a processor beyond x86-64-v2, as Linux names them, and as NumPy does (a set of them by one name).
WIDE, WIDER = ("avx2", "fma"), ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")
X86_V3, X86_V4 = ("X86_V3",), ("X86_V4", "AVX512_ICL", "AVX512_SPR")


class Kernel(NamedTuple):
    """A kernel by OpenBLAS's name: what it needs, what it calls itself, and what NumPy leaves alone with it."""

    needs: tuple[str, ...]
    reported: str
    without: tuple[str, ...]


# OpenBLAS builds Prescott's kernel for all before Nehalem, and calls it by the oldest; Zen has Haswell's.
KERNELS: Mapping[str, Kernel] = {
    "Prescott": Kernel((), "Katmai", X86_V3 + X86_V4),
    "Nehalem": Kernel(("ssse3", "sse4_2"), "Nehalem", X86_V3 + X86_V4),
    "Sandybridge": Kernel(("avx",), "Sandybridge", X86_V3 + X86_V4),
    "Haswell": Kernel(WIDE, "Haswell", X86_V4),
    "Zen": Kernel(WIDE, "Haswell", X86_V4),
    "SkylakeX": Kernel(WIDE + WIDER, "SkylakeX", ()),
}


class UnknownKernelError(ValueError):
    """There is no such kernel, or this processor cannot run it."""


def list_kernels() -> list[str]:
    """Return the kernels that this processor can run, the oldest first."""
    flags = _read_flags()
    return [name for name, kernel in KERNELS.items() if flags.issuperset(kernel.needs)]


def choose_environment(name: str) -> dict[str, str]:
    """Return the environment in which a process computes with a kernel.

    Raises
    ------
    UnknownKernelError
        If there is no such kernel, or this processor lacks its instructions.
    """
    if name not in KERNELS:
        raise UnknownKernelError(f"no kernel {name!r}: expected one of {', '.join(KERNELS)}")
    missing = sorted(set(KERNELS[name].needs) - _read_flags())
    if missing:
        raise UnknownKernelError(
            f"kernel {name} needs {', '.join(missing)}, which this processor lacks: expected one of "
            f"{', '.join(list_kernels())}"
        )
    found = [feature for feature in KERNELS[name].without if np._core._multiarray_umath.__cpu_features__.get(feature)]
    return {
        **os.environ,
        "OPENBLAS_CORETYPE": name,
        "OPENBLAS_NUM_THREADS": "1",
        "NPY_DISABLE_CPU_FEATURES": " ".join(found),
        "PYTHONPATH": str(ROOT),
    }


def compute_with(name: str, path: Path, *arguments: str) -> dict[str, NDArray[np.float64]]:
    """Return the figures as a process computes them with a kernel (the arguments are those of :func:`main`)."""
    command = [sys.executable, "-m", "tests.kernels", name, str(path), *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=choose_environment(name), capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {ran.stderr}")
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def check_kernel(name: str) -> None:
    """Check that this process computes with the kernel."""
    from threadpoolctl import threadpool_info

    found = {library["architecture"] for library in threadpool_info() if library["user_api"] == "blas"}
    if found != {KERNELS[name].reported}:
        raise UnknownKernelError(f"asked for kernel {name}, and OpenBLAS computes with {', '.join(sorted(found))}")


def compute(names: Iterable[str], models: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    """Forecast every location of panels by models to the last year, at all levels.

    Returns
    -------
    dict of str to ndarray, shape (n, horizon)
        By "panel/model/how it was fitted/intervals/figure".
    """
    import popforecast as pf
    from popforecast.forecasting import choose_intervals, fit as fit_anew
    from popforecast.store import load_fitted

    figures = {}
    for name in names:
        panel = pf.load_panel(name)
        for model in models:
            fits = {"fresh": fit_anew(panel, model)}
            if model == "panel-ar" and name in pf.REVISIONS:
                fits["embedded"] = load_fitted(name, panel)
            kinds = {"real-time", "final"} if pf.models.get(model).calibrated else {choose_intervals(panel, pf.models.get(model))}
            for how, fitted in fits.items():
                for kind in sorted(kinds):
                    whole = pf.look_ahead(panel, fitted, LEVELS, None if kind == "analytic" else kind).whole.prediction
                    key = f"{name}/{model}/{how}/{kind}"
                    figures[f"{key}/median"] = whole.population
                    for level in LEVELS:
                        figures[f"{key}/lower {level:g}"] = whole.lower[level]
                        figures[f"{key}/upper {level:g}"] = whole.upper[level]
    return figures


def _read_flags() -> set[str]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return set(next(line for line in lines if line.startswith("flags")).split(":")[1].split())


if __name__ == "__main__":
    kernel, path, names, models = sys.argv[1:]
    import numpy  # noqa: F401

    check_kernel(kernel)
    np.savez(path, **compute(names.split(","), models.split(",")))
