"""The embedded components: small, whole, and as the UN published them."""

from __future__ import annotations

import numpy as np
import pytest

import popforecast as pf
from popforecast.errors import UnknownRevisionError
from popforecast.wpp import components as embedded
from popforecast.wpp.components import ORIGINS, load_components, pack, unpack


@pytest.mark.parametrize("edition", [*pf.REVISIONS, "wpp2010", "wpp2012"])
def test_ages_of_an_edition_sum_to_its_totals(edition: str) -> None:
    panel = pf.load_panel(edition)
    assert panel.components is not None
    assert panel.with_components(panel.components).components is not None
    countries = (panel.locations["type"] == "Country/Area").sum()
    assert len(panel.components) == (201 if edition == "wpp2019" else countries)


@pytest.mark.parametrize("edition", ORIGINS)
def test_components_end_where_the_edition_stopped_estimating(edition: str) -> None:
    components = load_components(edition)
    assert components.years[-1] == ORIGINS[edition] // 5 * 5
    assert components.periods[-1] == ORIGINS[edition] // 5 * 5 - 5
    assert components.calendar.tolist() == (list(range(1950, 2024)) if edition == "wpp2024" else [])


def test_figures_are_the_published_ones() -> None:
    """Of Afghanistan in 1950, as the UN has them: 655,897 girls below five; infants died at a rate of 0.30785."""
    components = load_components("wpp2024")
    at = components.codes.index(4)
    assert components.ages[at, 1, :3, 0].tolist() == [655_897, 488_244, 425_095]
    assert components.mortality[at, 1, :3, 0] == pytest.approx([0.3078, 0.05101, 0.01029], rel=1e-3)
    assert (components.fertility[at, 0], components.sex_ratio[at, 0]) == (7.263, 1.049)
    assert components.fertility_by_age[at, 0, 0] == 10.01
    assert components.births[at, :3].tolist() == [383_985, 391_002, 397_663]
    assert components.net_migration[at, :2].tolist() == [6161, 4903]


def test_births_and_deaths_explain_growth_but_for_migration() -> None:
    """Over a year, births - deaths + migration is the change of the population, within a few thousandths of it."""
    panel = pf.load_panel("wpp2024").select([356, 566, 392, 276])
    parts = panel.components
    flows = parts.births - parts.deaths + parts.net_migration
    mid_years = (flows[:, :-1] + flows[:, 1:]) / 2
    assert np.abs(np.diff(panel.values, axis=1) - mid_years).max(axis=1) / panel.values[:, -1] == pytest.approx(
        0, abs=2e-3
    )


def test_packed_and_unpacked_again_nothing_has_changed() -> None:
    components = load_components("wpp2010")
    content = pack(components)
    assert content == pack(components)
    assert unpack(content).checksum == components.checksum


def test_an_edition_without_components_is_named() -> None:
    with pytest.raises(UnknownRevisionError, match="no components of 'wpp2022' are embedded: expected one of wpp2008"):
        load_components("wpp2022")


def test_they_are_read_once() -> None:
    embedded._load.cache_clear()
    assert load_components() is load_components()
