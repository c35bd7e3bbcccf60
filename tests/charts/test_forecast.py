"""Charts: the same bytes each time, a text alternative, and the scale that was asked for."""

from __future__ import annotations

import html
import io
import re
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import popforecast as pf
from popforecast import charts
from popforecast.charts.lettering import spread
from popforecast.charts.plotly import describe_figure
from popforecast.charts.svg import draw_layout
from popforecast.charts.svg.framing import WIDE

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def forecast(wpp2019: pf.Panel) -> pf.Forecast:
    return pf.forecast(wpp2019, ["World", "NGA", "DEU"], 2025, 2050, model="ar1")


@pytest.fixture(scope="module")
def scores(wpp2019: pf.Panel) -> pd.DataFrame:
    return pf.backtest(wpp2019.countries(), ["ar1", "naive"], [1990, 2000], [1, 10]).scores()


@pytest.fixture(params=["forecast", "panel", "scores", "coverage", "bars"])
def chart(request, wpp2019, forecast, scores) -> charts.forecast.Drawing:
    return {
        "forecast": forecast.plot(),
        "panel": charts.forecast.chart_panel(wpp2019.select(["Africa", "Europe"])),
        "scores": charts.chart_scores(scores),
        "coverage": charts.chart_coverage(scores),
        "bars": charts.chart_bars(pd.Series({"a & b": 1.0, "c": -2.0}), 'A "title"', "percent"),
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
    assert description.startswith("Population of WORLD, Nigeria and Germany, billion: estimates to 2020")
    assert "the ar1 forecast for 2025 to 2050. In 2050: WORLD 10.83; " in description


@pytest.mark.parametrize("scale", charts.lines.SCALES)
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
    assert chart.description == "Population of WORLD, billion: estimates, including 1990 to 2000."
    assert "estimates to" not in chart.svg()
    assert len(chart.draw().axes[0].lines) == 1


@pytest.fixture(scope="module")
def unequal(wpp2019):
    """Germany ends in 2015; no other does."""
    rows = wpp2019.select(["World", "NGA", "DEU"]).to_frame()
    kept = rows[(rows["location_code"] != 276) | (rows["year"] <= 2015)]
    return pf.forecast(pf.Panel.from_frame(kept, name="location"), end=2050, model="ar1")


def test_each_line_is_history_to_its_own_origin_and_a_fan_from_there(unequal):
    chart = unequal.plot()
    assert [(line.years[-1], line.ahead[0], line.ahead[-1]) for line in chart.lines] == [
        (2020, 2020, 2050),
        (2020, 2020, 2050),
        (2015, 2015, 2050),
    ]
    assert [line.label for line in chart.lines] == unequal.locations["name"].tolist()
    for line, part in zip(chart.lines[1:], unequal.parts, strict=True):
        row = part.locations.index.get_loc(566 if part.origin == 2020 else 276)
        assert line.bounds[80][1][1:] * chart.divisor == pytest.approx(part.path.upper[80][row])
        assert line.values[-1] == line.median[0] == line.bounds[80][0][0]
    assert "estimates to 2015–2020 and the ar1 forecast" in chart.description
    assert unequal.plot("indexed").unit == "last estimate = 100"
    assert all(part.provenance["checksum"][:12] in charts.caption_forecast(unequal) for part in unequal.parts)


def test_a_dot_stands_where_the_estimates_of_each_line_end_where_no_rule_can(unequal, forecast):
    told, dots = "dots: end of estimates, 2015–2020", [2020, 2020, 2015]
    chart = unequal.plot()
    assert told in chart.svg()
    assert [line.get_xdata()[0] for line in chart.draw().axes[0].lines if line.get_marker() == "o"] == dots
    figure = describe_figure(chart)
    assert figure["layout"]["annotations"][0]["text"] == told
    assert [trace["x"] for trace in figure["data"] if trace["mode"] == "markers"] == [[year] for year in dots]
    svg = draw_layout(chart, WIDE)
    assert (svg.count("<circle"), svg.count("data-values"), told in svg) == (3, 0, True)
    assert "<circle" not in draw_layout(forecast.plot(), WIDE)


def test_lines_that_end_in_different_years_are_all_named(unequal):
    chart = pf.forecast(unequal.history).plot()
    assert [line.ahead[-1] for line in chart.lines] == [2030, 2030, 2025]
    assert chart.find_whole() == {0, 1, 2}
    assert re.search(r"In 2025: Germany 0\.\d+\. In 2030: W", chart.description)


def test_since_leaves_out_earlier_history(forecast):
    assert charts.forecast.chart_forecast(forecast, since=2000).lines[0].years[0] == 2000


def test_many_locations_are_drawn_and_the_largest_are_named(wpp2019):
    countries = wpp2019.countries().locations.index
    chart = pf.forecast(wpp2019, [*countries[::6].difference([156, 336]), "China", "Holy See"], 2021, 2022).plot()
    assert chart.title == f"Population of {len(chart.lines)} locations"
    svg = chart.svg()
    assert ">China<" in svg
    assert ">Holy See<" not in svg


@pytest.fixture(scope="module")
def beside(wpp2024: pf.Panel) -> tuple[pf.Forecast, pd.DataFrame]:
    """A forecast and the UN's medium variant, which has Nigeria but not the group."""
    groups = {"Neighbours": ["NGA", "NER"]}
    forecast = pf.forecast(wpp2024, ["NGA"], 2030, 2060, model="damped-growth", groups=groups)
    return forecast, pf.load_projections("wpp2024")


@pytest.mark.parametrize("scale", charts.lines.SCALES)
def test_the_medium_variant_goes_on_from_the_last_estimate_to_the_forecasts_last_year(beside, scale):
    forecast, medium = beside
    nigeria, group = charts.forecast.chart_forecast(forecast, scale, medium=medium).lines
    years, values = nigeria.reference
    assert years.tolist() == list(range(2023, 2061))
    assert values[0] == pytest.approx(nigeria.values[-1])
    persons = medium[(medium["location_code"] == 566) & (medium["year"] == 2060)]["population"].item()
    assert values[-1] / values[0] == pytest.approx(persons / forecast.history.values[0, -1])
    assert group.reference is None


def test_plotly_draws_the_medium_variant_beside_the_location_that_has_it(beside):
    forecast, medium = beside
    alone, together = (charts.forecast.chart_forecast(forecast, medium=table).plotly() for table in (None, medium))
    # The line, and its sample in the key.
    assert len(together.data) == len(alone.data) + 2
    added, _ = (trace for trace in together.data if trace.line.dash not in (None, "solid"))
    assert (added.name, added.x[0], added.x[-1]) == ("Nigeria", 2024, 2060)


# What reads as a formula, as markup, or as no character of an XML document at all; and how it is shown.
NAMES = {
    "$$": "$$",
    r"$\frac{a}$": r"$\frac{a}$",
    r"$\undefined{": r"$\undefined{",
    r"a \$ b $c$": r"a \$ b $c$",
    "_hidden^2": "_hidden^2",
    "<b>x</b> & 'y' \"z\"": "<b>x</b> & 'y' \"z\"",
    "a\x00b\x08c\x1b\x7f\u202e": "abc",
    "two\nlines\tof": "two lines of",
}


def draw_names(name: str) -> list[charts.forecast.Drawing]:
    """Return every kind of drawing, with a name wherever it holds one."""
    panel = pf.Panel(np.geomspace([1e3, 2e3], [3e3, 5e3], 40).T, range(40), pd.DataFrame({"name": [name, "b"]}))
    horizons = pd.Index([1, 10])
    places = pd.MultiIndex.from_tuples([(name, name), (name, "b")])
    return [
        charts.forecast.chart_panel(panel),
        pf.forecast(panel, None, 40, 50, model="naive").plot("log"),
        charts.chart_bars(pd.Series({name: 1.0}), name, name),
        charts.Curves(name, name, name, pd.DataFrame({name: [1.0, 2.0], "b": [2.0, 1.0]}, horizons), [(1.5, name)]),
        charts.Dots(name, name, name, pd.DataFrame({name: [1.0, 2.0], "b": [2.0, 3.0]}, places)),
    ]


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_a_name_is_text_in_every_drawing(name, shown):
    for chart in draw_names(name):
        for svg in (chart.svg(), chart.svg(caption=name)):
            root = ElementTree.fromstring(svg)
            drawn = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
            assert any(text.strip() == shown for text in drawn), type(chart)
        assert chart.png(caption=name).startswith(b"\x89PNG")
        assert shown in chart.description


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_plotly_takes_a_name_for_neither_markup_nor_formula(name, shown):
    figure = draw_names(name)[1].plotly()
    for text in (figure.data[0].name, *(word for word in [figure.layout.title.text])):
        assert not set("<>$") & set(text)
        assert shown in html.unescape(text)


def test_a_caption_names_data_origin_model_version_and_whom_to_cite(beside):
    forecast, _ = beside
    caption = charts.forecast.caption_forecast(forecast)
    for text in (
        pf.__version__, "damped-growth", "2023", "real-time", "wpp2024", forecast.provenance["checksum"][:12],
        pf.REVISIONS["wpp2024"].citation,
    ):  # fmt: skip
        assert text in caption
    own = pf.Panel(np.geomspace(1e3, 2e3, 20)[None], range(2000, 2020), pd.DataFrame({"name": ["Arda"]}))
    said = charts.forecast.caption_forecast(pf.forecast(own, model="ar1"))
    assert "own figures" in said
    assert "United Nations" not in said


def test_a_caption_is_drawn_at_the_foot_and_kept_in_the_files_metadata(chart):
    caption = "popforecast, on wpp2024. United Nations <Population Division> & others. CC BY 3.0 IGO."
    svg = chart.svg(caption=caption)
    root = ElementTree.fromstring(svg)
    metadata = root.find(f"{SVG}metadata")
    texts = {element.tag.rpartition("}")[2]: element.text for element in metadata.iter()}
    assert (texts["title"], texts["source"]) == (chart.title, caption)
    drawn = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    assert caption in drawn
    assert chart.title in drawn
    with Image.open(io.BytesIO(chart.png(caption=caption))) as image:
        assert (image.text["Title"], image.text["Source"]) == (chart.title, caption)
        taller = image.height
    with Image.open(io.BytesIO(chart.png())) as image:
        assert image.text == {}
        assert taller > image.height


def test_a_captioned_chart_gives_the_same_bytes_and_leaves_the_plain_one_as_it_was(chart):
    plain = chart.svg()
    assert chart.svg(caption="Cite us.") == chart.svg(caption="Cite us.") != plain
    assert chart.png(caption="Cite us.") == chart.png(caption="Cite us.") != chart.png()
    assert chart.svg() == plain


def test_a_description_has_no_infinite_number():
    panel = pf.Panel(np.geomspace(1, 1e280, 50)[None], range(1950, 2000), pd.DataFrame({"name": ["Arda"]}))
    chart = pf.forecast(panel, None, 2000, 2060, model=pf.AR(1, "n", "log")).plot()
    assert chart.description.endswith("In 2060: Arda ∞.")


def test_scores_without_the_measure_say_which_there_are(scores):
    with pytest.raises(pf.PopforecastError, match="measure 'rmse': expected one of mape, median_ape"):
        charts.chart_scores(scores, "rmse")


def test_no_bars_is_an_error():
    with pytest.raises(pf.PopforecastError, match="no value to draw"):
        charts.chart_bars(pd.Series(dtype=float), "Nothing", "percent")


def test_every_line_and_dot_that_a_chart_names_is_drawn():
    """However many there are: six models with two levels have twelve lines."""
    names = [f"model {i}" for i in range(12)]
    table = pd.DataFrame(np.arange(24.0).reshape(2, 12), pd.Index([1, 10]), names)
    curves = charts.Curves("Title", "percent", "Text.", table).draw().axes[0]
    assert [line.get_ydata()[-1] for line in curves.lines] == table.iloc[-1].tolist()
    assert [text.get_text() for text in curves.texts] == names
    places = pd.MultiIndex.from_product([["a", "b"], range(6)])
    marks = pd.DataFrame(np.arange(60.0).reshape(12, 5), places, names[:5])
    dots = charts.Dots("Title", "percent", "Text.", marks).draw().axes[0]
    assert [text.get_text() for text in dots.get_legend().get_texts()] == names[:5]


def test_coverage_is_drawn_beside_its_promise(scores):
    svg = charts.chart_coverage(scores).svg()
    for text in ("nominal: 80%", "nominal: 95%", "ar1, 80%", "naive, 95%"):
        assert text in svg


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.01, 0.2))
def test_labels_keep_their_order_and_their_distance(heights, gap):
    placed = spread(np.array(heights), gap)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(placed[order]) >= gap - 1e-9).all()


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(0.01, 0.1)), min_size=1, max_size=10))
def test_labels_of_any_height_stay_within_their_frame_and_off_each_other(labels):
    heights, rooms = (np.array(part) for part in zip(*labels, strict=True))
    placed = spread(heights, rooms, within=(0, 1))
    assert (placed - rooms / 2 >= -1e-9).all()
    assert (placed + rooms / 2 <= 1 + 1e-9).all()
    order = np.argsort(heights, kind="stable")
    lower, upper = placed[order] - rooms[order] / 2, placed[order] + rooms[order] / 2
    assert (lower[1:] >= upper[:-1] - 1e-9).all()


def test_labels_that_are_apart_stay_where_they_are():
    assert spread(np.array([0.1, 0.9, 0.5]), 0.1).tolist() == [0.1, 0.9, 0.5]


@pytest.mark.parametrize("last", [2050, 2100])
def test_a_fan_below_zero_is_drawn_whole(wpp2024, last):
    """Of 2050 the median is above zero, and its lower bound is not."""
    fc = pf.forecast(wpp2024, "Montserrat", 2024, last, "ar1")
    axes = fc.plot().draw().axes[0]
    # Whatever the unit of the axis is: the lowest part of what is drawn lies above its end.
    drawn = [path.vertices[:, 1].min() for fan in axes.collections for path in fan.get_paths()]
    assert min(bound.min() for bound in fc.path.lower.values()) < 0
    assert min(drawn) < 0
    assert axes.get_ylim()[0] < min(drawn)
