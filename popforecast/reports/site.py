"""The folder of published pages: reports or a series, their records and the index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from popforecast.files import hold, write_atomically, write_together
from popforecast.reports.keys import digest
from popforecast.reports.notebooks import PACKAGE, Notebook, describe_changes

STATUS = "status.json"
INDEX = "index.html"

# Executed notebooks and the record of runs: neither published nor committed.
UNPUBLISHED = "notebooks"
MADE = f"{UNPUBLISHED}/made.json"
LOCK = f"{UNPUBLISHED}/.lock"

# The folder in a checkout. Its record and index are committed, so they list default reports only. Runs with changed
# parameters have a separate record, which git ignores.
COMMITTED = PACKAGE.parent / "reports"
TRIED = f"{UNPUBLISHED}/{STATUS}"

STYLE = PACKAGE / "theme" / "style.css"
SORTING, FINDING = STYLE.with_name("sort.js"), STYLE.with_name("filter.js")

# Temporary files that a run killed while writing may leave behind.
LEFT = re.compile(r"\..+\.(html|svg|json|css|js|ipynb)\.\w{8}")


@dataclass(frozen=True)
class Place:
    """A location with a page.

    Attributes
    ----------
    slug : str
        Page name and value of the location parameter: the ISO3 code if there is one, or else the code.
    name, group : str
        Name and heading in the index.
    """

    slug: str
    name: str
    group: str


@dataclass(frozen=True)
class Site:
    """A folder of pages, and the record of their inputs.

    Attributes
    ----------
    output : Path
        The folder; only one run at a time writes to it.
    series : str
        Subfolder of the pages of a series; empty for reports.
    """

    output: Path
    series: str = ""

    @property
    def folder(self) -> Path:
        """The folder of the pages."""
        return self.output / self.series

    def find_page(self, page: str) -> Path:
        """Return the file of a page, which need not exist."""
        return self.folder / f"{page}.html"

    def open(self) -> None:
        """Create the folder, copy the shared files into it, and delete temporary files of killed runs."""
        unpublished = self.output / UNPUBLISHED
        for folder in (self.folder, unpublished):
            folder.mkdir(parents=True, exist_ok=True)
        with self._hold():
            for path in [*self.folder.iterdir(), *unpublished.iterdir()]:
                if LEFT.fullmatch(path.name):
                    path.unlink()
            shared = (STYLE, SORTING, FINDING) if self.series else (STYLE, SORTING)
            _write_changed({self.folder / path.name: path.read_bytes() for path in shared})

    def publish(self, page: str, notebook: Notebook, made: Mapping[str, Any], seconds: float) -> None:
        """Write a page and its files, and record its inputs and the run.

        Parameters
        ----------
        page : str
            Name of the page.
        notebook : Notebook
        made : dict
            As :func:`popforecast.reports.pages.make_page` returns it.
        seconds : float
            Elapsed time.
        """
        facts, files, executed = made["facts"], made["files"], {}
        introduction = _introduce(notebook, facts["changed"])
        name = str(PurePosixPath(self.series, page))
        published = {f"{name}.html": files["html"]}
        if self.series:
            # Kept small: a series has many pages, and its index shows only their names.
            facts = {kept: facts[kept] for kept in ("summary", "parameters", "key")}
        else:
            published[f"{name}.svg"] = files["svg"]
            executed = {f"{UNPUBLISHED}/{page}.ipynb": files["ipynb"].encode()}
        written = {file: text.encode() for file, text in published.items() if text}
        facts = {**facts, "files": _digest_each(written)}
        with self._hold():
            # Written together, so that the index never shows the figure of one run with the finding of another.
            write_together({self.output / file: content for file, content in {**written, **executed}.items()})
            for file in published.keys() - written.keys():
                (self.output / file).unlink(missing_ok=True)
            _update(self._find_record(page, notebook), page, {**introduction, "error": None, "good": facts})
            if not self.series:
                ended = datetime.now(UTC).isoformat(timespec="seconds")
                here = {"good": _seal(facts), "files": _digest_each(executed), "ended": ended}
                # Written last: if the run is killed before this, the page counts as not made.
                _update(self.output / MADE, page, {**here, "seconds": round(seconds, 1)})

    def record(self, page: str, notebook: Notebook, changed: Mapping[str, Any], error: str) -> None:
        """Record a failed run; the record of the last good page is kept."""
        with self._hold():
            recorded = {**_introduce(notebook, describe_changes(changed)), "error": error}
            _update(self._find_record(page, notebook), page, recorded)

    def read_status(self) -> dict[str, Any]:
        """Return the record of each page; ``made`` describes the run, if it was in this folder."""
        if self.series:
            # The record of a series is not published, so all pages in it were made in this folder.
            own = _read_record(self._series_record)
            return {page: {**recorded, "made": {}} for page, recorded in own.items()}
        status = {**_read_record(self.output / TRIED), **_read_record(self.output / STATUS)}
        made = _read(self.output / MADE)
        # After a pull or a change of branch, a page may have been made in another checkout.
        sealed = {page: _seal(recorded["good"]) for page, recorded in status.items() if recorded["good"] is not None}
        own = {page: facts for page, facts in made.items() if page in sealed and facts.get("good") == sealed[page]}
        return {page: {**recorded, "made": own.get(page)} for page, recorded in status.items()}

    def is_listed(self, page: str, notebook: Notebook) -> bool:
        """Whether the index lists a page."""
        return self._find_record(page, notebook) != self.output / TRIED

    def write_index(self, names: Iterable[str]) -> None:
        """Write the index of all reports that have been run, if it has changed."""
        from popforecast.reports.pages import render_index

        with self._hold():
            status = _read_record(self.output / STATUS)
            # The default page of a notebook sorts first, because its name is the shortest.
            listed = [
                _list(page, status[page], self.output)
                for notebook in names
                for page in sorted(status)
                if status[page]["notebook"] == notebook
            ]
            _write_changed({self.output / INDEX: render_index(listed).encode()})

    def write_places(self, title: str, kind: str, places: Iterable[Place], changed: str = "") -> None:
        """Write the index of a series, by group, if it has changed.

        Parameters
        ----------
        title : str
            Title of the series.
        kind : str
            Kind of locations.
        places : iterable of Place
            All locations of the series, in order.
        changed : str
            Changed parameters, as readable text.
        """
        from popforecast.reports.pages import render_template

        with self._hold():
            status = self.read_status()
            groups: dict[str, list[dict[str, Any]]] = {}
            for place in places:
                there, error = self.find_page(place.slug).exists(), status.get(place.slug, {}).get("error")
                entry = {"slug": place.slug, "name": place.name, "there": there, "error": error}
                groups.setdefault(place.group, []).append(entry)
            content = render_template(
                "series.html.j2",
                title=title,
                kind=kind,
                changed=changed,
                groups=dict(sorted(groups.items())),
                entries=[entry for entries in groups.values() for entry in entries],
                above=(self.output / INDEX).exists(),
            )
            _write_changed({self.folder / INDEX: content.encode()})

    @property
    def _series_record(self) -> Path:
        return self.output / UNPUBLISHED / f"{self.series}.series.json"

    def _find_record(self, page: str, notebook: Notebook) -> Path:
        """Return the record file of a page: listed and unlisted pages have separate records."""
        if self.series:
            return self._series_record
        tried = page != notebook.name and self.output.resolve() == COMMITTED.resolve()
        return self.output / (TRIED if tried else STATUS)

    def _hold(self) -> AbstractContextManager[None]:
        return hold(self.output / LOCK, self.output)


def _introduce(notebook: Notebook, changed: str) -> dict[str, Any]:
    return {"title": notebook.title, "notebook": notebook.name, "changed": changed}


def _digest_each(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {file: digest(content) for file, content in contents.items()}


def _seal(good: Mapping[str, Any]) -> str:
    return digest(json.dumps(good, sort_keys=True).encode())


def _read_record(path: Path) -> dict[str, Any]:
    return {
        name: {"title": name, "notebook": name, "changed": "", "error": None, "good": None} | recorded
        for name, recorded in _read(path).items()
    }


def _list(name: str, recorded: Mapping[str, Any], output: Path) -> dict[str, Any]:
    """Return the entry of a report in the index."""
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
    """Update the record of one page in a file."""
    recorded = _read(path)
    recorded[name] = {**recorded.get(name, {}), **facts}
    content = json.dumps(dict(sorted(recorded.items())), indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, content.encode())


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # A damaged record must not stop runs, which can recreate it.
        return {}
    known = recorded.items() if isinstance(recorded, dict) else ()
    return {name: facts for name, facts in known if isinstance(facts, dict)}


def _write_changed(contents: Mapping[Path, bytes]) -> None:
    changed = {p: content for p, content in contents.items() if not p.is_file() or p.read_bytes() != content}
    write_together(changed)
