"""Parsing of figures; the decimal mark is inferred from the whole column, or must be passed if ambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from popforecast.readers.cells import SPACES, CellError

MISSING = frozenset({"", ".", "..", "...", "…", ":", "-", "–", "—", "na", "n/a", "#n/a", "nan", "null", "none", "x"})

# All digits become 0, so that a million figures reduce to a dozen shapes.
DIGITS = str.maketrans("123456789", "0" * 9)
PLAIN = re.compile(r"0+")
SIMPLE = re.compile(r"0+(\.0+)?")
EXPONENT = re.compile(r"0(\.0+)?[eE]\+?00?")
SPACED = re.compile(r"0{1,3}([ '’]000)+(?=$|[.,])")
FORMS = {
    ".": re.compile(r"(0+|0{1,3}(,000)+)(\.0+)?"),
    ",": re.compile(r"(0+|0{1,3}(\.000)+)(,0+)?"),
}
# Ambiguous on their own: 12.345 could be twelve or twelve thousand.
DOUBTFUL = re.compile(r"0{1,3}[.,]000")


def parse_amounts(cells: Sequence[str], decimal: str | None = None) -> NDArray[np.float64]:
    """Return the numbers in a column of cells, with NaN for missing figures.

    Thousands may be separated by spaces, apostrophes, commas or points. If a point or comma is ambiguous (12,345), the
    other cells decide; if they do not either, an error asks for `decimal`.

    Parameters
    ----------
    cells : sequence of str
    decimal : {".", ","}, optional
        The decimal mark, if known.

    Raises
    ------
    CellError
        If a cell is not a number of zero or more, or not in the same format as the others.

    Examples
    --------
    >>> parse_amounts(["1.234.567", "12.345", "..", "0,5"]).tolist()
    [1234567.0, 12345.0, nan, 0.5]
    >>> parse_amounts(["12,345"])
    Traceback (most recent call last):
    popforecast.readers.cells.CellError: '12,345' could be 12345 or 12.345: pass decimal='.' or decimal=','
    """
    shapes = [cell.translate(DIGITS) for cell in cells]
    different = dict.fromkeys(shapes)
    if all(map(PLAIN.fullmatch, different)):
        return np.array(list(map(float, cells)))
    forms = {shape: _tidy(shape) for shape in different}
    wrong = {shape for shape, form in forms.items() if form is None}
    if wrong:
        position = next(i for i, shape in enumerate(shapes) if shape in wrong)
        raise CellError(position, _say_fault(cells[position]))
    mark = decimal or _choose_mark(shapes, forms, cells)
    for position, shape in enumerate(shapes) if decimal else ():
        form = forms[shape]
        if form and not (FORMS[mark].fullmatch(form) or EXPONENT.fullmatch(form)):
            raise CellError(position, f"{cells[position]!r} is no figure with the decimal mark {mark!r}")
    if all(not form or SIMPLE.fullmatch(shape) for shape, form in forms.items()) and mark == ".":
        return np.array([float(cell) if forms[shape] else np.nan for cell, shape in zip(cells, shapes, strict=True)])
    numbers = np.full(len(cells), np.nan)
    for position, (cell, shape) in enumerate(zip(cells, shapes, strict=True)):
        if forms[shape]:
            numbers[position] = _convert(cell, mark, position)
    return numbers


def _tidy(shape: str) -> str | None:
    """Return a shape without spaces and apostrophes between thousands; "" for missing, None if not a figure."""
    text = SPACES.sub(" ", shape).strip()
    if text.casefold() in MISSING:
        return ""
    if SPACED.match(text):
        text = re.sub(r"[ '’]", "", text)
    if EXPONENT.fullmatch(text) or any(form.fullmatch(text) for form in FORMS.values()):
        return text
    return None


def _choose_mark(shapes: Sequence[str], forms: Mapping[str, str | None], cells: Sequence[str]) -> str:
    """Return the decimal mark with which all cells are figures."""

    def find(wrong: set[str]) -> int:
        return next(i for i, shape in enumerate(shapes) if forms[shape] in wrong)

    counts = Counter(form for form in map(forms.__getitem__, shapes) if form)
    marked = {form: n for form, n in counts.items() if not PLAIN.fullmatch(form) and not EXPONENT.fullmatch(form)}
    if not marked:
        return "."
    fitting = {mark: {form for form in marked if pattern.fullmatch(form)} for mark, pattern in FORMS.items()}
    both = fitting["."] & fitting[","]
    clear = {form: n for form, n in marked.items() if form not in both}
    votes = {mark: sum(n for form, n in clear.items() if form in fitting[mark]) for mark in FORMS}
    mark = max(votes, key=votes.__getitem__)
    against = set(marked) - fitting[mark]
    if against:
        position = find(against)
        kinds = "a decimal point" if mark == "." else "a decimal comma"
        raise CellError(position, f"{cells[position]!r} is no figure of a kind with the others, which have {kinds}")
    # A single cell that lost a digit must not turn the thousands of all others into decimals.
    fractions = sum(n for form, n in clear.items() if form.count(mark) == 1)
    grouped = sum(n for form, n in clear.items() if ("," if mark == "." else ".") in form)
    doubtful = {form for form in marked if DOUBTFUL.fullmatch(form)}
    unsure = sum(marked[form] for form in doubtful if mark in form)
    if not votes[mark] or (unsure > fractions and not grouped):
        position = find(doubtful or both)
        text = SPACES.sub("", cells[position])
        whole, split = re.sub(r"[.,]", "", text), re.sub(r"[.,]", ".", text)
        raise CellError(position, f"{text!r} could be {whole} or {split}: pass decimal='.' or decimal=','")
    return mark


def _convert(cell: str, mark: str, position: int) -> float:
    text = SPACES.sub("", cell).replace("'", "").replace("’", "")
    whole = text.replace("," if mark == "." else ".", "")
    if whole != text and text.startswith("0"):
        raise CellError(position, f"{cell!r} is no figure of a kind with the others, whose decimal mark is {mark!r}")
    return float(whole.replace(mark, "."))


def _say_fault(cell: str) -> str:
    text = SPACES.sub(" ", cell).strip()
    if re.fullmatch(r"[-−–(] ?[0-9][0-9.,' ’]*\)?", text):
        return f"{text!r} is negative, expected a figure of zero or more"
    return f"{text[:60]!r} is no figure, expected one such as 1234567"
