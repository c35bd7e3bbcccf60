"""The web page's chart: light, whole, readable by the page's script, and never a number that is none."""

from __future__ import annotations

import gzip
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import popforecast as pf
from popforecast.charts.forecast import MOST_FANS, Chart, chart_forecast, chart_panel
from popforecast.charts.lines import SCALES, Line
from popforecast.charts.svg import MOST_READ, draw_chart, draw_layout
from popforecast.charts.svg.framing import NARROW, WIDE
from popforecast.charts.svg.scales import UNSEEN, thin, trace
from popforecast.text import round_in_words

SVG = "{http://www.w3.org/2000/svg}"
FIVE = ["NGA", "IND", "CHN", "USA", "COD"]


@pytest.fixture(scope="module")
def medium() -> pd.DataFrame:
    return pf.load_projections("wpp2024")


@pytest.fixture(scope="module")
def fitted(wpp2024: pf.Panel) -> pf.Fitted:
    return pf.fit(wpp2024, "damped-growth")


@pytest.fixture(scope="module")
def forecast(wpp2024: pf.Panel, fitted: pf.Fitted) -> pf.Forecast:
    return pf.forecast(wpp2024, FIVE, 2030, 2100, model=fitted)


def draw(chart: Chart) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in draw_chart(chart).split("\n")]


def find(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if element.get("class") == name]


def read(element: ElementTree.Element, name: str) -> np.ndarray:
    return np.array([np.nan if word == "-" else float(word) for word in element.get(f"data-{name}").split()])


def place_names(root: ElementTree.Element) -> list[tuple[float, float, float, list[str]]]:
    """Return left, top and bottom of each name, and its lines."""
    size = float(root.get("font-size"))
    boxes = []
    for label in find(root, "label"):
        spans = label.findall(f"{SVG}tspan")
        first, last = float(spans[0].get("y")), float(spans[-1].get("y"))
        # A line of type takes its size in height: four fifths above the baseline, one fifth below.
        boxes.append(
            (float(spans[0].get("x")), first - 0.8 * size, last + 0.2 * size, [span.text or "" for span in spans])
        )
    return boxes


def check_drawing(root: ElementTree.Element) -> None:
    """Check what holds for every drawing, whatever it shows."""
    width, height = (float(side) for side in root.get("viewBox").split()[2:])
    markup = ElementTree.tostring(root, encoding="unicode")
    assert not re.search(r"\b(nan|inf|infinity)\b", markup, re.IGNORECASE)
    boxes = sorted(place_names(root), key=lambda box: box[1])
    assert all(above[2] <= below[1] + 1e-6 for above, below in pairwise(boxes))
    assert all(top >= 0 and bottom <= height for _, top, bottom, _ in boxes)
    x0, x1, y0, y1 = (float(root.get(f"data-{name}")) for name in ("x0", "x1", "y0", "y1"))
    assert 0 < x0 < x1 < width
    assert 0 < y0 < y1 < height
    for path in root.iter(f"{SVG}path"):
        if path.get("class") in ("history", "median", "medium", "fan"):
            for x, y in follow(path.get("d")):
                assert x0 - 0.11 <= x <= x1 + 0.11
                assert y0 - 0.11 <= y <= y1 + 0.11


def follow(d: str) -> list[tuple[float, float]]:
    """Return the points of a path: M to a point, l to points relative to the one before."""
    points: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([Ml])([^Mlz]*)", d):
        values = [float(number) for number in re.findall(r"-?[0-9.]+(?:e-?[0-9]+)?", numbers)]
        for x, y in zip(values[::2], values[1::2], strict=True):
            points.append((x, y) if command == "M" else (points[-1][0] + x, points[-1][1] + y))
    return points


@pytest.mark.parametrize("scale", SCALES)
def test_a_wide_and_a_narrow_drawing_are_images_with_the_same_text_alternative(forecast, medium, scale):
    chart = chart_forecast(forecast, scale, medium=medium)
    wide, narrow = draw(chart)
    assert [root.get("class") for root in (wide, narrow)] == ["chart wide", "chart narrow"]
    for root in (wide, narrow):
        assert (root.tag, root.get("role"), root.get("aria-label")) == (f"{SVG}svg", "img", chart.description)
        check_drawing(root)


