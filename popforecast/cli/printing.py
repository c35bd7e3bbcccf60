"""What the command line prints: forecasts and scores as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from popforecast.charts.lettering import clean
from popforecast.forecasting import Forecast
from popforecast.text import INTERVALS, format_population, guard_formulas

# Beyond this many locations a table with one column each no longer fits a terminal.
MOST_COLUMNS = 5

# What a column of persons is called, or begins with.
PERSONS = ("population", "lower_", "upper_")


def write_forecast(result: Forecast) -> str:
    """Write a forecast as a table, with its source and what a reader must know."""
    table = result.to_table()
    if result.levels:
        table = _add_intervals(table, result)
    table = table.set_axis([clean(str(heading)) for heading in table.columns], axis=1)
    if table.shape[1] > MOST_COLUMNS:
        table = table.T
    return "\n".join([table.to_string(), *_write_foot(result.describe(), bool(result.levels))])


def write_answer(answer: Mapping[str, Any]) -> str:
    """Write what an app answered as a table of one row for each location and year, with its source and notes."""
    rows = pd.DataFrame(answer["forecasts"])
    figures = [column for column in rows if column.startswith(PERSONS)]
    rows[figures] = rows[figures].map(format_population)
    return "\n".join([_clean(rows).to_string(index=False, na_rep=""), *_write_foot(answer, len(figures) > 1)])


def _write_foot(described: Mapping[str, Any], has_intervals: bool) -> list[str]:
    """Return the lines below a table, from what :meth:`popforecast.Forecast.describe` returns."""
    source = described["provenance"]
    notes = [clean(f"{note['location']}: {note['text']}") for note in described["notes"]]
    if len(notes) > MOST_COLUMNS:
        notes = [*notes[:MOST_COLUMNS], f"and {len(notes) - MOST_COLUMNS} more (see --format json)"]
    kind = f"; {INTERVALS[source['intervals']]}" if has_intervals else ""
    return [
        "",
        f"{source['source'] or 'own data'}, {source['model']} from {source['origin']}{kind}",
        "Persons, rounded to thousands above 10,000",
        *(["Notes:", *(f"  {note}" for note in notes)] if notes else []),
    ]


def _add_intervals(table: pd.DataFrame, result: Forecast) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for i, name in enumerate(table.columns):
        columns[name] = table[name]
        for level in result.levels:
            bounds = zip(result.lower[level][i], result.upper[level][i], strict=True)
            columns[f"{name}, {level:g}%"] = [
                "–" if low != low else f"{format_population(low)} to {format_population(high)}" for low, high in bounds
            ]
    return pd.DataFrame(columns, table.index)


def write_table(table: pd.DataFrame, form: str) -> str:
    """Write a table of scores as ``table``, ``csv`` or ``json``."""
    if form == "json":
        return table.to_json(orient="records", indent=2, double_precision=6) + "\n"
    if form == "csv":
        return guard_formulas(table).to_csv(index=False, lineterminator="\n", float_format="%.6g")
    return _clean(table).to_string(index=False, float_format="{:.2f}".format)


def escape_controls(text: str) -> str:
    r"""Return a message in which what would steer the terminal, or cannot be written, is shown by its number.

    Examples
    --------
    >>> escape_controls("\x1b[2J gone: Côte d'Ivoire")
    "\\x1b[2J gone: Côte d'Ivoire"
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _clean(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without what would steer the terminal."""
    return table.map(lambda cell: clean(cell) if isinstance(cell, str) else cell)
