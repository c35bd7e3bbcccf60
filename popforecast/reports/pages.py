"""HTML pages of executed notebooks and their index, without scripts or external resources."""

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

# Tags of cells whose output is published: in the index, and at the top and bottom of the page.
PROVENANCE, FIGURE = "provenance", "figure"
SVG = "image/svg+xml"

# Letters shown of a checksum.
LETTERS = 12


@dataclass(frozen=True, eq=False)
class Report:
    """An executed notebook and its published content.

    Attributes
    ----------
    notebook : NotebookNode
        Cleared of everything that varies between runs.
    facts : dict
        Entries of the index: title, summary, provenance, parameters, changed parameters, command, version, library
        versions and checksums of the inputs.
    figure : str
        SVG shown in the index; may be empty.
    """

    notebook: NotebookNode
    facts: Mapping[str, Any]
    figure: str


def make_page(executed: Path, notebook: Notebook, changed: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """Return the published content of an executed notebook.

    Parameters
    ----------
    executed : Path
    notebook : Notebook
        The notebook that was executed.
    changed : dict
        The parameters passed to it.
    key : Key
        Key of its inputs.

    Returns
    -------
    dict
        error: a sentence, or None; if None, also facts (see :class:`Report`) and files (text by file extension). All
        values can be written as JSON.
    """
    import nbformat

    try:
        report = read_report(executed, notebook, changed, key)
        source = nbformat.writes(report.notebook) + "\n"
        files = {"html": render_page(report), "svg": report.figure, "ipynb": source}
    except Exception as error:
        # A notebook whose output cannot be rendered must not stop the other pages.
        return {"error": f"The page could not be made: {type(error).__name__}: {error}"}
    return {"error": None, "facts": dict(report.facts), "files": files}


def read_report(executed: Path, notebook: Notebook, changed: Mapping[str, Any], key: Key) -> Report:
    """Return the report of an executed notebook; the key identifies its inputs."""
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
    """Return the command that reproduces a report.

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
    """Return the HTML page of a report."""
    import nbformat
    from nbconvert import HTMLExporter

    node = nbformat.from_dict(report.notebook)
    for data in _shown(node):
        if "text/html" in data:
            data["text/html"] = tidy_tables(data["text/html"])
    if node.cells and node.cells[0].cell_type == "markdown":
        # The page header already shows the title.
        node.cells[0].source = re.sub(r"\A\s*# .*\n?", "", node.cells[0].source)
    exporter = HTMLExporter(
        extra_template_basedirs=[str(TEMPLATES)], template_name="report", exclude_anchor_links=True, preprocessors=[]
    )
    exporter.environment.filters["value"] = write_value
    page, _ = exporter.from_notebook_node(node, {"report": report.facts})
    # The remaining inline styles come from Markdown and coloured text.
    return drop_styles(_end_lines(page))


def render_index(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return the HTML index: the name, title, figure, error and facts of the last good page of each report."""
    return render_template("listing.html.j2", reports=reports)


def render_template(name: str, **content: Any) -> str:
    """Return a page rendered from a template, for pages that are not notebooks."""
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
    """Return the figure for the index, preferably the narrow version."""
    shown = [output.get("data", {}) for output in _tagged_outputs(node, FIGURE)]
    figures = (data.get(form, "") for data in shown for form in (NARROW_SVG, SVG))
    return next(filter(None, figures), "")


def _tagged_outputs(node: NotebookNode, tag: str) -> Iterable[NotebookNode]:
    for cell in node.cells:
        if tag in cell.metadata.get("tags", ()):
            yield from cell.get("outputs", ())


def _shown(node: NotebookNode) -> Iterable[NotebookNode]:
    """Yield the data of each displayed output, by media type."""
    for cell in node.cells:
        for output in cell.get("outputs", ()):
            if "data" in output:
                yield output.data


def _forget_run(node: NotebookNode) -> NotebookNode:
    """Return the notebook without times, durations and random IDs."""
    node.metadata = {key: value for key, value in node.metadata.items() if key in ("kernelspec", "language_info")}
    for i, cell in enumerate(node.cells):
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.id = f"injected-{i}"
    return node


def _end_lines(page: str) -> str:
    return "\n".join(line.rstrip() for line in page.strip().splitlines() if line.strip()) + "\n"
