"""The explorer's widgets, without a browser: what is asked changes, and what is on show is the verb's own answer."""

from __future__ import annotations

import ast
import re
from html import unescape
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

import popforecast as pf
from popforecast import explorer
from popforecast.explorer import evidence, views
from popforecast.explorer.addresses import link_to_app, read_address, write_address, write_code
from popforecast.explorer.charts import PLOTLY
from popforecast.explorer.equations import write_equation
from popforecast.explorer.queries import MOST_LINES, Query, get_outlook, list_options
from popforecast.explorer.records import find_record
from popforecast.explorer.residuals import find_residuals, list_tests
from popforecast.explorer.server import find_notebook
from popforecast.explorer.widgets import Explorer


@pytest.fixture
def page() -> Explorer:
    return explorer.build(["World", "More developed regions"], 2030, 2035, model="ar1", revision="wpp2019")


def read_table(page: Explorer) -> list[list[str]]:
    """The rows of the table on show: year and figures, without the bounds below them."""
    html = re.sub(r"<small>.*?</small>", "", page.table.value)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html)
    return [[unescape(text) for text in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def draw(page: Explorer) -> dict:
    (output,) = page.chart.outputs
    return output["data"][PLOTLY]


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
    assert "WORLD is chosen already" in page.complaint.value


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
        ("end", "2029", "The first year 2030 comes after the last, 2029"),
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
    assert "No location is chosen" in page.error.value


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
    assert page.table.value.count("80 %: ") == 1


def test_notes_and_attribution_are_on_show() -> None:
    page = explorer.build(["NGA"], 2030, 2031, "ar1")
    assert "explosive" in page.notes.value
    assert "CC BY 3.0 IGO" in page.source.value
    assert all(fact in page.source.value for fact in ("ar1", "wpp2024", "72c18e5fad90", pf.__version__))


def test_a_legend_click_takes_history_median_and_fan_together(page: Explorer) -> None:
    traces = draw(page)["data"]
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
    assert find_notebook().name == "explore.ipynb"
    assert find_notebook().with_name("voila.json").exists()
    assert Path(explorer.__file__).with_name("explorer.css").exists()


def run_code(code: str) -> Any:
    """What the last line of the code gives, as a notebook cell would show it."""
    *first, last = ast.parse(code).body
    names: dict[str, Any] = {}
    exec(compile(ast.Module(first, []), "code", "exec"), names)
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), "code", "eval"), names)


@pytest.fixture
def several() -> Explorer:
    return explorer.build(["NGA", "JPN"], 2030, 2040, ["panel-ar", "ar1", "AR(2, ct)"])


def test_models_stand_side_by_side_with_the_numbers_of_each(several: Explorer) -> None:
    heads, *rows = read_table(several)
    assert heads[1:4] == ["Nigeria, panel-ar", "Nigeria, ar1", "Nigeria, AR(2, ct)"]
    panel = pf.load_panel("wpp2024")
    for i, model in enumerate(["panel-ar", "ar1", pf.AR(2, "ct")]):
        expected = pf.forecast(panel, ["NGA", "JPN"], 2030, 2040, model).to_table()
        assert [row[1 + i] for row in rows] == expected["Nigeria"].tolist()
        assert [row[4 + i] for row in rows] == expected["Japan"].tolist()


def test_the_chart_holds_one_history_for_each_location_and_a_line_for_each_forecast(several: Explorer) -> None:
    traces = draw(several)["data"]
    shown = [trace["name"] for trace in traces if trace.get("showlegend", True)]
    labels = [f"{name}, {model}" for name in ("Nigeria", "Japan") for model in ("panel-ar", "ar1", "AR(2, ct)")]
    assert shown == ["Nigeria", "Japan", *labels]
    pasts = [trace for trace in traces if trace["name"] == "Nigeria" and len(trace["x"]) > 1]
    assert [len(trace["x"]) for trace in pasts] == [74]
    colours = {trace["line"].get("color") for trace in traces if trace["name"] in labels and "dash" in trace["line"]}
    assert len(colours) == len(labels)
    medians = {trace["name"]: trace["y"][-1] for trace in traces if trace["name"] in labels and "dash" in trace["line"]}
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


QUERIES = [
    Query((566, 900), 2030, 2035, (pf.models.get("panel-ar"),), "wpp2024", (80.0, 95.0)),
    Query((392,), 1990, 2100, (pf.AR(3, "ct", "log"), pf.AR(1), pf.AR("aic", "c")), "wpp2019", (62.5,), "log"),
    Query((4, 8, 12, 16), 2024, 2024, (pf.models.get("ar"), pf.models.get("naive")), "wpp2024", (50.0,), "indexed"),
]


