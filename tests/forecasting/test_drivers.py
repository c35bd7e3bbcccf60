"""What makes a forecast by age differ from the UN's is computed from its births, deaths and migration."""

from __future__ import annotations

import re

import numpy as np
import pytest

import popforecast as pf
from popforecast.forecasting.drivers import explain_difference, find_drivers


@pytest.fixture(scope="module")
def fc(wpp2024: pf.Panel) -> pf.Forecast:
    return pf.forecast(wpp2024, ["QAT", "NGA", "World", "DEU"], 2024, 2050)


@pytest.fixture(scope="module")
def medium() -> dict[int, float]:
    rows = pf.load_projections("wpp2024").query("year == 2050")
    return dict(zip(rows["location_code"], rows["population"].astype(float), strict=True))


def test_births_deaths_and_migration_make_up_the_change(fc: pf.Forecast) -> None:
    flows = fc.components().groupby("location_code")[["births", "deaths", "net_migration"]].sum()
    for row, code in enumerate(fc.locations.index):
        path = np.append(fc.history.values[row, -2:], fc.path.population[row, :27])
        drivers = find_drivers(fc.structure, code, str(code), path)
        assert drivers.natural + drivers.migration == pytest.approx(100 * (path[-1] / path[1] - 1), abs=1e-3)
        assert drivers.migration == pytest.approx(100 * flows.loc[code, "net_migration"] / path[1])
        assert np.isnan(drivers.fertility) == (code == 900)


def test_without_migration_the_population_is_that_of_the_scenario(fc: pf.Forecast, wpp2024: pf.Panel) -> None:
    closed = pf.forecast(wpp2024, list(fc.locations.index), 2048, 2048, pf.Cohort(migration="zero"))
    for row, code in enumerate(fc.locations.index):
        path = np.append(fc.history.values[row, -2:], fc.path.population[row, :25])
        drivers = find_drivers(fc.structure, code, str(code), path)
        assert drivers.closed * path[-1] == pytest.approx(closed.population[row, 0], rel=1e-3)


@pytest.mark.parametrize(("code", "row"), [(634, 0), (276, 3)])
def test_migration_explains_the_gulf_and_germany(
    fc: pf.Forecast, medium: dict[int, float], code: int, row: int
) -> None:
    said = explain_difference(fc, row, 2050, medium[code])
    (apart, above), (_, below) = re.findall(r"(\d+)% (above|below)", said)
    assert int(apart) == round(100 * abs(fc.population[row, -1] / medium[code] - 1))
    # Without it, the forecast is not above the UN's but below.
    assert (above, below) == ("above", "below")


def test_fertility_and_not_migration_explains_nigeria(fc: pf.Forecast, medium: dict[int, float]) -> None:
    said = explain_difference(fc, 1, 2050, medium[566])
    assert "6% above the UN medium variant in 2050" in said
    assert said.endswith("With no migration from now on, ours would be 6% above the UN's.")


def test_nothing_is_explained_where_forecasts_agree_or_ages_are_unknown(
    fc: pf.Forecast, medium: dict[int, float], wpp2024: pf.Panel
) -> None:
    assert explain_difference(fc, 2, 2050, medium[900]) == ""
    assert explain_difference(pf.forecast(wpp2024, "QAT", model="panel-ar"), 0, 2030, 1e6) == ""
