"""How figures are written for people, in one form on every surface; and addresses without their passwords."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes

import pandas as pd

# From the scheme, if there is one, to the last @ before a path begins; where what follows a colon is no port, to any
# last @. Not urlsplit: it raises for what is no address, and that may hold a password all the same.
CREDENTIALS = re.compile(
    r"\A\s*([A-Za-z][A-Za-z0-9+.-]*://|//)?(?P<credentials>[^/?#]*|[^/?#:\[]*:(?!\d*(?:[/?#]|\Z)).*)@", re.DOTALL
)

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


# What a spreadsheet takes for a formula, in a cell or after a semicolon, where lists are separated so; in East Asia the
# wide and small forms of its signs, too.
FORMULA = re.compile("(^|;)(\\s*)(?=[=+@\\-\uff1d\uff0b\uff20\uff0d\ufe66\ufe62\ufe6b\ufe63])")
RETURN = re.compile(r"\r\n?")
NUMBER = re.compile(r"[+-]?[\d.,]+")

# Notebooks would read a name such as $x$ as mathematics (the classes of MathJax 2 and 3).
PLAIN = "tex2jax_ignore mathjax_ignore"


def write_cell(table: pd.DataFrame, representation: str, notes: Iterable[str] = (), **options: Any) -> str:
    """Return the HTML by which a result shows itself in a notebook's cell; every name in it is text.

    Parameters
    ----------
    table : DataFrame
    representation : str
        The result's ``repr``, whose brackets are left out.
    notes : iterable of str
        A list below.
    options
        Passed to :meth:`pandas.DataFrame.to_html`.

    Examples
    --------
    >>> cell = write_cell(pd.DataFrame({"<b>": ["a & b"]}), "<Panel: x<y>", ["<i>"])
    >>> "<b>" in cell, cell.splitlines()[-1]
    (False, '</table><p>Panel: x&lt;y</p><ul><li>&lt;i&gt;</li></ul></div>')
    """
    listed = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    below = f"<p>{html.escape(representation[1:-1])}</p>" + (f"<ul>{listed}</ul>" if listed else "")
    return f'<div class="{PLAIN}">{table.to_html(**options | {"escape": True})}{below}</div>'


def guard_formulas(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a CSV with an apostrophe before each text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> guard_formulas(pd.DataFrame({"name": ["=1+1", "Nigeria", "-5"], "year": [-1, 2, 3]}))["name"].tolist()
    ["'=1+1", 'Nigeria', '-5']
    """
    texts = [str(column) for column, kind in rows.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    return rows.assign(**{column: rows[column].map(_guard) for column in texts})


def _guard(cell: object) -> object:
    if not isinstance(cell, str) or NUMBER.fullmatch(cell):
        return cell
    # A carriage return alone would end the row for most readers, and is not quoted.
    return FORMULA.sub(r"\1\2'", RETURN.sub("\n", cell))


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
    return f"{round(persons) if abs(persons) < WHOLE_BELOW else round(persons, -3):,.0f}".replace("-", "−")


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


def join_words(words: Sequence[str]) -> str:
    """Write words as a list in a sentence.

    Examples
    --------
    >>> join_words(["1993", "1998", "2003"]), join_words(["1993"])
    ('1993, 1998 and 2003', '1993')
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def split_credentials(url: str) -> tuple[str, tuple[bytes, bytes] | None]:
    """Return an address without user and password, which errors and logs may show, and these two as they are sent.

    Examples
    --------
    >>> split_credentials("https://ada:s%40cret@example.org/app")
    ('https://example.org/app', (b'ada', b's@cret'))
    >>> split_credentials("http://127.0.0.1:8000")
    ('http://127.0.0.1:8000', None)
    """
    found = CREDENTIALS.match(url)
    if not found:
        return url, None
    start, end = found.span("credentials")
    user, _, password = found["credentials"].partition(":")
    return url[:start] + url[end + 1 :], (unquote_to_bytes(user), unquote_to_bytes(password))
