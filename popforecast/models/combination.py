"""combination: a weighted mean of cohort and panel-ar in logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from popforecast.models.base import Array, Arrays, log_positive
from popforecast.models.bounded import GrowthModel, limit_growth
from popforecast.models.cohort import Cohort
from popforecast.models.panel_ar import PanelAR
from popforecast.panel import Panel

# Weight of cohort: at first, and later by size from the smaller to the larger of two populations.
EQUAL, MOST = 0.5, 0.75
SMALLER, PER_TENFOLD = 10**5.5, 0.25

# Years ahead between which the weight rises to its later value, and from which the difference is constant.
RISE_FROM, RISE_TO, HELD = 5, 10, 30


@dataclass(frozen=True)
class Combination(GrowthModel):
    r"""Weighted mean, in logs, of the models ``cohort`` and ``panel-ar``, whose errors differ beyond ten years.

    .. math:: \log P_h = \log C_h + (1 - w_h) (\log A_h - \log C_h)

    with C from ``cohort`` and A from ``panel-ar``. The weight w is 0.5 up to 5 years ahead and from 10 years on, by
    population T at the origin, 0.5 + 0.25 (log10 T - 5.5), at least 0.5 (up to 316,000 people) and at most 0.75 (from
    3.16 million); in between it is interpolated. On a five-yearly grid, where the last year's growth is unknown, this
    weight applies from the first step. Countries with a recent exodus get ``cohort``, because ``panel-ar`` continues
    every exodus. Beyond 30 years, the difference of the two is that of 30 years: there is no evidence beyond.

    On final data its mean error is smaller than that of either model from 5 years on; in real time it is about that
    of ``cohort``, whose median error is smaller. Its figures are totals only. Places without components get
    ``panel-ar`` and a note.

    Parameters
    ----------
    half_life : float or None, default 10
        That of :class:`~popforecast.models.cohort.Cohort`.

    Raises
    ------
    ModelError
        If the parameter is out of range.

    References
    ----------
    Bates, J. M. and Granger, C. W. J. (1969). The combination of forecasts. *Operational Research Quarterly* 20,
    451-468.

    Examples
    --------
    >>> import popforecast as pf
    >>> panel = pf.load_panel("wpp2024").countries()
    >>> ours, theirs, mixed = (model.fit(panel).predict(27).population[:, -1].sum()
    ...                        for model in (Cohort(), PanelAR(), Combination()))
    >>> bool(ours < mixed < theirs)
    True
    """

    half_life: float | None = 10.0

    def __post_init__(self) -> None:
        # Refuses what cohort refuses.
        Cohort(self.half_life)

    @property
    def name(self) -> str:
        """``combination``, with its parameter unless it is the default."""
        return "combination" if self == Combination() else f"combination({self.half_life})"

    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Return the estimates of both models, and the countries in exodus."""
        return self._learn(panel, log, PanelAR().estimate(panel))

    def estimate_each(self, panel: Panel, origins: Iterable[int]) -> Iterator[Arrays]:
        """Estimate at several origins; panel-ar computes its features once for all."""
        origins = [int(origin) for origin in origins]
        for origin, others in zip(origins, PanelAR().estimate_each(panel, origins), strict=True):
            known = panel.until(origin)
            log = log_positive(known, self.name)
            yield {**self.observe(known, log), **self._learn(known, log, others)}

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return the weighted mean of the growth of both models."""
        cohort = Cohort(self.half_life).accumulate(arrays, horizon)
        totals = np.clip(PanelAR().accumulate(arrays, horizon), *limit_growth(arrays, horizon))
        step = int(arrays["step"][0])
        at = np.minimum(np.arange(horizon), max(1, HELD // step) - 1)
        weight = weigh((at + 1) * step, np.exp(arrays["last"]), step == 1)
        weight[arrays["fled"] > 0] = 1.0
        # Where there is no projection, both are panel-ar, whose own bounds apply.
        mixed: Array = cohort + np.where(arrays["projected"][:, None] > 0, (1 - weight) * (totals - cohort)[:, at], 0)
        return mixed

    def limit(self, arrays: Arrays, horizon: int) -> tuple[Array, Array]:
        """Return bounds on growth; where there is a projection by age, panel-ar alone is bounded."""
        return Cohort(self.half_life).limit(arrays, horizon)

    def note(self, arrays: Arrays, horizon: int) -> list[tuple[int, str]]:
        """Flag what cohort flags: forecasts at a bound or by panel-ar, and years beyond the projection."""
        return Cohort(self.half_life).note(arrays, horizon)

    def _learn(self, panel: Panel, log: Array, others: Arrays) -> Arrays:
        cohort = Cohort(self.half_life)
        rows, projection = cohort.find_rows(panel), cohort.project(panel)
        fled = np.zeros(len(panel), np.int8)
        if projection is not None:
            fled[rows] = projection.leavers > 0
        return {**cohort.store(panel, log, rows, others, projection), "fled": fled}


def weigh(years: Array, persons: Array, is_annual: bool) -> Array:
    """Return the weight of cohort by population at the origin and years ahead, shape (n, years).

    Examples
    --------
    >>> weigh(np.array([1.0, 10.0, 30.0]), np.array([1e5, 1e6, 1e7]), True).round(3).tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.625, 0.625], [0.5, 0.75, 0.75]]
    """
    later = np.clip(EQUAL + PER_TENFOLD * np.log10(persons / SMALLER), EQUAL, MOST)[:, None]
    risen = np.clip((years - RISE_FROM) / (RISE_TO - RISE_FROM), 0, 1) if is_annual else np.ones(len(years))
    weight: Array = EQUAL + risen * (later - EQUAL)
    return weight
