"""Peers: stored forecasts of other methods at the same past origins, and their errors compared with our models'.

The forecasts were made by ``make bench ARGS="peers --fresh"`` in a separate environment, from data up to each origin.
They are stored with their running times, so that they can be scored without installing the peers.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from popforecast.errors import ScoreError
from popforecast.evaluation import scores as measures
from popforecast.evaluation.halves import ALL, REPORTED, TUNING, choose
from popforecast.forecasting.rolling import roll
from popforecast.models import MODELS, get
from popforecast.panel import Panel
from popforecast.wpp.editions import DATA

FOLDER = DATA / "peers"
FORECASTS, MANIFEST = "forecasts.csv.gz", "manifest.json"

# Our models whose errors on every set were published before any tuning.
OPEN = ("ar1", "naive", "drift")

KEYS, OUTCOME = ["location_code", "origin", "horizon"], "outcome"


@dataclass(frozen=True, eq=False)
class Peers:
    """The peers' forecasts at past origins of one panel.

    Attributes
    ----------
    forecasts : DataFrame
        One row for each location, origin and horizon with a known outcome; a column (persons) for each method.
    facts : dict
        The panel's checksum, origins, horizons and versions; for each method (including ours, timed in the same run)
        the seconds ``wall`` and ``processor`` and the number of ``processes``; under ``full``, the number of origins
        of a full backtest and the seconds that our models take for it.
    """

    forecasts: pd.DataFrame
    facts: Mapping[str, Any]

    @property
    def methods(self) -> list[str]:
        """The names of the peers' methods."""
        return [column for column in self.forecasts.columns if column not in KEYS]

    @property
    def provenance(self) -> str:
        """The software versions and the machine with which the forecasts were made."""
        versions = ", ".join(f"{name} {version}" for name, version in self.facts["versions"].items())
        return f"{versions}; {self.facts['machine']}"

    def seconds(self) -> pd.Series:
        """Return the seconds that each method takes on an otherwise idle machine.

        This is processor time divided by the number of processes. Other load on the machine affects it little; it
        favours methods that do not keep all their processes busy.
        """
        return _share(self.facts["seconds"])

    def seconds_in_full(self) -> pd.Series:
        """Return the seconds for a full backtest: measured with intervals for ours, scaled up by origins for peers."""
        scaled = self.seconds()[self.methods] * self.facts["full"]["origins"] / len(self.facts["origins"])
        return pd.concat([scaled, _share(self.facts["full"]["seconds"])])


def load_peers(folder: Path | None = None) -> Peers:
    """Load the peers' forecasts.

    Raises
    ------
    ScoreError
        If they are missing or have been altered.
    """
    place = folder or FOLDER
    try:
        facts = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        content = gzip.decompress((place / FORECASTS).read_bytes())
    except (OSError, EOFError, ValueError) as error:
        raise ScoreError(f"no peers' forecasts in {place} ({error}): make bench ARGS='peers --fresh'") from error
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise ScoreError(f"{FORECASTS} in {place} has been altered: make bench ARGS='peers --fresh'")
    return Peers(pd.read_csv(io.BytesIO(content)), facts)


