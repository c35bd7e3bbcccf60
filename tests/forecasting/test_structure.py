"""Ages, births, deaths and migration of a forecast: they add up to what the forecast says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import ModelError
from popforecast.forecasting.apportioning import round_to_sum, spread_flow
from popforecast.models.cohort import Cohort


@pytest.fixture(scope="module")
def panel() -> pf.Panel:
    return pf.load_panel("wpp2024")


@pytest.fixture(scope="module")
def fitted(panel: pf.Panel) -> pf.Fitted:
    # Without past errors: intervals say nothing of ages.
    return Cohort().fit(panel)


@pytest.fixture(scope="module")
def fc(panel: pf.Panel, fitted: pf.Fitted) -> pf.Forecast:
    outlook = pf.forecast_all(panel, fitted, levels=())
    return outlook.forecast(["World", "JPN", "NGA", "TUV", "Both"], 2010, 2100, groups={"Both": ["JPN", "NGA"]})


def test_ages_sum_to_the_forecast_to_the_person(fc: pf.Forecast) -> None:
    ages = fc.ages()
    sums = ages.groupby(["location_code", "year"], sort=False)["population"].sum().unstack()
    # Before the origin, every fifth year has ages.
    expected = [2010, 2015, 2020, *range(2023, 2101)]
    assert sums.columns.tolist() == expected
    for code, row in zip(fc.locations.index, fc.population, strict=True):
        assert sums.loc[code].tolist() == np.rint(row[np.isin(fc.years, expected)]).tolist()
    assert (ages["population"] >= 0).all()


def test_ages_of_the_past_are_those_published(fc: pf.Forecast) -> None:
    ages = fc.ages().query("location_code == 392 and year == 2020")["population"].to_numpy().reshape(2, 21)
    published = pf.load_components("wpp2024").select([392]).ages[0, ..., -1]
    assert ages == pytest.approx(published, rel=1e-4, abs=1)


def test_every_fifth_year_has_the_ages_of_the_projection(panel: pf.Panel, fc: pf.Forecast) -> None:
    projection = Cohort().project(panel)
    row = panel.components.codes.index(566)
    ages = fc.ages().query("location_code == 566 and year == 2048")["population"].to_numpy().reshape(2, 21)
    assert ages == pytest.approx(projection.ages[row, ..., 5], rel=1e-6, abs=1)


def test_a_group_has_the_ages_of_its_members(fc: pf.Forecast) -> None:
    table = fc.ages().query("year == 2060").pivot(index=["sex", "age"], columns="location_code", values="population")
    assert table["Both"].to_numpy() == pytest.approx((table[392] + table[566]).to_numpy(), rel=1e-4)


def test_births_deaths_and_migration_are_the_change_of_the_forecast(fc: pf.Forecast) -> None:
    flows = fc.components()
    assert flows["year"].unique().tolist() == list(range(2024, 2101))
    balance = (flows["births"] - flows["deaths"] + flows["net_migration"]).to_numpy().reshape(len(fc.locations), -1)
    path = np.rint(np.hstack([fc.history.values[:, -1:], fc.path.population]))
    np.testing.assert_array_equal(balance, np.diff(path, axis=1))


def test_flows_of_five_years_are_those_of_a_step(panel: pf.Panel, fc: pf.Forecast) -> None:
    projection = Cohort().project(panel)
    row = panel.components.codes.index(392)
    japan = fc.components().query("location_code == 392 and 2029 <= year <= 2033")
    assert japan["births"].sum() == pytest.approx(projection.births[row, 1], abs=3)
    assert japan["deaths"].sum() == pytest.approx(projection.deaths[row, 1], abs=3)
    assert japan["net_migration"].sum() == pytest.approx(projection.migration[row, 1], abs=8)


def test_the_first_years_go_on_from_the_last_known(panel: pf.Panel, fc: pf.Forecast) -> None:
    """Deaths of the years of COVID apart, a year's births and deaths are like the last's."""
    known = panel.components.select([392])
    first = fc.components().query("location_code == 392").iloc[0]
    assert first["births"] == pytest.approx(known.births[0, -1], rel=0.05)
    assert first["deaths"] == pytest.approx(known.deaths[0, -1], rel=0.05)


def test_five_yearly_editions_have_flows_of_five_years() -> None:
    panel = pf.load_panel("wpp2012")
    fc = pf.forecast_all(panel, Cohort().fit(panel), levels=()).forecast("JPN", 2015, 2050)
    flows = fc.components()
    assert flows["year"].tolist() == list(range(2015, 2051, 5))
    assert flows["births"].iloc[0] == pytest.approx(5.4e6, rel=0.06)
    assert fc.ages()["year"].unique().tolist() == fc.years.tolist()


@pytest.mark.parametrize("what", ["ages", "components"])
def test_what_has_no_ages_says_so(panel: pf.Panel, what: str) -> None:
    with pytest.raises(ModelError, match="naive forecasts totals only here: ages and births need the model cohort"):
        getattr(pf.forecast(panel, "JPN", model="naive"), what)()
    older = pf.load_panel("wpp2019")
    outlook = pf.forecast_all(older, Cohort().fit(older), levels=())
    with pytest.raises(ModelError, match="no ages are known of Monaco \\(492\\): expected a place with components"):
        getattr(outlook.forecast("Monaco", 2030, 2030), what)()
    assert len(getattr(outlook.forecast("World", 2030, 2030), what)()) in (1, 42)


def test_own_figures_without_components_have_no_ages() -> None:
    panel = pf.Panel([[100.0 + year for year in range(40)]], range(1980, 2020), pd.DataFrame({"name": ["A"]}))
    with pytest.raises(ModelError, match="cohort forecasts totals only here"):
        pf.forecast(panel, model="cohort").ages()


def test_whole_numbers_add_up() -> None:
    parts = np.random.default_rng(0).uniform(0, 10, (2, 21))
    assert round_to_sum(parts, 1000).sum() == 1000
    assert np.abs(round_to_sum(parts, 1000) - parts * 1000 / parts.sum()).max() < 1


def test_a_flow_by_year_sums_to_that_of_its_step() -> None:
    flow = np.array([10.0, 15.0, 5.0])
    assert spread_flow(flow, 3.0, 15).reshape(-1, 5).sum(axis=1) == pytest.approx(flow)
    assert len(spread_flow(flow, 3.0, 22)) == 22
