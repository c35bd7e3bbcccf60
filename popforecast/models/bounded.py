"""Growth models whose forecasts stay within the range of growth on record."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import (
    Array,
    Arrays,
    LogPrediction,
    Model,
    Prediction,
    Steps,
    log_positive,
    normal_quantile,
)
from popforecast.models.numeric import exponentiate
from popforecast.panel import Panel

# Annual growth below this may be rounding: one person in a town of 5,000.
ROUNDING = 2e-4

# Forecasts closer to a bound than this are at the bound.
BITE = 1e-12


@dataclass(frozen=True)
class GrowthModel(Model):
    r"""A model of cumulative log growth, bounded by the growth on record in the panel.

    .. math:: \log \hat y_{T+h} = \log y_T + \min(\max(c_h, l_h), u_h)

    where the bounds :math:`l_h` and :math:`u_h` are the smallest and largest growth of any location in the panel over
    any h steps up to the origin, extended to include zero growth; beyond the panel's length they grow in proportion to
    h. A note flags forecasts at a bound.

    Subclasses define how growth accumulates. Uncalibrated intervals assume a growth rate that follows a random walk:
    :math:`s (h (h + 1) (2 h + 1) / 6)^{1/2}`, where s is the root mean square of its past changes. Relative to the
    population, intervals always widen with h; in persons, those of a rapidly shrinking population may narrow.
    """

    calibrated: ClassVar[bool] = True

    @abstractmethod
    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Return the estimates that :meth:`accumulate` needs, from log population of shape (n, t)."""

    @abstractmethod
    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return unbounded log growth from the origin to steps 1 to horizon, shape (n, horizon)."""

    def estimate(self, panel: Panel) -> Arrays:
        """Return the observed quantities and the estimates of the subclass."""
        log = log_positive(panel, self.name)
        return {**self.observe(panel, log), **self.learn(panel, log)}

    def observe(self, panel: Panel, log: Array) -> Arrays:
        """Return the last log population, the bounds on growth and the spread of its changes."""
        low, high = observe_growth(log)
        return {"low": low, "high": high, **self.observe_each(panel, log)}

    def observe_each(self, panel: Panel, log: Array) -> Arrays:
        """Return each location's own last log population and spread of changes in growth."""
        changes = np.diff(log, n=2, axis=1)
        deviation = np.sqrt(np.mean(changes**2, axis=1)) if changes.shape[1] else np.abs(np.diff(log, axis=1))[:, 0]
        step = np.array([panel.step])
        return {"last": log[:, -1], "deviation": deviation + ROUNDING * step, "step": step}

    def predict(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> Prediction:
        """Predict the bounded median, with uncalibrated intervals."""
        return self.predict_logs(arrays, horizon, levels).exponentiate()

    def predict_logs(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> LogPrediction:
        """Predict the bounded median, with uncalibrated half-widths in logs."""
        steps = np.arange(1, horizon + 1)
        low, high = self.limit(arrays, horizon)
        log = arrays["last"][:, None] + np.clip(self.accumulate(arrays, horizon), low, high)
        spread = self.spread(arrays, steps)
        return LogPrediction(
            exponentiate(log), {level: normal_quantile(level) * np.stack([spread] * 2) for level in levels}
        )

    def limit(self, arrays: Arrays, horizon: int) -> tuple[Array, Array]:
        """Return the least and the largest growth that a forecast may have, for steps 1 to horizon."""
        return limit_growth(arrays, horizon)

    def spread(self, arrays: Arrays, steps: Steps) -> Array:
        """Return the standard deviation of the log forecast, shape (n, horizon)."""
        return arrays["deviation"][:, None] * np.sqrt(steps * (steps + 1) * (2 * steps + 1) / 6)

    def note(self, arrays: Arrays, horizon: int) -> list[tuple[int, str]]:
        """Flag forecasts at a bound."""
        if not horizon:
            return []
        growth = self.accumulate(arrays, horizon)
        low, high = self.limit(arrays, horizon)
        held = (growth < low - BITE) | (growth > high + BITE)
        return [
            (int(row), f"capped from step {int(held[row].argmax()) + 1} on: beyond any growth or decline in the data")
            for row in np.flatnonzero(held.any(axis=1))
        ]


def observe_growth(log: Array) -> tuple[Array, Array]:
    """Return the smallest and largest log growth of any location over 1 to t - 1 steps, each of shape (t - 1,).

    Examples
    --------
    >>> low, high = observe_growth(np.log([[1.0, 2.0, 2.0], [4.0, 2.0, 1.0]]))
    >>> (low / np.log(2)).round(9).tolist(), (high / np.log(2)).round(9).tolist()
    ([-1.0, -2.0], [1.0, 1.0])
    """
    # Time-major in memory, so that differences between years read contiguous rows.
    years = np.ascontiguousarray(log.T)
    grown = (years[h:] - years[:-h] for h in range(1, len(years)))
    extremes = [(growth.min(), growth.max()) for growth in grown]
    return np.array([min(0.0, least) for least, _ in extremes]), np.array([max(0.0, most) for _, most in extremes])


def limit_growth(arrays: Arrays, horizon: int) -> tuple[Array, Array]:
    """Return the bounds on growth for steps 1 to horizon; beyond the panel's length they grow in proportion."""
    steps = np.arange(1, horizon + 1)
    known = len(arrays["low"])
    at = np.minimum(steps, known) - 1
    beyond = steps / (at + 1)
    return arrays["low"][at] * beyond, arrays["high"][at] * beyond


@overload
def damp(damping: float, years: float) -> float: ...
@overload
def damp(damping: float, years: Array | Steps) -> Array: ...


def damp(damping: float, years: Array | Steps | float) -> NDArray[np.floating[Any]] | float:
    r"""Return :math:`\sum_{j=1}^{m} \phi^j`: the years of current growth that m years of damped growth amount to.

    Examples
    --------
    >>> round(damp(0.5, 3), 6)
    0.875
    """
    return damping * (1 - damping**years) / (1 - damping)
