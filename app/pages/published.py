"""The published reports: pages made by ``popforecast report``, with the header and footer of the site.

Pages, figures and their style sheets and scripts are published, from the reports folder and the folder of each series.
Executed notebooks and the record of runs are not: they are not part of a checkout, and each page shows its code and the
command that reproduces it.
"""

from __future__ import annotations

import re
from pathlib import Path

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from popforecast.errors import shorten

# The top of a checkout, or the default output folder of the command.
FOLDERS = (Path(__file__).parents[2] / "reports", Path("reports"))
INDEX = "index.html"

ENDINGS = (".html", ".svg", ".css", ".js")

# The parts of a page that the site shows.
PARTS = {
    "title": r"<title>(.*?)(?: · popforecast)?</title>",
    "kind": r'<body class="([^"]*)">',
    "main": r"<main[^>]*>(.*)</main>",
    "foot": r"<footer[^>]*>(.*)</footer>",
}
CITATION = r'<meta [^>]*name="DC\.[^>]*>'

# A new release may have new reports, so browsers revalidate each time, which is cheap if nothing changed.
ASK_AGAIN = "no-cache"

blueprint = Blueprint("published", __name__, url_prefix="/reports")


@blueprint.get("/")
def show_index() -> ResponseReturnValue:
    """Return the index of the reports."""
    return _show(_find_folder() / INDEX)


@blueprint.get("/<path:name>")
def show_report(name: str) -> ResponseReturnValue:
    """Return a report, or a file that belongs to one.

    Raises
    ------
    NotFound
        If there is no report with this name.
    """
    if name == INDEX:
        return redirect(url_for(".show_index"), 308)
    folder = _find_folder()
    series = [path.parent.name for path in folder.glob(f"*/{INDEX}") if _is_inside(path)]
    if (bare := name.removesuffix(f"/{INDEX}")) in series:
        return redirect(url_for(".show_report", name=f"{bare}/"), 308)
    # Only listed names are served, so that a name cannot reach other parts of the file system.
    part, _, file = name.rpartition("/")
    if part in series:
        path, valid = _find(folder / part, file or INDEX), f"those of /reports/{part}/"
    else:
        path, valid = _find(folder, name), f"one of {', '.join(_list_pages(folder))}"
    if path is None:
        raise NotFound(f"There is no report {shorten(name)!r}: expected {valid}.")
    if path.suffix == ".html":
        return _show(path)
    response = send_file(path.resolve())
    response.headers["Cache-Control"] = ASK_AGAIN
    return response


def has_report(name: str) -> bool:
    """Return whether a report with this name is published."""
    folder = next((folder for folder in FOLDERS if _is_inside(folder / INDEX)), None)
    return folder is not None and _is_inside(folder / name)


def read_parts(page: str) -> dict[str, str]:
    """Return the parts of a report's page that the site shows.

    Raises
    ------
    NotFound
        If the page was not made by this version of ``popforecast report``.

    Examples
    --------
    >>> page = '<title>Peers · popforecast</title><body class="report"><main id="content">M</main><footer>F</footer>'
    >>> read_parts(page)
    {'title': 'Peers', 'kind': 'report', 'main': 'M', 'foot': 'F', 'citation': ''}
    """
    found = {name: re.search(pattern, page, re.DOTALL) for name, pattern in PARTS.items()}
    if not all(found.values()):
        missing = ", ".join(name for name, part in found.items() if part is None)
        raise NotFound(f"This page is incomplete ({missing} missing): run `popforecast report` to make it again.")
    parts = {name: part[1] for name, part in found.items() if part}
    return parts | {"citation": "\n".join(re.findall(CITATION, page))}


def _show(page: Path) -> Response:
    response = Response(render_template("published.html", **read_parts(page.read_text(encoding="utf-8"))))
    response.headers["Cache-Control"] = ASK_AGAIN
    response.add_etag()
    response.make_conditional(request)
    return response


def _find(folder: Path, name: str) -> Path | None:
    published = (path for path in folder.iterdir() if path.suffix in ENDINGS and _is_inside(path))
    return next((path for path in published if path.name == name), None)


def _list_pages(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.html") if path.name != INDEX and _is_inside(path))


def _is_inside(path: Path) -> bool:
    """Return whether a file is in the reports folder, after following symbolic links."""
    return path.is_file() and any(path.resolve().is_relative_to(folder.resolve()) for folder in FOLDERS)


def _find_folder() -> Path:
    for folder in FOLDERS:
        if _is_inside(folder / INDEX):
            return folder
    raise NotFound(
        "No reports have been published here yet. Run `popforecast report` where the app is started (it writes to the "
        "folder `reports`); it needs `pip install 'popforecast[reports]'`."
    )
