"""What the command line takes: options that are lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from popforecast.errors import InputError, YearError

# No panel has more years to choose origins from.
MOST_YEARS = 10_000


class Parsed(click.ParamType):
    """An option whose text a function parses; its error becomes a usage error."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the parsed value; one that is parsed already is returned as it is."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def parse_years(text: str) -> list[int]:
    """Parse ``1988:2022:5`` (the last year included where the steps meet it) or ``1990,2000``.

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
        # Cut short before it is a list: 1:9999999999 would fill the memory.
        years = range(first, last + 1, *step)[: MOST_YEARS + 1]
    except (ValueError, TypeError):
        raise YearError(f"{text!r}: {expected}") from None
    if not 0 < len(years) <= MOST_YEARS:
        raise YearError(f"{text!r} holds {'too many years' if years else 'no year'}: {expected}")
    return list(years)


def parse_steps(text: str) -> list[int]:
    """Parse whole numbers separated by commas.

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
    """Parse names separated by commas.

    Examples
    --------
    >>> parse_names("ar1, naive")
    ['ar1', 'naive']
    """
    return [part.strip() for part in text.split(",")]


def parse_condition(text: str) -> tuple[str, str]:
    """Parse a column and what it must hold.

    Examples
    --------
    >>> parse_condition("sex=T")
    ('sex', 'T')
    """
    column, equals, value = text.partition("=")
    if not (equals and column.strip()):
        raise InputError(f"{text!r}: expected a column, an equals sign and what it must hold, such as sex=T")
    return column.strip(), value.strip()
