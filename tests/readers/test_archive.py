"""Revisions from zips of the UN's archive, invented here in the layouts of several revisions."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.readers.archive import read_archive

AGES = range(0, 101, 5)
PLACES = {4: "Afghanistan", 384: "Côte d'Ivoire", 900: "World"}
BY_AGE = "WPP2000_PopulationByAgeSex_5x5_Medium.csv"
TOTAL = "WPP2000_TotalPopulationBySex.csv"
FIGURES = ["PopMale", "PopFemale"]


def make_ages(years=range(1980, 2016, 5), variant=lambda year: "Medium"):
    """Ages of every place; until 1989 all of 80 and over are in one group, three times as many as at 80-84."""
    rows = [
        (code, name, variant(year), year, age, -1 if age == (80 if year < 1990 else 100) else 5, men, 2 * men)
        for code, name in PLACES.items()
        for year in years
        for age in AGES
        if age <= (80 if year < 1990 else 100)
        for men in [code * (110 - age) * (year - 1900) / 100]
    ]
    return pd.DataFrame(rows, columns=["LocID", "Location", "Variant", "Time", "AgeGrpStart", "AgeGrpSpan", *FIGURES])


def make_totals(ages):
    keys = ["LocID", "Location", "Variant", "Time"]
    sums = ages.groupby(keys, as_index=False)[FIGURES].sum()
    return sums.assign(PopTotal=sums[FIGURES].sum(axis=1))


def write(folder, members, name="WPP2000-CSV-data.zip", encoding="latin-1"):
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, table in members.items():
            archive.writestr(member, table.to_csv(index=False).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig"])
def test_estimates_and_the_medium_variant_of_a_zip_are_separated_at_the_base_year(tmp_path, encoding):
    ages = make_ages()
    archive = read_archive(write(tmp_path, {BY_AGE: ages, TOTAL: make_totals(ages)}, encoding=encoding))
    assert archive.panel.years.tolist() == [1980, 1985, 1990, 1995, 2000]
    assert archive.panel.locations["name"].to_dict() == {4: "Afghanistan", 384: "Côte d'Ivoire"}
    assert sorted(set(archive.projections["year"])) == [2005, 2010, 2015]
    expected = 1000 * ages.query("LocID == 4 and Time == 2000")[FIGURES].to_numpy().sum()
    assert archive.panel.values[0, -1] == pytest.approx(expected)
    assert "the table does not say where estimates end: taken to be 2000" in archive.notes


@pytest.mark.parametrize(
    ("name", "variant", "base"),
    [
        ("WPP1998-CSV-data.zip", lambda year: "Medium", 1995),
        ("WPP2000-CSV-data.zip", lambda year: "Estimates" if year <= 1995 else "Medium", 1995),
        ("archive.zip", lambda year: "Estimates" if year <= 2005 else "Medium", 2005),
    ],
)
def test_the_base_year_is_that_of_the_variant_estimates_or_follows_from_the_revision(tmp_path, name, variant, base):
    archive = read_archive(write(tmp_path, {BY_AGE: make_ages(variant=variant)}, name))
    assert (archive.panel.origin, archive.projections["year"].min()) == (base, base + 5)


def test_other_variants_tell_where_estimates_end(tmp_path):
    ages = make_ages()
    low = make_totals(ages[ages["Time"] > 2000]).assign(Variant="Low")
    totals = pd.concat([make_totals(ages), low])
    assert read_archive(write(tmp_path, {TOTAL: totals}, "archive.zip")).panel.origin == 2000


def test_annual_tables_by_age_of_new_revisions_give_every_fifth_year_of_ages(tmp_path):
    table = make_ages(range(2000, 2031)).assign(VarID=2, MidPeriod=0.5, AgeGrp="", PopTotal=0.0)
    single = table.assign(AgeGrpStart=table["AgeGrpStart"] + 1)
    members = {
        "WPP2022_PopulationByAge5GroupSex_Medium.csv": table,
        "WPP2022_PopulationBySingleAgeSex_Medium_1950-2021.csv": single,
    }
    archive = read_archive(write(tmp_path, members, "WPP2022-CSV-data.zip"))
    assert archive.panel.origin == 2021
    assert sorted(set(archive.ages["year"])) == [2000, 2005, 2010, 2015, 2020]


def test_an_open_group_of_80_is_split_as_the_first_year_that_has_all_ages(tmp_path):
    ages = make_ages()
    archive = read_archive(write(tmp_path, {BY_AGE: ages}))
    cube = archive.ages.set_index(["location_code", "sex", "year", "age"])["population_thousands"].sort_index()
    assert len(cube) == 2 * 2 * 5 * 21
    old = cube.loc[4, "F", 1980].loc[80:]
    first = cube.loc[4, "F", 1990].loc[80:]
    assert old.sum() == pytest.approx(
        ages.query("LocID == 4 and Time == 1980 and AgeGrpStart == 80")["PopFemale"].sum()
    )
    np.testing.assert_allclose(old / old.sum(), first / first.sum())
    assert "80 and over split by the first year with all ages: 1980 to 1985" in archive.notes


def test_a_zip_of_totals_only_says_what_it_lacks(tmp_path):
    archive = read_archive(write(tmp_path, {TOTAL: make_totals(make_ages())}))
    assert archive.ages is None
    assert archive.notes[0] == "no table of population by age: total population only"


def change(table, query, **columns):
    table = table.copy()
    at = table.query(query).index[:1]
    for column, value in columns.items():
        table[column] = table[column].astype(object)
        table.loc[at, column] = value
    return table


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda ages: {"Fertility.csv": ages}, "no table of population: expected TotalPopulation or PopulationByAge"),
        (lambda ages: {BY_AGE: ages.drop(columns="PopMale")}, "has no column 'PopMale': expected LocID"),
        (
            lambda ages: {BY_AGE: change(ages, "LocID == 4 and Time == 1995", PopMale=-3.5)},
            "PopMale '-3.5' of Afghanistan in 1995; expected thousands, zero or more",
        ),
        (
            lambda ages: {BY_AGE: change(ages, "LocID == 4 and Time == 1995", PopMale="")},
            "PopMale '' of Afghanistan in 1995",
        ),
        (
            lambda ages: {BY_AGE: ages, TOTAL: change(make_totals(ages), "LocID == 384 and Time == 1995", PopTotal=1)},
            r"the ages of Côte d'Ivoire \(384\) in 1995 sum to .* expected its total, 1.000, within 1%",
        ),
        (
            lambda ages: {BY_AGE: ages.query("not (LocID == 4 and Time == 1995 and AgeGrpStart == 50)")},
            r"Afghanistan \(4\) has nobody stated at ages from 50 in 1995",
        ),
        (
            lambda ages: {BY_AGE: pd.concat([ages, change(ages, "Time == 1995", PopMale=1).query("PopMale == 1")])},
            r"Afghanistan \(4\) has two figures of one kind in 1995",
        ),
        (
            lambda ages: {BY_AGE: ages[ages["Time"] < 1990]},
            r"has no later year than 1980 with ages to 100",
        ),
        (
            lambda ages: {BY_AGE: ages.query("not (LocID == 4 and Time == 1995)")},
            r"Afghanistan \(4\) has no population in 1995; expected one for every year",
        ),
        (
            lambda ages: {BY_AGE: ages.assign(AgeGrpStart=ages["AgeGrpStart"].replace(5, 6))},
            "age group that starts at 6; expected 0, 5, ..., 100",
        ),
    ],
)
def test_a_fault_is_an_error_that_names_place_year_and_what_is_expected(tmp_path, spoil, message):
    with pytest.raises(pf.errors.ReadError, match=message):
        read_archive(write(tmp_path, spoil(make_ages())))


def test_a_table_without_revision_or_variants_cannot_tell_where_estimates_end(tmp_path):
    with pytest.raises(pf.errors.ReadError, match="its name has no revision such as WPP2000"):
        read_archive(write(tmp_path, {BY_AGE: make_ages()}, "archive.zip"))


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-200], lambda content: content[:90] + b"\xff" * 40 + content[130:]]
)
def test_a_damaged_zip_is_an_error(tmp_path, damage):
    path = write(tmp_path, {BY_AGE: make_ages()})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(pf.errors.ReadError, match=r"WPP2000-CSV-data.zip is .*cut or damaged"):
        read_archive(path)


def test_vintages_scores_an_edition_from_a_zip_like_the_embedded_one(tmp_path):
    vintage, projections = pf.load_panel("wpp2012"), pf.load_projections("wpp2012")
    past = pd.DataFrame(vintage.values / 1000, vintage.locations.index, vintage.years)
    past = past.rename_axis("LocID").rename_axis("Time", axis=1).stack().rename("PopTotal").reset_index()
    later = projections[["location_code", "year", "population"]].set_axis(["LocID", "Time", "PopTotal"], axis=1)
    later = later.assign(PopTotal=later["PopTotal"] / 1000)
    table = pd.concat([past.assign(Variant="Estimates"), later.assign(Variant="Medium")])
    table["Location"] = table["LocID"].map(vintage.locations["name"]).fillna("other")
    path = write(tmp_path, {TOTAL: table}, "WPP2012-CSV-data.zip", "utf-8")
    options = ["--models", "ar1", "--format", "csv"]
    run = CliRunner().invoke(main, ["vintages", "--data", str(path), *options])
    embedded = CliRunner().invoke(main, ["vintages", "--revision", "wpp2012", *options])
    assert run.exit_code == 0, run.output
    assert "note: no table of population by age" in run.stderr
    got, expected = (pd.read_csv(io.StringIO(each.stdout)) for each in (run, embedded))
    pd.testing.assert_frame_equal(got[got["source"] == "ar1"], expected[expected["source"] == "ar1"], rtol=1e-6)
    # Archives have no bounds of the UN's.
    np.testing.assert_allclose(got["mape"], expected["mape"], rtol=1e-6)
    run = CliRunner().invoke(main, ["vintages", "--data", str(path), "--models", "cohort"])
    assert (run.exit_code, run.stdout) == (1, "")
    assert "cohort cannot be scored" in run.stderr


def test_data_and_revision_exclude_each_other(tmp_path):
    run = CliRunner().invoke(main, ["vintages", "--data", str(tmp_path / "x.zip"), "--revision", "wpp2012"])
    assert run.exit_code == 2
    assert "expected only one of them" in run.output


def test_the_last_year_of_estimates_can_be_given(tmp_path):
    values = pf.load_panel("wpp2024").countries().to_frame().rename(columns={"location_code": "LocID", "year": "Time"})
    table = values.query("Time % 5 == 0").assign(Variant="Medium", Location="a place")
    table["PopTotal"] = table["population"] / 1000
    path = str(write(tmp_path, {TOTAL: table}, "medium.zip"))
    run = CliRunner().invoke(main, ["vintages", "--data", path, "--models", "naive"])
    assert "its last year of estimates is unknown: give it by --until" in run.stderr
    run = CliRunner().invoke(main, ["vintages", "--data", path, "--models", "naive", "--until", "2000"])
    assert run.exit_code == 0, run.output
    assert "at 2000 against wpp2024" in run.stdout
    assert "UN medium" in run.stdout
    stated = str(write(tmp_path, {TOTAL: table.assign(Variant="Estimates")}, "stated.zip"))
    for arguments, message in (
        (["--data", stated, "--until", "2000"], "says that its estimates end in 2020: expected that year, got 2000"),
        (["--until", "2000"], "--until needs a file: add --data"),
        (["--data", path, "--until", "1900"], "has no estimates up to 1900"),
        (["--data", path, "--until", "x"], "'x' is not a valid integer"),
    ):
        assert message in CliRunner().invoke(main, ["vintages", *arguments]).output


def test_a_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(pf.errors.ReadError, match=r"WPP2000-CSV-data\.zip cannot be read: No such file"):
        read_archive(tmp_path / "WPP2000-CSV-data.zip")


def test_interpolated_years_of_revisions_before_2022_are_not_taken_for_annual_estimates(tmp_path):
    totals = make_totals(make_ages(range(1990, 2011)))
    assert read_archive(write(tmp_path, {TOTAL: totals}, "WPP2002-CSV-data.zip")).panel.origin == 2000
