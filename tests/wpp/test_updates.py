"""An interim update replaces the series it names, moves what they are part of by as much, and nothing else."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast import charts
from popforecast.errors import PopforecastError, ReadError, StoreError, UnknownRevisionError
from popforecast.forecasting.store import fitted_path
from popforecast.studies import preparation as study
from popforecast.wpp import editions, updates
from popforecast.wpp.replacements import read_update
from popforecast.wpp.tables import Tables, load_tables, write_tables
from tests.helpers.updating import GHANA, INVENTED, TOGO, find_series, grow, write_long, write_wide

BOUNDS = ["lower_80", "upper_80", "lower_95", "upper_95"]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return load_tables("wpp2024")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_long(tmp_path_factory.mktemp("update") / "WPP2024 Togo, Ghana 2026-01-19.csv")


@pytest.fixture(scope="module")
def updated(tables: Tables, file: Path) -> Tables:
    return updates.apply_update(tables, read_update(file, tables))


def write(tables: Tables, folder: Path) -> list[Path]:
    return write_tables(tables.panel, folder, tables.source, tables.projections, tables.members)


# Figures --------------------------------------------------------------------------------------------------------


def test_the_named_countries_have_the_files_figures_in_persons(updated: Tables) -> None:
    for code, invented in INVENTED.items():
        persons = [round(1000 * grow(invented, year)) for year in range(1950, 2024)]
        assert find_series(updated.panel, code).tolist() == persons


def test_every_aggregate_moves_by_as_many_persons_as_its_countries(tables: Tables, updated: Tables) -> None:
    moved = {code: find_series(updated.panel, code) - find_series(tables.panel, code) for code in INVENTED}
    assert all((change != 0).any() for change in moved.values())
    for code in tables.panel.locations.index:
        holds = [c for c in INVENTED if c == code or c in tables.members.get(code, ())]
        change = find_series(updated.panel, code) - find_series(tables.panel, code)
        assert change.tolist() == sum((moved[c] for c in holds), np.zeros(74)).tolist(), code


@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_what_a_sum_has_beyond_its_countries_stays(revision: str, tmp_path: Path) -> None:
    before = load_tables(revision)
    path = write_long(tmp_path / "2025-03-01.csv", origin=before.panel.origin)
    after = updates.apply_update(before, read_update(path, before))
    write(after, tmp_path / "tables")
    members = editions.load_members(revision, tmp_path / "tables")
    assert members == before.members
    for code, countries in members.items():
        remainders = [
            find_series(tables.panel, code) - sum(find_series(tables.panel, c) for c in countries)
            for tables in (before, after)
        ]
        assert remainders[0].tolist() == remainders[1].tolist()


def test_a_forecast_of_the_updated_tables_is_the_sum_of_its_countries(updated: Tables) -> None:
    """Groups hold their members' persons, and regions too, but for rounding in the UN's own sums."""
    western = list(updated.members[914])
    fc = pf.forecast(updated.panel, [914], 2023, 2060, groups={"Mine": western})
    apart = fc.population[0] - fc.population[1]
    assert abs(apart[0]) <= 3
    assert np.abs(apart / fc.population[1]).max() < 1e-8
    parts = pf.forecast(updated.panel, western, 2023, 2060)
    assert fc.population[1].tolist() == pytest.approx(parts.population.sum(axis=0).tolist(), abs=len(western))


@pytest.mark.parametrize("last", [2023, 2100])
def test_the_wide_form_is_read_alike(tables: Tables, updated: Tables, tmp_path: Path, last: int) -> None:
    wide = read_update(write_wide(tmp_path / "update.csv", last=last), tables, "2026-01-19")
    assert updates.apply_update(tables, wide).panel.values.tolist() == updated.panel.values.tolist()
    assert (wide.projections is None) == (last == 2023)


def test_a_long_file_may_name_its_estimates_and_may_have_one_variant(
    tables: Tables, updated: Tables, tmp_path: Path, file: Path
) -> None:
    lines = file.read_text().splitlines()
    medium = [line for line in lines if ",Medium," in line]
    named = [line.replace("Medium", "Estimates") if int(line.split(",")[-2]) <= 2023 else line for line in medium]
    for rows in (medium, named):
        path = tmp_path / "2026-01-19.csv"
        path.write_text("\n".join([lines[0], *rows]) + "\n")
        again = updates.apply_update(tables, read_update(path, tables))
        assert again.panel.values.tolist() == updated.panel.values.tolist()
        kept = again.projections.set_index(["location_code", "year"])
        assert kept["population"].equals(updated.projections.set_index(["location_code", "year"])["population"])
        assert kept.loc[list(INVENTED), BOUNDS].isna().all(axis=None)


# Projections ----------------------------------------------------------------------------------------------------


def test_projections_are_replaced_and_sums_moved_and_bounds_of_sums_left_out(tables: Tables, updated: Tables) -> None:
    then, now = (t.projections.set_index(["location_code", "year"]) for t in (tables, updated))
    assert now.index.equals(then.index)
    years = range(2024, 2101)
    assert now.loc[768, "population"].tolist() == [round(1000 * grow(TOGO, year)) for year in years]
    assert now.loc[288, "upper_95"].tolist() == pytest.approx([1100 * grow(GHANA, year) for year in years], abs=1)
    change = {code: now.loc[code, "population"] - then.loc[code, "population"] for code in INVENTED}
    for code in tables.panel.locations.index.drop(list(INVENTED)):
        holds = [c for c in INVENTED if c in tables.members.get(code, ())]
        moved = now.loc[code, "population"] - then.loc[code, "population"]
        assert moved.tolist() == sum((change[c] for c in holds), 0 * moved).tolist()
        assert now.loc[code, BOUNDS].isna().all(axis=None) == bool(holds)


def test_without_projections_in_the_file_none_are_left_that_rest_on_replaced_figures(
    tables: Tables, tmp_path: Path
) -> None:
    path = write_long(tmp_path / "2026-01-19.csv", {768: TOGO}, last=None)
    after = updates.apply_update(tables, read_update(path, tables))
    gone = set(tables.projections["location_code"]) - set(after.projections["location_code"])
    assert gone == {768} | {code for code, countries in tables.members.items() if 768 in countries}
    kept = tables.projections[~tables.projections["location_code"].isin(gone)].reset_index(drop=True)
    assert after.projections.equals(kept)
    assert after.source["updates"][0]["projections"] == "left out"
    # The next update brings the country's own back; of sums there is nothing to move.
    path = write_long(tmp_path / "2026-02-19.csv", {768: TOGO})
    later = updates.apply_update(after, read_update(path, after))
    assert set(later.projections["location_code"]) == set(after.projections["location_code"]) | {768}


# Provenance -----------------------------------------------------------------------------------------------------


def test_the_tables_say_which_updates_they_hold_and_read_back_as_they_were_written(
    updated: Tables, file: Path, tmp_path: Path
) -> None:
    write(updated, tmp_path)
    back = load_tables("wpp2024", tmp_path)
    assert back.panel.values.tolist() == updated.panel.values.tolist()
    assert back.panel.checksum == updated.panel.checksum == editions.read_manifest(tmp_path)["wpp2024"]["panel_sha256"]
    pd.testing.assert_frame_equal(back.projections, updated.projections, check_dtype=False)
    reading = pf.read_wpp(file)
    entry = {"date": "2026-01-19", "locations": [768, 288], "file": file.name, "sha256": reading.sha256}
    assert back.source["updates"] == [entry | {"projections": "replaced"}]
    assert b".0" not in gzip.decompress((tmp_path / "wpp2024-projections.csv.gz").read_bytes())


def test_provenance_names_the_update_on_every_form_of_a_forecast(updated: Tables) -> None:
    fc = pf.forecast(updated.panel, ["TGO"], 2023, 2025, model="naive")
    assert fc.provenance["revision"] == "wpp2024"
    assert fc.provenance["source"] == updated.panel.title == "wpp2024 + update 2026-01-19"
    assert "2024, with the update of 19 January 2026. CC BY" in fc.citation
    for text in (json.dumps(fc.to_dict()), fc.to_csv(), charts.caption_forecast(fc), repr(updated.panel)):
        assert "wpp2024 + update 2026-01-19" in text
    assert pf.forecast(updated.panel.until(2020), ["TGO"]).provenance["source"] == updated.panel.title


def test_a_fit_to_the_earlier_figures_is_refused(updated: Tables) -> None:
    with pytest.raises(StoreError, match="fit it to this panel"):
        pf.load_fit(fitted_path(editions.DATA, "wpp2024", "cohort"), updated.panel)


def test_the_checksum_changes_where_projections_alone_do(tables: Tables, tmp_path: Path) -> None:
    """What is kept by the checksum of a panel, such as answers of the API, holds the medium variant, too."""
    changed = [
        updates.apply_update(tables, read_update(write_long(tmp_path / "2026-01-19.csv", last=last), tables))
        for last in (None, 2100)
    ]
    assert changed[0].panel.values.tolist() == changed[1].panel.values.tolist()
    assert len({each.panel.checksum for each in (tables, *changed)}) == 3


# One after another ----------------------------------------------------------------------------------------------


def test_of_two_updates_of_a_country_the_later_one_counts(tables: Tables, tmp_path: Path) -> None:
    first = write_long(tmp_path / "2026-01-19.csv")
    second = write_long(tmp_path / "2026-03-01.csv", {768: (1_300.0, 90.0), 566: (38_000.0, 2_500.0)})
    folder = tmp_path / "tables"
    study.write_revision(study.open_revision(update=str(first)), str(folder))
    opening = study.open_revision("wpp2024", folder=str(folder), update=str(second))
    study.write_revision(opening, str(folder))
    panel = pf.load_panel("wpp2024", folder)
    assert panel.title == "wpp2024 + update 2026-01-19 + update 2026-03-01"
    assert find_series(panel, 768).tolist() == [1000 * (1300 + 90 * n) for n in range(74)]
    assert find_series(panel, 288).tolist() == [round(1000 * grow(GHANA, year)) for year in range(1950, 2024)]
    moved = sum(find_series(panel, code) - find_series(tables.panel, code) for code in (768, 288, 566))
    assert (find_series(panel, 900) - find_series(tables.panel, 900)).tolist() == moved.tolist()
    assert [update.date for update in panel.updates] == ["2026-01-19", "2026-03-01"]
    with pytest.raises(ReadError, match=r"2026-03-01 is not later than that of 2026-03-01.*in the order of"):
        study.open_revision("wpp2024", folder=str(folder), update=str(second))


# Bad input ------------------------------------------------------------------------------------------------------


def edit(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([head, *change(rows)]) + "\n")

    return apply


def replace(old: str, new: str) -> Callable[[Path], None]:
    return edit(lambda rows: [row.replace(old, new) for row in rows])


def scale(factor: float) -> Callable[[Path], None]:
    def change(row: str) -> str:
        head, figure = row.rsplit(",", 1)
        return f"{head},{float(figure) * factor:.3f}"

    return edit(lambda rows: [change(row) for row in rows])


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "location that is not there": (replace(",768,,TGO,", ",769,,TGO,"), r"Togo \(769\) is not in wpp2024"),
    "code of another place": (replace(",768,,", ",204,,"), r"ISO3 code TGO, but 204 is Benin \(BEN\)"),
    "name of another place": (
        replace(",768,,TGO,Country/Area,914,Togo", ",768,,,Country/Area,914,Benin"),
        r"Benin \(768\) has the name of Benin \(204\), but 768 is Togo in wpp2024; expected the code and name of the",
    ),
    "aggregate": (replace("768,,TGO,Country/Area,914,Togo", "914,,,Subregion,903,Western Africa"), "is an aggregate"),
    "gap": (edit(lambda rows: [r for r in rows if ",Togo,2,Medium,1980," not in r]), "Togo .*no figure.*1980"),
    "gap in all": (edit(lambda rows: [r for r in rows if ",Medium,1980," not in r]), "1979 is followed by 1981"),
    "gap in what is to come": (edit(lambda rows: [r for r in rows if ",2050," not in r]), "2049 is followed by 2051"),
    "first years absent": (
        edit(lambda rows: [r for r in rows if int(r.split(",")[-2]) >= 1960]),
        "estimates of 1960 to 2023; expected those of wpp2024, 1950 to 2023",
    ),
    "projections to another year": (
        edit(lambda rows: [r for r in rows if int(r.split(",")[-2]) <= 2050]),
        r"projections \(population\) cover 2 locations, 2024 to 2050; expected .* 2024 to 2100",
    ),
    "bounds of one country": (
        edit(lambda rows: [r for r in rows if ",Togo,2,Upper 80" not in r]),
        r"projections \(upper_80\) cover 1 locations",
    ),
    "persons": (scale(1000), r"Ghana|Togo.*persons in \d{4}, .* times the .* expected thousands"),
    "millions": (scale(0.001), "expected thousands"),
    "negative": (replace(",Medium,1950,1400.125", ",Medium,1950,-1400.125"), "'-1400.125' of 'Togo' is not thousands"),
    "not a number": (replace(",Medium,1950,1400.125", ",Medium,1950,NaN"), "'NaN' of 'Togo' is not thousands"),
    "duplicated rows": (edit(lambda rows: [*rows, rows[0]]), r"Togo \(768\) has the year 1950 a second time"),
    "bounds that cross": (
        edit(
            lambda rows: [
                r.replace("Lower 80", "x").replace("Upper 80", "Lower 80").replace("x", "Upper 80") for r in rows
            ]
        ),
        "the bounds of 768 in 2024 cross",
    ),
    "misspelt bounds": (
        replace(",Upper 80 PI,", ",Upper 80PI,"),
        "'Upper 80PI' is unknown; expected 'Upper 80 PI'",
    ),
    "cut": (lambda path: path.write_text(path.read_text()[:-3]), "may be cut"),
    "nothing": (lambda path: path.write_text(""), "is empty"),
    "no country": (edit(lambda rows: []), "a header and no rows"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_no_update_is_refused_and_nothing_is_written(fault: str, tmp_path: Path) -> None:
    change, named = BAD[fault]
    path = write_long(tmp_path / "2026-01-19.csv")
    change(path)
    with pytest.raises(ReadError, match=named) as refusal:
        study.write_revision(study.open_revision(update=str(path)), str(tmp_path / "tables"))
    assert "2026-01-19.csv" in str(refusal.value)
    assert not (tmp_path / "tables").exists()


@pytest.mark.parametrize("form", [write_long, write_wide])
def test_years_of_another_edition_are_refused(form: Callable[..., Path], tables: Tables, tmp_path: Path) -> None:
    later = {"origin": 2025} if form is write_long else {"last": 2025}
    with pytest.raises(ReadError, match="estimates of 1950 to 2025; expected those of wpp2024, 1950 to 2023"):
        read_update(form(tmp_path / "2026-07-11.csv", **later), tables)
    earlier = {"origin": 2020} if form is write_long else {"last": 2020}
    with pytest.raises(ReadError, match=r"1950 to 2020.*it may belong to another edition"):
        read_update(form(tmp_path / "2026-07-11.csv", **earlier), tables)


def test_a_row_without_figures_is_refused(tables: Tables, tmp_path: Path) -> None:
    path = write_wide(tmp_path / "2026-01-19.csv")
    rows = path.read_text().splitlines()
    rows[3] = ",".join(rows[3].split(",")[:7] + ["..."] * 74)
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(ReadError, match=r"row 4: Togo \(768\).*no figure in any year"):
        read_update(path, tables)


@pytest.mark.parametrize(
    ("name", "day", "named"),
    [
        ("togo.csv", "", "the name contains no date.*such as 2026-01-19"),
        ("2026-01-19 to 2026-02-01.csv", "", "contains 2026-01-19 and 2026-02-01"),
        ("2026-02-30.csv", "", "'2026-02-30' is not a valid date"),
        ("togo.csv", "19 January 2026", "'19 January 2026' is not a valid date"),
        ("togo.csv", "20260119", "'20260119' is not a valid date"),
        ("2023-12-31.csv", "", "2023-12-31 is older than wpp2024, which was published in 2024"),
        ("togo.csv", "9999-01-19", "9999-01-19 is in the future; expected the date on which"),
    ],
)
def test_a_date_that_is_none_or_too_early_or_still_to_come_is_refused(
    tables: Tables, tmp_path: Path, name: str, day: str, named: str
) -> None:
    with pytest.raises(ReadError, match=named):
        read_update(write_long(tmp_path / name), tables, day)


def test_a_revision_that_does_not_exist_or_is_no_revision_is_refused(tmp_path: Path, file: Path) -> None:
    with pytest.raises(UnknownRevisionError, match="no revision 'wpp2022'"):
        study.open_revision("wpp2022", update=str(file))
    with pytest.raises(UnknownRevisionError, match="no revision 'wpp2012'"):
        study.open_revision("wpp2012", update=str(file))
    with pytest.raises(PopforecastError, match="cannot be read"):
        study.open_revision("wpp2024", update=str(tmp_path / "absent 2026-01-19.csv"))
    with pytest.raises(ReadError, match="expected the tables of the raw file to be written first"):
        study.open_revision("wpp2019", raw="raw.csv", update=str(file))
    with pytest.raises(
        ReadError, match=r"table .*wpp2024-\w+.csv(.gz)? cannot be read.*write the tables of that folder"
    ):
        study.open_revision("wpp2024", folder=str(tmp_path), update=str(file))


def test_tables_that_cannot_be_written_whole_are_as_they_were(updated: Tables, tmp_path: Path) -> None:
    write(load_tables("wpp2024"), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "wpp2024-members.csv").unlink()
    (tmp_path / "wpp2024-members.csv").mkdir()
    with pytest.raises(StoreError, match="nothing was changed there"):
        write(updated, tmp_path)
    (tmp_path / "wpp2024-members.csv").rmdir()
    del before["wpp2024-members.csv"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
