"""Age pyramids and charts of births, deaths and migration: what they show is what the forecast says."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import popforecast as pf
from popforecast.charts.lettering import measure
from popforecast.charts.pyramid import Pyramid, chart_pyramid
from popforecast.charts.svg import draw_chart, draw_pyramid
from popforecast.errors import ModelError, UnknownLocationError, YearError
from popforecast.panel.age_ratios import share_ages

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def outlook(wpp2024: pf.Panel) -> pf.Outlook:
    # Without past errors: intervals say nothing of ages.
    return pf.forecast_all(wpp2024, pf.Cohort().fit(wpp2024), levels=())


@pytest.fixture(scope="module")
def fc(outlook: pf.Outlook) -> pf.Forecast:
    return outlook.forecast(["KOR"], 2040, 2100)


@pytest.fixture(scope="module")
def pyramid(fc: pf.Forecast) -> Pyramid:
    return fc.plot_ages(2050)


def read_bars(path: ElementTree.Element) -> list[tuple[float, float, float]]:
    """Return left, top and signed width of each rectangle of a path."""
    return [(float(x), float(y), float(w)) for x, y, w in re.findall(r"M(\S+) (\S+)h(\S+?)v", path.get("d") or "")]


def test_a_pyramid_has_the_ages_of_the_forecast_and_its_origin(fc: pf.Forecast, pyramid: Pyramid) -> None:
    ages = fc.ages().query("year == 2050")["population"].to_numpy().reshape(2, 21)
    assert pyramid.persons.tolist() == ages.tolist()
    assert pyramid.outline is not None
    assert pyramid.compared == 2023
    assert pyramid.outline.sum() == round(fc.history.values[0, -1])


def test_share_65_and_over_is_in_the_description(pyramid: Pyramid) -> None:
    assert f"{share_ages(pyramid.persons):.1f}% are 65 or older in 2050" in pyramid.description


@pytest.mark.parametrize("year", [1950, 2020, 2023, 2024, 2100])
def test_every_year_with_ages_has_a_pyramid(fc: pf.Forecast, year: int) -> None:
    assert fc.plot_ages(year, compared=year).persons.sum() > 1e7
    assert fc.plot_ages(year, compared=year).outline is None


@pytest.mark.parametrize("year", [1949, 1953, 2022, 2101])
def test_a_year_without_ages_is_refused(fc: pf.Forecast, year: int) -> None:
    with pytest.raises(YearError, match=f"no ages in {year}: expected 2023 to 2100"):
        fc.plot_ages(year)


def test_of_several_locations_one_is_chosen_by_any_of_its_names(outlook: pf.Outlook) -> None:
    fc = outlook.forecast(["KOR", "World"], 2030, 2050)
    with pytest.raises(ModelError, match="ages of 2 locations: expected one, such as location=410"):
        fc.plot_ages()
    assert fc.plot_ages(location="World").title == "Population of World by age and sex, 2050"
    assert fc.plot_ages(location="KOR").year == 2050
    with pytest.raises(UnknownLocationError):
        fc.plot_ages(location="NGA")


def test_a_model_of_totals_has_no_pyramid(wpp2024: pf.Panel) -> None:
    fc = pf.forecast(wpp2024, "KOR", 2030, 2035, model="naive")
    with pytest.raises(ModelError, match="naive forecasts totals only"):
        fc.plot_ages()
    with pytest.raises(ModelError, match="naive forecasts totals only"):
        fc.plot_components()


def test_a_pyramid_is_drawn_by_matplotlib(pyramid: Pyramid) -> None:
    figure = pyramid.draw()
    widths = [bar.get_width() * pyramid.divisor for bar in figure.axes[0].patches]
    assert widths == pytest.approx([*(-pyramid.persons[0]), *pyramid.persons[1]])
    assert "currentColor" in pyramid.svg()
    assert pyramid.png(3.75)[:4] == b"\x89PNG"


def test_the_page_s_pyramid_is_to_scale_and_whole(pyramid: Pyramid) -> None:
    for root in map(ElementTree.fromstring, draw_pyramid(pyramid).split("\n")):
        width, height = (float(side) for side in root.get("viewBox").split()[2:])
        x0, x1, y0, y1, most = (float(root.get(f"data-{name}")) for name in ("x0", "x1", "y0", "y1", "most"))
        assert most >= max(pyramid.persons.max(), pyramid.outline.max())
        for side, sign, name in zip(pyramid.persons, (-1, 1), ("men", "women"), strict=True):
            (path,) = (element for element in root.iter() if element.get("class") == name)
            bars = read_bars(path)
            assert [w for _, _, w in bars] == pytest.approx(sign * side * (x1 - x0) / most, abs=0.15)
            tops = [y for _, y, _ in bars]
            assert tops == sorted(tops, reverse=True)
            assert y0 <= tops[-1] < tops[0] < y1
        assert root.get("aria-label") == pyramid.description
        for text in root.iter(f"{SVG}text"):
            size, x = float(root.get("font-size")), float(text.get("x") or 0)
            half = measure(text.text, size) / 2
            assert x - half * (text.get("text-anchor") == "middle") >= -1
            assert x <= width
            assert 0 < float(text.get("y")) <= height


def test_pyramids_of_several_years_share_an_axis() -> None:
    counted = {2023: np.full((2, 21), 50), 2050: np.full((2, 21), 900)}
    assert chart_pyramid("Niue", counted, 2023, whole=True).most == 900
    assert chart_pyramid("Niue", counted, 2023).most == 50


# Births, deaths and migration -----------------------------------------------------------------------------------


def test_flows_are_those_published_and_those_of_the_forecast(fc: pf.Forecast) -> None:
    components = pf.load_components("wpp2024").select([410])
    table = pf.forecast(fc.structure.panel, "KOR", 2024, 2100, model=fc.model, levels=()).components()
    chart = fc.plot_components()
    for line, column in zip(chart.lines, ("births", "deaths", "net_migration"), strict=True):
        assert line.label == column.replace("_", " ")
        assert line.values * chart.divisor == pytest.approx(getattr(components, column)[0])
        assert line.ahead.tolist() == list(range(2023, 2101))
        assert line.median[1:] * chart.divisor == pytest.approx(table[column])


def test_a_revision_without_past_flows_shows_the_forecast() -> None:
    panel = pf.load_panel("wpp2019")
    fc = pf.forecast_all(panel, pf.Cohort().fit(panel), levels=()).forecast(["JPN"], 2030, 2050)
    chart = fc.plot_components()
    assert not len(chart.lines[0].years)
    assert chart.lines[0].ahead.tolist() == list(range(2021, 2051))
    assert draw_chart(chart).count("<svg") == 2
    with pytest.raises(YearError, match="not known here: expected a year after 2020"):
        pf.forecast_all(panel, pf.Cohort().fit(panel), levels=()).forecast(["JPN"], 1990, 2000).plot_components()
    assert fc.plot_components().png()[:4] == b"\x89PNG"


def test_negative_net_migration_lies_inside_the_chart(fc: pf.Forecast) -> None:
    chart = fc.plot_components()
    lowest = min(line.values.min() for line in chart.lines)
    assert lowest < 0
    assert chart.draw().axes[0].get_ylim()[0] <= lowest
    root = ElementTree.fromstring(draw_chart(chart).split("\n")[0])
    assert float(root.get("data-low")) <= lowest
