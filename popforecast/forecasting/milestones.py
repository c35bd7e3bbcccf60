"""The years in which a population peaks, passes a round figure, doubles, halves or falls below zero."""

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

ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)  # times a power of ten
POWERS = range(-300, 300)

USUAL_LEVEL = 80

# Relative differences below this are rounding errors.
ROUNDING = 1e-9

Years = tuple[int | None, int | None, int | None]


@dataclass(frozen=True)
class Milestone:
    """A demographic event, with its year and an interval of years.

    Attributes
    ----------
    location_code : hashable
    kind : {"peak", "passing", "falling", "doubling", "halving", "below-zero"}
        A maximum, a round figure passed upwards or downwards, twice or half the last estimate, or zero.
    persons : float
        The population at the event.
    year : int or None
        The year; None if it does not happen by `last`.
    earliest, latest : int or None
        The interval at `level`; None means after `last`.
    level : float or None
        In percent; None if the forecast has no intervals.
    last : int
        The last year of the forecast.
    sentence : str
        A sentence for readers.
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
    """Years after the origin, shape (h,), and each location's median and bounds, shape (n, h)."""

    years: NDArray[np.int64]
    median: Array
    lower: Array
    upper: Array
    level: float | None

    @property
    def last(self) -> int:
        return int(self.years[-1])


def find_milestones(forecast: Forecast) -> tuple[Milestone, ...]:
    """Return when each location peaks, passes the next round figure, and doubles or halves.

    Only years up to the end of the forecast count. Intervals are at 80% or, if not available, at the first level.

    Parameters
    ----------
    forecast : Forecast
        A forecast without years after the origin has no milestones.

    Returns
    -------
    tuple of Milestone
        Three per location, in the forecast's order: peak, round figure, doubling or halving. A location with zero
        population has only a peak. A median below zero (possible only in a plain autoregression) adds a fourth.

    Notes
    -----
    **A figure F passed on the way up**: `year` is the first year after the origin in which the median is at least F,
    `earliest` the first for the upper bound and `latest` the first for the lower bound (on the way down, the reverse).
    At 80%, these are the first years in which F is exceeded with a probability of 10, 50 and 90%: the quantiles of the
    year of passing if a population never falls back below F, and possibly too late otherwise.

    The round figure (1, 1.5, 2, 2.5, 3, 4, 5 ... 9 times a power of ten) is the nearest above or below the last
    estimate, whichever the median passes first or ends closer to. Doubling and halving refer to the last estimate.

    **The peak** is the year of the maximum of history and median; it may be in the past. Its interval is the range of
    the years in which lower bound, median and upper bound peak, each joined to history. It is *not* an 80% interval for
    the year of the peak, because the peaks of single paths vary more.

    Examples
    --------
    >>> import popforecast as pf
    >>> fc = pf.forecast(pf.load_panel("wpp2019"), ["World"], 2030, 2100, model="ar1")
    >>> for milestone in find_milestones(fc):
    ...     print(milestone.sentence)
    Still growing in 2100, as are both 80% bounds
    Passes 8 billion in 2023 (80%: 2023)
    Doubles by 2089, in 69 years (80%: 2088–2090)
    """
    found = [milestone for history, part in forecast.split() for milestone in _find_milestones(history, part)]
    place = {code: i for i, code in enumerate(forecast.locations.index)} if forecast.parts else {}
    return tuple(sorted(found, key=lambda milestone: place.get(milestone.location_code, 0)))


def _find_milestones(history: Panel, forecast: Forecast) -> list[Milestone]:
    """Return the milestones of locations with one origin."""
    path = forecast.path
    if not path.population.shape[1]:
        return []
    level = USUAL_LEVEL if USUAL_LEVEL in forecast.levels else next(iter(forecast.levels), None)
    years = history.origin + history.step * np.arange(1, path.population.shape[1] + 1)
    bounds = (path.population,) * 2 if level is None else (path.lower[level], path.upper[level])
    # A missing value never counts as reached.
    median, lower, upper = (
        np.nan_to_num(values, nan=-np.inf, posinf=np.inf, neginf=-np.inf) for values in (path.population, *bounds)
    )
    paths = _Paths(years, median, lower, upper, level)
    codes, last = history.codes.tolist(), history.values[:, -1]
    by_kind = (
        _find_peaks(codes, history.years, history.values, paths),
        _find_round_figures(codes, last, paths),
        _find_doublings(codes, last, history.origin, paths),
        _find_below_zero(codes, paths),
    )
    return [found for row in zip(*by_kind, strict=True) for found in row if found]


def find_round_figures(persons: Array) -> tuple[Array, Array]:
    """Return the nearest round figures strictly below and strictly above each population.

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
    """Return a round number of persons in words, in the usual unit.

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
    highest = median.max(axis=1)
    stays = (median[:, len(past) - 1 :].min(axis=1) >= highest * (1 - ROUNDING)).tolist()
    ends = [[None if k == len(years) - 1 else int(years[k]) for k in row] for row in (at[1], at.min(0), at.max(0))]
    for code, when, persons, flat in zip(codes, zip(*ends, strict=True), highest.tolist(), stays, strict=True):
        year, figure = when[0], say_population(persons)
        if flat:
            said = f"Stays at its highest level, {figure}, to {paths.last}" + _say_later_peak(when, paths)
        elif year is None:
            said = f"Still growing in {paths.last}" + _say_earlier_peak(when, paths)
        elif year > past[-1]:
            said = f"Peaks in {year} at {figure}" + _say_range(when, paths, " bounds")
        else:
            said = f"Peaked in {year} at {figure} (estimate)" + _say_later_peak(when, paths)
        yield _milestone(code, PEAK, persons, when, paths, said)


