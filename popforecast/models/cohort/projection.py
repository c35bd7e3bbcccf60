"""The cohort-component projection in five-year steps; births, deaths and migration add up to the change."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from popforecast.models.base import Array
from popforecast.models.cohort.fertility import forecast_fertility
from popforecast.models.cohort.lifetable import LifeTable, age, build_life_table
from popforecast.models.cohort.migration import forecast_migration
from popforecast.models.cohort.migration_ages import spread
from popforecast.models.cohort.mortality import measure_improvement
from popforecast.models.cohort.past import Past, estimate_ages, split_births
from popforecast.models.cohort.scenarios import Scenario
from popforecast.models.cohort.workers import find_workers, learn_leaving, turn_over

# Nothing is set by the user.
ESTIMATED = Scenario()

# Five-year steps for 80 years ahead.
STEPS = 17

# Panels with this many places represent the world, whose net migration is zero.
WORLD = 150

# Minimum size of an age group as a share of its survivors; the second applies to countries with labour migrants.
LEFT, LEFT_WORKERS = 0.5, 0.05

# Minimum share of an age group that remains after emigration in the middle of a step.
HALFWAY = 0.05


class Projection(NamedTuple):
    """The projection of n countries, in persons.

    Attributes
    ----------
    ages : ndarray, shape (n, 2, 21, steps + 1)
        By sex and age at the origin and every five years after it.
    births, deaths, migration : ndarray, shape (n, steps)
        In each five years: the change of the population is births - deaths + migration.
    before : ndarray, shape (2, n)
        Births and deaths in the last year before the origin.
    fertility : ndarray, shape (n, steps)
        Children per woman.
    leavers : ndarray, shape (n,)
        Net emigrants in an exodus of the last five years; 0 without one.
    """

    ages: Array
    births: Array
    deaths: Array
    migration: Array
    before: Array
    fertility: Array
    leavers: Array

    @property
    def totals(self) -> Array:
        """Persons at the origin and every five years after it, shape (n, steps + 1)."""
        totals: Array = self.ages.sum(axis=(1, 2))
        return totals


def project(
    past: Past,
    mended: bool = True,
    half_life: float | None = 10.0,
    steps: int = STEPS,
    scenario: Scenario = ESTIMATED,
) -> Projection:
    r"""Project each country in steps of five years.

    In each step, of people P by sex and age, with A ageing by the step's life table, M net migrants by age (half of
    them survive as if they had been there at its start, half come at its end), f children per woman and p their shares
    by age:

    .. math:: N = A(P + M / 2), \quad B = f \sum_x p_x \frac{P_x + N_x + M_x / 2}{2}, \quad
       P' = \max(N + M / 2, A(P) / 2)

    where x are women of 15 to 49; the newborn are N's and A's youngest group. Deaths are
    :math:`\sum P + M + B - \sum P'`. The world's net migration is none: what it sums to is taken from each country in
    proportion to its own; fewer than 150 places are not the world, and are left as they are.

    Parameters
    ----------
    past : Past
    mended : bool
        Whether with what was added to the first specification: exoduses end, labour migrants go home, emigration may
        last, jagged migration says less, and mortality falls as in countries alike.
    half_life : float or None
        Of past origins that fertility is learnt from, in years.
    steps : int
    scenario : Scenario
        With migration set by the user, net migration of the world is not balanced, and labour migrants stay.

    References
    ----------
    Preston, S. H., Heuveline, P. and Guillot, M. (2001). *Demography*. Blackwell, chapter 6. United Nations (2024).
    *World Population Prospects 2024: Methodology of the United Nations population estimates and projections*.
    """
    components, persons = past.components, estimate_ages(past)
    improvement = scenario.set_improvement(measure_improvement(components.mortality, mended))
    rates, _, leavers = forecast_migration(past, steps, mended)
    rates = scenario.set_migration(rates, past)
    children, _, _ = forecast_fertility(past, steps, half_life, mended)
    children = scenario.set_fertility(children, past)
    by_age, sex_ratio = components.fertility_by_age[..., -1] / 100, components.sex_ratio[:, -1]
    is_free = scenario.migration is None
    workers = find_workers(persons) & (mended and is_free)
    leaving = learn_leaving(past) if workers.any() else np.zeros(persons.shape[1:])
    least = np.where(workers, LEFT_WORKERS, LEFT)[:, None, None]
    ages, births, deaths, migration = [persons], [], [], []
    for step in range(steps):
        table = build_life_table(past.rates * np.exp(-improvement * (past.middle + step)))
        total = persons.sum(axis=(1, 2))
        migrants = rates[:, step] * total
        if is_free and len(total) >= WORLD:
            migrants = balance(migrants)
        moved = spread(migrants, persons)
        if workers.any():
            moved += turn_over(persons, workers, leaving)
        persons, born = _step(persons, moved, table, children[:, step, None] * by_age, sex_ratio, least)
        ages.append(persons)
        births.append(born)
        migration.append(migrants)
        deaths.append(total + migrants + born - persons.sum(axis=(1, 2)))
    born, died, moved = (np.stack(each, axis=1) for each in (births, deaths, migration))
    return Projection(np.stack(ages, axis=-1), born, died, moved, past.last_flows, children, leavers)


def balance(migrants: Array) -> Array:
    """Return net migrants that sum to zero, adjusted in proportion to their absolute number.

    Examples
    --------
    >>> balance(np.array([30.0, -10.0])).tolist()
    [15.0, -15.0]
    """
    moving = np.abs(migrants)
    return migrants - moving * (migrants.sum() / max(moving.sum(), 1e-12))


def _step(
    persons: Array, moved: Array, table: LifeTable, fertility: Array, sex_ratio: Array, least: Array
) -> tuple[Array, Array]:
    """Return the population five years later, and the births in between."""
    halfway = np.maximum(persons + moved / 2, HALFWAY * persons)
    alone, older = age(persons, table.survival), age(halfway, table.survival)
    women = (persons[:, 1, 3:10] + older[:, 1, 3:10] + moved[:, 1, 3:10] / 2) / 2
    born = (fertility * np.maximum(women, 0)).sum(axis=1)
    alone[..., 0] = older[..., 0] = split_births(born, sex_ratio) * table.births
    return np.maximum(np.maximum(older + moved / 2, least * alone), 1e-3), born
