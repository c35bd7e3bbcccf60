"""The folder of published pages: of reports or of one's series, what is recorded of each, and the index."""

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

# Executed notebooks and what was made here, and when: no part of what is published, nor of what git carries.
UNPUBLISHED = "notebooks"
MADE = f"{UNPUBLISHED}/made.json"
LOCK = f"{UNPUBLISHED}/.lock"

# The folder that a checkout comes with. Its record and its index are committed, so they hold the reports as their
# notebooks are, and nothing that somebody tried; of that there is a record that git ignores.
COMMITTED = PACKAGE.parent / "reports"
TRIED = f"{UNPUBLISHED}/{STATUS}"

STYLE = PACKAGE / "theme" / "style.css"
SORTING, FINDING = STYLE.with_name("sort.js"), STYLE.with_name("filter.js")

# What a run that was killed while it wrote may leave: a page under a name that it was about to give up.
LEFT = re.compile(r"\..+\.(html|svg|json|css|js|ipynb)\.\w{8}")


@dataclass(frozen=True)
class Place:
    """A location that gets a page.

    Attributes
    ----------
    slug : str
        What its page is called, and how the notebook is asked for it: its ISO3 code, or else its code.
    name, group : str
        How the index calls it, and under which heading.
    """

    slug: str
    name: str
    group: str


@dataclass(frozen=True)
class Site:
    """A folder of pages, and the record of what each is made of.

    Attributes
    ----------
    output : Path
        The folder, to which one run at a time writes.
    series : str
        The folder in it where one notebook has a page for each location; none: the reports themselves.
    """

    output: Path
    series: str = ""

    @property
    def folder(self) -> Path:
        """Where the pages are."""
        return self.output / self.series

    def find_page(self, page: str) -> Path:
        """Return the file of a page, whether it is there or not."""
        return self.folder / f"{page}.html"

    def open(self) -> None:
        """Make the folder, bring it what all pages share, and clear what a killed run left behind."""
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
        """Write a page with all that belongs to it, and record what it is made of, and that it was made here.

        Parameters
        ----------
        page : str
            What it is called.
        notebook : Notebook
        made : dict
            As :func:`popforecast.reports.pages.make_page` returns it.
        seconds : float
            How long it took.
        """
        facts, files, executed = made["facts"], made["files"], {}
        introduction = _introduce(notebook, facts["changed"])
        name = str(PurePosixPath(self.series, page))
        published = {f"{name}.html": files["html"]}
        if self.series:
            # They are many, and their index shows nothing but their names.
            facts = {kept: facts[kept] for kept in ("summary", "parameters", "key")}
        else:
            published[f"{name}.svg"] = files["svg"]
            executed = {f"{UNPUBLISHED}/{page}.ipynb": files["ipynb"].encode()}
        written = {file: text.encode() for file, text in published.items() if text}
        facts = {**facts, "files": _digest_each(written)}
        with self._hold():
            # Together: the index must not show the figure of one run beside the finding of another.
            write_together({self.output / file: content for file, content in {**written, **executed}.items()})
            for file in published.keys() - written.keys():
                (self.output / file).unlink(missing_ok=True)
            _update(self._find_record(page, notebook), page, {**introduction, "error": None, "good": facts})
            if not self.series:
                ended = datetime.now(UTC).isoformat(timespec="seconds")
                here = {"good": _seal(facts), "files": _digest_each(executed), "ended": ended}
                # Last: a run that is killed before has made nothing.
                _update(self.output / MADE, page, {**here, "seconds": round(seconds, 1)})

    def record(self, page: str, notebook: Notebook, changed: Mapping[str, Any], error: str) -> None:
        """Record that a run failed; what is recorded of the last good page stays."""
        with self._hold():
            recorded = {**_introduce(notebook, describe_changes(changed)), "error": error}
            _update(self._find_record(page, notebook), page, recorded)

    def read_status(self) -> dict[str, Any]:
        """Return what is recorded of each page; ``made`` are the facts of its making, if it was made here."""
        if self.series:
            # Their record is not published: whatever stands in it was made here.
            own = _read_record(self._series_record)
            return {page: {**recorded, "made": {}} for page, recorded in own.items()}
        status = {**_read_record(self.output / TRIED), **_read_record(self.output / STATUS)}
        made = _read(self.output / MADE)
        # A checkout of another branch, or a pull, may have brought a page that another checkout made.
        sealed = {page: _seal(recorded["good"]) for page, recorded in status.items() if recorded["good"] is not None}
        own = {page: facts for page, facts in made.items() if page in sealed and facts.get("good") == sealed[page]}
        return {page: {**recorded, "made": own.get(page)} for page, recorded in status.items()}

    def is_listed(self, page: str, notebook: Notebook) -> bool:
        """Return whether the index lists a page."""
        return self._find_record(page, notebook) != self.output / TRIED

    def write_index(self, names: Iterable[str]) -> None:
        """Write the index of those of the reports that were ever run, unless it is as it should be."""
        from popforecast.reports.pages import render_index

        with self._hold():
            status = _read_record(self.output / STATUS)
            # The page of a notebook as it is comes first: its name is the shortest.
            listed = [
                _list(page, status[page], self.output)
                for notebook in names
                for page in sorted(status)
                if status[page]["notebook"] == notebook
            ]
            _write_changed({self.output / INDEX: render_index(listed).encode()})

    def write_places(self, title: str, kind: str, places: Iterable[Place], changed: str = "") -> None:
        """Write the index of the pages of a series, by groups, unless it is as it should be.

        Parameters
        ----------
        title : str
            What the series is called.
        kind : str
            What there is a page for each of.
        places : iterable of Place
            All there are to be, in their order.
        changed : str
            The parameters that are not the notebook's own, as people read them.
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
        """Return where a page is recorded: what the index lists stands in the one record, all else in the other."""
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
