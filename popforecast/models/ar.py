"""Autoregression by ordinary least squares, for all locations of a panel at once.

Estimates equal those of statsmodels ``AutoReg``, which fits one series at a time and is the reference in the tests.
This is the textbook model: explosive roots are flagged but not corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import ModelError
from popforecast.models.base import Array, Arrays, Model, Prediction, log_positive, normal_quantile
from popforecast.models.numeric import dot_rows, exponentiate, least_squares
from popforecast.panel import Panel

TRENDS = {"n": (), "c": (0,), "t": (1,), "ct": (0, 1)}
TRANSFORMS = ("level", "log", "growth")
CRITERIA = ("aic", "bic")

# Roots above one by no more than this are unit roots up to rounding.
ROOT_TOLERANCE = 1e-9


@dataclass(frozen=True)
class AR(Model):
    r"""Autoregression with constant and trend.

    .. math:: y_t = a + b t + \sum_{i=1}^{p} \phi_i y_{t-i} + e_t, \qquad t = 1, \dots, T

    estimated by conditional least squares, with :math:`\sigma^2` the mean squared residual. Intervals are
    :math:`\hat y_{T+h} \pm z \sigma (\sum_{j<h} \psi_j^2)^{1/2}`: normal errors, parameters taken as known.

    Parameters
    ----------
    lags : int or {"aic", "bic"}, default 1
        Number of lags, or the criterion that chooses it for each location, from 0 to `max_lags`.
    trend : {"n", "c", "t", "ct"}, default "c"
        No deterministic term, a constant, a linear trend, or both.
    transform : {"level", "log", "growth"}, default "level"
        The scale of y: population, log population, or growth (the change in log population, accumulated and
        exponentiated, so that the forecast is a median).
    max_lags : int, default 5
        The maximum order a criterion can select.

    Raises
    ------
    ModelError
        If the specification is unknown.

    References
    ----------
    Hamilton, J. D. (1994). *Time Series Analysis*, chapters 3 to 5.

    Examples
    --------
    >>> import pandas as pd
    >>> doubling = Panel([[1, 2, 4, 8, 16]], range(2000, 2005), pd.DataFrame({"name": ["Doubling"]}))
    >>> fitted = AR(1, trend="n").fit(doubling)
    >>> fitted.predict(2).population.round(6).tolist()
    [[32.0, 64.0]]
    >>> fitted.notes()[0].text
    'explosive (largest root 2.0000): this model makes growth accelerate forever; do not use it far ahead'
    """

    lags: int | str = 1
    trend: str = "c"
    transform: str = "level"
    max_lags: int = 5

    def __post_init__(self) -> None:
        if self.lags not in CRITERIA and not _is_count(self.lags):
            raise ModelError(f"lags {self.lags!r}: expected a whole number, 0 or more, or one of {', '.join(CRITERIA)}")
        if not _is_count(self.max_lags) or self.max_lags < 1:
            raise ModelError(f"max_lags {self.max_lags!r}: expected a whole number, 1 or more")
        if self.trend not in tuple(TRENDS):
            raise ModelError(f"trend {self.trend!r}: expected one of {', '.join(TRENDS)}")
        if self.transform not in TRANSFORMS:
            raise ModelError(f"transform {self.transform!r}: expected one of {', '.join(TRANSFORMS)}")
        # NumPy integers are accepted, but JSON manifests need Python's.
        object.__setattr__(self, "max_lags", int(self.max_lags))
        if self.lags not in CRITERIA:
            object.__setattr__(self, "lags", int(self.lags))
        if self.lags == 0 and self.trend == "n":
            raise ModelError("no lags and no trend: expected at least one regressor")

    @property
    def name(self) -> str:
        """``ar1`` for the default specification, otherwise written in full, such as ``AR(2, ct, log)``."""
        if self == AR():
            return "ar1"
        transform = "" if self.transform == "level" else f", {self.transform}"
        limit = f" to {self.max_lags}" if self.lags in CRITERIA else ""
        return f"AR({self.lags}{limit}, {self.trend}{transform})"

    def estimate(self, panel: Panel) -> Arrays:
        """Return coefficients (constant, trend, lags), error variance, the last values and the largest root."""
        y = self._transform(panel)
        if self.lags not in CRITERIA:
            return self._estimate(y, panel, int(self.lags))
        order = select_lags(y, self.max_lags, self.trend, str(self.lags))
        arrays: dict[str, NDArray[Any]] = {}
        for lags in np.unique(order):
            rows = np.flatnonzero(order == lags)
            for key, part in self._estimate(y[rows], panel, int(lags), rows).items():
                arrays.setdefault(key, np.zeros((len(y), *part.shape[1:]), part.dtype))[rows] = part
        return arrays

    def predict(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> Prediction:
        """Predict recursively, with intervals from the moving-average weights of the autoregression."""
        mean, psi = iterate(arrays, horizon)
        if self.transform == "growth":
            mean, psi = arrays["base"][:, None] + np.cumsum(mean, axis=1), np.cumsum(psi, axis=1)
        deviation = np.sqrt(arrays["variance"][:, None] * np.cumsum(psi**2, axis=1))
        reach = {level: normal_quantile(level) * deviation for level in levels}
        back = np.positive if self.transform == "level" else exponentiate
        return Prediction(
            back(mean),
            {level: back(mean - width) for level, width in reach.items()},
            {level: back(mean + width) for level, width in reach.items()},
        )

    def note(self, arrays: Arrays, horizon: int) -> list[tuple[int, str]]:  # noqa: ARG002
        """Flag explosive roots."""
        roots = arrays["root"]
        text = "explosive (largest root {:.4f}): this model makes growth accelerate forever; do not use it far ahead"
        return [(int(row), text.format(roots[row])) for row in np.flatnonzero(roots > 1 + ROOT_TOLERANCE)]

    def _transform(self, panel: Panel) -> Array:
        if self.transform == "level":
            return panel.values
        log = log_positive(panel, self.name)
        return np.diff(log, axis=1) if self.transform == "growth" else log

    def _estimate(self, y: Array, panel: Panel, lags: int, rows: NDArray[np.intp] | slice = slice(None)) -> Arrays:
        width = self.max_lags if self.lags in CRITERIA else lags
        fit = regress(y, lags, self.trend)
        coefficients = np.zeros((len(y), 2 + width))
        coefficients[:, [*TRENDS[self.trend], *range(2, 2 + lags)]] = fit.coefficients
        return {
            "coefficients": coefficients,
            "variance": fit.variance,
            "tail": y[:, ::-1][:, :width].copy(),
            "base": np.log(panel.values[rows, -1]) if self.transform == "growth" else np.zeros(len(y)),
            "time": np.full(len(y), y.shape[1]),
            "root": _largest_root(coefficients[:, 2:]),
        }


class Regression(NamedTuple):
    """Regression of every series on its own lags: coefficients (n, k), residuals (n, t - hold_back) and variance."""

    coefficients: Array
    residuals: Array
    variance: Array


def regress(y: Array, lags: int, trend: str = "c", hold_back: int | None = None) -> Regression:
    """Regress every series on constant, trend and its own lags.

    Parameters
    ----------
    y : ndarray, shape (n, t)
        The series.
    lags : int
        Number of lags.
    trend : {"n", "c", "t", "ct"}
        Deterministic terms; the trend runs from 1 to t.
    hold_back : int, optional
        Number of initial observations to leave out (default: the number of lags).

    Returns
    -------
    Regression
        Coefficients in the order constant, trend, lag 1, lag 2, ...; the variance is the mean squared residual.

    Raises
    ------
    ModelError
        If fewer observations than coefficients remain.

    Examples
    --------
    >>> regress(np.array([[1.0, 3.0, 7.0, 15.0]]), 1).coefficients.round(9).tolist()
    [[1.0, 2.0]]
    """
    t = y.shape[1]
    hold_back = lags if hold_back is None else hold_back
    count = len(TRENDS[trend]) + lags
    if t - hold_back <= count:
        raise ModelError(f"{t} years are too few for {lags} lags and trend {trend!r}: expected {count + hold_back + 1}")
    # Scaled to about one, because populations of 1e9 and a constant of 1 make an ill-conditioned problem.
    scale = np.abs(y).mean(axis=1, keepdims=True)
    scale[scale == 0] = 1
    scaled = y / scale
    ones = np.ones((len(y), t - hold_back))
    columns = [ones, ones * np.arange(hold_back + 1, t + 1) / t]
    columns = [columns[i] for i in TRENDS[trend]]
    columns += [scaled[:, hold_back - lag : t - lag] for lag in range(1, lags + 1)]
    coefficients, residuals = least_squares(columns, scaled[:, hold_back:])
    for position, term in enumerate(TRENDS[trend]):
        coefficients[:, position] *= scale[:, 0] / (t if term else 1)
    residuals *= scale
    return Regression(coefficients, residuals, np.mean(residuals**2, axis=1))


def select_lags(y: Array, max_lags: int, trend: str = "c", criterion: str = "bic") -> NDArray[np.int64]:
    """Return the order of every series that minimises an information criterion.

    All orders are fitted to the same observations (the first `max_lags` are held back), as in statsmodels'
    ``ar_select_order``.

    Returns
    -------
    ndarray, shape (n,)
        Orders from 0 to `max_lags`.
    """
    if criterion not in CRITERIA:
        raise ModelError(f"criterion {criterion!r}: expected one of {', '.join(CRITERIA)}")
    nobs = y.shape[1] - max_lags
    penalty = 2 if criterion == "aic" else np.log(nobs)
    values = []
    for lags in range(0 if TRENDS[trend] else 1, max_lags + 1):
        # A perfect fit has variance zero; it must be preferred to every other order.
        variance = np.maximum(regress(y, lags, trend, hold_back=max_lags).variance, np.finfo(float).tiny)
        values.append(nobs * np.log(variance) + penalty * (len(TRENDS[trend]) + lags))
    return np.argmin(values, axis=0) + (0 if TRENDS[trend] else 1)


def choose_lags(model: AR, panel: Panel) -> list[AR]:
    """Return the model for each location, with the order the criterion selects."""
    if model.lags not in CRITERIA:
        return [model] * len(panel)
    order = select_lags(model._transform(panel), model.max_lags, model.trend, str(model.lags))
    return [replace(model, lags=int(lags)) for lags in order]


def _is_count(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 0


def iterate(arrays: Arrays, horizon: int) -> tuple[Array, Array]:
    """Return the mean path and the moving-average weights, each of shape (n, horizon)."""
    coefficients = arrays["coefficients"]
    phi = coefficients[:, 2:]
    n, lags = phi.shape
    path = np.concatenate([arrays["tail"][:, ::-1], np.zeros((n, horizon))], axis=1)
    psi = np.zeros((n, lags + horizon))
    psi[:, lags : lags + 1] = 1
    backwards = phi[:, ::-1]
    for h in range(horizon):
        recent = slice(h, h + lags)
        deterministic = coefficients[:, 0] + coefficients[:, 1] * (arrays["time"] + h + 1)
        path[:, lags + h] = deterministic + dot_rows(backwards, path[:, recent])
        if h:
            psi[:, lags + h] = dot_rows(backwards, psi[:, recent])
    return path[:, lags:], psi[:, lags:]


def _largest_root(phi: Array) -> Array:
    n, lags = phi.shape
    if lags == 0:
        return np.zeros(n)
    if lags == 1:
        return np.abs(phi[:, 0])
    companion = np.zeros((n, lags, lags))
    companion[:, 0] = phi
    companion[:, range(1, lags), range(lags - 1)] = 1
    return np.abs(np.linalg.eigvals(companion)).max(axis=1)
