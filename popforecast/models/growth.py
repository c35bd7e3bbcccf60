"""The simple rules, which any model must beat: no change, mean growth, and last growth that fades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from popforecast.errors import ModelError
from popforecast.models.base import Array, Arrays
from popforecast.models.bounded import GrowthModel, damp
from popforecast.panel import Panel


@dataclass(frozen=True)
class Naive(GrowthModel):
    r"""The last population, for ever: a random walk of log population.

    .. math:: \hat y_{T+h} = y_T, \qquad \operatorname{sd} = s \sqrt{h}

    with s the root mean square of the past changes of log population (the interval where it is not calibrated).

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
        """Return no growth."""
        return np.zeros((len(arrays["last"]), horizon))

    def spread(self, arrays: Arrays, steps: Array) -> Array:
        """Return the deviation of a random walk."""
        return arrays["deviation"][:, None] * np.sqrt(steps)


@dataclass(frozen=True)
class Drift(GrowthModel):
    r"""The mean growth rate of all the past, for ever: a random walk of log population with drift.

    .. math:: \log \hat y_{T+h} = \log y_T + h g, \quad g = \frac{\log y_T - \log y_1}{T - 1},
       \qquad \operatorname{sd} = s \sqrt{h \left(1 + \frac{h}{T - 1}\right)}

    with s the standard deviation of the past changes (T - 2 degrees of freedom; the interval where it is not
    calibrated).

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

    def learn(self, panel: Panel, log: Array) -> Arrays:  # noqa: ARG002
        """Return mean growth and its spread."""
        changes = np.diff(log, axis=1)
        t = changes.shape[1]
        growth = changes.mean(axis=1)
        squares = np.sum((changes - growth[:, None]) ** 2, axis=1)
        return {
            "growth": growth,
            "deviation": np.sqrt(squares / max(t - 1, 1)),
            "changes": np.full(len(log), t),
        }

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return growth at the mean rate."""
        return arrays["growth"][:, None] * np.arange(1, horizon + 1)

    def spread(self, arrays: Arrays, steps: Array) -> Array:
        """Return the deviation of a random walk whose drift was estimated."""
        return arrays["deviation"][:, None] * np.sqrt(steps * (1 + steps / arrays["changes"][:, None]))


@dataclass(frozen=True)
class DampedGrowth(GrowthModel):
    r"""Last growth, which fades by a fixed share every year.

    .. math:: \log \hat y_{T+h} = \log y_T + g \sum_{j=1}^{h} \phi^j, \qquad g = \log y_T - \log y_{T-1}

    in years; on a panel with a longer step, g is the growth per year over the last step.

    Parameters
    ----------
    damping : float, default 0.97
        :math:`\phi`, what is left of growth after a year.

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
        """``damped-growth``, with the damping where it is not the usual one."""
        return "damped-growth" if self == DampedGrowth() else f"damped-growth({self.damping:g})"

    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Return last growth per year."""
        return {"growth": (log[:, -1] - log[:, -2]) / panel.step}

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return the growth that fades."""
        years = np.arange(1, horizon + 1) * arrays["step"]
        return arrays["growth"][:, None] * damp(self.damping, years)
