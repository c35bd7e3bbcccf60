"""Past components of each country up to an origin: the training data of the rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from popforecast.models.base import Array
from popforecast.models.cohort.lifetable import age, build_life_table
from popforecast.models.cohort.migration_ages import spread
from popforecast.panel.components import SPAN, Components

# Minimum size of an age group at the origin, as a share of its survivors.
FLOOR = 0.5


@dataclass(frozen=True)
class Past:
    """The past of n countries from a first year, column 0, to the origin, column `now`.

    Attributes
    ----------
    components : Components
        Cut to the origin; gaps in its early death rates and fertility by age are filled.
    origin : int
    is_annual : bool
        Whether births and deaths are known by year; else they follow from ages and rates of five-year periods.
    totals : ndarray, shape (n, now + 1)
        Persons at mid-year.
    migration, births, fertility : ndarray, shape (n, now)
        Net migrants, births (persons) and children per woman, from one mid-year to the next.
    """

    components: Components
    origin: int
    is_annual: bool
    totals: Array
    migration: Array
    births: Array
    fertility: Array

    @property
    def now(self) -> int:
        """The column of the origin."""
        return self.totals.shape[1] - 1

    @property
    def last_flows(self) -> Array:
        """Births and deaths in the last year, shape (2, n)."""
        births = self.births[:, -1]
        return np.stack([births, births + self.migration[:, -1] - np.diff(self.totals[:, -2:])[:, 0]])

    @property
    def rates(self) -> Array:
        """Death rates of the last period, shape (n, 2, 22)."""
        return self.components.mortality[..., -1]

    @property
    def middle(self) -> float:
        """Five-year periods between the middle of the last period and the middle of the next five years."""
        return float(self.origin - self.components.periods[-1]) / SPAN

    @property
    def net_migration(self) -> Array:
        """Net migrants by calendar year, in persons; for the last year only if the edition states them."""
        known = self.components.net_migration
        return known if known.shape[1] and not np.isnan(known[:, -1]).any() else known[:, :-1]

    def migration_rate(self, start: int, end: int) -> Array:
        """Return net migrants between two columns per person at the first."""
        return self.migration[:, start:end].sum(axis=1) / self.totals[:, start]


def read_past(totals: Array, first: int, components: Components) -> Past:
    """Return the past of countries with known components.

    Net migration is what is left of the change of the total: :math:`M_t = T_{t+1} - T_t - B_t + D_t`. Births and deaths
    of calendar years are halved to lie between mid-years. Where they are not known, they are what one step without
    migration from each published age distribution gives with the period's own rates, spread over its years like the
    population.

    Parameters
    ----------
    totals : ndarray, shape (n, t)
        Persons at mid-year, every year from `first` to the origin.
    first : int
    components : Components
        Of the same places, cut to the origin.
    """
    components = fill_gaps(components)
    origin, periods = first + totals.shape[1] - 1, components.periods
    is_annual = bool(len(components.calendar) and components.calendar[-1] == origin)
    if is_annual:
        births, deaths, fertility = (
            (x[:, :-1] + x[:, 1:]) / 2 for x in (components.births, components.deaths, components.tfr)
        )
        natural = births - deaths
    else:
        births, natural, fertility = (np.empty((len(totals), origin - first)) for _ in range(3))
        for start in range(first, origin, SPAN):
            period = min((start - int(periods[0])) // SPAN, len(periods) - 1)
            years = np.arange(start - first, min(start + SPAN, origin) - first)
            born, grown = _step_alone(components, (start - first) // SPAN, period)
            shares = totals[:, years] / totals[:, years].sum(axis=1, keepdims=True) * len(years) / SPAN
            births[:, years], natural[:, years] = born[:, None] * shares, grown[:, None] * shares
            fertility[:, years] = components.fertility[:, period, None]
    return Past(components, origin, is_annual, totals, np.diff(totals, axis=1) - natural, births, fertility)


def _step_alone(components: Components, year: int, period: int) -> tuple[Array, Array]:
    """Return births and natural growth in five years without migration, persons."""
    persons = components.ages[..., year]
    table = build_life_table(components.mortality[..., period])
    older = age(persons, table.survival)
    women = (persons[:, 1, 3:10] + older[:, 1, 3:10]) / 2
    born = components.fertility[:, period] * (components.fertility_by_age[..., period] / 100 * women).sum(axis=1)
    older[..., 0] = split_births(born, components.sex_ratio[:, period]) * table.births
    return born, older.sum(axis=(1, 2)) - persons.sum(axis=(1, 2))


def split_births(births: Array, sex_ratio: Array) -> Array:
    """Return boys and girls, shape (n, 2).

    Examples
    --------
    >>> split_births(np.array([205.0]), np.array([1.05])).round(6).tolist()
    [[105.0, 100.0]]
    """
    boys = births * sex_ratio / (1 + sex_ratio)
    return np.stack([boys, births - boys], axis=1)


def estimate_ages(past: Past) -> Array:
    r"""Return population by sex and age at the origin, shape (n, 2, 21), persons.

    Between two five-yearly distributions the last, P, is carried on: a fraction f of five years after it

    .. math:: Q = (1 - f) P + f A(P), \qquad Q_0 = (1 - f) P_0 + s_b B

    with A ageing by the last death rates, and B the births since; the rest of the total goes as migrants by age.
    """
    components = past.components
    persons, at = components.ages[..., -1], int(components.years[-1])
    total, fraction = past.totals[:, -1], (past.origin - at) / SPAN
    if fraction:
        table = build_life_table(past.rates)
        carried = (1 - fraction) * persons + fraction * age(persons, table.survival)
        born = past.births[:, at - past.origin :].sum(axis=1)
        infants = split_births(born, components.sex_ratio[:, -1]) * table.births
        carried[..., 0] = (1 - fraction) * persons[..., 0] + infants
        rest = total - carried.sum(axis=(1, 2))
        persons = np.maximum(carried + spread(rest, carried), FLOOR * carried)
    result: Array = persons * (total / persons.sum(axis=(1, 2)))[:, None, None]
    return result


def fill_gaps(components: Components) -> Components:
    """Return components with early gaps filled: death rates by the median change elsewhere, others by later values.

    Some editions publish rates of early periods for some countries only.
    """
    rates = components.mortality
    if np.isnan(rates).any():
        rates = rates.copy()
        for period in reversed(range(rates.shape[-1] - 1)):
            now, later = rates[..., period], rates[..., period + 1]
            lacking = np.isnan(now)
            change = np.nanmedian(now / later, axis=0, keepdims=True) if not lacking.all() else 1.0
            rates[..., period] = np.where(lacking, later * change, now)
    filled = {name: _carry_back(getattr(components, name)) for name in ("sex_ratio", "fertility_by_age")}
    return components.replace(mortality=rates, **filled)


def _carry_back(values: Array) -> Array:
    """Return values with gaps filled from the next period."""
    filled = values.copy()
    for period in reversed(range(values.shape[-1] - 1)):
        now = filled[..., period]
        filled[..., period] = np.where(np.isnan(now), filled[..., period + 1], now)
    return filled
