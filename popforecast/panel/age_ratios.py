"""Shares, dependency ratios and the median age, from population by age."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.panel.components import AGES, SPAN, Array

KEYS = ["location_code", "location", "year"]

# First ages of the old, of working age, and above childhood; and which groups are old and children.
OLD, WORKING, YOUNG = 65, 20, 15
IS_OLD, IS_YOUNG = np.array(AGES) >= OLD, np.array(AGES) < YOUNG


def tabulate_ratios(ages: pd.DataFrame) -> pd.DataFrame:
    """Return shares, dependency ratios and the median age of each location and year.

    Columns: location_code, location, year; share_65_plus (percent); old_age_dependency, child_dependency and
    total_dependency: people of 65 and over, below 20, and both, per 100 people of 20 to 64; median_age (years).

    Parameters
    ----------
    ages : DataFrame
        As returned by :meth:`popforecast.Forecast.ages`.

    References
    ----------
    United Nations (2024). *World Population Prospects 2024: Methodology*, for the ages of the ratios.

    Examples
    --------
    >>> ages = pd.DataFrame({"location_code": 1, "location": "A", "year": 2000, "age": [0, 20, 65], "population": 10})
    >>> tabulate_ratios(ages).iloc[0, 3:].round(1).tolist()
    [33.3, 100.0, 100.0, 200.0, 22.5]
    """
    by_age = ages.groupby([*KEYS, "age"], sort=False)["population"].sum().unstack("age", fill_value=0)
    persons = by_age.reindex(columns=list(AGES), fill_value=0).to_numpy(np.float64)
    old, young = persons[:, IS_OLD].sum(axis=1), persons[:, np.array(AGES) < WORKING].sum(axis=1)
    total = persons.sum(axis=1)
    working = total - old - young
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "share_65_plus": 100 * old / total,
            "old_age_dependency": 100 * old / working,
            "child_dependency": 100 * young / working,
            "total_dependency": 100 * (old + young) / working,
            "median_age": find_median_age(persons),
        }
    return pd.DataFrame(columns, index=by_age.index).reset_index()


def share_ages(persons: NDArray[Any], chosen: NDArray[np.bool_] = IS_OLD) -> Array:
    """Return the percentage of people in some age groups (default: 65 and over), of populations (..., 2, 21).

    Examples
    --------
    >>> share_ages(np.ones((2, 21))).round(1).item()
    38.1
    """
    share: Array = 100 * persons[..., chosen].sum(axis=(-2, -1)) / persons.sum(axis=(-2, -1))
    return share


def find_median_age(persons: Array) -> Array:
    """Return the age that half of each population exceeds, linear within each group of five years.

    Parameters
    ----------
    persons : ndarray, shape (n, 21)

    Examples
    --------
    >>> find_median_age(np.array([[10.0, 10, 10, *[0] * 18]])).tolist()
    [7.5]
    """
    below = np.cumsum(persons, axis=1)
    half = below[:, -1:] / 2
    at = (below >= half).argmax(axis=1)[:, None]
    within = np.take_along_axis(persons, at, axis=1)
    before = np.take_along_axis(below, at, axis=1) - within
    age: Array = SPAN * (at + (half - before) / np.maximum(within, 1e-12))
    return age[:, 0]
