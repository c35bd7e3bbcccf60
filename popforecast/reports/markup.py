"""What notebooks show, as markup for a page: tables that are read and scrolled well, and no style but the sheet's.

A style in the markup is blocked by every strict content policy, so a figure's styles become attributes, which SVG has
for each of them, and any other is left out.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4 import Tag

NUMBER = re.compile(r"[−+-]?[\d,]*\.?\d+(e[+-]?\d+)?( ?%)?|nan|inf|–|…|\.\.\.|", re.IGNORECASE)

# An element with a style; what stands before it, and what is in it.
STYLED = re.compile(r'(<[A-Za-z][^<>]*?) style="([^"]*)"([^<>]*>)')

# The one rule that Matplotlib writes: for all elements, which therefore may as well inherit it.
COMMON_RULE = re.compile(r'\s*<style type="text/css">\*\{([^{}]*)\}</style>')
EMPTY_DEFINITIONS = re.compile(r"\s*<defs>\s*</defs>")


def style_by_attributes(svg: str) -> str:
    """Return SVG that looks the same with attributes in place of styles.

    Examples
    --------
    >>> style_by_attributes('<svg><path d="M0 0" style="fill: none; stroke: #0072b2"/></svg>')
    '<svg><path d="M0 0" fill="none" stroke="#0072b2"/></svg>'
    >>> style_by_attributes('<svg><defs><style type="text/css">*{stroke-linejoin: round}</style></defs><g/></svg>')
    '<svg stroke-linejoin="round"><g/></svg>'
    """
    common = COMMON_RULE.search(svg)
    if common:
        svg = EMPTY_DEFINITIONS.sub("", COMMON_RULE.sub("", svg, count=1), count=1)
        svg = svg.replace("<svg", f"<svg{_write_attributes(common[1])}", 1)
    return STYLED.sub(_style_one, svg)


def drop_styles(html: str) -> str:
    """Return HTML without styles.

    Examples
    --------
    >>> drop_styles('<td style="text-align:right" class="figure">1</td>')
    '<td class="figure">1</td>'
    """
    return STYLED.sub(r"\1\3", html)


def tidy_tables(html: str) -> str:
    """Return HTML whose tables scroll in their own frame, name their headings and align their figures.

    Examples
    --------
    >>> tidy_tables("<table><tr><th>n</th></tr><tr><td>1</td></tr></table>").count('class="figure"')
    2
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(html, "html.parser")
    for unwanted in soup.find_all(["style", "script"]):
        unwanted.decompose()
    for wrapper in soup.select(".mathjax_ignore"):
        # A page reads nothing as mathematics.
        wrapper.unwrap()
    for table in soup.find_all("table"):
        table.attrs = {"class": "data"}
        _merge_heading(table)
        rows = table.find_all("tr")
        for row in rows:
            row.attrs = {}
        for row in table.select("thead tr"):
            for cell in row.find_all("th"):
                cell.attrs["scope"] = "col"
                if not cell.get_text(strip=True):
                    # A corner with nothing in it is the heading of nothing.
                    cell.name = "td"
                    del cell.attrs["scope"]
        for cell in table.select("tbody th"):
            spans = {name: value for name, value in cell.attrs.items() if name == "rowspan"}
            cell.attrs = {"scope": "row", **spans}
        _align_figures(rows)
        frame = soup.new_tag("div", attrs={"class": "sheet", "tabindex": "0", "role": "group", "aria-label": "Table"})
        table.wrap(frame)
    return str(soup)


def _style_one(element: re.Match[str]) -> str:
    before, style, after = element.groups()
    attributes = _write_attributes(style)
    for name in re.findall(r" ([\w-]+)=", attributes):
        # As in a browser, where a style prevails over an attribute; and a name may stand but once.
        before, after = (re.sub(rf' {name}="[^"]*"', "", part) for part in (before, after))
    return before + attributes + after


def _write_attributes(style: str) -> str:
    declarations = (declaration.partition(":") for declaration in style.split(";") if declaration.strip())
    return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in declarations)


def _merge_heading(table: Tag) -> None:
    """Put the index's name, for which pandas takes a row of its own, into the empty corner above it."""
    rows = [row.find_all("th") for row in table.select("thead tr")]
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        return
    names = [cell.get_text(strip=True) for cell in rows[1]]
    depth = sum(map(bool, names))
    if all(names[:depth]) and not any(cell.get_text(strip=True) for cell in rows[0][:depth]):
        for cell, name in zip(rows[0], names[:depth], strict=False):
            cell.string = name
        table.select("thead tr")[1].decompose()


def _align_figures(rows: Sequence[Tag]) -> None:
    """Mark the cells of every column that holds figures alone, and its heading."""
    # From the right, where a heading that spans several rows leaves no cell out.
    for column in itertools.zip_longest(*(reversed(row.find_all(["th", "td"])) for row in rows)):
        cells = [cell for cell in column if cell is not None]
        body = [cell.get_text(strip=True) for cell in cells if cell.name == "td"]
        if any(body) and all(NUMBER.fullmatch(text) for text in body):
            for cell in cells:
                cell.attrs["class"] = "figure"
