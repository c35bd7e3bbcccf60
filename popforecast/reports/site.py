"""The folder of published reports: pages and figures, what is recorded of each, and the index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from popforecast.files import write_atomically, write_together
from popforecast.lock import hold
from popforecast.reports.keys import digest
from popforecast.reports.notebooks import PACKAGE, Notebook

if TYPE_CHECKING:
    from popforecast.reports.pages import Report

STATUS = "status.json"
INDEX = "index.html"

# Executed notebooks, and when which was made: no part of what is published, nor of a checkout.
UNPUBLISHED = "notebooks"
TIMES = f"{UNPUBLISHED}/times.json"

# Beside them.
LOCK = f"{UNPUBLISHED}/.lock"

STYLE = PACKAGE / "theme" / "style.css"
SORTING = STYLE.with_name("sort.js")

# What a run that was killed while it wrote may leave: a page under a name that it was about to give up.
LEFT = re.compile(r"\..+\.(html|svg|json|css|js|ipynb)\.\w{8}")


def open_site(output: Path) -> None:
    """Make the folder, bring it what all pages share, and clear what a killed run left behind."""
    (output / UNPUBLISHED).mkdir(parents=True, exist_ok=True)
    with hold(output / LOCK, output):
        for path in [*output.iterdir(), *(output / UNPUBLISHED).iterdir()]:
            if LEFT.fullmatch(path.name):
                path.unlink()
        _write_changed({output / path.name: path.read_bytes() for path in (STYLE, SORTING)})


def publish(report: Report, page: str, seconds: float, output: Path) -> None:
    """Write a page with all that belongs to it, and record what it is made of."""
    name = report.name
    published = {f"{name}.html": page, f"{name}.svg": report.figure}
    written = {file: text.encode() for file, text in published.items() if text}
    facts = {**report.facts, "files": {file: digest(content) for file, content in written.items()}}
    written[f"{UNPUBLISHED}/{name}.ipynb"] = report.source.encode()
    with hold(output / LOCK, output):
        # Together: the index must not show the figure of one run beside the finding of another.
        write_together({output / file: content for file, content in written.items()})
        for file in published.keys() - written.keys():
            (output / file).unlink(missing_ok=True)
        _update(output / STATUS, name, {"title": facts["title"], "error": None, "good": facts})
        times = {"ended": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": round(seconds, 1)}
        _update(output / TIMES, name, times)


def record(notebook: Notebook, error: str, output: Path) -> None:
    """Record that a run failed; what is recorded of the last good page stays."""
    with hold(output / LOCK, output):
        _update(output / STATUS, notebook.name, {"title": notebook.title, "error": error})


def write_index(names: Iterable[str], output: Path) -> None:
    """Write the index of those of the reports that were ever run, unless it is as it should be."""
    from popforecast.reports import pages

    with hold(output / LOCK, output):
        status = read_status(output)
        listed = [_list(name, status[name], output) for name in names if name in status]
        _write_changed({output / INDEX: pages.render_index(listed).encode()})


def read_status(output: Path) -> dict[str, Any]:
    """Return what is recorded of each report, by name."""
    return {
        name: {"title": name, "error": None, "good": None} | recorded
        for name, recorded in _read(output / STATUS).items()
    }


def _list(name: str, recorded: Mapping[str, Any], output: Path) -> dict[str, Any]:
    """Return what the index shows of a report."""
    figure = output / f"{name}.svg"
    there = (output / f"{name}.html").exists()
    return {
        "name": name,
        **recorded,
        "good": recorded["good"] if there else None,
        "figure": figure.read_text(encoding="utf-8") if there and figure.exists() else "",
        "series": (output / name / INDEX).exists(),
    }


def _update(path: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Change what a file records of one report."""
    recorded = _read(path)
    recorded[name] = {**recorded.get(name, {}), **facts}
    content = json.dumps(dict(sorted(recorded.items())), indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, content.encode())


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # It can be made again from the notebooks; a damaged one must not keep them from running.
        return {}
    known = recorded.items() if isinstance(recorded, dict) else ()
    return {name: facts for name, facts in known if isinstance(facts, dict)}


def _write_changed(contents: Mapping[Path, bytes]) -> None:
    changed = {p: content for p, content in contents.items() if not p.is_file() or p.read_bytes() != content}
    write_together(changed)
