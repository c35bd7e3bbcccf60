"""Text without a font: never taken for narrower than it is, and broken where people break it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import popforecast as pf
from popforecast.charts.lettering import ELLIPSIS, clean, measure, wrap

WIDTHS = st.floats(20, 200)


@pytest.fixture(scope="module")
def dejavu():
    """Return the width in ems of a text in DejaVu Sans, the widest font that pages are commonly read in."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    font = FT2Font(font_manager.findfont("DejaVu Sans"))
    font.set_size(100, 72)

    def width(text: str) -> float:
        font.set_text(text, 0)
        return font.get_width_height()[0] / 64 / 100

    return width


@pytest.mark.parametrize("revision", list(pf.REVISIONS))
def test_no_name_is_wider_than_measured(dejavu, revision):
    for name in pf.load_panel(revision).locations["name"]:
        assert 0.6 * measure(name) < dejavu(name) <= measure(name), name


def test_no_letter_is_wider_than_measured(dejavu):
    for letter in string.printable[:95] + "ÀÉÎÕÜßæøœŒÆŁŠžЖЩщΩ–—’…°":
        assert dejavu(20 * letter) / 20 <= measure(letter), letter


@given(st.text(), WIDTHS)
def test_every_line_fits(text, width):
    for line in wrap(clean(text), width, 12, 4):
        assert measure(line, 12) <= width or len(line) == 1


@given(st.text("ab c-", max_size=60), WIDTHS)
def test_nothing_but_spaces_is_lost_where_there_are_lines_enough(text, width):
    assert "".join(wrap(clean(text), width, 12, 100)).replace(" ", "") == text.replace(" ", "")


def test_what_is_left_out_is_said():
    lines = wrap("Less developed regions, excluding least developed countries", 90, 12, 2)
    assert len(lines) == 2
    assert lines[-1].endswith(ELLIPSIS)


def test_a_word_with_hyphens_breaks_after_one():
    assert wrap("Low-and-middle-income countries", 110, 12, 4) == ["Low-and-", "middle-income", "countries"]


def test_no_text_is_no_line():
    assert wrap("", 90, 12, 2) == [""]
