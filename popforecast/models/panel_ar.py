"""panel-ar: growth estimated from the histories of all locations together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from popforecast.errors import ModelError
from popforecast.models.base import Array, Arrays, log_positive
from popforecast.models.bounded import GrowthModel, damp
from popforecast.models.numeric import interpolate, use_one_thread
from popforecast.models.pooling import ROWS, Lesson, Moment, Rules, choose_teachers, learn_rules, prepare_lesson
from popforecast.panel import Panel

# Horizons, in years, that are forecast directly; annual growth is interpolated between them.
KNOTS = (1, 3, 5, 10, 20)


@dataclass(frozen=True)
class PanelAR(GrowthModel):
    r"""Trimmed mean of five forecasts of growth, four of them estimated from all locations and past origins together.

    Each component forecasts directly, for horizons of 1, 3, 5, 10 and 20 years, the deviation of mean annual growth
    from that of damped growth:

    1. zero: damped growth itself (the model ``damped-growth``);
    2. a Huber regression without a constant. Regressors are log growth, its changes, its 5- and 10-year means, kinks at
       0.03, 0.015 and 0, the signed square root of its change, the growth of the location's groups, and size. Each also
       enters multiplied by log volatility, so that growth persists where it is stable and reverts to its mean where it
       is volatile;
    3. the same without size, with volatility measured over 5 years instead of 10;
    4. the median outcome of the 40 most similar past histories, in units of root volatility;
    5. the second, plus the median of its residuals at those neighbours.

    The forecast is the mean of the middle three of the five. Training data end at the origin: past origins within the
    last 25 years whose outcome is known and which have 14 years of history (a third of a short panel). Rows are
    weighted by :math:`1 / \sqrt{v}`, where v is volatility, and the ridge penalty is worth two rows. Deviations are
    shrunk by :math:`1 / (1 + p / m)` for p coefficients and m non-overlapping histories, so that small panels stay
    close to damped growth. Annual growth is interpolated between the horizons and damped beyond 20 years. On a coarser
    grid, years become steps. Forecasts stay within the growth on record (:class:`GrowthModel`).

    The training data are the countries, where the panel identifies them, and all locations otherwise. Groups are given
    by the location columns ``region`` and ``parent``, if they have at least two values; without them there are no group
    regressors. Panels too short to train on get damped growth and a note.

    Parameters
    ----------
    damping : float, default 0.97
        The share of growth that remains after a year, in the damped growth from which deviations are measured.
    window : int, default 25
        Years of past origins in the training data.
    warm_up : int, default 14
        Years of history required before a past origin.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    Examples
    --------
    >>> import popforecast as pf
    >>> fitted = PanelAR().fit(pf.load_panel("wpp2024").countries())
    >>> fitted.predict(20).population.shape
    (236, 20)
    """

    damping: float = 0.97
    window: int = 25
    warm_up: int = 14

    def __post_init__(self) -> None:
        if not 0 < self.damping < 1:
            raise ModelError(f"damping {self.damping!r}: expected a share between 0 and 1, such as 0.97")
        for name in ("window", "warm_up"):
            years = getattr(self, name)
            if not isinstance(years, int) or isinstance(years, bool) or years < 1:
                raise ModelError(f"{name} {years!r}: expected whole years, 1 or more")

    @property
    def name(self) -> str:
        """``panel-ar``, with its parameters unless they are the defaults."""
        if self == PanelAR():
            return "panel-ar"
        return f"panel-ar({self.damping:g}, {self.window}, {self.warm_up})"

    def learn(self, panel: Panel, log: Array) -> Arrays:
        """Return last growth, and growth to each horizon for which there are training data."""
        return self._learn(prepare_lesson(panel, log), len(panel.years) - 1)

    def estimate_each(self, panel: Panel, origins: Iterable[int]) -> Iterator[Arrays]:
        """Estimate at several origins; features use no later years, so they are computed once for all."""
        lesson = prepare_lesson(panel, log_positive(panel, self.name))
        for origin in origins:
            known = panel.until(int(origin))
            yield {**self.observe(known, np.log(known.values)), **self._learn(lesson, len(known.years) - 1)}

    def accumulate(self, arrays: Arrays, horizon: int) -> Array:
        """Interpolate growth per step between the knots, and damp it beyond the last."""
        steps = np.arange(1, horizon + 1)
        knots, rise, step = arrays["knots"], arrays["rise"], arrays["step"]
        if not len(knots):
            return arrays["growth"][:, None] * damp(self.damping, steps * step)
        path = interpolate(rise / knots, knots, steps) * steps
        far = steps > knots[-1]
        if far.any():
            before, start = (rise[:, -2], knots[-2]) if len(knots) > 1 else (0.0, 0)
            last = (rise[:, -1] - before) / ((knots[-1] - start) * step)
            path[:, far] = rise[:, -1:] + last[:, None] * damp(self.damping, (steps[far] - knots[-1]) * step)
        return path

    def note(self, arrays: Arrays, horizon: int) -> list[tuple[int, str]]:
        """Flag forecasts at a bound, and panels too short to train on."""
        notes = super().note(arrays, horizon)
        if not len(arrays["knots"]):
            text = "too few years to fit the model: damped growth is used instead"
            notes += [(row, text) for row in range(len(arrays["last"]))]
        return notes

    def teach(self, lesson: Lesson, origin: int) -> dict[int, Rules]:
        """Return the rules for each knot, estimated from the outcomes known at row `origin`."""
        step = lesson.step
        width = max(1, round(self.window / step))
        thin = 2 if step == 1 and len(lesson.candidates) * width > ROWS else 1
        teachers = choose_teachers(lesson.log[origin], lesson.candidates, round(1.1 * ROWS / -(-width // thin)))
        taught: dict[int, Rules] = {}
        before = None
        for knot in self.list_knots(origin, step):
            past = np.arange(origin - knot, max(self._wait(origin, step), origin - knot - width + 1) - 1, -thin)
            with use_one_thread():
                before = learn_rules(lesson, past, knot, self._anchor(knot * step), teachers, before)
            taught[knot] = before
        return taught

    def list_knots(self, origin: int, step: int) -> list[int]:
        """Return the horizons, in steps, with outcomes known at row `origin`."""
        knots = sorted({max(1, round(years / step)) for years in KNOTS})
        return [knot for knot in knots if origin - knot >= self._wait(origin, step)]

    def follow(self, taught: Mapping[int, Rules], now: Moment, step: int) -> Arrays:
        """Return last growth and growth to each knot, by rules estimated from these or other locations."""
        with use_one_thread():
            rise = [
                knot * step * (self._anchor(knot * step) * now.growth + rules.deviate(now))
                for knot, rules in taught.items()
            ]
        columns = np.stack(rise, axis=1) if rise else np.zeros((len(now.growth), 0))
        return {"growth": now.growth.copy(), "knots": np.array(list(taught), dtype=np.int64), "rise": columns}

    def _learn(self, lesson: Lesson, origin: int) -> Arrays:
        return self.follow(self.teach(lesson, origin), lesson.at(origin), lesson.step)

    def _wait(self, origin: int, step: int) -> int:
        """Return the first past origin for training, as a row."""
        return min(max(3, round(self.warm_up / step)), max(2, (origin + 1) // 3))

    def _anchor(self, years: int) -> float:
        return damp(self.damping, years) / years
