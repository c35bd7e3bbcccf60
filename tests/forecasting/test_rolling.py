"""A model at past origins sees what was known then, and nothing later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import LevelError, YearError
from popforecast.forecasting.rolling import check_horizons, check_origins, collect_outcomes, roll
from tests.helpers.freezing import check_frozen

ORIGINS, HORIZONS = [1990, 2005, 2022], [1, 5, 20]
SOME = ["World", "NGA", "JPN", "TKL", "KWT"]


@pytest.mark.parametrize("model", [pf.AR(), pf.AR("bic", "c"), pf.Naive(), pf.Drift()], ids=lambda model: model.name)
def test_each_forecast_is_that_of_the_panel_until_then(wpp2024: pf.Panel, model: pf.Model) -> None:
    panel = wpp2024.select(SOME)
    rolling = roll(model, panel, ORIGINS, HORIZONS, (80,))
    for i, origin in enumerate(ORIGINS):
        alone = model.predict(model.estimate(panel.until(origin)), 20, (80,))
        for k, horizon in enumerate(HORIZONS):
            for ours, expected in (
                (rolling.prediction.population, alone.population),
                (rolling.prediction.lower[80], alone.lower[80]),
                (rolling.prediction.upper[80], alone.upper[80]),
            ):
                assert ours[:, i, k] == pytest.approx(expected[:, horizon - 1], rel=1e-9)


@pytest.mark.parametrize("model", [pf.AR(), pf.AR("aic", "ct"), pf.Naive(), pf.Drift()], ids=lambda model: model.name)
def test_years_after_the_origin_change_nothing(wpp2024: pf.Panel, model: pf.Model) -> None:
    """No leakage: whatever is written after the origin, the forecast and its scale stay to the bit."""
    panel = wpp2024.select(SOME)
    changed = panel.values.copy()
    changed[:, panel.years > 2005] = np.random.default_rng(4).uniform(1, 1e9, changed[:, panel.years > 2005].shape)
    other = replace(panel, values=changed)
    ours, theirs = (roll(model, each, [1990, 2005], HORIZONS) for each in (panel, other))
    assert (ours.prediction.population == theirs.prediction.population).all()
    assert (ours.prediction.upper[95] == theirs.prediction.upper[95]).all()
    assert (ours.scale == theirs.scale).all()
    assert not (ours.outcome == theirs.outcome).all()


def test_outcome_is_the_figure_of_that_year_or_missing(wpp2024: pf.Panel) -> None:
    panel = wpp2024.select(SOME)
    outcome = collect_outcomes(panel, check_origins(panel, ORIGINS), check_horizons(HORIZONS))
    frame = panel.to_frame().set_index(["location_code", "year"])["population"]
    for row, code in enumerate(panel.locations.index):
        for i, origin in enumerate(ORIGINS):
            for k, horizon in enumerate(HORIZONS):
                expected = frame.get((code, origin + horizon), np.nan)
                assert np.round(outcome[row, i, k]) == pytest.approx(expected, nan_ok=True)


def test_horizons_are_steps_of_the_panel() -> None:
    five_yearly = pf.Panel([[10, 20, 30, 40, 50, 60]], range(1950, 1980, 5), pd.DataFrame({"name": ["Five"]}))
    rolling = roll(pf.Naive(), five_yearly, [1960], [1, 2])
    assert rolling.outcome[0, 0].tolist() == [40, 50]
    assert rolling.scale[0, 0] == 10


def test_result_is_read_only(wpp2024: pf.Panel) -> None:
    rolling = roll(pf.Naive(), wpp2024, [2000], [1])
    check_frozen(rolling)


@pytest.mark.parametrize(
    ("origins", "named"),
    [
        ([], "no origin"),
        ([1950], "1950.*1951 to 2022"),
        ([2023], "2023.*1951 to 2022"),
        ([1990, 2050], "2050"),
        ([1990.5], "1990.5"),
        ([1990.0], "1990.0"),
        (["1990"], "1990"),
        ("1990", "1990"),
        ([True], "True"),
        ([None], "None"),
        (None, "None"),
        ([1990, 1990], "each origin once"),
    ],
)
def test_impossible_origin_is_refused(wpp2024: pf.Panel, origins: object, named: str) -> None:
    with pytest.raises(YearError, match=named):
        check_origins(wpp2024, origins)


def test_panel_of_two_years_is_too_short_to_test_on() -> None:
    short = pf.Panel([[1, 2]], [2000, 2001], pd.DataFrame({"name": ["Short"]}))
    with pytest.raises(YearError, match="three years or more"):
        check_origins(short, [2000])


@pytest.mark.parametrize("horizons", [[], [0], [-1], [1.5], [1.0], ["1"], "1", [True], None, [5, 5], [10**9]])
def test_impossible_horizon_is_refused(horizons: object) -> None:
    with pytest.raises(YearError, match="horizon"):
        check_horizons(horizons)


def test_one_origin_and_one_horizon_need_no_list(wpp2024: pf.Panel) -> None:
    assert roll(pf.Naive(), wpp2024, 2000, 5).outcome.shape == (297, 1, 1)
    assert check_horizons(iter([1, 2])).tolist() == [1, 2]


def test_impossible_level_is_refused(wpp2024: pf.Panel) -> None:
    with pytest.raises(LevelError):
        roll(pf.Naive(), wpp2024, [2000], [5], levels=(80, 180))
