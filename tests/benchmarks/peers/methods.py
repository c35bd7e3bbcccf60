"""The peers at past origins, run by the peers' own Python: ``python methods.py FOLDER METHOD ...``.

Nothing of popforecast is imported here, and nothing but the figures up to an origin is shown to a method. The folder
holds ``panel.csv`` (one row a country: code, then a column a year) and ``task.json`` (origins, horizons, processes);
for each method ``NAME.csv`` (origin, horizon, code, forecast) and ``NAME.json`` (seconds) are written beside them.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from statsforecast.models import _TS

Forecasts = np.ndarray
Method = Callable[[pd.DataFrame, int, int], Forecasts]


def run_statsforecast(model: _TS, history: pd.DataFrame, horizon: int, processes: int, log: bool) -> Forecasts:
    """Forecast every series of a wide table with one of statsforecast's models, on levels or on logs."""
    from statsforecast import StatsForecast

    table = np.log(history) if log else history
    long = table.rename_axis("unique_id").reset_index().melt("unique_id", var_name="ds", value_name="y")
    long["ds"] = long["ds"].astype(int)
    engine = StatsForecast(models=[model], freq=1, n_jobs=processes)
    answer = engine.forecast(df=long, h=horizon).pivot(index="unique_id", columns="ds", values=repr(model))
    values = answer.loc[history.index].to_numpy()
    return np.exp(values) if log else values


def auto_arima(history: pd.DataFrame, horizon: int, processes: int) -> Forecasts:
    """AutoARIMA as it comes, on levels."""
    from statsforecast.models import AutoARIMA

    return run_statsforecast(AutoARIMA(season_length=1), history, horizon, processes, log=False)


def auto_arima_log(history: pd.DataFrame, horizon: int, processes: int) -> Forecasts:
    """AutoARIMA as it comes, on logs."""
    from statsforecast.models import AutoARIMA

    return run_statsforecast(AutoARIMA(season_length=1), history, horizon, processes, log=True)


def auto_ets_log_damped(history: pd.DataFrame, horizon: int, processes: int) -> Forecasts:
    """AutoETS with a damped trend, on logs."""
    from statsforecast.models import AutoETS

    return run_statsforecast(AutoETS(season_length=1, damped=True), history, horizon, processes, log=True)


def auto_theta(history: pd.DataFrame, horizon: int, processes: int) -> Forecasts:
    """AutoTheta as it comes, on levels."""
    from statsforecast.models import AutoTheta

    return run_statsforecast(AutoTheta(season_length=1), history, horizon, processes, log=False)


def auto_ces(history: pd.DataFrame, horizon: int, processes: int) -> Forecasts:
    """AutoCES as it comes, on levels."""
    from statsforecast.models import AutoCES

    return run_statsforecast(AutoCES(season_length=1), history, horizon, processes, log=False)


def random_walk_with_drift(history: pd.DataFrame, horizon: int, processes: int) -> Forecasts:
    """RandomWalkWithDrift, on levels."""
    from statsforecast.models import RandomWalkWithDrift

    return run_statsforecast(RandomWalkWithDrift(), history, horizon, processes, log=False)


def prophet(history: pd.DataFrame, horizon: int, processes: int) -> Forecasts:
    """Prophet as it comes, in one process: it takes one series at a time, and its users loop."""
    return np.array([fit_prophet(series, horizon) for _, series in history.iterrows()])


def fit_prophet(series: pd.Series, horizon: int) -> Forecasts:
    """Fit Prophet to one series of yearly figures, each of 1 July, and forecast."""
    from prophet import Prophet

    years = series.index.astype(int)
    model = Prophet().fit(pd.DataFrame({"ds": _as_dates(years), "y": series.to_numpy()}))
    ahead = years[-1] + np.arange(1, horizon + 1)
    return model.predict(pd.DataFrame({"ds": _as_dates(ahead)}))["yhat"].to_numpy()


# By the names that tables and pages show; a file is called after its method.
METHODS: dict[str, Method] = {
    "AutoARIMA": auto_arima,
    "AutoARIMA log": auto_arima_log,
    "AutoETS log damped": auto_ets_log_damped,
    "AutoTheta": auto_theta,
    "AutoCES": auto_ces,
    "RandomWalkWithDrift": random_walk_with_drift,
    "Prophet": prophet,
}
# These take one series at a time.
ALONE = ("Prophet",)


def run(folder: Path, name: str) -> None:
    """Run one method at every origin, and write its forecasts and the seconds it took."""
    logging.disable(logging.CRITICAL)  # Prophet's compiler reports every fit
    task = json.loads((folder / "task.json").read_text())
    panel = pd.read_csv(folder / "panel.csv", index_col="code", dtype=float)
    panel.index = panel.index.astype(int)
    panel.columns = panel.columns.astype(int)
    horizons = np.array(task["horizons"])
    last = panel.columns[-1]
    METHODS[name](panel.iloc[:2, :20], 1, 1)  # imports are not what is measured
    tables = []
    wall, processor = time.perf_counter(), _processor_seconds()
    for origin in task["origins"]:
        forecasts = METHODS[name](panel.loc[:, :origin], int(horizons.max()), task["processes"])
        known = horizons[origin + horizons <= last]
        wide = pd.DataFrame(forecasts[:, known - 1], index=panel.index, columns=known)
        tables.append(
            wide.stack().rename_axis(["code", "horizon"]).rename("forecast").reset_index().assign(origin=origin)
        )
        print(f"{name}, {origin}: {time.perf_counter() - wall:.0f} s", file=sys.stderr, flush=True)
    seconds = {
        "wall": round(time.perf_counter() - wall, 2),
        "processor": round(_processor_seconds() - processor, 2),
        "processes": 1 if name in ALONE else task["processes"],
    }
    table = pd.concat(tables)[["origin", "horizon", "code", "forecast"]]
    table.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.json").write_text(json.dumps({"seconds": seconds, "versions": _versions()}))


def _as_dates(years: np.ndarray) -> pd.DatetimeIndex:
    return pd.to_datetime([f"{year}-07-01" for year in years])


def _processor_seconds() -> float:
    """Return the processor time of this process and of those it has waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("statsforecast", "prophet", "numpy", "pandas", "scipy")}


if __name__ == "__main__":
    for chosen in sys.argv[2:]:
        run(Path(sys.argv[1]), chosen)
