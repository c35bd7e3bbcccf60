"""Quantities shared by all series, estimated once from a sample that does not depend on the partitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import ScaleError
from popforecast.forecasting.calibration import Calibration, surround, teach_widths
from popforecast.forecasting.origins import choose_knots, choose_past
from popforecast.forecasting.risk import describe_risk, join_risk
from popforecast.forecasting.rolling import roll
from popforecast.models import AR, Model, PanelAR, Prediction
from popforecast.models.base import Array, Arrays
from popforecast.models.bounded import GrowthModel, observe_growth
from popforecast.models.features import LONG, measure_size
from popforecast.models.pooling import Rules, describe_lesson, prepare_lesson
from popforecast.panel import Panel
from popforecast.scale.blocks import Block, find_rectangles, plain

# Size of the sample: the series whose identifiers have the smallest hashes.
SAMPLE = 3000

Rows = NDArray[np.intp]


class Taken(NamedTuple):
    """A series in the sample: hash of the identifier, identifier, first year, and values."""

    hash: int
    id: Any
    first: int
    values: Array


@dataclass(frozen=True, eq=False)
class Learnt:
    """Quantities shared by all series, and forecasts with them.

    Attributes
    ----------
    model : GrowthModel
    step : int
    low, high : ndarray, shape (t - 1,)
        Bounds of growth.
    years, middle, spread : ndarray, shapes (t,), (t, 1), (t, 1)
        Years of the sample, and the median and standard deviation of log population in each year.
    largest : float
        The largest relative size in the sample, in the last year.
    rules : dict of int to Rules
        Estimates of panel-ar, by knot; empty for other models.
    knots, slopes, quantiles : ndarray, shapes (k,), (k, p), (k, q)
        Calibration from past errors; empty if the sample is too short or too small.
    """

    model: GrowthModel
    step: int
    low: Array
    high: Array
    years: NDArray[np.int64]
    middle: Array
    spread: Array
    largest: float
    rules: Mapping[int, Rules]
    knots: NDArray[np.int64]
    slopes: Array
    quantiles: Array

    def predict(self, panel: Panel, horizon: int, levels: Sequence[float]) -> tuple[Prediction, Rows]:
        """Predict series with the same years independently of each other; also return the rows with a note."""
        log = np.log(panel.values)
        learnt = (
            self._follow(self.model, panel, log) if isinstance(self.model, PanelAR) else self.model.learn(panel, log)
        )
        arrays = {**self.model.observe_each(panel, log), "low": self.low, "high": self.high, **learnt}
        if not len(self.knots):
            return self.model.predict(arrays, horizon, levels), np.arange(len(panel))
        population = self.model.predict(arrays, horizon, ()).population
        bounds = surround(population, self._calibrate(panel, log), levels).exponentiate()
        return bounds, find_noted(self.model, arrays, horizon)

    def _follow(self, model: PanelAR, panel: Panel, log: Array) -> Arrays:
        recent, size = self._look_back(panel, log)
        lesson = describe_lesson(recent, [], size, np.arange(len(log)), self.step)
        return model.follow(self.rules, lesson.at(-1), self.step)

    def _calibrate(self, panel: Panel, log: Array) -> Calibration:
        recent, size = self._look_back(panel, log)
        risk = join_risk(recent, np.minimum(size, self.largest), self.step)[-1]
        none, nothing = np.empty((len(log), 0, risk.shape[1])), np.empty((len(log), 0, len(self.knots)))
        return Calibration(self.knots, self.slopes, self.quantiles, risk, none, nothing)

    def _look_back(self, panel: Panel, log: Array) -> tuple[Array, Array]:
        """Return log population and relative size, time-major, for the last years that the features use."""
        reach = max(round(LONG / self.step), 4) + 2
        at = np.clip(np.searchsorted(self.years, panel.years[-reach:]), 0, len(self.years) - 1)
        recent = np.ascontiguousarray(log.T[-reach:])
        return recent, (recent - self.middle[at]) / self.spread[at]


def find_noted(model: Model, arrays: Arrays, horizon: int) -> Rows:
    """Return the rows with a note, such as an explosive root."""
    return np.unique(np.array([row for row, _ in model.note(arrays, horizon)], dtype=np.intp))


def learn(model: GrowthModel, sample: Iterable[Taken], step: int) -> Learnt:
    """Return the shared quantities estimated from a sample.

    They use the sample's series with the most common years, sorted by identifier.

    Raises
    ------
    ScaleError
        If there is no valid series.
    """
    panel = make_panel(sample, step)
    log = np.log(panel.values)
    everyone = np.arange(len(panel))
    middle, spread = measure_size(log.T, everyone)
    low, high = observe_growth(log)
    rules: dict[int, Rules] = {}
    if isinstance(model, PanelAR):
        rules = model.teach(prepare_lesson(panel, log), len(panel.years) - 1)
    past = choose_past(panel, panel.origin)
    risk = describe_risk(panel)
    widths = []
    if past:
        rolling = roll(model, panel, past[::-1], choose_knots(panel), ())
        widths = teach_widths(rolling, panel, panel.origin, risk)
    return Learnt(
        model,
        step,
        low,
        high,
        panel.years,
        middle,
        spread,
        float(risk[-1, :, -1].max()),
        rules,
        np.array([width.knot for width in widths], dtype=np.int64),
        np.array([width.slope for width in widths]),
        np.array([width.quantiles for width in widths]),
    )


def make_panel(sample: Iterable[Taken], step: int) -> Panel:
    """Return a panel of the sample's series with the most common years.

    Raises
    ------
    ScaleError
        If there is no series.
    """
    groups: dict[tuple[int, int], list[Taken]] = {}
    for taken in sorted(sample, key=lambda taken: taken.id):
        groups.setdefault((taken.first, len(taken.values)), []).append(taken)
    if not groups:
        raise ScaleError("no series can be used for estimation: expected at least one without errors")
    # Ties go to the latest years, and then to the shortest span.
    (first, count), teachers = max(groups.items(), key=lambda item: (len(item[1]), item[0][0] + item[0][1], item[0]))
    years = first + step * np.arange(count)
    return Panel(
        np.stack([taken.values for taken in teachers]), years, pd.DataFrame(index=[taken.id for taken in teachers])
    )


def take_sample(block: Block, faults: Mapping[int, str], most: int = SAMPLE) -> list[Taken]:
    """Return the valid series of a block whose identifiers have the smallest hashes."""
    hashes = hash_ids(block.ids)
    chosen = set(np.argsort(hashes, kind="stable")[: most + len(faults)].tolist())
    return [
        Taken(int(hashes[row]), plain(block.ids[row]), int(rectangle.years[0]), rectangle.values[i].copy())
        for rectangle in find_rectangles(block, faults)
        for i, row in enumerate(rectangle.rows.tolist())
        if row in chosen
    ]


def choose_least(sample: list[Taken], most: int = SAMPLE) -> list[Taken]:
    """Return the series with the smallest hashes, to merge samples of partitions."""
    return sorted(sample, key=lambda taken: (taken.hash, taken.id))[:most]


def hash_ids(ids: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a hash of each identifier that is the same on every machine and unrelated to its order.

    Examples
    --------
    >>> hash_ids(np.array(["A", "B"], dtype=object)).tolist() == hash_ids(np.array(["A", "B"], dtype=object)).tolist()
    True
    """
    return pd.util.hash_array(ids, categorize=False)


def takes_zero(model: Model) -> bool:
    """Whether a model accepts populations of zero: models in logs do not."""
    return isinstance(model, AR) and model.transform == "level"
