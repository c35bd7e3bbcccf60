"""Combine forecasts of locations whose histories start or end in different years."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.forecasting.result import Forecast
from popforecast.models.base import Array, Prediction
from popforecast.panel.frozen import release
from popforecast.panel.rectangles import UnevenPanel


def join(parts: Sequence[Forecast], codes: Sequence[Hashable]) -> Forecast:
    """Return forecasts of several spans of years as one forecast, with locations in the order of `codes`."""
    history = UnevenPanel(tuple(panel for part in parts for panel, _ in part.split()), tuple(codes))
    stacked = pd.Index([code for part in parts for code in part.locations.index], tupleize_cols=False)
    order = stacked.get_indexer(pd.Index(list(codes), tupleize_cols=False))
    years = np.unique(np.concatenate([part.years for part in parts]))
    columns = [np.searchsorted(years, part.years) for part in parts]
    table = _stack([Prediction(part.population, part.lower, part.upper) for part in parts], columns, order)
    path = _stack([part.path for part in parts], [np.arange(part.path.population.shape[1]) for part in parts], order)
    first, last = min(part.origin for part in parts), history.origin
    return Forecast(
        history,
        years,
        table.population,
        table.lower,
        table.upper,
        path,
        parts[0].model,
        tuple(note for part in parts for note in part.notes),
        release(parts[0].provenance)
        | {
            "origin": first if first == last else f"{first} to {last}",
            "checksum": tuple(part.provenance["checksum"] for part in parts),
        },
        {
            code: _place(persons, at, len(years))
            for part, at in zip(parts, columns, strict=True)
            for code, persons in part.remainders.items()
        },
        tuple(parts),
    )


def _stack(tables: Sequence[Prediction], columns: Sequence[NDArray[np.intp]], order: NDArray[np.intp]) -> Prediction:
    """Return tables stacked by row, each in its columns, with reordered rows; NaN elsewhere."""
    width = max(int(at.max(initial=-1)) + 1 for at in columns)
    sides = [np.array([each.population, *each.lower.values(), *each.upper.values()]) for each in tables]
    blocks = [_place(side, at, width) for side, at in zip(sides, columns, strict=True)]
    population, *bounds = np.concatenate(blocks, axis=1)[:, order]
    levels = tuple(tables[0].lower)
    lower, upper = bounds[: len(levels)], bounds[len(levels) :]
    return Prediction(population, dict(zip(levels, lower, strict=True)), dict(zip(levels, upper, strict=True)))


def _place(values: Array, columns: NDArray[np.intp], width: int) -> Array:
    whole = np.full((*values.shape[:-1], width), np.nan)
    whole[..., columns] = values
    return whole
