"""Abridged life tables: five-year survival from death rates, for many tables at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from popforecast.models.base import Array

# Widths of the age groups 0, 1-4, 5-9, ..., 95-99; 100 and over is open.
WIDTHS = np.array([1.0, 4.0] + [5.0] * 19)

# Years lived in an age group by those who die in it; for infants they depend on the death rate.
LIVED = np.array([0.1, 1.5] + [2.5] * 19)


class LifeTable(NamedTuple):
    """Five-year survival from life tables of any shape (...).

    Attributes
    ----------
    births : ndarray, shape (...)
        Share of those born in five years who live at their end.
    survival : ndarray, shape (..., 20)
        Share of each age group 0-4, 5-9, ..., 90-94 who live five years later; last, of all who are 95 and over.
    expectancy : ndarray, shape (...)
        Life expectancy at birth, in years.
    """

    births: Array
    survival: Array
    expectancy: Array


def build_life_table(rates: Array) -> LifeTable:
    r"""Return the life tables of death rates at 0, 1-4, 5-9, ..., 95-99, 100 and over, shape (..., 22).

    .. math:: q_x = \frac{w_x m_x}{1 + (w_x - a_x) m_x}, \quad l_{x+w} = l_x (1 - q_x), \quad
       L_x = w_x l_{x+w} + a_x (l_x - l_{x+w}), \quad L_{100+} = l_{100} / m_{100+}

    with w the widths of the groups and a the years that the dying live in them: 2.5 of five years, 1.5 of four, and
    :math:`0.045 + 2.7 m_0`, within 0.05 and 0.35, for infants.

    References
    ----------
    Preston, S. H., Heuveline, P. and Guillot, M. (2001). *Demography: Measuring and Modeling Population Processes*.
    Blackwell, chapters 3 and 6.

    Examples
    --------
    At a rate of 0.02 at every age, half a century is what is left at any age.

    >>> table = build_life_table(np.full(22, 0.02))
    >>> table.expectancy.round(1).item(), table.survival[5].round(4).item()
    (50.0, 0.9048)
    """
    lived = np.broadcast_to(LIVED, rates[..., :-1].shape).copy()
    lived[..., 0] = np.clip(0.045 + 2.7 * rates[..., 0], 0.05, 0.35)
    closed = rates[..., :-1]
    dying = np.clip(WIDTHS * closed / (1 + (WIDTHS - lived) * closed), 0, 1)
    alive = np.concatenate([np.ones_like(rates[..., :1]), np.cumprod(1 - dying, axis=-1)], axis=-1)
    years = WIDTHS * alive[..., 1:] + lived * (alive[..., :-1] - alive[..., 1:])
    oldest = alive[..., -1:] / rates[..., -1:]
    years = np.concatenate([years[..., :1] + years[..., 1:2], years[..., 2:], oldest], axis=-1)
    before = years[..., :20].copy()
    before[..., 19] += years[..., 20]
    return LifeTable(years[..., 0] / 5, years[..., 1:] / np.maximum(before, 1e-12), years.sum(axis=-1))


def age(persons: Array, survival: Array) -> Array:
    """Return the survivors of an age distribution (..., 21) five years later; the youngest group is empty.

    Examples
    --------
    >>> age(np.ones(21), np.full(20, 0.5))[[0, 1, 19, 20]].tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    older = np.zeros(np.broadcast_shapes(persons.shape, (*survival.shape[:-1], 21)))
    older[..., 1:20] = persons[..., :19] * survival[..., :19]
    older[..., 20] = (persons[..., 19] + persons[..., 20]) * survival[..., 19]
    return older
