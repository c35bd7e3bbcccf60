"""cohort: a cohort-component projection estimated from past components of population change only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import ModelError
from popforecast.models.base import Array, Arrays, log_positive
from popforecast.models.bounded import GrowthModel
from popforecast.models.cohort.past import read_past
from popforecast.models.cohort.projection import STEPS, Projection, project
from popforecast.models.cohort.scenarios import Scenario
from popforecast.models.cohort.totals import fill_years
from popforecast.models.numeric import use_one_thread
from popforecast.models.panel_ar import PanelAR
from popforecast.panel import Panel
from popforecast.panel.components import SPAN
from popforecast.panel.rectangles import UnevenPanel

# Minimum number of places with components, and of years of history, for estimation.
FEWEST, WARM_UP = 30, 10

WITHOUT = "ages, births and deaths are not available: forecast by panel-ar instead"
WHAT_IF = "what if: {} instead of the model's own estimate; such a forecast has no range"
BEYOND = "projected by age to {}; growth is constant after that"
PROJECTED = SPAN * (STEPS - 1)


@dataclass(frozen=True)
class Cohort(GrowthModel):
    r"""Cohort-component projection with rates estimated from the past of all countries only.

    Each country's population by sex and five-year age group is projected in five-year steps of survival, births and
    migration (:func:`popforecast.models.cohort.projection.project`). Rates are estimated from data up to the origin:

    - **mortality**: death rates decline as in the past twenty years in countries with similar life expectancy;
    - **fertility**: its change is regressed on past changes and on its level, with more weight on recent years. The
      half-life of 10 years is a judgement: 5 gives a world population of 9.9 billion in 2100, equal weights 10.6;
    - **migration**: net migration rates of the next ten years are regressed on past rates, and then return to their
      long-run level. Refugees return as after past exoduses, labour migrants return home before old age, and net
      migration of the world is zero;
    - **annual totals**: smooth growth between the steps, starting from that of the last year.

    Places without components, panels that start in another year than their components, and panels with fewer than 30
    places or 10 years get the forecast of ``panel-ar`` and a note. Intervals are calibrated on the model's past errors.

    Parameters
    ----------
    half_life : float or None, default 10
        Half-life, in years, of the weight of past origins in the fertility regressions; None for equal weights.
    mended : bool, default True
        Whether to model returns after exoduses, return of labour migrants, lasting emigration, volatile migration and
        mortality decline in similar countries; otherwise the original specification.
    fertility, migration, mortality : str or float, optional
        What-if values instead of estimated ones (:class:`popforecast.models.cohort.scenarios.Scenario`). Such a
        forecast has no intervals.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    Examples
    --------
    >>> import popforecast as pf
    >>> world = Cohort().fit(pf.load_panel("wpp2024").countries()).predict(77).population[:, -1].sum()
    >>> bool(10.1e9 < world < 10.5e9)
    True
    """

    half_life: float | None = 10.0
    mended: bool = True
    fertility: str | float | None = None
    migration: str | float | None = None
    mortality: str | None = None

    def __post_init__(self) -> None:
        _ = self.scenario
        if self.half_life is not None and not self.half_life > 0:
            raise ModelError(f"half_life {self.half_life!r}: expected years above 0, such as 10, or None")

    @property
    def name(self) -> str:
        """``cohort``, with its parameters unless they are the defaults."""
        given = [] if (self.half_life, self.mended) == (10.0, True) else [f"{self.half_life}, {self.mended}"]
        given += [self.scenario.words] if self.scenario.words else []
        return f"cohort({', '.join(given)})" if given else "cohort"

    @property
    def scenario(self) -> Scenario:
        """What is set instead of estimated."""
        return Scenario(self.fertility, self.migration, self.mortality)

    @property
    def has_intervals(self) -> bool:
        """Whether nothing is set: past errors say nothing of what-if forecasts."""
        return not self.scenario.words

    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Return the projected totals every five years, and the estimates of panel-ar for other locations."""
        rows = self.find_rows(panel)
        others = None if len(rows) == len(panel) else PanelAR().estimate(panel)
        return self.store(panel, log, rows, others, self.project(panel))

    def estimate_each(self, panel: Panel, origins: Iterable[int]) -> Iterator[Arrays]:
        """Estimate at several origins; panel-ar is used for locations without components."""
        known = [panel.until(int(origin)) for origin in origins]
        rows = [self.find_rows(each) for each in known]
        needing = [each.origin for each, found in zip(known, rows, strict=True) if len(found) < len(panel)]
        others = PanelAR().estimate_each(panel, needing)
        for each, found in zip(known, rows, strict=True):
            log = log_positive(each, self.name)
            other = next(others) if len(found) < len(panel) else None
            yield {**self.observe(each, log), **self.store(each, log, found, other, self.project(each))}

    def project(self, panel: Panel) -> Projection | None:
        """Return the projection by age of the places with components; None if there is none.

        Examples
        --------
        >>> import popforecast as pf
        >>> Cohort().project(pf.load_panel("wpp2024")).ages.shape
        (236, 2, 21, 18)
        """
        rows = self.find_rows(panel)
        if not len(rows) or panel.components is None:
            return None
        with use_one_thread():
            components = panel.components.select(panel.codes[rows])
            assert components is not None
            past = read_past(_fill_totals(panel)[rows], int(panel.years[0]), components)
            return project(past, self.mended, self.half_life, scenario=self.scenario)

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Return projected growth, or that of panel-ar for other locations."""
        path: Array = PanelAR().accumulate(arrays, horizon)
        rows, step = np.flatnonzero(arrays["projected"]), int(arrays["step"][0])
        if len(rows):
            years = fill_years(arrays["totals"][rows], arrays["start"][rows], horizon * step)
            path[rows] = years[:, step - 1 :: step]
        return path

    def limit(self, arrays: Arrays, horizon: int) -> tuple[Array, Array]:
        """Return bounds on growth; projections by age are unbounded."""
        low, high = super().limit(arrays, horizon)
        is_free = arrays["projected"][:, None] > 0
        return np.where(is_free, -np.inf, low), np.where(is_free, np.inf, high)

    def note(self, arrays: Arrays, horizon: int) -> list[tuple[int, str]]:
        """Flag forecasts at a bound, forecasts by panel-ar, and years beyond the projection."""
        notes = super().note(arrays, horizon)
        projected, step = arrays["projected"] > 0, int(arrays["step"][0])
        notes += [(int(row), WITHOUT) for row in np.flatnonzero(~projected)]
        if self.scenario.words:
            notes += [(int(row), WHAT_IF.format(self.scenario.words)) for row in np.flatnonzero(projected)]
        if horizon * step > PROJECTED:
            notes += [(int(row), BEYOND.format(f"{PROJECTED} years ahead")) for row in np.flatnonzero(projected)]
        return notes

    def find_rows(self, panel: Panel) -> NDArray[np.intp]:
        """Return the rows of a panel that can be projected: places whose rates are all known, if there are enough."""
        components, first, origin = panel.components, int(panel.years[0]), panel.origin
        nobody = np.arange(0)
        if components is None or panel.step not in (1, SPAN) or origin - first < WARM_UP:
            return nobody
        if components.years[0] != first or origin - components.years[-1] >= SPAN:
            return nobody
        rows = np.flatnonzero(panel.codes.isin(components.list_known()))
        return rows if len(rows) >= FEWEST else nobody

    def store(
        self,
        panel: Panel,
        log: Array,
        rows: NDArray[np.intp],
        others: Arrays | None,
        projection: Projection | None,
    ) -> Arrays:
        """Return the arrays of an estimate: projected totals of these rows, and the estimates of panel-ar, if any."""
        n = len(panel)
        totals, is_projected = np.zeros((n, STEPS + 1)), np.zeros(n, np.int8)
        if projection is not None:
            totals[rows], is_projected[rows] = np.log(projection.totals) - log[rows, -1:], 1
        knots = np.array(PanelAR().list_knots(len(panel.years) - 1, panel.step), dtype=np.int64)
        known = {"growth": np.zeros(n), "knots": knots, "rise": np.zeros((n, len(knots)))}
        if others is not None:
            known = {name: others[name] for name in known}
        start = (log[:, -1] - log[:, -2]) / panel.step
        return {**known, "totals": totals, "start": start, "projected": is_projected}


def knows_ages(panel: Panel | UnevenPanel) -> bool:
    """Whether a panel has the components and the past that a projection by age needs.

    Examples
    --------
    >>> import popforecast as pf
    >>> panel = pf.load_panel("wpp2024")
    >>> knows_ages(panel), knows_ages(panel.until(1955))
    (True, False)
    """
    return isinstance(panel, Panel) and len(Cohort().find_rows(panel)) > 0


def _fill_totals(panel: Panel) -> Array:
    """Return annual totals, with constant growth between five-yearly ones."""
    if panel.step == 1:
        return panel.values
    years = np.arange(panel.years[0], panel.origin + 1)
    at = np.minimum((years - panel.years[0]) // panel.step, len(panel.years) - 2)
    share = (years - panel.years[at]) / panel.step
    log = np.log(panel.values)
    filled: Array = np.exp(log[:, at] * (1 - share) + log[:, at + 1] * share)
    return filled
