"""Age pattern of migration."""

from __future__ import annotations

import numpy as np

from popforecast.models.base import Array

# Relative number of migrants by age group: families and young adults, as in model schedules.
PATTERN = np.array([7, 6, 6, 10, 17, 16, 12, 8, 5.5, 3.5, 2.5, 1.8, 1.3, 1, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02])
SHARES = np.stack([PATTERN, PATTERN]) / PATTERN.sum() / 2

# Emigrants beyond this share of the population in five years count as refugees of all ages, so no age group empties.
ORDERLY = 0.025


def spread(migrants: Array, persons: Array) -> Array:
    """Return net migrants (n,) by sex and age, shape (n, 2, 21), from a population by sex and age.

    References
    ----------
    Rogers, A. and Castro, L. J. (1981). *Model Migration Schedules*. IIASA, RR-81-30.

    Examples
    --------
    >>> persons = np.ones((1, 2, 21))
    >>> [spread(np.array([moved]), persons)[0, 0, 4].round(3).item() for moved in (1.0, -42.0)]
    [0.085, -1.065]
    """
    total = persons.sum(axis=(1, 2))
    orderly = np.maximum(migrants, -ORDERLY * total)
    flight: Array = ((migrants - orderly) / total)[:, None, None] * persons
    return orderly[:, None, None] * SHARES + flight
