"""What stands beside a forecast: the very figures of the records, and nothing where there is no record."""

from __future__ import annotations

import pytest

import popforecast as pf
from app.evidence import compare_with_un, describe_milestones, describe_record, has_real_time_record, name_unrecorded
from app.query import Query
from app.table import choose_stride, tabulate
from popforecast.milestones import find_milestones


@pytest.fixture(scope="module")
def india() -> pf.Forecast:
    return Query((356,), 2030, 2035).answer()


def test_the_sentence_and_the_table_hold_the_figures_of_the_record(india: pf.Forecast) -> None:
    record = pf.load_record("wpp2024").query("location_code == 356 and model == 'panel-ar'").set_index("horizon")
    (told,) = describe_record(india)
    assert told.name == "India"
    for horizon, row in zip((1, 5, 10, 20), told.rows, strict=True):
        kept = record.loc[horizon]
        assert (row.horizon, row.n) == (horizon, kept["n"])
        assert [row.mean, row.median] == [f"{kept[name]:.2f}\N{NO-BREAK SPACE}%" for name in ("mape", "median_ape")]
        assert [row.held_80, row.held_95] == [
            f"{kept[f'coverage_{level}']:.0f}\N{NO-BREAK SPACE}%" for level in (80, 95)
        ]
    for horizon in (5, 10):
        assert f"{record.loc[horizon, 'mape']:.1f}\N{NO-BREAK SPACE}%" in told.sentence


def test_our_misses_stand_beside_the_uns_from_both_editions(india: pf.Forecast) -> None:
    kept = pf.load_vintage_record().query("location_code == 356").sort_values(["vintage", "year"])
    rows = compare_with_un(india)
    assert [(row.edition, row.year) for row in rows] == [(2010, 2015), (2010, 2020), (2012, 2015), (2012, 2020)]
    for row, (_, known) in zip(rows, kept.iterrows(), strict=True):
        assert row.ours == f"{known['ape']:.1f}\N{NO-BREAK SPACE}%"
        assert row.theirs == f"{known['un_ape']:.1f}\N{NO-BREAK SPACE}%"
    # The edition of 2010 stated no bounds.
    assert [row.un_held for row in rows[:2]] == ["–", "–"]
    assert {row.un_held for row in rows[2:]} <= {"yes", "no"}


def test_the_record_is_that_of_the_model_asked_for() -> None:
    told = [describe_record(Query((356,), 2030, 2035, model=model).answer())[0] for model in ("panel-ar", "naive")]
    assert told[0].rows != told[1].rows
    assert has_real_time_record(Query((356,), 2030, 2035).answer())
    assert not has_real_time_record(Query((356,), 2030, 2035, model="naive").answer())


def test_a_group_of_ones_own_has_no_record_and_that_is_said() -> None:
    fc = Query((), 2030, 2035, groups=(("Benelux", (56, 442, 528)),)).answer()
    assert describe_record(fc) == []
    assert compare_with_un(fc) == []
    assert name_unrecorded(fc) == ["Benelux"]


def test_records_keep_the_order_in_which_locations_were_asked_for() -> None:
    fc = Query((900, 356, 4, 566), 2030, 2035).answer()
    assert [record.name for record in describe_record(fc)] == list(fc.locations["name"])
    assert list(dict.fromkeys(row.name for row in compare_with_un(fc))) == [
        name for name in fc.locations["name"] if name in {"World", "India", "Afghanistan", "Nigeria"}
    ]


def test_milestones_look_ahead_to_2100_whatever_years_were_asked_for() -> None:
    far = pf.forecast(pf.load_panel("wpp2024"), [392], end=2100, levels=(80,))
    sentences = [milestone.sentence for milestone in find_milestones(far)]
    for start, end, levels in ((2030, 2031, (80, 95)), (1990, 2000, (50,)), (2050, 2100, (99.5,))):
        (japan,) = describe_milestones(Query((392,), start, end, levels=levels))
        assert japan.sentences == sentences


def test_a_table_too_long_to_read_leaves_years_out_but_neither_the_first_nor_the_last() -> None:
    panel = pf.load_panel("wpp2024")
    fc = Query(tuple(panel.locations.index[:200]), 2011, 2093).answer()
    table = tabulate(fc)
    assert table.stride == choose_stride(83, 200) == 10
    assert [row.year for row in table.estimates] == [2011, 2020]
    assert [row.year for row in table.forecasts] == [2030, 2040, 2050, 2060, 2070, 2080, 2090, 2093]
    assert len(table.headings) == len(table.forecasts[0].cells) == 200
