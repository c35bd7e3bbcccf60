"""What was known then against what is known now: the tables, the pairing of revisions, the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast import charts
from popforecast.errors import ModelError, PanelError, PopforecastError, ReadError, UnknownRevisionError, YearError
from popforecast.evaluation.vintages import BOTH, KINDS, PUBLISHED, UN, compare_vintages
from popforecast.forecasting.revision_error import learn_as_published, list_published
from popforecast.models.base import Arrays, Model, Prediction
from popforecast.text import VINTAGE_INTERVALS
from popforecast.wpp import editions, preparation
from popforecast.wpp.pairing import load_wholes, pair
from popforecast.wpp.tables import write_tables
from tests.helpers.freezing import check_frozen

SIZES = {"wpp2010": (197, 197), "wpp2012": (236, 201)}


@dataclass(frozen=True)
class LastGrowth(Model):
    """The last step's growth for ever: the yardstick that the issue states figures of."""

    @property
    def name(self) -> str:
        return "last-growth"

    def estimate(self, panel: pf.Panel) -> Arrays:
        return {"last": panel.values[:, -1], "factor": panel.values[:, -1] / panel.values[:, -2]}

    def predict(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> Prediction:
        population = arrays["last"][:, None] * arrays["factor"][:, None] ** np.arange(1, horizon + 1)
        return Prediction(population, dict.fromkeys(levels, 0.9 * population), dict.fromkeys(levels, 1.1 * population))


@pytest.fixture(scope="module", params=sorted(SIZES))
def panel(request: pytest.FixtureRequest) -> pf.Panel:
    return pf.load_panel(request.param)


@pytest.fixture(scope="module")
def both() -> dict[str, pd.DataFrame]:
    """The scores over every country that both revisions have, as the issue counts them."""
    results = {name: compare_vintages(name, "wpp2024", [LastGrowth()], alike=False) for name in SIZES}
    return {name: result.scores().set_index(["source", "year", "basis"]) for name, result in results.items()}


# The tables -----------------------------------------------------------------------------------------------------


def test_the_embedded_tables_are_made_again_byte_for_byte(panel: pf.Panel, raw: Path, tmp_path: Path) -> None:
    made, projections, source = preparation.prepare_vintage(
        raw.parent / "vintages" / f"{panel.revision}.csv", panel.revision
    )
    for path in write_tables(made, tmp_path, source, projections)[:-1]:
        assert path.read_bytes() == (editions.DATA / path.name).read_bytes(), path.name
    assert editions.read_manifest(tmp_path)[panel.revision] == editions.read_manifest(editions.DATA)[panel.revision]


def test_a_vintage_is_a_five_yearly_panel_of_persons(panel: pf.Panel) -> None:
    assert (panel.step, panel.years[0], panel.origin) == (5, 1950, 2010)
    assert (len(panel), len(panel.countries())) == SIZES[panel.revision]
    assert panel.locations["name"].notna().all()
    countries = panel.countries().locations
    assert countries["region"].notna().all()
    assert countries["name"][countries["iso3"].isna()].tolist() == ["Channel Islands"]
    india = panel.select("India").values[0, -1]
    assert 1.2e9 < india < 1.25e9


def test_the_countries_of_a_vintage_are_nearly_the_world() -> None:
    panel = pf.load_panel("wpp2012")
    share = panel.countries().values.sum(axis=0) / panel.select("World").values[0]
    assert ((share > 0.9995) & (share < 1)).all()


def test_the_uns_projections_go_on_from_the_estimates(panel: pf.Panel) -> None:
    table = pf.load_projections(panel.revision)
    assert table.columns[:3].tolist() == ["location_code", "year", "population"]
    assert (table.groupby("location_code")["year"].agg(list).map(tuple) == tuple(range(2015, 2051, 5))).all()
    first = table[table["year"] == 2015].set_index("location_code")["population"]
    assert set(first.index) == set(panel.locations.index)
    assert np.median(np.abs(first[panel.locations.index].to_numpy() / panel.values[:, -1] - 1)) < 0.1


def test_only_the_later_vintage_states_bounds_and_they_never_cross() -> None:
    assert "lower_80" not in pf.load_projections("wpp2010")
    table = pf.load_projections("wpp2012")
    ordered = table[["lower_95", "lower_80", "population", "upper_80", "upper_95"]].to_numpy()
    # The bounds are rounded to thousands, the medium variant is not.
    assert (np.diff(ordered, axis=1) >= -1000).all()


def test_vintages_load_like_revisions_and_are_not_offered_as_such() -> None:
    assert set(editions.VINTAGES).isdisjoint(pf.REVISIONS)
    with pytest.raises(UnknownRevisionError, match="wpp2010, wpp2012"):
        pf.load_panel("wpp2008")
    with pytest.raises(UnknownRevisionError, match=r"expected one of wpp2019, wpp2024$"):
        editions.get_revision("wpp2012")
    assert editions.get_edition("wpp2012").citation.endswith("(2012). World Population Prospects 2012. CC BY 3.0 IGO.")


def test_a_location_that_no_revision_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    path.write_text(
        "location_code,year,kind,population_thousands\n9999,2005,estimate,1\n9999,2010,estimate,1\n9999,2015,medium,1\n"
    )
    with pytest.raises(ReadError, match="location 9999 is not in any revision"):
        preparation.prepare_vintage(path, "wpp2012")


# The pairing ----------------------------------------------------------------------------------------------------


def test_countries_that_changed_their_meaning_are_left_out_and_named(panel: pf.Panel, wpp2024: pf.Panel) -> None:
    pairing = pair(panel, wpp2024)
    assert pairing.earlier.locations.index.tolist() == pairing.later.locations.index.tolist()
    redefined = pairing.excluded.loc[[688, 312], "reason"].tolist()
    assert redefined == [
        f"counted with Kosovo (under UNSC res. 1244) in {panel.revision}",
        f"counted with Saint Barthélemy and Saint Martin (French part) in {panel.revision}",
    ]
    assert (729 in pairing.earlier.locations.index) == (panel.revision == "wpp2012")
    everything = set(panel.countries().locations.index) | set(wpp2024.countries().locations.index)
    assert everything == set(pairing.earlier.locations.index) | set(pairing.excluded.index)


def test_a_comparison_cannot_be_changed_in_place(wpp2024: pf.Panel) -> None:
    vintage = pf.load_panel("wpp2012")
    check_frozen(pair(vintage, wpp2024))
    check_frozen(compare_vintages(vintage, wpp2024, [LastGrowth()]))


def test_two_editions_that_divide_the_world_alike_exclude_nothing(wpp2024: pf.Panel) -> None:
    assert pair(wpp2024, wpp2024).excluded.empty


@pytest.mark.parametrize("whole", sorted(set(load_wholes().values())))
def test_the_parts_explain_what_an_earlier_edition_counted(whole: int, wpp2024: pf.Panel) -> None:
    """Each whole of a vintage is nearer to the truth's figure with its parts than without, when they last changed."""
    parts = [part for part, of in load_wholes().items() if of == whole]
    edition = pf.load_panel("wpp2012" if whole in pf.load_panel("wpp2012").locations.index else "wpp2010")
    then = edition.select(whole).values[0, -1]
    alone = wpp2024.until(2010).select(whole).values[0, -1] if whole in wpp2024.locations.index else 0
    together = alone + wpp2024.until(2010).select(parts).values[:, -1].sum()
    assert abs(together - then) < abs(alone - then)
    assert together == pytest.approx(then, rel=0.06)


def test_no_country_in_common_is_an_error(wpp2024: pf.Panel) -> None:
    with pytest.raises(PanelError, match="no country in common"):
        pair(wpp2024.select(["NGA"]), wpp2024.select(["IND"]))


# The scores -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vintage", "year", "basis", "mean", "median"),
    [
        ("wpp2010", 2015, "raw", 6.4, 3.7),
        ("wpp2010", 2020, "raw", 8.1, 5.1),
        ("wpp2012", 2015, "raw", 5.4, 2.9),
        ("wpp2012", 2020, "raw", 7.0, 4.1),
        ("wpp2012", 2015, "rebased", 2.20, 1.39),
        ("wpp2012", 2020, "rebased", 4.16, 2.68),
    ],
)
def test_the_uns_error_is_the_known_one(
    both: dict[str, pd.DataFrame], vintage: str, year: int, basis: str, mean: float, median: float
) -> None:
    row = both[vintage].loc[(UN, year, basis)]
    # The median of wpp2012 for 2015 is 2.849, which was first written down as 2.85 and then as 2.9.
    near = 0.0515 if basis == "raw" else 0.005
    assert row[["mape", "median_ape"]].tolist() == pytest.approx([mean, median], abs=near)
    assert row["n"] == {"wpp2010": 194, "wpp2012": 200}[vintage]


