"""The five rules of panel-ar: what each learns from past origins, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.models.features import USUAL, describe, grow_groups, relate_size
from popforecast.models.regression import follow_neighbours, regress_robustly
from popforecast.panel import COUNTRY, Panel

# The columns of a panel's locations that may group them, from large groups to small.
GROUPINGS = ("region", "parent")

# The rows of an estimation: past origins are thinned to every second first, then locations, evenly over size.
ROWS = 3000

# The most similar past histories, of 3000; of fewer in proportion, but no fewer than these.
NEIGHBOURS, FEWEST = 40, 15

# Rows weigh 1 / volatility ** (2 * WEIGHT): half way between the largest errors (0) and the typical location (1/2).
WEIGHT = 0.25

# A pull towards damped growth worth two rows: immaterial with thousands of rows, all there is with ten.
RIDGE = 2.0

# Reweightings at a knot, which starts from the knot before; the first needs more.
ROUNDS, MORE_ROUNDS = 3, 3


@dataclass(frozen=True, eq=False)
class Lesson:
    """All that the rules learn from, for every year; no year's entries depend on a later one.

    Attributes
    ----------
    log, growth, volatility, scale : ndarray, shape (t, n)
        Log population, growth per year, its volatility, and that to the power of the weight.
    sized, plain : ndarray, shape (t, n, p)
        Regressors of the second and the third rule, in units of scale.
    alike : ndarray, shape (t, n, q)
        By what histories are compared.
    candidates : ndarray
        Locations that may teach.
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
        """Return all locations as they stand in one row."""
        return Moment(*(getattr(self, name)[origin] for name in Moment.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Moment:
    """Locations in one year, described as a :class:`Lesson` describes them: what rules are applied to."""

    growth: Array
    volatility: Array
    scale: Array
    sized: Array
    plain: Array
    alike: Array


@dataclass(frozen=True, eq=False)
class Rules:
    """What the rules have learnt about growth some steps ahead; it can be applied to any location.

    Attributes
    ----------
    sized, plain : ndarray
        Coefficients of the second and the third rule.
    alike : ndarray, shape (m, q)
        Past histories.
    followed, missed : ndarray, shape (m,)
        What followed them in units of root volatility, and what the second rule missed there.
    neighbours : int
        How many of them a location is compared with.
    trust : float
        What is left of a deviation.
    """

    sized: Array
    plain: Array
    alike: Array
    followed: Array
    missed: Array
    neighbours: int
    trust: float

    def deviate(self, now: Moment) -> Array:
        """Return how far growth per year will lie from damped growth, by the rules together; shape (n,)."""
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
    """Describe every location and year of a panel; log population has shape (n, t)."""
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
    """Describe time-major log population, whose groups' growth and whose size within the panel are known."""
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
    """Return the rows that may teach: the countries where the panel knows which they are, else all."""
    is_country = (panel.locations["type"] == COUNTRY).to_numpy()
    return np.flatnonzero(is_country) if is_country.any() else np.arange(len(panel))


def find_groups(panel: Panel, candidates: NDArray[np.intp]) -> list[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """Return, for each grouping with two groups or more, the members of its groups and the group of every location.

    The last group holds all candidates: it is the group of a location that has none.
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
    """Return all candidates, or so many of them spread evenly over the order of size."""
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
    """Return what the rules learn from past origins about growth so many steps ahead.

    Parameters
    ----------
    lesson : Lesson
    past : ndarray
        Rows of past origins, the latest first, all at least `knot` before the origin.
    knot : int
        Steps ahead.
    anchor : float
        Mean growth per year of damped growth, relative to last growth.
    teachers : ndarray
        The locations to learn from.
    before : Rules, optional
        Those of the knot before, from which the regressions start.
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
    # Past origins closer together than the horizon share their outcome, so they are no separate histories.
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
    """Return the mean of the middle rules: without the highest and the lowest.

    Examples
    --------
    >>> agree(np.array([[0.0], [1.0], [2.0], [3.0], [90.0]])).tolist()
    [2.0]
    """
    return np.sort(rules, axis=0)[1:-1].mean(axis=0)


def _interact(x: Array, volatility: Array, scale: Array) -> Array:
    both = np.concatenate([x, x * np.log(volatility / USUAL)[..., None]], axis=-1)
    return both / scale[..., None]
