"""How figures are written for people, in one form on every surface; and addresses without their passwords."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import pandas as pd

# From the scheme, if there is one, to the last @ before a path begins; where what follows a colon is no port, to any
# last @. Not urlsplit: it raises for what is no address, and that may hold a password all the same.
CREDENTIALS = re.compile(
    r"\A\s*([A-Za-z][A-Za-z0-9+.-]*://|//)?(?P<credentials>[^/?#]*|[^/?#:\[]*:(?!\d*(?:[/?#]|\Z)).*)@", re.DOTALL
)

# Below this the source's thousands would hide what a place is: Tokelau has 2,500 persons.
WHOLE_BELOW = 10_000

# The units that people say large populations in, and the digits they then have.
UNITS = ((1e9, "billion"), (1e6, "million"))
DIGITS = 4

LARGEST = 1e300


# What an interval allows for, by its kind: the sentence that goes with it on every surface.
INTERVALS = MappingProxyType(
    {
        "real-time": "ranges reflect past forecast errors and later UN revisions",
        "final": "ranges reflect past forecast errors, but not later revisions of the data",
        "analytic": "ranges allow for random error only, so they are much too narrow",
    }
)

# The same of intervals that are scored from an old edition; what could have been stated at the time comes first.
VINTAGE_INTERVALS = MappingProxyType(
    {
        "published": "intervals as they could have been given at the time, from past forecast errors and, where the "
        "previous edition is embedded, the revisions published by then",
        "real-time": "intervals that reflect past forecast errors and how the UN has since revised its base figures, "
        "which could not be known at the time",
    }
)

# Their names in tables.
VINTAGE_NAMES = MappingProxyType({"published": "known at the time", "real-time": "with later revisions"})


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


class Rounding(NamedTuple):
    """How figures that stand together are written: in one unit, with the same number of decimals.

    The unit is so many persons (``size``) and has a name, empty for persons. Decimals of -3 are whole thousands.
    """

    size: float
    unit: str
    decimals: int

    def write(self, persons: float | None) -> str:
        """Write a figure without its unit; what is not there is a dash.

        Examples
        --------
        >>> Rounding(1e9, "billion", 3).write(957_600_000), Rounding(1, "", -3).write(12_951)
        ('0.958', '13,000')
        """
        if pd.isna(persons):
            return "–"
        if math.isinf(persons):
            return "∞" if persons > 0 else "−∞"
        figure = self.round(persons)
        return f"{'−' if figure < 0 else ''}{abs(figure):,.{max(self.decimals, 0)}f}"

    def round(self, persons: float) -> float:
        """Return a figure in the unit, rounded, halves away from zero; one without end as it is.

        Examples
        --------
        >>> Rounding(1e9, "billion", 3).round(957_600_000), Rounding(1, "", -3).round(-12_500)
        (0.958, -13000)
        """
        # What is no number, or too large for one more digit, stays.
        if not abs(persons) < LARGEST:
            return persons
        steps = math.floor(abs(persons) / self.size * 10.0**self.decimals + 0.5)
        figure = steps * 10**-self.decimals if self.decimals < 0 else steps / 10**self.decimals
        return -figure if persons < 0 else figure

    def say(self, persons: float | None) -> str:
        """Write a figure with its unit: ``0.958 billion``."""
        return f"{self.write(persons)} {self.unit}".rstrip()

    def say_range(self, lower: float | None, upper: float | None) -> str:
        """Write the two ends of a range, the unit once: ``0.958 to 1.985 billion``."""
        return f"{self.write(lower)} to {self.say(upper)}"


def round_in_full(figures: Iterable[float | None]) -> Rounding:
    """Return how persons of one column are written in full: in thousands, as the UN's tables have them.

    Where one of them is below 10,000 all are whole, so that none loses its meaning.

    Examples
    --------
    >>> [round_in_full([5_223, 8_412.3, 12_951]).write(persons) for persons in (5_223, 8_412.3, 12_951)]
    ['5,223', '8,412', '12,951']
    >>> round_in_full([8_745_733_214.4, 9_000_000_000]).write(8_745_733_214.4)
    '8,745,733,000'
    """
    return Rounding(1, "", 0 if 0 < _find_least(figures) < WHOLE_BELOW else -3)


def round_in_words(median: float, *others: float | None) -> Rounding:
    """Return how a figure and those of its row are written in the unit that people say the first of them in.

    The first has four digits, and all have its decimals: more only where a smaller one would be left with fewer than
    two digits. Below a million they are persons, written as :func:`round_in_full` has them.

    Examples
    --------
    >>> rounding = round_in_words(1_425_871_000, 957_600_000, 1_985_000_000)
    >>> rounding.say(1_425_871_000), rounding.say_range(957_600_000, 1_985_000_000)
    ('1.426 billion', '0.958 to 1.985 billion')
    """
    for size, unit in UNITS:
        if size <= abs(median) < size * 1e6:
            decimals, least = max(DIGITS - len(f"{abs(median) / size:.0f}"), 0), _find_least((median, *others))
            # No finer than thousands, in which the UN counts.
            while size >= 10 ** (4 + decimals) and least / size * 10**decimals < 10:
                decimals += 1
            return Rounding(size, unit, decimals)
    return round_in_full((median, *others))


def _find_least(figures: Iterable[float | None]) -> float:
    """Return the figure that is nearest to zero and not zero; 0 if there is none."""
    known = (float(persons) for persons in figures if not pd.isna(persons))
    # What is no number is no more than infinity.
    return min((size for persons in known if 0 < (size := abs(persons)) < math.inf), default=0.0)


def format_populations(figures: Iterable[float | None]) -> list[str]:
    """Write the persons of one column, all rounded alike.

    Examples
    --------
    >>> format_populations([2506.4, 12_951, None])
    ['2,506', '12,951', '–']
    """
    figures = list(figures)
    rounding = round_in_full(figures)
    return [rounding.write(persons) for persons in figures]


def format_population(persons: float | None) -> str:
    """Write persons with thousands separators, rounded to thousands as the UN's tables have them.

    Examples
    --------
    >>> format_population(8_745_733_214.4)
    '8,745,733,000'
    >>> format_population(2506.4), format_population(None)
    ('2,506', '–')
    """
    return round_in_full([persons]).write(persons)


def say_population(persons: float) -> str:
    """Write persons in the unit that people say them in, with four digits.

    Examples
    --------
    >>> say_population(227_882_945), say_population(1_530_000_000), say_population(2506.4)
    ('227.9 million', '1.530 billion', '2,506')
    """
    return round_in_words(persons).say(persons)


def format_percent(value: float | None, digits: int = 2) -> str:
    """Write a percentage; what is not there is a dash.

    Examples
    --------
    >>> format_percent(2.504), format_percent(float("nan"))
    ('2.50%', '–')
    """
    if pd.isna(value):
        return "–"
    return f"{value:z.{digits}f}%"


def sign(percent: float | None, digits: int = 1) -> str:
    """Write a change in percent with its sign, the sign of nothing for none; what is not there is a dash.

    Examples
    --------
    >>> sign(2.04), sign(-0.5), sign(-0.04), sign(float("nan"))
    ('+2.0', '−0.5', '+0.0', '–')
    """
    return "–" if pd.isna(percent) else f"{percent:+z.{digits}f}".replace("-", "−")


def write_sentence(text: str) -> str:
    """Return the text with a capital at its beginning and one full stop at its end."""
    return capitalise(text).rstrip(".") + "."


def capitalise(text: str) -> str:
    """Return the text with its first letter large, and the others as they are."""
    return text[:1].upper() + text[1:]


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
