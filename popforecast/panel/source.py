"""The source of a panel's figures: an edition of World Population Prospects and its updates."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Source:
    """The edition of World Population Prospects the figures were read from.

    Loading an embedded edition or reading a UN file attaches it; naming other figures ``wpp2024`` does not. What is
    known about an edition applies to its own figures only: its citation, the members of its aggregates, how the UN
    revised its base-year figures, and its projections.

    Attributes
    ----------
    edition : str

    Examples
    --------
    >>> Source("wpp2024")
    Source(edition='wpp2024')
    """

    edition: str


class Update(NamedTuple):
    """An interim update of a revision: newer series for some countries.

    Attributes
    ----------
    date : str
        Date of publication, such as ``2026-01-19``.
    locations : tuple
        Codes of the countries whose series were replaced.
    sha256 : str
        Checksum of the file.
    """

    date: str
    locations: tuple[Hashable, ...]
    sha256: str
