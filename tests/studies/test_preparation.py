"""What is shown of a revision: its source, its sums, its breaks, and the tables written from it."""

from __future__ import annotations

from pathlib import Path

import pytest

import popforecast as pf
from popforecast.studies import preparation as study
from popforecast.studies.events import UNEXPLAINED
from popforecast.wpp import editions


def test_the_embedded_tables_tell_what_file_they_came_from():
    opening = study.open_revision("wpp2019")
    assert opening.facts["series kept"] == "285"
    assert opening.facts["rows dropped"] == "4"
    assert "ec26d5adefb70281641ac8bda3f49221c0f35482aac4f97e7b4ac0d6667232ed" in opening._repr_html_()
    assert opening.show_rows(3)["population"].tolist() == ["2,536,431,000", "2,584,034,000", "2,630,862,000"]


def test_the_uns_file_is_shown_as_it_came_and_gives_the_embedded_panel(raw: Path):
    opening = study.open_revision("wpp2019", str(next(raw.glob("WPP2019*.csv"))))
    assert opening.show_rows(2, 3).to_numpy().tolist()[0][0] == "Index"
    assert opening.panel.checksum == pf.load_panel("wpp2019").checksum
    assert opening.source == editions.describe_source("wpp2019")


def test_an_unknown_revision_is_refused(tmp_path: Path):
    with pytest.raises(pf.PopforecastError, match="no revision 'wpp1999'"):
        study.open_revision("wpp1999")
    with pytest.raises(pf.PopforecastError, match="cannot be read"):
        study.open_revision("wpp2019", str(tmp_path / "absent.csv"))


@pytest.mark.parametrize("revision", ["wpp2019", "wpp2024"])
def test_the_embedded_tables_can_be_written_again_byte_for_byte(revision: str, tmp_path: Path):
    written = study.write_revision(study.open_revision(revision), str(tmp_path))
    for name in written.index.drop(editions.MANIFEST):
        assert (tmp_path / name).read_bytes() == (editions.DATA / name).read_bytes(), name


def test_nothing_is_written_without_a_folder():
    written = study.write_revision(study.open_revision("wpp2019"), "")
    assert written.index.tolist() == ["nothing: no folder given"]


@pytest.mark.parametrize("revision", ["wpp2019", "wpp2024"])
def test_countries_add_up_to_the_world(revision: str):
    assert study.compare_totals(pf.load_panel(revision))["parts per million"].abs().max() < 5


def test_without_a_world_there_is_nothing_to_compare_with(wpp2019):
    with pytest.raises(pf.PopforecastError, match="no location 900"):
        study.compare_totals(wpp2019.countries())


def test_every_country_is_counted_in_one_region(wpp2024):
    assert study.count_types(wpp2024)["locations"].sum() == 297
    assert study.count_regions(wpp2024)["countries"].sum() == 236


def test_breaks_are_explained_where_the_cause_is_beyond_doubt(wpp2024):
    table = study.explain_anomalies(wpp2024, most=20)
    assert table.loc["Kuwait", "what happened"] == "Iraq's invasion and the Gulf War, 1990-91"
    assert table.loc["Kosovo (under UNSC res. 1244)", "what happened"] == "war and expulsion, 1998-99"
    assert table.loc["Oman", "what happened"] == UNEXPLAINED
    assert len(table) == 20


def test_small_places_are_left_out_because_rounding_makes_them_jump(wpp2019):
    assert "Tokelau" not in study.explain_anomalies(wpp2019, most=100).index
