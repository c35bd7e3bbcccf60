"""When? The peak, the next round figure and the doubling of each location, each as a year with an interval.

A model without a lower limit may fall below zero: that has a year, too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.text import say_population

if TYPE_CHECKING:
    from popforecast.forecasting.result import Forecast
    from popforecast.panel import Panel

PEAK, PASSING, FALLING, DOUBLING, HALVING = "peak", "passing", "falling", "doubling", "halving"
BELOW_ZERO = "below-zero"

# What counts as round, times a power of ten.
ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
POWERS = range(-300, 300)

USUAL_LEVEL = 80

# Two populations that differ by less than this share of them are one: the model's arithmetic is no growth.
ROUNDING = 1e-9

Years = tuple[int | None, int | None, int | None]


@dataclass(frozen=True)
class Milestone:
    """Something that happens to a population in a year, with an interval of years.

    Attributes
    ----------
    location_code : hashable
    kind : {"peak", "passing", "falling", "doubling", "halving", "below-zero"}
        A highest population, a round figure passed on the way up or down, twice or half the last estimate, a forecast
        below zero.
    persons : float
        The population that is reached.
    year : int or None
        When; None where it does not happen up to `last`.
    earliest, latest : int or None
        The interval at `level`; None is a year after `last`.
    level : float or None
        In percent; None where the forecast has no intervals.
    last : int
        The last year of the forecast.
    sentence : str
        The same for people.
    """

    location_code: Hashable
    kind: str
    persons: float
    year: int | None
    earliest: int | None
    latest: int | None
    level: float | None
    last: int
    sentence: str


@dataclass(frozen=True)
class _Paths:
    """The years after the origin, and what each location's median and bounds are in them: shapes (h,) and (n, h)."""

    years: NDArray[np.int64]
    median: Array
    lower: Array
    upper: Array
    level: float | None

    @property
    def last(self) -> int:
        return int(self.years[-1])


def find_milestones(forecast: Forecast) -> tuple[Milestone, ...]:
    """Find when each location peaks, passes the next round figure, and doubles or halves.

    Everything is read from ``forecast.path``, so it looks as far ahead as the forecast reaches: ask for one to 2100.
    The interval is the one at 80%, or at the forecast's first level where it has no 80.

    Parameters
    ----------
    forecast : Forecast
        A forecast wholly in history has no milestones.

    Returns
    -------
    tuple of Milestone
        Three for each location, in the forecast's order: peak, round figure, doubling or halving. A location without
        people has a peak alone. Where the median falls below zero, which only a plain autoregression allows, that is a
        fourth.

    Notes
    -----
    **A figure F passed on the way up**: the year is the first after the origin in which the median is F or more, the
    earliest that in which the upper bound is, the latest that in which the lower bound is. (On the way down: F or
    less, and the bounds change places.) Bounds are of one year's population, so at 80% these are the first years in
    which F is exceeded with a chance of 10, 50 and 90%: exactly the quantiles of the year of passing where a
    population that has passed F does not turn back, and years that are late, if anything, where it may. The first
    year after the origin stands for any before it: an estimate may be revised, too.

    The round figure is the nearest above or below the last estimate (1, 1.5, 2, 2.5, 3, 4, 5 ... 9 times a power of
    ten), whichever the median passes first; where it passes neither, the one towards which it ends. Doubling and
    halving are counted from the last estimate, and the median's end decides which of them is told.

    **The peak** is the year in which history and median are highest: it may lie in the past. Its interval runs from
    the first to the last of the years in which history with the lower bound, with the median, and with the upper bound
    are highest. It says when the population would peak if it went along its bounds. It is *not* an interval that holds
    the year of the peak with 80%: single futures wander, and their peaks lie further apart. The forecast holds each
    year's distribution alone, and more cannot be had from it.

    Examples
    --------
    >>> import popforecast as pf
    >>> fc = pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2100, model="ar1")
    >>> for milestone in find_milestones(fc):
    ...     print(milestone.sentence)
    Still growing in 2100 (80% bounds: after 2100)
    Passes 8 billion in 2023 (80%: 2023)
    Doubles by 2089, in 69 years (80%: 2088 to 2090)
    """
    found = [milestone for history, part in forecast.split() for milestone in _find_milestones(history, part)]
    place = {code: i for i, code in enumerate(forecast.locations.index)}
    return tuple(sorted(found, key=lambda milestone: place[milestone.location_code]))