def _find_round_figures(codes: list[Hashable], last: Array, paths: _Paths) -> Iterator[Milestone | None]:
    below, above = find_round_figures(last)
    falls, rises = paths.median <= below[:, None], paths.median >= above[:, None]
    # An index after the last year means never.
    first_fall, first_rise = (np.where(some.any(1), some.argmax(1), some.shape[1]) for some in (falls, rises))
    grows = np.where(first_fall == first_rise, _ends_higher(last, paths), first_rise < first_fall)
    figures = np.where(grows, above, below)
    rows = zip(codes, figures.tolist(), grows.tolist(), last.tolist(), strict=True)
    for (code, persons, up, now), years in zip(rows, _find_years(figures, grows, paths), strict=True):
        figure = say_round_figure(persons)
        if years[0] is None:
            said = _say_missing(f"{'pass' if up else 'fall below'} {figure}", up, years, paths)
        else:
            said = f"{'Passes' if up else 'Falls below'} {figure} in {years[0]}" + _say_range(years, paths)
        yield _milestone(code, PASSING if up else FALLING, persons, years, paths, said) if now > 0 else None


def _find_doublings(codes: list[Hashable], last: Array, origin: int, paths: _Paths) -> Iterator[Milestone | None]:
    grows = _ends_higher(last, paths)
    figures = last * np.where(grows, 2, 0.5)
    rows = zip(codes, figures.tolist(), grows.tolist(), last.tolist(), strict=True)
    for (code, persons, up, now), years in zip(rows, _find_years(figures, grows, paths), strict=True):
        verb = "double" if up else "halve"
        if years[0] is None:
            said = _say_missing(verb, up, years, paths)
        else:
            said = f"{verb.capitalize()}s by {years[0]}, in {years[0] - origin} years" + _say_range(years, paths)
        yield _milestone(code, DOUBLING if up else HALVING, persons, years, paths, said) if now > 0 else None


def _find_below_zero(codes: list[Hashable], paths: _Paths) -> Iterator[Milestone | None]:
    sides = (_first_years(side < 0, paths.years) for side in (paths.median, paths.lower, paths.upper))
    for code, years in zip(codes, zip(*sides, strict=True), strict=True):
        said = f"Falls below zero in {years[0]}, which is impossible" + _say_range(years, paths)
        yield _milestone(code, BELOW_ZERO, 0, years, paths, said) if years[0] is not None else None


def _find_highest(values: Array) -> NDArray[np.intp]:
    """Return the position of the first maximum in each row."""
    return (values >= values.max(axis=1, keepdims=True) * (1 - ROUNDING)).argmax(axis=1)


def _ends_higher(last: Array, paths: _Paths) -> NDArray[np.bool_]:
    return paths.median[:, -1] >= last * (1 - ROUNDING)


def _find_years(figures: Array, grows: NDArray[np.bool_], paths: _Paths) -> list[Years]:
    """Return the year in which each median reaches its figure, and the earliest and latest year at the level."""
    up, target = grows[:, None], figures[:, None]
    first, last = np.where(up, paths.upper, paths.lower), np.where(up, paths.lower, paths.upper)
    reached = [np.where(up, side >= target, side <= target) for side in (paths.median, first, last)]
    return list(zip(*(_first_years(some, paths.years) for some in reached), strict=True))


def _first_years(reached: NDArray[np.bool_], years: NDArray[np.int64]) -> list[int | None]:
    """Return the first year in which each row is true, or None."""
    found = zip(years[reached.argmax(1)].tolist(), np.any(reached, axis=1).tolist(), strict=True)
    return [year if some else None for year, some in found]


def _milestone(code: Hashable, kind: str, persons: float, years: Years, paths: _Paths, sentence: str) -> Milestone:
    bounds = years[1:] if paths.level is not None else (None, None)
    return Milestone(code, kind, float(persons), years[0], *bounds, paths.level, paths.last, sentence)


def _say_range(years: Years, paths: _Paths, of: str = "") -> str:
    """Return the interval of a year in brackets, or an empty text without intervals."""
    if paths.level is None:
        return ""
    earliest, latest = years[1:]
    said = f"{earliest}–{latest}" if latest != earliest else f"{earliest}"
    if latest is None:
        said = f"{earliest} or later" if earliest else f"after {paths.last}"
    return f" ({paths.level:g}%{of}: {said})"


def _say_later_peak(years: Years, paths: _Paths) -> str:
    """Return a clause about an upper bound that peaks later than the median."""
    rise = f"peaks in {years[2]}" if years[2] else f"is still rising in {paths.last}"
    return "" if paths.level is None or years[2] == years[0] else f"; the upper {paths.level:g}% bound {rise}"


def _say_earlier_peak(years: Years, paths: _Paths) -> str:
    """Return a clause about bounds that peak, for a median that still grows."""
    if paths.level is None:
        return ""
    peak = f"; one of the {paths.level:g}% bounds peaks in {years[1]}"
    return peak if years[1] else f", as are both {paths.level:g}% bounds"


def _say_missing(verb: str, grows: bool, years: Years, paths: _Paths) -> str:
    """Return the sentence for a figure that the median does not reach, with the bound nearest to it."""
    if paths.level is None:
        return f"Does not {verb} by {paths.last}"
    bound = f"the {'upper' if grows else 'lower'} {paths.level:g}% bound"
    if years[1] is None:
        return f"Does not {verb} by {paths.last}; neither does {bound}"
    return f"The median does not {verb} by {paths.last}; {bound} does in {years[1]}"
