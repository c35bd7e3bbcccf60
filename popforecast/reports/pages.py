"""An executed notebook -> one light page, and the index of all pages: no scripts, nothing from elsewhere."""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from popforecast.charts.style import NARROW_SVG
from popforecast.reports.keys import Key, read_versions
from popforecast.reports.markup import drop_styles, style_by_attributes, tidy_tables
from popforecast.reports.notebooks import PACKAGE, SUMMARY, Notebook, describe_changes, write_value
from popforecast.version import __version__

if TYPE_CHECKING:
    from nbformat import NotebookNode

TEMPLATES = PACKAGE / "templates"

# Cells with these tags publish what they print: in the index, at the head of the page and at its foot.
PROVENANCE, FIGURE = "provenance", "figure"
SVG = "image/svg+xml"

# Of a checksum, as people see it.
LETTERS = 12


@dataclass(frozen=True, eq=False)
class Report:
    """An executed notebook, and what it publishes.

    Attributes
    ----------
    notebook : NotebookNode
        Without anything that varies between two runs.
    facts : dict
        What the index says of it: title, summary, provenance, parameters, those of them that are changed, command,
        version; the libraries' versions, and the checksums of all that it is made of.
    figure : str
        The SVG that the index shows, or nothing.
    """

    notebook: NotebookNode
    facts: Mapping[str, Any]
    figure: str


def make_page(executed: Path, notebook: Notebook, changed: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """Return all that is published of an executed notebook.

    Parameters
    ----------
    executed : Path
    notebook : Notebook
        What was executed.
    changed : dict
        The parameters that it was told.
    key : Key
        What it was made of.

    Returns
    -------
    dict
        error: what went wrong, in a sentence, or None; if nothing did, facts: what a page states of itself, and files:
        their texts by ending. Nothing but what can be written as JSON.
    """
    import nbformat

    try:
        report = read_report(executed, notebook, changed, key)
        source = nbformat.writes(report.notebook) + "\n"
        files = {"html": render_page(report), "svg": report.figure, "ipynb": source}
    except Exception as error:
        # Whatever a notebook shows that cannot be a page must not take the other pages down with it.
        return {"error": f"The page could not be made: {type(error).__name__}: {error}"}
    return {"error": None, "facts": dict(report.facts), "files": files}


def read_report(executed: Path, notebook: Notebook, changed: Mapping[str, Any], key: Key) -> Report:
    """Read what a notebook published when it was executed; the key says of what."""
    import nbformat

    node = _forget_run(nbformat.read(executed, as_version=4))
    for data in _shown(node):
        for form in {SVG, NARROW_SVG} & data.keys():
            data[form] = style_by_attributes(data[form])
    facts = {
        "title": notebook.title,
        "summary": _published_text(node, SUMMARY),
        "provenance": _published_text(node, PROVENANCE),
        "parameters": {**notebook.defaults, **changed},
        "changed": describe_changes(
            {name: value for name, value in changed.items() if value != notebook.defaults.get(name)}
        ),
        "command": write_command(notebook.name, changed),
        "version": __version__,
        "versions": {"Python": ".".join(platform.python_version_tuple()[:2]), **read_versions()},
        "source": key.checksum[:LETTERS],
        "key": key.parts,
    }
    return Report(node, facts, _published_figure(node))


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


def render_page(report: Report) -> str:
    """Return the page of a report."""
    import nbformat
    from nbconvert import HTMLExporter

    node = nbformat.from_dict(report.notebook)
    for data in _shown(node):
        if "text/html" in data:
            data["text/html"] = tidy_tables(data["text/html"])
    if node.cells and node.cells[0].cell_type == "markdown":
        # The page's head has the title.
        node.cells[0].source = re.sub(r"\A\s*# .*\n?", "", node.cells[0].source)
    exporter = HTMLExporter(
        extra_template_basedirs=[str(TEMPLATES)], template_name="report", exclude_anchor_links=True, preprocessors=[]
    )
    exporter.environment.filters["value"] = write_value
    page, _ = exporter.from_notebook_node(node, {"report": report.facts})
    # What is left of styles comes from prose and from coloured text.
    return drop_styles(_end_lines(page))


def render_index(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return the index: for each report its name, title, figure, error, and the facts of its good page."""
    return render_template("listing.html.j2", reports=reports)


def render_template(name: str, **content: Any) -> str:
    """Return a page that is no notebook: a template of the site, with its content."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["value"] = write_value
    return _end_lines(environment.get_template(name).render(**content, version=__version__))


def _published_text(node: NotebookNode, tag: str) -> str:
    texts = []
    for output in _tagged_outputs(node, tag):
        texts.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return " ".join("".join(texts).split())


def _published_figure(node: NotebookNode) -> str:
    """Return the figure of the index, where there is no room for a wide one."""
    shown = [output.get("data", {}) for output in _tagged_outputs(node, FIGURE)]
    figures = (data.get(form, "") for data in shown for form in (NARROW_SVG, SVG))
    return next(filter(None, figures), "")


def _tagged_outputs(node: NotebookNode, tag: str) -> Iterable[NotebookNode]:
    for cell in node.cells:
        if tag in cell.metadata.get("tags", ()):
            yield from cell.get("outputs", ())


def _shown(node: NotebookNode) -> Iterable[NotebookNode]:
    """Yield each thing that the notebook shows, as its forms by media type."""
    for cell in node.cells:
        for output in cell.get("outputs", ()):
            if "data" in output:
                yield output.data


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
