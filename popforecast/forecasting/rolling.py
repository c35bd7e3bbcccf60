"""Forecasts of a model at many past origins, shared by calibration and scoring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import YearError
from popforecast.models.base import Array, Arrays, Model, Prediction
from popforecast.models.levels import DEFAULT_LEVELS, check_levels
from popforecast.panel import Panel, describe_years
from popforecast.panel.frozen import Frozen

# Maximum horizon: longer ones are typing errors, and would fill the memory.
LONGEST = 1000


@dataclass(frozen=True, eq=False)
class Rolling(Frozen):
    """Forecasts of a model at each origin, with outcomes.

    Attributes
    ----------
    model : Model
    origins, horizons : ndarray, shapes (o,), (h,)
    outcome : ndarray, shape (n, o, h)
        Outcomes; NaN after the end of the panel.
    prediction : Prediction
        Population and bounds, each of shape (n, o, h).
    scale : ndarray, shape (n, o)
        Mean absolute one-step change up to the origin, the denominator of MASE.
    """

    model: Model
    origins: NDArray[np.int64]
    horizons: NDArray[np.int64]
    outcome: Array
    prediction: Prediction
    scale: Array


def roll(
    model: Model,
    panel: Panel,
    origins: Iterable[int],
    horizons: Sequence[int],
    levels: Sequence[float] = DEFAULT_LEVELS,
    estimates: Iterable[Arrays] | None = None,
) -> Rolling:
    """Return forecasts of a model fitted at each origin to the data up to that origin.

    Parameters
    ----------
    model : Model
    panel : Panel
        The whole panel; each fit uses only the years up to its origin.
    origins : iterable of int
        Years of the panel.
    horizons : sequence of int
        Steps after the origin.
    levels : sequence of float
        Levels of the intervals.
    estimates : iterable of dict, optional
        Results of :func:`estimate` for these origins, if available.

    Raises
    ------
    YearError
        If an origin is not a year of the panel, or a horizon is below 1.
    """
    starts, ahead, levels = check_origins(panel, origins), check_horizons(horizons), check_levels(levels)
    shape = (len(panel), len(starts), len(ahead))
    population = np.empty(shape)
    lower = {level: np.empty(shape) for level in levels}
    upper = {level: np.empty(shape) for level in levels}
    for i, arrays in enumerate(estimate(model, panel, starts) if estimates is None else estimates):
        prediction = model.predict(arrays, int(ahead.max()), levels)
        population[:, i] = prediction.population[:, ahead - 1]
        for level in levels:
            lower[level][:, i] = prediction.lower[level][:, ahead - 1]
            upper[level][:, i] = prediction.upper[level][:, ahead - 1]
    outcome, scale = collect_outcomes(panel, starts, ahead), measure_scale(panel, starts)
    return Rolling(model, starts, ahead, outcome, Prediction(population, lower, upper), scale)


def estimate(model: Model, panel: Panel, origins: Iterable[int]) -> Iterator[Arrays]:
    """Yield a model's estimates at each origin from the data up to it, after checking that they are finite."""
    for arrays in model.estimate_each(panel, origins):
        model.check_estimate(panel, arrays)
        yield arrays


def measure_scale(panel: Panel, origins: NDArray[np.int64]) -> Array:
    """Return the mean absolute one-step change up to each origin, shape (n, o)."""
    steps = np.searchsorted(panel.years, origins)
    return np.cumsum(np.abs(np.diff(panel.values, axis=1)), axis=1)[:, steps - 1] / steps


def collect_outcomes(panel: Panel, origins: NDArray[np.int64], horizons: NDArray[np.int64]) -> Array:
    """Return the outcome for each origin and horizon, shape (n, o, h); NaN after the end of the panel."""
    position = np.searchsorted(panel.years, origins)[:, None] + horizons
    known = position < len(panel.years)
    return np.where(known, panel.values[:, np.where(known, position, 0)], np.nan)


def check_origins(panel: Panel, origins: Iterable[int]) -> NDArray[np.int64]:
    """Return the origins as an array, each a year of the panel with at least one outcome after it."""
    origins = _collect(origins)
    if not origins:
        raise YearError("no origin was given: expected at least one year of the panel")
    possible = panel.years[1:-1]
    if not len(possible):
        raise YearError(f"{panel!r} is too short to test on: expected three years or more")
    for origin in origins:
        if not _is_whole(origin) or origin not in possible:
            raise YearError(
                f"origin {origin!r} is not possible: expected a year within {describe_years(possible)}, "
                "so that there are data to fit to and an outcome to compare with"
            )
    if len(set(origins)) < len(origins):
        raise YearError(f"origins {', '.join(map(str, origins))}: expected each origin once")
    return np.array(origins, dtype=np.int64)


def check_horizons(horizons: Iterable[int]) -> NDArray[np.int64]:
    """Return the horizons as an array of whole steps, 1 or more."""
    horizons = _collect(horizons)
    if not horizons:
        raise YearError("no horizon was given: expected at least one whole step after the origin")
    for horizon in horizons:
        if not _is_whole(horizon) or not 1 <= horizon <= LONGEST:
            raise YearError(f"horizon {horizon!r} is not possible: expected a whole number of steps, 1 to {LONGEST}")
    if len(set(horizons)) < len(horizons):
        raise YearError(f"horizons {', '.join(map(str, horizons))}: expected each horizon once")
    return np.array(horizons, dtype=np.int64)


def _collect(numbers: Iterable[int] | int) -> list[int]:
    return list(numbers) if isinstance(numbers, Iterable) and not isinstance(numbers, str) else [numbers]


def _is_whole(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)
