"""The cohort-component projection: figures of an independent computation, and books that balance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import popforecast as pf
from popforecast.models.cohort import Cohort
from popforecast.models.cohort.exodus import find_exodus
from popforecast.models.cohort.fertility import forecast_fertility
from popforecast.models.cohort.migration import forecast_migration, measure_jaggedness
from popforecast.models.cohort.migration_ages import spread
from popforecast.models.cohort.mortality import measure_improvement
from popforecast.models.cohort.past import Past, estimate_ages, read_past
from popforecast.models.cohort.projection import Projection, project
from popforecast.models.cohort.workers import find_workers, learn_leaving

# Persons in 2024, 2028, 2030, 2050, 2075 and 2100, computed independently from the UN's unrounded components.
YEARS = (2024, 2028, 2030, 2050, 2075, 2100)
PLAIN = {
    "World": (8162275077, 8425773223, 8553149924, 9653796026, 10374365248, 10480955129),
    "CHN": (1419398785, 1399050984, 1386402850, 1220714787, 899438642, 632344091),
    "KOR": (51708166, 51427404, 51226776, 46584278, 35579192, 27577521),
    "JPN": (123739821, 121019199, 119479858, 103654363, 84611086, 71764614),
    "IND": (1450405837, 1495137603, 1516393015, 1647099128, 1594251293, 1375765662),
    "NGA": (232751011, 253497650, 264382858, 384360336, 532047992, 637966050),
    "USA": (345408206, 352458118, 355290608, 377829094, 402357251, 419122947),
    "DEU": (84956151, 85811015, 85914078, 83919934, 79173126, 74518863),
    "UKR": (35718296, 30990341, 30281412, 26117357, 18893510, 13694900),
    "ARE": (11014837, 12114895, 12618010, 16684712, 18306983, 18276539),
    "NER": (27040668, 30872578, 32932832, 58016402, 96798375, 132913148),
    "TUV": (9634, 8972, 8793, 8786, 9458, 9179),
}
MENDED = {
    "World": (8163141565, 8427474634, 8555246112, 9591098756, 10095056926, 9855410113),
    "CHN": (1419391671, 1399135545, 1386990770, 1192644090, 803651578, 452729820),
    "KOR": (51717852, 51529625, 51330273, 45697497, 32217027, 20103007),
    "JPN": (123765595, 121351110, 119921865, 103394198, 80435960, 61255155),
    "IND": (1450359026, 1494637290, 1515929043, 1648597545, 1598535956, 1382035802),
    "NGA": (232748551, 253415693, 264204689, 380289437, 513803513, 596646441),
    "USA": (345427419, 352723934, 355633238, 382023261, 414709121, 440476816),
    "DEU": (84939928, 85649824, 85786501, 83956250, 77248837, 68883009),
    "UKR": (37034589, 36628864, 36166279, 29545841, 18920487, 10410939),
    "ARE": (10999269, 11926051, 12412165, 17154422, 22889551, 27153428),
    "NER": (27039656, 30847566, 32883302, 56968955, 91438457, 119563398),
    "TUV": (9631, 8935, 8763, 8329, 7844, 6409),
}
# Of the 2019 edition: 2025, 2030, 2050 and 2100.
OLDER = {
    "CHN": (1457478205, 1462332534, 1386703036, 967203848),
    "IND": (1444445592, 1503406498, 1653073095, 1483210515),
    "NGA": (233664116, 263921375, 408503507, 776644263),
    "USA": (340632536, 348840643, 375990711, 428011350),
    "DEU": (84798419, 85222004, 86594125, 95493986),
}


@pytest.fixture(scope="module")
def panel() -> pf.Panel:
    return pf.load_panel("wpp2024").countries()


@pytest.fixture(scope="module")
def past(panel: pf.Panel) -> Past:
    return read_past(panel.values, 1950, panel.components)


@pytest.fixture(scope="module")
def at(panel: pf.Panel) -> Callable[[str], int]:
    rows = {iso3: row for row, iso3 in enumerate(panel.locations["iso3"])}
    return rows.__getitem__


@pytest.fixture(scope="module")
def projection(past: Past) -> Projection:
    return project(past)


def read_path(panel: pf.Panel, model: Cohort, years: tuple[int, ...]) -> np.ndarray:
    population = model.predict(model.estimate(panel), years[-1] - panel.origin, ()).population
    return population[:, [year - panel.origin - 1 for year in years]]


@pytest.mark.parametrize(
    ("model", "expected"), [(Cohort(None, mended=False), PLAIN), (Cohort(5), MENDED)], ids=["as specified", "mended"]
)
def test_paths_are_those_of_an_independent_computation(
    panel: pf.Panel, at: Callable[[str], int], model: Cohort, expected: dict[str, tuple[int, ...]]
) -> None:
    """Within 0.2%, 0.5% below 100,000 people, as what is embedded is rounded."""
    path = read_path(panel, model, YEARS)
    for place, figures in expected.items():
        ours = path.sum(axis=0) if place == "World" else path[at(place)]
        assert ours == pytest.approx(np.array(figures), rel=0.002 if figures[0] > 1e5 else 0.005), place


def test_an_edition_without_births_by_year_is_projected_from_its_periods() -> None:
    panel = pf.load_panel("wpp2019").countries()
    rows = {iso3: row for row, iso3 in enumerate(panel.locations["iso3"])}
    path = read_path(panel, Cohort(None, mended=False), (2025, 2030, 2050, 2100))
    for place, figures in OLDER.items():
        assert path[rows[place]] == pytest.approx(np.array(figures), rel=0.002), place
    assert path.sum(axis=0)[1:3] == pytest.approx([8.558e9, 9.798e9], rel=1e-3)


def test_the_half_life_of_fertility_decides_the_world_of_2100(panel: pf.Panel, at: Callable[[str], int]) -> None:
    world = [read_path(panel, Cohort(years), (2100,)).sum() / 1e9 for years in (5, 10, None)]
    assert world == pytest.approx([9.85, 10.28, 10.63], abs=0.015)
    assert read_path(panel, Cohort(), (2100,))[at("CHN")] / 1e6 == pytest.approx(582, abs=1.5)


# The rules ------------------------------------------------------------------------------------------------------


def test_coefficients_of_migration_are_those_of_an_independent_computation(past: Past) -> None:
    plain, mended = (forecast_migration(past, 3, each).coefficients for each in (False, True))
    assert plain[0] == pytest.approx(
        [0.0349, 0.0380, 0.0657, -0.2009, 0.0480, 0.0279, 0.1625, 0.4545, 0.2672, 0.2276, -0.1819], abs=0.003
    )
    assert plain[1] == pytest.approx(
        [0.1496, 0.1107, 0.1754, -0.0900, -0.1880, 0.1233, 0.0525, -0.1080, 0.2447, 0.5271, -0.2610], abs=0.003
    )
    expected = [-0.0293, 0.0347, 0.0711, -0.0492, -0.0646, 0.0071, 0.0772, 0.4822, 0.2332, 0.3033, -0.1103]
    assert mended[0] == pytest.approx([*expected, -0.9020, 0.5401, 0.0615, 0.1631, 0.2277], abs=0.003)


def test_migration_rates_and_jaggedness_are_those_of_an_independent_computation(
    past: Past, at: Callable[[str], int]
) -> None:
    plain, mended = (forecast_migration(past, 3, each).rates for each in (False, True))
    assert plain[at("IND"), :2] == pytest.approx([-0.00325, -0.00163], abs=1e-4)
    assert plain[at("UKR"), :2] == pytest.approx([-0.12647, 0.02857], abs=1e-3)
    assert mended[at("UKR"), :2] == pytest.approx([0.02170, 0.02029], abs=1e-3)
    assert mended[at("ARE"), :2] == pytest.approx([0.08734, 0.06416], abs=1e-3)
    jagged = measure_jaggedness(past, past.now)[[at(place) for place in ("IND", "UKR", "DEU")]]
    assert jagged == pytest.approx([0.2279, 0.6981, 0.2848], abs=1e-3)


def test_coefficients_of_fertility_are_those_of_an_independent_computation(
    past: Past, at: Callable[[str], int]
) -> None:
    path, first, later = forecast_fertility(past, 3, None)
    assert first == pytest.approx([0.9335, -0.0385, -0.0276, -0.0872], abs=0.003)
    assert later == pytest.approx([0.5444, -0.0464, -0.1999], abs=0.003)
    assert path[at("IND")] == pytest.approx([1.9204, 1.8345, 1.7769], abs=1e-3)
    _, first, later = forecast_fertility(past, 3, 5)
    assert first == pytest.approx([0.8820, -0.0414, -0.0358, -0.0130], abs=0.003)
    assert later == pytest.approx([0.4913, -0.0610, -0.0230], abs=0.003)


def test_improvements_of_mortality_are_those_of_an_independent_computation(
    past: Past, at: Callable[[str], int]
) -> None:
    pooled = measure_improvement(past.components.mortality, by_likeness=False)[0]
    assert pooled[0, [0, 5, 14, 18]] == pytest.approx([0.1532, 0.1108, 0.0617, 0.0288], abs=2e-4)
    assert pooled[1, [0, 5, 14, 18]] == pytest.approx([0.1488, 0.1340, 0.0751, 0.0450], abs=2e-4)
    alike = measure_improvement(past.components.mortality)[:, 0, 14]
    assert alike[[at(place) for place in ("IND", "ARE", "DEU")]] == pytest.approx([0.0617, 0.1180, 0.1040], abs=1e-3)


def test_ages_at_the_origin_are_those_of_an_independent_computation(past: Past, at: Callable[[str], int]) -> None:
    """Of India in 2023, thousands of both sexes."""
    expected = [114867.6, 119968.2, 124711.6, 128355.9, 128530.3, 123538.8, 117533.9, 109242.7, 97271.6, 84744.3]
    expected += [73516.9, 62633.9, 52055.3, 40751.9, 28132.5, 16755.0, 9326.5, 4377.7, 1441.0, 286.6, 27.4]
    ages = estimate_ages(past)
    assert ages[at("IND")].sum(axis=0) / 1000 == pytest.approx(np.array(expected), rel=5e-4, abs=0.05)
    assert ages.sum(axis=(1, 2)) == pytest.approx(past.totals[:, -1])


def test_exoduses_are_found_and_some_of_who_left_come_back(past: Past, panel: pf.Panel) -> None:
    exodus = find_exodus(past)
    names = set(panel.locations["iso3"][exodus.fled])
    assert names == {"KWT", "LBN", "OMN", "UKR", "CUW", "GLP", "VEN"}
    assert not exodus.goes_on[exodus.fled].any()
    assert past.totals[exodus.fled, -1].min() > 1e5


def test_labour_migrants_go_home_before_old_age(past: Past, panel: pf.Panel, projection: Projection) -> None:
    ages = estimate_ages(past)
    found = set(panel.locations["iso3"][find_workers(ages)])
    assert found == {"ARE", "BHR", "KWT", "OMN", "QAT", "SAU", "MDV", "ESH", "SYC"}
    leaving = learn_leaving(past)
    assert leaving[0, 7:13] == pytest.approx([0, 0.08, 0.20, 0.28, 0.50, 0.50], abs=0.01)
    assert leaving[1, 7:13] == pytest.approx([0.21, 0.26, 0.26, 0.28, 0.45, 0.50], abs=0.01)
    assert leaving[:, :7].max() == leaving[:, 13:].max() == 0
    emirates = panel.locations["iso3"].tolist().index("ARE")
    elders = [
        each.ages[emirates, :, 13:, 6].sum() / each.totals[emirates, 6] for each in (projection, project(past, False))
    ]
    assert elders[0] < 0.08 < 0.18 < elders[1]


def test_refugees_are_of_all_ages_and_other_migrants_are_young() -> None:
    persons = np.ones((1, 2, 21))
    fled = -spread(np.array([-21.0]), persons)[0]
    assert fled.sum() == pytest.approx(21)
    assert fled[0, 20] == pytest.approx(21 * 0.95 / 42, rel=0.01)
    came = spread(np.array([21.0]), persons)[0].sum(axis=0)
    assert came.argmax() == 4
    assert came[2:8].sum() / came.sum() > 0.65


# The books ------------------------------------------------------------------------------------------------------


def test_births_deaths_and_migration_explain_the_change_of_every_country(projection: Projection) -> None:
    change = np.diff(projection.totals, axis=1)
    flows = projection.births - projection.deaths + projection.migration
    assert np.abs(change - flows).max() < 1e-3
    assert (projection.ages >= 0).all()
    assert (projection.ages[..., 1:] > 0).all()
    assert (projection.births > 0).all()
    assert (projection.deaths > -1).all()


def test_the_worlds_migration_sums_to_none(projection: Projection) -> None:
    assert np.abs(projection.migration.sum(axis=0)).max() < 1e-8 * np.abs(projection.migration).sum()


def test_births_and_deaths_of_the_world_are_those_of_an_independent_computation(past: Past) -> None:
    """Thousands a year in steps 1, 2, 6, 11 and 16, as first specified."""
    plain = project(past, mended=False, half_life=None)
    for flow, expected in (
        (plain.births, [130947, 131527, 134556, 127334, 113448]),
        (plain.deaths, [64139, 69031, 91662, 111724, 120152]),
    ):
        ours = flow.sum(axis=0)[[0, 1, 5, 10, 15]] / 5000
        assert ours == pytest.approx(np.array(expected), rel=1e-3)


def test_fewer_places_than_the_worlds_keep_their_net_migration(panel: pf.Panel) -> None:
    europe = panel.select(panel.codes[panel.locations["region"] == "Europe"].tolist())
    assert Cohort().project(europe).migration.sum() > 1e6
