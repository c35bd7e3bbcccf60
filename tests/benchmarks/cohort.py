"""The forecast by age: compared with the UN's for 2100, how often its ranges held in history, and how fast it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import popforecast as pf
from popforecast.evaluation.backtesting import backtest
from popforecast.forecasting.calibration import fit
from popforecast.forecasting.store import EMBEDDED

from .figure import Figure, time_median, time_once

LEVELS = (80, 95)
ORIGINS = range(1978, 2019, 5)
HORIZONS = (1, 3, 5, 10, 20, 30)

# Coverage asked of the 80 and 95% intervals in history, by horizon: from, to.
HELD = {5: ((76, 86), (92, 98)), 10: ((76, 86), (92, 98)), 20: ((72, 92), (92, 98)), 30: ((72, 92), (92, 98))}

# Errors of the original trial on the same origins, mean and median in percent, for comparison.
TRIAL = {
    1: (0.23, 0.06),
    3: (1.09, 0.41),
    5: (2.09, 0.94),
    10: (5.02, 2.65),
    20: (11.57, 7.21),
    30: (19.13, 12.70),
}


def measure() -> Iterator[Figure]:
    """Compare the default forecast of wpp2024 with the UN's, score it in history, and time it."""
    panel = pf.load_panel("wpp2024").countries()
    yield from _compare_with_un(panel)
    yield from _score_history(panel)
    yield from _time(panel)


def _compare_with_un(panel: pf.Panel) -> Iterator[Figure]:
    un = pf.load_projections("wpp2024").query("year == 2100").set_index("location_code")
    whole = pf.forecast(pf.load_panel("wpp2024"), None, 2100, 2100, levels=LEVELS)
    row = whole.locations.index.get_loc(900)
    world, theirs = whole.population[row, 0] / 1e9, un.loc[900, "population"] / 1e9
    yield Figure("World in 2100", world, "bn", np.inf, f"the UN's {theirs:.2f}; half-life of fertility 10 years")
    at = [whole.locations.index.get_loc(code) for code in panel.codes]
    un = un.loc[panel.codes]
    median, lower, upper = (each[at, 0] for each in (whole.population, whole.lower[80], whole.upper[80]))
    inside = 100 * np.mean((un["lower_95"] <= median) & (median <= un["upper_95"]))
    held = 100 * np.mean((lower <= un["population"]) & (un["population"] <= upper))
    yield Figure("our medians of 2100 within the UN's 95%", inside, "%", 95, f"{len(panel)} countries", at_least=True)
    yield Figure("our 80% of 2100 containing the UN's medium", held, "%", 70, at_least=True)


def _score_history(panel: pf.Panel) -> Iterator[Figure]:
    ran = backtest(panel, ["cohort", "panel-ar"], list(ORIGINS), list(HORIZONS), LEVELS).errors
    for horizon in HORIZONS:
        ours, other = (
            ran[(ran["model"] == name) & (ran["horizon"] == horizon)]["ape"] for name in ("cohort", "panel-ar")
        )
        trial = f"median {ours.median():.2f}; trial {TRIAL[horizon][0]:.2f} ({TRIAL[horizon][1]:.2f})"
        beside = f"{trial}; panel-ar {other.mean():.2f} ({other.median():.2f})"
        yield Figure(f"mean error, {horizon} years, percent", ours.mean(), "%", TRIAL[horizon][0], beside)
    for horizon, asked in HELD.items():
        rows = ran[(ran["model"] == "cohort") & (ran["horizon"] == horizon)]
        for level, (low, high) in zip(LEVELS, asked, strict=True):
            inside = rows["outcome"].between(rows[f"lower_{level}"], rows[f"upper_{level}"])
            name, value = f"{level}% intervals held, {horizon} years", 100 * inside.mean()
            yield Figure(name, value, "%", low, f"at most {high}: {'yes' if value <= high else 'NO'}", at_least=True)


def _time(panel: pf.Panel) -> Iterator[Figure]:
    def forecast() -> None:
        pf.forecast_all(panel, fit(panel, pf.Cohort()))

    yield Figure("fit and forecast of 236 to 2100, with ranges", time_once(forecast), "s", 1, "cold")
    origins = [*range(1968, 2023, 5), 2022]
    once = time_once(lambda: backtest(panel, ["cohort"], origins, [1, 5, 10], LEVELS))
    yield Figure("backtest of 12 origins", once, "s", 3)
    whole = pf.load_panel("wpp2024")
    for model in EMBEDDED:
        seconds = time_median(lambda model=model: pf.load_fitted("wpp2024", whole, model), 20)
        yield Figure(f"embedded fit of {model}", 1e3 * seconds, "ms", 50)
