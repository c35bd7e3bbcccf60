"""A panel is complete, regular and unchanging, or it is refused with the cell that is at fault."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import popforecast as pf
from popforecast.errors import PanelError, YearError
from popforecast.panel import Source
from tests.helpers.freezing import check_frozen

PLACES = pd.DataFrame({"name": ["Arda", "Midgard"]}, index=["AR", "MI"])
VALUES = [[100.0, 110.0, 121.0], [50.0, 50.0, 50.0]]
YEARS = [2000, 2005, 2010]


def frame(**columns: list) -> pd.DataFrame:
    rows = {"id": ["A", "A", "B", "B"], "year": [2000, 2001, 2000, 2001], "pop": [1, 2, 3, 4]}
    return pd.DataFrame(rows | columns)


def from_frame(table: pd.DataFrame, **options: str) -> pf.Panel:
    return pf.Panel.from_frame(table, **({"id": "id", "time": "year", "value": "pop"} | options))


def test_panel_keeps_its_own_read_only_copy() -> None:
    values, years, places = np.array(VALUES), np.array(YEARS), PLACES.copy()
    panel = pf.Panel(values, years, places)
    values[0, 0] = -1
    years[0] = 1
    places.loc["AR", "name"] = "Mordor"
    assert panel.values[0, 0] == 100
    assert panel.years[0] == 2000
    assert panel.locations["name"]["AR"] == "Arda"
    for array in (panel.values, panel.years):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        panel.revision = "mine"


@pytest.mark.parametrize(
    ("values", "years", "named"),
    [
        ([[1, 2, np.nan], [1, 2, 3]], YEARS, ["Arda (AR)", "has no figure", "2010"]),
        ([[1, 2, 3], [1, np.inf, 3]], YEARS, ["Midgard (MI)", "is infinite", "2005"]),
        ([[1, -2, 3], [1, 2, 3]], YEARS, ["Arda (AR)", "is negative", "2005", "-2"]),
        ([[1, -2, 3], [-1, -2, 3]], YEARS, ["3 such cells"]),
        ([[1, 2], [3, 4]], YEARS, ["(2, 2)", "2 locations by 3 years"]),
        ([[1, 2], [3]], YEARS, ["numbers"]),
        ([["1", "x", "3"], [1, 2, 3]], YEARS, ["'x'"]),
        (VALUES, [2000, 2005, 2011], ["2005 is followed by 2011", "expected 2010"]),
        (VALUES, [2000, 2005, 2005], ["2005", "increase"]),
        (VALUES, [2010, 2005, 2000], ["increase"]),
        (VALUES, [2000, 2000.5, 2001], ["2000.5"]),
        (VALUES, [2000, np.nan, 2001], ["nan"]),
        (VALUES, ["2000", "2005", "2010"], ["'2000'"]),
        ([[1], [2]], [2000], ["at least two years"]),
    ],
)
def test_faulty_panel_is_refused_with_what_is_at_fault(values: list, years: list, named: list[str]) -> None:
    with pytest.raises(PanelError) as refusal:
        pf.Panel(values, years, PLACES)
    assert all(part in str(refusal.value) for part in named), str(refusal.value)


@pytest.mark.parametrize("codes", [["AR", "AR"], [1, "1"]])
def test_code_that_stands_twice_is_refused(codes: list) -> None:
    with pytest.raises(PanelError, match="is repeated"):
        pf.Panel(VALUES, YEARS, pd.DataFrame({"name": ["a", "b"]}, index=codes))


def test_location_without_a_name_goes_by_its_code() -> None:
    panel = pf.Panel(VALUES, YEARS, pd.DataFrame({"name": ["Arda", None]}, index=["AR", "MI"]))
    assert panel.locations["name"].tolist() == ["Arda", "MI"]
    assert panel.select("mi").locations.index.tolist() == ["MI"]


def test_panel_without_locations_is_refused() -> None:
    with pytest.raises(PanelError, match="at least one location"):
        pf.Panel(np.zeros((0, 3)), YEARS, pd.DataFrame())


def test_frame_goes_in_and_comes_out(wpp2024: pf.Panel) -> None:
    back = pf.Panel.from_frame(wpp2024.to_frame())
    assert back.values == pytest.approx(wpp2024.values)
    assert back.locations.index.tolist() == wpp2024.locations.index.tolist()
    assert back.checksum == wpp2024.checksum
    assert wpp2024.to_frame().dtypes.astype(str).to_dict() == {
        "location_code": "int64",
        "location": wpp2024.to_frame()["location"].dtype.name,
        "year": "int64",
        "population": "int64",
    }


@given(st.permutations(range(8)))
def test_rows_of_a_frame_may_come_in_any_order(order: list[int]) -> None:
    rows = pd.DataFrame({"id": ["A"] * 4 + ["B"] * 4, "year": [2000, 2001, 2002, 2003] * 2, "pop": range(8)})
    panel = from_frame(rows.iloc[order])
    assert panel.select(["A", "B"]).values.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_codes_of_a_frame_stay_what_they_are() -> None:
    assert from_frame(frame(id=["01", "01", "1", "1"])).locations.index.tolist() == ["01", "1"]
    assert from_frame(frame(id=[7, 7, 3, 3])).locations.index.tolist() == [7, 3]
    assert len(from_frame(frame(id=pd.Categorical(["b", "b", "a", "a"])))) == 2


def test_group_and_name_of_a_frame_are_kept() -> None:
    panel = from_frame(
        frame(area=["north", "north", "south", "south"], label=["Ay", "Ay", "Be", "Be"]), group="area", name="label"
    )
    assert panel.locations["region"].tolist() == ["north", "south"]
    assert panel.locations["name"].tolist() == ["Ay", "Be"]
    assert panel.select("be").locations.index.tolist() == ["B"]


@pytest.mark.parametrize(
    ("table", "options", "named"),
    [
        (frame(), {"id": "fips"}, ["'fips'", "id, year, pop"]),
        (frame(), {"group": "area"}, ["'area'"]),
        (frame().iloc[:0], {}, ["no rows"]),
        (frame().iloc[:3], {}, ["B", "no figure", "2001"]),
        (frame(year=[2000, 2000, 2000, 2001]), {}, ["row 2", "'A'", "2000", "second time"]),
        (frame(id=[7] * 4, year=[2000, 2001] * 2), {}, ["row 3: 7 has the year 2000 a second time"]),
        (frame(year=[2000, 2001.5, 2000, 2001]), {}, ["row 2", "2001.5"]),
        (frame(year=[2000, "soon", 2000, 2001]), {}, ["row 2", "'soon'"]),
        (frame(year=[2000, np.inf, 2000, 2001]), {}, ["row 2"]),
        (frame(pop=[1, "2,000", 3, 4]), {}, ["row 2", "'2,000'"]),
        (frame(pop=[1, 2, None, 4]), {}, ["row 3", "pop is empty"]),
        (frame(pop=[True] * 4), {}, ["pop holds bool", "numbers"]),
        (frame(pop=[1j] * 4), {}, ["pop holds complex"]),
        (
            frame(year=pd.to_datetime(["2000-01-01", "2001-07-01"] * 2)),
            {},
            ["row 2", "2001-07-01", "one figure per year"],
        ),
        (frame(year=pd.PeriodIndex(["2000", "2001"] * 2, freq="Y")), {}, ["year holds period"]),
        (frame(year=[2000, 1e300, 2000, 2001]), {}, ["row 2", "1e+300"]),
        (pd.concat([frame(), frame()[["pop"]]], axis=1), {}, ["'pop' twice"]),
        (frame(), {"id": None}, ["no column None"]),
        ({"id": ["A"]}, {}, ["DataFrame", "dict"]),
        (frame(pop=[1, 2, -3, 4]), {}, ["B", "negative", "2000"]),
        (frame(id=["A", "A", None, "B"]), {}, ["row 3", "no id"]),
        (frame(id=["A", "A", ["B"], ["B"]]), {}, ["row 3", "id is ['B']", "a text or a number"]),
        (frame(id=["A", "A", ("B", []), ("B", [])]), {}, ["row 3", "id is ('B', [])"]),
        (frame(label=[{"A"}, {"A"}, "B", "B"]), {"name": "label"}, ["row 1", "label is {'A'}"]),
        (frame(), {"id": ["id"]}, ["no column ['id']"]),
        (frame(area=["north", "south", "south", "south"]), {"group": "area"}, ["'A'", "more than one area"]),
    ],
)
def test_faulty_frame_is_refused_with_row_and_value(table: pd.DataFrame, options: dict, named: list[str]) -> None:
    with pytest.raises(PanelError) as refusal:
        from_frame(table, **options)
    assert all(part in str(refusal.value) for part in named), str(refusal.value)


@pytest.mark.parametrize(
    "locations",
    [
        ["NGA", 356],
        ("nigeria", "India"),
        pd.Series(["NGA", "IND"], index=[5, 6]),
        np.array([566, 356]),
        pd.Index([566, 356]),
        {"NGA": 1, "IND": 2},
        iter(["NGA", "IND"]),
        (code for code in ("566", "356")),
    ],
)
def test_locations_come_as_any_iterable(wpp2024: pf.Panel, locations: object) -> None:
    assert wpp2024.select(locations).locations["iso3"].tolist() == ["NGA", "IND"]


@pytest.mark.parametrize("location", ["NGA", 566, np.int64(566), "Nigeria"])
def test_one_location_needs_no_list(wpp2024: pf.Panel, location: object) -> None:
    assert wpp2024.select(location).locations["iso3"].tolist() == ["NGA"]


@pytest.mark.parametrize("nothing", [[], (), pd.Series([], dtype=object), iter([])])
def test_no_location_is_refused(wpp2024: pf.Panel, nothing: object) -> None:
    with pytest.raises(PanelError, match="no location was given"):
        wpp2024.select(nothing)


def test_until_is_what_was_known(wpp2024: pf.Panel) -> None:
    known = wpp2024.until(2000)
    assert known.origin == 2000
    assert (known.values == wpp2024.values[:, :51]).all()
    assert known.revision == "wpp2024"


@pytest.mark.parametrize("year", [1949, 2024, 2000.5, "2000", None, "x"])
def test_until_a_year_it_does_not_have_is_refused(wpp2024: pf.Panel, year: object) -> None:
    with pytest.raises(YearError, match="1950 to 2023"):
        wpp2024.until(year)


def test_until_the_first_year_is_no_panel(wpp2024: pf.Panel) -> None:
    with pytest.raises(PanelError, match="up to 1950 the panel has only one year"):
        wpp2024.until(1950)


def test_a_part_of_a_panel_is_what_a_panel_of_those_figures_would_be(wpp2024: pf.Panel) -> None:
    """Parts are not checked anew, for speed; they are nothing that a check would refuse or change."""
    rows = wpp2024.rows(["World", "NGA", "USA"])
    for part in (wpp2024.until(1990), wpp2024.take(rows), wpp2024.take(np.arange(297) % 2 == 0), wpp2024.countries()):
        again = pf.Panel(part.values, part.years, part.locations, part.revision)
        assert part.checksum == again.checksum
        assert (part.values.strides, part.years.strides) == (again.values.strides, again.years.strides)
        assert part.locations.equals(again.locations)
        assert (part.locations.dtypes == again.locations.dtypes).all()
        assert part.locations.index.equals(again.locations.index)
        assert part.locations.index.name == again.locations.index.name
        assert part.index == again.index
        for array in (part.values, part.years):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_a_change_in_a_part_never_reaches_the_whole() -> None:
    whole = pf.Panel(VALUES, YEARS, PLACES)
    for part in (whole.until(2005), whole.take(np.array([0]))):
        places = part.locations
        places.loc["AR", "name"] = "Mordor"
        assert part.locations["name"]["AR"] == "Arda"
    assert whole.locations["name"]["AR"] == "Arda"


def test_an_edit_of_the_locations_leaves_them_and_their_names_as_they_were() -> None:
    panel = pf.Panel(VALUES, YEARS, PLACES)
    places = panel.locations
    places.loc["AR", "name"] = "Mordor"
    del places["type"]
    # Whoever keeps no copy to edit is told by pandas that the edit goes nowhere.
    with pytest.warns(pd.errors.ChainedAssignmentError):
        panel.locations.loc["AR", "name"] = "Mordor"
    codes = panel.codes
    codes.name = "place"
    assert panel.codes.tolist() == ["AR", "MI"]
    assert panel.codes.name == panel.locations.index.name == "code"
    assert panel.locations["name"].tolist() == ["Arda", "Midgard"]
    assert panel.index.find("Arda") == "AR"
    assert not panel.index.has("Mordor")


def test_nothing_of_a_panel_can_be_changed_in_place(wpp2024: pf.Panel) -> None:
    whole = pf.Panel(VALUES, YEARS, PLACES)
    for panel in (whole, whole.until(2005), wpp2024.select(["NGA", "World"])):
        check_frozen(panel)
        check_frozen(panel.index)


def test_a_panel_that_was_sent_is_the_same(wpp2024: pf.Panel) -> None:
    part = wpp2024.select(["NGA", "World"])
    sent = pickle.loads(pickle.dumps(part))
    assert (sent.checksum, sent.source, sent.index) == (part.checksum, part.source, part.index)
    assert sent.locations.equals(part.locations)


def test_nothing_of_rectangles_can_be_changed_in_place() -> None:
    rows = {"id": [*"AAABB"], "year": [2000, 2001, 2002, 2001, 2002], "pop": [1, 2, 3, 4, 5]}
    uneven = pf.Panel.from_frame(pd.DataFrame(rows), id="id", value="pop")
    with pytest.raises(TypeError):
        uneven.homes["C"] = 0
    check_frozen(uneven)


@pytest.mark.parametrize(("rows", "said"), [([], "at least one location"), ([0, 1, 0], "'AR' is repeated")])
def test_no_row_and_a_row_taken_twice_are_refused(rows: list[int], said: str) -> None:
    with pytest.raises(PanelError, match=said):
        pf.Panel(VALUES, YEARS, PLACES).take(np.array(rows, dtype=int))


def test_appended_locations_are_checked_and_found() -> None:
    panel = pf.Panel(VALUES, YEARS, PLACES, "mine")
    more = panel.append([[1, 2, 3]], pd.DataFrame({"name": ["Aman"], "iso3": ["AMN"]}, index=["AM"]))
    assert len(panel) == 2
    assert more.values.tolist() == [*VALUES, [1, 2, 3]]
    assert more.revision == "mine"
    whole = pf.Panel(more.values, YEARS, more.locations, "mine")
    assert more.index == whole.index
    assert [more.index.find(query) for query in ("aman", "AMN", "AM", "arda")] == ["AM", "AM", "AM", "AR"]
    for code, values, said in (("AR", [[1, 2, 3]], "'AR' is repeated"), ("X", [[1, -2, 3]], "negative")):
        with pytest.raises(PanelError, match=said):
            panel.append(values, pd.DataFrame({"name": ["x"]}, index=[code]))


def test_countries_are_the_countries(wpp2024: pf.Panel) -> None:
    assert len(wpp2024.countries()) == 236
    with pytest.raises(PanelError, match="Country/Area"):
        pf.Panel(VALUES, YEARS, PLACES).countries()


def test_checksum_is_of_codes_years_and_values_alone() -> None:
    plain = pf.Panel(VALUES, YEARS, PLACES)
    assert plain.checksum == pf.Panel(VALUES, YEARS, PLACES.assign(name="other"), "mine").checksum
    others = [
        pf.Panel([VALUES[0], [50, 50, 50.0000001]], YEARS, PLACES),
        pf.Panel(VALUES, [2000, 2001, 2002], PLACES),
        pf.Panel(VALUES, YEARS, PLACES.rename(index={"AR": "A"})),
        plain.select(["MI", "AR"]),
    ]
    assert len({panel.checksum for panel in [plain, *others]}) == 5


def test_panel_shows_itself(wpp2024: pf.Panel) -> None:
    assert repr(wpp2024) == "<Panel: 297 locations, 1950 to 2023, wpp2024>"
    assert repr(pf.Panel(VALUES, YEARS, PLACES)) == "<Panel: 2 locations, 2000 to 2010 by 5>"
    assert "Nigeria" in wpp2024.select("NGA")._repr_html_()
    assert len(wpp2024) == 297


def test_what_a_panel_was_read_from_stays_with_its_parts(wpp2024):
    parts = (wpp2024.until(2000), wpp2024.select("World"), wpp2024.countries(), wpp2024.take([3, 1]))
    others = (
        pickle.loads(pickle.dumps(wpp2024)),
        wpp2024.append(np.ones((1, wpp2024.values.shape[1])), pd.DataFrame({"name": ["Arda"]}, index=["AR"])),
    )
    assert {part.source for part in (*parts, *others)} == {Source("wpp2024")}


def test_a_name_alone_makes_no_source(wpp2024):
    frame = wpp2024.to_frame()
    assert pf.Panel.from_frame(frame, revision="wpp2024").source is None
    assert pf.Panel(wpp2024.values, wpp2024.years, wpp2024.locations, "wpp2024").source is None
