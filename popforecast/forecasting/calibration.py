"""Intervals from a model's own past errors: how wrong it was, at each horizon, for locations like this one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.forecasting.risk import describe_risk, reach_quantiles, scale_errors
from popforecast.forecasting.rolling import Rolling, roll
from popforecast.models.base import Array, Arrays, Fitted, LogPrediction, Model, Prediction, check_levels
from popforecast.models.numeric import interpolate
from popforecast.models.rules import find_teachers
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen

# Years ahead at which errors are collected; widths are interpolated between them.
KNOTS = (1, 3, 5, 10, 20, 30, 40)

# Years between two past origins: closer ones make nearly the same errors again.
EVERY = 5

# Years of history that a past origin needs; at most a third of a short panel.
WARM_UP = 14

# An error this many years older counts half: the world of the 1970s was stormier.
HALF_LIFE = 15

# Below so many past errors nothing is calibrated.
FEWEST = 30

# Added to errors before their logarithm is taken: a forecast that was right to the person is luck, not precision.
LUCK = 1e-4

# Log errors are kept to so many decimals: what is smaller comes from taking logarithms and back, and is none.
ROUNDED = 13

# What the arrays of a calibration are called beside those of a model.
PREFIX = "interval_"

# How fast widths may grow beyond the last knot: as a random walk at least, as a growth rate that is wrong at most.
SLOWEST, FASTEST = 0.5, 1.0


@dataclass(frozen=True, eq=False)
class Calibration(Frozen):
    r"""How wide intervals must be, from past errors.

    The log error at horizon h of a location with features x is taken to be :math:`e^{x' b_h} q`, with q drawn from the
    scaled past errors of all locations (split conformal prediction). The features are a constant, log volatility of
    growth over ten years, and size within the panel; :math:`b_h` is least squares on :math:`\log(|e| + 10^{-4})`.
    Past origins lie five years apart; older errors count less, by half every 15 years.

    Attributes
    ----------
    knots : ndarray, shape (k,)
        Steps ahead.
    scale : ndarray, shape (n, k)
        :math:`e^{x' b}` of each location at the origin.
    quantiles : ndarray, shape (k, len(PROBABILITIES))
        Of the scaled past errors.
    errors, scale_then : ndarray, shape (n, o, k)
        The log errors at o past origins, and the scale there; NaN where the outcome was not known.

    References
    ----------
    Papadopoulos, H. et al. (2002). Inductive confidence machines for regression. *ECML*, 345-356. Lei, J. et al.
    (2018). Distribution-free predictive inference for regression. *JASA* 113, 1094-1111.
    """

    knots: NDArray[np.int64]
    scale: Array
    quantiles: Array
    errors: Array
    scale_then: Array

    def reach(self, horizon: int, level: float) -> Array:
        """Return how far the interval reaches below and above the median, in logs, shape (2, n, horizon).

        Both grow with the horizon, and neither is negative; counted in persons, a population that shrinks fast can
        have a shrinking interval. Beyond the last knot they grow as a power of the horizon, that of the mean size of
        errors between the last two knots, from 1/2 (a random walk) to 1 (a growth rate that is wrong).
        """
        return np.stack([self._extend(side, horizon) for side in reach_quantiles(self.quantiles, level)])

    def spread(self, horizon: int) -> Array:
        """Return the mean size of errors, in logs, shape (n, horizon); it grows with the horizon as reaches do."""
        return self._extend(np.abs(self.quantiles).mean(axis=1), horizon)

    def _extend(self, quantiles: Array, horizon: int) -> Array:
        widths = np.maximum.accumulate(self.scale * quantiles, axis=1)
        steps = np.arange(1, horizon + 1)
        path = interpolate(widths, self.knots, steps)
        far = steps > self.knots[-1]
        if far.any():
            path[:, far] = widths[:, -1:] * (steps[far] / self.knots[-1]) ** self._power()[:, None]
        return path

    def _power(self) -> Array:
        # One power for all levels: with its own, a narrow interval could outgrow a wide one.
        if len(self.knots) == 1:
            return np.full(len(self.scale), FASTEST)
        usual = np.maximum(self.scale * np.abs(self.quantiles).mean(axis=1), 1e-12)
        power = np.log(usual[:, -1] / usual[:, -2]) / np.log(self.knots[-1] / self.knots[-2])
        return np.clip(power, SLOWEST, FASTEST)


def calibrate(rolling: Rolling, panel: Panel, origin: int) -> Calibration | None:
    """Calibrate on the errors that were known at an origin.

    Parameters
    ----------
    rolling : Rolling
        The model at past origins, those of :func:`choose_past` among them, and at the horizons of
        :func:`choose_knots`.
    panel : Panel
        The panel it was rolled over; nothing after the origin is used.
    origin : int
        A year of the panel.

    Returns
    -------
    Calibration or None
        None where too few errors are known.
    """
    row = int(np.searchsorted(panel.years, origin))
    rows = np.searchsorted(panel.years, choose_past(panel, origin))
    risk = describe_risk(panel)
    taught = teach_widths(rolling, panel, origin, risk)
    if not taught:
        return None
    scale, error, scale_then = (
        np.stack(parts, axis=-1)
        for parts in (
            [np.exp(risk[row] @ width.slope) for width in taught],
            [width.errors for width in taught],
            [np.exp(risk[rows] @ width.slope).T for width in taught],
        )
    )
    knots, quantiles = np.array([width.knot for width in taught]), np.stack([width.quantiles for width in taught])
    return Calibration(knots, scale, quantiles, error, scale_then)


class Width(NamedTuple):
    """What past errors teach about one knot; it can be applied to any location.

    Steps ahead, how the size of an error depends on features, quantiles of the errors so scaled, and the errors, shape
    (n, o), NaN where the outcome was not known.
    """

    knot: int
    slope: Array
    quantiles: Array
    errors: Array


def teach_widths(rolling: Rolling, panel: Panel, origin: int, risk: Array) -> list[Width]:
    """Return what is known at an origin of the errors at each knot; fewer knots where too few errors are known.

    Parameters
    ----------
    rolling, panel, origin
        As for :func:`calibrate`.
    risk : ndarray, shape (t, n, p)
        What :func:`popforecast.forecasting.risk.describe_risk` says of the panel.
    """
    past = np.array(choose_past(panel, origin), dtype=np.int64)
    rows, columns = np.searchsorted(panel.years, past), np.searchsorted(rolling.origins, past)
    teachers, taught = find_teachers(panel), []
    for knot in choose_knots(panel):
        known = past + knot * panel.step <= origin
        if known.sum() * len(teachers) < FEWEST:
            break
        k = int(np.searchsorted(rolling.horizons, knot))
        missed = np.log(rolling.outcome[:, columns, k] / rolling.prediction.population[:, columns, k]).round(ROUNDED)
        missed[:, ~known] = np.nan
        errors = missed[np.ix_(teachers, np.flatnonzero(known))].T
        ages = (origin - past[known] - knot * panel.step)[:, None]
        weights = np.broadcast_to(0.5 ** (ages / HALF_LIFE), errors.shape).ravel()
        x = risk[rows[known]][:, teachers].reshape(-1, risk.shape[-1])
        taught.append(Width(knot, *scale_errors(errors.ravel(), x, weights, LUCK), missed))
    return taught


def choose_past(panel: Panel, origin: int) -> list[int]:
    """Return the past origins to calibrate on: every fifth year back from the one before, with a history before it.

    Examples
    --------
    >>> import popforecast as pf
    >>> choose_past(pf.load_panel("wpp2024"), 1990)
    [1989, 1984, 1979, 1974, 1969, 1964]
    """
    row = int(np.searchsorted(panel.years, origin))
    every = max(1, round(EVERY / panel.step))
    first = min(max(3, round(WARM_UP / panel.step)), max(2, (row + 1) // 3))
    return [int(panel.years[past]) for past in range(row - 1, first - 1, -every)]


def choose_knots(panel: Panel) -> list[int]:
    """Return the steps ahead at which errors are collected."""
    return sorted({max(1, round(years / panel.step)) for years in KNOTS})


def fit(panel: Panel, model: Model) -> Fitted:
    """Fit a model, and calibrate its intervals where they are not analytic.

    Examples
    --------
    >>> import popforecast as pf
    >>> fitted = fit(pf.load_panel("wpp2024").countries(), pf.models.get("damped-growth"))
    >>> fitted.calibration.knots.tolist()
    [1, 3, 5, 10, 20, 30, 40]
    """
    return complete(model.fit(panel))


def complete(fitted: Fitted) -> Fitted:
    """Return a fit with its intervals calibrated, where they can be and are not yet.

    They cannot where the model's are analytic, or where the panel has too few past origins.
    """
    model, panel = fitted.model, fitted.panel
    past = choose_past(panel, panel.origin) if model.calibrated and fitted.calibration is None else []
    if not past:
        return fitted
    rolling = roll(model, panel, past[::-1], choose_knots(panel), ())
    return replace(fitted, calibration=calibrate(rolling, panel, panel.origin))


def predict(fitted: Fitted, horizon: int, levels: Sequence[float]) -> Prediction:
    """Predict each series by the model, with calibrated intervals, or analytic ones where there is no calibration."""
    if not fitted.model.calibrated:
        return fitted.model.predict(fitted.arrays, horizon, levels)
    return predict_logs(fitted, horizon, levels).exponentiate()


def predict_logs(fitted: Fitted, horizon: int, levels: Sequence[float]) -> LogPrediction:
    """Predict each series by a model that can be calibrated, with half-widths in logs."""
    model, arrays = fitted.model, fitted.arrays
    if fitted.calibration is None:
        return model.predict_logs(arrays, horizon, levels)
    return surround(model.predict(arrays, horizon, ()).population, fitted.calibration, levels)


def surround(population: Array, calibration: Calibration, levels: Iterable[float]) -> LogPrediction:
    """Put calibrated intervals around medians."""
    horizon = population.shape[1]
    return LogPrediction(population, {level: calibration.reach(horizon, level) for level in check_levels(levels)})


def pack(fitted: Fitted) -> Arrays:
    """Return a fit as plain arrays by name, those of its calibration among them; :func:`unpack` takes it apart."""
    if fitted.calibration is None:
        return fitted.arrays
    held = {PREFIX + field.name: getattr(fitted.calibration, field.name) for field in fields(Calibration)}
    return {**fitted.arrays, **held}


def unpack(arrays: Arrays) -> tuple[Arrays, Calibration | None]:
    """Return what was estimated, and the calibration if there is one, from arrays as :func:`pack` returned them.

    Raises
    ------
    KeyError
        If a part of the calibration is missing.
    """
    own = {name: array for name, array in arrays.items() if not name.startswith(PREFIX)}
    if len(own) == len(arrays):
        return own, None
    return own, Calibration(*(arrays[PREFIX + field.name] for field in fields(Calibration)))
