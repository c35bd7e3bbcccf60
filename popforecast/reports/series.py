"""One notebook, a page for each location: a site of its own with an index, made in warm kernels and picked up again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from popforecast.errors import LockError, ReportError
from popforecast.files import hold, write_atomically, write_together
from popforecast.panel import COUNTRY
from popforecast.reports.keys import Key, digest, read_key, read_modules
from popforecast.reports.names import describe_changes, name_page
from popforecast.reports.notebooks import LOCATION, Notebook, choose_notebooks, find_changes, find_notebooks
from popforecast.reports.pages import render_template
from popforecast.reports.publication import TIMEOUT, Result, check_installed
from popforecast.reports.site import INDEX, LOCK, SORTING, STYLE, UNPUBLISHED
from popforecast.reports.warm import Worker
from popforecast.wpp.editions import DEFAULT_REVISION, load_panel

# What there may be a page for each of, and how the index says it.
COUNTRIES, AGGREGATES = "country", "aggregate"
EACH = {COUNTRIES: "countries and areas", AGGREGATES: "aggregates"}

SCRIPT = STYLE.with_name("filter.js")
TEMPLATE = "series.html.j2"


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


def make_series(
    name: str,
    each: str,
    parameters: Mapping[str, Any] | None = None,
    output: str | Path = "reports",
    jobs: int = 1,
    progress: bool = False,
    folder: Path | None = None,
    timeout: int = TIMEOUT,
    force: bool = False,
) -> tuple[Result, ...]:
    """Make a page of one notebook for each location of a kind, and an index of them.

    Pages that are fresh are left: one is stale if it was not made here, if the notebook, the package or the lock file
    changed since, or if its file is not as it was written. So a run that was stopped goes on where it was.

    Parameters
    ----------
    name : str
        A report that has a parameter ``location``.
    each : {"country", "aggregate"}
    parameters : dict, optional
        As for :func:`popforecast.reports.make_reports`; not the location.
    output : path
        The pages go into a folder of the notebook's name in this one; with changed parameters they have one of their
        own, as :func:`popforecast.reports.names.name_page` calls it.
    jobs, progress, folder, timeout
        As for :func:`popforecast.reports.make_reports`.
    force : bool
        Make fresh pages anew, too.

    Returns
    -------
    tuple of Result
        One for each location, by name.

    Raises
    ------
    ReportError
        If the report cannot be made for each location, a parameter does not fit, or the folder cannot be written to.
    UnknownRevisionError
        If there is no such revision.
    """
    check_installed()
    (notebook,) = choose_notebooks(find_notebooks(folder), [name])
    changed = _check(notebook, each, parameters or {}, jobs)
    places = list_places(str(changed.get("revision", notebook.defaults.get("revision", DEFAULT_REVISION))), each)
    site = Path(output) / name_page(notebook, changed)
    try:
        site.mkdir(parents=True, exist_ok=True)
        (site.parent / LOCK).parent.mkdir(exist_ok=True)
        write_together({site / path.name: path.read_bytes() for path in (STYLE, SORTING, SCRIPT)})
        keys = _read_keys(notebook, changed, places)
        status = _read_status(site)
        stale = [place for place in places if force or not _is_fresh(site, place, keys[place].checksum, status)]
        try:
            work = {place: _describe_job(notebook, changed, place, keys[place], timeout) for place in stale}
            with closing(_run(work, jobs)) as runs:
                for place, page, answer in _show(runs, len(places), len(stale), progress):
                    status = _publish(site, place, keys[place].checksum, page, answer)
        finally:
            # Of whatever there is, also when the run was stopped.
            _write_index(site, notebook, each, places, status, describe_changes(changed))
    except LockError:
        raise
    except OSError as error:
        raise ReportError(
            f"the pages cannot be written to {site} ({error.strerror}): choose a folder that can be written to, "
            "and has room"
        ) from error
    return tuple(_conclude(site, place, status[place.slug]) for place in places)


def list_places(revision: str, each: str) -> tuple[Place, ...]:
    """Return the locations of a kind, by name.

    Examples
    --------
    >>> places = list_places("wpp2024", "country")
    >>> len(places), places[0]
    (236, Place(slug='AFG', name='Afghanistan', group='Asia'))
    """
    from popforecast.panel.locations import normalise

    table = load_panel(revision).locations
    kept = table[(table["type"] == COUNTRY) == (each == COUNTRIES)]
    places = [
        Place(row.iso3 or str(row.Index), row.name, row.region or row.type)
        for row in kept.rename(columns={"name": "called"}).assign(name=kept["name"]).itertuples()
    ]
    return tuple(sorted(places, key=lambda place: normalise(place.name)))


def _check(notebook: Notebook, each: str, parameters: Mapping[str, Any], jobs: int) -> dict[str, Any]:
    if each not in EACH:
        raise ReportError(f"each {each!r}: expected one of {', '.join(EACH)}")
    if LOCATION not in notebook.defaults:
        raise ReportError(
            f"report {notebook.name} has no parameter {LOCATION!r}, so there can be no page for each {each}: expected "
            "one that has, such as country-profile"
        )
    if LOCATION in parameters:
        raise ReportError(
            f"parameter {LOCATION} {parameters[LOCATION]!r}: leave it out, there is a page for each {each}"
        )
    if jobs < 1:
        raise ReportError(f"jobs {jobs}: expected 1 or more")
    return find_changes(notebook, parameters)


def _read_keys(notebook: Notebook, changed: Mapping[str, Any], places: Sequence[Place]) -> dict[Place, Key]:
    """Return what each page is made of: the same as that of a report, and the same for all but the location."""
    common = read_key(notebook, changed, read_modules())
    return {place: replace(common, parameters={**common.parameters, LOCATION: place.slug}) for place in places}


def _describe_job(notebook: Notebook, changed: dict[str, Any], place: Place, key: Key, timeout: int) -> dict[str, Any]:
    return {
        "folder": str(notebook.path.parent),
        "name": notebook.name,
        "parameters": changed | {LOCATION: place.slug},
        "title": place.name,
        "key": asdict(key),
        "timeout": timeout,
    }


def _is_fresh(site: Path, place: Place, key: str, status: Mapping[str, Any]) -> bool:
    made = status.get(place.slug)
    if not made or made["error"] or made["key"] != key:
        return False
    try:
        return digest((site / f"{place.slug}.html").read_bytes()) == made["page"]
    except OSError:
        return False


def _run(work: Mapping[Place, dict[str, Any]], jobs: int) -> Iterator[tuple[Place, Path, dict[str, Any]]]:
    """Make pages side by side, each worker one after another; yield each as it ends, with where it is for now."""
    idle: SimpleQueue[Worker | None] = SimpleQueue()
    workers: list[Worker] = []
    with tempfile.TemporaryDirectory(prefix="popforecast-") as temporary, ThreadPoolExecutor(jobs) as pool:

        def run(place: Place) -> tuple[Place, Path, dict[str, Any]]:
            worker = idle.get()
            if worker is None or not worker.alive:
                worker = Worker(Path(tempfile.mkdtemp(dir=temporary)))
                workers.append(worker)
            page = Path(temporary) / f"{place.slug}.html"
            try:
                return place, page, worker.run(**work[place], target=str(page))
            finally:
                idle.put(worker)

        for _ in range(jobs):
            idle.put(None)
        futures = [pool.submit(run, place) for place in work]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.stop()


def _publish(site: Path, place: Place, key: str, page: Path, answer: dict[str, Any]) -> dict[str, Any]:
    """Write a page, and record how its run ended; return what is recorded of all pages."""
    with hold(site.parent / LOCK, site.parent):
        status = _read_status(site)
        made = status.get(place.slug, {"page": None, "key": None, "summary": ""}) | {"error": answer["error"]}
        if answer["error"] is None:
            content = page.read_bytes()
            write_atomically(site / f"{place.slug}.html", content)
            made |= {"page": digest(content), "key": key, "summary": answer["facts"]["summary"]}
        status[place.slug] = made
        text = json.dumps(dict(sorted(status.items())), indent=1, ensure_ascii=False) + "\n"
        write_atomically(_find_record(site), text.encode())
    return status


def _write_index(
    site: Path,
    notebook: Notebook,
    each: str,
    places: Sequence[Place],
    status: Mapping[str, Any],
    changed: str = "",
) -> None:
    groups: dict[str, list[dict[str, Any]]] = {}
    for place in places:
        made = status.get(place.slug)
        there = (site / f"{place.slug}.html").exists()
        entry = {"slug": place.slug, "name": place.name, "there": there, "error": made and made["error"]}
        groups.setdefault(place.group, []).append(entry)
    content = render_template(
        TEMPLATE,
        title=notebook.title,
        kind=EACH[each],
        changed=changed,
        groups=dict(sorted(groups.items())),
        entries=[entry for entries in groups.values() for entry in entries],
        above=(site.parent / INDEX).exists(),
    )
    write_atomically(site / INDEX, content.encode())


def _conclude(site: Path, place: Place, made: Mapping[str, Any]) -> Result:
    page = site / f"{place.slug}.html"
    return Result(place.slug, place.name, made["error"] is None, made["error"], page if page.exists() else None)


def _find_record(site: Path) -> Path:
    """Return where it stands what was made here: with what git ignores, not with what is published."""
    return site.parent / UNPUBLISHED / f"{site.name}.series.json"


def _read_status(site: Path) -> dict[str, Any]:
    try:
        status = json.loads(_find_record(site).read_text(encoding="utf-8"))
        return {
            slug: {name: made[name] for name in ("page", "key", "summary", "error")} for slug, made in status.items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        # It can be made again from the notebook; a damaged one must not keep it from running.
        return {}


def _show(ended: Iterator[Any], total: int, stale: int, progress: bool) -> Iterator[Any]:
    from tqdm import tqdm

    yield from tqdm(ended, total=total, initial=total - stale, desc="pages", unit="page", disable=not progress)
