"""What notebooks show becomes markup that every strict content policy lets through, and that looks the same."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from popforecast.charts.style import house_style, new_figure, render_svg
from popforecast.reports.keys import Key
from popforecast.reports.markup import drop_styles, style_by_attributes, tidy_tables
from popforecast.reports.notebooks import Notebook
from popforecast.reports.pages import read_report, render_page
from popforecast.text import write_cell


def draw() -> str:
    """Return a figure with lines, dashes, markers, areas, bars and words, as Matplotlib writes it."""
    with house_style():
        figure, axes = new_figure()
        axes.plot([0, 1, 2], [1, 3, 2], "o-", label="solid")
        axes.plot([0, 1, 2], [2, 1, 3], "--", label="dashed", alpha=0.5)
        axes.fill_between([0, 1, 2], [0, 0, 1], [1, 2, 3], alpha=0.2, linewidth=0)
        axes.bar([0, 1], [0.5, 0.7])
        axes.scatter([0.5, 1.5], [1, 2], marker="D")
        axes.legend()
    return render_svg(figure, 'A figure with "quotes" & > signs')


def read_style(element: ET.Element) -> dict[str, str]:
    """Return what an element's style declares."""
    declared = (part.partition(":") for part in element.attrib.get("style", "").split(";") if part.strip())
    return {name.strip(): value.strip() for name, _, value in declared}


def test_a_figure_says_by_attributes_what_it_said_by_styles() -> None:
    before, after = ET.fromstring(draw()), ET.fromstring(style_by_attributes(draw()))
    drawn = [element for element in before.iter() if not element.tag.endswith(("}style", "}defs"))]
    restyled = [element for element in after.iter() if not element.tag.endswith("}defs")]
    assert len(drawn) == len(restyled) > 50
    assert sum(map(bool, map(read_style, drawn))) > 20
    for old, new in zip(drawn[1:], restyled[1:], strict=True):
        attributes = {name: value for name, value in old.attrib.items() if name != "style"}
        assert (new.tag, new.text, new.attrib) == (old.tag, old.text, attributes | read_style(old))
    # The rule for all elements is the root's, which they inherit.
    assert (after.attrib["stroke-linejoin"], after.attrib["stroke-linecap"]) == ("round", "butt")


def test_a_figure_holds_no_style_that_a_policy_blocks() -> None:
    assert 'style="' in draw()
    assert "<style" in draw()
    svg = style_by_attributes(draw())
    assert 'style="' not in svg
    assert "<style" not in svg


def test_restyling_again_changes_nothing() -> None:
    svg = style_by_attributes(draw())
    assert style_by_attributes(svg) == svg


def test_a_style_prevails_over_an_attribute_as_in_a_browser() -> None:
    for svg in (
        '<svg><path fill="red" style="fill: blue" d="M0 0"/></svg>',
        '<svg><path style="fill: blue" d="M0 0" fill="red"/></svg>',
    ):
        (path,) = ET.fromstring(style_by_attributes(svg))
        assert path.attrib == {"fill": "blue", "d": "M0 0"}


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<th style="text-align:right">a</th>', "<th>a</th>"),
        ('<span class="x" style="color: rgb(1,2,3)">a</span>', '<span class="x">a</span>'),
        ('<code>&lt;p style="color: red"&gt;</code>', '<code>&lt;p style="color: red"&gt;</code>'),
    ],
)
def test_no_other_element_keeps_a_style_and_words_about_styles_stay(html: str, expected: str) -> None:
    assert drop_styles(html) == expected


def test_whatever_a_notebook_shows_its_page_has_no_style_and_no_script(tmp_path) -> None:
    outputs = [
        {"text/html": '<script>x</script><style>p{}</style><table style="a:b"><tr><td style="c:d">1</td></tr></table>'},
        {"image/svg+xml": draw()},
        {"text/markdown": "|a|\n|-:|\n|1|\n"},
        {"text/plain": "\x1b[38;5;208morange\x1b[0m"},
    ]
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", data) for data in outputs])
    prose = nbformat.v4.new_markdown_cell("# Title\n\n|a|b|\n|:-|-:|\n|1|2|\n")
    path = tmp_path / "executed.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[prose, cell]), path)
    page = BeautifulSoup(
        render_page(read_report(path, Notebook(path, "Title", {}), {}, Key("n", "p", "d", "l", {}))), "html.parser"
    )
    assert page.find_all("style") == []
    assert [(script.get("src"), script.text) for script in page.find_all("script")] == [("sort.js", "")]
    assert page.find_all(style=True) == []
    assert page.svg is not None
    assert len(page.find_all("table")) == 3
    assert "orange" in page.text


def test_tables_name_their_index_in_the_corner_and_align_their_figures() -> None:
    html = (
        '<style>x</style><table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th><th>n</th>'
        "<th>why</th></tr><tr><th>year</th><th></th><th></th></tr></thead>"
        "<tbody><tr><th>2030</th><td>1,000</td><td>war</td></tr><tr><th>...</th><td>...</td><td>...</td></tr></tbody></table>"
    )
    page = BeautifulSoup(tidy_tables(html), "html.parser")
    assert page.style is None
    assert [cell.text for cell in page.thead.find_all("th")] == ["year", "n", "why"]
    assert [cell.text for cell in page.find_all(class_="figure")] == ["n", "1,000", "..."]
    assert page.find(class_="sheet").table is not None


def test_a_corner_with_nothing_in_it_heads_nothing() -> None:
    page = BeautifulSoup(
        tidy_tables(
            "<table><thead><tr><th></th><th>n</th></tr></thead><tbody><tr><th>a</th><td>1</td></tr></tbody></table>"
        ),
        "html.parser",
    )
    assert [(cell.name, cell.text) for cell in page.thead.find_all(["th", "td"])] == [("td", ""), ("th", "n")]
    assert all(cell["scope"] for cell in page.find_all("th"))


def test_what_a_result_shows_in_a_notebook_is_no_box_of_its_own_on_a_page() -> None:
    shown = write_cell(pd.DataFrame({"n": [1]}), "<Panel: x>")
    page = tidy_tables(shown)
    assert "mathjax" in shown
    assert "mathjax" not in page
    assert page.endswith("<p>Panel: x</p>")