def test_nothing_in_it_needs_more_than_the_strictest_policy(forecast, medium):
    for root in draw(chart_forecast(forecast, medium=medium)):
        for element in root.iter():
            assert element.tag.removeprefix(SVG) in {"svg", "g", "path", "text", "tspan", "rect"}
            assert not {name for name in element.attrib if name in ("style", "id", "href") or name.startswith("on")}


def test_the_same_chart_gives_the_same_bytes(forecast, medium):
    assert draw_chart(chart_forecast(forecast, medium=medium)) == draw_chart(chart_forecast(forecast, medium=medium))


def test_the_script_reads_every_number_from_the_wide_drawing(forecast, medium):
    wide, narrow = draw(chart_forecast(forecast, medium=medium))
    divisor = float(wide.get("data-divisor"))
    assert (wide.get("data-unit"), divisor) == ("billion", 1e9)
    assert [wide.get(f"data-{name}") for name in ("first", "last", "step", "origin", "log", "scale")] == [
        "1950", "2100", "1", "2023", "false", "absolute",
    ]  # fmt: skip
    series = find(wide, "series")
    assert [group.get("data-label") for group in series] == forecast.locations["name"].tolist()
    assert [group.get("data-index") for group in series] == ["0", "1", "2", "3", "4"]
    un = medium.set_index(["location_code", "year"])["population"]
    for i, (group, code) in enumerate(zip(series, forecast.locations.index, strict=True)):
        median = forecast.path.population[i]
        sides = [side[level][i] for level in (80, 95) for side in (forecast.path.lower, forecast.path.upper)]
        rows = [round_in_words(*row) for row in zip(median, *sides, strict=True)]
        past = [(persons, round_in_words(persons)) for persons in forecast.history.values[i]]
        names = ["values", "lower-80", "upper-80", "lower-95", "upper-95", "medium"]
        for name, ahead in zip(names, [median, *sides, un[code].loc[2024:2100]], strict=True):
            pairs = [*(past if name == "values" else []), *zip(ahead, rows, strict=True)]
            expected = [rounding.round(persons) * rounding.size for persons, rounding in pairs]
            np.testing.assert_allclose(read(group, name) * divisor, expected, 1e-9)
    # They stand there once.
    assert not any(name.startswith("data-values") for group in find(narrow, "series") for name in group.attrib)


@pytest.mark.parametrize("scale", SCALES)
def test_a_value_lies_where_the_contract_says(forecast, medium, scale):
    chart = chart_forecast(forecast, scale, medium=medium)
    for root in draw(chart):
        x0, x1, y0, y1, low, high = (
            float(root.get(f"data-{name}")) for name in ("x0", "x1", "y0", "y1", "low", "high")
        )
        bend = math.log if root.get("data-log") == "true" else float
        for line, group in zip(chart.lines, find(root, "series"), strict=True):
            for name, value, x in (
                ("history", line.values[0], x0),
                ("median", line.median[-1], x1),
                ("medium", line.reference[1][-1], x1),
            ):
                (path,) = find(group, name)
                points = follow(path.get("d"))
                end = points[0] if name == "history" else points[-1]
                expected = y1 - (bend(value) - bend(low)) / (bend(high) - bend(low)) * (y1 - y0)
                assert end == pytest.approx((x, expected), abs=0.2)


def test_a_fan_holds_the_median_from_the_origin_on(forecast):
    (root, _) = draw(chart_forecast(forecast))
    for group in find(root, "series"):
        wider, narrower = find(group, "fan")
        assert [fan.get("data-level") for fan in (wider, narrower)] == ["95", "80"]
        for fan in (wider, narrower):
            heights = [y for _, y in follow(fan.get("d"))]
            end = follow(find(group, "median")[0].get("d"))[-1][1]
            assert min(heights) < end < max(heights)
        spans = [np.ptp([y for _, y in follow(fan.get("d"))]) for fan in (wider, narrower)]
        assert spans[0] > spans[1]


