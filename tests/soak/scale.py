"""Workers that are killed while a forecast in parts runs: nothing is lost, nothing is there twice.

``python -m tests.soak.scale --kills 50``; ``make test`` runs three.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import pandas as pd
import psutil

from tests.scale.series import make_rows, read_bytes

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
import popforecast as pf
if __name__ == "__main__":
    data, output, engine, model = sys.argv[1:]
    pf.scale.forecast(data, output, id="id", model=model, engine=engine, workers=2, partition_rows=1)
"""


@dataclass
class Killing:
    """How many workers were killed, and what was wrong afterwards."""

    kills: int = 0
    faults: list[str] = field(default_factory=list)


def kill_workers(folder: Path, series: int, kills: int, model: str = "ar1", seed: int = 0) -> Killing:
    """Forecast on a cluster of this machine, kill workers as parts appear, and compare with an undisturbed run."""
    rows = make_rows(series)
    # Some hundred partitions, so that the run lasts longer than the kills.
    rows.to_parquet(folder / "data.parquet", row_group_size=len(rows) // (40 * kills) + 1)
    (folder / "program.py").write_text(PROGRAM)
    calm, disturbed = folder / "calm", folder / "disturbed"
    subprocess.run([*_command(folder, calm, "local"), model], cwd=ROOT, check=True)
    report, chance = Killing(), random.Random(seed)
    log = folder / "log.txt"
    with log.open("w") as file:
        running = subprocess.Popen([*_command(folder, disturbed, "dask"), model], cwd=ROOT, stderr=file)
        parts = len(list(calm.glob("part-*")))
        while running.poll() is None:
            made = len(list(disturbed.glob("part-*")))
            workers = find_workers(running.pid)
            if report.kills < kills and workers and made > report.kills * parts // (2 * kills):
                chance.choice(workers).kill()
                report.kills += 1
            time.sleep(0.01)
    family = psutil.Process().children(recursive=True)
    report.faults += [f"left behind: {child}" for child in family if "spawn_main" in " ".join(_cmdline(child))]
    if running.returncode:
        report.faults.append(f"it ended with {running.returncode}: {log.read_text()[-2000:]}")
        return report
    codes = pd.read_parquet(disturbed)["location_code"].value_counts()
    if len(codes) != series or not (codes == 10).all():
        report.faults.append(f"{len(codes)} series of {series}, {int((codes != 10).sum())} of them not there once")
    different = [name for name, content in read_bytes(calm).items() if read_bytes(disturbed).get(name) != content]
    report.faults += [f"{name} is not as without kills" for name in different]
    report.faults += [f"{path.name} was left" for path in disturbed.iterdir() if path.name.startswith(".")]
    return report


def find_workers(pid: int) -> list[psutil.Process]:
    """Return the processes in which a cluster's workers run."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if "spawn_main" in " ".join(_cmdline(child))]


def _cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _command(folder: Path, output: Path, engine: str) -> list[str]:
    return [sys.executable, str(folder / "program.py"), str(folder / "data.parquet"), str(output), engine]


def kill_in_turn(kills: int, seed: int, series: int = 60_000) -> Iterator[tuple[str, bool]]:
    """Yield what became of two runs, of a plain and of a pooled model, and each of their faults."""
    for model in ("ar1", "panel-ar"):
        with tempfile.TemporaryDirectory() as folder:
            report = kill_workers(Path(folder), series, kills, model, seed)
        yield f"{model}, {series:,} series, {report.kills} workers killed", report.kills < kills
        yield from ((fault, True) for fault in report.faults)


@click.command()
@click.option("--series", default=60_000, show_default=True)
@click.option("--kills", default=50, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(series: int, kills: int, seed: int) -> None:
    """Kill workers, and say what became of the runs."""
    faults = 0
    for line, is_fault in kill_in_turn(kills, seed, series):
        click.echo(f"scale: {line}")
        faults += is_fault
    sys.exit(bool(faults))


if __name__ == "__main__":
    main(prog_name="python -m tests.soak.scale")
