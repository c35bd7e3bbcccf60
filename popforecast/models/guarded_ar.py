"""ar: an autoregression of growth, constrained to be stationary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from popforecast.errors import ModelError
from popforecast.models.ar import AR, iterate
from popforecast.models.base import Array, Arrays
from popforecast.models.bounded import GrowthModel
from popforecast.panel import Panel

# With a larger root the growth rate would drift or accelerate without bound.
LARGEST_ROOT = 0.98


@dataclass(frozen=True)
class GuardedAR(GrowthModel):
    r"""Stationary autoregression of growth with a constant; BIC selects the order for each location.

    .. math:: g_t = a + \sum_{i=1}^{p} \phi_i g_{t-i} + e_t, \qquad g_t = \log y_t - \log y_{t-1}

    with p from 0 to `max_lags`. Where the largest root r exceeds 0.98, every :math:`\phi_i` is multiplied by
    :math:`(0.98 / r)^i`, so that the largest root is 0.98, and the constant is set so that growth converges to its past
    mean. A note flags such locations. Forecasts are bounded by the growth on record (:class:`GrowthModel`).

    Parameters
    ----------
    max_lags : int, default 5
        Maximum order; lower on short panels, which need four changes in growth per lag. Panels of fewer than six years
        allow no lags: growth is then its past mean, and a note says so.

    Raises
    ------
    ModelError
        If the panel has fewer than three years.

    References
    ----------
    Schwarz, G. (1978). Estimating the dimension of a model. *Annals of Statistics* 6, 461-464.

    Examples
    --------
    >>> import popforecast as pf
    >>> panel = pf.load_panel("wpp2024").select(["NGA", "JPN"])
    >>> GuardedAR().fit(panel).predict(20).population.shape
    (2, 20)
    """

    max_lags: int = 5

    def __post_init__(self) -> None:
        if not isinstance(self.max_lags, int) or isinstance(self.max_lags, bool) or self.max_lags < 1:
            raise ModelError(f"max_lags {self.max_lags!r}: expected a whole number, 1 or more")

    @property
    def name(self) -> str:
        """``ar``, with the maximum order unless it is the default."""
        return "ar" if self == GuardedAR() else f"ar({self.max_lags})"

    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Return the constrained autoregression of growth."""
        if log.shape[1] < 3:
            raise ModelError(f"{self.name} needs three years or more, got {log.shape[1]}")
        lags = min(self.max_lags, (log.shape[1] - 2) // 4)
        model = AR("bic", "c", "growth", max_lags=lags) if lags else AR(0, "c", "growth")
        return tame(model.estimate(panel), np.diff(log, axis=1).mean(axis=1))

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return the cumulative growth the autoregression predicts."""
        path, _ = iterate(arrays, horizon)
        return np.cumsum(path, axis=1)

    def note(self, arrays: Arrays, horizon: int) -> list[tuple[int, str]]:
        """Flag constrained roots, panels too short for lags, and forecasts at a bound."""
        roots = arrays["root"]
        tamed = [
            (int(row), f"the largest root of its growth was reduced from {roots[row]:.3f} to {LARGEST_ROOT}")
            for row in np.flatnonzero(roots > LARGEST_ROOT)
        ]
        if not arrays["tail"].shape[1]:
            tamed = [(row, "too few years for lags: mean growth is used instead") for row in range(len(roots))]
        return tamed + super().note(arrays, horizon)


def tame(arrays: Arrays, mean: Array) -> Arrays:
    """Return the autoregressions with roots limited to :data:`LARGEST_ROOT` and, where one was, the given mean."""
    root = arrays["root"]
    wild = root > LARGEST_ROOT
    coefficients = arrays["coefficients"].copy()
    lags = np.arange(1, coefficients.shape[1] - 1)
    shrink = LARGEST_ROOT / np.where(wild, root, LARGEST_ROOT)
    coefficients[:, 2:] *= shrink[:, None] ** lags
    level = mean * (1 - coefficients[:, 2:].sum(axis=1))
    coefficients[:, 0] = np.where(wild, level, coefficients[:, 0])
    return {**arrays, "coefficients": coefficients}
