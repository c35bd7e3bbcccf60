"""Interim updates: newer series of some countries, published by the UN between two revisions.

An update replaces the series of its countries and changes every aggregate that includes one of them by the same number
of persons in each year. :mod:`popforecast.wpp.outdated` lists the published updates.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from popforecast.panel import COUNTRY, Panel
from popforecast.wpp.membership import Members, list_holding
from popforecast.wpp.replacements import Replacement
from popforecast.wpp.tables import Tables


def apply_update(tables: Tables, replacement: Replacement) -> Tables:
    """Return the tables with the new series, and with aggregates changed by the same number of persons.

    Any remainder of an aggregate beyond its countries is kept. Its medium variant changes like its estimates; its
    bounds are left out because they are not sums. If the file has no projections, those of its countries and their
    aggregates are left out because they started from the replaced figures.
    """
    moved = replace_series(tables.panel, replacement.estimates, tables.members)
    panel = replace(moved, updates=(*moved.updates, replacement.update))
    projections = tables.projections
    if projections is not None:
        projections = _move_projections(projections, replacement, tables)
    source = tables.source | {"updates": [*tables.source.get("updates", ()), replacement.describe()]}
    return Tables(panel, projections, tables.members, source)


def replace_series(panel: Panel, series: Panel, members: Members) -> Panel:
    """Return the panel with new series of some countries, and with aggregates changed by the same number of persons.

    Examples
    --------
    >>> places = pd.DataFrame({"name": ["All", "A", "B"]}, index=[0, 1, 2])
    >>> panel = Panel([[9, 11], [4, 5], [5, 5]], [2000, 2001], places)
    >>> replace_series(panel, Panel([[3, 1]], [2000, 2001], places.loc[[1]]), {0: (1, 2)}).values.tolist()
    [[8.0, 7.0], [3.0, 1.0], [5.0, 5.0]]
    """
    change = np.zeros(panel.values.shape)
    rows = panel.locations.index.get_indexer(series.locations.index)
    change[rows] = series.values - panel.values[rows]
    row_of = {code: row for row, code in enumerate(panel.locations.index)}
    for aggregate in list_holding(members, series.locations.index):
        change[row_of[aggregate]] = change[[row_of[code] for code in members[aggregate]]].sum(axis=0)
    return replace(panel, values=panel.values + change)


def tabulate_changes(before: Panel, after: Panel) -> pd.DataFrame:
    """Return the changes made by an update: location, year, before, after (persons) and change (percent).

    Countries are listed for the first and last year and years divisible by ten; aggregates for the last year only.

    Examples
    --------
    >>> places = pd.DataFrame({"name": ["All", "A", "B"], "type": ["World", COUNTRY, COUNTRY]}, index=[0, 1, 2])
    >>> panel = Panel([[9, 10], [4, 5], [5, 5]], [2000, 2001], places)
    >>> after = replace_series(panel, Panel([[4, 4]], [2000, 2001], places.loc[[1]]), {0: (1, 2)})
    >>> tabulate_changes(panel, after).values.tolist()
    [['A', 2000, 4, 4, 0.0], ['A', 2001, 5, 4, -20.0], ['All', 2001, 10, 9, -10.0]]
    """
    rows = np.flatnonzero((before.values != after.values).any(axis=1))
    countries = before.locations["type"].to_numpy()[rows] == COUNTRY
    listed = np.flatnonzero((before.years % 10 == 0) | np.isin(before.years, before.years[[0, -1]]))
    cells = [(row, column) for row in rows[countries].tolist() for column in listed.tolist()]
    cells += [(row, len(before.years) - 1) for row in rows[~countries].tolist()]
    at = tuple(np.array(cells, dtype=np.intp).reshape(-1, 2).T)
    then, now = (np.rint(panel.values[at]).astype(np.int64) for panel in (before, after))
    return pd.DataFrame(
        {
            "location": before.locations["name"].to_numpy()[at[0]],
            "year": before.years[at[1]],
            "before": then,
            "after": now,
            "change": np.round(100 * (now / np.maximum(then, 1) - 1), 2),
        }
    )


def _move_projections(projections: pd.DataFrame, replacement: Replacement, tables: Tables) -> pd.DataFrame:
    updated = list(replacement.update.locations)
    holding = list_holding(tables.members, updated)
    others = projections[~projections["location_code"].isin([*updated, *holding])]
    if replacement.projections is None:
        return others.reset_index(drop=True)
    then, now = (
        table.pivot(index="location_code", columns="year", values="population")
        for table in (projections, replacement.projections)
    )
    change = now - then.reindex(now.index)
    moved = {
        aggregate: then.T[aggregate] + change.loc[[c for c in updated if c in tables.members[aggregate]]].sum()
        for aggregate in holding
        # An earlier update may have left out the projection of this aggregate.
        if aggregate in then.index
    }
    sums = (
        pd.DataFrame(moved)
        .rename_axis("year")
        .melt(ignore_index=False, var_name="location_code", value_name="population")
    )
    table = pd.concat([others, replacement.projections, sums.reset_index()], ignore_index=True)[projections.columns]
    order = table["location_code"].map({code: row for row, code in enumerate(tables.panel.locations.index)})
    table = table.iloc[np.lexsort([table["year"], order])].reset_index(drop=True)
    return table.astype({"location_code": np.int64, "year": np.int64, "population": np.int64})
