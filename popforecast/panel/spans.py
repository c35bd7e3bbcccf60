"""Grouping of series into balanced panels: one for each span of years that locations share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import PanelError

Numbers = NDArray[np.int64]


class Span(NamedTuple):
    """Locations with the same first and last years.

    Attributes
    ----------
    rows : ndarray, shape (n,)
        Their row numbers.
    years : ndarray, shape (t,)
    values : ndarray, shape (n, t)
    """

    rows: NDArray[np.intp]
    years: Numbers
    values: NDArray[np.float64]


class Arrangement(NamedTuple):
    """All spans, and the number and fault of each location left out."""

    spans: list[Span]
    dropped: list[tuple[int, str]]


def arrange(
    series: Numbers,
    years: Numbers,
    values: NDArray[np.float64],
    name: Callable[[int], str],
    row: Callable[[int], str],
    drop: bool = False,
    hint: str = "",
) -> Arrangement:
    """Group figures into balanced panels; duplicates and gaps raise.

    Parameters
    ----------
    series : ndarray of int, shape (m,)
        The location number of each figure, counted from 0 without gaps.
    years : ndarray of int, shape (m,)
    values : ndarray, shape (m,)
    name, row : callable
        Names a location, and the position of a figure, in an error.
    drop : bool
        Whether to leave out and report locations with gaps or too few figures; otherwise the first raises.
    hint : str
        Further advice for the error.

    Raises
    ------
    PanelError
        If a location repeats a year, lacks one between its first and last, or has years off the grid of the others.

    Examples
    --------
    >>> series, years = np.array([0, 0, 0, 1, 1]), np.array([2000, 2001, 2002, 2002, 2001])
    >>> for span in arrange(series, years, np.arange(5.0), "AB".__getitem__, str).spans:
    ...     print(span.rows, span.years, span.values)
    [0] [2000 2001 2002] [[0. 1. 2.]]
    [1] [2001 2002] [[4. 3.]]
    """
    order = np.lexsort((years, series))
    series, years, values = series[order], years[order], values[order]
    same, apart = series[1:] == series[:-1], np.diff(years)
    _check_repeated(order, same & (apart == 0), series, years, name, row)
    if not same.any():
        one = f"{name(int(series[0]))} has only {years[0]}"
        raise PanelError(f"{one}, and no other location has more: expected at least two years, with one row for each")
    step = find_step(apart[same])
    count = np.bincount(series)
    starts = np.concatenate([[0], np.cumsum(count)])
    faults = _find_faults(series, years, starts[:-1], count, step)
    if faults and not drop:
        number, fault = min(faults.items())
        many = f"; {len(faults):,} such locations in all" if len(faults) > 1 else ""
        raise PanelError(
            f"{name(number)} {fault}{many}: expected two figures or more, one for each step of {step} "
            f"{'year' if step == 1 else 'years'} from its first to its last{hint}"
        )
    good = np.array([number not in faults for number in range(len(count))])
    if not good.any():
        raise PanelError(f"no location has figures without a gap: {name(0)} {faults[0]}")
    return Arrangement(list(group(starts, years, values, good)), sorted(faults.items()))


def group(
    starts: Numbers, years: Numbers, values: NDArray[np.float64], good: NDArray[np.bool_] | None = None
) -> Iterator[Span]:
    """Yield series without a gap as rectangles, those of the same years together.

    Parameters
    ----------
    starts : ndarray of int, shape (n + 1,)
        Where the figures of each series begin, and where the last ones end.
    years, values : ndarray, shape (m,)
        One series after the other, each in the order of years.
    good : ndarray of bool, shape (n,), optional
        Which series to take; a series that is not taken may have gaps.
    """
    first, count = years[starts[:-1]], np.diff(starts)
    if good is None and (first == first[0]).all() and (count == count[0]).all():
        yield Span(np.arange(len(first)), years[: count[0]], values.reshape(len(first), -1))
        return
    taken = np.ones(len(first), dtype=bool) if good is None else good
    for start, length in dict.fromkeys(zip(first[taken].tolist(), count[taken].tolist(), strict=True)):
        rows = np.flatnonzero(taken & (first == start) & (count == length))
        at = starts[rows][:, None] + np.arange(length)
        yield Span(rows, years[at[0]], values[at])


def _check_repeated(
    order: NDArray[np.intp],
    repeated: NDArray[np.bool_],
    series: Numbers,
    years: Numbers,
    name: Callable[[int], str],
    row: Callable[[int], str],
) -> None:
    if not repeated.any():
        return
    pairs = np.stack([order[:-1][repeated], order[1:][repeated]], axis=1)
    which = int(pairs.max(axis=1).argmin())
    at = np.flatnonzero(repeated)[which]
    first, second = sorted(pairs[which].tolist())
    raise PanelError(
        f"{row(second)}: {name(int(series[at]))} has the year {years[at]} a second time (first in {row(first)}); "
        "expected one row for each location and year"
    )


def find_step(apart: Numbers) -> int:
    """Return the most common step; of equally common ones, the smallest."""
    steps, counts = np.unique(apart, return_counts=True)
    return int(steps[counts.argmax()])


def _find_faults(
    series: Numbers, years: Numbers, first: NDArray[np.intp], count: NDArray[np.intp], step: int
) -> dict[int, str]:
    faults = {
        int(i): f"has one figure, for {years[first[i]]}, and no figure in {years[first[i]] + step}"
        for i in np.flatnonzero(count == 1)
    }
    apart = np.diff(years)
    wrong = (series[1:] == series[:-1]) & (apart != step)
    for at in np.flatnonzero(wrong):
        number = int(series[at])
        if number in faults:
            continue
        own = apart[first[number] : first[number] + count[number] - 1]
        if len(own) > 1 and (own == own[0]).all():
            faults[number] = f"has figures {own[0]} years apart, where most have {step}"
        elif apart[at] % step:
            faults[number] = f"has {years[at]} and then {years[at + 1]}, where the step is {step}"
        else:
            faults[number] = f"has no figure in {years[at] + step}"
    phases = years[first] % step
    sound = np.array([number not in faults for number in range(len(count))])
    if sound.any():
        usual = int(np.bincount(phases[sound]).argmax())
        for number in np.flatnonzero(sound & (phases != usual)).tolist():
            faults[number] = f"has {years[first[number]]}, which is off the grid of the others ({step} years)"
    return faults
