"""Which edition a panel's figures were read from, and which interim updates are in them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Source:
    """The edition of World Population Prospects that the figures were read from.

    Loading an embedded edition, or reading one of the UN's files, attaches it; calling one's own figures ``wpp2024``
    does not. What is known of an edition holds for its own figures alone: its citation, which countries make up which
    aggregate, how the UN revised its base figures, and its own projections.

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
    """An interim update of a revision: newer series of some countries, in place of the revision's own.

    Attributes
    ----------
    date : str
        When it was published, as in ``2026-01-19``.
    locations : tuple
        Codes of the countries whose series were replaced.
    sha256 : str
        Checksum of the file.
    """

    date: str
    locations: tuple[Hashable, ...]
    sha256: str
