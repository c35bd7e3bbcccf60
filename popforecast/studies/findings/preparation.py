"""Text of the report `1-prepare`: completeness, dropped rows, totals and interim updates."""

from __future__ import annotations

import pandas as pd

from popforecast.studies.preparation import Opening
from popforecast.wpp.citation import say_date
from popforecast.wpp.outdated import find_outdated


def tell_opening(opening: Opening, totals: pd.DataFrame, anomalies: pd.DataFrame) -> str:
    """Summarise a revision in a sentence: complete series, dropped rows, totals and unusual growth."""
    panel, dropped = opening.panel, len(opening.dropped)
    rows = "no row was" if not dropped else "1 row was" if dropped == 1 else f"{dropped} rows were"
    countries = "1 country has" if len(anomalies) == 1 else f"{len(anomalies)} countries have"
    return (
        f"{len(panel)} series are complete from {panel.years[0]} to {panel.origin}; {rows} dropped, the countries add "
        f"up to the world within {_measure_widest(totals):.1f} parts per million, and {countries} a year "
        "of unusual growth."
    )


def tell_dropped(opening: Opening) -> str:
    """Describe how many rows of the source were dropped.

    Examples
    --------
    >>> from popforecast.studies.preparation import open_revision
    >>> tell_dropped(open_revision("wpp2024"))
    'Nothing was dropped: all 297 series of the source are in the panel.'
    """
    dropped, kept = len(opening.dropped), len(opening.panel)
    if not dropped:
        return f"Nothing was dropped: all {kept} series of the source are in the panel."
    rows = "row was" if dropped == 1 else "rows were"
    return f"{kept} series of the source are in the panel; {dropped} {rows} dropped, each for the reason given:"


def tell_totals(totals: pd.DataFrame) -> str:
    """Describe the gap between the sum of the countries and the world total, and its likely cause.

    Parameters
    ----------
    totals : DataFrame
        As :func:`popforecast.studies.preparation.compare_totals` returns it.

    Examples
    --------
    >>> import popforecast as pf
    >>> from popforecast.studies.preparation import compare_totals
    >>> tell_totals(compare_totals(pf.load_panel("wpp2019")))[:86]
    'The sum of countries is between 14,000 persons below the world total and 10,000 above '
    """
    low, high, share = totals["gap"].min(), totals["gap"].max(), _measure_widest(totals)
    within = f"never more than {share:.1f} parts per million from it"
    if low < 0 < high:
        return (
            f"The sum of countries is between {-low:,} persons below the world total and {high:,} above it, "
            f"{within}: gaps in both directions are consistent with rounding."
        )
    if low == high == 0:
        return "The sum of countries equals the world total in every year."
    near, far = sorted((abs(low), abs(high)))
    side, whose = ("below", "places that the table does not list") if low < 0 else ("above", "places counted twice")
    return (
        f"The sum of countries is always {near:,} to {far:,} persons {side} the world total, {within}: too "
        f"one-sided to be rounding; {whose} would explain it."
    )


def tell_updates(opening: Opening) -> str:
    """Describe the interim updates applied to the panel, and those not applied.

    Examples
    --------
    >>> from popforecast.studies.preparation import open_revision
    >>> tell_updates(open_revision("wpp2019"))
    'wpp2019 is in its original version: no interim update is known.'
    """
    panel = opening.panel
    names = panel.locations["name"].to_dict()
    said = [
        f"The update of {say_date(update.date)} replaced {', '.join(names[code] for code in update.locations)}."
        for update in panel.updates
    ]
    said += [
        f"Not applied: on {say_date(day)} the UN replaced the series of {names[code]}."
        for code, day in find_outdated(panel).items()
    ]
    return " ".join(said) or f"{panel.revision} is in its original version: no interim update is known."


def _measure_widest(totals: pd.DataFrame) -> float:
    """Return the largest gap in parts per million of the world total, without the rounding of the table."""
    return float((1e6 * totals["gap"] / totals["world"]).abs().max())
