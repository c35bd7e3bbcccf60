"""forecast(): the one verb, its contract, and every way to ask it wrongly."""

from __future__ import annotations

import io
import json
import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import (
    LevelError,
    ModelError,
    PanelError,
    RepeatedLocationError,
    UnknownLocationError,
    UnknownModelError,
    YearError,
)
from popforecast.forecasting.milestones import find_milestones
from popforecast.panel import Source
from tests.helpers.freezing import check_frozen

COLUMNS = ["location_code", "location", "year", "population", "lower_80", "upper_80", "lower_95", "upper_95", "variant"]


def make_panel(values: list, years: object, **columns: list) -> pf.Panel:
    codes = [f"X{i:02d}" for i in range(len(values))]
    return pf.Panel(values, years, pd.DataFrame({"name": codes} | columns, index=codes))


# The answer -----------------------------------------------------------------------------------------------------


def test_known_table_comes_out_to_the_digit(wpp2019: pf.Panel) -> None:
    table = pf.forecast(wpp2019, ["WORLD", "More developed regions"], 2030, 2035, model="ar1").to_table()
    assert table.to_dict("list") == {
        "WORLD": [f"{t:,}" for t in (8745733000, 8844029000, 8942922000, 9042415000, 9142512000, 9243217000)],
        "More developed regions": [
            f"{t:,}" for t in (1304051000, 1306841000, 1309584000, 1312279000, 1314927000, 1317530000)
        ],
    }
    assert table.index.tolist() == ["2030", "2031", "2032", "2033", "2034", "2035"]


def test_frame_has_the_columns_of_the_contract_in_whole_persons(wpp2024: pf.Panel) -> None:
    frame = pf.forecast(wpp2024, ["NGA", "World"], 2022, 2030).to_frame()
    assert frame.columns.tolist() == COLUMNS
    assert frame["location_code"].tolist() == [566] * 9 + [900] * 9
    assert frame["location"].unique().tolist() == ["Nigeria", "World"]
    assert frame["year"].tolist() == [*range(2022, 2031)] * 2
    assert frame["population"].dtype == np.int64
    assert {str(frame[column].dtype) for column in COLUMNS[4:8]} == {"Int64"}


def test_history_is_marked_and_has_no_interval(wpp2024: pf.Panel) -> None:
    frame = pf.forecast(wpp2024, "India", 2020, 2026).to_frame().set_index("year")
    assert frame["variant"].tolist() == ["estimates"] * 4 + ["forecast"] * 3
    assert frame.loc[2023, "population"] == 1_438_069_596
    bounds = frame[COLUMNS[4:8]]
    assert bounds.loc[:2023].isna().all(axis=None)
    assert bounds.loc[2024:].notna().all(axis=None)


def test_history_alone_needs_no_forecast(wpp2024: pf.Panel) -> None:
    forecast = pf.forecast(wpp2024, ["NGA", "World"], 1950, 2023)
    assert (forecast.population == wpp2024.select(["NGA", "World"]).values).all()
    assert set(forecast.to_frame()["variant"]) == {"estimates"}
    assert forecast.path.population.shape == (2, 0)
    assert "2023 (estimates)" in forecast.to_table().index


def test_bounds_enclose_the_median_and_widen(wpp2024: pf.Panel) -> None:
    forecast = pf.forecast(wpp2024, start=2024, end=2060, levels=(50, 80, 95))
    ladder = [forecast.lower[95], forecast.lower[80], forecast.lower[50], forecast.population]
    ladder += [forecast.upper[50], forecast.upper[80], forecast.upper[95]]
    assert all((below <= above).all() for below, above in pairwise(ladder))
    # In logs: where a population shrinks, the same relative width is fewer persons.
    assert (np.diff(np.log(forecast.upper[80] / forecast.lower[80]), axis=1) >= -1e-12).all()


