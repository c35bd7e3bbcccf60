"""What stands beside a forecast: the very figures of the records, and nothing where there is no record."""

from __future__ import annotations

import pytest

import popforecast as pf
from app.pages.evidence import (
    answer_in_words,
    compare_with_un,
    describe_milestones,
    describe_record,
    has_real_time_record,
    look_far,
    name_unrecorded,
)
from app.pages.table import choose_stride, tabulate
from popforecast.evaluation.record import tell_coverage
from popforecast.forecasting.milestones import find_milestones
from popforecast.question import Question


@pytest.fixture(scope="module")
def india() -> pf.Forecast:
    return Question((356,), 2030, 2035).answer()


def test_the_sentence_and_the_table_hold_the_figures_of_the_record(india: pf.Forecast) -> None:
    record = pf.load_record("wpp2024").query("location_code == 356 and model == 'cohort'").set_index("horizon")
    (told,) = describe_record(india)
    assert told.name == "India"
    for horizon, row in zip((1, 5, 10, 20), told.rows, strict=True):
        kept = record.loc[horizon]
        assert (row.horizon, row.n) == (horizon, kept["n"])
        assert [row.mean, row.median] == [f"{kept[name]:.2f}%" for name in ("mape", "median_ape")]
        assert [row.held_80, row.held_95] == [f"{kept[f'coverage_{level}']:.0f}%" for level in (80, 95)]
    for horizon in (5, 10):
        assert f"{record.loc[horizon, 'mape']:.1f}%" in told.sentence


def test_our_misses_stand_beside_the_uns_from_both_editions(india: pf.Forecast) -> None:
    kept = pf.load_vintage_record().query("location_code == 356").sort_values(["vintage", "year"])
    beside = compare_with_un(india)
    assert beside is not None
    assert beside.columns == [(2010, 2015), (2010, 2020), (2012, 2015), (2012, 2020)]
    ((name, row),) = beside.rows
    assert name == "India"
    for miss, (_, known) in zip(row, kept.iterrows(), strict=True):
        assert miss is not None
        assert miss.ours == f"{known['ape']:.1f}%"
        assert miss.theirs == f"{known['un_ape']:.1f}%"
        assert (miss.published_held, miss.held) == (known["published_held_95"], known["held_95"])
    # The edition of 2010 stated no bounds.
    assert [miss.un_held is None for miss in row if miss] == [True, True, False, False]


def test_what_the_misses_come_to_is_counted_in_words(india: pf.Forecast) -> None:
    beside = compare_with_un(Question((356, 566, 908), 2030, 2035).answer())
    assert beside is not None
    rows = pf.load_vintage_record().query("location_code in (356, 566, 908)").to_dict("records")
    nearer = sum(row["ape"] < row["un_ape"] for row in rows)
    further = sum(row["ape"] > row["un_ape"] for row in rows)
    then, since = (
        [row[column] for row in rows if row[column] in (True, False)] for column in ("published_held_95", "held_95")
    )
    assert beside.sentence.startswith(
        f"Our forecast was closer in {nearer} of {len(rows)} comparisons, the UN’s in {further}. "
        f"Our 95% range, using what was known at the time, contained {sum(then)} of {len(then)} outcomes; "
        f"after allowing for the UN’s later revisions of other countries, {sum(since)} of {len(since)}."
    )
    assert "(the 2010 edition gave no range)." in beside.sentence
    for codes, said in (
        ((356,), "The UN was closer in all 4 comparisons."),
        ((4,), "Our forecast was closer in all 4"),
    ):
        alone = compare_with_un(Question(codes, 2030, 2035).answer())
        assert alone is not None
        assert alone.sentence.startswith(said)


def test_a_region_has_no_interval_of_ours_and_none_is_counted() -> None:
    world = compare_with_un(Question((900,), 2030, 2035).answer())
    assert world is not None
    assert "Our 95" not in world.sentence
    assert world.sentence == (
        "Our forecast was closer in both comparisons. Our ranges are evaluated for countries only. "
        "The UN’s range contained 0 of 2."
    )
    told = world.overall.replace("’", "'")
    assert told == tell_coverage(pf.load_vintage_record())


