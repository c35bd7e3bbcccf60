"""Three tests of a model's residuals: for autocorrelation, normality and ARCH effects.

Results equal those of ``statsmodels``, the reference in our tests. Importing it here would slow down pages and take
memory.
"""

from __future__ import annotations

import math

import numpy as np

from popforecast.models.base import Array
from popforecast.models.numeric import least_squares

# Numbers of lags in the tests.
LJUNG_BOX_LAGS, ARCH_LAGS = 10, 4


def list_tests(values: Array, estimated: int) -> list[tuple[str, str, float]]:
    """Return the name of each test, the meaning of a rejection, and the p-value.

    Parameters
    ----------
    values : ndarray
        The residuals of one series, not all equal.
    estimated : int
        The number of estimated lags.
    """
    return [
        (
            f"Ljung-Box, {LJUNG_BOX_LAGS} lags",
            "errors of successive years are correlated",
            assess_dependence(values, LJUNG_BOX_LAGS, estimated),
        ),
        ("Jarque-Bera", "errors are not normal", assess_normality(values)),
        (f"ARCH, {ARCH_LAGS} lags", "large errors cluster in time", assess_clusters(values, ARCH_LAGS)),
    ]


def assess_dependence(values: Array, lags: int, estimated: int) -> float:
    r"""Return the p-value of the test that residuals are not autocorrelated (Ljung and Box 1978).

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
    """Return the p-value of the test that the residual variance does not depend on its past (Engle 1982).

    Squared residuals are regressed on their own lags; n times R² is chi-squared, with the number of lags as degrees
    of freedom.
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
