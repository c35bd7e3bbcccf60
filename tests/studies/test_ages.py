"""The page on ages: its tables are those of the projection, and its errors those of projections at past origins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import ModelError
from popforecast.studies import ages as study


@pytest.fixture(scope="module")
def japan(wpp2024: pf.Panel) -> pf.Forecast:
    return pf.forecast(wpp2024, "JPN", 2024, 2100, levels=())


@pytest.fixture(scope="module")
def errors(wpp2024: pf.Panel) -> pd.DataFrame:
    return study.measure_errors(wpp2024)


def test_errors_are_those_of_a_projection_from_the_origin(errors: pd.DataFrame, wpp2024: pf.Panel) -> None:
    projection = pf.Cohort().project(wpp2024.until(2000).countries())
    at = errors.query("origin == 2000 and horizon == 20").set_index("location_code")
    then = wpp2024.countries()
    row = then.codes.get_loc(392)
    persons = then.values[row, then.years == 2020][0]
    assert at.loc[392, "population"] == pytest.approx(100 * (projection.totals[row, 4] / persons - 1))
    old = then.components.ages[row, :, 13:, list(then.components.years).index(2020)].sum()
    all_ages = then.components.ages[row, ..., list(then.components.years).index(2020)].sum()
    ours = projection.ages[row, :, 13:, 4].sum() / projection.ages[row, ..., 4].sum()
    assert at.loc[392, "old"] == pytest.approx(100 * (ours - old / all_ages))
    tfr = then.components.tfr[row, 65:71]
    assert at.loc[392, "fertility"] == pytest.approx(projection.fertility[row, 3] - (tfr[:-1] + tfr[1:]).sum() / 10)


def test_errors_grow_with_the_horizon_and_every_country_has_them(errors: pd.DataFrame, wpp2024: pf.Panel) -> None:
    table = study.tabulate_errors(errors)
    assert table.columns.tolist() == ["5 years", "10 years", "20 years", "30 years"]
    mean = errors.set_index("horizon")[list(study.MEASURES)].abs().groupby("horizon").mean()
    assert (mean.diff().iloc[1:] > 0).all(axis=None)
    assert errors["location_code"].nunique() == len(wpp2024.countries())
    assert np.isfinite(errors[list(study.MEASURES)].to_numpy()).all()


def test_the_components_shown_add_up_to_the_change(japan: pf.Forecast) -> None:
    table = study.tabulate_components(japan)
    projection = pf.Cohort().project(japan.structure.panel)
    row, first = japan.structure.find(392, "Japan")[0], table.iloc[0]
    growth = first["births"] - first["deaths"] + first["net migration"]
    persons = projection.totals[row]
    assert growth == pytest.approx(1000 * (persons[1] - persons[0]) / (persons[0] + persons[1]) * 2 / 5, abs=0.11)
    assert table.index[0] == "2023 to 2028"


def test_each_rule_gives_its_own_forecast(wpp2024: pf.Panel) -> None:
    table = study.tabulate_rules(wpp2024, ["JPN"], {"default": pf.Cohort(), "five": pf.Cohort(5.0)})
    assert table.columns.tolist() == ["Japan, 2050", "Japan, 2100"]
    assert float(table.loc["five", "Japan, 2100"]) < float(table.loc["default", "Japan, 2100"])


def test_what_has_no_ages_is_refused(wpp2019: pf.Panel, wpp2024: pf.Panel) -> None:
    with pytest.raises(ModelError, match="no births and deaths by calendar year: expected a revision such as wpp2024"):
        study.measure_errors(wpp2019)
    with pytest.raises(ModelError, match="drift forecasts totals only"):
        study.measure_errors(wpp2024, pf.models.get("drift"))
    with pytest.raises(ModelError, match="a sum of 236 countries: expected one country"):
        study.tabulate_components(pf.forecast(wpp2024, "World", 2024, 2030, levels=()))