def test_the_error_of_the_last_growth_is_the_known_one(both: dict[str, pd.DataFrame]) -> None:
    rows = both["wpp2012"].loc["last-growth"].xs("rebased", level="basis")[["mape", "median_ape"]]
    assert rows.round(2).to_numpy().tolist() == [[3.05, 1.36], [6.88, 2.80]]


def test_the_uns_bounds_held_what_is_known(both: dict[str, pd.DataFrame]) -> None:
    held = both["wpp2012"].loc[UN]["coverage_95"]
    assert held.xs("raw", level="basis").tolist() == [23.0, 38.0]
    assert held.xs("rebased", level="basis").tolist() == pytest.approx([47, 47], abs=0.5)
    bounds = ["wis", "coverage_80", "coverage_95", "width_80", "width_95"]
    assert both["wpp2010"].loc[UN, bounds].isna().all(axis=None)


def test_the_base_figures_were_off_by_what_is_known() -> None:
    base = compare_vintages("wpp2010", models=[], alike=False).base_errors
    assert (round(base["ape"].mean(), 1), round(base["ape"].median(), 1)) == (4.7, 2.2)
    assert np.allclose(base["log_revision"], np.log(base["now"]) - np.log(base["then"]))
    assert base.loc[232, "location"] == "Eritrea"
    assert base["log_revision"].idxmin() == 232


