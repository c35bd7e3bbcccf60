"""Benchmark models: no change, mean change and damped growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from popforecast.errors import ModelError
from popforecast.models.base import Array, Arrays, LogPrediction, Steps, normal_quantile
from popforecast.models.bounded import GrowthModel, damp
from popforecast.panel import Panel

# Scales of the random walk with drift.
DRIFTS = ("level", "log")


@dataclass(frozen=True)
class Naive(GrowthModel):
    r"""No change: a random walk in log population.

    .. math:: \hat y_{T+h} = y_T, \qquad \operatorname{sd} = s \sqrt{h}

    where s is the root mean square of past changes in log population (used for uncalibrated intervals).

    References
    ----------
    Hyndman, R. J. and Athanasopoulos, G. (2021). *Forecasting: Principles and Practice*, section 5.2.

    Examples
    --------
    >>> import pandas as pd
    >>> steady = Panel([[100, 110, 121]], [2000, 2001, 2002], pd.DataFrame({"name": ["Steady"]}))
    >>> Naive().fit(steady).predict(2).population.round(6).tolist()
    [[121.0, 121.0]]
    """

    @property
    def name(self) -> str:
        """``naive``."""
        return "naive"

    def learn(self, panel: Panel, log: Array) -> Arrays:  # noqa: ARG002
        """Return the spread of growth."""
        return {"deviation": np.sqrt(np.mean(np.diff(log, axis=1) ** 2, axis=1))}

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return zero growth."""
        return np.zeros((len(arrays["last"]), horizon))

    def spread(self, arrays: Arrays, steps: Steps) -> Array:
        """Return the standard deviation of a random walk."""
        return arrays["deviation"][:, None] * np.sqrt(steps)


@dataclass(frozen=True)
class Drift(GrowthModel):
    r"""The mean of all past changes: a random walk with drift.

    .. math:: \hat y_{T+h} = y_T + h c, \quad c = \frac{y_T - y_1}{T - 1},
       \qquad \operatorname{sd} = s \sqrt{h \left(1 + \frac{h}{T - 1}\right)}

    where s is the standard deviation of past changes (T - 2 degrees of freedom). Uncalibrated intervals are
    :math:`\hat y_{T+h} \pm z \operatorname{sd}`, truncated at zero.

    Parameters
    ----------
    transform : {"level", "log"}, default "level"
        The scale of y: population, or log population to continue the mean growth rate instead of the mean change.

    Raises
    ------
    ModelError
        If the transform is unknown.

    Notes
    -----
    Intervals come from past errors in logarithms, so the population must be positive. Forecasts are bounded by the
    growth on record (:class:`GrowthModel`): a shrinking population does not follow the line to zero but shrinks no
    faster than any location in the panel has, and a note says from when.

    References
    ----------
    Hyndman, R. J. and Athanasopoulos, G. (2021). *Forecasting: Principles and Practice*, section 5.2.

    Examples
    --------
    >>> import pandas as pd
    >>> steady = Panel([[100, 110, 121]], [2000, 2001, 2002], pd.DataFrame({"name": ["Steady"]}))
    >>> Drift().fit(steady).predict(2).population.round(6).tolist()
    [[131.5, 142.0]]
    >>> Drift(transform="log").fit(steady).predict(2).population.round(6).tolist()
    [[133.1, 146.41]]
    """

    transform: str = "level"

    def __post_init__(self) -> None:
        if self.transform not in DRIFTS:
            raise ModelError(f"transform {self.transform!r}: expected one of {', '.join(DRIFTS)}")

    @property
    def name(self) -> str:
        """``drift``, with the transform unless it is the default."""
        return "drift" if self == Drift() else f"drift({self.transform})"

    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Return the mean and standard deviation of changes in y, relative to the last figure if in persons."""
        y = log if self.transform == "log" else panel.values / panel.values[:, -1:]
        changes = np.diff(y, axis=1)
        t = changes.shape[1]
        mean = (y[:, -1] - y[:, 0]) / t
        squares = np.sum((changes - mean[:, None]) ** 2, axis=1)
        return {
            "change": mean,
            "deviation": np.sqrt(squares / max(t - 1, 1)),
            "changes": np.full(len(log), t),
        }

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return growth at the mean change: minus infinity where the line reaches zero, which the bounds rule out."""
        path: Array = arrays["change"][:, None] * np.arange(1, horizon + 1)
        if self.transform == "log":
            return path
        with np.errstate(divide="ignore"):
            return np.log1p(np.maximum(path, -1))

    def predict_logs(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> LogPrediction:
        """Predict the bounded median, with uncalibrated intervals that are symmetric in y."""
        if self.transform == "log":
            return super().predict_logs(arrays, horizon, levels)
        median = super().predict_logs(arrays, horizon, ()).population
        deviation = np.exp(arrays["last"])[:, None] * self.spread(arrays, np.arange(1, horizon + 1))
        # Relative to the unbounded line; where a bound lifts the median, the interval does not shrink again.
        share = np.maximum.accumulate(deviation / np.maximum(median, np.finfo(float).tiny), axis=1)
        with np.errstate(divide="ignore"):
            widths = {
                level: np.stack([-np.log1p(-np.minimum(width, 1)), np.log1p(width)])
                for level, width in ((level, normal_quantile(level) * share) for level in levels)
            }
        return LogPrediction(median, widths)

    def spread(self, arrays: Arrays, steps: Steps) -> Array:
        """Return the standard deviation of a random walk with estimated drift."""
        return arrays["deviation"][:, None] * np.sqrt(steps * (1 + steps / arrays["changes"][:, None]))


@dataclass(frozen=True)
class DampedGrowth(GrowthModel):
    r"""Last growth, damped by a constant factor each year.

    .. math:: \log \hat y_{T+h} = \log y_T + g \sum_{j=1}^{h} \phi^j, \qquad g = \log y_T - \log y_{T-1}

    with h in years; on a panel with a longer step, g is annual growth over the last step.

    Parameters
    ----------
    damping : float, default 0.97
        The damping factor :math:`\phi`: the share of growth that remains after a year.

    Raises
    ------
    ModelError
        If the damping is not between 0 and 1.

    References
    ----------
    Gardner, E. S. and McKenzie, E. (1985). Forecasting trends in time series. *Management Science* 31, 1237-1246.

    Examples
    --------
    >>> import pandas as pd
    >>> doubling = Panel([[1, 2, 4]], [2000, 2001, 2002], pd.DataFrame({"name": ["Doubling"]}))
    >>> DampedGrowth(0.5).fit(doubling).predict(2).population.round(6).tolist()
    [[5.656854, 6.727171]]
    """

    damping: float = 0.97

    def __post_init__(self) -> None:
        if not 0 < self.damping < 1:
            raise ModelError(f"damping {self.damping!r}: expected a share between 0 and 1, such as 0.97")

    @property
    def name(self) -> str:
        """``damped-growth``, with the factor unless it is the default."""
        return "damped-growth" if self == DampedGrowth() else f"damped-growth({self.damping:g})"

    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Return annual growth over the last step."""
        return {"growth": (log[:, -1] - log[:, -2]) / panel.step}

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return damped growth."""
        years = np.arange(1, horizon + 1) * arrays["step"]
        return arrays["growth"][:, None] * damp(self.damping, years)