def test_default_is_every_series_for_ten_steps(wpp2024: pf.Panel) -> None:
    forecast = pf.forecast(wpp2024)
    assert len(forecast.locations) == 297
    assert forecast.years.tolist() == list(range(2024, 2034))
    assert forecast.levels == (80, 95)
    assert forecast.model == pf.models.get("cohort")
    assert forecast.history is wpp2024


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, 2025, (2024, 2025)),
        (2030, None, (2030, 2039)),
        (2000, None, (2000, 2033)),
        (2095, None, (2095, 2100)),
        (2100, None, (2100, 2100)),
        (2030, 2030, (2030, 2030)),
        (np.int64(2030), 2031.0, (2030, 2031)),
    ],
)
def test_period_left_open_is_ten_steps(wpp2024: pf.Panel, start: object, end: object, expected: tuple) -> None:
    years = pf.forecast(wpp2024, "World", start, end).years
    assert (years[0], years[-1]) == expected
    assert years.dtype == np.int64


def test_choosing_a_subset_or_an_order_never_changes_a_number(wpp2024: pf.Panel) -> None:
    whole = pf.forecast(wpp2024, None, 2024, 2050)
    some = pf.forecast(wpp2024, ["USA", "World", 4], 2030, 2040)
    rows = wpp2024.rows(["USA", "World", 4])
    assert some.population == pytest.approx(whole.population[rows][:, 6:17], rel=1e-9)
    assert some.lower[95] == pytest.approx(whole.lower[95][rows][:, 6:17], rel=1e-9)
    assert some.locations.index.tolist() == [840, 900, 4]


@pytest.mark.parametrize(
    "locations",
    [
        ["NGA", 356],
        pd.Series(["Nigeria", "India"]),
        np.array([566, 356]),
        (code for code in ("NGA", "IND")),
        {"NGA": 1, "IND": 2}.keys(),
    ],
)
def test_locations_come_as_any_iterable(wpp2024: pf.Panel, locations: object) -> None:
    assert pf.forecast(wpp2024, locations, end=2025).locations.index.tolist() == [566, 356]


def test_fitted_model_gives_what_its_specification_gives(wpp2024: pf.Panel) -> None:
    model = pf.AR(2, "ct")
    by_fit, by_model = (pf.forecast(wpp2024, "NGA", model=each) for each in (model.fit(wpp2024), model))
    pd.testing.assert_frame_equal(by_fit.to_frame(), by_model.to_frame(), rtol=1e-9)


def test_explosive_root_is_noted_for_the_chosen_alone(wpp2019: pf.Panel) -> None:
    notes = pf.forecast(wpp2019, ["World", "DEU"], model="ar1").notes
    assert [note.location_code for note in notes] == [900]
    assert "explosive" in notes[0].text
    assert "explosive" in pf.forecast(wpp2019, "World", model="ar1")._repr_html_()


def test_result_carries_where_it_came_from(wpp2024: pf.Panel) -> None:
    assert pf.forecast(wpp2024, "NGA", model=pf.AR(2, "ct")).provenance == {
        "revision": "wpp2024",
        "source": "wpp2024",
        "checksum": wpp2024.checksum,
        "origin": 2023,
        "model": "AR(2, ct)",
        "parameters": {"lags": 2, "trend": "ct", "transform": "level", "max_lags": 5},
        "version": pf.__version__,
        "intervals": "analytic",
    }


def test_result_is_frozen(wpp2024: pf.Panel) -> None:
    forecast = pf.forecast(wpp2024, "NGA", 2020, 2030)
    arrays = [forecast.population, forecast.years, forecast.lower[80], forecast.path.upper[95], forecast.history.values]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    for bounds in (forecast.lower, forecast.upper, forecast.path.lower):
        with pytest.raises(TypeError):
            bounds[80] = forecast.population
    with pytest.raises(TypeError):
        forecast.provenance["revision"] = "mine"
    with pytest.raises(TypeError):
        forecast.provenance["parameters"]["lags"] = 2
    check_frozen(forecast)


