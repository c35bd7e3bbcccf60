"""Components of a panel: what they must hold, and that they go where the panel goes."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import PanelError, YearError
from popforecast.panel.components import AGES, FERTILE_AGES, MORTALITY_AGES, Components

PLACES, YEARS, PERIODS = ("AR", "MI"), (1950, 1955, 1960), (1950, 1955)

Tables = dict[str, pd.DataFrame]


def make_tables() -> Tables:
    """Two countries of 42,000 persons, a thousand in each group."""

    def cross(**keys: tuple[object, ...]) -> pd.DataFrame:
        return pd.MultiIndex.from_product(keys.values(), names=keys).to_frame(index=False)

    sexes = ("F", "M")
    periods = cross(location_code=PLACES, period_start=PERIODS)
    calendar = cross(location_code=PLACES, year=tuple(range(1950, 1961)))
    yearly = {"births_thousands": 1.0, "deaths_thousands": 0.9, "net_migration_thousands": -0.1, "tfr": 2.0}
    shares = cross(location_code=PLACES, period_start=PERIODS, age=FERTILE_AGES)
    return {
        "ages": cross(location_code=PLACES, year=YEARS, sex=sexes, age=AGES).assign(population_thousands=1.0),
        "mortality": cross(location_code=PLACES, period_start=PERIODS, sex=sexes, age=MORTALITY_AGES).assign(mx=0.02),
        "fertility": periods.assign(tfr=2.1, sex_ratio_at_birth=1.05),
        "fertility_by_age": shares.assign(percent=100 / len(FERTILE_AGES)),
        "annual": calendar.assign(**yearly),
    }


@pytest.fixture
def tables() -> Tables:
    return make_tables()


@pytest.fixture
def components(tables: Tables) -> Components:
    return Components.from_frames(**tables)


@pytest.fixture
def panel() -> pf.Panel:
    years = np.arange(1950, 1961)
    places = pd.DataFrame({"name": ["Arda", "Midgard", "Both"]}, index=["AR", "MI", "XX"])
    return pf.Panel(np.full((3, 11), [[42_000.0], [42_000.0], [84_000.0]]), years, places)


def test_tables_in_any_order_of_rows_make_the_same_components(tables: Tables, components: Components) -> None:
    shuffled = {name: table.sample(frac=1, random_state=0) for name, table in tables.items()}
    assert Components.from_frames(**shuffled).checksum == components.checksum
    assert components.ages.shape == (2, 2, 21, 3)
    assert components.ages[..., -1].sum(axis=(1, 2)).tolist() == [42_000, 42_000]
    assert components.births[0, 0] == 1000


def test_men_come_before_women(tables: Tables) -> None:
    men = tables["ages"]["sex"] == "M"
    tables["ages"].loc[men, "population_thousands"] = 3
    ages = Components.from_frames(**tables).ages
    assert (ages[:, 0] == 3000).all()
    assert (ages[:, 1] == 1000).all()


def change(table: str, column: str, value: float, row: int = 0) -> Callable[[Tables], None]:
    def damage(tables: Tables) -> None:
        tables[table].loc[row, column] = value

    return damage


def drop(table: str, row: int = 0) -> Callable[[Tables], None]:
    def damage(tables: Tables) -> None:
        tables[table] = tables[table].drop(index=row)

    return damage


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (change("ages", "population_thousands", -1), "a population: -1000 for 'AR' in 1950: expected a number from 0"),
        (change("mortality", "mx", 3.5), "a death rate: 3.5 for 'AR' in 1950: expected a number from 0 to 3"),
        (change("mortality", "mx", 11, 21), "a death rate: 11 for 'AR' in 1950: expected a number from 0 to 10"),
        (change("fertility", "tfr", 40), "children per woman: 40 for 'AR' in 1950: expected a number from 0 to 15"),
        (change("fertility", "sex_ratio_at_birth", 2), "boys per girl: 2 for 'AR' in 1950: .* 0.8 to 1.4"),
        (change("fertility_by_age", "percent", 90), "that sum to: 175.714 for 'AR' in 1950: .* 99 to 101"),
        (change("annual", "tfr", 40), "children per woman: 40 for 'AR' in 1950"),
        (drop("ages", 5), "ages has no row for location_code AR, sex F, age 25, year 1950"),
        (drop("fertility"), "fertility has no row for location_code AR, period_start 1950"),
        (drop("mortality", 44), "a death rate: nothing for 'AR' in 1955"),
        (lambda tables: tables.update(ages=tables["ages"].drop(columns="sex")), "ages has no column 'sex'"),
        (lambda tables: tables.update(ages=pd.concat([tables["ages"]] * 2)), "ages has two rows for location_code AR"),
        (lambda tables: tables["ages"].replace({"sex": {"M": "X"}}, inplace=True), "ages has no row .* sex M"),
    ],
)
def test_what_is_no_component_is_named(tables: Tables, damage: Callable[[Tables], None], said: str) -> None:
    damage(tables)
    with pytest.raises(PanelError, match=said):
        Components.from_frames(**tables)


def test_early_rates_may_be_unknown_and_the_last_may_not(tables: Tables) -> None:
    rates = tables["mortality"]
    tables["mortality"] = rates[(rates["location_code"] != "MI") | (rates["period_start"] != 1950)]
    lacking = Components.from_frames(**tables)
    assert np.isnan(lacking.mortality[1, ..., 0]).all()
    assert lacking.until(1955).list_known() == ["AR"]
    tables["mortality"] = rates[(rates["location_code"] != "MI") | (rates["period_start"] != 1955)]
    with pytest.raises(PanelError, match="a death rate: nothing for 'MI' in 1955"):
        Components.from_frames(**tables)


def test_components_go_where_the_panel_goes(panel: pf.Panel, components: Components) -> None:
    whole = panel.with_components(components)
    assert whole.select(["XX", "MI"]).components.codes == ("MI",)
    assert whole.select("XX").components is None
    assert whole.append([[1.0] * 11], pd.DataFrame({"name": ["New"]}, index=["NW"])).components.codes == PLACES
    assert pickle.loads(pickle.dumps(whole)).components.checksum == components.checksum
    assert whole.until(1953).components is None
    known = whole.until(1957).components
    assert (known.years.tolist(), known.periods.tolist(), known.calendar[-1]) == ([1950, 1955], [1950], 1957)


def test_half_of_the_last_year_is_not_known_yet_unless_it_is_published(components: Components) -> None:
    assert np.isnan(components.until(1958).net_migration[:, -1]).all()
    assert not np.isnan(components.until(1958).net_migration[:, :-1]).any()
    assert not np.isnan(components.until(1960).net_migration).any()


def test_nothing_is_known_before_a_period_has_ended(components: Components) -> None:
    with pytest.raises(YearError, match="no period of components had ended by 1954: the first begins in 1950"):
        components.until(1954)


def test_other_components_make_another_panel(panel: pf.Panel, components: Components) -> None:
    assert panel.with_components(components).checksum != panel.checksum
    assert panel.with_components(components).until(1957).checksum != panel.until(1957).checksum
    assert panel.with_components(components).until(1953).checksum == panel.until(1953).checksum


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda panel: panel.select(["MI", "XX"]), "components have the code 'AR', which the panel does not have"),
        (
            lambda panel: pf.Panel(panel.values * 1.05, panel.years, panel.locations),
            "ages of 'AR' sum to 42,000 in 1950, but the panel has 44,100: expected the same within 1%",
        ),
        (
            lambda panel: pf.Panel(panel.values[:, 1:], panel.years[1:], panel.locations),
            "components begin in 1950, but the panel in 1951",
        ),
    ],
)
def test_components_of_another_panel_are_refused(
    panel: pf.Panel, components: Components, change: Callable[[pf.Panel], pf.Panel], said: str
) -> None:
    with pytest.raises(PanelError, match=said):
        change(panel).with_components(components)


def test_figures_cannot_be_changed(components: Components) -> None:
    for each in (components, components.until(1957), components.select(["MI"])):
        with pytest.raises(ValueError, match="read-only"):
            each.ages[0] = 0
