"""The simplest rules, which any model must beat: no change, and growth as it has been on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from popforecast.models.base import Array, Arrays, Model, Prediction, exponentiate, log_positive, normal_quantile
from popforecast.panel import Panel


@dataclass(frozen=True)
class Naive(Model):
    r"""The last population, for ever: a random walk of log population.

    .. math:: \hat y_{T+h} = y_T, \qquad \operatorname{sd} = s \sqrt{h}

    with s the root mean square of the past changes of log population.

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

    def estimate(self, panel: Panel) -> Arrays:
        """Return the last log population and the spread of its changes."""
        log = log_positive(panel, self.name)
        changes = np.diff(log, axis=1)
        return {"last": log[:, -1], "deviation": np.sqrt(np.mean(changes**2, axis=1))}

    def predict(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> Prediction:
        """Predict the last population, with the widths of a random walk."""
        steps = np.arange(1, horizon + 1)
        median = np.repeat(arrays["last"][:, None], horizon, axis=1)
        return _surround(median, arrays["deviation"][:, None] * np.sqrt(steps), levels)


@dataclass(frozen=True)
class Drift(Model):
    r"""The mean growth rate of all the past, for ever: a random walk of log population with drift.

    .. math:: \log \hat y_{T+h} = \log y_T + h g, \quad g = \frac{\log y_T - \log y_1}{T - 1},
       \qquad \operatorname{sd} = s \sqrt{h \left(1 + \frac{h}{T - 1}\right)}

    with s the standard deviation of the past changes (T - 2 degrees of freedom).

    References
    ----------
    Hyndman, R. J. and Athanasopoulos, G. (2021). *Forecasting: Principles and Practice*, section 5.2.

    Examples
    --------
    >>> import pandas as pd
    >>> steady = Panel([[100, 110, 121]], [2000, 2001, 2002], pd.DataFrame({"name": ["Steady"]}))
    >>> Drift().fit(steady).predict(2).population.round(6).tolist()
    [[133.1, 146.41]]
    """

    @property
    def name(self) -> str:
        """``drift``."""
        return "drift"

    def estimate(self, panel: Panel) -> Arrays:
        """Return the last log population, its mean change and their spread."""
        log = log_positive(panel, self.name)
        changes = np.diff(log, axis=1)
        t = changes.shape[1]
        growth = changes.mean(axis=1)
        squares = np.sum((changes - growth[:, None]) ** 2, axis=1)
        return {
            "last": log[:, -1],
            "growth": growth,
            "deviation": np.sqrt(squares / max(t - 1, 1)),
            "changes": np.full(len(log), t),
        }

    def predict(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> Prediction:
        """Predict growth at the mean rate; the widths allow for the mean being estimated."""
        steps = np.arange(1, horizon + 1)
        median = arrays["last"][:, None] + arrays["growth"][:, None] * steps
        spread = np.sqrt(steps * (1 + steps / arrays["changes"][:, None]))
        return _surround(median, arrays["deviation"][:, None] * spread, levels)


def _surround(median: Array, deviation: Array, levels: Sequence[float]) -> Prediction:
    reach = {level: normal_quantile(level) * deviation for level in levels}
    return Prediction(
        exponentiate(median),
        {level: exponentiate(median - width) for level, width in reach.items()},
        {level: exponentiate(median + width) for level, width in reach.items()},
    )
