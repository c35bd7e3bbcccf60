"""Tables of the notebook ``3-backtest``: scores by size, coverage by origin, and largest errors by country."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from popforecast.errors import ScoreError
from popforecast.evaluation.backtesting import Backtest
from popforecast.evaluation.backtesting import backtest as run_backtest
from popforecast.evaluation.vintages import RAW, compare_vintages
from popforecast.forecasting import FINAL
from popforecast.panel import Panel, check_panel
from popforecast.studies.events import explain_turn
from popforecast.text import round_in_full
from popforecast.wpp.editions import VINTAGES


def score_by_size(backtest: Backtest, model: str, bounds: Sequence[float]) -> pd.DataFrame:
    """Return the scores of a model by population size and horizon.

    Parameters
    ----------
    backtest : Backtest
    model : str
        Name of a model in the backtest.
    bounds : sequence of float
        Bounds between size classes, in persons in the last year of the panel. A location exactly at a bound belongs to
        the larger class.

    Returns
    -------
    DataFrame
        As :meth:`Backtest.scores` returns it, with a first column ``size``, from the smallest class to the largest.
        Classes without locations are omitted.

    Raises
    ------
    ScoreError
        If the model was not run, or the bounds are not positive and increasing.

    Examples
    --------
    >>> import popforecast as pf
    >>> islands = pf.load_panel("wpp2024").select(["Malta", "Iceland", "Japan"])
    >>> bt = pf.backtest(islands, ["naive"], origins=[2013], horizons=[10])
    >>> score_by_size(bt, "naive", [1e6])[["size", "n", "mape"]].round(1).values.tolist()
    [['below 1 million', 2, 18.0], ['1 million or more', 1, 2.7]]
    """
    edges = np.asarray(bounds, dtype=float)
    if (edges <= 0).any() or (np.diff(edges) <= 0).any():
        raise ScoreError(f"bounds of size {list(bounds)}: expected numbers of persons above 0, each above the last")
    check_run(backtest, "model", model)
    panel = check_panel(backtest.panel)
    classes = np.searchsorted(edges, panel.values[:, -1], side="right")
    codes = panel.locations.index
    parts = [
        backtest.scores(codes[classes == i].tolist()).assign(size=name)
        for i, name in enumerate(_name_sizes(edges))
        if (classes == i).any()
    ]
    table = pd.concat(parts).query("model == @model").reset_index(drop=True)
    return table[["size", *table.columns.drop("size")]]


def find_misfits(backtest: Backtest, model: str) -> pd.DataFrame:
    r"""Return the origins and horizons whose coverage differs from its nominal level by more than chance.

    The margin is two standard errors of a share, :math:`2 \sqrt{p (1 - p) / n}`, for the level p. It assumes
    independent errors; those of countries are correlated (wars affect neighbours), so chance may cause larger gaps.

    Returns
    -------
    DataFrame
        Indexed by origin and horizon, largest differences first: level, held (coverage; both in percent), off (held
        minus level) and margin.

    Raises
    ------
    ScoreError
        If the model was not run.

    Examples
    --------
    >>> import popforecast as pf
    >>> countries = pf.load_panel("wpp2024").countries()
    >>> misfits = find_misfits(pf.backtest(countries, ["ar1"], origins=[2003], horizons=[10], levels=[95]), "ar1")
    >>> misfits.round(1).reset_index().values.tolist()
    [[2003.0, 10.0, 95.0, 22.9, -72.1, 2.8]]
    """
    check_run(backtest, "model", model)
    scores = backtest.scores(by="origin").query("model == @model").set_index(["origin", "horizon"]).sort_index()
    parts = []
    for level in backtest.levels:
        held = scores[f"coverage_{level:g}"]
        margin = 200 * np.sqrt(level / 100 * (1 - level / 100) / scores["n"])
        parts.append(pd.DataFrame({"level": level, "held": held, "off": held - level, "margin": margin}))
    table = pd.concat(parts).sort_values("off", key=lambda off: off.abs().round(9), ascending=False, kind="stable")
    return table[table["off"].abs() > table["margin"]]


def name_misses(backtest: Backtest, model: str, horizon: int, most: int = 10) -> pd.DataFrame:
    """Return the largest errors of a model at a horizon, one per location, with undisputed causes.

    Parameters
    ----------
    backtest : Backtest
    model : str
        Name of a model in the backtest.
    horizon : int
        A horizon of the backtest.
    most : int
        Number of rows to return.

    Returns
    -------
    DataFrame
        Indexed by location, largest errors first: origin, year, error (percent of the outcome, positive if the forecast
        was too high), what happened, held (whether the widest interval contained the outcome), forecast and outcome.

    Raises
    ------
    ScoreError
        If the model or the horizon was not run.

    Examples
    --------
    >>> import popforecast as pf
    >>> bt = pf.backtest(pf.load_panel("wpp2024").countries(), ["naive"], origins=[1993], horizons=[1])
    >>> name_misses(bt, "naive", 1, 1)[["year", "what happened"]].reset_index().values.tolist()
    [['Rwanda', 1994, 'the genocide of 1994, flight and return']]
    """
    check_run(backtest, "model", model)
    check_run(backtest, "horizon", horizon)
    errors = backtest.errors.query("model == @model and horizon == @horizon")
    # Rounded, so that errors equal up to rounding keep the order of the panel on any processor.
    misses = errors.sort_values("ape", ascending=False, kind="stable", key=lambda ape: ape.round(9))
    worst = misses.drop_duplicates("location_code").head(most)
    level = max(backtest.levels)
    held = worst["outcome"].between(worst[f"lower_{level:g}"], worst[f"upper_{level:g}"])
    places = backtest.panel.locations["iso3"].reindex(worst["location_code"])
    persons = worst[["population", "outcome"]]
    persons = persons.map(round_in_full(persons.to_numpy().ravel().tolist()).write)
    spans = zip(places, worst["origin"], worst["year"], strict=True)
    return pd.DataFrame(
        {
            "location": worst["location"],
            "origin": worst["origin"],
            "year": worst["year"],
            "error": (100 * (worst["population"] / worst["outcome"] - 1)).round(1),
            "what happened": [explain_turn(place, origin, year) for place, origin, year in spans],
            "held": np.where(held, "yes", "no"),
            "forecast": persons["population"],
            "outcome": persons["outcome"],
        }
    ).set_index("location")


def pair_measures(
    scores: pd.DataFrame, measures: tuple[str, str], index: str, columns: str, digits: int = 2
) -> pd.DataFrame:
    """Return a table with two measures in each cell, for display: ``4.81 / 2.67``.

    Parameters
    ----------
    scores : DataFrame
        One row per cell of the table.
    measures : (str, str)
    index, columns : str
        Columns of the scores whose values become rows and columns, in order of appearance.
    digits : int

    Returns
    -------
    DataFrame
        Text; a dash for missing values.

    Examples
    --------
    >>> scores = pd.DataFrame({"model": ["naive"], "horizon": [5], "mape": [4.812], "median_ape": [2.666]})
    >>> pair_measures(scores, ("mape", "median_ape"), "model", "horizon").loc["naive"].to_dict()
    {5: '4.81 / 2.67'}
    """
    one, other = ([f"{value:.{digits}f}" for value in scores[measure]] for measure in measures)
    text = pd.Series([f"{a} / {b}" for a, b in zip(one, other, strict=True)], scores.index, dtype=object)
    table = scores.assign(text=text).pivot(index=index, columns=columns, values="text").fillna("–")
    return table.loc[scores[index].unique(), scores[columns].unique()].rename_axis(columns=None)


def measure_hindsight(panel: Panel, models: Sequence[str]) -> pd.DataFrame:
    """Return real-time errors, errors on final data and their ratio, by model.

    Both cover the same locations, origin and year: the origin of the latest vintage, and the last year that both the
    panel and the vintage have.

    Parameters
    ----------
    panel : Panel
        The countries of a revision.
    models : sequence of str

    Returns
    -------
    DataFrame
        Indexed by model: revision, vintage, origin, year, n (locations), real_time and final (mean errors, percent),
        ratio.

    Raises
    ------
    YearError
        If the panel has no data after the last year of the vintage.

    Examples
    --------
    >>> import popforecast as pf
    >>> table = measure_hindsight(pf.load_panel("wpp2024").countries(), ["naive"])
    >>> table[["vintage", "origin", "year"]].values.tolist()
    [['wpp2012', 2010, 2020]]
    >>> table["ratio"].round(1).to_dict()
    {'naive': 1.1}
    """
    vintage = max(VINTAGES)
    then = compare_vintages(vintage, panel, models, intervals=FINAL)
    year = int(then.errors["year"].max())
    of = (then.errors["basis"] == RAW) & (then.errors["year"] == year) & then.errors["source"].isin(list(models))
    known = then.errors[of]
    codes = known["location_code"].unique().tolist()
    now = run_backtest(panel, models, [then.origin], [(year - then.origin) // panel.step]).scores(codes)
    table = pd.DataFrame(
        {"real_time": known.groupby("source")["ape"].mean(), "final": now.set_index("model")["mape"]}
    ).loc[list(models)]
    table = table.assign(ratio=table["real_time"] / table["final"], revision=str(panel.revision), vintage=vintage)
    return table.assign(origin=then.origin, year=year, n=len(codes)).rename_axis("model")


def check_run(backtest: Backtest, column: str, value: object) -> None:
    """Check that a model or horizon was run in a backtest.

    Raises
    ------
    ScoreError
        If it was not run; the error lists the valid values.
    """
    run = backtest.errors[column].unique().tolist()
    if value not in run:
        raise ScoreError(f"{column} {value!r} is not in this backtest: expected one of {', '.join(map(str, run))}")


def _name_sizes(edges: np.ndarray) -> list[str]:
    millions = [f"{edge / 1e6:,g}" for edge in edges]
    if not millions:
        return ["any size"]
    between = [f"{low} to {high} million" for low, high in itertools.pairwise(millions)]
    return [f"below {millions[0]} million", *between, f"{millions[-1]} million or more"]