def test_what_is_told_of_a_forecast_is_plain_and_changes_nothing_in_it(wpp2024: pf.Panel) -> None:
    forecast = pf.forecast(wpp2024, ["NGA", "World"], 2023, 2025)
    told = forecast.to_dict()
    assert json.loads(json.dumps(told))["provenance"] == forecast.provenance
    told["provenance"]["parameters"]["more"] = 1
    assert "more" not in forecast.provenance["parameters"]


@pytest.fixture(scope="module")
def unequal() -> pf.Forecast:
    series = {"A": (2000, [1, 2, 3, 4]), "B": (2001, [5, 6, 8]), "C": (2000, [9, 9])}
    rows = [(code, first + i, value) for code, (first, values) in series.items() for i, value in enumerate(values)]
    panel = pf.Panel.from_frame(pd.DataFrame(rows, columns=["id", "year", "pop"]), id="id", value="pop")
    return pf.forecast(panel, ["B", "C", "A"], 2001, 2004, "naive")


def test_a_forecast_of_unequal_years_has_an_origin_a_row(unequal: pf.Forecast) -> None:
    assert unequal.origins.tolist() == [2003, 2001, 2003]
    assert unequal.origin == 2003
    assert np.isnan(unequal.lower[80]).tolist() == (unequal.years <= unequal.origins[:, None]).tolist()
    assert unequal.population.round().tolist() == [[5, 6, 8, 8], [9, 9, 9, 9], [2, 3, 4, 4]]
    assert unequal.path.population[1].round().tolist() == [9, 9, 9]
    assert np.isnan(unequal.path.upper[95][0, 1:]).all()
    table = unequal.to_table()
    assert table.index.tolist() == ["2001 (estimates)", "2002", "2003", "2004"]
    assert table.loc["2003"].tolist() == ["8 (estimates)", "9", "4 (estimates)"]
    assert repr(unequal).startswith("<Forecast: 3 locations, 2001 to 2004, naive from 2001 to 2003, ")


def test_a_forecast_of_unequal_years_is_that_of_its_parts(unequal: pf.Forecast) -> None:
    whole = unequal.to_frame()
    for part in unequal.parts:
        rows = part.to_frame().assign(origin=part.origin)
        own = whole[whole["location_code"].isin(part.locations.index)].reset_index(drop=True)
        assert own["location_code"].tolist() == rows["location_code"].tolist()
        pd.testing.assert_frame_equal(own, rows, check_dtype=False)
    milestones = find_milestones(unequal)
    assert list(dict.fromkeys(found.location_code for found in milestones)) == ["B", "C", "A"]
    assert set(milestones) == {found for part in unequal.parts for found in find_milestones(part)}


def test_a_forecast_of_unequal_years_is_frozen(unequal: pf.Forecast) -> None:
    before = unequal.to_csv()
    places = unequal.locations
    places.loc["A", "name"] = "Mordor"
    for part in (unequal, *unequal.parts):
        check_frozen(part)
    assert unequal.to_csv() == pickle.loads(pickle.dumps(unequal)).to_csv() == before


def test_table_tells_two_places_of_one_name_apart(wpp2024: pf.Panel) -> None:
    assert pf.forecast(wpp2024, [904, 1830, "NGA"], end=2024).to_table().columns.tolist() == [
        "Latin America and the Caribbean (904)",
        "Latin America and the Caribbean (1830)",
        "Nigeria",
    ]


def test_answer_for_json_is_plain_and_strict(wpp2024: pf.Panel) -> None:
    forecast = pf.forecast(wpp2024, ["NGA", "World"], 2023, 2024)
    answer = json.loads(json.dumps(forecast.to_dict(), allow_nan=False))
    assert answer["unit"] == "persons"
    assert "CC BY 3.0 IGO" in answer["citation"]
    first, second = answer["forecasts"][:2]
    assert (first["variant"], first["lower_80"]) == ("estimates", None)
    assert (second["variant"], second["year"], type(second["population"])) == ("forecast", 2024, int)
    assert list(first) == COLUMNS


