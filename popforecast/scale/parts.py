"""Tasks for one partition: take its series for the sample, or forecast it and write its part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from popforecast.errors import PopforecastError, ScaleError
from popforecast.models import Model, Prediction
from popforecast.models.base import Array
from popforecast.models.numeric import use_one_thread
from popforecast.panel import Panel
from popforecast.panel.spans import Span
from popforecast.panel.years import MOST_STEPS
from popforecast.scale.blocks import Block, check_series, find_rectangles, order_years, plain, read_blocks
from popforecast.scale.learning import Learnt, Rows, Taken, choose_least, find_noted, take_sample, takes_zero
from popforecast.scale.manifest import Done, Skipped, part_path
from popforecast.scale.source import NUMBERS, TEXT, UNSIGNED, Columns, Partition, first_line

# Rows per row group of a part, and the limit on rows in memory.
GROUP_ROWS = 1 << 20

# Template from which panels of checked figures are derived, without checking them again.
ONE = Panel([[1, 1]], [0, 1], pd.DataFrame(index=[0]))

# The result for a partition.
Outcome = tuple[Done, tuple[Skipped, ...]]

# A function that forecasts series with the same years, and returns the rows that have a note.
Predict = Callable[[Panel, int, tuple[float, ...]], tuple[Prediction, Rows]]


@dataclass(frozen=True)
class Plan:
    """The settings for every partition.

    Attributes
    ----------
    columns : Columns
    model : Model
    step : int
        Years between rows of a series.
    years : tuple of int
        Years to forecast; years in a series' history keep their figures.
    levels : tuple of float
    skip : bool
        Whether to skip series that cannot be forecast.
    """

    columns: Columns
    model: Model
    step: int
    years: tuple[int, ...]
    levels: tuple[float, ...]
    skip: bool


def sample_partition(partition: Partition, plan: Plan) -> list[Taken]:
    """Return the series of a partition that are candidates for the sample."""
    sample: list[Taken] = []
    try:
        for block, faults in _check(partition, plan):
            sample = choose_least(sample + take_sample(block, faults))
    except ScaleError:
        # The forecasting task reports the skipped partition.
        if not plan.skip:
            raise
    return sample


def forecast_partition(partition: Partition, plan: Plan, learnt: Learnt | None, folder: str) -> Outcome:
    """Forecast the series of a partition, write its part completely or not at all, and return the result.

    Raises
    ------
    ScaleError
        If a series or the partition cannot be forecast and is not to be skipped, or the part cannot be written.
    """
    path = part_path(Path(folder), partition.number)
    predict = predict_each(plan.model) if learnt is None else learnt.predict
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
        os.close(handle)
    except OSError as error:
        raise _refuse(partition, path, error) from error
    temporary = Path(name)
    try:
        with use_one_thread():
            series, noted, rows, skipped = _write(temporary, partition, plan, predict)
        if series:
            temporary.chmod(0o644)
            size = temporary.stat().st_size
            temporary.replace(path)
        else:
            size = 0
    except ScaleError as error:
        if not plan.skip:
            raise
        # Discard a partition that cannot be read to its end: an incomplete part would look complete.
        return Done(partition.number, 0, 0, 0, 0), (Skipped(partition.number, None, str(error)),)
    except (OSError, pa.ArrowException) as error:
        raise _refuse(partition, path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Done(partition.number, series, noted, rows, size), tuple(skipped)


def predict_each(model: Model) -> Predict:
    """Return a function that forecasts every series separately."""

    def predict(panel: Panel, horizon: int, levels: tuple[float, ...]) -> tuple[Prediction, Rows]:
        arrays = model.estimate(panel)
        return model.predict(arrays, horizon, levels), find_noted(model, arrays, horizon)

    return predict


def _write(path: Path, partition: Partition, plan: Plan, predict: Predict) -> tuple[int, int, int, list[Skipped]]:
    """Write the forecasts of a partition; return counts of series, noted series and rows, and the skipped series."""
    schema = describe_part(partition.pieces[0].kind, plan.levels)
    series, noted, rows, skipped, held = 0, 0, 0, [], []
    # Without the Arrow schema, because with it text would be read as categories.
    options = {"compression": "zstd", "use_dictionary": ["location_code", "year"], "store_schema": False}
    with pq.ParquetWriter(path, schema, **options) as file:
        for block, faults in _check(partition, plan):
            ids, figures, having_notes = forecast_block(block, faults, plan, predict)
            if faults and not plan.skip:
                raise _name(partition, block, faults)
            skipped += [Skipped(partition.number, plain(block.ids[row]), faults[row]) for row in sorted(faults)]
            held.append((ids, figures))
            if sum(len(each) for each, _ in held) * len(plan.years) >= GROUP_ROWS:
                rows += _flush(file, held, plan, schema)
                held.clear()
            series += len(ids)
            noted += having_notes
        rows += _flush(file, held, plan, schema)
    with path.open("rb") as written:
        os.fsync(written.fileno())
    return series, noted, rows, skipped


def describe_part(kind: str, levels: tuple[float, ...]) -> pa.Schema:
    """Return the schema of a part; identifiers have the same type as in the input."""
    code = {TEXT: pa.dictionary(pa.int32(), pa.string()), NUMBERS: pa.int64(), UNSIGNED: pa.uint64()}[kind]
    names = ["population", *(f"{side}_{level:g}" for level in levels for side in ("lower", "upper"))]
    return pa.schema([("location_code", code), ("year", pa.int64()), *((name, pa.float64()) for name in names)])


def forecast_block(
    block: Block, faults: dict[int, str], plan: Plan, predict: Predict
) -> tuple[np.ndarray[Any, Any], Array, int]:
    """Return identifiers and figures (columns, series, years) of a block's valid series, and the number with a note.

    Series that the model cannot forecast are added to the faults.
    """
    names = 1 + 2 * len(plan.levels)
    figures = np.full((names, len(block), len(plan.years)), np.nan)
    noted: list[Rows] = []
    for rectangle in find_rectangles(block, faults):
        reason = _fill(figures, noted, rectangle, plan, predict)
        if reason:
            faults.update(dict.fromkeys(rectangle.rows.tolist(), reason))
    last = block.years[block.starts[1:] - 1]
    ahead = np.array(plan.years) > last[:, None]
    for row in np.flatnonzero((np.isnan(figures) & ahead).any(axis=(0, 2))):
        faults.setdefault(int(row), "has no finite forecast: expected figures to which the model can be fitted")
    if not faults:
        return block.ids, figures, sum(map(len, noted))
    sound = np.setdiff1d(np.arange(len(block)), list(faults))
    return block.ids[sound], figures[:, sound], int(sum(np.isin(rows, sound).sum() for rows in noted))


def _fill(figures: Array, noted: list[Rows], rectangle: Span, plan: Plan, predict: Predict) -> str | None:
    """Fill in figures and notes of series with the same years; return the reason if they cannot be forecast."""
    years, origin = np.array(plan.years), int(rectangle.years[-1])
    if (plan.years[0] - origin) % plan.step:
        return f"ends in {origin}: {plan.years[0]} is not a multiple of {plan.step} years later"
    steps = (years - origin) // plan.step
    horizon = max(int(steps[-1]), 0)
    if horizon > MOST_STEPS:
        return f"ends in {origin}: {years[-1]} is {horizon} steps later, expected {MOST_STEPS} or fewer"
    for column in np.flatnonzero(np.isin(years, rectangle.years)):
        figures[0, rectangle.rows, column] = rectangle.values[:, np.searchsorted(rectangle.years, years[column])]
    if not horizon:
        return None
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = pd.DataFrame(index=pd.RangeIndex(len(rectangle.rows)))
            panel = ONE._derive(rectangle.values, rectangle.years, numbers)
            path, rows = predict(panel, horizon, plan.levels)
    except PopforecastError as error:
        return str(error)
    noted.append(rectangle.rows[rows])
    ahead = np.flatnonzero(steps > 0)
    bounds = [bound for level in plan.levels for bound in (path.lower[level], path.upper[level])]
    for figure, made in zip(figures, (path.population, *bounds), strict=True):
        figure[np.ix_(rectangle.rows, ahead)] = np.rint(made[:, steps[ahead] - 1])
    return None


def _flush(file: pq.ParquetWriter, held: list[tuple[Any, Array]], plan: Plan, schema: pa.Schema) -> int:
    """Write the collected forecasts as one row group; return the number of rows."""
    if not sum(len(ids) for ids, _ in held):
        return 0
    ids = np.concatenate([ids for ids, _ in held])
    figures = np.concatenate([figures for _, figures in held], axis=1)
    m = len(plan.years)
    if pa.types.is_dictionary(schema.types[0]):
        codes = pa.DictionaryArray.from_arrays(
            np.repeat(np.arange(len(ids), dtype=np.int32), m), pa.array(ids, pa.string())
        )
    else:
        codes = pa.array(np.repeat(ids, m)).cast(schema.types[0])
    years = pa.array(np.tile(np.array(plan.years, dtype=np.int64), len(ids)))
    columns = [pa.array(figure.ravel(), from_pandas=bool(np.isnan(figure).any())) for figure in figures]
    file.write_table(pa.Table.from_arrays([codes, years, *columns], schema=schema), row_group_size=len(years))
    return len(years)


def _check(partition: Partition, plan: Plan) -> Iterator[tuple[Block, dict[int, str]]]:
    """Yield blocks and the faults of their series; raise at the first fault unless faults are skipped."""
    for rows in read_blocks(partition, plan.columns):
        block = order_years(rows)
        faults = check_series(block, plan.step, zero=takes_zero(plan.model))
        if faults and not plan.skip:
            raise _name(partition, block, faults)
        yield block, faults


def _name(partition: Partition, block: Block, faults: dict[int, str]) -> ScaleError:
    row = min(faults)
    more = f" ({len(faults)} such series in this block)" if len(faults) > 1 else ""
    return ScaleError(
        f"{partition}: series {plain(block.ids[row])!r} {faults[row]}{more}. Fix it, or pass on_error='skip' "
        "(--on-error skip) to skip such series and list them in the manifest"
    )


def _refuse(partition: Partition, path: Path, error: BaseException) -> ScaleError:
    return ScaleError(
        f"partition {partition.number} could not be written to {path} ({first_line(error)}): finished "
        "partitions are kept; free some disk space and run it again to continue"
    )
