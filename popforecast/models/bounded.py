"""Models of growth whose forecasts stay within the growth that was ever observed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array, Arrays, Model, Prediction, Steps, exponentiate, log_positive, normal_quantile
from popforecast.panel import Panel

# Growth per year that is rounding rather than change: a town of 5,000 counted to the person.
ROUNDING = 2e-4

# A forecast this close to the bound was put there by it.
BITE = 1e-12


@dataclass(frozen=True)
class GrowthModel(Model):
    r"""A model of cumulative log growth, bounded by what the panel has seen.

    .. math:: \log \hat y_{T+h} = \log y_T + \min(\max(c_h, l_h), u_h)

    where the bounds are the least and the largest growth of any location of the panel over any h steps up to the
    origin, widened to include no growth; beyond the panel's length they are in proportion. A location whose forecast
    was put on a bound has a note.

    A subclass says how growth accumulates. Where intervals are not calibrated on past origins, they are those of a
    growth rate that wanders: :math:`s (h (h + 1) (2 h + 1) / 6)^{1/2}` for the root mean square s of its past changes.
    Relative to the population, intervals always widen; counted in persons, those of a population that shrinks fast may
    not.
    """

    calibrated: ClassVar[bool] = True

    @abstractmethod
    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Estimate from log population, shape (n, t), what :meth:`accumulate` needs."""

    @abstractmethod
    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return log growth from the origin to steps 1 to horizon, shape (n, horizon), not yet bounded."""

    def estimate(self, panel: Panel) -> Arrays:
        """Return what was observed and what was learnt from it."""
        log = log_positive(panel, self.name)
        return {**self.observe(panel, log), **self.learn(panel, log)}

    def observe(self, panel: Panel, log: Array) -> Arrays:
        """Return the last log population, the bounds of growth and the spread of its changes."""
        low, high = observe_growth(log)
        return {"low": low, "high": high, **self.observe_each(panel, log)}

    def observe_each(self, panel: Panel, log: Array) -> Arrays:
        """Return what every location shows of itself: its last log population and the spread of its changes."""
        changes = np.diff(log, n=2, axis=1)
        deviation = np.sqrt(np.mean(changes**2, axis=1)) if changes.shape[1] else np.abs(np.diff(log, axis=1))[:, 0]
        step = np.array([panel.step])
        return {"last": log[:, -1], "deviation": deviation + ROUNDING * step, "step": step}

    def predict(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> Prediction:
        """Predict the bounded median, with the uncalibrated interval."""
        steps = np.arange(1, horizon + 1)
        low, high = limit_growth(arrays, horizon)
        log = arrays["last"][:, None] + np.clip(self.accumulate(arrays, horizon), low, high)
        spread = self.spread(arrays, steps)
        reach = {level: normal_quantile(level) * spread for level in levels}
        return Prediction(
            exponentiate(log),
            {level: exponentiate(log - width) for level, width in reach.items()},
            {level: exponentiate(log + width) for level, width in reach.items()},
        )

    def spread(self, arrays: Arrays, steps: Steps) -> Array:
        """Return the standard deviation of the log forecast, shape (n, horizon)."""
        return arrays["deviation"][:, None] * np.sqrt(steps * (steps + 1) * (2 * steps + 1) / 6)

    def note(self, arrays: Arrays, horizon: int) -> list[tuple[int, str]]:
        """Flag every location whose forecast a bound holds."""
        if not horizon:
            return []
        growth = self.accumulate(arrays, horizon)
        low, high = limit_growth(arrays, horizon)
        held = (growth < low - BITE) | (growth > high + BITE)
        return [
            (int(row), f"bounded from step {int(held[row].argmax()) + 1} on: no location of the panel ever grew so")
            for row in np.flatnonzero(held.any(axis=1))
        ]


def observe_growth(log: Array) -> tuple[Array, Array]:
    """Return the least and largest log growth of any location over 1 to t - 1 steps, each of shape (t - 1,).

    Examples
    --------
    >>> low, high = observe_growth(np.log([[1.0, 2.0, 2.0], [4.0, 2.0, 1.0]]))
    >>> (low / np.log(2)).round(9).tolist(), (high / np.log(2)).round(9).tolist()
    ([-1.0, -2.0], [1.0, 1.0])
    """
    # A year after the other in memory: stretches of years are then read and compared as they lie there.
    years = np.ascontiguousarray(log.T)
    grown = (years[h:] - years[:-h] for h in range(1, len(years)))
    extremes = [(growth.min(), growth.max()) for growth in grown]
    return np.array([min(0.0, least) for least, _ in extremes]), np.array([max(0.0, most) for _, most in extremes])


def limit_growth(arrays: Arrays, horizon: int) -> tuple[Array, Array]:
    """Return the bounds of growth for steps 1 to horizon; beyond the panel's length, in proportion."""
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
    r"""Return :math:`\sum_{j=1}^{m} \phi^j`: what last growth amounts to over m years when it decays.

    Examples
    --------
    >>> round(damp(0.5, 3), 6)
    0.875
    """
    return damping * (1 - damping**years) / (1 - damping)
