"""Which series the UN has replaced since a revision, and what readers of a forecast from earlier ones must know.

The updates that the UN has published stand in ``data/updates.json``. As long as the tables lack one, forecasts of its
countries carry a note; :mod:`popforecast.wpp.updates` applies them.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from popforecast.data import DATA, REMEDY
from popforecast.errors import ReadError
from popforecast.panel import Panel
from popforecast.panel.groups import Membership
from popforecast.wpp.citation import say_date
from popforecast.wpp.editions import REVISIONS, find_edition, load_members
from popforecast.wpp.membership import Members, list_holding

KNOWN = "updates.json"

# A sum carries a note if the country makes up so much of it: even its doubling would not move a larger sum by more.
LEAST_SHARE = 0.01

OUTDATED = "the UN replaced this series on {}; the figures here are the earlier ones"
HOLDING = "it includes {}, whose series the UN replaced on {}; the figures here are the earlier ones"


@lru_cache(maxsize=1)
def load_known() -> tuple[Mapping[str, Any], ...]:
    """Load the updates that the UN has published: revision, date, locations, what and source, the oldest first."""
    return read_known(DATA)


def read_known(folder: Path) -> tuple[Mapping[str, Any], ...]:
    """Read the updates that are listed in a folder, the oldest first.

    Raises
    ------
    ReadError
        If the list cannot be read, or holds what is no update; the error names the entry and what is expected.

    Examples
    --------
    >>> [(known["revision"], known["date"], known["locations"]) for known in read_known(DATA)]
    [('wpp2024', '2026-01-19', [768])]
    """
    try:
        known = json.loads((folder / KNOWN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(f"the embedded list {KNOWN} cannot be read ({error}): {REMEDY}") from error
    if not isinstance(known, list):
        raise ReadError(f"the embedded list {KNOWN} holds no list of updates: {REMEDY}")
    for number, update in enumerate(known, start=1):
        fault = _find_fault(update if isinstance(update, dict) else {})
        if fault:
            raise ReadError(f"the embedded list {KNOWN}, entry {number}: {fault}; or {REMEDY}")
    return tuple(sorted(known, key=lambda update: update["date"]))


def _find_fault(update: Mapping[str, Any]) -> str | None:
    day: Any
    revision, day, codes = (update.get(name) for name in ("revision", "date", "locations"))
    if revision not in REVISIONS:
        return f"revision {revision!r}: expected one of {', '.join(REVISIONS)}"
    try:
        date.fromisoformat(day)
    except (TypeError, ValueError):
        return f"date {day!r}: expected one such as 2026-01-19"
    if not (isinstance(codes, list) and codes and all(type(code) is int for code in codes)):
        return f"locations {codes!r}: expected a list of codes, such as [768]"
    return None


def find_outdated(panel: Panel) -> dict[Hashable, str]:
    """Return the latest date at which the UN replaced a series that the panel has as it was before, by location.

    Examples
    --------
    >>> from popforecast.wpp.editions import load_panel
    >>> find_outdated(load_panel("wpp2019"))
    {}
    """
    edition = find_edition(panel)
    codes = panel.codes
    return {
        code: known["date"]
        for known in load_known()
        if edition and known["revision"] == edition.name
        for code in known["locations"]
        if code in codes
        and not any(code in update.locations and update.date >= known["date"] for update in panel.updates)
    }


def note_outdated(panel: Panel, membership: Membership | None = None) -> Iterator[tuple[Hashable, str]]:
    """Yield what readers of a forecast must know of figures that the UN has replaced since: code and sentence.

    The countries themselves have a note, and so has every sum of which they make up a hundredth or more.

    Parameters
    ----------
    panel : Panel
    membership : Membership, optional
        The aggregates and groups that are sums (default: the revision's aggregates).
    """
    outdated, index = find_outdated(panel), panel.codes
    for code, day in outdated.items():
        yield code, OUTDATED.format(say_date(day))
    for aggregate, codes in _list_sums(panel, membership, outdated) if outdated else ():
        rows = index.get_indexer(pd.Index(codes))
        whole = panel.values[index.get_indexer(pd.Index([aggregate])), -1].sum() if aggregate in index else np.inf
        if panel.values[rows, -1].sum() >= LEAST_SHARE * whole:
            names = " and ".join(panel.index.names[code] for code in codes)
            days = " and ".join(map(say_date, dict.fromkeys(outdated[code] for code in codes)))
            yield aggregate, HOLDING.format(names, days)


def _list_sums(
    panel: Panel, membership: Membership | None, codes: Iterable[Hashable]
) -> Iterator[tuple[Hashable, list[Hashable]]]:
    """Yield the sums that include some of the countries, each with those that it includes."""
    if membership is None:
        members = _load_members(str(panel.revision))
        yield from ((sum_, [code for code in codes if code in members[sum_]]) for sum_ in list_holding(members, codes))
        return
    columns = [(code, membership.countries.index(code)) for code in codes if code in membership.countries]
    held = membership.matrix[:, [column for _, column in columns]]
    for row in np.flatnonzero(held.any(axis=1)):
        yield membership.aggregates[row], [code for (code, _), is_in in zip(columns, held[row], strict=True) if is_in]


@lru_cache(maxsize=len(REVISIONS))
def _load_members(revision: str) -> Members:
    return load_members(revision)
