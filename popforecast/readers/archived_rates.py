"""Mortality and fertility of an old revision, by five-year period, from the tables of its zip."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from popforecast.errors import ReadError
from popforecast.panel.components import (
    FERTILE_AGES,
    FEWEST_BOYS,
    MORTALITY_AGES,
    MOST_BOYS,
    MOST_CHILDREN,
    MOST_DEATHS,
    MOST_OLD_DEATHS,
    SPAN,
)
from popforecast.readers.members import read_cells
from popforecast.readers.un import MEDIUM, PAST

# Members, by name.
LIFE_TABLES, FERTILITY, INDICATORS = r"life_?table.*\.csv$", r"fertility_?by_?age.*\.csv$", r"indicators.*\.csv$"
KINDS = {LIFE_TABLES: "Life_Table", FERTILITY: "Fertility_by_Age", INDICATORS: "Indicators"}

PLACE = ["LocID", "Location", "start"]
SEXES = {"male": "M", "female": "F"}
SHARES, RATES = "PASFR", "ASFR"
FLOWS = {"Births": "births_thousands", "Deaths": "deaths_thousands", "NetMigrations": "net_migration_thousands"}
COLUMNS = ["LocID", "Location", "Variant", "Time", "Sex", "AgeGrpStart", "mx", SHARES, RATES, "TFR", "SRB", *FLOWS]

# Boys per 100 girls in some revisions, per girl in others.
HUNDRED = 100


class Rates(NamedTuple):
    """Tables for :meth:`popforecast.panel.components.Components.from_frames`, by the names of its arguments."""

    mortality: pd.DataFrame
    fertility: pd.DataFrame
    fertility_by_age: pd.DataFrame
    annual: pd.DataFrame | None


def read_rates(path: Path, last: int) -> Rates | str:
    """Return the rates of all complete periods up to a year, or the name of what is not in the zip.

    Annual rates, of revisions since 2022, are averaged over periods from mid-year to mid-year: the first and the last
    of six calendar years count half. Fertility by age is relative to all children of women aged 15 to 49.

    Raises
    ------
    ReadError
        If a figure is missing or out of range; the error names place and year.
    """
    tables = {kind: read_cells(path, kind, COLUMNS) for kind in KINDS}
    absent = [name for kind, name in KINDS.items() if tables[kind] is None]
    if absent:
        return " and ".join(absent)
    life, births, indicators = (_prepare(table, path.name, last) for table in tables.values() if table is not None)
    annual = _list_flows(indicators, path.name)
    return Rates(
        _read_mortality(life, path.name, last),
        _read_fertility(indicators, path.name, last),
        _read_shares(births, path.name, last),
        annual,
    )


def _prepare(table: pd.DataFrame, source: str, last: int) -> pd.DataFrame:
    """Return estimates up to a year, with the first year of each period as a number."""
    for column in ("LocID", "Location", "Variant", "Time"):
        if column not in table:
            raise ReadError(f"{source} has a table of rates without column {column!r}: expected LocID, Location, ...")
    starts = table["Time"].str.extract(r"^([0-9]{4})(?:-[0-9]{4})?$")[0]
    for time in table["Time"][starts.isna()].head(1):
        raise ReadError(f"{source} has rates for the time {time!r}: expected a year or a period, such as 1950-1955")
    table = table.assign(start=starts.astype(np.int64))
    return table[table["Variant"].str.casefold().isin([PAST, MEDIUM]) & (table["start"] <= last)]


def _read_mortality(table: pd.DataFrame, source: str, last: int) -> pd.DataFrame:
    table = table.assign(sex=_take(table, "Sex", source).str.casefold().map(SEXES)).dropna(subset="sex")
    table["age"] = _parse(table, "AgeGrpStart", source, 0, 200).astype(np.int64)
    table = table[table["age"] <= MORTALITY_AGES[-1]]
    is_old = table["age"] == MORTALITY_AGES[-1]
    rates = [
        _parse(rows, "mx", source, 0, most)
        for rows, most in ((table[~is_old], MOST_DEATHS), (table[is_old], MOST_OLD_DEATHS))
    ]
    table = _average(table.assign(mx=pd.concat(rates)), ["sex", "age"], "mx", source, last)
    return _finish(_check_groups(table, MORTALITY_AGES, source), ["sex", "age", "mx"])


def _read_shares(table: pd.DataFrame, source: str, last: int) -> pd.DataFrame:
    """Return fertility by age in percent of the total, from percentages, or else from rates per 1,000 women."""
    column, most = (SHARES, 100.0) if SHARES in table else (RATES, 1000.0)
    table = table.assign(age=_parse(table, "AgeGrpStart", source, 0, 200).astype(np.int64))
    table = table[table["age"].isin(FERTILE_AGES)]
    # Places with few people have rows without figures.
    table = table[_take(table, column, source) != ""]
    table = _average(table.assign(**{column: _parse(table, column, source, 0, most)}), ["age"], column, source, last)
    table = _check_groups(table, FERTILE_AGES, source)
    sums = table.groupby(PLACE)[column].transform("sum")
    for row in table[sums <= 0].head(1).itertuples():
        raise ReadError(f"{source}: {column} of {row.Location} ({row.LocID}) in {row.start} are zero at all ages")
    return _finish(table.assign(percent=100 * table[column] / sums), ["age", "percent"])


def _read_fertility(table: pd.DataFrame, source: str, last: int) -> pd.DataFrame:
    table = table[_take(table, "TFR", source) != ""]
    table = table.assign(TFR=_parse(table, "TFR", source, 0, MOST_CHILDREN))
    ratio = _parse(table, "SRB", source, FEWEST_BOYS, HUNDRED * MOST_BOYS)
    table = table.assign(SRB=ratio.where(ratio < HUNDRED / 2, ratio / HUNDRED))
    table["SRB"] = _parse(table, "SRB", source, FEWEST_BOYS, MOST_BOYS)
    total, boys = (_average(table, [], column, source, last) for column in ("TFR", "SRB"))
    both = total[["LocID", "start", "TFR"]].merge(boys[["LocID", "start", "SRB"]], how="left", on=["LocID", "start"])
    return _finish(both, ["TFR", "SRB"]).rename(columns={"TFR": "tfr", "SRB": "sex_ratio_at_birth"})


def _list_flows(table: pd.DataFrame, source: str) -> pd.DataFrame | None:
    """Return births, deaths and net migration by calendar year; None if they are stated by period or not at all."""
    if not _is_annual(table) or not set(FLOWS) <= set(table):
        return None
    table = table[_take(table, "TFR", source) != ""]
    flows = {
        FLOWS[column]: _parse(table, column, source, -np.inf if column == "NetMigrations" else 0, np.inf)
        for column in FLOWS
    }
    tfr = _parse(table, "TFR", source, 0, MOST_CHILDREN)
    return pd.DataFrame(
        {"location_code": table["LocID"], "year": table["start"], **flows, "tfr": tfr}
    ).drop_duplicates()


def _is_annual(table: pd.DataFrame) -> bool:
    return bool((table["start"] % SPAN != 0).any())


def _average(table: pd.DataFrame, keys: list[str], column: str, source: str, last: int) -> pd.DataFrame:
    """Return five-yearly figures as they are, and annual ones as means over periods that have ended."""
    # The last year of estimates may stand in both variants.
    table = table.drop_duplicates([*PLACE, *keys, column])
    for row in table[table.duplicated([*PLACE, *keys])].head(1).itertuples():
        raise ReadError(
            f"{source}: {row.Location} ({row.LocID}) has two figures of {column} in {row.Time}; expected one"
        )
    if not _is_annual(table):
        return table[table["start"] + SPAN <= last]
    cells = table.pivot(index=["LocID", "Location", *keys], columns="start")[column]
    weights = np.array([0.5, 1, 1, 1, 1, 0.5]) / SPAN
    starts = [year for year in cells if year % SPAN == 0 and set(range(year, year + SPAN + 1)) <= set(cells)]
    means = {year: cells[list(range(year, year + SPAN + 1))].to_numpy() @ weights for year in starts}
    ended = pd.DataFrame(means, cells.index)
    return ended.melt(var_name="start", value_name=column, ignore_index=False).reset_index()


def _check_groups(table: pd.DataFrame, ages: tuple[int, ...], source: str) -> pd.DataFrame:
    """Check that each place has all age groups in each period for which it has any."""
    keys = [*PLACE, "sex"] if "sex" in table else PLACE
    wide = table.assign(known=True).pivot_table(index=keys, columns="age", values="known", aggfunc="any")
    lacking = wide.reindex(columns=list(ages)).isna()
    for key, row in lacking[lacking.any(axis=1)].head(1).iterrows():
        code, name, year, *sex = key if isinstance(key, tuple) else (key,)
        first = row.index[row.to_numpy(dtype=bool)][0]
        raise ReadError(
            f"{source}: {name} ({code}) has no rate at ages from {first}{f', sex {sex[0]}' if sex else ''}, in {year}; "
            f"expected {', '.join(map(str, ages[:3]))}, ..., {ages[-1]}"
        )
    return table


def _take(table: pd.DataFrame, column: str, source: str) -> pd.Series:
    if column not in table:
        raise ReadError(f"{source} has a table of rates without column {column!r}")
    return table[column]


def _parse(table: pd.DataFrame, column: str, source: str, least: float, most: float) -> pd.Series:
    """Return a column as numbers, after checking their range; the sex ratio at birth may be empty."""
    cells = _take(table, column, source)
    figures = pd.to_numeric(cells, errors="coerce").astype(np.float64)
    fine = figures.between(least, most) | ((column == "SRB") & (cells.isna() | (cells == "")))
    for at in np.flatnonzero(~fine)[:1]:
        row = table.iloc[at]
        age = f" at ages from {row['AgeGrpStart']}" if "AgeGrpStart" in row and column != "AgeGrpStart" else ""
        raise ReadError(
            f"{source}: {column} {cells.iloc[at]!r} of {row['Location']} ({row['LocID']}) in {row['Time']}{age}; "
            f"expected a number from {least:g} to {most:g}"
        )
    return figures


def _finish(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return table[["LocID", "start", *columns]].rename(columns={"LocID": "location_code", "start": "period_start"})