def test_csv_reads_back_as_the_frame_with_where_it_came_from_in_every_row(wpp2024: pf.Panel) -> None:
    forecast = pf.forecast(wpp2024, ["NGA", "CIV"], 2022, 2030)
    frame = forecast.to_frame()
    back = pd.read_csv(io.StringIO(forecast.to_csv()), dtype=dict(frame.dtypes.astype(str)))
    pd.testing.assert_frame_equal(back[COLUMNS], frame)
    assert back["note"].isna().all()
    constants = back.drop(columns=[*COLUMNS, "note"]).drop_duplicates().to_dict("records")
    assert constants == [
        {
            "revision": "wpp2024",
            "checksum": wpp2024.checksum,
            "origin": 2023,
            "model": "cohort",
            "intervals": "real-time",
            "version": pf.__version__,
            "citation": forecast.citation,
            "source": "wpp2024",
        }
    ]
    assert "World Population Prospects 2024" in forecast.citation


def test_csv_of_ones_own_panel_has_no_revision_and_no_citation() -> None:
    forecast = pf.forecast(make_panel(grow(30, 40), range(1980, 2020)), model="naive")
    back = pd.read_csv(io.StringIO(forecast.to_csv()))
    assert forecast.citation is None
    assert back[["revision", "citation"]].isna().all(axis=None)
    assert set(back["intervals"]) == {"final"}


# Anyone's panel -------------------------------------------------------------------------------------------------


def test_codes_that_are_text_stay_text() -> None:
    rows = {"fips": ["01001"] * 6 + ["01003"] * 6, "yr": [*range(2000, 2006)] * 2, "pop": [*range(100, 112)]}
    panel = pf.Panel.from_frame(pd.DataFrame(rows | {"state": "Alabama"}), "fips", "yr", "pop", group="state")
    frame = pf.forecast(panel, ["01003"], end=2007).to_frame()
    assert frame["location_code"].tolist() == ["01003", "01003"]
    assert frame["year"].tolist() == [2006, 2007]
    assert panel.locations["region"].tolist() == ["Alabama", "Alabama"]
    with pytest.raises(UnknownLocationError):
        pf.forecast(panel, [1003])


def test_five_yearly_panel_is_forecast_on_its_own_grid() -> None:
    panel = make_panel([np.linspace(100, 200, 13)], range(1950, 2015, 5))
    forecast = pf.forecast(panel, None, 2010, 2025, model="ar1")
    assert forecast.years.tolist() == [2010, 2015, 2020, 2025]
    assert forecast.population[0] == pytest.approx(200 + np.arange(4) * 100 / 12)
    assert pf.forecast(panel).years.tolist() == list(range(2015, 2065, 5))
    for start, end in ((2012, 2025), (2015, 2023)):
        with pytest.raises(YearError, match=r"grid of 5 years: expected 20\d0 or 20\d5|grid of 5 years"):
            pf.forecast(panel, None, start, end)


def test_grid_that_misses_2100_ends_before_it() -> None:
    panel = pf.Panel(
        [np.linspace(1, 2, 12)], range(1953, 2013, 5), pd.DataFrame({"name": ["Odd"]}), source=Source("odd")
    )
    assert pf.forecast(panel, start=2093).years.tolist() == [2093, 2098]


def test_own_panel_ends_a_hundred_and_fifty_steps_ahead() -> None:
    panel = make_panel([np.linspace(1, 2, 12)], range(2089, 2101))
    assert pf.forecast(panel, end=2250).years[-1] == 2250
    with pytest.raises(YearError, match="2089 to 2250"):
        pf.forecast(panel, end=2251)


