"""Errors of growth in real time relative to the UN's medium variant: by vintage and year, and pooled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from popforecast.errors import ModelError, YearError
from popforecast.evaluation.bootstrap import MEASURES, pool_ratios
from popforecast.evaluation.medium import add_medium, find_projections
from popforecast.evaluation.vintages import UN
from popforecast.models import BY_AGE, OF_TOTALS, get, get_several
from popforecast.models.base import Array, Model, Steps
from popforecast.wpp.editions import DEFAULT_REVISION, VINTAGES, load_panel
from popforecast.wpp.pairing import pair, take_years

MODELS = (BY_AGE, OF_TOTALS)

# Years ahead; the last year of the later revision comes beside them.
AHEAD = (5, 10)
LEVEL = 90
POOLED = "all"

# The mean of the vintage's default model and the UN's medium variant, half and half in logs.
WITH_UN = "with-un"


def relate_to_medium(
    vintages: Iterable[str] = tuple(VINTAGES),
    truth: str = DEFAULT_REVISION,
    models: Sequence[str | Model] | str | Model = MODELS,
) -> pd.DataFrame:
    """Return the models' errors divided by those of the UN's medium variant, with 90% intervals.

    Forecasts are those of :func:`compare_vintages`, rebased: the error is in growth since the base year. They are
    scored 5 and 10 years ahead and in the last year of the later revision. For that year, all sources are interpolated
    with constant growth between the five-yearly figures around it (2023: between 2020 and 2025). Intervals come from a
    bootstrap over countries (:func:`popforecast.evaluation.bootstrap.pool_ratios`).

    The last source, ``with-un``, is the mean of the vintage's default model and the UN's medium variant in logs. There
    is no backtest of it, because the UN made no projections at past origins of one edition.

    Parameters
    ----------
    vintages : names
        Vintages with projections of the UN.
    truth : str
        The later revision, for the outcomes.
    models : names or specifications

    Returns
    -------
    DataFrame
        source, vintage, year, n (countries), and the ratios of the mean and of the median error with their bounds. The
        last row of each source is pooled: its vintage is ``all``, and the ratios are means over the rows above.

    Raises
    ------
    ModelError
        If the UN's projections of a vintage are not embedded.
    YearError
        If the later revision has no year to score.

    Examples
    --------
    >>> relate_to_medium(models="naive")[["vintage", "year", "n", "mean"]].iloc[[0, 6]].to_numpy().tolist()
    [['wpp2010', 2015, 192, 2.85], ['all', <NA>, 198, 3.11]]
    """
    specifications = get_several(models)
    errors = pd.concat({name: measure_errors(name, truth, specifications) for name in vintages}, names=["vintage"])
    targets = dict(list(errors.groupby(level=["vintage", "year"], sort=False)))
    rows = []
    for source in (*(model.name for model in specifications), WITH_UN):
        for (vintage, year), table in targets.items():
            rows.append({"source": source, "vintage": vintage, "year": year, **_relate([table], source)})
        rows.append({"source": source, "vintage": POOLED, **_relate(list(targets.values()), source)})
    return pd.DataFrame(rows).astype({"year": "Int64"})


def measure_errors(vintage: str, truth: str, models: Sequence[Model]) -> pd.DataFrame:
    """Return absolute errors in percent, after rebasing: a column per source, indexed by year and location_code."""
    then, now = load_panel(vintage), load_panel(truth)
    if (projections := find_projections(then)) is None:
        raise ModelError(f"the UN's projections of {vintage} are not embedded: expected one of {', '.join(VINTAGES)}")
    last = now.origin
    years = sorted({year for year in (*(then.origin + ahead for ahead in AHEAD), last) if then.origin < year <= last})
    if not years:
        raise YearError(f"{truth} ends in {last}: expected a revision with years after {then.origin}")
    grid = np.arange(then.origin, years[-1] + then.step, then.step)
    pairing, medium = add_medium(pair(then, now), projections, grid[1:].tolist(), ())
    known = then.countries()
    rows = known.codes.get_indexer(pairing.earlier.codes)
    default = get(None, known)
    paths = {
        model.name: model.predict(model.fit(known).arrays, len(grid) - 1, ()).population[rows]
        for model in dict.fromkeys([*models, default])
    }
    if medium is not None:
        paths |= {UN: medium.population, WITH_UN: np.sqrt(paths[default.name] * medium.population)}
    base, outcome = pairing.measure_base(), take_years(pairing.later, years)
    apes = {}
    for source, path in paths.items():
        grown = _interpolate(path / base[["then"]].to_numpy(), grid, years) * base[["now"]].to_numpy()
        apes[source] = (100 * np.abs(grown / outcome - 1)).T.ravel()
    index = pd.MultiIndex.from_product([years, pairing.earlier.codes], names=["year", "location_code"])
    return pd.DataFrame(apes, index=index)


def _interpolate(growth: Array, grid: Steps, years: Sequence[int]) -> Array:
    logs = np.log(np.column_stack([np.ones(len(growth)), growth]))
    return np.exp([np.interp(years, grid, row) for row in logs])


def _relate(tables: Sequence[pd.DataFrame], model: str) -> dict[str, float]:
    places = [table.index.get_level_values("location_code") for table in tables]
    targets = [(table[model], table[UN], codes) for table, codes in zip(tables, places, strict=True)]
    found: dict[str, float] = {"n": len(set().union(*places))}
    for measure in MEASURES:
        names = measure, f"{measure}_lower_{LEVEL}", f"{measure}_upper_{LEVEL}"
        found |= dict(zip(names, pool_ratios(targets, measure, LEVEL), strict=True))
    return found
