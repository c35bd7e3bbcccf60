"""What the command line prints: forecasts and scores as text."""

from __future__ import annotations

from typing import Any

import pandas as pd

from popforecast.display import INTERVALS, format_population
from popforecast.forecasting import Forecast

# Beyond this many locations a table with one column each no longer fits a terminal.
MOST_COLUMNS = 5


def write_forecast(result: Forecast) -> str:
    """Write a forecast as a table, with its source and what a reader must know."""
    table = result.to_table()
    if result.levels:
        table = _add_intervals(table, result)
    if table.shape[1] > MOST_COLUMNS:
        table = table.T
    source = result.provenance
    notes = [f"  {result.locations['name'][note.location_code]}: {note.text}" for note in result.notes]
    if len(notes) > MOST_COLUMNS:
        notes = [*notes[:MOST_COLUMNS], f"  and {len(notes) - MOST_COLUMNS} more (see --format json)"]
    kind = f"; {INTERVALS[source['intervals']]}" if result.levels else ""
    lines = [
        table.to_string(),
        "",
        f"{source['source'] or 'own data'}, {source['model']} from {source['origin']}{kind}",
        "Persons, rounded to thousands above 10,000",
        *(["Notes:", *notes] if notes else []),
    ]
    return "\n".join(lines)


def _add_intervals(table: pd.DataFrame, result: Forecast) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for i, name in enumerate(table.columns):
        columns[name] = table[name]
        for level in result.levels:
            bounds = zip(result.lower[level][i], result.upper[level][i], strict=True)
            columns[f"{name}, {level:g} %"] = [
                "–" if low != low else f"{format_population(low)} to {format_population(high)}" for low, high in bounds
            ]
    return pd.DataFrame(columns, table.index)


def write_table(table: pd.DataFrame, form: str) -> str:
    """Write a table of scores as ``table``, ``csv`` or ``json``."""
    if form == "json":
        return table.to_json(orient="records", indent=2, double_precision=6) + "\n"
    if form == "csv":
        return table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    return table.to_string(index=False, float_format="{:.2f}".format)
