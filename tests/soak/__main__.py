"""The long runs: load, fuzz, the OpenAPI document. Prints what it finds, and fails if anything is not as asked."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from .files import attack
from .fuzz import fuzz
from .load import Report, storm
from .scale import kill_in_turn
from .server import ROOT, Server, serve

# Megabytes of two workers with their server, and by how much they may grow once caches are full.
MOST_MEMORY, MOST_GROWTH = 400, 1.10

# Seconds until every model is fitted and every cache is full, and between two looks at the memory.
WARM_UP, PAUSE = 60, 15


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="How long the load lasts.")
@click.option("--connections", default=50, show_default=True)
@click.option("--requests", default=50_000, show_default=True, help="How many are fuzzed.")
@click.option("--examples", default=500, show_default=True, help="How many schemathesis tries for each operation.")
@click.option("--schema-minutes", default=10.0, show_default=True, help="How long it may take for that.")
@click.option("--kills", default=50, show_default=True, help="Workers killed in each forecast of many series.")
@click.option("--copies", default=10_000, show_default=True, help="How many files are damaged and read.")
@click.option("--seed", default=0, show_default=True, help="Another one asks other questions.")
def main(
    minutes: float,
    connections: int,
    requests: int,
    examples: int,
    schema_minutes: float,
    kills: int,
    copies: int,
    seed: int,
) -> None:
    """Serve the app as the Procfile does, on loopback, and try to break it."""
    # Whoever ends this ends the server, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    faults: list[str] = []
    for line, is_fault in kill_in_turn(kills, seed) if kills else ():
        click.echo(f"scale: {line}")
        faults += [line] * is_fault
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt", {"POPFORECAST_RATE": "1000000", "POPFORECAST_PROXIES": "1"}) as server,
    ):
        for name, found in (
            ("load", load(server, minutes, connections, seed)),
            ("fuzz", examine(server, fuzz(server, requests, seed=seed))),
            ("openapi", try_schema(server, examples, schema_minutes, seed)),
        ):
            for line, is_fault in found:
                click.echo(f"{name}: {line}")
                faults += [line] * is_fault
        if "Traceback" in server.read_log():
            faults.append("a traceback in the log")
            click.echo(f"log: {server.read_log()[-3000:]}")
    outcome = attack(copies, seed)
    click.echo(f"files: {outcome.read} copies read, {outcome.refused} refused, {len(outcome.faults)} faults")
    faults += outcome.faults
    click.echo(f"{len(faults)} faults")
    sys.exit(bool(faults))


def load(server: Server, minutes: float, connections: int, seed: int) -> Iterator[tuple[str, bool]]:
    """Yield what the load did to answers and memory."""
    yield from examine(server, storm(server, min(WARM_UP, 30 * minutes), connections, seed + 1))
    sizes = [server.measure_memory()]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(storm, server, 60 * minutes, connections, seed)
        while not running.done():
            time.sleep(PAUSE)
            sizes.append(server.measure_memory())
    yield from examine(server, running.result())
    start, last = sizes[0], sum(sizes[-3:]) / len(sizes[-3:])
    yield f"memory {start:.0f} MB, in the end {last:.0f} MB, at most {max(sizes):.0f} MB", max(sizes) > MOST_MEMORY
    yield f"growth {100 * (last / start - 1):+.1f}%", last > MOST_GROWTH * start


def examine(server: Server, report: Report) -> Iterator[tuple[str, bool]]:
    """Yield what a run came to, and each of its faults."""
    ordered = sorted(report.seconds)
    slowest = ordered[int(0.99 * len(ordered))] if ordered else 0
    yield f"{report}; p99 {1e3 * slowest:.0f} ms", bool(report.broken) or len(server.find_workers()) != 2
    yield from ((fault, True) for fault in report.faults)


def try_schema(server: Server, examples: int, minutes: float, seed: int) -> Iterator[tuple[str, bool]]:
    """Yield what schemathesis found with the whole OpenAPI document."""
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{server.url}/openapi.json"]
    options = [
        "--max-examples",
        str(examples),
        "--max-time",
        str(round(60 * minutes)),
        "--seed",
        str(seed),
        "--no-color",
    ]
    ended = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True)
    failed = ended.returncode != 0
    yield "\n".join((ended.stdout + ended.stderr).splitlines()[-40 if failed else -6 :]), failed


if __name__ == "__main__":
    main(prog_name="python -m tests.soak")
