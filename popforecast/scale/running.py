"""A whole run: survey the input, learn what is shared, forecast the partitions that are left."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import popforecast.models as models
from popforecast.errors import ScaleError, YearError
from popforecast.files import hold
from popforecast.models import Cohort, Model
from popforecast.models.base import check_levels
from popforecast.models.bounded import GrowthModel
from popforecast.models.numeric import use_one_thread
from popforecast.panel.years import DEFAULT_STEPS, MOST_STEPS
from popforecast.scale import ON_ERROR
from popforecast.scale.blocks import find_step, order_years, read_blocks
from popforecast.scale.engines import Engine, start
from popforecast.scale.learning import Learnt, Taken, choose_least, learn
from popforecast.scale.manifest import Manifest, Skipped, resume
from popforecast.scale.parts import Plan, forecast_partition, sample_partition
from popforecast.scale.source import Columns, Source, survey
from popforecast.version import __version__

# What begins with a dot is no part.
LOCK = ".lock"

# Seconds between two writings of the manifest; what was finished in between is done again after a kill.
PAUSE = 1.0


@dataclass(frozen=True)
class Request:
    """What was asked for, as it was asked: see :func:`popforecast.scale.forecast`."""

    data: Path
    output: Path
    columns: Sequence[str]
    start: int | None
    end: int | None
    model: str | Model
    levels: Sequence[float]
    on_error: str
    partition_rows: int


def run(request: Request, engine: str, scheduler: str | None, workers: int | None, progress: bool) -> Manifest:
    """Do what was asked, or go on with it; return what was done."""
    model, levels, columns = models.get(request.model), check_levels(request.levels), Columns(*request.columns)
    if isinstance(model, Cohort):
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
            # Another run may have gone on with it meanwhile.
            manifest = resume(fresh)
            # Other models treat every series on its own.
            learnt = gather(working, source, plan, model, progress) if isinstance(model, GrowthModel) else None
            manifest = finish(working, source, plan, learnt, manifest, progress)
            # Nobody waits for the lock; who comes later finds nothing left to do.
            (fresh.output / LOCK).unlink(missing_ok=True)
        return manifest


def check_apart(data: Path, output: Path) -> None:
    """Check that the parts do not go into the input, where the next run would read them.

    Raises
    ------
    ScaleError
        If they do.
    """
    if data.is_dir() and output.is_relative_to(data):
        raise ScaleError(
            f"the output {output} lies in the input {data}: expected a folder outside, or parts become data"
        )


def gather(working: Engine, source: Source, plan: Plan, model: GrowthModel, progress: bool) -> Learnt:
    """Take the sample from all partitions, and learn from it."""
    sample: list[Taken] = []
    with tqdm(total=len(source.partitions), unit="partition", desc="sampling", disable=not progress) as bar:
        for _, found in working.map(sample_partition, source.partitions, plan):
            sample = choose_least(sample + found)
            bar.update()
    return learn(model, sample, plan.step)


def finish(
    working: Engine, source: Source, plan: Plan, learnt: Learnt | None, manifest: Manifest, progress: bool
) -> Manifest:
    """Forecast the partitions that the manifest does not hold yet, and write it as they are finished."""
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
            f"Dask was lost with {len(manifest.done)} of {manifest.partitions} partitions finished: run the same again "
            "to go on"
        ) from error
    finally:
        manifest.write()
    # What a killed worker left behind.
    for stray in manifest.output.glob(".part-*"):
        stray.unlink(missing_ok=True)
    return manifest


def find_grid(source: Source, columns: Columns) -> tuple[int, int]:
    """Return the step of the first partition that can be read, and the last year most of its series have."""
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
    raise error or ScaleError("the input holds no series: expected at least one")


def choose_years(step: int, origin: int, first: int | None, last: int | None) -> tuple[int, ...]:
    """Return the years to forecast; by default the ten steps after the origin.

    Raises
    ------
    YearError
        If they are none, or too far ahead.

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
        raise YearError(f"the first year {first} is off the series' grid: expected {origin} and some steps of {step}")
    return tuple(range(first, last + 1, step))


def describe(request: Request, plan: Plan, source: Source) -> dict[str, Any]:
    """Return all that the numbers follow from, as JSON holds it."""
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
