"""At a past origin the product's own answer is given: sums of countries, joint intervals, nothing from later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import popforecast as pf
from popforecast.evaluation.backtesting import hindcast
from popforecast.forecasting.origins import choose_past
from popforecast.models.base import Array, Arrays

ORIGINS, HORIZONS = [1990, 1991, 2005], [1, 10]


@dataclass(frozen=True)
class Counted(pf.Naive):
    """A model that counts how often it learns."""

    learnt: ClassVar[list[int]] = []

    def learn(self, panel: pf.Panel, log: Array) -> Arrays:
        self.learnt.append(panel.origin)
        return super().learn(panel, log)


@pytest.mark.parametrize("name", ["panel-ar", "naive", "ar1"])
def test_aggregates_are_answered_as_forecast_would_have_done_then(wpp2024: pf.Panel, name: str) -> None:
    """Sums of countries with joint intervals, but for a plain model: whatever the one verb says of that past."""
    rows = pf.backtest(wpp2024, name, [1993, 2010], [1, 5, 13]).errors
    rows = rows[rows["location_code"].isin(wpp2024.select(["World", "Africa", 927, "NGA"]).locations.index)]
    assert len(rows) == 4 * (3 + 3)
    for origin, given in rows.groupby("origin"):
        kind = None if name == "ar1" else "final"
        then = pf.forecast(wpp2024.until(origin), None, origin + 1, origin + 13, name, intervals=kind)
        expected = then.to_frame().set_index(["location_code", "year"])
        expected = expected.loc[list(zip(given["location_code"], given["year"], strict=True))]
        for column in ("population", "lower_80", "upper_80", "lower_95", "upper_95"):
            assert given[column].round().tolist() == expected[column].tolist()


def test_an_aggregate_is_the_sum_of_its_countries_at_every_origin(wpp2024: pf.Panel) -> None:
    panel = wpp2024.select(["Australia/New Zealand", "AUS", "NZL", "Melanesia", "FJI"])
    wide = pf.backtest(panel, ["damped-growth", "ar1"], [1990, 2005], [1, 10]).errors.pivot(
        index=["model", "origin", "year"], columns="location_code", values="population"
    )
    sums = wide[36].round() + wide[554].round()
    # The UN rounds sums and parts on their own, and the remainder of a person or two stays.
    assert (wide.loc["damped-growth", 927] - sums["damped-growth"]).abs().max() <= 2
    assert not np.isclose(wide.loc["ar1", 927], sums["ar1"], rtol=1e-6).any()
    # Melanesia without the rest of its countries is nobody's sum.
    assert wide.loc["damped-growth", 928].gt(1.5 * wide.loc["damped-growth", 242]).all()


def test_years_after_the_origin_reach_no_aggregate(wpp2024: pf.Panel) -> None:
    changed = wpp2024.values.copy()
    countries = (wpp2024.locations["type"] == "Country/Area").to_numpy()
    later = np.flatnonzero(wpp2024.years > 2000)
    changed[np.ix_(countries, later)] *= np.random.default_rng(3).uniform(0.5, 2, (int(countries.sum()), len(later)))
    other = replace(wpp2024, values=changed)
    ours, theirs = (pf.backtest(each, "panel-ar", [1990, 2000], [1, 20]).errors for each in (wpp2024, other))
    columns = ["population", "lower_80", "upper_80", "lower_95", "upper_95", "scale"]
    assert (ours[columns] == theirs[columns]).all(axis=None)
    assert (ours["outcome"] != theirs["outcome"]).any()


def test_a_model_is_estimated_once_at_each_year_whatever_it_serves_for(wpp2024: pf.Panel) -> None:
    panel = wpp2024.countries().take(np.arange(0, 236, 5))
    Counted.learnt.clear()
    hindcast(Counted(), panel, ORIGINS, HORIZONS, (80,))
    needed = set(ORIGINS).union(*(choose_past(panel, origin) for origin in ORIGINS))
    assert Counted.learnt == sorted(needed)


def test_without_levels_the_sums_are_the_same_and_nothing_is_calibrated(wpp2024: pf.Panel) -> None:
    Counted.learnt.clear()
    bare = hindcast(Counted(), wpp2024, ORIGINS, HORIZONS, ())
    assert Counted.learnt == ORIGINS
    assert (bare.prediction.lower, bare.prediction.upper) == ({}, {})
    whole = hindcast(Counted(), wpp2024, ORIGINS, HORIZONS, (95,))
    assert bare.prediction.population == pytest.approx(whole.prediction.population, rel=1e-9)


def test_narrower_and_fewer_questions_get_the_same_answers(wpp2024: pf.Panel) -> None:
    """Other origins, horizons and levels change no number."""
    model = pf.models.get("damped-growth")
    one = hindcast(model, wpp2024, [1991], [10], (80,))
    many = hindcast(model, wpp2024, [1980, *ORIGINS], [1, 3, 10, 30], (80, 95))
    assert one.prediction.population[:, 0, 0] == pytest.approx(many.prediction.population[:, 2, 2], rel=1e-9)
    for side in ("lower", "upper"):
        bound, same = (getattr(each.prediction, side)[80] for each in (one, many))
        assert bound[:, 0, 0] == pytest.approx(same[:, 2, 2], rel=1e-9)


def test_intervals_of_aggregates_never_cross_and_grow_with_the_horizon(wpp2024: pf.Panel) -> None:
    ahead = hindcast(pf.PanelAR(), wpp2024, [1988, 2003], range(1, 21), (80, 95)).prediction
    assert (ahead.lower[95] <= ahead.lower[80]).all()
    assert (ahead.lower[80] <= ahead.population).all()
    assert (ahead.population <= ahead.upper[80]).all()
    assert (ahead.upper[80] <= ahead.upper[95]).all()
    reach = np.log(ahead.upper[95] / ahead.population)
    assert (np.diff(reach, axis=2) >= -1e-9).all()


@pytest.mark.parametrize("name", ["panel-ar", "ar1"])
def test_results_are_read_only(wpp2024: pf.Panel, name: str) -> None:
    rolling = hindcast(pf.models.get(name), wpp2024.select(["NGA", "JPN"]), [2000], [1], (80,))
    for array in (rolling.outcome, rolling.scale, rolling.prediction.population, rolling.prediction.lower[80]):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