def _find_milestones(history: Panel, forecast: Forecast) -> list[Milestone]:
    """Return the milestones of locations with one origin."""
    path = forecast.path
    if not path.population.shape[1]:
        return []
    level = _choose_level(forecast.levels)
    years = history.origin + history.step * np.arange(1, path.population.shape[1] + 1)
    # A number that the computer does not have is nothing that was reached.
    median, lower, upper = (
        np.nan_to_num(values, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
        for values in (
            path.population,
            path.population if level is None else path.lower[level],
            path.population if level is None else path.upper[level],
        )
    )
    paths = _Paths(years, median, lower, upper, level)
    codes, last = history.locations.index.tolist(), history.values[:, -1]
    by_kind = (
        _find_peaks(codes, history.years, history.values, paths),
        _find_round_figures(codes, last, paths),
        _find_doublings(codes, last, history.origin, paths),
        _find_below_zero(codes, paths),
    )
    return [found for row in zip(*by_kind, strict=True) for found in row if found]


def find_round_figures(persons: Array) -> tuple[Array, Array]:
    """Return the nearest round figures below and above each population, neither of them the population itself.

    Examples
    --------
    >>> below, above = find_round_figures(np.array([227_882_945, 1_000_000]))
    >>> below.tolist(), above.tolist()
    ([200000000.0, 900000.0], [250000000.0, 1500000.0])
    """
    ladder = _list_round_figures()
    below = np.searchsorted(ladder, persons, side="left") - 1
    above = np.searchsorted(ladder, persons, side="right")
    return ladder[np.maximum(below, 0)], ladder[np.minimum(above, len(ladder) - 1)]


def say_round_figure(persons: float) -> str:
    """Write a round number of persons in the unit that people say them in.

    Examples
    --------
    >>> say_round_figure(1_500_000_000), say_round_figure(200_000_000), say_round_figure(900)
    ('1.5 billion', '200 million', '900')
    """
    number, space, unit = say_population(persons).partition(" ")
    return (number.rstrip("0").rstrip(".") if "." in number else number) + space + unit


@lru_cache
def _list_round_figures() -> Array:
    return np.array([float(f"{digit}e{power}") for power in POWERS for digit in ROUND])


def _find_peaks(codes: list[Hashable], past: NDArray[np.int64], history: Array, paths: _Paths) -> Iterator[Milestone]:
    years = np.concatenate([past, paths.years])
    lower, median, upper = (np.hstack([history, ahead]) for ahead in (paths.lower, paths.median, paths.upper))
    at = np.array([_find_highest(whole) for whole in (lower, median, upper)])
    persons = median.max(axis=1)
    stays = (median[:, len(past) - 1 :].min(axis=1) >= persons * (1 - ROUNDING)).tolist()
    ends = [[None if k == len(years) - 1 else int(years[k]) for k in row] for row in (at[1], at.min(0), at.max(0))]
    for i, (code, when) in enumerate(zip(codes, zip(*ends, strict=True), strict=True)):
        year, figure = when[0], say_population(persons[i])
        if stays[i]:
            said = f"Stays at its highest, {figure}, to {paths.last}"
        elif year is None:
            said = f"Still growing in {paths.last}"
        elif year > past[-1]:
            said = f"Peaks in {year} at {figure}"
        else:
            said = f"Peaked in {year} at {figure}, by estimates"
        yield _milestone(code, PEAK, persons[i], when, paths, said, "% bounds")


def _find_round_figures(codes: list[Hashable], last: Array, paths: _Paths) -> Iterator[Milestone | None]:
    below, above = find_round_figures(last)
    falls, rises = paths.median <= below[:, None], paths.median >= above[:, None]
    # A year beyond the last stands for never.
    first_fall, first_rise = (np.where(some.any(1), some.argmax(1), some.shape[1]) for some in (falls, rises))
    grows = np.where(first_fall == first_rise, _ends_higher(last, paths), first_rise < first_fall)
    figures = np.where(grows, above, below)
    for i, years in enumerate(_find_years(figures, grows, paths)):
        figure = say_round_figure(figures[i])
        if years[0] is None:
            said = f"Does not {'pass' if grows[i] else 'fall below'} {figure} by {paths.last}"
        else:
            said = f"{'Passes' if grows[i] else 'Falls below'} {figure} in {years[0]}"
        kind = PASSING if grows[i] else FALLING
        yield _milestone(codes[i], kind, figures[i], years, paths, said) if last[i] > 0 else None


def _find_doublings(codes: list[Hashable], last: Array, origin: int, paths: _Paths) -> Iterator[Milestone | None]:
    grows = _ends_higher(last, paths)
    figures = last * np.where(grows, 2, 0.5)
    for i, years in enumerate(_find_years(figures, grows, paths)):
        verb = "double" if grows[i] else "halve"
        if years[0] is None:
            said = f"Does not {verb} by {paths.last}"
        else:
            said = f"{verb.capitalize()}s by {years[0]}, in {years[0] - origin} years"
        kind = DOUBLING if grows[i] else HALVING
        yield _milestone(codes[i], kind, figures[i], years, paths, said) if last[i] > 0 else None


def _find_below_zero(codes: list[Hashable], paths: _Paths) -> Iterator[Milestone | None]:
    sides = (_first_years(side < 0, paths.years) for side in (paths.median, paths.lower, paths.upper))
    for code, years in zip(codes, zip(*sides, strict=True), strict=True):
        said = f"Falls below zero in {years[0]}, which no population can"
        yield _milestone(code, BELOW_ZERO, 0, years, paths, said) if years[0] is not None else None


def _find_highest(values: Array) -> NDArray[np.intp]:
    """Return where each row is highest for the first time."""
    return (values >= values.max(axis=1, keepdims=True) * (1 - ROUNDING)).argmax(axis=1)


def _ends_higher(last: Array, paths: _Paths) -> NDArray[np.bool_]:
    return paths.median[:, -1] >= last * (1 - ROUNDING)


def _find_years(figures: Array, grows: NDArray[np.bool_], paths: _Paths) -> list[Years]:
    """Return when each median reaches its figure, and the earliest and latest year at the level."""
    up, target = grows[:, None], figures[:, None]
    first, last = np.where(up, paths.upper, paths.lower), np.where(up, paths.lower, paths.upper)
    reached = [np.where(up, side >= target, side <= target) for side in (paths.median, first, last)]
    return list(zip(*(_first_years(some, paths.years) for some in reached), strict=True))


def _first_years(reached: NDArray[np.bool_], years: NDArray[np.int64]) -> list[int | None]:
    """Return for each row the first year in which it is true, or None."""
    found = zip(years[reached.argmax(1)].tolist(), np.any(reached, axis=1).tolist(), strict=True)
    return [year if some else None for year, some in found]


def _milestone(
    code: Hashable, kind: str, persons: float, years: Years, paths: _Paths, said: str, of: str = "%"
) -> Milestone:
    year, earliest, latest = years
    if paths.level is None:
        return Milestone(code, kind, float(persons), year, None, None, None, paths.last, said)
    sentence = f"{said} ({paths.level:g}{of}: {_say_years(earliest, latest, paths.last)})"
    return Milestone(code, kind, float(persons), year, earliest, latest, paths.level, paths.last, sentence)


def _say_years(earliest: int | None, latest: int | None, last: int) -> str:
    if earliest is None:
        return f"after {last}"
    if latest is None:
        return f"{earliest} or later"
    return str(earliest) if earliest == latest else f"{earliest} to {latest}"


def _choose_level(levels: tuple[float, ...]) -> float | None:
    return USUAL_LEVEL if USUAL_LEVEL in levels else next(iter(levels), None)
