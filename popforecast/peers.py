"""Other forecasters at the same past origins: what they said, kept, and how far off it was beside our models.

The forecasts were made by ``make bench ARGS="peers --fresh"`` in an environment of their own, from figures up to each
origin. They are kept with the seconds they took, so that they can be scored where no peer is installed.
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

from popforecast import scores as measures
from popforecast.diagrams import Curves
from popforecast.errors import ScoreError
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.models import MODELS, get
from popforecast.panel import Panel
from popforecast.rolling import roll
from popforecast.tuning import ALL, REPORTED, TUNING, choose

PACKAGE = Path(__file__).parent

# In a checkout they lie beside what makes them; an installed wheel carries them inside the package.
FOLDERS = (PACKAGE.parent / "tests" / "benchmarks" / "peers", PACKAGE / "data" / "peers")
FORECASTS, MANIFEST = "forecasts.csv.gz", "manifest.json"

# Ours whose errors on every set had been published before anything was tuned.
OPEN = ("ar1", "naive", "drift")

KEYS, OUTCOME = ["location_code", "origin", "horizon"], "outcome"

# A chart has eight colours.
MOST_LINES = 8


@dataclass(frozen=True, eq=False)
class Peers:
    """What the peers said at past origins of one panel.

    Attributes
    ----------
    forecasts : DataFrame
        One row for each location, origin and horizon whose outcome is known; a column (persons) for each method.
    facts : dict
        The panel's checksum, origins, horizons, versions, and for each method (ours too, timed in the same run) the
        seconds: ``wall``, ``processor`` and the number of ``processes``. Under ``full`` the number of origins of a
        full backtest, and the seconds of ours for it.
    """

    forecasts: pd.DataFrame
    facts: Mapping[str, Any]

    @property
    def methods(self) -> list[str]:
        """The names of the methods."""
        return [column for column in self.forecasts.columns if column not in KEYS]

    @property
    def provenance(self) -> str:
        """The versions and the machine that made them."""
        versions = ", ".join(f"{name} {version}" for name, version in self.facts["versions"].items())
        return f"{versions}; {self.facts['machine']}"

    def seconds(self) -> pd.Series:
        """Return the seconds that each method needs on an otherwise idle machine.

        Processor time divided by the processes among which it was shared: a busy machine lengthens it little, and a
        method that cannot keep its processes busy gains by it.
        """
        return _share(self.facts["seconds"])

    def seconds_in_full(self) -> pd.Series:
        """Return the seconds for a full backtest: ours measured, with intervals; the peers' scaled by its origins."""
        scaled = self.seconds()[self.methods] * self.facts["full"]["origins"] / len(self.facts["origins"])
        return pd.concat([scaled, _share(self.facts["full"]["seconds"])])


def load_peers(folder: Path | None = None) -> Peers:
    """Load the peers' forecasts.

    Raises
    ------
    ScoreError
        If they are not there, or not as they were written.
    """
    folders = [folder] if folder else [folder for folder in FOLDERS if folder.is_dir()]
    place = folders[0] if folders else FOLDERS[0]
    try:
        facts = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        content = gzip.decompress((place / FORECASTS).read_bytes())
    except (OSError, EOFError, ValueError) as error:
        raise ScoreError(f"no peers' forecasts in {place} ({error}): make bench ARGS='peers --fresh'") from error
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise ScoreError(f"{FORECASTS} in {place} is not as it was written: make bench ARGS='peers --fresh'")
    return Peers(pd.read_csv(io.BytesIO(content)), facts)


