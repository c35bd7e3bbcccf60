"""Parsers of command-line options, such as lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from popforecast.errors import InputError, YearError

# Maximum length of a list of years; panels are much shorter.
MOST_YEARS = 10_000


class Parsed(click.ParamType):
    """The type of an option that is parsed by a function, whose errors become usage errors."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the parsed value; values that are not text are returned unchanged."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def parse_years(text: str) -> list[int]:
    """Return the years in ``1988:2022:5`` (including the last year if a step falls on it) or ``1990,2000``.

    Examples
    --------
    >>> parse_years("1988:2000:5")
    [1988, 1993, 1998]
    """
    expected = "expected first:last:step or years separated by commas, such as 1988:2022:5"
    try:
        if ":" not in text:
            return [int(part) for part in text.split(",")]
        first, last, *step = (int(part) for part in text.split(":"))
        # Truncated before it becomes a list: 1:9999999999 would fill the memory.
        years = range(first, last + 1, *step)[: MOST_YEARS + 1]
    except (ValueError, TypeError):
        raise YearError(f"{text!r}: {expected}") from None
    if not 0 < len(years) <= MOST_YEARS:
        raise YearError(f"{text!r} has {'too many' if years else 'no'} years: {expected}")
    return list(years)


def parse_steps(text: str) -> list[int]:
    """Return the whole numbers in a list separated by commas.

    Examples
    --------
    >>> parse_steps("1,3,5")
    [1, 3, 5]
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise YearError(f"{text!r}: expected whole numbers separated by commas, such as 1,5,10") from None


def parse_names(text: str) -> list[str]:
    """Return the names in a list separated by commas.

    Examples
    --------
    >>> parse_names("ar1, naive")
    ['ar1', 'naive']
    """
    return [part.strip() for part in text.split(",")]


def parse_condition(text: str) -> tuple[str, str]:
    """Return the column and the value in a condition.

    Examples
    --------
    >>> parse_condition("sex=T")
    ('sex', 'T')
    """
    column, equals, value = text.partition("=")
    if not (equals and column.strip()):
        raise InputError(f"{text!r}: expected a column, an equals sign and a value, such as sex=T")
    return column.strip(), value.strip()
