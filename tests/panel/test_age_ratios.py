"""Shares, dependency ratios and median ages, by hand and on the published ages of the UN."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import ModelError
from popforecast.panel.age_ratios import find_median_age, tabulate_ratios


def test_ratios_are_those_of_a_hand_calculation() -> None:
    rows = [(0, 200), (15, 100), (20, 400), (60, 100), (65, 150), (100, 50)]
    ages = pd.DataFrame(
        [(1, "A", 2050, sex, age, count / 2) for age, count in rows for sex in "MF"],
        columns=["location_code", "location", "year", "sex", "age", "population"],
    )
    (row,) = tabulate_ratios(ages).to_dict("records")
    assert row["share_65_plus"] == 20
    assert (row["old_age_dependency"], row["child_dependency"], row["total_dependency"]) == (40, 60, 100)
    # Half of 1,000: 300 are below 20, and 200 of the 400 aged 20 to 24 are half of them.
    assert row["median_age"] == 22.5


def test_the_median_age_is_that_of_single_years_where_ages_are_even() -> None:
    even = np.r_[np.full(18, 500.0), 0, 0, 0][None]
    assert find_median_age(even).tolist() == [45]


def test_the_published_past_is_described_from_its_ages(wpp2024: pf.Panel) -> None:
    ratios = pf.forecast(wpp2024, ["JPN", "NGA"], 2020, 2050).age_ratios().set_index(["location_code", "year"])
    components = wpp2024.components
    assert components is not None
    for code in (392, 566):
        persons = components.ages[components.codes.index(code), ..., list(components.years).index(2020)].sum(axis=0)
        below = np.r_[0, np.cumsum(persons)]
        median = np.interp(below[-1] / 2, below, 5 * np.arange(22))
        assert ratios.loc[(code, 2020), "median_age"] == pytest.approx(median, abs=0.01)
    japan = ratios.loc[392]
    assert japan.loc[2050, "share_65_plus"] > japan.loc[2020, "share_65_plus"] > 28
    assert (japan["old_age_dependency"] + japan["child_dependency"]).to_numpy() == pytest.approx(
        japan["total_dependency"].to_numpy()
    )


def test_what_has_no_ages_has_no_ratios(wpp2024: pf.Panel) -> None:
    with pytest.raises(ModelError, match="totals only"):
        pf.forecast(wpp2024, "JPN", model="panel-ar").age_ratios()