@pytest.mark.parametrize("query", QUERIES)
def test_an_address_leads_back_to_its_query(query: Query) -> None:
    assert read_address(write_address(query), QUERIES[0]) == query


def test_no_two_views_share_an_address() -> None:
    addresses = [write_address(query) for query in QUERIES]
    assert not any(a == b for a, b in combinations(addresses, 2))


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("location=Nigria", "nearest: Nigeria"),
        ("location=NGA&location=566", "asked for twice"),
        ("location=" + "&location=".join(map(str, range(9))), "names 9 locations: expected at most 8"),
        ("model=magic", "expected one of ar1"),
        ("model=AR(9,c)", "expected one of ar1"),
        ("model=AR(0,n)", "No lags and no trend"),
        ("model=ar1&model=naive&model=drift&model=ar", "names 4 models: expected at most 3"),
        ("model=ar1&model=ar1", "chosen twice"),
        ("from=2030.7", "is not a whole year"),
        ("from=2030&from=2031", "has from 2 times"),
        ("from=2040&to=2030", "comes after the last"),
        ("to=2101", "out of range"),
        ("level=100", "expected a coverage in percent between 0 and 100"),
        ("level=NaN", "at most one decimal"),
        ("revision=wpp1066", "expected one of wpp2019, wpp2024"),
        ("scale=cubic", "expected one of absolute, log, indexed"),
        ("colour=red", "expected some of location"),
        ("x" * 5000, "expected at most 4,000"),
        ("location=%ff%00<script>", "No location"),
    ],
)
def test_an_address_that_asks_in_vain_is_a_sentence_over_what_was_on_show(
    page: Explorer, address: str, sentence: str
) -> None:
    before = page.query, page.table.value
    page.follow(address)
    assert sentence in unescape(page.warning.value)
    assert "<script>" not in page.warning.value
    assert (page.query, page.table.value) == before
    page.end.value = "2034"
    assert page.warning.value == ""


def test_an_address_sets_every_control(page: Explorer) -> None:
    page.follow("location=NGA&from=2040&to=2041&model=ar1&model=AR(2,ct,log)&revision=wpp2024&level=62.5&scale=indexed")
    assert page.query == read_address(write_address(page.query), QUERIES[0])
    assert (page.start.value, page.end.value, page.revision.value) == ("2040", "2041", "wpp2024")
    assert (page.levels.value, page.scale.value) == ((62.5,), "indexed")
    assert [picker.choose() for picker in page.models] == [pf.AR(1), pf.AR(2, "ct", "log"), None]
    assert page.chips[0].description == "Nigeria ✕"
    assert len(read_table(page)) == 3


@pytest.mark.parametrize("query", QUERIES)
def test_the_code_gives_the_numbers_on_show(query: Query) -> None:
    made = run_code(write_code(query))
    forecasts = made if isinstance(made, list) else [made]
    assert write_code(query).count("\n") == 2
    for ours, theirs in zip(query.answer(), forecasts, strict=True):
        np.testing.assert_array_equal(ours.population, theirs.population)
        assert ours.levels == tuple(map(float, theirs.levels))
        for level in theirs.levels:
            np.testing.assert_array_equal(ours.upper[float(level)], theirs.upper[level])


