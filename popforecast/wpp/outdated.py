"""Series replaced by the UN since a revision, and cautions about forecasts from the earlier series.

Published updates are listed in ``data/updates.csv``. Until an update is applied (:mod:`popforecast.wpp.updates`),
forecasts of its countries carry a note.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from popforecast.data import DATA, read_facts
from popforecast.panel import Panel
from popforecast.panel.groups import Membership
from popforecast.wpp.citation import say_date
from popforecast.wpp.editions import REVISIONS, find_edition, load_members
from popforecast.wpp.membership import Members, list_holding

# Minimum share of the country in an aggregate for a note: below it, even doubling the country adds less than 1%.
LEAST_SHARE = 0.01

OUTDATED = "the UN replaced this series on {}; the figures here are the earlier ones"
HOLDING = "it includes {}, whose series the UN replaced on {}; the figures here are the earlier ones"


class Known(NamedTuple):
    """An update published by the UN, whether applied here or not."""

    revision: str
    date: str
    locations: tuple[int, ...]
    what: str
    source: str


@cache
def load_known(folder: Path = DATA) -> tuple[Known, ...]:
    """Load the updates published by the UN, oldest first.

    Raises
    ------
    ReadError
        If the list cannot be read or an entry is not valid; the error names the line and what is expected.

    Examples
    --------
    >>> [(known.revision, known.date, known.locations) for known in load_known()]
    [('wpp2024', '2026-01-19', (768,))]
    """
    rows = read_facts(
        "updates.csv", folder, revision=_read_revision, date=_read_date, locations=_read_codes, what=str, source=str
    )
    return tuple(sorted((Known(*row) for row in rows), key=lambda known: known.date))


def _read_revision(text: str) -> str:
    if text not in REVISIONS:
        raise ValueError(f"expected one of {', '.join(REVISIONS)}")
    return text


def _read_date(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _read_codes(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


def find_outdated(panel: Panel) -> dict[Hashable, str]:
    """Return the locations whose series in the panel the UN has since replaced, with the date of the latest update.

    Examples
    --------
    >>> from popforecast.wpp.editions import load_panel
    >>> find_outdated(load_panel("wpp2019"))
    {}
    """
    edition = find_edition(panel)
    codes = panel.codes
    return {
        code: known.date
        for known in load_known()
        if edition and known.revision == edition.name
        for code in known.locations
        if code in codes and not any(code in update.locations and update.date >= known.date for update in panel.updates)
    }


def note_outdated(panel: Panel, membership: Membership | None = None) -> Iterator[tuple[Hashable, str]]:
    """Yield cautions about figures the UN has since replaced, as pairs of location code and sentence.

    There is one for each of these countries, and for each aggregate of which they make up at least 1%.

    Parameters
    ----------
    panel : Panel
    membership : Membership, optional
        The aggregates and groups forecast as sums (default: the aggregates of the revision).
    """
    outdated, index = find_outdated(panel), panel.codes

    def count(code: Hashable) -> float:
        # Codes are unique. An indexer would take ten times as long, in every forecast.
        return float(panel.values[cast(int, index.get_loc(code)), -1])

    for code, day in outdated.items():
        yield code, OUTDATED.format(say_date(day))
    for aggregate, codes in _list_sums(panel, membership, outdated) if outdated else ():
        if sum(map(count, codes)) >= LEAST_SHARE * (count(aggregate) if aggregate in index else np.inf):
            names = " and ".join(panel.index.names[code] for code in codes)
            days = " and ".join(map(say_date, dict.fromkeys(outdated[code] for code in codes)))
            yield aggregate, HOLDING.format(names, days)


def _list_sums(
    panel: Panel, membership: Membership | None, codes: Iterable[Hashable]
) -> Iterator[tuple[Hashable, list[Hashable]]]:
    """Yield the aggregates that include any of the countries, each with the countries it includes."""
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
