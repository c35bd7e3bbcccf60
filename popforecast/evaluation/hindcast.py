"""What forecast() would have said at past origins: the same sums of countries, the same intervals, known by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from popforecast.forecasting.calibration import calibrate, choose_knots, choose_past
from popforecast.forecasting.coherence import predict_panel
from popforecast.forecasting.rolling import (
    Rolling,
    check_horizons,
    check_origins,
    collect_outcomes,
    estimate,
    measure_scale,
    roll,
)
from popforecast.models.base import Fitted, Model, Prediction, check_levels
from popforecast.panel import Panel


def hindcast(
    model: Model, panel: Panel, origins: Iterable[int], horizons: Sequence[int], levels: Sequence[float]
) -> Rolling:
    """Run a model at past origins, and answer as :func:`popforecast.forecast` would have done there.

    An aggregate whose countries the panel has is their sum, and its interval comes from their joint errors that were
    known by the origin. A plain model forecasts each series on its own. One pass serves all: the model is estimated
    once at each year that is an origin or that calibrates one.

    Parameters
    ----------
    model, panel, origins, horizons, levels
        As for :func:`popforecast.forecasting.rolling.roll`. The intervals hold final figures.

    Examples
    --------
    >>> import popforecast as pf
    >>> panel = pf.load_panel("wpp2024").select(["Australia/New Zealand", "AUS", "NZL"])
    >>> then = hindcast(pf.models.get("damped-growth"), panel, [1990, 2000], [10], [80])
    >>> both, australia, new_zealand = then.prediction.population[:, 1, 0].round()
    >>> bool(both == australia + new_zealand)
    True
    """
    levels = check_levels(levels)
    if not model.calibrated:
        return roll(model, panel, origins, horizons, levels)
    origins, horizons = check_origins(panel, origins), check_horizons(horizons)
    # Without levels there is nothing to calibrate.
    past = sorted({year for origin in origins for year in choose_past(panel, int(origin)) if levels})
    years = sorted({*past, *origins.tolist()})
    estimates = dict(zip(years, estimate(model, panel, years), strict=True))
    errors = roll(model, panel, past, choose_knots(panel), (), [estimates[year] for year in past]) if past else None
    shape = (len(panel), len(origins), len(horizons))
    population = np.empty(shape)
    lower, upper = ({level: np.empty(shape) for level in levels} for _ in range(2))
    for i, origin in enumerate(origins.tolist()):
        calibration = calibrate(errors, panel, origin) if errors else None
        fitted = Fitted(model, panel.until(origin), estimates[origin], calibration)
        then = predict_panel(fitted.panel, fitted, int(horizons.max()), levels, real_time=False).prediction
        then = then.take(steps=horizons - 1)
        population[:, i] = then.population
        for level in levels:
            lower[level][:, i], upper[level][:, i] = then.lower[level], then.upper[level]
    outcome, scale = collect_outcomes(panel, origins, horizons), measure_scale(panel, origins)
    return Rolling(model, origins, horizons, outcome, Prediction(population, lower, upper), scale)
