"""The figures do not depend on the processor: the same on every kernel that this one can run, and with more threads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

import popforecast as pf
from popforecast.evaluation.reference import load_known_table
from popforecast.wpp.editions import VINTAGES
from tests.helpers.kernels import (
    KERNELS,
    ROOT,
    TOLERANCE,
    Figures,
    KernelError,
    choose_environment,
    compare,
    compare_fits,
    compute_each,
    list_kernels,
)

# Haswell's name and Zen's are two of one kernel, with the same environment: the first stands for both.
RUNNABLE = [name for name in list_kernels() if name != "Zen"]
if os.environ.get("CI"):
    # CI has twenty minutes for everything: the oldest kernel and its own differ most. The benchmark has all.
    RUNNABLE = [RUNNABLE[0], RUNNABLE[-1]]
OWN = RUNNABLE[-1]


# The original model, and those that are estimated from all countries; `make bench ARGS=kernels` compares all models.
TESTED = ("ar1", "panel-ar", "cohort", "combination")


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Figures]:
    """All models on all revisions and vintages, every location to the last year, by kernel and threads."""
    folder = tmp_path_factory.mktemp("kernels")
    by_kernel = compute_each([(name, 1) for name in RUNNABLE], folder, [*pf.REVISIONS, *VINTAGES], TESTED)
    # The matrices that threads share out are of the same sizes in every edition.
    return by_kernel | compute_each([(OWN, 2)], folder, ["wpp2024"], TESTED)


def test_the_two_names_of_one_kernel_are_computed_with_alike() -> None:
    assert KERNELS["Zen"] == KERNELS["Haswell"]


@pytest.mark.parametrize(("one", "other"), list(combinations(RUNNABLE, 2)))
def test_two_kernels_give_the_same_medians_and_bounds(computed: dict, one: str, other: str) -> None:
    difference = compare(computed[one, 1], computed[other, 1])
    assert difference.value <= TOLERANCE, difference


def test_two_threads_give_the_same_as_one(computed: dict) -> None:
    difference = compare(computed[OWN, 2], computed[OWN, 1])
    assert difference.value <= TOLERANCE, difference


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_embedded_fit_gives_the_same_as_a_fresh_one(computed: dict, name: str) -> None:
    difference = compare_fits(computed[name, 1])
    assert difference.value <= TOLERANCE, (
        f"{difference}: run python -m popforecast.embedding, and commit what it writes"
    )


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_known_table_comes_out_to_the_digit(computed: dict, wpp2019: pf.Panel, name: str) -> None:
    medians = computed[name, 1]["wpp2019/ar1/fresh/analytic/median"]
    known = load_known_table()
    steps = known.index.to_numpy() - wpp2019.origin - 1
    thousands = np.rint(medians[np.ix_(wpp2019.rows(list(known)), steps)] / 1000)
    assert thousands.T.tolist() == known.to_numpy().tolist()


def test_it_is_all_there(computed: dict) -> None:
    """Four panels; ar1 with one kind of interval, the others with two; all others fitted twice on revisions."""
    figures = computed[OWN, 1]
    assert len(figures) == 7 * (4 * (1 + 3 * 2) + 3 * 2 * 2)
    assert figures["wpp2024/cohort/fresh/real-time/upper 99.9"].shape == (297, 77)


# What computes and compares ---------------------------------------------------------------------------------------


def test_an_unknown_kernel_is_refused_with_those_there_are() -> None:
    with pytest.raises(KernelError, match=r"no kernel 'Pentium': expected one of Prescott, Nehalem, .*, SkylakeX"):
        choose_environment("Pentium")


def test_a_kernel_that_the_processor_cannot_run_is_refused_with_what_it_lacks() -> None:
    old = {"sse2", "ssse3", "sse4_2"}
    assert list_kernels(old) == ["Prescott", "Nehalem"]
    with pytest.raises(KernelError, match=r"Haswell needs avx2, fma, .* lacks: expected one of Prescott, Nehalem$"):
        choose_environment("Haswell", flags=old)


def test_a_process_with_another_kernel_than_asked_for_computes_nothing() -> None:
    """OpenBLAS takes a name that it does not know for none, and says nothing."""
    other = next(name for name in RUNNABLE if KERNELS[name].reported != KERNELS[OWN].reported)
    command = [sys.executable, "-m", "tests.helpers.kernels", OWN, os.devnull, "wpp2024", "naive"]
    ran = subprocess.run(command, cwd=ROOT, env=choose_environment(other), capture_output=True, text=True)
    assert ran.returncode == 1
    assert re.search(
        rf"asked for {KERNELS[OWN].reported}, and OpenBLAS computes with {KERNELS[other].reported}", ran.stderr
    )


@pytest.mark.parametrize(
    ("theirs", "value"),
    [(100.0, 0), (100.0 * (1 + 2e-9), 2e-9), (99.0, 0.01), (np.inf, np.inf), (np.nan, np.inf)],
)
def test_a_difference_is_found_where_it_is(theirs: float, value: float) -> None:
    ours = {"wpp2024/naive/fresh/final/median": np.array([[1.0, 2.0], [3.0, 100.0], [np.inf, 0.0]])}
    other = {key: figures.copy() for key, figures in ours.items()}
    other["wpp2024/naive/fresh/final/median"][1, 1] = theirs
    difference = compare(ours, other)
    assert difference.value == pytest.approx(value, rel=1e-6)
    if value:
        assert str(difference) == "wpp2024/naive/fresh/final/median, Sub-Saharan Africa in 2025"