def test_the_web_app_is_linked_where_there_is_one(page: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POPFORECAST_APP_URL", raising=False)
    assert link_to_app(page.query, page.query.models[0]) is None
    monkeypatch.setenv("POPFORECAST_APP_URL", "https://example.org/app/")
    page.models[1].kind.value = "AR"
    (link,) = re.findall(r'href="(https://example.org[^"]*)"', page.source.value)
    address = urlsplit(unescape(link))
    assert address.path == "/app/forecast"
    assert parse_qs(address.query) == {
        **{"location": ["900", "901"], "from": ["2030"], "to": ["2035"], "model": ["ar1"]},
        **{"revision": ["wpp2019"], "level": ["80", "95"]},
    }
    monkeypatch.setenv("POPFORECAST_APP_URL", "javascript:alert(1)")
    page.end.value = "2034"
    assert "POPFORECAST_APP_URL is" in page.error.value


def read_numbers(html: str) -> list[float]:
    return [
        float(text.replace(",", "").replace("−", "-").replace("- ", "-"))
        for text in re.findall(r"(?:− ?)?[\d,]*\d(?:\.\d+)?", re.sub(r"<sub>.*?</sub>", "", html))
    ]


def test_the_equation_gives_the_forecast() -> None:
    outlook = get_outlook("wpp2019", pf.AR(2, "ct"))
    equation = write_equation(outlook, 900).split("</p>")[0]
    constant, trend, first, second = read_numbers(equation)
    last, before = outlook.panel.select([900]).values[0, [-1, -2]]
    expected = outlook.forecast(900, 2021, 2021).population[0, 0]
    assert constant + trend * (len(outlook.panel.years) + 1) + first * last + second * before == pytest.approx(
        expected, rel=1e-6
    )


def test_an_aggregate_says_whose_sum_it_is() -> None:
    outlook = get_outlook("wpp2024", pf.models.get("panel-ar"))
    assert "The sum of the forecasts of its 5 countries." in write_equation(outlook, 905)


@pytest.mark.parametrize("name", list(pf.models.MODELS))
def test_every_model_has_an_equation_and_residuals(name: str) -> None:
    outlook = get_outlook("wpp2024", pf.models.get(name))
    assert "pf-equation" in write_equation(outlook, 566)
    residuals = find_residuals(outlook, 566)
    assert residuals is not None
    assert len(residuals.years) == len(residuals.values) == len(residuals.percent) > 5
    assert np.isfinite(residuals.percent).all()


@pytest.mark.parametrize("model", [pf.AR(1), pf.AR(2, "ct"), pf.AR("bic", "c", "growth")])
@pytest.mark.parametrize("code", [566, 392, 900])
def test_the_tests_of_residuals_are_those_of_statsmodels(model: pf.AR, code: int) -> None:
    from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
    from statsmodels.stats.stattools import jarque_bera

    residuals = find_residuals(get_outlook("wpp2024", model), code)
    assert residuals is not None
    values = residuals.values
    theirs = [
        acorr_ljungbox(values, [10], model_df=residuals.lags)["lb_pvalue"].iloc[0],
        jarque_bera(values)[1],
        het_arch(values / values.std(), 4, result_object=False)[1],
    ]
    assert [p for _, _, p in list_tests(residuals)] == pytest.approx(theirs, rel=1e-6, abs=1e-12)


def test_residuals_are_what_statsmodels_leaves() -> None:
    from statsmodels.tsa.api import AutoReg

    outlook = get_outlook("wpp2024", pf.AR(2, "ct"))
    residuals = find_residuals(outlook, 392)
    assert residuals is not None
    theirs = AutoReg(outlook.panel.select([392]).values[0], 2, "ct").fit()
    np.testing.assert_allclose(residuals.values, theirs.resid, atol=1e-5 * np.abs(theirs.resid).max())
    assert (residuals.years[0], residuals.years[-1]) == (1952, 2023)


def test_a_sum_has_no_residuals_and_says_so() -> None:
    page = explorer.build(["World"])
    page.tabs.selected_index = 2
    assert "no residuals of their own" in page.residuals.value
    page.models[0].kind.value = "ar1"
    assert "Ljung-Box" in page.residuals.value


def test_the_record_is_the_embedded_one_and_a_backtest_for_models_of_ones_own() -> None:
    embedded = find_record("wpp2024", pf.AR(1))
    assert len(embedded) == len(pf.load_record("wpp2024").query("model == 'ar1'"))
    own = find_record("wpp2024", pf.AR(2, "ct")).query("location_code == 392 and horizon == 10").iloc[0]
    panel = pf.load_panel("wpp2024")
    scores = pf.backtest(panel, [pf.AR(2, "ct")], origins=range(1988, 2023), horizons=[10]).scores(392).iloc[0]
    assert (own["n"], own["median_ape"]) == (scores["n"], pytest.approx(scores["median_ape"], abs=0.005))
    assert own["coverage_95"] == pytest.approx(scores["coverage_95"], abs=0.005)


def test_the_backtest_says_that_final_data_flatter(several: Explorer) -> None:
    several.tabs.selected_index = 3
    assert "flatters every model" in several.record.value
    assert several.record.value.count('<th scope="row">') == 6


def test_a_tab_is_written_when_it_is_turned_to_and_follows_then(page: Explorer) -> None:
    assert page.equations.value == ""
    page.tabs.selected_index = 1
    before = page.equations.value
    assert "e<sub>t</sub>" in before
    page.models[0].kind.value = "naive"
    assert page.equations.value != before
    assert evidence.write_recipe(page.query) != page.recipe.value
