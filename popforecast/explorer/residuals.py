"""What a model left unexplained: residuals of autoregressions, past errors of the others, and three tests.

The tests are those of ``statsmodels`` (the oracle of our own tests), computed here so that a page answers at once and
its kernel stays small.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.forecasting.calibration import choose_past
from popforecast.forecasting.outlook import Outlook
from popforecast.models.ar import AR, choose_lags, regress
from popforecast.models.base import Array, log_positive
from popforecast.models.guarded_ar import GuardedAR
from popforecast.models.numeric import least_squares
from popforecast.panel import Panel

# How many residuals back the tests look, as in the report of validation.
LJUNG_BOX_LAGS, ARCH_LAGS = 10, 4

# With fewer residuals the tests say nothing.
FEWEST = 30


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residuals of one series, or its past errors one step ahead.

    Attributes
    ----------
    years : ndarray
    values : ndarray
        As the model has them: persons, logarithms or growth.
    percent : ndarray
        By how much the year's population lies above what was expected of it, in percent of that population.
    lags : int
        How many lags were estimated.
    past : bool
        Whether these are errors at past origins, which the model did not see, and not residuals of its own fit.
    """

    years: NDArray[np.int64]
    values: Array
    percent: Array
    lags: int
    past: bool


def find_residuals(outlook: Outlook, code: Hashable) -> Residuals | None:
    """Return what a model left unexplained of one location; None for a sum, which has no fit of its own.

    A plain autoregression has the residuals of its regression; ``ar`` those of the autoregression of growth that it
    chose, before its roots are pulled back. Other models have no regression: theirs are the errors one step ahead at
    past origins, of which the intervals are made.
    """
    whole, panel, model = outlook.whole, outlook.panel, outlook.model
    if isinstance(model, AR):
        return _regress(panel.select([code]), model)
    calibration = whole.fitted.calibration
    if calibration is None or (whole.membership is not None and code in whole.membership.aggregates):
        return None
    if isinstance(model, GuardedAR):
        return _regress(panel.select([code]), AR("bic", "c", "growth", max_lags=model.max_lags))
    origins = np.array(choose_past(panel, panel.origin))
    errors = calibration.errors[panel.locations.index.get_loc(code), :, 0]
    known = np.isfinite(errors)
    years = origins[known] + panel.step * int(calibration.knots[0])
    order = np.argsort(years)
    values = errors[known][order]
    return Residuals(years[order], values, _count_percent(values), 0, past=True)


def assess_dependence(values: Array, lags: int, estimated: int) -> float:
    r"""Return the p-value of the test that no residual tells of later ones (Ljung and Box 1978).

    .. math:: Q = n (n + 2) \sum_{k=1}^{m} \frac{r_k^2}{n - k} \sim \chi^2_{m - p}

    Examples
    --------
    >>> assess_dependence(np.array([1.0, -1.0] * 20), 10, 1) < 0.01
    True
    """
    n = len(values)
    centred = values - values.mean()
    total = float(centred @ centred)
    correlations = [float(centred[k:] @ centred[:-k]) / total for k in range(1, lags + 1)]
    q = n * (n + 2) * sum(r**2 / (n - k) for k, r in enumerate(correlations, 1))
    return chi_square_tail(q, lags - estimated)


def assess_normality(values: Array) -> float:
    r"""Return the p-value of the test that residuals are normal (Jarque and Bera 1980).

    .. math:: JB = \frac{n}{6} \left(s^2 + \frac{(k - 3)^2}{4}\right) \sim \chi^2_2

    with skewness s and kurtosis k.
    """
    scaled = (values - values.mean()) / values.std()
    skewness, kurtosis = float(np.mean(scaled**3)), float(np.mean(scaled**4))
    return chi_square_tail(len(values) / 6 * (skewness**2 + (kurtosis - 3) ** 2 / 4), 2)


def assess_clusters(values: Array, lags: int) -> float:
    """Return the p-value of the test that calm and wild years do not cluster (Engle 1982).

    The squares of the residuals are regressed on their own lags: n times R² is chi-squared with as many degrees of
    freedom.
    """
    squares = values**2
    y = squares[lags:]
    columns = [np.ones((1, len(y))), *(squares[lags - lag : -lag][None] for lag in range(1, lags + 1))]
    _, residuals = least_squares(columns, y[None])
    explained = 1 - float(residuals[0] @ residuals[0]) / float((y - y.mean()) @ (y - y.mean()))
    return chi_square_tail(len(y) * explained, lags)


def chi_square_tail(value: float, degrees: int) -> float:
    r"""Return the probability that a chi-squared variable exceeds a value.

    By recursion on the degrees of freedom:
    :math:`Q_{k+2}(x) = Q_k(x) + (x/2)^{k/2} e^{-x/2} / \Gamma(k/2 + 1)`, from
    :math:`Q_1(x) = \operatorname{erfc}(\sqrt{x/2})` and :math:`Q_2(x) = e^{-x/2}`.

    Examples
    --------
    >>> round(chi_square_tail(3.841459, 1), 6), round(chi_square_tail(18.307038, 10), 6)
    (0.05, 0.05)
    """
    half = max(value, 0.0) / 2
    k, tail = (1, math.erfc(math.sqrt(half))) if degrees % 2 else (2, math.exp(-half))
    while k < degrees:
        tail += math.exp(k / 2 * math.log(half) - half - math.lgamma(k / 2 + 1)) if half else 0.0
        k += 2
    return min(tail, 1.0)


def list_tests(residuals: Residuals) -> list[tuple[str, str, float]]:
    """Return each test's name, what a rejection says, and its p-value; none for too few residuals or none at all."""
    values = residuals.values
    if residuals.past or len(values) < FEWEST or not values.std():
        return []
    return [
        (
            f"Ljung-Box, {LJUNG_BOX_LAGS} lags",
            "each year’s error tells of the next",
            assess_dependence(values, LJUNG_BOX_LAGS, residuals.lags),
        ),
        ("Jarque-Bera", "errors are not normal", assess_normality(values)),
        (f"ARCH, {ARCH_LAGS} lags", "calm and wild years cluster", assess_clusters(values, ARCH_LAGS)),
    ]


def _regress(panel: Panel, model: AR) -> Residuals:
    (model,) = choose_lags(model, panel)
    y = _transform(panel, model)
    lags = int(model.lags)
    left = regress(y, lags, model.trend).residuals[0]
    years = panel.years[-len(left) :]
    # What is left of growth is left of the logarithm, too.
    percent = 100 * left / panel.values[0, -len(left) :] if model.transform == "level" else _count_percent(left)
    return Residuals(years, left, percent, lags, past=False)


def _count_percent(logs: Array) -> Array:
    """Return what logarithms of actual over expected figures are in percent of the actual ones."""
    return -100 * np.expm1(-logs)


def _transform(panel: Panel, model: AR) -> Array:
    if model.transform == "level":
        return panel.values
    log = log_positive(panel, model.name)
    return np.diff(log, axis=1) if model.transform == "growth" else log
