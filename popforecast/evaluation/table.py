"""Tables of errors, with a row for each forecast with a known outcome, and accuracy measures by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from popforecast.evaluation import scores
from popforecast.models.base import Array, Prediction
from popforecast.panel import Panel


def tabulate(
    panel: Panel,
    outcome: Array,
    prediction: Prediction,
    levels: Sequence[float],
    of: Mapping[str, str],
    at: Mapping[str, ArrayLike],
    **more: ArrayLike,
) -> pd.DataFrame:
    """Return forecasts and their outcomes, with a row for each known outcome.

    Parameters
    ----------
    panel : Panel
        Its locations are the first axis of all arrays.
    outcome : ndarray, shape (n, ...)
        NaN where unknown.
    prediction : Prediction
        Medians and bounds of the same shape; bounds are NaN at levels it does not have.
    levels : sequence of float
    of : mapping of str to str
        Values common to all rows, such as the model: the first columns.
    at, **more : array_like
        Values along the axes, such as origin and year: columns before the forecast (`at`) and after its error (`more`).
    """
    known = ~np.isnan(outcome)

    def take(values: ArrayLike) -> NDArray[Any]:
        return np.broadcast_to(np.asarray(values), outcome.shape)[known]

    rows = np.nonzero(known)[0]
    population, truth = prediction.population[known], outcome[known]
    columns: dict[str, Any] = {name: np.full(len(rows), value) for name, value in of.items()}
    columns["location_code"] = panel.locations.index.to_numpy()[rows]
    columns["location"] = panel.locations["name"].to_numpy()[rows]
    columns["region"] = panel.locations["region"].to_numpy()[rows]
    columns |= {name: take(values) for name, values in at.items()}
    columns |= {"population": population, "outcome": truth}
    columns["ape"] = scores.absolute_percentage_errors(truth, population)
    columns |= {name: take(values) for name, values in more.items()}
    for level in levels:
        for name, side in (("lower", prediction.lower), ("upper", prediction.upper)):
            columns[f"{name}_{level:g}"] = take(side.get(level, np.nan))
    return pd.DataFrame(columns)


def score(errors: pd.DataFrame, keys: Sequence[str], levels: Sequence[float]) -> pd.DataFrame:
    """Return the measures (:func:`measure`) of each group of forecasts, in order of first appearance."""
    groups = errors.groupby(list(keys), sort=False, dropna=False, observed=True)
    rows = [dict(zip(keys, key, strict=True)) | measure(group, levels) for key, group in groups]
    return pd.DataFrame(rows)


def measure(errors: pd.DataFrame, levels: Sequence[float]) -> dict[str, float]:
    """Return n, mape, median_ape, mase (if there is a scale), wis, and coverage and width by level.

    All are in percent except n and mase. Measures of intervals are NaN unless all forecasts have bounds.

    Examples
    --------
    >>> bounds = {"lower_80": [90.0, 140.0], "upper_80": [120.0, 160.0]}
    >>> errors = pd.DataFrame({"population": [110.0, 150.0], "outcome": [100.0, 200.0]} | bounds)
    >>> {name: round(value, 2) for name, value in measure(errors, [80]).items()}
    {'n': 2, 'mape': 17.5, 'median_ape': 17.5, 'wis': 13.83, 'coverage_80': 50.0, 'width_80': 20.0}
    """
    outcome, population = errors["outcome"].to_numpy(), errors["population"].to_numpy()
    bounds = {level: [errors[f"{side}_{level:g}"].to_numpy() for side in ("lower", "upper")] for level in levels}
    # Intervals are scored only if all forecasts have bounds, so that scores refer to the same set.
    stated = {level: sides for level, sides in bounds.items() if not np.isnan(sides).any()}
    measures: dict[str, float] = {
        "n": len(errors),
        "mape": scores.mape(outcome, population),
        "median_ape": scores.median_ape(outcome, population),
    }
    if "scale" in errors:
        scale = errors["scale"].to_numpy()
        # Constant series have no scale and are left out of this measure only.
        moving = scale > 0
        scaled = outcome[moving], population[moving], scale[moving]
        measures["mase"] = scores.mase(*scaled) if moving.any() else np.nan
    lower, upper = ({level: sides[i] for level, sides in stated.items()} for i in (0, 1))
    measures["wis"] = scores.wis(outcome, population, lower, upper) if len(stated) == len(bounds) else np.nan
    for name, compute in (("coverage", scores.coverage), ("width", scores.width)):
        for level in levels:
            measures[f"{name}_{level:g}"] = compute(outcome, *stated[level]) if level in stated else np.nan
    return measures


def mark_held(errors: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Return the errors with a column for each level: whether the interval contained the outcome (NA: no bounds).

    Examples
    --------
    >>> errors = pd.DataFrame({"outcome": [100, 200], "lower_80": [90, np.nan], "upper_80": [110, np.nan]})
    >>> mark_held(errors, [80])["held_80"].tolist()
    [True, <NA>]
    """
    held = {}
    for level in levels:
        lower, upper = errors[f"lower_{level:g}"], errors[f"upper_{level:g}"]
        held[f"held_{level:g}"] = errors["outcome"].between(lower, upper).astype("boolean").where(lower.notna())
    return errors.assign(**held)
