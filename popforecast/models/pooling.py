"""Five component forecasts of growth and their trimmed mean, for panel-ar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.models.features import USUAL, describe, grow_groups, relate_size
from popforecast.models.regression import follow_neighbours, regress_robustly
from popforecast.panel import COUNTRY, Panel

# Location columns that define groups, from large groups to small.
GROUPINGS = ("region", "parent")

# Training rows: beyond this, every second past origin is used, then fewer locations, evenly over size.
ROWS = 3000

# Neighbours among 3,000 past histories; among fewer in proportion, but at least this many.
NEIGHBOURS, FEWEST = 40, 15

# Rows weigh 1 / volatility ** (2 * WEIGHT): 0 favours the largest errors, 1/2 the typical location.
WEIGHT = 0.25

# Shrinks towards damped growth like two rows of data: negligible with thousands of rows, decisive with ten.
RIDGE = 2.0

# Reweightings for each knot, which starts from the previous one; the first needs more.
ROUNDS, MORE_ROUNDS = 3, 3


@dataclass(frozen=True, eq=False)
class Lesson:
    """The design matrices of the rules for every year; no entry depends on a later year.

    Attributes
    ----------
    log, growth, volatility, scale : ndarray, shape (t, n)
        Log population, annual growth, its volatility, and volatility raised to the power of the weight.
    sized, plain : ndarray, shape (t, n, p)
        Regressors of the second and third rules, divided by `scale`.
    alike : ndarray, shape (t, n, q)
        Features by which histories are compared.
    candidates : ndarray
        Locations in the training data.
    step : int
        Years between two rows.
    """

    log: Array
    growth: Array
    volatility: Array
    scale: Array
    sized: Array
    plain: Array
    alike: Array
    candidates: NDArray[np.intp]
    step: int

    def at(self, origin: int) -> Moment:
        """Return the features of all locations in one year."""
        return Moment(*(getattr(self, name)[origin] for name in Moment.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Moment:
    """The features of a :class:`Lesson` in one year, to which rules are applied."""

    growth: Array
    volatility: Array
    scale: Array
    sized: Array
    plain: Array
    alike: Array


@dataclass(frozen=True, eq=False)
class Rules:
    """The estimated rules for one horizon, applicable to any location.

    Attributes
    ----------
    sized, plain : ndarray
        Coefficients of the second and third rules.
    alike : ndarray, shape (m, q)
        Past histories.
    followed, missed : ndarray, shape (m,)
        Their outcomes in units of root volatility, and the residuals of the second rule.
    neighbours : int
        How many neighbours to use.
    trust : float
        Shrinkage factor for deviations.
    """

    sized: Array
    plain: Array
    alike: Array
    followed: Array
    missed: Array
    neighbours: int
    trust: float

    def deviate(self, now: Moment) -> Array:
        """Return the combined deviation of annual growth from damped growth, shape (n,)."""
        regressed = now.sized @ self.sized * now.scale
        near, missed = follow_neighbours(self.alike, now.alike, [self.followed, self.missed], self.neighbours)
        rules = np.stack(
            [
                np.zeros(len(now.scale)),
                regressed,
                now.plain @ self.plain * now.scale,
                near * np.sqrt(now.volatility),
                regressed + missed * now.scale,
            ]
        )
        return self.trust * agree(rules)


def prepare_lesson(panel: Panel, log: Array) -> Lesson:
    """Return the design matrices of a panel with log population of shape (n, t)."""
    time_major = np.ascontiguousarray(log.T)
    candidates = find_teachers(panel)
    groups = [
        grow_groups(np.exp(time_major), members, panel.step)[:, labels]
        for members, labels in find_groups(panel, candidates)
    ]
    return describe_lesson(time_major, groups, relate_size(time_major, candidates), candidates, panel.step)


def describe_lesson(
    log: Array, groups: Sequence[Array], size: Array, candidates: NDArray[np.intp], step: int
) -> Lesson:
    """Return the design matrices of time-major log population, given group growth and relative size."""
    features = describe(log, groups, size, step)
    scale = (features.slow / USUAL) ** WEIGHT
    return Lesson(
        log,
        features.growth,
        features.slow,
        scale,
        _interact(np.concatenate([features.base, features.sized], axis=-1), features.slow, scale),
        _interact(features.base, features.fast, scale),
        features.alike,
        candidates,
        step,
    )


def find_teachers(panel: Panel) -> NDArray[np.intp]:
    """Return the rows used for pooled estimation: countries where the panel identifies them, otherwise all."""
    is_country = (panel.locations["type"] == COUNTRY).to_numpy()
    return np.flatnonzero(is_country) if is_country.any() else np.arange(len(panel))


def find_groups(panel: Panel, candidates: NDArray[np.intp]) -> list[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """Return the members of groups and the group of each location, for groupings with at least two groups.

    The last group contains all candidates; locations without a group belong to it.
    """
    found = []
    for column in GROUPINGS:
        labels = panel.locations[column].to_numpy()
        names = list(dict.fromkeys(label for label in labels[candidates] if label is not None and label == label))
        if len(names) < 2:
            continue
        number = {name: i for i, name in enumerate(names)}
        group = np.array([number.get(label, len(names)) for label in labels])
        members = np.zeros((len(labels), len(names) + 1), dtype=bool)
        members[candidates, group[candidates]] = True
        members[candidates, -1] = True
        found.append((members, group))
    return found


def choose_teachers(log: Array, candidates: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Return all candidates, or a sample spread evenly over the size distribution."""
    if len(candidates) <= most:
        return candidates
    by_size = candidates[np.argsort(log[candidates], kind="stable")]
    return np.sort(by_size[np.linspace(0, len(candidates) - 1, most).round().astype(int)])


