"""The folder of published reports: pages and figures, what is recorded of each, and the index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from popforecast.files import hold, write_atomically, write_together
from popforecast.reports.keys import digest
from popforecast.reports.names import describe_changes
from popforecast.reports.notebooks import PACKAGE, Notebook

STATUS = "status.json"
INDEX = "index.html"

# Executed notebooks and what was made here, and when: no part of what is published, nor of what git carries.
UNPUBLISHED = "notebooks"
MADE = f"{UNPUBLISHED}/made.json"
LOCK = f"{UNPUBLISHED}/.lock"

# The folder that a checkout comes with. Its record and its index are committed, so they hold the reports as their
# notebooks are, and nothing that somebody tried; of that there is a record that git ignores.
COMMITTED = PACKAGE.parent / "reports"
TRIED = f"{UNPUBLISHED}/{STATUS}"

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


def publish(name: str, made: Mapping[str, Any], seconds: float, notebook: Notebook, output: Path) -> None:
    """Write a page with all that belongs to it, and record what it is made of, and that it was made here.

    Parameters
    ----------
    name : str
        What the page is called.
    made : dict
        As :func:`popforecast.reports.pages.make_page` returns it.
    seconds : float
        How long it took.
    notebook : Notebook
    output : path
    """
    files = made["files"]
    published = {f"{name}.html": files["html"], f"{name}.svg": files["svg"]}
    written = {file: text.encode() for file, text in published.items() if text}
    facts = {**made["facts"], "files": {file: digest(content) for file, content in written.items()}}
    executed = files["ipynb"].encode()
    here = {
        "good": _seal(facts),
        "files": {_name_executed(name): digest(executed)},
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
    }
    with hold(output / LOCK, output):
        # Together: the index must not show the figure of one run beside the finding of another.
        contents = {**written, _name_executed(name): executed}
        write_together({output / file: content for file, content in contents.items()})
        for file in published.keys() - written.keys():
            (output / file).unlink(missing_ok=True)
        recorded = {**_introduce(notebook, facts["changed"]), "error": None, "good": facts}
        _update(_find_record(name, notebook, output), name, recorded)
        # Last: a run that is killed before has made nothing.
        _update(output / MADE, name, here)


def record(name: str, notebook: Notebook, changed: Mapping[str, Any], error: str, output: Path) -> None:
    """Record that a run failed; what is recorded of the last good page stays."""
    with hold(output / LOCK, output):
        recorded = {**_introduce(notebook, describe_changes(changed)), "error": error}
        _update(_find_record(name, notebook, output), name, recorded)


def write_index(names: Iterable[str], output: Path) -> None:
    """Write the index of those of the reports that were ever run, unless it is as it should be."""
    from popforecast.reports import pages

    with hold(output / LOCK, output):
        status = _read_record(output / STATUS)
        # The page of a notebook as it is comes first: its name is the shortest.
        listed = [
            _list(name, status[name], output)
            for notebook in names
            for name in sorted(status)
            if status[name]["notebook"] == notebook
        ]
        _write_changed({output / INDEX: pages.render_index(listed).encode()})


def read_status(output: Path) -> dict[str, Any]:
    """Return what is recorded of each page, by name; ``made`` are the facts of its making, if it was made here."""
    status = {**_read_record(output / TRIED), **_read_record(output / STATUS)}
    made = _read(output / MADE)
    # A checkout of another branch, or a pull, may have brought a page that another checkout made.
    own = {name: facts for name, facts in made.items() if name in status and _is_seal(facts, status[name]["good"])}
    return {name: {**recorded, "made": own.get(name)} for name, recorded in status.items()}


def is_listed(name: str, notebook: Notebook, output: Path) -> bool:
    """Return whether the index lists a page."""
    return _find_record(name, notebook, output) == output / STATUS


def _find_record(name: str, notebook: Notebook, output: Path) -> Path:
    """Return where a page is recorded: what the index lists stands in the one record, all else in the other."""
    tried = name != notebook.name and output.resolve() == COMMITTED.resolve()
    return output / (TRIED if tried else STATUS)


def _introduce(notebook: Notebook, changed: str) -> dict[str, Any]:
    return {"title": notebook.title, "notebook": notebook.name, "changed": changed}


def _name_executed(name: str) -> str:
    return f"{UNPUBLISHED}/{name}.ipynb"


def _seal(good: Mapping[str, Any]) -> str:
    return digest(json.dumps(good, sort_keys=True).encode())


def _is_seal(made: Mapping[str, Any], good: Mapping[str, Any] | None) -> bool:
    return good is not None and made.get("good") == _seal(good)


def _read_record(path: Path) -> dict[str, Any]:
    return {
        name: {"title": name, "notebook": name, "changed": "", "error": None, "good": None} | recorded
        for name, recorded in _read(path).items()
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
