"""Parts of the citation of UN figures: publisher, licence and dates."""

from __future__ import annotations

from datetime import date

LICENCE = "CC BY 3.0 IGO"
LICENCE_URL = "https://creativecommons.org/licenses/by/3.0/igo/"
PUBLISHER = "United Nations, Department of Economic and Social Affairs, Population Division"


def say_date(text: str) -> str:
    """Return an ISO date written out in English.

    Examples
    --------
    >>> say_date("2026-01-19")
    '19 January 2026'
    """
    day = date.fromisoformat(text)
    return f"{day.day} {day:%B %Y}"