def save_peers(peers: Peers, folder: Path) -> None:
    """Write the peers' forecasts to six digits: the same forecasts give the same bytes."""
    wrong = ~np.isfinite(peers.forecasts[peers.methods]).all()
    if wrong.any():
        raise ScoreError(f"{wrong.idxmax()} has a forecast that is no number: expected one for each outcome")
    text = peers.forecasts.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    facts = {**peers.facts, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    (folder / FORECASTS).write_bytes(gzip.compress(text.encode(), mtime=0))
    (folder / MANIFEST).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def compare(panel: Panel, peers: Peers, models: Sequence[str] | None = None, reported: bool = False) -> pd.DataFrame:
    """Score the peers and our models on the same locations, origins and horizons.

    Parameters
    ----------
    panel : Panel
        The one that the peers saw.
    peers : Peers
    models : names, optional
        Of ours (default: all).
    reported : bool
        Whether to score our newer models outside the countries on which they were tuned, too.

    Returns
    -------
    DataFrame
        set, method, ours, horizon, n, mape, median_ape (percent).

    Raises
    ------
    ScoreError
        If the peers saw another panel.
    """
    if panel.checksum != peers.facts["panel_sha256"]:
        raise ScoreError(
            f"the peers saw the panel {peers.facts['panel_sha256'][:12]}, this one is {panel.checksum[:12]}: expected "
            "the same figures; make bench ARGS='peers --fresh' runs the peers anew"
        )
    names = list(MODELS) if models is None else list(models)
    ours = _forecast_ours(panel, names, peers.facts["origins"], peers.facts["horizons"])
    theirs = peers.forecasts.set_index(KEYS)
    if not theirs.index.sort_values().equals(ours.index.sort_values()):
        raise ScoreError(f"the peers have {len(theirs)} forecasts, we {len(ours)}: expected one for each outcome")
    parts = (_score(ours.join(theirs), countries, names, reported) for countries in (TUNING, REPORTED, ALL))
    return pd.concat(parts, ignore_index=True)


def relate(scores: pd.DataFrame, countries: str, measure: str = "mape") -> pd.DataFrame:
    """Return each method's error as a multiple of the best peer's at that horizon: methods by horizons.

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
    return _widen(chosen, measure) / best


def tabulate(scores: pd.DataFrame, peers: Peers, countries: str, model: str = DEFAULT_MODEL) -> pd.DataFrame:
    """Return the table for people: mean and median error by horizon, seconds, and their ratio to the model's."""
    chosen = scores[scores["set"] == countries]
    mean, median = (_widen(chosen, measure) for measure in ("mape", "median_ape"))
    table = pd.DataFrame(index=mean.index.rename("method"))
    for horizon in mean.columns:
        pairs = zip(mean[horizon], median[horizon], strict=True)
        table[f"{horizon} y"] = [f"{_digits(a)} / {_digits(b)}" for a, b in pairs]
    seconds = peers.seconds()
    ratio = seconds / seconds.get(model, np.nan)
    table["seconds"] = [_write(value) for value in seconds.reindex(table.index)]
    table["ratio"] = [_write(value) for value in ratio.reindex(table.index)]
    return table


def judge(scores: pd.DataFrame, countries: str, model: str = DEFAULT_MODEL) -> pd.DataFrame:
    """Return by horizon who is the best peer, and how the model's error compares, in mean and in median."""
    chosen = scores[scores["set"] == countries]
    table = pd.DataFrame(index=pd.Index(sorted(chosen["horizon"].unique()), name="years after the origin"))
    for measure, name in (("mape", "mean"), ("median_ape", "median")):
        theirs = _widen(chosen[~chosen["ours"]], measure)
        table[f"best peer, {name}"] = theirs.idxmin()
        table[f"its {name} error"] = theirs.min().map(_digits)
        table[f"{model}, {name}"] = _widen(chosen, measure).loc[model].map(_digits)
        ratio = relate(chosen, countries, measure).loc[model]
        table[f"ratio, {name}"] = [f"{value:.2f}" for value in ratio]
    return table


def describe_runs(peers: Peers) -> pd.DataFrame:
    """Return what each method took, on the clock and of the processor, and how long a full backtest takes it."""
    table = pd.DataFrame(peers.facts["seconds"]).T.rename_axis("method")
    table["processes"] = table["processes"].astype(int)
    names = {"wall": "seconds on the clock", "processor": "seconds of processor"}
    full = peers.seconds_in_full().reindex(table.index).round(1)
    return table.rename(columns=names).round(2).assign(**{"full backtest, seconds": full})


def write_verdict(scores: pd.DataFrame, countries: str, model: str = DEFAULT_MODEL) -> str:
    """Return in a sentence where the model loses to the best peer of each horizon, and by how much."""
    ratios = relate(scores, countries).loc[model]
    lost, won = ratios[ratios > 1], ratios[ratios <= 1]
    parts = [
        f"{verb} {_join(f'{horizon} ({value:.2f})' for horizon, value in part.items())}"
        for verb, part in (("loses at", lost), ("wins at", won))
        if len(part)
    ]
    chosen = scores[scores["set"] == countries]
    rivals, n = chosen[~chosen["ours"]]["method"].nunique(), chosen[chosen["method"] == model]["n"].sum()
    return (
        f"Beside the best of {rivals} peers at each horizon, over {n:,} forecasts of the {countries} countries"
        f"{', on which it was chosen' if countries == TUNING else ''}: {model} {' and '.join(parts)} years after the "
        "origin (its mean error as a multiple of theirs)."
    )


def chart_ratios(scores: pd.DataFrame, countries: str, top: float = 1.6) -> Curves:
    """Prepare the chart of each method's error as a multiple of the best peer's; those that leave it are not drawn."""
    ratios = relate(scores, countries)
    near = ratios[ratios.max(axis=1) <= top]
    lines = near.loc[near.mean(axis=1).nsmallest(MOST_LINES).index]
    table = lines.sort_values(lines.columns[-1]).T
    title = f"Mean error beside the best peer's, {countries} countries"
    ends = "; ".join(f"{method} {value:.2f}" for method, value in table.iloc[-1].items())
    description = f"{title}, by horizon. {table.index[-1]} years after the origin: {ends}."
    return Curves(
        title, "times the error of the best peer at that horizon (dotted)", description, table, [(1, "")], top
    )


def _forecast_ours(panel: Panel, names: Sequence[str], origins: Sequence[int], horizons: Sequence[int]) -> pd.DataFrame:
    """Return every outcome that is known and, in a column each, what the models said; indexed by KEYS."""
    rolled = {name: roll(get(name), panel, origins, horizons) for name in names}
    index = pd.MultiIndex.from_product([panel.locations.index, origins, horizons], names=KEYS)
    columns = {name: rolling.prediction.population.ravel() for name, rolling in rolled.items()}
    outcome = next(iter(rolled.values())).outcome.ravel()
    return pd.DataFrame({OUTCOME: outcome} | columns, index).dropna(subset=OUTCOME)


def _score(every: pd.DataFrame, countries: str, ours: Sequence[str], reported: bool) -> pd.DataFrame:
    part = every[choose(every.index.get_level_values("location_code"), countries)]
    hidden = [] if reported or countries == TUNING else [name for name in ours if name not in OPEN]
    rows = []
    for horizon, group in part.groupby("horizon"):
        outcome = group[OUTCOME].to_numpy()
        for method in every.columns.drop([OUTCOME, *hidden]):
            forecast = group[method].to_numpy()
            mape, median = measures.mape(outcome, forecast), measures.median_ape(outcome, forecast)
            rows.append((countries, method, method in ours, horizon, len(group), mape, median))
    return pd.DataFrame(rows, columns=["set", "method", "ours", "horizon", "n", "mape", "median_ape"])


def _share(took: Mapping[str, Mapping[str, float]]) -> pd.Series:
    return pd.Series({name: times["processor"] / times["processes"] for name, times in took.items()}, dtype=float)


def _widen(scores: pd.DataFrame, measure: str) -> pd.DataFrame:
    return scores.pivot(index="method", columns="horizon", values=measure).loc[scores["method"].unique()]


def _digits(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _write(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:,.{2 if value < 10 else 0}f}"


def _join(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
