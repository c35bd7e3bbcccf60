"""Our models beside the methods that a user would pick instead: error at past origins, and seconds.

The peers are statsforecast's AutoARIMA, AutoETS, AutoTheta, AutoCES and random walk with drift, and Prophet, each as it
comes but for what its name says. At each origin they see what ours see: the 236 countries of WPP 2024, until then.

Their forecasts never change for one panel and one set of pins, so they are kept here, and ``make bench`` scores them
anew in seconds. ``make bench ARGS="peers --fresh"`` runs them again in an environment of their own, ``.venv-peers``,
and times our models in the same run: about a quarter of an hour on two idle cores, which is why plain ``make bench``
does not. ``--method AutoARIMA`` runs that one alone.

- The task is seven origins, 1988 to 2018, and up to 20 years ahead, points alone. statsforecast runs in two processes
  (``n_jobs=2``), one for each core; Prophet takes one series at a time. Ours run in one process.
- A full backtest has 36 origins. Ours is measured, with its intervals, which need all earlier origins, too; AutoARIMA
  would take above ten minutes, so its seconds for the seven are scaled.
- AutoETS has a damped trend and logs; AutoARIMA is shown on levels and on logs; the others are on levels. Prophet
  fits a season within the year by default, which yearly figures cannot show; without it the mean errors on 42 series of
  the tuning countries were the same within 1%.
- ``--reported`` shows our newer models on the 114 countries, too, on which nothing was tuned. It is for the end.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pandas as pd

import popforecast as pf
from popforecast.evaluation.halves import ALL, REPORTED, TUNING, choose
from popforecast.evaluation.peers import (
    FOLDER,
    KEYS,
    Peers,
    compare,
    load_peers,
    relate,
    save_peers,
)
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.forecasting.rolling import roll
from popforecast.studies.standings import tabulate

from ..figure import Figure
from .environment import run_methods
from .methods import METHODS

REVISION = "wpp2024"
ORIGINS = tuple(range(1988, 2019, 5))
HORIZONS = (1, 3, 5, 10, 20)
FULL_ORIGINS = tuple(range(1987, 2023))
PROCESSES = 2
RIVAL = "AutoARIMA"


def measure(fresh: bool = False, methods: Sequence[str] = (), reported: bool = False) -> Iterator[Figure | str]:
    """Yield the tables, then what is asked of the default model."""
    panel = pf.load_panel(REVISION).countries()
    peers = run_fresh(panel, methods or list(METHODS)) if fresh else load_peers()
    scores = compare(panel, peers, reported=reported)
    for countries in (TUNING, REPORTED, ALL):
        n = choose(panel.locations.index, countries).sum()
        yield f"\n{countries} countries ({n}), mean / median error by years after the origin, percent"
        yield tabulate(scores, peers, countries).to_string()
    yield ""
    countries = REPORTED if reported else TUNING
    for name, error in (("mean", "mape"), ("median", "median_ape")):
        for horizon, ratio in relate(scores, countries, error).loc[DEFAULT_MODEL].items():
            asked = 1.0 if horizon == 1 else 0.9
            yield Figure(
                f"{DEFAULT_MODEL}'s {name} error, {horizon} y, {countries}", ratio, "x", asked, "the best peer's"
            )
    for task, seconds in (
        (f"{len(ORIGINS)} origins", peers.seconds()),
        (f"{len(FULL_ORIGINS)} origins", peers.seconds_in_full()),
    ):
        if DEFAULT_MODEL in seconds:
            ratio = seconds[RIVAL] / seconds[DEFAULT_MODEL]
            beside = f"{seconds[DEFAULT_MODEL]:.2f} s against {seconds[RIVAL]:.0f} s of {RIVAL}"
            yield Figure(f"{DEFAULT_MODEL} faster, {task}", ratio, "x", 100, beside, at_least=True)


def run_fresh(panel: pf.Panel, names: Sequence[str]) -> Peers:
    """Run the peers named, time our models, and keep both beside what is already kept."""
    for name in names:
        if name not in METHODS:
            raise SystemExit(f"no method {name!r}: expected some of {', '.join(METHODS)}")
    facts = describe_task(panel)
    runs = {name: (table, took) for name, table, took in run_methods(panel, names, ORIGINS, HORIZONS, PROCESSES)}
    kept = None if set(names) >= set(METHODS) else load_peers()
    save_peers(assemble(facts, runs, *time_ours(panel), kept), FOLDER)
    return load_peers()


def describe_task(panel: pf.Panel) -> dict[str, Any]:
    """Return what was run, on what."""
    return {
        "revision": REVISION,
        "panel_sha256": panel.checksum,
        "origins": list(ORIGINS),
        "horizons": list(HORIZONS),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


def assemble(
    facts: dict[str, Any], runs: dict[str, Any], points: dict[str, Any], full: dict[str, Any], kept: Peers | None
) -> Peers:
    """Return the forecasts and seconds of fresh runs, completed by those kept from an earlier run of the same task."""
    columns = {
        name: table.rename(columns={"code": KEYS[0]}).set_index(KEYS)["forecast"] for name, (table, _) in runs.items()
    }
    seconds = {name: took["seconds"] for name, (_, took) in runs.items()}
    versions = next(took["versions"] for _, took in runs.values())
    if kept is not None:
        same = {key: kept.facts[key] for key in ("panel_sha256", "origins", "horizons", "versions")}
        if same != {key: (facts | {"versions": versions})[key] for key in same}:
            raise SystemExit("what is kept is from another panel, task or versions: run all methods, without --method")
        columns = {name: kept.forecasts.set_index(KEYS)[name] for name in kept.methods} | columns
        seconds = kept.facts["seconds"] | seconds
    table = pd.DataFrame({name: columns[name] for name in METHODS}).sort_index()
    seconds = {name: seconds[name] for name in METHODS} | points
    full = {"origins": len(FULL_ORIGINS), "seconds": full}
    return Peers(table.reset_index(), facts | {"versions": versions, "seconds": seconds, "full": full})


def time_ours(panel: pf.Panel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Time each of our models on the peers' task, points alone as theirs, and on a full backtest with intervals."""
    few = panel.take(range(30))
    points, full = {}, {}
    for name, model in pf.models.MODELS.items():
        roll(model, few, ORIGINS, HORIZONS)  # to warm up
        points[name] = time_one(partial(roll, model, panel, ORIGINS, HORIZONS))
        full[name] = time_one(partial(pf.backtest, panel, name, FULL_ORIGINS, range(1, 21)))
    return points, full


def time_one(run: Callable[[], object]) -> dict[str, float]:
    """Time one call, on the clock and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    took = time.perf_counter() - wall, time.process_time() - processor
    return {"wall": round(took[0], 3), "processor": round(took[1], 3), "processes": 1}