def test_growth_beyond_whole_numbers_stays_a_number() -> None:
    """An explosive plain AR may leave 64 bits: a float then, never a wrapped or missing figure."""
    panel = make_panel([10.0 ** np.arange(8)], range(2000, 2008))
    frame = pf.forecast(panel, None, 2007, 2040, model=pf.AR(1, "n")).to_frame()
    assert frame["population"].iloc[-1] == pytest.approx(1e40)
    assert (frame["population"] > 0).all()
    assert frame["lower_80"].isna().tolist() == [True] + [False] * 33


def test_population_beyond_any_number_is_null_in_json() -> None:
    panel = make_panel([np.exp(1.4 ** np.arange(12))], range(2000, 2012))
    forecast = pf.forecast(panel, None, 2012, 2100, model=pf.AR(1, "n", "log"))
    assert np.isinf(forecast.population[0, -1])
    assert json.loads(json.dumps(forecast.to_dict(), allow_nan=False))["forecasts"][-1]["population"] is None
    assert forecast.to_table().iloc[-1, 0] == "∞"


def grow(n: int, t: int) -> np.ndarray:
    """Populations whose growth wanders."""
    rng = np.random.default_rng(2)
    growth = rng.normal(0.015, 0.01, (n, 1)) + np.cumsum(rng.normal(0, 0.003, (n, t)), axis=1)
    return 1e6 * np.exp(np.cumsum(growth, axis=1))


@pytest.mark.parametrize("name", ["naive", "drift", "damped-growth", "ar", "panel-ar"])
def test_model_fitted_beforehand_gives_what_its_name_gives(name: str) -> None:
    panel = make_panel(grow(30, 40), range(1980, 2020))
    by_name, fitted = pf.forecast(panel, model=name), pf.forecast(panel, model=pf.fit(panel, name))
    pd.testing.assert_frame_equal(by_name.to_frame(), fitted.to_frame(), rtol=1e-9)
    assert by_name.notes == fitted.notes


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (grow(1, 40), {"too few past origins to calibrate the interval: it is analytic (random error only)"}),
        (
            grow(3, 3),
            {
                "too few past origins to calibrate the interval: it is analytic (random error only)",
                "too few years to fit the model: damped growth is used instead",
            },
        ),
        (grow(40, 40)[:, :9], set()),
        (np.full((40, 30), 7.0), set()),
    ],
    ids=["one location", "three years", "nine years", "constant"],
)
def test_a_poor_panel_is_forecast_and_what_is_done_instead_is_said(values: np.ndarray, said: set[str]) -> None:
    panel = make_panel(values, range(2000, 2000 + values.shape[1]))
    forecast = pf.forecast(panel, end=panel.origin + 20, model="panel-ar")
    assert {note.text for note in forecast.notes if "capped" not in note.text} == said
    for path in (forecast.path.population, *forecast.path.lower.values(), *forecast.path.upper.values()):
        assert np.isfinite(path).all()
        assert (path > 0).all()


def test_city_that_doubled_is_held_to_what_was_ever_seen_and_said_to_be() -> None:
    values = grow(30, 40)
    values[3, -6:] = values[3, -6] * 2 ** (np.arange(6) / 5)
    panel = make_panel(values, range(1980, 2020))
    for name in ("damped-growth", "panel-ar"):
        forecast = pf.forecast(panel, end=2060, model=name)
        # 41 steps ahead, of which the panel has seen 39 at once.
        most = (values[:, -1] / values[:, 0]).max() ** (41 / 39)
        assert forecast.path.population[3, -1] / values[3, -1] <= most * (1 + 1e-9)
        assert "capped" in {note.location_code: note.text for note in forecast.notes}["X03"]


