"""Series of pages: one notebook run for each location, with an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from popforecast.errors import ReportError
from popforecast.panel import COUNTRY
from popforecast.reports.keys import read_key, read_package
from popforecast.reports.notebooks import (
    LOCATION,
    Notebook,
    choose_notebooks,
    describe_changes,
    find_changes,
    find_notebooks,
    name_page,
)
from popforecast.reports.pipeline import Step, compare
from popforecast.reports.publication import TIMEOUT, Result, check, explain, make_pages
from popforecast.reports.site import Place, Site
from popforecast.wpp.editions import DEFAULT_REVISION, load_panel

# Kinds of locations with pages, and their names in the index.
COUNTRIES, AGGREGATES = "country", "aggregate"
EACH = {COUNTRIES: "countries and areas", AGGREGATES: "aggregates"}


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
    """Make a page of one notebook for each location of a kind, with an index, and return the results.

    Only stale pages are made: those not made in this folder, those whose notebook, package or lock file has changed,
    and those whose file was modified. An interrupted run therefore continues where it stopped.

    Parameters
    ----------
    name : str
        Name of a report with a parameter ``location``.
    each : {"country", "aggregate"}
    parameters : dict, optional
        As for :func:`popforecast.reports.make_reports`, without the location.
    output : path
        Parent of the folder of the pages, which is named after the notebook and any changed parameters, as
        :func:`popforecast.reports.notebooks.name_page` returns it.
    jobs, progress, folder, timeout
        As for :func:`popforecast.reports.make_reports`.
    force : bool
        Whether to make fresh pages too.

    Returns
    -------
    tuple of Result
        One result per location, ordered by name.

    Raises
    ------
    ReportError
        If the report has no location parameter, a parameter is invalid, or the folder is not writable.
    UnknownRevisionError
        If the revision is unknown.
    """
    check(jobs, timeout)
    (notebook,) = choose_notebooks(find_notebooks(folder), [name])
    changed = _find_changes(notebook, each, parameters or {})
    places = list_places(str(changed.get("revision", notebook.defaults.get("revision", DEFAULT_REVISION))), each)
    site = Site(Path(output), name_page(notebook, changed))
    with explain(site):
        steps = compare(_list_steps(notebook, changed, places), site, force)
        site.open()
        try:
            results = make_pages(steps, site, jobs, timeout, progress)
        finally:
            # Lists the pages that exist, even if the run was interrupted.
            site.write_places(notebook.title, EACH[each], places, describe_changes(changed))
    return tuple(results[place.slug] for place in places)


def list_places(revision: str, each: str) -> tuple[Place, ...]:
    """Return the locations of a kind, ordered by name.

    Examples
    --------
    >>> places = list_places("wpp2024", "country")
    >>> len(places), places[0]
    (236, Place(slug='AFG', name='Afghanistan', group='Asia'))
    """
    from popforecast.panel.locations import normalise

    table = load_panel(revision).locations
    kept = table[(table["type"] == COUNTRY) == (each == COUNTRIES)]
    rows = kept[["iso3", "name", "region", "type"]].itertuples(name=None)
    places = [Place(str(iso3 or code), str(name), str(region or kind)) for code, iso3, name, region, kind in rows]
    return tuple(sorted(places, key=lambda place: normalise(place.name)))


def _find_changes(notebook: Notebook, each: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
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
    return find_changes(notebook, parameters)


def _list_steps(notebook: Notebook, changed: Mapping[str, Any], places: Iterable[Place]) -> Iterator[Step]:
    """Yield the step of each location: the same notebook and inputs, except for the location."""
    common = read_key(notebook, changed, read_package())
    for place in places:
        own = {LOCATION: place.slug}
        # The location of a page does not count as a changed parameter.
        named = replace(notebook, title=place.name, defaults={**notebook.defaults, **own})
        key = replace(common, parameters={**common.parameters, **own})
        yield Step(place.slug, place.slug, named, {**changed, **own}, key)
