"""A million series, Parquet to Parquet, beside a bare script; how time and memory grow; and ours beside the peers'.

Every run is a process of its own, whose time counts from before Python starts to after it has ended. Processor time is
given beside: it says what a machine without other work would need. ``artifacts/scale.html`` shows the growth.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

import popforecast as pf

from .figure import Figure
from .peers.environment import ONE_THREAD, set_up
from .scaling import plot, series

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

SIZES = (100_000, 200_000, 500_000, 1_000_000)
CORES = 2

# How many series the peers are given, and how many of them the slowest.
PEERS, SLOWEST = 10_000, 500

# How often ours is timed on the peers' series; the median counts.
REPEATS = 5


@dataclass(frozen=True)
class Run:
    """What a process took: seconds on the clock and of processors, and most memory in MB."""

    seconds: float
    processor: float
    memory: float


def measure() -> Iterator[Figure]:
    """Yield the figures of all sizes and models, and the ratios."""
    with tempfile.TemporaryDirectory(prefix="popforecast-scale-") as temporary:
        folder = Path(temporary)
        yield from measure_growth(folder)
        yield from measure_peers(folder)


def measure_growth(folder: Path) -> Iterator[Figure]:
    """Yield what a million series take, and how that grows."""
    for size in (1000, *SIZES):
        series.write(folder / f"{size}.parquet", size)
    million = folder / f"{SIZES[-1]}.parquet"
    bare = run("bare.py", million, folder / "bare.parquet", program=HERE / "scaling")
    runs = {size: forecast(folder, size, "ar1") for size in (1000, *SIZES)}
    ours = runs[SIZES[-1]]
    beside = f"{ours.processor:.1f} s of processor"
    yield Figure("ar1, a million series, Parquet to Parquet", ours.seconds, "s", 30, beside)
    yield Figure("its memory", ours.memory, "MB", 2000)
    against = f"{ours.seconds:.1f} s against {bare.seconds:.1f} s of a bare script ({bare.processor:.1f} of processor)"
    yield Figure("its time beside NumPy and Arrow alone", ours.seconds / bare.seconds, "x", 2, against)
    start = runs[1000].processor
    slope = find_slope({size: runs[size].processor - start for size in SIZES})
    yield Figure("growth of its time (log-log slope), at most", slope, "", 1.1, f"start-up {start:.1f} s")
    yield Figure("growth of its time (log-log slope), at least", slope, "", 0.9, at_least=True)
    flat = ours.memory / runs[SIZES[0]].memory
    yield Figure("its memory, 1,000,000 beside 100,000 series", flat, "x", 1.2)
    pooled = forecast(folder, SIZES[-1], "panel-ar")
    yield Figure("panel-ar, a million series", pooled.seconds, "s", 300, f"{pooled.processor:.0f} s of processor")
    yield Figure("its memory", pooled.memory, "MB", 3000)
    page = ROOT / "artifacts" / "scale.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(plot.make_page(runs, start, slope), encoding="utf-8")


def measure_peers(folder: Path) -> Iterator[Figure]:
    """Yield how many times less processor time ours takes than theirs, for the same series."""
    from statsmodels.tsa.ar_model import AutoReg

    series.write(folder / "peers.parquet", PEERS)
    seconds = median(time_ours(folder, i) for i in range(REPEATS))
    table = pd.read_parquet(folder / "peers.parquet").pivot(index="id", columns="year", values="population")
    table.to_csv(folder / "peers.csv")
    started = time.process_time()
    for row in table.to_numpy()[:SLOWEST]:
        AutoReg(row, lags=1).fit().predict(len(row), len(row) + 9)
    loop = (time.process_time() - started) * PEERS / SLOWEST
    theirs = {"loop over statsmodels' AutoReg": (loop, SLOWEST)}
    python = set_up()
    for name, count in (("AutoRegressive", 4 * SLOWEST), ("AutoETS", 2 * SLOWEST), ("AutoARIMA", SLOWEST)):
        command = [str(python), str(HERE / "scaling" / "peer.py"), str(folder / "peers.csv"), name, str(count)]
        said = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | ONE_THREAD).stdout
        theirs[f"statsforecast's {name}"] = (float(said.split()[-1]) * PEERS / count, count)
    asked = {"statsforecast's AutoRegressive": 50, "statsforecast's AutoARIMA": 1000}
    for name, (took, count) in theirs.items():
        scaled = "" if count == PEERS else f", from {count:,} of {PEERS:,} series"
        beside = f"{1000 * seconds:.0f} ms against {took:.1f} s of processor{scaled}"
        yield Figure(f"ar1 beside {name}", took / seconds, "x", asked.get(name, 1), beside, at_least=True)


def time_ours(folder: Path, i: int) -> float:
    """Return the seconds of processor that the peers' series take, Parquet to Parquet, in a process that is warm."""
    if not i:
        pf.scale.forecast(folder / "peers.parquet", folder / "warm", id="id", model="ar1")
    started = time.process_time()
    pf.scale.forecast(folder / "peers.parquet", folder / f"peers-{i}", id="id", model="ar1")
    return time.process_time() - started


def forecast(folder: Path, size: int, model: str) -> Run:
    """Run a forecast of so many series in a process of its own."""
    return run("ours.py", folder / f"{size}.parquet", folder / f"out-{model}-{size}", model, program=HERE / "scaling")


def run(name: str, *arguments: str | Path, program: Path) -> Run:
    """Run a program to its end, and return what it took."""
    started = time.perf_counter()
    command = [sys.executable, program / name, *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{name} ended with {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, float(said.split()[-1]))


def find_slope(seconds: dict[int, float]) -> float:
    """Return the slope of log time over log size."""
    return float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])
