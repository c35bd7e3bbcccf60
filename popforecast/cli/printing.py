"""Forecasts and scores as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd

from popforecast.charts.lettering import clean
from popforecast.forecasting.result import FORECAST, Forecast
from popforecast.panel.locations import disambiguate
from popforecast.text import INTERVALS, guard_formulas, round_in_full

# Maximum number of notes to print; JSON has all of them.
MOST_NOTES = 5

LOWER, UPPER = "lower_", "upper_"

ROUNDED = "Persons, rounded to thousands (to whole numbers where a location has figures below 10,000)"


def write_forecast(result: Forecast, medium: pd.DataFrame | None = None) -> str:
    """Return a forecast as text: a block per location, the source and notes.

    Parameters
    ----------
    result : Forecast
    medium : DataFrame, optional
        The UN's medium variant, as returned by :func:`popforecast.load_projections`, for a further column.
    """
    rows = result.to_frame()
    if medium is not None:
        known = medium.set_index(["location_code", "year"])["population"].to_dict()
        keys = zip(rows["location_code"], rows["year"], rows["variant"], strict=True)
        rows["medium"] = [known.get((code, year), np.nan) if of == FORECAST else np.nan for code, year, of in keys]
    return "\n".join([*_write_rows(rows), *write_foot(result.describe(), bool(result.levels))])


def write_answer(answer: Mapping[str, Any]) -> str:
    """Return an app's answer as text, in the format of :func:`write_forecast`."""
    rows = pd.DataFrame(answer["forecasts"])
    return "\n".join(
        [*_write_rows(rows), *write_foot(answer, any(column.startswith(LOWER) for column in map(str, rows)))]
    )


def _write_rows(rows: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of a table: the heading, then the name and the years of each location."""
    ahead = rows["variant"] == FORECAST
    levels = [column.removeprefix(LOWER) for column in map(str, rows) if column.startswith(LOWER) and ahead.any()]
    sides = [side + level for level in levels for side in (LOWER, UPPER)]
    more = ["medium"] if "medium" in rows and rows["medium"].notna().any() else []
    headings = ["", "Forecast" if ahead.any() else "Estimate", *(f"{level}% range" for level in levels)]
    lines: list[tuple[str, list[str]]] = [("", [*headings, *("UN medium" for _ in more)])]
    shown = disambiguate(dict(zip(rows["location_code"], rows["location"], strict=True)))
    for code, block in rows.groupby("location_code", sort=False):
        rounding = round_in_full(block[["population", *sides, *more]].to_numpy(object).ravel())
        lines.append((clean(shown[code]), []))
        for row in block.to_dict("records"):
            cells = [f"  {row['year']}", rounding.write(row["population"])]
            if row["variant"] == FORECAST:
                cells += [f"{rounding.write(row[LOWER + x])} – {rounding.write(row[UPPER + x])}" for x in levels]
                cells += [rounding.write(row[column]) for column in more]
            elif ahead.any():
                cells.append("estimate")
            lines.append(("", cells))
    width = [max(map(len, column)) for column in zip_longest(*(cells for _, cells in lines), fillvalue="")]
    for name, cells in lines:
        yield name or "  ".join(f"{cell:>{size}}" for cell, size in zip(cells, width, strict=False))


def write_foot(described: Mapping[str, Any], has_intervals: bool, figures: str = ROUNDED) -> list[str]:
    """Return the lines below a table, from the result of :meth:`popforecast.Forecast.describe`."""
    source = described["provenance"]
    notes = [clean(f"{note['location']}: {note['text']}") for note in described["notes"]]
    if len(notes) > MOST_NOTES:
        notes = [*notes[:MOST_NOTES], f"and {len(notes) - MOST_NOTES} more (see --format json)"]
    kind = f"; {INTERVALS[source['intervals']]}" if has_intervals else ""
    return [
        "",
        f"{source['source'] or 'own data'}, {source['model']} from {source['origin']}{kind}",
        figures,
        *(["Notes:", *(f"  {note}" for note in notes)] if notes else []),
    ]


def write_table(table: pd.DataFrame, form: str) -> str:
    """Return a table of scores as text in the format ``table``, ``csv`` or ``json``."""
    if form == "json":
        return table.to_json(orient="records", indent=2, double_precision=6) + "\n"
    if form == "csv":
        return guard_formulas(table).to_csv(index=False, lineterminator="\n", float_format="%.6g")
    # Without control characters, which could manipulate the terminal.
    cleaned = table.map(lambda cell: clean(cell) if isinstance(cell, str) else cell)
    return cleaned.to_string(index=False, float_format="{:.2f}".format)


def escape_controls(text: str) -> str:
    r"""Return a message with control characters and others that cannot be printed escaped.

    Examples
    --------
    >>> escape_controls("\x1b[2J gone: Côte d'Ivoire")
    "\\x1b[2J gone: Côte d'Ivoire"
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in text
    )
