"""Levels of intervals: the default ones, and what is a valid level."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from popforecast.errors import LevelError

# Central coverage of the intervals, in percent, unless other levels are requested.
DEFAULT_LEVELS = (80, 95)


def check_level(level: float) -> float:
    """Return the level if it is a percentage strictly between 0 and 100."""
    if not isinstance(level, int | float | np.number) or isinstance(level, bool) or not 0 < level < 100:
        raise LevelError(f"level {level!r}: expected a coverage in percent between 0 and 100, such as 80 or 95")
    return level


def check_levels(levels: Iterable[float] | float) -> tuple[float, ...]:
    """Return the levels in increasing order, after checking that each is valid and none is repeated.

    Raises
    ------
    LevelError
        If one is not a percentage between 0 and 100, or two would share a column name.
    """
    several = levels if isinstance(levels, Iterable) and not isinstance(levels, str) else [levels]
    checked = [check_level(level) for level in several]
    if len({f"{level:g}" for level in checked}) < len(checked):
        raise LevelError(f"levels {', '.join(map(str, checked))}: expected each level once")
    return tuple(sorted(checked))
