"""Readers of parameter texts: years, levels, groups and choices from a list."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from popforecast.errors import InputError, LevelError, YearError, quote
from popforecast.models import MODELS
from popforecast.models.levels import check_level
from popforecast.panel.groups import add_groups
from popforecast.panel.years import check_years, last_year
from popforecast.question.places import find_group
from popforecast.question.reading import Given, Reader

Group = tuple[str, tuple[int, ...]]


def read_year(text: str, name: str, expected: str = "one such as 2030") -> int:
    """Return the year in a text.

    Raises
    ------
    YearError
        If it is not a whole number.

    Examples
    --------
    >>> read_year(" 2030 ", "from")
    2030
    >>> read_year("2030.7", "from")
    Traceback (most recent call last):
    popforecast.errors.YearError: from '2030.7' is not a whole year: expected one such as 2030
    """
    if not re.fullmatch(r"-?[0-9]{1,9}", text.strip(), re.ASCII):
        raise YearError(f"{name} {quote(text)} is not a whole year: expected {expected}")
    return int(text)


def read_level(text: str) -> float:
    """Return the level in a text.

    Raises
    ------
    LevelError
        If it is not a percentage with at most one decimal.

    Examples
    --------
    >>> read_level("80"), read_level("99.5")
    (80, 99.5)
    """
    # Levels are part of column names, so they are kept short.
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9])?", text.strip(), re.ASCII):
        raise LevelError(
            f"level {quote(text)} is not a percentage with at most one decimal: expected one between 0 and 100, "
            "such as 80 or 95"
        )
    level = float(text)
    return check_level(int(level) if level.is_integer() else level)


def read_year_of(name: str) -> Reader:
    """Return a reader of years that are in the panel or can be forecast from it."""

    def read(texts: list[str], given: Given) -> int:
        panel = given.session.panel
        expected = f"a year from {panel.years[0]} to {last_year(panel)}"
        year = read_year(texts[0], name, expected)
        if not panel.years[0] <= year <= last_year(panel):
            raise YearError(f"{name} {texts[0]} is out of range: expected {expected}")
        check_years(panel, year, year)
        return year

    return read


def read_levels(texts: list[str], _: Given) -> tuple[float, ...]:
    """Return the levels in increasing order, after checking that none is repeated."""
    levels = sorted(map(read_level, texts))
    repeated = [level for level, following in pairwise(levels) if level == following]
    if repeated:
        raise LevelError(f"level {repeated[0]:g} was given twice: expected each level once")
    return tuple(levels)


def read_groups(texts: list[str], given: Given) -> tuple[Group, ...]:
    """Return the groups, each as a name and the codes of its members."""
    groups: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, members = find_group(text, given.revision)
        if name.casefold() in map(str.casefold, groups):
            raise InputError(f"group {quote(name)} was given twice: expected each name once")
        groups[name] = members
    if not MODELS[given.model].calibrated:
        able = [name for name, known in MODELS.items() if known.calibrated]
        raise InputError(
            f"model {given.model} forecasts each series on its own, so group {quote(next(iter(groups)))} has no sum: "
            f"expected one of the models {', '.join(able)}"
        )
    # The remaining checks, such as for a country counted twice, need the memberships.
    add_groups(given.session.panel, given.session.membership, groups)
    return tuple(groups.items())


def choose_among(name: str, valid: tuple[Any, ...]) -> Reader:
    """Return a reader of one or more of the valid values, without repeats and in the order of `valid`."""

    def read(texts: list[str], _: Given) -> tuple[Any, ...]:
        for i, text in enumerate(texts):
            if text not in map(str, valid):
                raise InputError(f"{name} {quote(text)}: expected one of {', '.join(map(str, valid))}")
            if text in texts[:i]:
                raise InputError(f"{name} {text} was given twice: expected each once")
        return tuple(choice for choice in valid if str(choice) in texts)

    return read