def world(values: Sequence[Sequence[float]], years: Sequence[int], codes: Sequence[int] = (4, 8)) -> pf.Panel:
    places = pd.DataFrame({"name": [f"Land {code}" for code in codes], "type": "Country/Area"}, index=list(codes))
    return pf.Panel(values, years, places)


def test_scores_are_those_computed_by_hand() -> None:
    """Two countries double and grow by half each step; the truth halves one base, and holds a year of outcomes."""
    then = world([[100, 200], [100, 150]], [2005, 2010])
    now = world([[50, 100, 210], [100, 150, 200]], [2005, 2010, 2015])
    projections = pd.DataFrame(
        {
            "location_code": [8, 4],
            "year": 2015,
            "population": [220, 420],
            "lower_80": [180, 400],
            "upper_80": [240, 440],
        }
    )
    result = compare_vintages(then, now, [LastGrowth()], levels=[80], projections=projections)
    table = result.scores().set_index(["source", "basis"])
    assert table.index.tolist() == [(UN, "raw"), ("last-growth", "raw"), (UN, "rebased"), ("last-growth", "rebased")]
    # UN: 420 for 210, 220 for 200; rebased 210 and 220. Last growth: 400 for 210, 225 for 200; rebased 200 and 225.
    assert table["mape"].tolist() == pytest.approx([55, 100 * (190 / 210 + 0.125) / 2, 5, 100 * (10 / 210 + 0.125) / 2])
    assert table["median_ape"].tolist() == pytest.approx(table["mape"].tolist())
    assert table["coverage_80"].tolist() == [50, 0, 100, 50]
    # Rebased, the bounds of the first country are 200 and 220 around 210, of the second 180 and 240 around 200.
    assert table["width_80"][UN, "rebased"] == pytest.approx(100 * (20 / 210 + 60 / 200) / 2)
    each = [(0 / 2 + 0.1 * 20) / 210, (20 / 2 + 0.1 * 60) / 200]
    assert table["wis"][UN, "rebased"] == pytest.approx(100 * sum(each) / 2 / 1.5)
    missed = [(210 / 2 + 0.1 * 40 + 190) / 210, (20 / 2 + 0.1 * 60) / 200]
    assert table["wis"][UN, "raw"] == pytest.approx(100 * sum(missed) / 2 / 1.5)
    assert result.base_errors["log_revision"].tolist() == pytest.approx([np.log(0.5), 0])
    assert result.scores(4).set_index(["source", "basis"])["mape"][UN, "raw"] == pytest.approx(100)


def test_what_came_later_changes_no_forecast(wpp2024: pf.Panel) -> None:
    values = wpp2024.values.copy()
    values[:, wpp2024.years > 2010] *= 1.5
    other = replace(wpp2024, values=values)
    known, changed = (compare_vintages("wpp2012", truth, ["panel-ar", "drift"]).errors for truth in (wpp2024, other))
    columns = ["population", "lower_80", "upper_80", "lower_95", "upper_95"]
    pd.testing.assert_frame_equal(known[columns], changed[columns], rtol=1e-9)
    assert np.allclose(changed["outcome"], 1.5 * known["outcome"])


