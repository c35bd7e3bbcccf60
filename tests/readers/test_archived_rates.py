"""Mortality and fertility from zips of the UN's archive: the embedded 2012 revision, written in their layout."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.panel.components import AGES, FERTILE_AGES, MORTALITY_AGES
from popforecast.readers.archive import read_archive

LIFE = "WPP2012_Life_Table_Medium.csv"
FERTILITY = "WPP2012_Fertility_by_Age.csv"
INDICATORS = "WPP2012_Period_Indicators_Medium.csv"
BY_AGE = "WPP2012_PopulationByAgeSex_5x5_Medium.csv"
TOTAL = "WPP2012_TotalPopulationBySex.csv"


def melt(values, value, **axes):
    """A long table of an array, with the labels of each axis."""
    index = pd.MultiIndex.from_product(axes.values(), names=list(axes))
    return pd.DataFrame({value: np.asarray(values).ravel()}, index).reset_index()


def lay_out(codes=None):
    """The tables of a zip, with some countries of the embedded 2012 revision or all."""
    panel = pf.load_panel("wpp2012").countries()
    codes = panel.locations.index.tolist() if codes is None else codes
    panel, parts = panel.select(codes), pf.load_components("wpp2012").select(codes)
    names = panel.locations["name"]
    projections = pf.load_projections("wpp2012").query("location_code in @codes")
    later = projections[["location_code", "year", "population"]].set_axis(["LocID", "Time", "PopTotal"], axis=1)
    past = melt(panel.values, "PopTotal", LocID=codes, Time=panel.years)
    totals = pd.concat([past.assign(Variant="Estimates"), later.assign(Variant="Medium")])
    where, periods = {"LocID": parts.codes}, [f"{year}-{year + 5}" for year in parts.periods]
    men, women = (
        melt(parts.ages[:, sex] / 1000, name, **where, AgeGrpStart=AGES, Time=parts.years)
        for sex, name in ((0, "PopMale"), (1, "PopFemale"))
    )
    life = melt(parts.mortality, "mx", **where, Sex=["Male", "Female"], AgeGrpStart=MORTALITY_AGES, Time=periods)
    indicators = melt(parts.fertility, "TFR", **where, Time=periods).assign(SRB=parts.sex_ratio.ravel())
    rates = parts.fertility_by_age / 100 * parts.fertility[:, None] * 1000 / 5
    tables = {
        LIFE: pd.concat([life, life.query("Sex == 'Male'").assign(Sex="Total")]),
        FERTILITY: melt(rates, "ASFR", **where, AgeGrpStart=FERTILE_AGES, Time=periods),
        INDICATORS: indicators.assign(MidPeriod=0, NRR=""),
        BY_AGE: men.assign(PopFemale=women["PopFemale"]),
    }
    tables = {name: table.assign(Variant="Medium") for name, table in tables.items()}
    tables[BY_AGE]["Variant"] = "Estimates"
    tables[TOTAL] = totals.assign(PopTotal=totals["PopTotal"] / 1000)
    return {name: table.assign(Location=table["LocID"].map(names).fillna("other")) for name, table in tables.items()}


def write(folder, members):
    path = folder / "WPP2012-CSV-data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, table in members.items():
            archive.writestr(member, table.to_csv(index=False))
    return path


SOME = [4, 8, 392]


def test_cohort_scores_on_an_edition_from_a_zip_as_on_the_embedded_one(tmp_path):
    tables = lay_out()
    # Explanations of columns are no table of indicators.
    path = write(tmp_path, {**tables, "WPP2012_Demographic_Indicators_notes.csv": pd.DataFrame({"TFR": ["a rate"]})})
    runs = [
        CliRunner().invoke(main, ["vintages", *source, "--format", "csv"])
        for source in (["--data", str(path)], ["--revision", "wpp2012"])
    ]
    assert [run.exit_code for run in runs] == [0, 0], runs[0].output
    got, expected = (pd.read_csv(io.StringIO(run.stdout)) for run in runs)
    assert set(got["source"]) == {"UN medium", "cohort", "panel-ar"}
    keys = ["source", "year", "basis", "intervals"]
    both = got.merge(expected, on=keys, suffixes=("", "_embedded")).query("source == 'cohort'")
    assert len(both) == (expected["source"] == "cohort").sum() > 0
    for column in ("n", "mape", "median_ape"):
        np.testing.assert_allclose(both[column], both[f"{column}_embedded"], atol=0.01, err_msg=column)
    # Which editions were published before is known of embedded ones only.
    both = both.query("intervals != 'published'")
    for column in ("wis", "coverage_80", "width_80"):
        np.testing.assert_allclose(both[column], both[f"{column}_embedded"], atol=0.01, err_msg=column)


def test_components_are_those_that_were_written(tmp_path):
    archive = read_archive(write(tmp_path, lay_out(SOME)))
    got, expected = archive.panel.components, pf.load_components("wpp2012").select(SOME)
    assert got.codes == tuple(SOME)
    for name in ("ages", "mortality", "fertility", "sex_ratio", "fertility_by_age"):
        # Percentages are rounded, and sum to 100 when they are read.
        np.testing.assert_allclose(getattr(got, name), getattr(expected, name), rtol=1e-3, err_msg=name)
    assert archive.notes == ()


def test_percentages_are_read_and_boys_may_be_per_100_girls(tmp_path):
    tables = lay_out(SOME)
    tables[FERTILITY] = tables[FERTILITY].assign(PASFR=lambda table: table.pop("ASFR") / 20)
    tables[FERTILITY]["PASFR"] *= 100 / tables[FERTILITY].groupby(["LocID", "Time"])["PASFR"].transform("sum")
    tables[INDICATORS]["SRB"] *= 100
    got, expected = read_archive(write(tmp_path, tables)).panel.components, pf.load_components("wpp2012").select(SOME)
    np.testing.assert_allclose(got.fertility_by_age, expected.fertility_by_age, rtol=1e-3)
    np.testing.assert_allclose(got.sex_ratio, expected.sex_ratio)


def make_annual(table, factor):
    """Annual figures that rise linearly through the period: the mean from mid-year to mid-year is the middle one."""
    starts = table["Time"].str[:4].astype(int)
    years = [table.assign(Time=starts + i) for i in range(5)]
    return pd.concat(years).assign(**{factor: 0.01})


def test_annual_rates_of_new_revisions_are_averaged_from_mid_year_to_mid_year(tmp_path):
    tables = lay_out(SOME)
    for name, column in ((LIFE, "mx"), (FERTILITY, "ASFR"), (INDICATORS, "TFR")):
        annual = make_annual(tables[name], column)
        last = annual[annual["Time"] == annual["Time"].max()]
        annual = pd.concat([annual, last.assign(Time=2010)])
        if column == "TFR":
            annual["TFR"] = 2 + (annual["Time"] - 1950) / 100
            annual = annual.assign(Births=10.0, Deaths=5.0, NetMigrations=-1.0)
        tables[name] = annual
    got = read_archive(write(tmp_path, tables)).panel.components
    assert got.periods.tolist() == list(range(1950, 2010, 5))
    np.testing.assert_allclose(got.mortality, 0.01)
    np.testing.assert_allclose(got.fertility_by_age, 100 / 7)
    np.testing.assert_allclose(got.fertility[0], 2.025 + 0.05 * np.arange(12))
    assert got.calendar.tolist() == list(range(1950, 2011))
    assert (got.births == 10_000).all()
    assert (got.net_migration == -1_000).all()


@pytest.mark.parametrize(
    ("absent", "note"),
    [
        ([LIFE], "no Life_Table: forecasts use total population"),
        ([FERTILITY, INDICATORS], "no Fertility_by_Age and Indicators: forecasts use total population"),
        ([BY_AGE], "forecasts use total population"),
    ],
)
def test_what_lacks_is_noted_and_totals_are_read(tmp_path, absent, note):
    archive = read_archive(
        write(tmp_path, {name: table for name, table in lay_out(SOME).items() if name not in absent})
    )
    assert archive.panel.components is None
    assert archive.notes[-1] == note


def test_a_country_without_rates_is_counted_in_a_note(tmp_path):
    tables = lay_out(SOME)
    tables[INDICATORS] = tables[INDICATORS].astype(object)
    tables[INDICATORS].loc[tables[INDICATORS]["LocID"] == 8, ["TFR", "SRB"]] = ""
    archive = read_archive(write(tmp_path, tables))
    assert archive.notes == ("rates of 2 of 3 countries",)
    assert archive.panel.components.codes == (4, 392)


def change(name, query, **columns):
    tables = lay_out(SOME)
    table = tables[name].reset_index(drop=True).astype(dict.fromkeys(columns, object))
    at = table.query(query).index
    for column, value in columns.items():
        table.loc[at, column] = value
    return {**tables, name: table}


IN_1980 = "LocID == 8 and Time == '1980-1985'"


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            change(LIFE, f"{IN_1980} and AgeGrpStart == 40", mx=3.5),
            r"mx '3.5' of Albania \(8\) in 1980-1985 at ages from 40; expected a number from 0 to 3",
        ),
        (change(LIFE, f"{IN_1980} and AgeGrpStart == 40", mx=-0.1), r"mx '-0.1' of Albania .* from 0 to 3"),
        (change(LIFE, f"{IN_1980} and AgeGrpStart == 40", mx=""), r"mx '' of Albania .* from 0 to 3"),
        (
            change(LIFE, f"{IN_1980} and AgeGrpStart == 40", LocID=1000),
            r"Albania \(8\) has no rate at ages from 40, sex F, in 1980; expected 0, 1, 5, ..., 100",
        ),
        (
            change(FERTILITY, f"{IN_1980} and AgeGrpStart == 20", LocID=1000),
            r"Albania \(8\) has no rate at ages from 20, in 1980; expected 15, 20, 25, ..., 45",
        ),
        (change(FERTILITY, f"{IN_1980} and AgeGrpStart == 20", ASFR=-1), r"ASFR '-1' of Albania .* from 0 to 1000"),
        (
            change(INDICATORS, IN_1980, TFR=40),
            r"TFR '40' of Albania \(8\) in 1980-1985; expected .* 0 to 15",
        ),
        (change(INDICATORS, IN_1980, SRB=30), r"SRB .* of Albania .* from 0.8 to 1.4"),
        (change(INDICATORS, IN_1980, Time="the eighties"), "for the time 'the eighties': expected a year or a period"),
        (change(INDICATORS, IN_1980, LocID="x"), "LocID 'x'; expected a whole number"),
        (change(INDICATORS, IN_1980, LocID=1000), r"location_code 8, period_start 1980"),
        (
            change(LIFE, f"{IN_1980} and AgeGrpStart == 45", AgeGrpStart=40),
            r"\(8\) has two figures of mx in 1980",
        ),
        ({**lay_out(SOME), LIFE: lay_out(SOME)[LIFE].drop(columns="mx")}, "without column 'mx'"),
        ({**lay_out(SOME), LIFE: lay_out(SOME)[LIFE].drop(columns="LocID")}, "no column 'LocID'"),
    ],
)
def test_a_fault_of_a_rate_is_an_error_that_names_place_year_and_what_is_expected(tmp_path, tables, message):
    with pytest.raises(pf.errors.ReadError, match=message):
        read_archive(write(tmp_path, tables))
