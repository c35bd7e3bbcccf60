"""Validate a saved fit: arrays must have the shapes of its model, and a trial forecast must be sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from popforecast.errors import StoreError
from popforecast.forecasting import calibration as intervals
from popforecast.forecasting.origins import choose_knots, choose_past
from popforecast.forecasting.risk import PROBABILITIES
from popforecast.models.base import Fitted, Model
from popforecast.panel import Panel

# Array shapes are inferred from fits to this many locations: dimensions that differ are numbers of locations.
FEW = (2, 3)

# Minimum horizon of the trial forecast, in steps. It is longer than the panel, to go beyond arrays with one value per
# step.
TRIED = 50


def check_fit(path: Path, fitted: Fitted) -> Fitted:
    """Return a saved fit after checking that its arrays suit its model, in case of a forged checksum.

    Raises
    ------
    StoreError
        If an array is missing or has the wrong shape or type, or the forecast is invalid; the error names the file.
    """
    model, panel, calibration = fitted.model, fitted.panel, fitted.calibration
    if not all(array.dtype.kind in "iufb" for array in intervals.pack(fitted).values()):
        raise StoreError(f"{path} contains data other than numbers: fit the model again")
    shapes, expected = {name: array.shape for name, array in fitted.arrays.items()}, _expect_shapes(model, panel)
    if shapes != expected:
        raise StoreError(
            f"{path} does not have what {model.name} needs: expected arrays of the shapes {expected} for {panel!r}, "
            f"got {shapes}; fit it again"
        )
    horizon = max(TRIED, len(panel.years) + 1)
    with np.errstate(all="ignore"):
        model.check_estimate(panel, fitted.arrays)
        fitted.notes(horizon)
        ahead = intervals.predict(fitted, horizon, (80,))
    low, middle, high = (array[:, 0] for array in (ahead.lower[80], ahead.population, ahead.upper[80]))
    sound = (
        ahead.population.shape == (len(panel), horizon)
        and not np.isnan(ahead.population).any()
        and bool((np.isfinite(middle) & (low <= middle) & (middle <= high)).all())
        and (calibration is None or _is_whole(calibration, panel))
    )
    if not sound:
        raise StoreError(f"{path} does not have what {model.name} needs: fit it again")
    return fitted


def _expect_shapes(model: Model, panel: Panel) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a model's estimates on a panel, inferred from fits to a few locations."""
    n = len(panel)
    if n <= max(FEW):
        return {name: array.shape for name, array in model.estimate(panel).items()}
    fewer, more = (model.estimate(panel.take(np.arange(few))) for few in FEW)
    return {
        name: tuple(n if a != b else a for a, b in zip(array.shape, more[name].shape, strict=True))
        for name, array in fewer.items()
    }


def _is_whole(calibration: intervals.Calibration, panel: Panel) -> bool:
    """Whether a calibration's arrays fit this panel and each other and are finite; only errors may be NaN."""
    k, p = calibration.slopes.shape
    past = (len(panel), len(choose_past(panel, panel.origin)))
    known = (calibration.slopes, calibration.quantiles, calibration.risk, calibration.risk_then)
    return (
        calibration.knots.tolist() == choose_knots(panel)[:k]
        and calibration.quantiles.shape == (k, len(PROBABILITIES))
        and calibration.risk.shape == (len(panel), p)
        and calibration.risk_then.shape == (*past, p)
        and calibration.errors.shape == (*past, k)
        and all(np.isfinite(each).all() for each in known)
        and not np.isinf(calibration.errors).any()
    )