def test_every_source_answers_for_the_same_countries_and_years() -> None:
    errors = compare_vintages("wpp2012", models=["panel-ar", "naive"]).errors
    asked = [set(map(tuple, group.to_numpy())) for _, group in errors.groupby("source")[["location_code", "year"]]]
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == 2 * 198


def test_models_learn_from_the_countries_that_are_not_compared_too() -> None:
    """A pooled model is fitted to all that the vintage knew, so leaving out a country to score changes no forecast."""
    errors = [compare_vintages("wpp2012", models=["panel-ar"], alike=alike).errors for alike in (True, False)]
    keys = ["source", "basis", "intervals", "location_code", "year"]
    fewer, more = (table.set_index(keys)["population"] for table in errors)
    pd.testing.assert_series_equal(fewer, more[fewer.index], rtol=1e-9)


def test_a_revision_without_projections_is_compared_alone(wpp2019: pf.Panel) -> None:
    scores = compare_vintages("wpp2019", models=["naive"]).scores()
    assert scores["source"].unique().tolist() == ["naive"]
    assert scores["year"].unique().tolist() == [2021, 2022, 2023]
    with pytest.raises(ModelError, match="expected at least one model"):
        compare_vintages(wpp2019, models=[])


def test_a_panel_cut_short_is_not_set_beside_forecasts_that_knew_more(wpp2024: pf.Panel) -> None:
    result = compare_vintages(wpp2024.until(2020), wpp2024, ["naive"], levels=[50])
    assert result.errors["source"].unique().tolist() == ["naive"]
    table = result.scores()
    assert set(table[table["basis"] == "raw"]["mape"]) == set(table[table["basis"] == "rebased"]["mape"])
    assert "coverage_50" in table


def test_a_country_that_the_un_did_not_project_is_left_out_and_named() -> None:
    projections = pf.load_projections("wpp2012").query("location_code != 566")
    result = compare_vintages("wpp2012", models=["naive"], projections=projections)
    assert 566 not in set(result.errors["location_code"])
    assert result.excluded.loc[566].tolist() == ["Nigeria", "not projected by the UN"]


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"vintage": "wpp2008"}, UnknownRevisionError, "wpp2008"),
        ({"vintage": "wpp2024"}, YearError, "no outcome"),
        ({"vintage": "wpp2024", "truth": "wpp2012"}, YearError, "no outcome"),
        ({"truth": "wpp2010"}, YearError, "no outcome"),
        ({"models": ["naive", "naive"]}, ModelError, "each model once"),
        ({"models": ["prophecy"]}, PopforecastError, "prophecy"),
        ({"levels": [101]}, PopforecastError, "101"),
        ({"intervals": "honest"}, ModelError, "'honest': expected one or more of published, real-time, final"),
        ({"intervals": ["published", "published"]}, ModelError, "each once"),
        ({"intervals": []}, ModelError, "expected one or more"),
        (
            {"projections": pd.DataFrame({"location_code": [566], "year": [2030], "population": [1]})},
            PanelError,
            "2015",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: dict, error: type[Exception], named: str) -> None:
    with pytest.raises(error, match=named):
        compare_vintages(**arguments)


def test_figures_of_panel_ar_are_not_taken_for_those_of_cohort() -> None:
    known = pf.load_panel("wpp2012").countries()
    without = pf.Panel(known.values, known.years, known.locations, "wpp2012")
    few = known.select(["Nigeria", "Japan"])
    for panel, lacking in ((without, "but it has none"), (few, "do not reach its 2010 for so many")):
        with pytest.raises(ModelError, match=f"cohort cannot be scored on .* of 30 countries or more .*{lacking}"):
            compare_vintages(panel, models=["panel-ar", "cohort"])
    assert set(compare_vintages(without).errors["source"]) == {"panel-ar"}


# What intervals allow for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vintage", "year", "then", "since"),
    [
        ("wpp2010", 2015, (37, 68), (72, 91)),
        ("wpp2010", 2020, (55, 83), (72, 92)),
        ("wpp2012", 2015, (69, 88), (78, 92)),
        ("wpp2012", 2020, (70, 91), (79, 93)),
    ],
)
def test_raw_coverage_is_the_known_one_with_what_was_published_by_then_and_since(
    vintage: str, year: int, then: tuple[int, int], since: tuple[int, int]
) -> None:
    scores = (
        compare_vintages(vintage, models="panel-ar")
        .scores()
        .query("source == 'panel-ar' and year == @year and basis == 'raw'")
    )
    assert tuple(scores["intervals"]) == BOTH
    for known, (_, row) in zip((then, since), scores.iterrows(), strict=True):
        assert (row["coverage_80"], row["coverage_95"]) == pytest.approx(known, abs=0.51)


