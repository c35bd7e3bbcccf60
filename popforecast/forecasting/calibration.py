"""Calibration of intervals on a model's own past errors, by horizon and features of the location."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.forecasting.origins import choose_knots, choose_past
from popforecast.forecasting.risk import describe_risk, reach_quantiles, scale_errors
from popforecast.forecasting.rolling import Rolling, roll
from popforecast.models.base import Array, Arrays, Fitted, LogPrediction, Model, Prediction
from popforecast.models.levels import check_levels
from popforecast.models.numeric import interpolate
from popforecast.models.pooling import find_teachers
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen

# Half-life of the weights of errors, in years, because growth was more volatile in earlier decades.
HALF_LIFE = 15

# Minimum number of past errors for calibration.
FEWEST = 30

# Offset before logs, so that near-zero errors do not dominate.
LUCK = 1e-4

# Decimals of log errors; smaller digits are rounding errors of logs and exponentials.
ROUNDED = 13

# Prefix of the names of calibration arrays, stored together with those of a model.
PREFIX = "interval_"

# Powers of the horizon that limit widths beyond the last knot: a random walk, and a constant error in the growth rate.
SLOWEST, FASTEST = 0.5, 1.0


@dataclass(frozen=True, eq=False)
class Calibration(Frozen):
    r"""Error scales and quantiles, estimated from past errors, which set the width of intervals.

    The log error at horizon h of a location with features x is modelled as :math:`e^{x' b_h} q`, with q drawn from the
    scaled past errors of all locations (split conformal prediction). The features are a constant, log volatility of
    growth over ten years, and relative size; :math:`b_h` is estimated by least squares on :math:`\log(|e| + 10^{-4})`.
    Past origins are five years apart; the weight of older errors halves every 15 years.

    Attributes
    ----------
    knots : ndarray, shape (k,)
        Horizons, in steps.
    slopes : ndarray, shape (k, p)
        The coefficients :math:`b_h`.
    quantiles : ndarray, shape (k, len(PROBABILITIES))
        Quantiles of the scaled past errors.
    risk, risk_then : ndarray, shape (n, p) and (n, o, p)
        Features x of each location at the origin, and at o past origins.
    errors : ndarray, shape (n, o, k)
        Log errors at past origins; NaN where the outcome was unknown.

    References
    ----------
    Papadopoulos, H. et al. (2002). Inductive confidence machines for regression. *ECML*, 345-356. Lei, J. et al.
    (2018). Distribution-free predictive inference for regression. *JASA* 113, 1094-1111.
    """

    knots: NDArray[np.int64]
    slopes: Array
    quantiles: Array
    risk: Array
    risk_then: Array
    errors: Array

    @cached_property
    def scale(self) -> Array:
        """Error scale of each location at the origin, shape (n, k)."""
        return _scale(self.risk, self.slopes)

    @cached_property
    def scale_then(self) -> Array:
        """Error scales at past origins, shape (n, o, k)."""
        return _scale(self.risk_then, self.slopes)

    def reach(self, horizon: int, level: float) -> Array:
        """Return the lower and upper half-widths of the interval, in logs, shape (2, n, horizon).

        Both are non-negative and grow with the horizon; in persons, the interval of a fast-shrinking population can
        narrow. Beyond the last knot they grow as a power of the horizon, estimated from mean absolute errors at the
        last two knots and limited to between 1/2 (a random walk) and 1 (a constant error in the growth rate).
        """
        return np.stack([self._extend(side, horizon) for side in reach_quantiles(self.quantiles, level)])

    def spread(self, horizon: int) -> Array:
        """Return mean absolute errors, in logs, shape (n, horizon); they grow with the horizon like half-widths."""
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
        # The same power for all levels; otherwise intervals could cross.
        if len(self.knots) == 1:
            return np.full(len(self.scale), FASTEST)
        usual = np.maximum(self.scale * np.abs(self.quantiles).mean(axis=1), 1e-12)
        power = np.log(usual[:, -1] / usual[:, -2]) / np.log(self.knots[-1] / self.knots[-2])
        return np.clip(power, SLOWEST, FASTEST)


def calibrate(rolling: Rolling, panel: Panel, origin: int) -> Calibration | None:
    """Return the calibration from errors known at an origin.

    Parameters
    ----------
    rolling : Rolling
        Forecasts of the model at past origins, including those of :func:`choose_past`, for the horizons of
        :func:`choose_knots`.
    panel : Panel
        The panel of these forecasts; years after the origin are not used.
    origin : int
        A year of the panel.

    Returns
    -------
    Calibration or None
        None if too few errors are known.
    """
    row = int(np.searchsorted(panel.years, origin))
    rows = np.searchsorted(panel.years, choose_past(panel, origin))
    risk = describe_risk(panel)
    taught = teach_widths(rolling, panel, origin, risk)
    if not taught:
        return None
    return Calibration(
        np.array([width.knot for width in taught]),
        np.stack([width.slope for width in taught]),
        np.stack([width.quantiles for width in taught]),
        risk[row],
        np.swapaxes(risk[rows], 0, 1),
        np.stack([width.errors for width in taught], axis=-1),
    )


def _scale(risk: Array, slopes: Array) -> Array:
    """Return the error scale of features, read-only; a location's does not depend on the others in the array."""
    scale: Array = np.exp((risk[..., None, :] * slopes).sum(axis=-1))
    scale.setflags(write=False)
    return scale


