"""What-if scenarios: fertility, migration or mortality set by the user instead of estimated."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import get_args

import numpy as np

from popforecast.errors import ModelError
from popforecast.models.base import Array
from popforecast.models.cohort.lifetable import build_life_table
from popforecast.models.cohort.past import Past
from popforecast.panel.components import SPAN

# Named scenarios, and the range of numbers: children per woman, and net migrants per 1,000 people a year.
FERTILITY, MIGRATION, MORTALITY = ("constant", "replacement", "low"), ("constant", "zero"), ("constant",)
CHILDREN, MIGRANTS = (0.0, 12.0), (-100.0, 100.0)

# Children per woman below the forecast in the first, the second and later five years, as in the UN's low variant.
LOWER = (0.25, 0.4, 0.5)


@dataclass(frozen=True)
class Scenario:
    """What is set by the user; None is estimated.

    Attributes
    ----------
    fertility : {"constant", "replacement", "low"} or float, optional
        The last year's children per woman; as many as replace their parents under present mortality; the forecast
        less a quarter of a child in the first five years, 0.4 in the next and half a child later, as in the UN's low
        variant; or a number of children per woman.
    migration : {"constant", "zero"} or float, optional
        The rate of the last five years, none, or net migrants per 1,000 people a year.
    mortality : {"constant"}, optional
        The death rates of the last period.

    Raises
    ------
    ModelError
        If a value is not valid.

    Examples
    --------
    >>> Scenario(fertility="replacement", migration=2.5).words
    'fertility replacement, migration 2.5'
    >>> Scenario(fertility=40)
    Traceback (most recent call last):
    popforecast.errors.ModelError: fertility 40: expected constant, replacement, low or 0 to 12 children per woman
    """

    fertility: str | float | None = None
    migration: str | float | None = None
    mortality: str | None = None

    def __post_init__(self) -> None:
        _check("fertility", self.fertility, FERTILITY, CHILDREN, "children per woman")
        _check("migration", self.migration, MIGRATION, MIGRANTS, "net migrants per 1,000 people a year")
        _check("mortality", self.mortality, MORTALITY, None, "")

    @property
    def words(self) -> str:
        """What is set, in words; empty if nothing is."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return ", ".join(
            f"{name} {value if isinstance(value, str) else f'{value:g}'}"
            for name, value in given.items()
            if value is not None
        )

    def set_fertility(self, path: Array, past: Past) -> Array:
        """Return children per woman by five-year step, shape (n, steps), from the forecast ones."""
        if self.fertility is None:
            return path
        if self.fertility == "low":
            lower = np.array([*LOWER, *[LOWER[-1]] * path.shape[1]])[: path.shape[1]]
            return np.maximum(path - lower, 0)
        if self.fertility == "constant":
            level = past.fertility[:, -1:]
        elif self.fertility == "replacement":
            level = find_replacement(past)[:, None]
        else:
            level = np.full((len(path), 1), float(self.fertility))
        return np.broadcast_to(level, path.shape)

    def set_migration(self, rates: Array, past: Past) -> Array:
        """Return net migrants per person by five-year step, shape (n, steps), from the forecast ones."""
        if self.migration is None:
            return rates
        if self.migration == "constant":
            return np.broadcast_to(past.migration_rate(past.now - SPAN, past.now)[:, None], rates.shape)
        yearly = 0.0 if self.migration == "zero" else float(self.migration)
        return np.full(rates.shape, SPAN * yearly / 1000)

    def set_improvement(self, improvement: Array) -> Array:
        """Return the decline of log death rates per five years, from the estimated one."""
        return improvement if self.mortality is None else np.zeros_like(improvement)


def find_replacement(past: Past) -> Array:
    r"""Return the children per woman at which each generation of women replaces the last, shape (n,).

    .. math:: F = \frac{1 + r}{\sum_x p_x L_x / 5}

    with r boys per girl at birth, :math:`p_x` the share of children born to women of group x, and :math:`L_x / 5` the
    share of women who reach the group, by the death rates of the last period.

    References
    ----------
    Preston, S. H., Heuveline, P. and Guillot, M. (2001). *Demography*. Blackwell, section 5.3.
    """
    table, components = build_life_table(past.rates[:, 1]), past.components
    reached = table.births[:, None] * np.cumprod(table.survival, axis=1)
    shares = components.fertility_by_age[..., -1] / 100
    # The survivors of group x - 1 are group x: women of 15-19 are the fourth group.
    women: Array = (shares * reached[:, 2:9]).sum(axis=1)
    result: Array = (1 + components.sex_ratio[:, -1]) / women
    return result


def _check(name: str, value: object, named: tuple[str, ...], within: tuple[float, float] | None, unit: str) -> None:
    if value is None or (isinstance(value, str) and value in named):
        return
    is_number = isinstance(value, get_args(int | float)) and not isinstance(value, bool)
    if within is not None and is_number and within[0] <= float(value) <= within[1]:  # type: ignore[arg-type]
        return
    number = "" if within is None else f" or {within[0]:g} to {within[1]:g} {unit}"
    raise ModelError(f"{name} {value!r}: expected {', '.join(named)}{number}")
