"""Text for people: figures in the same format in every interface, CSV cells, and URLs without passwords."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import pandas as pd

# From the optional scheme to the last @ before the path; if the text after a colon is not a port, to the last @
# anywhere. Not urlsplit, because it raises for invalid URLs, which can contain a password too.
CREDENTIALS = re.compile(
    r"\A\s*([A-Za-z][A-Za-z0-9+.-]*://|//)?(?P<credentials>[^/?#]*|[^/?#:\[]*:(?!\d*(?:[/?#]|\Z)).*)@", re.DOTALL
)

# Smaller populations are not rounded to thousands: Tokelau has 2,500 people.
WHOLE_BELOW = 10_000

# Units for large populations in words.
UNITS = ((1e9, "billion"), (1e6, "million"))
LARGEST = 1e300

# What intervals allow for, by kind.
INTERVALS = MappingProxyType(
    {
        "real-time": "ranges reflect past forecast errors and later UN revisions",
        "final": "ranges reflect past forecast errors, but not later revisions of the data",
        "analytic": "ranges allow for random error only, so they are much too narrow",
        "none": "what-if scenarios have no ranges",
    }
)

# The same for intervals of forecasts from an old edition; those that could have been given at the time come first.
VINTAGE_INTERVALS = MappingProxyType(
    {
        "published": "intervals as they could have been given at the time, from past forecast errors and, where the "
        "previous edition is embedded, the revisions published by then",
        "real-time": "intervals that reflect past forecast errors and how the UN has since revised its base figures, "
        "which could not be known at the time",
    }
)

# Names of these intervals in tables.
VINTAGE_NAMES = MappingProxyType({"published": "known at the time", "real-time": "with later revisions"})


# Text that spreadsheets read as a formula, at the start of a cell or after a semicolon, which some locales use as the
# separator; East Asian versions also accept the wide and small forms of the signs.
FORMULA = re.compile("(^|;)(\\s*)(?=[=+@\\-\uff1d\uff0b\uff20\uff0d\ufe66\ufe62\ufe6b\ufe63])")
RETURN = re.compile(r"\r\n?")
NUMBER = re.compile(r"[+-]?[\d.,]+")

# Classes of MathJax 2 and 3 that stop notebooks from rendering names such as $x$ as mathematics.
PLAIN = "tex2jax_ignore mathjax_ignore"


def write_cell(table: pd.DataFrame, representation: str, notes: Iterable[str] = (), **options: Any) -> str:
    """Return the HTML representation of a result in a notebook; all text is escaped.

    Parameters
    ----------
    table : DataFrame
    representation : str
        The ``repr`` of the result, shown without its brackets.
    notes : iterable of str
        Notes, listed below the table.
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
    """Return the rows of a CSV with an apostrophe before any text that spreadsheets would read as a formula.

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
    # Carriage returns are replaced because most readers end the row at one, and pandas does not quote it.
    return FORMULA.sub(r"\1\2'", RETURN.sub("\n", cell))


class Rounding(NamedTuple):
    """A number format for figures shown together: one unit and the same number of decimals.

    `size` is the number of persons in a unit, and `unit` its name, empty for persons. Decimals of -3 mean thousands.
    """

    size: float
    unit: str
    decimals: int

    def write(self, persons: float | None) -> str:
        """Return a figure without its unit; missing figures are a dash.

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
        """Return a figure in the unit, rounded half away from zero; infinities are returned unchanged.

        Examples
        --------
        >>> Rounding(1e9, "billion", 3).round(957_600_000), Rounding(1, "", -3).round(-12_500)
        (0.958, -13000)
        """
        # NaN, and figures whose scaled value would overflow, are returned unchanged.
        if not abs(persons) < LARGEST:
            return persons
        steps = math.floor(abs(persons) / self.size * 10.0**self.decimals + 0.5)
        figure = steps * 10**-self.decimals if self.decimals < 0 else steps / 10**self.decimals
        return -figure if persons < 0 else figure

    def say(self, persons: float | None) -> str:
        """Return a figure with its unit: ``0.958 billion``."""
        return f"{self.write(persons)} {self.unit}".rstrip()

    def say_range(self, lower: float | None, upper: float | None) -> str:
        """Return a range with its unit: ``0.958 to 1.985 billion``."""
        return f"{self.write(lower)} to {self.say(upper)}"


