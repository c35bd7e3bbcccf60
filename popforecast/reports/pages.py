"""An executed notebook -> one light page, and the index of all pages: no scripts, nothing from elsewhere."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from popforecast.reports.notebooks import PACKAGE, SUMMARY, Notebook
from popforecast.version import __version__

if TYPE_CHECKING:
    from bs4 import Tag
    from nbformat import NotebookNode

TEMPLATES = PACKAGE / "templates"

# Cells with these tags publish what they print: in the index, at the head of the page and at its foot.
PROVENANCE, FIGURE = "provenance", "figure"
SVG = "image/svg+xml"
NUMBER = re.compile(r"[−+-]?[\d,]*\.?\d+(e[+-]?\d+)?( ?%)?|nan|inf|–|…|\.\.\.|", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Report:
    """An executed notebook, and what it publishes.

    Attributes
    ----------
    name : str
    notebook : NotebookNode
        Without anything that varies between two runs.
    facts : dict
        What the index says of it: title, summary, provenance, parameters, command, version.
    figure : str
        The SVG that the index shows, or nothing.
    """

    name: str
    notebook: NotebookNode
    facts: Mapping[str, Any]
    figure: str

    @property
    def source(self) -> str:
        """The executed notebook as a file."""
        import nbformat

        return nbformat.writes(self.notebook) + "\n"


def read_report(executed: Path, notebook: Notebook, changed: Mapping[str, Any]) -> Report:
    """Read what a notebook published when it was executed."""
    import nbformat

    node = _forget_run(nbformat.read(executed, as_version=4))
    facts = {
        "title": notebook.title,
        "summary": _published_text(node, SUMMARY),
        "provenance": _published_text(node, PROVENANCE),
        "parameters": {**notebook.defaults, **changed},
        "command": write_command(notebook.name, changed),
        "version": __version__,
    }
    return Report(notebook.name, node, facts, _published_figure(node))


def write_command(name: str, changed: Mapping[str, Any]) -> str:
    """Return the command that makes a report again.

    Examples
    --------
    >>> write_command("2-validate-ar", {"lags": 2, "locations": [900, "NGA"]})
    "popforecast report 2-validate-ar -p lags 2 -p locations '[900, NGA]'"
    """
    words = ["popforecast", "report", name]
    for parameter, value in changed.items():
        words += ["-p", parameter, write_value(value)]
    return shlex.join(words)


def write_value(value: Any) -> str:
    """Write a parameter's value as the command line takes it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def render_page(report: Report) -> str:
    """Return the page of a report."""
    import nbformat
    from nbconvert import HTMLExporter

    node = nbformat.from_dict(report.notebook)
    for cell in node.cells:
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = tidy_tables(output.data["text/html"])
    if node.cells and node.cells[0].cell_type == "markdown":
        # The page's head has the title.
        node.cells[0].source = re.sub(r"\A\s*# .*\n?", "", node.cells[0].source)
    exporter = HTMLExporter(
        extra_template_basedirs=[str(TEMPLATES)], template_name="report", exclude_anchor_links=True, preprocessors=[]
    )
    exporter.environment.filters["value"] = write_value
    page, _ = exporter.from_notebook_node(node, {"report": report.facts})
    return _end_lines(page)


def render_index(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return the index: for each report its name, title, figure, error, and the facts of its good page."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["value"] = write_value
    return _end_lines(environment.get_template("listing.html.j2").render(reports=reports, version=__version__))


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
    for table in soup.find_all("table"):
        table.attrs = {"class": "data"}
        _merge_heading(table)
        rows = table.find_all("tr")
        for row in rows:
            row.attrs = {}
        for row in table.select("thead tr"):
            for cell in row.find_all("th"):
                cell.attrs["scope"] = "col"
        for cell in table.select("tbody th"):
            cell.attrs = {"scope": "row"} | {k: v for k, v in cell.attrs.items() if k == "rowspan"}
        _align_figures(rows)
        frame = soup.new_tag("div", attrs={"class": "sheet", "tabindex": "0", "role": "group", "aria-label": "Table"})
        table.wrap(frame)
    return str(soup)


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


def _published_text(node: NotebookNode, tag: str) -> str:
    texts = []
    for output in _tagged_outputs(node, tag):
        texts.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    # A number and its percent sign belong on one line.
    return " ".join("".join(texts).split()).replace(" %", "\u00a0%")


def _published_figure(node: NotebookNode) -> str:
    figures = (output.get("data", {}).get(SVG, "") for output in _tagged_outputs(node, FIGURE))
    return next(filter(None, figures), "")


def _tagged_outputs(node: NotebookNode, tag: str) -> Iterable[NotebookNode]:
    for cell in node.cells:
        if tag in cell.metadata.get("tags", ()):
            yield from cell.get("outputs", ())


def _forget_run(node: NotebookNode) -> NotebookNode:
    """Return the notebook without times, durations and random ids."""
    node.metadata = {key: value for key, value in node.metadata.items() if key in ("kernelspec", "language_info")}
    for i, cell in enumerate(node.cells):
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.id = f"injected-{i}"
    return node


def _end_lines(page: str) -> str:
    return "\n".join(line.rstrip() for line in page.strip().splitlines() if line.strip()) + "\n"
