"""Track records: past accuracy of the forecasts of each location, computed in advance and embedded with the tables."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

import popforecast.models as models
from popforecast.evaluation import scores
from popforecast.evaluation.backtesting import backtest
from popforecast.evaluation.table import mark_held
from popforecast.evaluation.vintages import BOTH, PUBLISHED, RAW, STATED, UN, compare_vintages
from popforecast.forecasting import DEFAULT_MODEL, REAL_TIME
from popforecast.forecasting import calibration as intervals
from popforecast.forecasting.reconciliation import measure_shares, sum_members
from popforecast.models.base import Model
from popforecast.panel import Panel
from popforecast.panel.groups import Membership, build_membership
from popforecast.wpp.editions import (
    DATA,
    DEFAULT_REVISION,
    REVISIONS,
    VINTAGES,
    get_edition,
    get_revision,
    load_members,
    load_panel,
    load_projections,
    read_checked,
)
from popforecast.wpp.pairing import take_years

MANIFEST = "embedding.json"
VINTAGE_RECORD = "vintage-record.csv"
HORIZONS = (1, 5, 10, 20)

# Levels with recorded coverage. They are columns of the embedded tables, so independent of the default levels.
LEVELS = (80, 95)

# First origin scored: earlier ones have too little history to estimate from.
FIRST_ORIGIN = 1988

# Models without a test on the final data of a revision, and the reason.
UNRECORDED = dict.fromkeys(
    (("wpp2019", "cohort"), ("wpp2019", "combination")),
    "There is no test on the data of the 2019 edition: its annual figures are interpolated between five-year points, "
    "so last year's growth reveals next year's, which flatters only the models of annual growth.",
)


def load_record(revision: str = DEFAULT_REVISION) -> pd.DataFrame:
    """Return the accuracy of every model for every location, from a backtest on final data at every origin since 1988.

    Aggregates are forecast as sums of their countries, except by ``ar1``. Final data make every model look better than
    in real time: for errors on the data available at the time, see :func:`load_vintage_record`.

    Parameters
    ----------
    revision : {"wpp2024", "wpp2019"}

    Returns
    -------
    DataFrame
        location_code, model, horizon (1, 5, 10, 20), n (number of outcomes), mape, median_ape, coverage_80,
        coverage_95; all in percent except n.

    Raises
    ------
    UnknownRevisionError
        If there is no such revision.
    ReadError
        If the embedded table is damaged.

    Examples
    --------
    >>> record = load_record("wpp2024").query("location_code == 392 and model == 'panel-ar'")
    >>> record[["horizon", "n"]].values.tolist()
    [[1, 35], [5, 31], [10, 26], [20, 16]]
    """
    wide = _read(record_name(get_revision(revision).name))
    size = (len(wide), len(HORIZONS))

    def stack(measure: str) -> np.ndarray:
        return wide[[f"{measure}_{horizon}" for horizon in HORIZONS]].to_numpy().ravel()

    n = stack("n")
    columns = {
        "location_code": np.repeat(wide["location_code"].to_numpy(), size[1]),
        "model": np.repeat(wide["model"].to_numpy(), size[1]),
        "horizon": np.tile(HORIZONS, size[0]),
        "n": n,
        "mape": stack("mape"),
        "median_ape": stack("median_ape"),
    }
    for level in LEVELS:
        columns[f"coverage_{level}"] = (100 * stack(f"held_{level}") / n).round(2)
    return pd.DataFrame(columns)


def load_vintage_record() -> pd.DataFrame:
    """Return real-time errors of the default model and of the UN, for forecasts from the 2010 and 2012 editions.

    Each forecast uses the data available at the time and is scored against the latest revision, without rebasing.
    Countries that the revisions define differently are left out; regions are included if they have the same countries
    in all revisions.

    Returns
    -------
    DataFrame
        location_code, vintage, origin, year, outcome, population (our forecast), ape, published_held_80,
        published_held_95, held_80, held_95, then un_population, un_ape, un_held_80, un_held_95 for the UN's medium
        variant and bounds. Errors are in percent; held is whether the interval contained the outcome.
        ``published_held``: intervals that could have been published at the time. ``held``: intervals allowing for later
        revisions of other countries' base-year population (five folds), which could not be known in advance. Missing
        if the UN gave no bounds, and for our regions, because their joint revisions are observed only once.

    Raises
    ------
    ReadError
        If the embedded table is damaged.

    Examples
    --------
    >>> nigeria = load_vintage_record().query("location_code == 566 and vintage == 'wpp2012' and year == 2020")
    >>> nigeria[["ape", "un_ape"]].round().values.tolist()
    [[3.0, 2.0]]
    """
    return _read(VINTAGE_RECORD, dtype=dict.fromkeys(_list_held(), "boolean"))


def tell_coverage(record: pd.DataFrame, level: int = 95) -> str:
    """Return a sentence on the real-time coverage of our intervals for countries.

    Parameters
    ----------
    record : DataFrame
        As returned by :func:`load_vintage_record`.
    level : {80, 95}
    """
    scored = record[record[f"held_{level}"].notna()]
    then, since = (100 * scored[f"{prefix}held_{level}"].mean() for prefix in ("published_", ""))
    editions = " and ".join(str(get_edition(name).edition) for name in sorted(scored["vintage"].unique()))
    return (
        f"Across countries, {DEFAULT_MODEL}'s {level}% ranges from the UN's {editions} editions contained "
        f"{then:.0f}% of {len(scored)} outcomes using what was known at the time, and {since:.0f}% after allowing "
        "for later revisions of other countries, which could not be known in advance."
    )


def record_name(revision: str) -> str:
    """Return the file name of the table that :func:`load_record` reads."""
    return f"{revision}-record.csv"


def measure_record(panel: Panel) -> pd.DataFrame:
    """Compute the table for :func:`load_record`: a row for each location and model, columns for each horizon.

    Columns: location_code, model, then n, mape, median_ape (percent) and held_80, held_95 (number of outcomes inside
    the interval), each with the horizon as suffix, as in ``mape_10``.
    """
    names = [name for name in models.MODELS if (panel.revision, name) not in UNRECORDED]
    long = _measure(panel, names)
    columns = {
        f"{measure}_{horizon}": long[measure].unstack("horizon")[horizon] for horizon in HORIZONS for measure in long
    }
    wide = pd.DataFrame(columns)
    rows = pd.MultiIndex.from_product([panel.locations.index, names], names=["location_code", "model"])
    return wide.reindex(rows).reset_index()


def measure_model(panel: Panel, model: Model) -> pd.DataFrame:
    """Return the past accuracy of one model, in the columns of :func:`load_record`."""
    long = _measure(panel, [model]).reset_index()
    for level in LEVELS:
        long[f"coverage_{level}"] = (100 * long.pop(f"held_{level}") / long["n"]).round(2)
    return long


def _measure(panel: Panel, specifications: Sequence[str | Model]) -> pd.DataFrame:
    origins = panel.years[(panel.years >= FIRST_ORIGIN) & (panel.years < panel.origin)]
    errors = backtest(panel, specifications, origins.tolist(), HORIZONS, LEVELS).errors
    errors = mark_held(errors, LEVELS)
    measures: dict[str, Any] = {"n": ("ape", "size"), "mape": ("ape", "mean"), "median_ape": ("ape", "median")}
    measures |= {f"held_{level}": (f"held_{level}", "sum") for level in LEVELS}
    return errors.groupby(["location_code", "model", "horizon"]).agg(**measures).round(2)


def measure_vintage_record() -> pd.DataFrame:
    """Compute the table for :func:`load_vintage_record` from all embedded vintages."""
    return pd.concat([_measure_vintage(name) for name in VINTAGES], ignore_index=True)


def _measure_vintage(name: str) -> pd.DataFrame:
    result = compare_vintages(name, DEFAULT_REVISION, DEFAULT_MODEL, LEVELS, intervals=BOTH)
    then, errors = load_panel(name), result.errors
    membership = _match_members(then)
    if membership.aggregates:
        errors = pd.concat([errors, _forecast_sums(then, membership, sorted(errors["year"].unique()))])
    marked = mark_held(errors, LEVELS)
    errors = marked.astype(dict.fromkeys(marked.filter(like="held_"), "Int8"))
    keys, held = ["location_code", "year"], [f"held_{level}" for level in LEVELS]
    raw = errors.query("basis == @RAW").groupby(["source", "intervals"])
    of = {key: rows.set_index(keys) for key, rows in raw}
    table = of[DEFAULT_MODEL, REAL_TIME][["outcome", "population", "ape"]].join(
        [
            of[DEFAULT_MODEL, PUBLISHED][held].add_prefix("published_"),
            of[DEFAULT_MODEL, REAL_TIME][held],
            of[UN, STATED][["population", "ape", *held]].add_prefix("un_"),
        ],
        validate="1:1",
    )
    table = table.reset_index()
    table.insert(1, "vintage", name)
    table.insert(2, "origin", result.origin)
    persons = ["outcome", "population", "un_population"]
    table[persons] = table[persons].round().astype("int64")
    return table.round({"ape": 2, "un_ape": 2})


def _forecast_sums(then: Panel, membership: Membership, years: list[int]) -> pd.DataFrame:
    """Return our forecasts (without bounds) and the UN's for a vintage's aggregates, as in `Vintages.errors`."""
    codes, now = list(membership.aggregates), load_panel(DEFAULT_REVISION)
    steps = (np.array(years) - then.origin) // then.step - 1
    fitted = intervals.fit(then.countries(), models.get(DEFAULT_MODEL))
    population = intervals.predict(fitted, int(steps.max()) + 1, ()).population[:, steps]
    ours = sum_members(population, membership, measure_shares(then, membership))
    projections = load_projections(str(then.revision)).set_index(["location_code", "year"])
    rows = pd.MultiIndex.from_product([codes, years], names=["location_code", "year"])
    outcome = take_years(now, years)[now.locations.index.get_indexer(pd.Index(codes))].ravel()
    given = pd.DataFrame({"population": ours.ravel()}, index=rows).assign(source=DEFAULT_MODEL)
    every = [
        *(given.assign(intervals=kind) for kind in BOTH),
        projections.reindex(rows).assign(source=UN, intervals=STATED),
    ]
    table = pd.concat([each.assign(outcome=outcome) for each in every]).reset_index().assign(basis=RAW)
    return table.assign(ape=scores.absolute_percentage_errors(table["outcome"], table["population"]))


def _match_members(then: Panel) -> Membership:
    """Return the vintage's countries in each aggregate that has the same countries in all revisions."""
    latest, *others = (load_members(name) for name in sorted(REVISIONS, reverse=True))
    listed = [set(load_panel(name).locations.index) for name in REVISIONS]
    common = set.intersection(*listed)
    alike = {
        code: tuple(member for member in members if member in then.locations.index)
        for code, members in latest.items()
        if all(set(members) & common == set(other.get(code, ())) & common for other in others)
    }
    return build_membership(then, alike)


def _list_held() -> list[str]:
    return [f"{prefix}held_{level}" for prefix in ("published_", "", "un_") for level in LEVELS]


def _read(name: str, **options: Any) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(read_checked(DATA / name, MANIFEST, "files", name)), **options)