def save_peers(peers: Peers, folder: Path) -> None:
    """Write the peers' forecasts, rounded to six digits; equal forecasts give identical files."""
    wrong = [method for method in peers.methods if not np.isfinite(peers.forecasts[method]).all()]
    if wrong:
        raise ScoreError(f"{wrong[0]} has a forecast that is not a finite number: expected one for each outcome")
    text = peers.forecasts.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    facts = {**peers.facts, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    (folder / FORECASTS).write_bytes(gzip.compress(text.encode(), mtime=0))
    (folder / MANIFEST).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def compare(panel: Panel, peers: Peers, models: Sequence[str] | None = None, reported: bool = False) -> pd.DataFrame:
    """Return the scores of the peers and our models on the same locations, origins and horizons.

    Parameters
    ----------
    panel, peers, models
        As for :func:`list_errors`.
    reported : bool
        As for :func:`score`.

    Returns
    -------
    DataFrame
        As returned by :func:`score`.
    """
    return score(list_errors(panel, peers, models), reported)


def list_errors(panel: Panel, peers: Peers, models: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the absolute error of every forecast with a known outcome, by method.

    Parameters
    ----------
    panel : Panel
        The panel that the peers used.
    peers : Peers
    models : names, optional
        Our models to include (default: all).

    Returns
    -------
    DataFrame
        Indexed by location_code, origin and horizon; a column (percent of the outcome) for each method, ours first.

    Raises
    ------
    ScoreError
        If the peers used another panel.
    """
    if panel.checksum != peers.facts["panel_sha256"]:
        raise ScoreError(
            f"the peers used the panel {peers.facts['panel_sha256'][:12]}, this one is {panel.checksum[:12]}: expected "
            "the same data; make bench ARGS='peers --fresh' runs the peers again"
        )
    names = list(MODELS) if models is None else list(models)
    ours = _forecast_ours(panel, names, peers.facts["origins"], peers.facts["horizons"])
    theirs = peers.forecasts.set_index(KEYS)
    if not theirs.index.sort_values().equals(ours.index.sort_values()):
        raise ScoreError(f"the peers have {len(theirs)} forecasts, we {len(ours)}: expected one for each outcome")
    every = ours.join(theirs)
    outcome = every[OUTCOME].to_numpy()
    return pd.DataFrame(
        {
            method: measures.absolute_percentage_errors(outcome, every[method].to_numpy())
            for method in every.columns.drop(OUTCOME)
        },
        every.index,
    )


def score(errors: pd.DataFrame, reported: bool = False) -> pd.DataFrame:
    """Return the mean and median error of every method on each set of countries.

    Parameters
    ----------
    errors : DataFrame
        As returned by :func:`list_errors`.
    reported : bool
        Whether to score our newer models also on countries other than those they were tuned on.

    Returns
    -------
    DataFrame
        set, method, ours, horizon, n, mape, median_ape (percent).
    """
    return pd.concat([_score(errors, countries, reported) for countries in (TUNING, REPORTED, ALL)], ignore_index=True)


def take(errors: pd.DataFrame, countries: str) -> pd.DataFrame:
    """Return the errors in one set of countries."""
    return errors[choose(errors.index.get_level_values(KEYS[0]), countries)]


def relate(scores: pd.DataFrame, countries: str, measure: str = "mape") -> pd.DataFrame:
    """Return the error of each method relative to the best peer at that horizon: methods by horizons.

    Examples
    --------
    >>> row = {"set": "all", "horizon": 1}
    >>> scores = pd.DataFrame([row | {"method": "ar1", "ours": True, "mape": 3.0},
    ...                        row | {"method": "AutoCES", "ours": False, "mape": 2.0}])
    >>> relate(scores, "all")[1].to_dict()
    {'ar1': 1.5, 'AutoCES': 1.0}
    """
    chosen = scores[scores["set"] == countries]
    best = chosen[~chosen["ours"]].groupby("horizon")[measure].min()
    return widen(chosen, measure) / best


def _forecast_ours(panel: Panel, names: Sequence[str], origins: Sequence[int], horizons: Sequence[int]) -> pd.DataFrame:
    """Return all known outcomes, and a column with the forecasts of each of our models, indexed by KEYS."""
    rolled = {name: roll(get(name), panel, origins, horizons) for name in names}
    index = pd.MultiIndex.from_product([panel.locations.index, origins, horizons], names=KEYS)
    columns = {name: rolling.prediction.population.ravel() for name, rolling in rolled.items()}
    outcome = next(iter(rolled.values())).outcome.ravel()
    return pd.DataFrame({OUTCOME: outcome} | columns, index).dropna(subset=OUTCOME)


def _score(errors: pd.DataFrame, countries: str, reported: bool) -> pd.DataFrame:
    part = take(errors, countries)
    is_open = reported or countries == TUNING
    shown = [method for method in errors if is_open or method in OPEN or method not in MODELS]
    rows = [
        (countries, method, method in MODELS, horizon, len(group), group[method].mean(), group[method].median())
        for horizon, group in part.groupby("horizon")
        for method in shown
    ]
    return pd.DataFrame(rows, columns=["set", "method", "ours", "horizon", "n", "mape", "median_ape"])


def _share(took: Mapping[str, Mapping[str, float]]) -> pd.Series:
    return pd.Series({name: times["processor"] / times["processes"] for name, times in took.items()}, dtype=float)


def widen(scores: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return one measure as a table of methods, in the order of the scores, by horizons."""
    return scores.pivot(index="method", columns="horizon", values=measure).loc[scores["method"].unique()]
