"""Every drawing and its key agree: what is dashed in one is dashed in the other, and all that is named is drawn.

The drawings themselves are read: the web page's SVG, Matplotlib's artists, Plotly's traces, and Matplotlib's SVG.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import popforecast as pf
from popforecast.charts.forecast import Chart, chart_forecast, chart_panel
from popforecast.charts.plotly import describe_figure
from popforecast.charts.strokes import FAINT, Kind, choose_stroke, list_key
from popforecast.charts.style import GREY
from popforecast.charts.svg import draw_layout
from popforecast.charts.svg.framing import NARROW, WIDE
from popforecast.explorer.charts import PLOTLY, chart_answer, draw_answer
from popforecast.studies import profile as study

SVG = "{http://www.w3.org/2000/svg}"
SEVEN = ["NGA", "IND", "CHN", "USA", "COD", "BRA", "JPN"]
GROUPS = {"Neighbours": ["NGA", "NER"]}
SOLID, UN = "estimates, then our forecast", "UN medium projection"


class Seen(NamedTuple):
    """What a drawing shows: whether each line by the UN and each other line is dashed, levels, and the key."""

    theirs: list[bool]
    ours: list[bool]
    levels: set[float]
    key: dict[str, object]


def forecast(panel: pf.Panel, places: list[str], **options: object) -> pf.Forecast:
    return pf.forecast(panel, places, 2030, 2050, **{"model": "damped-growth", "groups": GROUPS} | options)


def own_forecast(**options: object) -> pf.Forecast:
    values = np.geomspace([1e3, 2e3], [3e3, 3e3], 40).T
    panel = pf.Panel(values, range(1980, 2020), pd.DataFrame({"name": ["Arda", "Midgard"]}))
    return pf.forecast(panel, **options)


def several_models(panel: pf.Panel, places: list[str]) -> Chart:
    return chart_answer([pf.forecast(panel, places, 2030, 2040, model) for model in ("ar1", "naive", "drift")])


Made = Callable[[pf.Panel, pd.DataFrame], Chart]
CASES: dict[str, tuple[Made, set[str]]] = {
    "a country": (lambda p, m: chart_forecast(forecast(p, ["NGA"], groups={}), medium=m), {SOLID, UN}),
    "a group of one's own": (lambda p, m: chart_forecast(forecast(p, ["Neighbours"]), medium=m), {SOLID}),
    "a group beside a country": (lambda p, m: chart_forecast(forecast(p, ["NGA"]), medium=m), {SOLID, UN}),
    "an aggregate": (lambda p, m: chart_forecast(forecast(p, ["World"], groups={}), medium=m), {SOLID, UN}),
    "no series of the UN's": (lambda p, m: chart_forecast(forecast(p, ["NGA"])), {SOLID}),
    "a plain model": (lambda p, m: chart_forecast(forecast(p, ["NGA"], model="ar1", groups={}), medium=m), {SOLID, UN}),
    "own figures": (lambda p, m: chart_forecast(own_forecast(model="ar1")), {SOLID}),
    "no level": (lambda p, m: chart_forecast(forecast(p, ["NGA"], levels=[]), medium=m), {SOLID, UN}),
    "one level": (lambda p, m: chart_forecast(forecast(p, ["NGA"], levels=[90]), medium=m), {SOLID, UN}),
    "three levels": (lambda p, m: chart_forecast(forecast(p, ["NGA"], levels=[50, 80, 99.5]), medium=m), {SOLID, UN}),
    "many locations": (lambda p, m: chart_forecast(forecast(p, SEVEN), medium=m), {SOLID}),
    "no history": (lambda p, m: chart_forecast(forecast(p, ["NGA"]), since=2024, medium=m), {"our forecast", UN}),
    "history alone": (lambda p, m: chart_panel(p.select(["Africa", "Europe"])), set()),
    "several models": (lambda p, m: several_models(p, ["NGA"]), {SOLID}),
    "several models of many locations": (lambda p, m: several_models(p, SEVEN[:3]), {SOLID}),
}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, wpp2024: pf.Panel) -> tuple[Chart, set[str]]:
    make, lines = CASES[request.param]
    return make(wpp2024, pf.load_projections("wpp2024")), lines


def expect_levels(chart: Chart) -> set[float]:
    ahead = [line for line in chart.lines if len(line.ahead) > 1]
    return {level for line in ahead for level in line.bounds} if len(ahead) <= 6 else set()


def check(seen: Seen, chart: Chart, lines: set[str]) -> None:
    """Check a drawing against what its chart was made of, and its key against the drawing."""
    assert all(seen.theirs), "the UN's lines are dashed"
    assert not any(seen.ours), "no other line is"
    assert bool(seen.theirs) == (UN in lines)
    assert seen.levels == expect_levels(chart)
    named = {f"{level:g}% range": level for level in seen.levels}
    assert set(seen.key) == lines | set(named)
    assert {text: seen.key[text] for text in lines} == {text: text == UN for text in lines}
    # Where several intervals lie upon each other, the narrower is as dark as all that hold it together.
    for text, level in named.items():
        over = sum(other >= level for other in named.values())
        assert seen.key[text] == pytest.approx(1 - (1 - FAINT) ** over, abs=1e-3)


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
def test_the_web_pages_drawing_and_its_key_agree(case, layout):
    chart, lines = case
    root = ElementTree.fromstring(draw_layout(chart, layout))
    paths = [(path.get("class"), path) for path in root.iter(f"{SVG}path")]
    dashed = {name: ["stroke-dasharray" in path.attrib for kind, path in paths if kind == name] for name in CLASSES}
    fans = [path for kind, path in paths if kind == "fan"]
    assert {path.get("fill-opacity") for path in fans} <= {str(FAINT)}
    key = {}
    for row in (group for group in root.iter(f"{SVG}g") if group.get("class") == "key"):
        for entry in row:
            sample, text = entry
            area = sample.get("fill-opacity")
            key[text.text] = "stroke-dasharray" in sample.attrib if area is None else float(area)
    ours = dashed["history"] + dashed["median"]
    check(Seen(dashed["medium"], ours, {float(fan.get("data-level")) for fan in fans}, key), chart, lines)
    if UN in lines:
        (sample,) = {path.get("stroke-dasharray") for kind, path in paths if kind is None} - {None, "1 3"}
        assert {path.get("stroke-dasharray") for kind, path in paths if kind == "medium"} == {sample}


CLASSES = ("history", "median", "medium")


def test_matplotlibs_artists_and_its_legend_agree(case):
    chart, lines = case
    axes = chart.draw().axes[0]
    references = [line.reference[1] for line in chart.lines if line.reference is not None]

    def is_theirs(artist) -> bool:
        return any(
            len(artist.get_ydata()) == len(values) and (artist.get_ydata() == values).all() for values in references
        )

    drawn = [artist for artist in axes.lines if to_hex(artist.get_color()) != GREY]
    theirs, ours = ([a.is_dashed() for a in drawn if is_theirs(a) == answer] for answer in (True, False))
    assert len(ours) == sum((len(line.years) > 0) + (len(line.ahead) > 1) for line in chart.lines)
    levels = expect_levels(chart)
    assert len(axes.collections) == sum(len(line.bounds) for line in chart.lines) * bool(levels)
    assert {fan.get_alpha() for fan in axes.collections} <= {FAINT}
    legend = axes.get_legend()
    pairs = [] if legend is None else zip(legend.get_texts(), legend.legend_handles, strict=True)
    key = {
        text.get_text(): handle.is_dashed() if hasattr(handle, "is_dashed") else handle.get_alpha()
        for text, handle in pairs
    }
    check(Seen(theirs, ours, levels, key), chart, lines)


@pytest.mark.parametrize("form", ["plotly", "explorer"])
def test_plotlys_traces_and_its_legend_agree(case, form):
    chart, lines = case
    traces = describe_figure(chart)["data"] if form == "plotly" else draw_answer(chart)[PLOTLY]["data"]
    key = {trace["name"]: trace for trace in traces if trace.get("legend") == "legend2"}
    drawn = [trace for trace in traces if trace.get("legend") != "legend2"]
    fans = [trace for trace in drawn if "fill" in trace]
    courses = [trace for trace in drawn if "fill" not in trace and len(trace["x"]) > 1]
    dashed = [(Kind.REFERENCE in str(trace["hovertemplate"]), trace["line"]["dash"] != "solid") for trace in courses]
    theirs, ours = ([dash for un, dash in dashed if un == answer] for answer in (True, False))
    levels = expect_levels(chart)
    assert len(fans) == sum(len(line.bounds) for line in chart.lines) * bool(levels)
    samples = {
        text: float(re.findall(r"[0-9.]+", trace["fillcolor"])[-1])
        if "fill" in trace
        else trace["line"]["dash"] != "solid"
        for text, trace in key.items()
    }
    check(Seen(theirs, ours, levels, samples), chart, lines)
    # What stands beside a name in the legend looks like the line of that name.
    for trace in drawn:
        if trace.get("showlegend", True):
            assert trace["line"]["dash"] == "solid"


def test_a_downloaded_drawing_dashes_the_uns_line_and_the_keys_sample_alone(wpp2024):
    chart = chart_forecast(forecast(wpp2024, ["NGA"]), medium=pf.load_projections("wpp2024"))
    root = ElementTree.fromstring(chart.svg(caption="Cite us."))
    dashes = re.compile(r"stroke-dasharray: ([0-9.,]+)")
    styles = [dashes.search(path.get("style", "")) for path in root.iter(f"{SVG}path")]
    found = [style[1] for style in styles if style]
    un = choose_stroke(Kind.REFERENCE)
    assert found.count(",".join(f"{un.width * part:g}" for part in un.dashes)) == 2
    # The one that is left is the dotted rule at the last estimate.
    assert len(found) == 3


def test_a_description_says_dashed_where_a_line_is(case):
    chart, lines = case
    assert ("Dashed" in chart.description) == (UN in lines)


@pytest.mark.parametrize("place", ["India", "World"])
def test_a_profiles_drawings_agree_with_their_keys(place):
    profile = study.make_profile(place)
    for chart in (study.chart_growth(profile), study.chart_difference(profile)):
        axes = chart.draw().axes[0]
        drawn = [line for line in axes.lines if to_hex(line.get_color()) != GREY]
        assert [line.is_dashed() for line in drawn] == [c.kind is Kind.REFERENCE for c in chart.courses]
        legend = axes.get_legend()
        texts = [text.get_text() for text in legend.get_texts()]
        ours = SOLID if Kind.ESTIMATES in {course.kind for course in chart.courses} else "our forecast"
        assert texts == [ours, UN, *(["80% range"] if chart.band is not None else [])]
        assert [handle.is_dashed() for handle in legend.legend_handles[:2]] == [False, True]
        # A line has the colour that it has in the first chart: the UN's is told from ours by its own.
        assert len({line.get_color() for line in drawn if not line.is_dashed()}) == 1
        assert len({line.get_color() for line in drawn}) == 2


def test_kinds_that_look_the_same_share_an_entry():
    entries = list_key(set(Kind), [])
    assert [entry.text for entry in entries] == [SOLID, UN]
    assert len({entry.sample for entry in entries}) == len(entries)
