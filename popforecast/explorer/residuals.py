"""Residuals of autoregressions, and past errors of other models."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.evaluation import diagnostics
from popforecast.forecasting.origins import choose_past
from popforecast.forecasting.outlook import Outlook
from popforecast.models.ar import AR, choose_lags, regress
from popforecast.models.base import Array, log_positive
from popforecast.models.guarded_ar import GuardedAR
from popforecast.panel import Panel

# With fewer residuals, the tests have too little power.
FEWEST = 30


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residuals of one series, or past errors one step ahead.

    Attributes
    ----------
    years : ndarray
    values : ndarray
        Residuals in the units of the model: persons, logarithms or growth.
    percent : ndarray
        Actual minus fitted or forecast population, in percent of the actual population.
    lags : int
        Number of estimated lags.
    past : bool
        Whether these are out-of-sample errors at past origins rather than residuals of the fit.
    """

    years: NDArray[np.int64]
    values: Array
    percent: Array
    lags: int
    past: bool


def find_residuals(outlook: Outlook, code: Hashable) -> Residuals | None:
    """Return the residuals of a location; None for sums, which are not fitted separately.

    Plain autoregressions have regression residuals. For ``ar``, these are the residuals of the selected autoregression
    of growth before its roots are reduced. Other models have no regression: the errors one step ahead at past origins,
    from which intervals are calibrated, are returned instead.
    """
    panel, model = outlook.panel, outlook.model
    if isinstance(model, AR):
        return _regress(panel.select([code]), model)
    calibration = outlook.fitted.calibration
    if calibration is None or (outlook.membership is not None and code in outlook.membership.aggregates):
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


def list_tests(residuals: Residuals) -> list[tuple[str, str, float]]:
    """Return the results of :func:`popforecast.evaluation.diagnostics.list_tests`; none if too few, or past errors."""
    values = residuals.values
    if residuals.past or len(values) < FEWEST or not values.std():
        return []
    return diagnostics.list_tests(values, residuals.lags)


def _regress(panel: Panel, model: AR) -> Residuals:
    (model,) = choose_lags(model, panel)
    y = _transform(panel, model)
    lags = int(model.lags)
    left = regress(y, lags, model.trend).residuals[0]
    years = panel.years[-len(left) :]
    # Residuals of growth are also residuals of log population.
    percent = 100 * left / panel.values[0, -len(left) :] if model.transform == "level" else _count_percent(left)
    return Residuals(years, left, percent, lags, past=False)


def _count_percent(logs: Array) -> Array:
    """Convert logarithms of actual over expected figures to percent of the actual figures."""
    return -100 * np.expm1(-logs)


def _transform(panel: Panel, model: AR) -> Array:
    if model.transform == "level":
        return panel.values
    log = log_positive(panel, model.name)
    return np.diff(log, axis=1) if model.transform == "growth" else log