# Asked wrongly --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [
        (2035, 2030, ["2035", "2030", "must not be later than"]),
        (1949, 2030, ["1949", "1950 to 2100"]),
        (2030, 2101, ["2101", "1950 to 2100"]),
        (-5, 2030, ["-5"]),
        (10**30, None, ["1950 to 2100"]),
        (2030.5, 2031, ["2030.5", "whole year"]),
        ("2030", 2031, ["'2030'", "whole year"]),
        (2030, "soon", ["'soon'", "1950 to 2100"]),
        ("soon", None, ["'soon'", "1950 to 2100"]),
        (2030, float("nan"), ["nan"]),
        (float("inf"), None, ["inf"]),
        (True, 2030, ["True"]),
        (np.True_, 2030, ["True"]),
        ([2030], 2031, ["[2030]"]),
        (2030, pd.Timestamp("2031"), ["2031"]),
        (2030 + 0j, 2031, ["2030"]),
    ],
)
def test_impossible_period_is_refused_with_value_and_range(
    wpp2024: pf.Panel, start: object, end: object, named: list[str]
) -> None:
    with pytest.raises(YearError) as refusal:
        pf.forecast(wpp2024, "World", start, end)
    assert all(part in str(refusal.value) for part in named), str(refusal.value)
    assert "expected" in str(refusal.value) or "must not be later" in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"locations": ["Nigera", "World"]}, UnknownLocationError, "nearest: Nigeria"),
        ({"locations": []}, PanelError, "no location was given"),
        ({"locations": ""}, UnknownLocationError, "no location ''"),
        ({"locations": ["USA", "United States"]}, RepeatedLocationError, "given twice"),
        ({"locations": ["NGA"] * 10_000}, RepeatedLocationError, "each location once"),
        ({"model": "prophet"}, UnknownModelError, "ar1, naive, drift"),
        ({"model": 7}, UnknownModelError, "no model 7"),
        ({"levels": [0]}, LevelError, "level 0"),
        ({"levels": [80, 95, 80]}, LevelError, "each level once"),
        ({"levels": "80"}, LevelError, "'80'"),
        ({"levels": None}, LevelError, "None"),
        ({"model": pf.AR(40, "ct")}, ModelError, "too few"),
    ],
)
def test_impossible_request_is_refused(wpp2024: pf.Panel, options: dict, error: type, named: str) -> None:
    with pytest.raises(error, match=named):
        pf.forecast(wpp2024, **options)


def test_fit_of_another_panel_is_refused(wpp2024: pf.Panel) -> None:
    fitted = pf.AR().fit(wpp2024.until(2000))
    with pytest.raises(ModelError, match=r"origin 2000.*origin 2023"):
        pf.forecast(wpp2024, "World", model=fitted)


def test_one_level_and_none_are_both_fine(wpp2024: pf.Panel) -> None:
    assert pf.forecast(wpp2024, "NGA", levels=90).to_frame().columns[4:6].tolist() == ["lower_90", "upper_90"]
    assert pf.forecast(wpp2024, "NGA", levels=[97.5]).to_frame().columns[4] == "lower_97.5"
    bare = pf.forecast(wpp2024, "NGA", levels=())
    assert bare.to_frame().columns.tolist() == [*COLUMNS[:4], "variant"]
    assert bare.levels == ()


# Whose figures they are -----------------------------------------------------------------------------------------


def test_figures_that_are_called_an_edition_get_nothing_of_that_edition(wpp2024: pf.Panel) -> None:
    """A name is no evidence: no citation, no intervals of the UN's revisions, no fit, none of its sums."""
    grown = wpp2024.select(["World", "Nigeria", "Togo", "Japan"]).to_frame()
    grown["population"] *= 2
    own = pf.Panel.from_frame(grown, name="location", revision="wpp2024")
    fc = pf.forecast(own, [900, 768], 2030, 2031)
    assert "World Population Prospects" not in fc.to_csv()
    assert fc.provenance["intervals"] == "final"
    assert fc.provenance["revision"] == "wpp2024"
    assert not fc.notes
    # The UN's World would be the sum of its countries.
    alone, among = (pf.forecast(panel, 900, 2030, 2031, "drift").population for panel in (own.select("World"), own))
    assert alone == pytest.approx(among)
    with pytest.raises(ModelError, match="real-time"):
        pf.forecast(own, 900, 2030, 2031, intervals="real-time")
    assert pf.forecast(own, 900, 2030, 2110).years[-1] == 2110
