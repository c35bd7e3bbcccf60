"""Which edition a panel's figures were read from: what a name alone cannot vouch for."""

from __future__ import annotations

from dataclasses import dataclass


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