class Width(NamedTuple):
    """Estimates from past errors at one knot, which apply to any location.

    The horizon in steps, the coefficients of the error scale, the quantiles of the scaled errors, and the errors, shape
    (n, o), NaN where the outcome was unknown.
    """

    knot: int
    slope: Array
    quantiles: Array
    errors: Array


def teach_widths(rolling: Rolling, panel: Panel, origin: int, risk: Array) -> list[Width]:
    """Return the estimates from errors known at an origin, by knot; knots with too few errors are omitted.

    Parameters
    ----------
    rolling, panel, origin
        As for :func:`calibrate`.
    risk : ndarray, shape (t, n, p)
        As returned by :func:`popforecast.forecasting.risk.describe_risk`.
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


def fit(panel: Panel, model: Model) -> Fitted:
    """Return a fitted model, with calibrated intervals unless they are analytic.

    Examples
    --------
    >>> import popforecast as pf
    >>> fitted = fit(pf.load_panel("wpp2024").countries(), pf.models.get("damped-growth"))
    >>> fitted.calibration.knots.tolist()
    [1, 3, 5, 10, 20, 30, 40]
    """
    return complete(model.fit(panel))


def complete(fitted: Fitted) -> Fitted:
    """Return a fit with calibrated intervals, if possible.

    It is not possible for analytic intervals, or if the panel has too few past origins.
    """
    model, panel = fitted.model, fitted.panel
    is_due = model.calibrated and model.has_intervals and fitted.calibration is None
    past = choose_past(panel, panel.origin) if is_due else []
    if not past:
        return fitted
    rolling = roll(model, panel, past[::-1], choose_knots(panel), ())
    return replace(fitted, calibration=calibrate(rolling, panel, panel.origin))


def predict(fitted: Fitted, horizon: int, levels: Sequence[float]) -> Prediction:
    """Predict each series with the model, with calibrated intervals or, without a calibration, analytic ones."""
    if not fitted.model.calibrated:
        return fitted.model.predict(fitted.arrays, horizon, levels)
    return predict_logs(fitted, horizon, levels).exponentiate()


def predict_logs(fitted: Fitted, horizon: int, levels: Sequence[float]) -> LogPrediction:
    """Predict each series with a model that can be calibrated, with half-widths in logs."""
    model, arrays = fitted.model, fitted.arrays
    if fitted.calibration is None:
        return model.predict_logs(arrays, horizon, levels)
    return surround(model.predict(arrays, horizon, ()).population, fitted.calibration, levels)


def surround(population: Array, calibration: Calibration, levels: Iterable[float]) -> LogPrediction:
    """Return a prediction with calibrated intervals around medians."""
    horizon = population.shape[1]
    return LogPrediction(population, {level: calibration.reach(horizon, level) for level in check_levels(levels)})


def pack(fitted: Fitted) -> Arrays:
    """Return a fit as arrays by name, including its calibration; :func:`unpack` is the inverse."""
    if fitted.calibration is None:
        return fitted.arrays
    held = {PREFIX + field.name: getattr(fitted.calibration, field.name) for field in fields(Calibration)}
    return {**fitted.arrays, **held}


def unpack(arrays: Arrays) -> tuple[Arrays, Calibration | None]:
    """Return the estimates, and the calibration if there is one, from the arrays of :func:`pack`.

    Raises
    ------
    KeyError
        If a part of the calibration is missing.
    """
    own = {name: array for name, array in arrays.items() if not name.startswith(PREFIX)}
    if len(own) == len(arrays):
        return own, None
    return own, Calibration(*(arrays[PREFIX + field.name] for field in fields(Calibration)))
