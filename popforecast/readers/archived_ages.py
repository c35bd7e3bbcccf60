"""Population by age of an old revision, with the open groups of its early years divided."""

from __future__ import annotations

import numpy as np
import pandas as pd

from popforecast.errors import ReadError
from popforecast.panel.components import AGES, SEXES
from popforecast.readers.members import BY_SEX
from popforecast.readers.un import MEDIUM, PAST

# Largest difference between a total and the sum of its ages, and the open group of some early years.
AGE_TOLERANCE = 0.01
OLD = 80


def read_ages(by_age: pd.DataFrame, totals: pd.DataFrame, last: int, source: str, notes: list[str]) -> pd.DataFrame:
    """Return estimates by age as a long table, after checking each group and the sum of all."""
    rows = by_age[by_age["Variant"].isin([PAST, MEDIUM]) & (by_age["Time"] <= last) & (by_age["Time"] % 5 == 0)]
    # The base year may stand in both variants.
    rows = rows.drop_duplicates(["LocID", "Time", "AgeGrpStart"])
    names = rows.drop_duplicates("LocID").set_index("LocID")["Location"]
    sums = rows.groupby(["LocID", "Time"])[BY_SEX].sum().sum(axis=1).rename("ages").reset_index()
    both = sums.merge(totals, on=["LocID", "Time"])
    wrong = both[(both["ages"] - both["PopTotal"]).abs() > AGE_TOLERANCE * both["PopTotal"]]
    for off in wrong.head(1).itertuples():
        raise ReadError(
            f"{source}: the ages of {off.Location} ({off.LocID}) in {off.Time} sum to {off.ages:,.3f} thousand; "
            f"expected its total, {off.PopTotal:,.3f}, within {100 * AGE_TOLERANCE:g}%"
        )
    odd = sorted(set(rows["AgeGrpStart"]) - set(AGES))
    if odd:
        raise ReadError(f"{source} has an age group that starts at {odd[0]}; expected 0, 5, ..., 100")
    rows = rows.rename(columns=dict(zip(BY_SEX, SEXES, strict=True)))
    long = rows.melt(["LocID", "Time", "AgeGrpStart"], SEXES, "sex", "persons")
    grid = long.pivot(index=["LocID", "sex", "Time"], columns="AgeGrpStart", values="persons").reindex(columns=AGES)
    groups = grid.to_numpy(copy=True)
    codes, sexes, years = (grid.index.get_level_values(level).to_numpy() for level in range(3))
    old = np.array(AGES) >= OLD
    is_open = np.isnan(groups[:, np.array(AGES) > OLD]).all(axis=1)
    for row in np.flatnonzero(is_open).tolist():
        code, year = codes[row], years[row]
        whole = np.flatnonzero((codes == code) & (sexes == sexes[row]) & ~is_open & (years > year))
        if not len(whole):
            raise ReadError(f"{source}: {names[code]} ({code}) has no later year than {year} with ages to 100 and over")
        first = groups[whole[0], old]
        shares = first / first.sum() if first.sum() else np.eye(len(first))[0]
        groups[row, old] = groups[row, AGES.index(OLD)] * shares
    if is_open.any():
        span = f"{years[is_open].min()} to {years[is_open].max()}"
        notes.append(f"{OLD} and over split by the first year with all ages: {span}")
    for row, column in np.argwhere(np.isnan(groups))[:1]:
        where = f"{names[codes[row]]} ({codes[row]}) has nobody stated at ages from {AGES[column]} in {years[row]}"
        raise ReadError(f"{source}: {where}; expected 0, 5, ..., 100 and over")
    return pd.DataFrame(
        {
            "location_code": np.repeat(codes, len(AGES)),
            "year": np.repeat(years, len(AGES)),
            "sex": np.repeat(sexes, len(AGES)),
            "age": np.tile(AGES, len(codes)),
            "population_thousands": groups.ravel(),
        }
    )
