"""Before its scripts are there the page shows the chart, the table and every message."""

from __future__ import annotations

from html import unescape

import pytest
from bs4 import BeautifulSoup

from popforecast import explorer
from popforecast.explorer.views import write_preview
from popforecast.explorer.widgets import Explorer


def preview(page: Explorer) -> BeautifulSoup:
    messages = page.warning.value + page.error.value
    return BeautifulSoup(write_preview(messages, page.forecasts, page.query), "html.parser")


def test_its_table_heading_and_source_are_the_explorers_own(page: Explorer) -> None:
    shown = preview(page).decode()
    for part in (page.heading, page.table, page.source):
        assert BeautifulSoup(part.value, "html.parser").decode() in shown


@pytest.mark.parametrize("which", ["page", "several"])
def test_its_chart_holds_a_line_for_each_forecast(which: str, request: pytest.FixtureRequest) -> None:
    page = request.getfixturevalue(which)
    wide, narrow = preview(page).select("svg.chart")
    names = {unescape(str(line["data-label"])) for line in wide.select(".series") if line.select(".median")}
    assert len(names) == len(page.query.locations) * len(page.query.models)
    assert len(narrow.select(".median")) == len(names)
    assert {label.get_text(" ") for label in wide.select(".series:has(.median) .label")} == names
    assert len(wide.select(".series .label")) == len(names)


def test_several_models_go_on_from_one_grey_history_in_colours_of_their_own(several: Explorer) -> None:
    wide = preview(several).select_one("svg.chart.wide")
    assert wide is not None
    pasts = {str(path["stroke"]) for path in wide.select(".series:not(:has(.median)) .history")}
    colours = [str(path["stroke"]) for path in wide.select(".median")]
    assert pasts == {"#7a848d"}
    assert len(set(colours)) == 6
    assert not pasts & set(colours)


def test_two_locations_with_three_models_each_are_drawn_with_their_intervals(several: Explorer) -> None:
    wide = preview(several).select_one("svg.chart.wide")
    assert wide is not None
    assert len(wide.select(".fan")) == 6 * 2


def test_a_period_of_the_past_is_the_same_to_all_models(several: Explorer) -> None:
    several.start.value, several.end.value = "1990", "2000"
    wide = preview(several).select_one("svg.chart.wide")
    assert wide is not None
    assert [label.get_text() for label in wide.select(".label")] == ["Nigeria", "Japan"]
    assert len({str(path["stroke"]) for path in wide.select(".history")}) == 2


def test_what_is_hidden_is_left_out(page: Explorer) -> None:
    page.end.value = "2029"
    shown = preview(page)
    assert 'must not be later than "To"' in shown.select(".alert")[0].get_text()
    assert shown.select("svg, table, .pf-tabs, h2") == []


@pytest.mark.parametrize(("environment", "parts"), [({}, 0), ({"VOILA_PREHEAT": "False"}, 1)])
def test_only_the_page_gets_it_and_the_widget_brings_its_style_everywhere(
    environment: dict[str, str], parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VOILA_PREHEAT", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    page = explorer.build(["NGA"])
    assert isinstance(page, Explorer)
    bundle = page._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle.get("text/html", "").count('class="pf-preview"') == parts
    assert sum("@scope (.pf-explorer)" in getattr(child, "value", "") for child in page.children) == 1
