"""Labour migrants, who return home before old age: an excess of men of working age."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.models.cohort.lifetable import age, build_life_table
from popforecast.models.cohort.migration_ages import SHARES
from popforecast.models.cohort.past import Past, split_births

# Men per woman at ages 25-49, and population, above which a country has labour migrants.
MEN_PER_WOMAN, SMALLEST = 1.3, 1e5

# Age groups that return home (35-39 to 60-64), their maximum share in five years, and the ages of new arrivals.
FIRST, LAST, MOST_LEARNT, MOST = 7, 13, 0.5, 0.8
ARRIVALS = np.zeros(21)
ARRIVALS[4:7] = 0.35, 0.40, 0.25

# Periods from which return rates are estimated, and the first origin with enough of them.
PERIODS, FIRST_YEAR = 4, 1970


def find_workers(persons: Array) -> NDArray[np.bool_]:
    """Return which populations (n, 2, 21) have labour migrants."""
    men, women = persons[:, 0, 5:10].sum(axis=1), persons[:, 1, 5:10].sum(axis=1)
    result: NDArray[np.bool_] = (men > MEN_PER_WOMAN * women) & (persons.sum(axis=(1, 2)) > SMALLEST)
    return result


def count_excess(persons: Array) -> Array:
    """Return labour migrants by sex and age: the excess of men over women, and the same share of women."""
    men = np.maximum(persons[:, 0] - persons[:, 1], 0)
    return np.stack([men, men / np.maximum(persons[:, 0], 1e-6) * persons[:, 1]], axis=1)


def learn_leaving(past: Past) -> Array:
    """Return the share of labour migrants who return home in five years, by sex and initial age, shape (2, 21).

    From what migration by age of such countries, over the last four periods, has beyond the usual pattern: least
    squares without a constant, each country alike, within 0 and 0.5, for the ages from 35 to 64.
    """
    components = past.components
    moved, there = np.zeros((2, 21)), np.zeros((2, 21))
    if past.origin < FIRST_YEAR:
        return moved
    last = min(len(components.years) - 1, len(components.periods)) - 1
    for period in range(max(0, last - PERIODS + 1), last + 1):
        persons = components.ages[..., period]
        chosen = find_workers(persons)
        if not chosen.any():
            continue
        table = build_life_table(components.mortality[..., period])
        older = age(persons, table.survival)
        born = past.births[:, 5 * period : 5 * period + 5].sum(axis=1)
        older[..., 0] = split_births(born, components.sex_ratio[:, period]) * table.births
        migrants = (components.ages[..., period + 1] - older)[chosen]
        beyond = migrants - migrants.sum(axis=(1, 2))[:, None, None] * SHARES
        weights = 1 / persons.sum(axis=(1, 2))[chosen][:, None, None]
        moved[:, :20] += (weights * beyond[..., 1:]).sum(axis=0)
        there[:, :20] += (weights * count_excess(persons)[chosen][..., :20]).sum(axis=0)
    leaving: Array = np.clip(-moved / np.maximum(there, 1e-12), 0, MOST_LEARNT)
    leaving[:, :FIRST] = leaving[:, LAST:] = 0
    return leaving


def turn_over(persons: Array, chosen: NDArray[np.bool_], leaving: Array) -> Array:
    """Return net migrants by sex and age: some return home, replaced by as many young migrants of the same sex."""
    home = np.minimum(leaving * count_excess(persons), MOST * persons) * chosen[:, None, None]
    moved = np.zeros(persons.shape)
    moved[..., 1:] = -home[..., :20]
    result: Array = moved + home.sum(axis=-1, keepdims=True) * ARRIVALS
    return result
