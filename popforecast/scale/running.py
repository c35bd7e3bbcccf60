"""A complete run: survey the input, estimate the shared quantities, forecast the remaining partitions."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

import popforecast.models as models
from popforecast.errors import ScaleError, YearError
from popforecast.files import hold
from popforecast.models import Cohort, Combination, Model
from popforecast.models.bounded import GrowthModel
from popforecast.models.levels import check_levels
from popforecast.models.numeric import use_one_thread
from popforecast.panel import Panel
from popforecast.panel.years import DEFAULT_STEPS, MOST_STEPS
from popforecast.scale import ON_ERROR
from popforecast.scale.blocks import find_step, order_years, read_blocks
from popforecast.scale.engines import Engine, start
from popforecast.scale.learning import Learnt, Taken, choose_least, learn
from popforecast.scale.manifest import Manifest, Skipped, resume
from popforecast.scale.parts import Plan, forecast_partition, sample_partition
from popforecast.scale.source import Columns, Source, survey
from popforecast.version import __version__

# The leading dot keeps it apart from the parts.
LOCK = ".lock"

# Seconds between updates of the manifest; after a kill, partitions finished since the last one are repeated.
PAUSE = 1.0


@dataclass(frozen=True)
class Request:
    """The arguments of :func:`popforecast.scale.forecast`."""

    data: Path
    output: Path
    columns: Sequence[str]
    start: int | None
    end: int | None
    model: str | Model | None
    levels: Sequence[float]
    on_error: str
    partition_rows: int


def run(request: Request, engine: str, scheduler: str | None, workers: int | None, progress: bool) -> Manifest:
    """Run a request, or continue an interrupted run, and return the manifest."""
    # Partitions are the user's own data, and get the default model of such a panel.
    own = Panel([[1, 1]], [2000, 2001], pd.DataFrame(index=["own"]))
    model, levels, columns = models.get(request.model, own), check_levels(request.levels), Columns(*request.columns)
    if isinstance(model, (Cohort, Combination)):
        raise ScaleError(
            f"{model.name} needs ages, births and deaths, which are not in partitions: expected another model"
        )
    if request.on_error not in ON_ERROR:
        raise ScaleError(f"on_error {request.on_error!r}: expected {' or '.join(ON_ERROR)}")
    if request.partition_rows < 1:
        raise ScaleError(f"partition_rows {request.partition_rows!r}: expected 1 or more")
    skip = request.on_error == "skip"
    check_apart(request.data.resolve(), request.output.resolve())
    source = survey(request.data.resolve(), columns, request.partition_rows, skip)
    step, origin = find_grid(source, columns)
    years = choose_years(step, origin, request.start, request.end)
    plan = Plan(columns, model, step, years, levels, skip)
    fresh = Manifest(request.output.resolve(), describe(request, plan, source), len(source.partitions))
    if (manifest := resume(fresh)).complete:
        return manifest
    with use_one_thread(), start(engine, scheduler, workers) as working:
        if progress and working.dashboard:
            print(f"dashboard: {working.dashboard}", file=sys.stderr)  # noqa: T201
        fresh.output.mkdir(parents=True, exist_ok=True)
        with hold(fresh.output / LOCK, fresh.output, patience=0):
            # Another run may have continued it in the meantime.
            manifest = resume(fresh)
            # Other models are fitted to each series separately.
            learnt = gather(working, source, plan, model, progress) if isinstance(model, GrowthModel) else None
            manifest = finish(working, source, plan, learnt, manifest, progress)
            # Safe to remove: no run waits for the lock, and later runs have nothing left to do.
            (fresh.output / LOCK).unlink(missing_ok=True)
        return manifest


def check_apart(data: Path, output: Path) -> None:
    """Check that the output is not inside the input, where the next run would read the parts.

    Raises
    ------
    ScaleError
        If it is.
    """
    if data.is_dir() and output.is_relative_to(data):
        raise ScaleError(
            f"the output {output} is inside the input {data}: expected one outside it, or parts become data"
        )


def gather(working: Engine, source: Source, plan: Plan, model: GrowthModel, progress: bool) -> Learnt:
    """Sample all partitions, and return the shared quantities estimated from the sample."""
    sample: list[Taken] = []
    with tqdm(total=len(source.partitions), unit="partition", desc="sampling", disable=not progress) as bar:
        for _, found in working.map(sample_partition, source.partitions, plan):
            sample = choose_least(sample + found)
            bar.update()
    return learn(model, sample, plan.step)


def finish(
    working: Engine, source: Source, plan: Plan, learnt: Learnt | None, manifest: Manifest, progress: bool
) -> Manifest:
    """Forecast the partitions missing from the manifest, and return it, written regularly in between."""
    finished = {done.partition for done in manifest.done}
    left = [partition for partition in source.partitions if partition.number not in finished]
    unread = tuple(Skipped(None, name, reason) for name, reason in source.unread)
    manifest = manifest if manifest.done else replace(manifest, skipped=unread)
    shared = None if learnt is None else working.share(learnt)
    manifest.write()
    written = time.monotonic()
    try:
        with tqdm(total=len(source.partitions), initial=len(finished), unit="partition", disable=not progress) as bar:
            for _, outcome in working.map(forecast_partition, left, plan, shared, str(manifest.output)):
                manifest = manifest.add(*outcome)
                bar.update()
                if time.monotonic() - written > PAUSE:
                    manifest.write()
                    written = time.monotonic()
    except CancelledError as error:
        raise ScaleError(
            f"Dask was lost with {len(manifest.done)} of {manifest.partitions} partitions finished: run it again to "
            "continue"
        ) from error
    finally:
        manifest.write()
    # Temporary files left by killed workers.
    for stray in manifest.output.glob(".part-*"):
        stray.unlink(missing_ok=True)
    return manifest


def find_grid(source: Source, columns: Columns) -> tuple[int, int]:
    """Return the step in the first readable partition, and the most common last year of its series."""
    error: ScaleError | None = None
    for partition in source.partitions:
        try:
            block = order_years(next(read_blocks(partition, columns)))
        except StopIteration:
            continue
        except ScaleError as reason:
            error = reason
            continue
        last, counts = np.unique(block.years[block.starts[1:] - 1], return_counts=True)
        return find_step(block), int(last[counts.argmax()])
    raise error or ScaleError("the input has no series: expected at least one")


def choose_years(step: int, origin: int, first: int | None, last: int | None) -> tuple[int, ...]:
    """Return the years to forecast (default: ten steps after the origin).

    Raises
    ------
    YearError
        If there are none, or they are too far ahead or not on the grid.

    Examples
    --------
    >>> choose_years(5, 2020, None, 2035)
    (2025, 2030, 2035)
    """
    first = origin + step if first is None else first
    last = max(first, origin + step) + (DEFAULT_STEPS - 1) * step if last is None else last
    furthest = origin + MOST_STEPS * step
    if last < first:
        raise YearError(f'"From" ({first}) must not be later than "To" ({last})')
    if last > furthest:
        raise YearError(f"the last year {last} is out of range: expected {furthest} or before")
    if (first - origin) % step:
        raise YearError(f"the first year {first} is not in the series: expected {origin} plus a multiple of {step}")
    return tuple(range(first, last + 1, step))


def describe(request: Request, plan: Plan, source: Source) -> dict[str, Any]:
    """Return everything that determines the numbers, as JSON-serialisable values."""
    return {
        "input": request.data.name,
        "input_sha256": source.fingerprint,
        "columns": list(plan.columns),
        "model": plan.model.name,
        "parameters": plan.model.parameters,
        "years": [plan.years[0], plan.years[-1], plan.step],
        "levels": list(plan.levels),
        "partition_rows": request.partition_rows,
        "version": __version__,
    }