def learn_rules(
    lesson: Lesson,
    past: NDArray[np.intp],
    knot: int,
    anchor: float,
    teachers: NDArray[np.intp],
    before: Rules | None,
) -> Rules:
    """Return the rules for one horizon, estimated from past origins.

    Parameters
    ----------
    lesson : Lesson
    past : ndarray
        Rows of past origins, latest first, all at least `knot` steps before the origin.
    knot : int
        The horizon in steps.
    anchor : float
        Mean annual growth under damped growth, as a share of last growth.
    teachers : ndarray
        The locations to train on.
    before : Rules, optional
        The rules for the previous knot, from which the regressions start.
    """
    at = np.ix_(past, teachers)
    growth = (lesson.log[np.ix_(past + knot, teachers)] - lesson.log[at]) / (knot * lesson.step)
    outcome = growth - anchor * lesson.growth[at]
    y = (outcome / lesson.scale[at]).ravel()
    sized, plain = (x[at].reshape(len(y), -1) for x in (lesson.sized, lesson.plain))
    rounds = ROUNDS + (MORE_ROUNDS if before is None else 0)
    first, second = (None, None) if before is None else (before.sized, before.plain)
    first = regress_robustly(sized, y, RIDGE / len(y), rounds, first)
    second = regress_robustly(plain, y, RIDGE / len(y), rounds, second)
    # Past origins less than one horizon apart share outcomes, so they are not independent histories.
    histories = len(teachers) * max(1, (past[0] - past[-1] + 1) / knot)
    return Rules(
        first,
        second,
        lesson.alike[at].reshape(len(y), -1),
        (outcome / np.sqrt(lesson.volatility[at])).ravel(),
        y - sized @ first,
        max(FEWEST, round(NEIGHBOURS * len(y) / ROWS)),
        1 / (1 + sized.shape[1] / histories),
    )


def agree(rules: Array) -> Array:
    """Return the mean of the rules without the highest and the lowest.

    Examples
    --------
    >>> agree(np.array([[0.0], [1.0], [2.0], [3.0], [90.0]])).tolist()
    [2.0]
    """
    return np.sort(rules, axis=0)[1:-1].mean(axis=0)


def _interact(x: Array, volatility: Array, scale: Array) -> Array:
    both = np.concatenate([x, x * np.log(volatility / USUAL)[..., None]], axis=-1)
    return both / scale[..., None]