def test_the_key_tells_our_line_from_the_uns(forecast, medium):
    with_medium, without = (" ".join(draw(chart)[0].itertext()) for chart in (
        chart_forecast(forecast, medium=medium), chart_forecast(forecast)
    ))  # fmt: skip
    assert "UN medium projection" in with_medium
    assert "UN medium projection" not in without
    for text in ("our forecast", "80% range", "95% range", "estimates to 2023"):
        assert text in without


def test_five_locations_to_2100_in_both_layouts_are_below_12_kb_compressed(forecast, medium):
    for scale in SCALES:
        assert len(gzip.compress(draw_chart(chart_forecast(forecast, scale, medium=medium)).encode())) < 12_000


@pytest.mark.parametrize("scale", SCALES)
def test_every_location_at_once_is_drawn_and_light(wpp2024, fitted, medium, scale):
    chart = chart_forecast(pf.forecast(wpp2024, None, 2030, 2100, model=fitted), scale, medium=medium)
    svg = draw_chart(chart)
    assert len(gzip.compress(svg.encode())) < 60_000
    assert "data-values" not in svg
    for root in draw(chart):
        check_drawing(root)
        assert len(find(root, "series")) == len(wpp2024) > MOST_READ
        assert not find(root, "fan") + find(root, "medium")
        assert 5 <= len(find(root, "label")) < 30


def test_above_six_locations_there_are_lines_without_fans(wpp2024, fitted, medium):
    seven = ["NGA", "IND", "CHN", "USA", "COD", "BRA", "JPN"]
    for n in (MOST_FANS, MOST_FANS + 1):
        chart = chart_forecast(pf.forecast(wpp2024, seven[:n], 2030, 2035, model=fitted), medium=medium)
        for root in draw(chart):
            assert bool(find(root, "fan")) == bool(find(root, "medium")) == (n == MOST_FANS)
            assert ("80% range" in " ".join(root.itertext())) == (n == MOST_FANS)


def test_a_log_chart_from_hamlets_to_the_world_counts_in_persons(wpp2024, fitted):
    chart = chart_forecast(pf.forecast(wpp2024, ["World", "Niue"], 2030, 2035, model=fitted), "log")
    for root in draw(chart):
        assert find(root, "unit")[0].text == "persons"
        ticks = [text.text for text in find(root, "grid")[0].iter(f"{SVG}text")]
        assert len(ticks) >= 2
        assert all(re.fullmatch(r"[0-9]+( (bn|m|k))?", tick) for tick in ticks)


def test_history_alone_has_no_origin_and_no_key(wpp2019):
    for chart in (
        chart_panel(wpp2019.select(["Africa", "Europe"])),
        chart_forecast(pf.forecast(wpp2019, ["World"], 1990, 2000, model="ar1")),
    ):
        for root in draw(chart):
            check_drawing(root)
            assert not find(root, "origin") + find(root, "key") + find(root, "median") + find(root, "fan")
            assert len(find(root, "history")) == len(chart.lines)


@pytest.mark.parametrize("since", [2020, 2021, 2023])
def test_one_year_of_history_or_none_is_drawn(wpp2019, since):
    forecast = pf.forecast(wpp2019, ["World", "Niue"], 2021, 2021, model="ar1")
    for scale in SCALES:
        chart = chart_forecast(forecast, scale, since=since)
        for root in draw(chart):
            check_drawing(root)
            assert len(find(root, "median")) == 2


@pytest.mark.parametrize("scale", SCALES)
def test_a_series_that_explodes_beyond_the_computers_numbers_is_drawn_as_far_as_it_has_any(scale):
    years = np.arange(1950, 2000)
    values = np.vstack([np.geomspace(1e3, 1e9, 50), np.linspace(5e3, 100, 50)])
    panel = pf.Panel(values * (1 + 0.01 * np.sin(years)), years, pd.DataFrame({"name": ["Arda", "Midgard"]}))
    for model in ("ar1", pf.AR(2, "ct")):
        forecast = pf.forecast(panel, None, 2000, 1999 + 150, model=model)
        for root in draw(forecast.plot(scale)):
            check_drawing(root)
    monstrous = pf.Panel(np.geomspace(1, 1e280, 50)[None], years, pd.DataFrame({"name": ["Arda"]}))
    forecast = pf.forecast(monstrous, None, 2000, 2060, model=pf.AR(1, "n", "log"))
    assert np.isinf(forecast.path.population).any()
    for root in draw(forecast.plot(scale)):
        check_drawing(root)


