"""How figures are written for people: one form for pages, reports, the explorer and the terminal."""

from __future__ import annotations

import math
from types import MappingProxyType

import pandas as pd

# Below this the source's thousands would hide what a place is: Tokelau has 2,500 persons.
WHOLE_BELOW = 10_000


# What an interval holds, by its kind: the sentence that goes with it on every surface.
INTERVALS = MappingProxyType(
    {
        "real-time": "intervals allow for past errors and for the UN revising its figures (real time)",
        "final": "intervals allow for past errors on figures that are not revised (final data)",
        "analytic": "intervals allow for random errors only (analytic), and hold far fewer outcomes than they state",
    }
)

# The same of intervals that are scored from an old edition; what could have been stated at the time comes first.
VINTAGE_INTERVALS = MappingProxyType(
    {
        "published": "intervals that could have been stated at the time: they allow for past forecast errors and for "
        "the revisions that had been published by then, where the edition before is embedded",
        "real-time": "intervals that allow for past forecast errors and for how the UN has since revised its base "
        "figures, which nobody could know at the time",
    }
)

# Their names in tables.
VINTAGE_NAMES = MappingProxyType({"published": "published by then", "real-time": "with later revisions"})


def format_population(persons: float | None) -> str:
    """Write persons with thousands separators, rounded to thousands as the UN's tables have them.

    Below 10,000 persons the figure is written whole. What is not there is a dash.

    Examples
    --------
    >>> format_population(8_745_733_214.4)
    '8,745,733,000'
    >>> format_population(2506.4), format_population(None)
    ('2,506', '–')
    """
    if pd.isna(persons):
        return "–"
    if math.isinf(persons):
        return "∞" if persons > 0 else "−∞"
    return f"{round(persons) if abs(persons) < WHOLE_BELOW else round(persons, -3):,.0f}"


def say_population(persons: float) -> str:
    """Write persons in the unit that people say them in, with four digits.

    Examples
    --------
    >>> say_population(227_882_945), say_population(1_530_000_000), say_population(2506.4)
    ('227.9 million', '1.530 billion', '2,506')
    """
    for size, unit in ((1e9, "billion"), (1e6, "million")):
        if size <= persons < size * 1e6:
            units = persons / size
            return f"{units:,.{max(4 - len(f'{units:.0f}'), 0)}f} {unit}"
    return format_population(persons)


def say_round_figure(persons: float) -> str:
    """Write a round number of persons in the unit that people say them in.

    Examples
    --------
    >>> say_round_figure(1_500_000_000), say_round_figure(200_000_000), say_round_figure(900)
    ('1.5 billion', '200 million', '900')
    """
    number, space, unit = say_population(persons).partition(" ")
    return (number.rstrip("0").rstrip(".") if "." in number else number) + space + unit


def format_percent(value: float | None, digits: int = 2) -> str:
    """Write a percentage; what is not there is a dash.

    Examples
    --------
    >>> format_percent(2.504), format_percent(float("nan"))
    ('2.50 %', '–')
    """
    if pd.isna(value):
        return "–"
    return f"{value:z.{digits}f} %"
