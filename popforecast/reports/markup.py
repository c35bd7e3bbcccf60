"""Markup of notebook outputs for a page: accessible, scrollable tables and no inline styles.

A strict content security policy blocks inline styles. Those of figures become the equivalent SVG attributes; all
others are removed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4 import Tag

NUMBER = re.compile(r"[−+-]?[\d,]*\.?\d+(e[+-]?\d+)?( ?%)?|nan|inf|–|…|\.\.\.|", re.IGNORECASE)

# An element with an inline style: the text before the style, its content and the text after it.
STYLED = re.compile(r'(<[A-Za-z][^<>]*?) style="([^"]*)"([^<>]*>)')

# The only rule that Matplotlib writes. It applies to all elements, so they can inherit it from the root.
COMMON_RULE = re.compile(r'\s*<style type="text/css">\*\{([^{}]*)\}</style>')
EMPTY_DEFINITIONS = re.compile(r"\s*<defs>\s*</defs>")


def style_by_attributes(svg: str) -> str:
    """Return SVG with inline styles replaced by equivalent attributes.

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
    """Return HTML without inline styles.

    Examples
    --------
    >>> drop_styles('<td style="text-align:right" class="figure">1</td>')
    '<td class="figure">1</td>'
    """
    return STYLED.sub(r"\1\3", html)


def tidy_tables(html: str) -> str:
    """Return HTML whose tables have scrolling frames, scoped headings and aligned figures.

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
        # The wrapper is unnecessary: pages do not render mathematics.
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
                    # An empty corner cell is not a heading.
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
        # Styles override attributes, as in a browser, and an attribute must not be repeated.
        before, after = (re.sub(rf' {name}="[^"]*"', "", part) for part in (before, after))
    return before + attributes + after


def _write_attributes(style: str) -> str:
    declarations = (declaration.partition(":") for declaration in style.split(";") if declaration.strip())
    return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in declarations)


def _merge_heading(table: Tag) -> None:
    """Move the name of the index, which pandas puts in a separate row, to the empty corner cell above it."""
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
    """Mark the cells and heading of every column that contains only figures."""
    # Counted from the right, because headings that span several rows shift the cells on the left.
    for column in itertools.zip_longest(*(reversed(row.find_all(["th", "td"])) for row in rows)):
        cells = [cell for cell in column if cell is not None]
        body = [cell.get_text(strip=True) for cell in cells if cell.name == "td"]
        if any(body) and all(NUMBER.fullmatch(text) for text in body):
            for cell in cells:
                cell.attrs["class"] = "figure"