def test_an_edition_that_does_not_tell_of_a_location_leaves_its_place_empty() -> None:
    record = pf.load_vintage_record()
    untold = set(record.query("vintage == 'wpp2012'")["location_code"]) - set(
        record.query("vintage == 'wpp2010'")["location_code"]
    )
    code = min(untold & set(pf.load_panel("wpp2024").locations.index))
    beside = compare_with_un(Question((356, code), 2030, 2035).answer())
    assert beside is not None
    told = {name: [miss is not None for miss in row] for name, row in beside.rows}
    assert sorted(told.values()) == [[False, False, True, True], [True] * 4]


def test_the_answer_in_words_is_the_last_year_of_a_few_locations(india: pf.Forecast) -> None:
    (said,) = answer_in_words(india)
    lower, upper = india.lower[80][0, -1], india.upper[80][0, -1]
    assert said == (
        f"{india.population[0, -1] / 1e9:.3f} billion in 2035 (80%: {lower / 1e9:.3f} to {upper / 1e9:.3f} billion)"
    )
    assert answer_in_words(Question((356,), 1950, 1960).answer()) == ["436.0 million in 1960"]
    both = answer_in_words(Question((356, 156), 1950, 1960).answer())
    assert both == ["India: 436.0 million in 1960", "China: 654.8 million in 1960"]
    assert "(99%: 45 to 117,570)" in answer_in_words(Question((772,), 2024, 2100, levels=(99,)).answer())[0]
    assert answer_in_words(Question((356, 156, 840, 566), 2030, 2035).answer()) == []


def test_the_record_is_that_of_the_model_asked_for() -> None:
    told = [describe_record(Question((356,), 2030, 2035, model=model).answer())[0] for model in ("panel-ar", "naive")]
    assert told[0].rows != told[1].rows
    assert has_real_time_record(Question((356,), 2030, 2035).answer())
    assert not has_real_time_record(Question((356,), 2030, 2035, model="naive").answer())


def test_a_group_of_ones_own_has_no_record_and_that_is_said() -> None:
    fc = Question((), 2030, 2035, groups=(("Benelux", (56, 442, 528)),)).answer()
    assert describe_record(fc) == []
    assert compare_with_un(fc) is None
    assert name_unrecorded(fc) == ["Benelux"]


def test_records_keep_the_order_in_which_locations_were_asked_for() -> None:
    fc = Question((900, 356, 4, 566), 2030, 2035).answer()
    assert [record.name for record in describe_record(fc)] == list(fc.locations["name"])
    beside = compare_with_un(fc)
    assert beside is not None
    assert [name for name, _ in beside.rows] == [
        name for name in fc.locations["name"] if name in {"World", "India", "Afghanistan", "Nigeria"}
    ]


def test_milestones_look_ahead_to_2100_whatever_years_were_asked_for() -> None:
    far = pf.forecast(pf.load_panel("wpp2024"), [392], end=2100, levels=(80,))
    sentences = [milestone.sentence for milestone in find_milestones(far)]
    for start, end, levels in ((2030, 2031, (80, 95)), (1990, 2000, (50,)), (2050, 2100, (99.5,))):
        (japan,) = describe_milestones(look_far(Question((392,), start, end, levels=levels)))
        assert japan.sentences == sentences


def test_a_table_too_long_to_read_leaves_years_out_but_neither_the_first_nor_the_last() -> None:
    panel = pf.load_panel("wpp2024")
    fc = Question(tuple(panel.locations.index[:200]), 2011, 2093).answer()
    table = tabulate(fc)
    assert table.stride == choose_stride(83, 200) == 10
    assert [row.year for row in table.estimates] == [2011, 2020]
    assert [row.year for row in table.forecasts] == [2030, 2040, 2050, 2060, 2070, 2080, 2090, 2093]
    assert len(table.headings) == len(table.forecasts[0].cells) == 200
