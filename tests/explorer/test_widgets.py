"""The explorer's widgets, without a browser: what is asked changes, and what is on show is the verb's own answer."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

import popforecast as pf
from popforecast import explorer
from popforecast.charts.plotly import LAYOUT
from popforecast.explorer import views
from popforecast.explorer.state import MOST_LINES, list_options
from popforecast.explorer.widgets import Explorer
from popforecast.reports.notebooks import find_folder
from tests.explorer.reading import draw, read_table


def expected_table(page: Explorer) -> list[list[str]]:
    asked = page.query
    (model,) = asked.models
    panel = pf.load_panel(asked.revision)
    table = pf.forecast(panel, asked.locations, asked.start, asked.end, model, asked.levels).to_table()
    years = [year.removesuffix(" (estimates)") for year in table.index]
    return [["Year", *table], *([year, *row] for year, row in zip(years, table.to_numpy(), strict=True))]


def test_the_known_table_is_on_show(page: Explorer) -> None:
    assert read_table(page)[:2] == [
        ["Year", "WORLD", "More developed regions"],
        ["2030", "8,745,733,000", "1,304,051,000"],
    ]
    assert read_table(page)[-1] == ["2035", "9,243,217,000", "1,317,530,000"]


@pytest.mark.parametrize(
    ("control", "value"),
    [("start", "2010"), ("end", "2041"), ("model", "drift"), ("revision", "wpp2024"), ("levels", (90.0,))],
)
def test_chart_and_table_follow_every_control(page: Explorer, control: str, value: object) -> None:
    before = page.table.value, draw(page)
    (page.models[0].kind if control == "model" else getattr(page, control)).value = value
    assert read_table(page) == expected_table(page)
    assert page.table.value != before[0]
    # The period's start belongs to the table alone: the chart always shows all of history.
    assert (draw(page) != before[1]) == (control != "start")


@pytest.mark.parametrize("text", ["Nigeria (NGA)", "nga", "566", " nigeria "])
def test_a_location_is_found_by_name_iso3_and_code(page: Explorer, text: str) -> None:
    page.search.value = text
    assert page.query.locations == (900, 901, 566)
    assert read_table(page) == expected_table(page)
    assert page.search.value == page.complaint.value == ""


def test_a_location_is_found_by_alias_and_can_be_removed(page: Explorer) -> None:
    page.search.value = "Ivory Coast"
    assert page.chips[2].description == "Côte d'Ivoire ✕"
    page.chips[0].click()
    assert page.query.locations == (901, 384)
    assert [chip.layout.display for chip in page.chips[:3]] == [None, None, "none"]
    assert read_table(page) == expected_table(page)


def test_the_search_field_offers_every_location_once() -> None:
    for revision in pf.REVISIONS:
        codes = set(pf.load_panel(revision).locations.index)
        assert set(list_options(revision).values()) == codes


def test_what_is_not_found_is_said_and_changes_nothing(page: Explorer) -> None:
    before = page.table.value
    page.search.value = "Nigria"
    assert 'role="alert"' in page.complaint.value
    assert "Nigeria" in page.complaint.value
    assert page.table.value == before
    page.search.value = "world"
    assert "WORLD is already selected" in page.complaint.value


def test_more_locations_than_colours_are_refused(page: Explorer) -> None:
    for option in list(list_options("wpp2019"))[: MOST_LINES - 2]:
        page.search.value = option
    assert len(page.query.locations) == MOST_LINES
    page.search.value = "Japan"
    assert f"at most {MOST_LINES}" in page.complaint.value
    assert len(page.query.locations) == MOST_LINES


@pytest.mark.parametrize(
    ("control", "value", "sentence"),
    [
        ("end", "2029", "(2030) must not be later than"),
        ("end", "2101", "The last year 2101 is out of range: expected one from 1950 to 2100"),
        ("start", "0", "The first year 0 is out of range"),
        ("start", "2030.7", "From &#x27;2030.7&#x27; is not a whole year"),
        ("end", "", "To &#x27;&#x27; is not a whole year"),
        ("end", "２０３５", "is not a whole year"),
    ],
)
def test_a_bad_period_is_a_sentence_and_mending_it_brings_the_answer_back(
    page: Explorer, control: str, value: str, sentence: str
) -> None:
    good = getattr(page, control).value
    getattr(page, control).value = value
    assert sentence in page.error.value
    assert 'role="alert"' in page.error.value
    assert (page.forecasts, page.result.layout.display) == ((), "none")
    getattr(page, control).value = good
    assert (page.error.value, page.result.layout.display) == ("", None)
    assert read_table(page) == expected_table(page)


def test_no_selection_is_a_sentence(page: Explorer) -> None:
    page.chips[0].click()
    page.chips[0].click()
    assert "No location is selected" in page.error.value


def test_a_location_that_the_revision_lacks_is_named() -> None:
    only_new = sorted(set(pf.load_panel("wpp2024").locations.index) - set(pf.load_panel("wpp2019").locations.index))
    page = explorer.build(only_new[:1], 2030, 2035)
    name = pf.load_panel("wpp2024").locations["name"][only_new[0]]
    page.revision.value = "wpp2019"
    assert f"World Population Prospects 2019 has no {name}" in unescape(page.error.value)
    page.revision.value = "wpp2024"
    assert read_table(page) == expected_table(page)


@pytest.mark.parametrize("wrong", [{"locations": ["Nigria"]}, {"model": "magic"}, {"revision": "wpp1066"}])
def test_bad_parameters_are_a_sentence_in_place_of_the_explorer(wrong: dict) -> None:
    shown = explorer.build(**wrong)
    assert not isinstance(shown, Explorer)
    assert 'role="alert"' in shown.children[-1].value


def test_history_is_marked_and_has_no_interval() -> None:
    page = explorer.build(["NGA"], 2019, 2021, revision="wpp2019")
    rows = re.findall(r"<tr class=past>.*?</tr>", page.table.value)
    assert len(rows) == 2
    assert all("estimate" in row and "–" not in row for row in rows)
    assert page.table.value.count("80%: ") == 1


def test_notes_and_attribution_are_on_show() -> None:
    page = explorer.build(["NGA"], 2030, 2031, "ar1")
    assert "explosive" in page.notes.value
    assert "CC BY 3.0 IGO" in page.source.value
    assert all(fact in page.source.value for fact in ("ar1", "wpp2024", "72c18e5fad90", pf.__version__))


def test_a_legend_click_takes_history_median_and_fan_together(page: Explorer) -> None:
    traces = [trace for trace in draw(page)["data"] if "legendgroup" in trace]
    groups = {trace["legendgroup"] for trace in traces}
    assert len(groups) == 2
    for group in groups:
        members = [trace for trace in traces if trace["legendgroup"] == group]
        assert len(members) == 4
        assert sum(trace.get("showlegend", True) for trace in members) == 1


def test_names_from_data_cannot_become_markup(page: Explorer) -> None:
    assert "<script>" not in views.write_error(ValueError("<script>"))
    page.search.value = "<img src=x>"
    assert "<img" not in page.complaint.value


def test_the_notebook_is_found() -> None:
    assert (find_folder() / "explore.ipynb").exists()
    assert (find_folder() / "voila.json").exists()
    assert Path(explorer.__file__).with_name("explorer.css").exists()


def test_models_stand_side_by_side_with_the_numbers_of_each(several: Explorer) -> None:
    heads, *rows = read_table(several)
    assert heads[1:4] == ["Nigeria, panel-ar", "Nigeria, ar1", "Nigeria, AR(2, ct)"]
    panel = pf.load_panel("wpp2024")
    for i, model in enumerate(["panel-ar", "ar1", pf.AR(2, "ct")]):
        expected = pf.forecast(panel, ["NGA", "JPN"], 2030, 2040, model).to_table()
        assert [row[1 + i] for row in rows] == expected["Nigeria"].tolist()
        assert [row[4 + i] for row in rows] == expected["Japan"].tolist()


def test_the_chart_holds_one_history_for_each_location_and_a_line_for_each_forecast(several: Explorer) -> None:
    traces = [trace for trace in draw(several)["data"] if "legendgroup" in trace]
    shown = [trace["name"] for trace in traces if trace.get("showlegend", True)]
    labels = [f"{name}, {model}" for name in ("Nigeria", "Japan") for model in ("panel-ar", "ar1", "AR(2, ct)")]
    assert shown == ["Nigeria", "Japan", *labels]
    pasts = [trace for trace in traces if trace["name"] == "Nigeria" and len(trace["x"]) > 1]
    assert [len(trace["x"]) for trace in pasts] == [74]
    ahead = [trace for trace in traces if trace["name"] in labels and isinstance(trace.get("hoverinfo"), list)]
    assert len({trace["line"]["color"] for trace in ahead}) == len(labels)
    medians = {trace["name"]: trace["y"][-1] for trace in ahead}
    for forecast in several.forecasts:
        for name, persons in zip(("Nigeria", "Japan"), forecast.population[:, -1], strict=True):
            assert medians[f"{name}, {forecast.model.name}"] == pytest.approx(persons / 1e6)


def test_the_description_says_where_every_line_ends(several: Explorer) -> None:
    assert 'class="spoken"' in several.heading.value
    assert all(f"{name}, ar1 " in several.heading.value for name in ("Nigeria", "Japan"))


@pytest.mark.parametrize(("scale", "kind"), [("log", "log"), ("indexed", "linear")])
def test_the_chart_follows_the_scale(page: Explorer, scale: str, kind: str) -> None:
    page.scale.value = scale
    assert draw(page)["layout"]["yaxis"]["type"] == kind
    assert scale in page.source.value


def test_parameters_of_an_autoregression_are_there_when_it_is_chosen(page: Explorer) -> None:
    picker = page.models[1]
    assert picker.parameters.layout.display == "none"
    picker.kind.value = "AR"
    picker.lags.value, picker.trend.value, picker.transform.value = "bic", "c", "growth"
    assert picker.parameters.layout.display is None
    assert page.query.models == (pf.AR(1), pf.AR("bic", "c", "growth"))
    picker.lags.value, picker.transform.value, picker.trend.value = 0, "level", "n"
    assert "No lags and no trend" in page.error.value
    picker.kind.value = "none"
    assert page.error.value == ""
    assert page.query.models == (pf.AR(1),)


def test_a_model_twice_or_too_many_lines_are_a_sentence(page: Explorer) -> None:
    page.models[1].kind.value = "ar1"
    assert "Ar1 is chosen twice" in page.error.value
    page.models[1].kind.value = "panel-ar"
    for name in ("NGA", "JPN"):
        page.search.value = name
    page.search.value = "IND"
    assert "5 locations and 2 models make 10 lines: expected at most 8 lines" in page.complaint.value


def test_a_fault_of_ours_is_said_on_the_page_and_raised_for_the_log(
    page: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(views, "write_table", fail)
    with pytest.raises(ZeroDivisionError):
        page.end.value = "2036"
    assert "ZeroDivisionError: no such luck" in page.error.value


def test_the_words_of_every_legend_are_in_the_pages_own_colour() -> None:
    """Plotly writes them in a dark blue, which nobody can read on a dark page."""
    rule = next(line for line in views.STYLE.read_text(encoding="utf-8").splitlines() if ".xtick" in line)
    assert all(f".{name}" in rule for name in LAYOUT if name.startswith("legend"))