def test_intervals_of_the_time_use_nothing_that_was_published_later(wpp2024: pf.Panel) -> None:
    values = wpp2024.values * np.exp(np.random.default_rng(1).normal(0, 0.2, (len(wpp2024), 1)))
    other = replace(wpp2024, values=values)
    bounds = ["lower_80", "upper_80", "lower_95", "upper_95"]
    known, changed = (
        compare_vintages("wpp2012", truth, "panel-ar")
        .errors.query("source == 'panel-ar' and basis == 'raw'")
        .set_index("intervals")[bounds]
        for truth in (wpp2024, other)
    )
    assert known.loc[PUBLISHED].equals(changed.loc[PUBLISHED])
    assert not np.allclose(known.loc["real-time"], changed.loc["real-time"], rtol=0.01)


def test_an_edition_learns_from_what_it_revised_itself(wpp2019: pf.Panel, wpp2024: pf.Panel) -> None:
    assert [list_published(panel) for panel in (pf.load_panel("wpp2010"), pf.load_panel("wpp2012"), wpp2019)] == [
        [],
        ["wpp2010"],
        ["wpp2010", "wpp2012"],
    ]
    assert list_published(wpp2024)[-1] == "wpp2019"
    assert list_published(pf.load_panel("wpp2012").until(2005)) == []
    assert list_published(world([[1, 2], [1, 2]], [2005, 2010])) == []
    assert learn_as_published(pf.load_panel("wpp2010")) is None
    # Revised figures are known to the edition that revised them, not to one that came between.
    assert learn_as_published(wpp2019).quantiles.shape == learn_as_published(pf.load_panel("wpp2012")).quantiles.shape


def test_a_first_edition_allows_for_no_revision_and_a_plain_model_for_random_errors_alone() -> None:
    errors = compare_vintages("wpp2010", models=["naive", "ar1"], intervals=KINDS).errors.query("basis == 'raw'")
    assert errors.groupby("source")["intervals"].unique().map(list).to_dict() == {
        UN: ["stated"],
        "naive": list(KINDS),
        "ar1": ["analytic"],
    }
    by_kind = errors[errors["source"] == "naive"].set_index("intervals")["upper_95"]
    assert by_kind[PUBLISHED].tolist() == by_kind["final"].tolist()
    assert (by_kind["real-time"].to_numpy() > by_kind["final"].to_numpy()).mean() > 0.9


def test_each_kind_has_its_meaning_in_one_sentence() -> None:
    assert tuple(VINTAGE_INTERVALS) == BOTH
    assert all(meaning.startswith("intervals ") and "." not in meaning for meaning in VINTAGE_INTERVALS.values())


# Shown ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    return pd.concat(
        {"wpp2012": compare_vintages("wpp2012", models=["naive"]).scores()}, names=["vintage"]
    ).reset_index("vintage")


def test_a_comparison_shows_itself() -> None:
    result = compare_vintages("wpp2012", models=["naive"])
    assert "198 countries, wpp2012 at 2010 against wpp2024" in repr(result)
    assert "<table" in result._repr_html_()


@pytest.mark.parametrize("chart", [charts.chart_sources, charts.chart_bounds])
def test_charts_name_every_source_and_are_the_same_each_time(scores: pd.DataFrame, chart) -> None:
    svg = chart(scores, "rebased").svg()
    assert svg == chart(scores, "rebased").svg()
    for text in (UN, "naive", "wpp2012, 2015", "wpp2012, 2020"):
        assert f">{text}<" in svg
        assert text in chart(scores).description
    with pytest.raises(PopforecastError, match="expected one of raw, rebased"):
        chart(scores, "cooked")


def test_a_chart_of_bounds_leaves_out_who_states_none() -> None:
    bare = pd.concat({"wpp2010": compare_vintages("wpp2010", models=["naive"]).scores()}, names=["vintage"])
    chart = charts.chart_bounds(bare.reset_index("vintage"))
    assert set(chart.table.index.get_level_values("source")) == {"naive"}
    alone = compare_vintages("wpp2010", models=[]).scores().assign(vintage="wpp2010")
    with pytest.raises(PopforecastError, match="no source has bounds"):
        charts.chart_bounds(alone)
