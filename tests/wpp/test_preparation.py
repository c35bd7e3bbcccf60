"""The UN's files become the embedded tables, byte for byte, and what is odd in them is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import ReadError
from popforecast.wpp import editions, preparation
from popforecast.wpp.tables import write_tables


def assert_embedded(folder: Path, revision: str) -> None:
    for path in folder.glob(f"{revision}-*.csv"):
        assert path.read_bytes() == (editions.DATA / path.name).read_bytes(), path.name
    assert editions.read_manifest(folder)[revision] == editions.read_manifest(editions.DATA)[revision]


def test_file_of_2019_becomes_the_embedded_tables(raw: Path, tmp_path: Path) -> None:
    reading = pf.read_wpp(raw / "WPP2019_POP_F01_1_TOTAL_POPULATION_BOTH_SEXES.csv", revision="wpp2019")
    source = preparation.describe_reading(reading)
    write_tables(preparation.add_geography(reading.panel), tmp_path, source)
    assert_embedded(tmp_path, "wpp2019")


def test_tables_of_2024_become_the_embedded_tables(raw: Path, tmp_path: Path) -> None:
    panel, projections, source = preparation.prepare_wpp2024(raw.parent / "wpp2024")
    write_tables(panel, tmp_path, source, projections)
    assert_embedded(tmp_path, "wpp2024")


def test_geography_adds_codes_and_regions_and_touches_no_figure(wpp2019: pf.Panel) -> None:
    bare = pf.Panel(wpp2019.values, wpp2019.years, wpp2019.locations.drop(columns=["iso3", "region"]), wpp2019.revision)
    full = preparation.add_geography(bare)
    assert full.checksum == bare.checksum
    assert full.locations.equals(wpp2019.locations)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A world of two countries in the form of the three plain tables of 2024."""
    (tmp_path / "estimates_thousands.csv").write_text("location_code,2022,2023\n900,4.5,4.6\n638,1.5,1.6\n384,3,3\n")
    (tmp_path / "locations.csv").write_text(
        "location_code,name,type,iso3,subregion_code,region_code,region\n"
        "900,World,World,,,,\n638,Reunion,Country/Area,REU,910,903,Africa\n384,Cote,Country/Area,CIV,914,903,Africa\n"
    )
    (tmp_path / "projections_thousands.csv").write_text(
        "location_code,year,medium,lower80,upper80,lower95,upper95\n900,2024,4.7,4.6,4.8,4.5,4.9\n"
    )
    return tmp_path


def test_plain_tables_become_persons_with_the_published_names(tables: Path) -> None:
    panel, projections, _ = preparation.prepare_wpp2024(tables)
    assert panel.values.tolist() == [[4500, 4600], [1500, 1600], [3000, 3000]]
    assert panel.locations["name"].tolist() == ["World", "Réunion", "Côte d'Ivoire"]
    assert projections.iloc[0].to_dict() == {
        "location_code": 900,
        "year": 2024,
        "population": 4700,
        "lower_80": 4600,
        "upper_80": 4800,
        "lower_95": 4500,
        "upper_95": 4900,
    }


def test_location_without_a_description_is_refused(tables: Path) -> None:
    lines = (tables / "locations.csv").read_text().splitlines()[:-1]
    (tables / "locations.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(ReadError, match="does not describe location 384"):
        preparation.prepare_wpp2024(tables)


def test_countries_that_do_not_add_up_are_refused(tables: Path) -> None:
    content = (tables / "estimates_thousands.csv").read_text()
    (tables / "estimates_thousands.csv").write_text(content.replace("638,1.5,1.6", "638,1.5,1.7"))
    with pytest.raises(ReadError, match="in 2023 the countries' sum is"):
        preparation.prepare_wpp2024(tables)


def test_known_breaks_of_history_are_found(wpp2024: pf.Panel) -> None:
    """Kuwait lost most of its people in 1990 and 1991; Montserrat to its volcano in the 1990s."""
    anomalies = preparation.find_anomalies(wpp2024.countries(), most=40)
    assert {"Kuwait", "Montserrat"} <= set(anomalies["location"])
    assert anomalies.set_index("location").loc["Kuwait", "year"] in (1990, 1991, 1992)
    breaks = (anomalies["growth"] - anomalies["usual"]).abs()
    assert breaks.is_monotonic_decreasing
    assert (breaks > 2).all()
    assert anomalies["location_code"].is_unique


def test_growth_is_in_percent_a_year_whatever_the_step() -> None:
    values = 1e6 * 1.02 ** (5 * np.arange(12))
    values[8:] *= 0.5
    panel = pf.Panel([values], range(1960, 2020, 5), pd.DataFrame({"name": ["Broken"]}))
    (found,) = preparation.find_anomalies(panel).to_dict("records")
    assert found["usual"] == pytest.approx(2)
    assert found["growth"] == pytest.approx(100 * (1.02 * 0.5**0.2 - 1))


def test_planted_break_is_found_and_steady_growth_is_not() -> None:
    steady = 1e6 * 1.02 ** np.arange(30)
    broken = steady.copy()
    broken[20:] *= 0.8
    panel = pf.Panel([steady, broken], range(1990, 2020), pd.DataFrame({"name": ["Steady", "Broken"]}))
    found = preparation.find_anomalies(panel)
    assert found[["location", "year"]].to_numpy().tolist() == [["Broken", 2010]]
    assert found["growth"].iloc[0] == pytest.approx(100 * (1.02 * 0.8 - 1))
    assert found["usual"].iloc[0] == pytest.approx(2.0)
    assert preparation.find_anomalies(panel.take(np.array([0]))).empty
