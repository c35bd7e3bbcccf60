"""Charts: the same bytes each time, a text alternative, and the scale that was asked for."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import popforecast as pf
from popforecast import diagrams, plots
from popforecast.figures import spread

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def forecast(wpp2019: pf.Panel) -> pf.Forecast:
    return pf.forecast(wpp2019, ["World", "NGA", "DEU"], 2025, 2050, model="ar1")


@pytest.fixture(scope="module")
def scores(wpp2019: pf.Panel) -> pd.DataFrame:
    return pf.backtest(wpp2019.countries(), ["ar1", "naive"], [1990, 2000], [1, 10]).scores()


@pytest.fixture(params=["forecast", "panel", "scores", "coverage", "bars"])
def chart(request, wpp2019, forecast, scores) -> plots.Drawing:
    return {
        "forecast": forecast.plot(),
        "panel": plots.chart_panel(wpp2019.select(["Africa", "Europe"])),
        "scores": diagrams.chart_scores(scores),
        "coverage": diagrams.chart_coverage(scores),
        "bars": diagrams.chart_bars(pd.Series({"a & b": 1.0, "c": -2.0}), 'A "title"', "percent"),
    }[request.param]


def test_the_same_chart_gives_the_same_svg(chart):
    assert chart.svg() == chart.svg()


def test_the_same_chart_gives_the_same_png(chart):
    assert chart.png() == chart.png()
    assert chart.png().startswith(b"\x89PNG")


def test_svg_is_an_image_with_a_text_alternative_and_no_trace_of_its_making(chart):
    svg = chart.svg()
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert (root.get("role"), root.get("aria-label")) == ("img", chart.description)
    assert not re.search(r"<metadata|<\?xml|<!DOCTYPE|matplotlib|#010203", svg)
    assert "currentColor" in svg


def test_svg_has_only_ids_that_are_its_own_and_used(chart):
    svg = chart.svg()
    ids = re.findall(r' id="([^"]+)"', svg)
    used = re.findall(r'(?:href="#|url\(#)([^")]+)', svg)
    assert set(ids) == set(used)
    assert len({own.split("-")[0] for own in ids}) <= 1


def test_charts_show_themselves_in_a_cell(chart):
    data, metadata = chart._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg")
    assert data["text/plain"] == chart.description
    assert metadata["image/svg+xml"] == {"needs_background": "light", "title": chart.title}


def test_drawing_leaves_matplotlibs_settings_as_they_were(chart):
    before = dict(matplotlib.rcParams)
    chart.svg()
    chart.png()
    assert dict(matplotlib.rcParams) == before


def test_threads_that_draw_at_once_do_not_disturb_each_other(forecast):
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: forecast.plot().svg(), range(8)))
    assert len(set(drawn)) == 1


def test_a_forecast_shows_its_names_its_unit_and_its_origin(forecast):
    svg = forecast.plot().svg()
    for text in ("WORLD", "Nigeria", "Germany", "billion", "estimates to 2020"):
        assert f">{text}" in svg, text


def test_the_description_names_model_period_and_ends(forecast):
    description = forecast.plot().description
    assert description.startswith("Population of WORLD, Nigeria and Germany, billion: history to 2020")
    assert "the ar1 forecast for 2025 to 2050. In 2050: WORLD 10.83; " in description


@pytest.mark.parametrize("scale", plots.SCALES)
def test_every_scale_draws(forecast, scale):
    chart = forecast.plot(scale)
    assert chart.unit == ("2020 = 100" if scale == "indexed" else "billion")
    axes = chart.draw().axes[0]
    assert axes.get_yscale() == ("log" if scale == "log" else "linear")
    assert (axes.get_ylim()[0] == 0) == (scale == "absolute")


def test_an_indexed_chart_is_100_at_the_origin(forecast):
    for line in forecast.plot("indexed").lines:
        assert line.values[-1] == pytest.approx(100)
        assert line.median[0] == pytest.approx(100)


def test_an_unknown_scale_says_which_there_are(forecast):
    with pytest.raises(pf.PopforecastError, match="scale 'cubic': expected one of absolute, log, indexed"):
        forecast.plot("cubic")


def test_a_forecast_wholly_in_history_is_drawn_as_history(wpp2019):
    chart = pf.forecast(wpp2019, ["World"], 1990, 2000).plot()
    assert chart.description == "Population of WORLD, billion: estimates, with 1990 to 2000 asked for."
    assert "estimates to" not in chart.svg()
    assert len(chart.draw().axes[0].lines) == 1


def test_since_leaves_out_earlier_history(forecast):
    assert plots.chart_forecast(forecast, since=2000).lines[0].years[0] == 2000


def test_many_locations_are_drawn_and_the_largest_are_named(wpp2019):
    countries = wpp2019.countries().locations.index
    chart = pf.forecast(wpp2019, [*countries[::6].difference([156, 336]), "China", "Holy See"], 2021, 2022).plot()
    assert chart.title == f"Population of {len(chart.lines)} locations"
    svg = chart.svg()
    assert ">China<" in svg
    assert ">Holy See<" not in svg


def test_scores_without_the_measure_say_which_there_are(scores):
    with pytest.raises(pf.PopforecastError, match="measure 'rmse': expected one of mape, median_ape"):
        diagrams.chart_scores(scores, "rmse")


def test_no_bars_is_an_error():
    with pytest.raises(pf.PopforecastError, match="no value to draw"):
        diagrams.chart_bars(pd.Series(dtype=float), "Nothing", "percent")


def test_coverage_is_drawn_beside_its_promise(scores):
    svg = diagrams.chart_coverage(scores).svg()
    for text in ("promised: 80 %", "promised: 95 %", "ar1, 80 %", "naive, 95 %"):
        assert text in svg


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.01, 0.2))
def test_labels_keep_their_order_and_their_distance(heights, gap):
    placed = spread(np.array(heights), gap)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(placed[order]) >= gap - 1e-9).all()


def test_labels_that_are_apart_stay_where_they_are():
    assert spread(np.array([0.1, 0.9, 0.5]), 0.1).tolist() == [0.1, 0.9, 0.5]