def round_in_full(figures: Iterable[float | None]) -> Rounding:
    """Return the format of a column of populations in full: rounded to thousands, as in UN tables.

    If any is below 10,000, all are written to the person, because rounding would distort the small ones.

    Examples
    --------
    >>> [round_in_full([5_223, 8_412.3, 12_951]).write(persons) for persons in (5_223, 8_412.3, 12_951)]
    ['5,223', '8,412', '12,951']
    >>> round_in_full([8_745_733_214.4, 9_000_000_000]).write(8_745_733_214.4)
    '8,745,733,000'
    """
    return Rounding(1, "", 0 if 0 < _find_least(figures) < WHOLE_BELOW else -3)


def round_in_words(median: float, *others: float | None) -> Rounding:
    """Return the format of a figure and others in its row, in millions or billions as suits the first.

    The first has four digits, and all have the same decimals. They have more only if a smaller figure would otherwise
    have fewer than two digits. If the first is below a million, the format is that of :func:`round_in_full`.

    Examples
    --------
    >>> rounding = round_in_words(1_425_871_000, 957_600_000, 1_985_000_000)
    >>> rounding.say(1_425_871_000), rounding.say_range(957_600_000, 1_985_000_000)
    ('1.426 billion', '0.958 to 1.985 billion')
    """
    median = abs(float(median))
    for size, unit in UNITS:
        if size <= median < size * 1e6:
            units = median / size
            # Four digits: a decimal for each that a figure lacks before the point.
            decimals = (units < 9.5) + (units < 99.5) + (units < 999.5)
            least = (others and _find_least(others)) or median
            # No finer than thousands, the unit of the UN's figures.
            while size >= 10 ** (4 + decimals) and least / size * 10**decimals < 10:
                decimals += 1
            return Rounding(size, unit, decimals)
    return round_in_full((median, *others))


def _find_least(figures: Iterable[Any]) -> float:
    """Return the smallest absolute value that is neither zero nor infinite; 0 if there is none."""
    # Charts ask for every year of every line, where pd.isna of a single figure would take most of the time.
    known = [abs(persons) for persons in figures if persons is not None and persons is not pd.NA]
    return min([size for size in known if 0 < size < math.inf], default=0.0) if known else 0.0


def format_populations(figures: Iterable[float | None]) -> list[str]:
    """Return a column of populations as text, all rounded alike.

    Examples
    --------
    >>> format_populations([2506.4, 12_951, None])
    ['2,506', '12,951', '–']
    """
    figures = list(figures)
    rounding = round_in_full(figures)
    return [rounding.write(persons) for persons in figures]


def format_population(persons: float | None) -> str:
    """Return a population with thousands separators, rounded to thousands as in UN tables.

    Examples
    --------
    >>> format_population(8_745_733_214.4)
    '8,745,733,000'
    >>> format_population(2506.4), format_population(None)
    ('2,506', '–')
    """
    return round_in_full([persons]).write(persons)


def say_population(persons: float) -> str:
    """Return a population in millions or billions with four digits; smaller populations are written in full.

    Examples
    --------
    >>> say_population(227_882_945), say_population(1_530_000_000), say_population(2506.4)
    ('227.9 million', '1.530 billion', '2,506')
    """
    return round_in_words(persons).say(persons)


def format_percent(value: float | None, digits: int = 2) -> str:
    """Return a percentage as text; missing values are a dash.

    Examples
    --------
    >>> format_percent(2.504), format_percent(float("nan"))
    ('2.50%', '–')
    """
    if pd.isna(value):
        return "–"
    return f"{value:z.{digits}f}%"


def sign(percent: float | None, digits: int = 1) -> str:
    """Return a change in percent with its sign (+ for zero); missing values are a dash.

    Examples
    --------
    >>> sign(2.04), sign(-0.5), sign(-0.04), sign(float("nan"))
    ('+2.0', '−0.5', '+0.0', '–')
    """
    return "–" if pd.isna(percent) else f"{percent:+z.{digits}f}".replace("-", "−")


def write_sentence(text: str) -> str:
    """Return the text with a capital first letter and one full stop at the end."""
    return capitalise(text).rstrip(".") + "."


def capitalise(text: str) -> str:
    """Return the text with a capital first letter and the rest unchanged."""
    return text[:1].upper() + text[1:]


def join_words(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> join_words(["1993", "1998", "2003"]), join_words(["1993"])
    ('1993, 1998 and 2003', '1993')
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def split_credentials(url: str) -> tuple[str, tuple[bytes, bytes] | None]:
    """Return a URL without user and password, safe for errors and logs, and the decoded user and password or None.

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