@pytest.mark.parametrize("scale", SCALES)
def test_a_population_that_is_constant_or_zero_is_drawn(scale):
    panel = pf.Panel(np.array([[0.0] * 20, [7.0] * 20]), range(2000, 2020), pd.DataFrame({"name": ["None", "Seven"]}))
    for root in draw(chart_panel(panel, scale)):
        check_drawing(root)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "a\x00b\x1b\u202ec",
        "&amp; & ]]>",
        "x" * 100,
        "國" * 60,
        "a b " * 40,
    ],
)
def test_a_name_is_text_and_nothing_else(name):
    panel = pf.Panel(np.ones((2, 5)), range(5), pd.DataFrame({"name": [name, "b"]}))
    for layout in (WIDE, NARROW):
        root = ElementTree.fromstring(draw_layout(chart_panel(panel), layout))
        check_drawing(root)
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {"svg", "g", "path", "text", "tspan"}
        shown = find(root, "series")[0].get("data-label")
        assert shown == "".join(letter for letter in name if letter.isprintable()).strip()


FIGURES = st.one_of(
    st.floats(0, 1e10),
    st.sampled_from([0.0, 1e-300, 1e300, 1.7e308, -5e3, math.inf, -math.inf, math.nan]),
)


@st.composite
def charts(draw) -> Chart:
    """Any chart at all: numbers that are none, too, any names, any count of lines."""
    count, past, ahead = draw(st.integers(1, 16)), draw(st.integers(0, 8)), draw(st.integers(1, 8))
    step, origin = draw(st.sampled_from([1, 5])), draw(st.integers(-5, 3000))
    years, steps = origin - step * np.arange(past)[::-1], origin + step * np.arange(ahead)
    levels = draw(st.sampled_from([(), (80,), (50, 80, 95)]))

    def some(n: int) -> np.ndarray:
        return np.array(draw(st.lists(FIGURES, min_size=n, max_size=n)))

    lines = tuple(
        Line(
            draw(st.text(max_size=70)),
            years,
            some(past),
            steps,
            some(ahead),
            {level: (some(ahead), some(ahead)) for level in levels},
            (steps, some(ahead)) if draw(st.booleans()) else None,
        )
        for _ in range(count)
    )
    return Chart(
        "Title", draw(st.sampled_from(["billion", "2023 = 100"])), "Text.", lines, draw(st.sampled_from(SCALES))
    )


@given(charts())
def test_no_chart_has_a_number_that_is_none_or_names_that_overlap(chart):
    for svg in draw_chart(chart).split("\n"):
        # A name may be "nan": what is checked is what the drawing makes of numbers.
        root = ElementTree.fromstring(svg)
        for group in find(root, "series"):
            del group.attrib["data-label"]
        names = {id(label): [span.text for span in label] for label in find(root, "label")}
        for label in find(root, "label"):
            for span in label:
                span.text = "x"
        check_drawing(root)
        assert all(len(lines) <= 7 for lines in names.values())


@given(st.lists(st.floats(0, 400), min_size=1, max_size=120))
def test_a_thinned_path_stays_where_it_was_to_the_eye(heights):
    points = [(2.5 * i, y) for i, y in enumerate(heights)]
    kept = thin(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    drawn = np.interp([x for x, _ in points], [x for x, _ in kept], [y for _, y in kept])
    assert np.abs(drawn - heights).max() <= UNSEEN + 1e-9


def test_a_straight_line_needs_two_points():
    assert thin([(float(x), 3.0 * x) for x in range(50)]) == [(0.0, 0.0), (49.0, 147.0)]


def test_a_path_is_broken_where_there_is_no_value():
    points = follow(trace([(0, 1), (1, 5), (2, math.nan), (3, 2)]))
    assert points == [(0, 1), (1, 5), (3, 2), (3, 2)]
