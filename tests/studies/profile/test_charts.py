"""The charts of a profile draw the figures that the tables state, and say so to those who cannot see them."""

from __future__ import annotations

import pytest

from popforecast.charts.style import NARROW, WIDTH, house_style
from popforecast.studies import profile as study


@pytest.fixture(params=["India", "Tokelau", "Bulgaria", "World"])
def profile(request: pytest.FixtureRequest) -> study.Profile:
    return study.make_profile(request.param)


def test_growth_is_drawn_from_1951_to_2100_without_a_gap(profile: study.Profile):
    past, ours, theirs = study.chart_growth(profile).courses
    assert (past.years[0], past.years[-1], ours.years[0], ours.years[-1]) == (1951, 2023, 2023, 2100)
    assert past.values[-1] == ours.values[0] == theirs.values[0]
    assert past.values == pytest.approx(100 * (profile.history[1:] / profile.history[:-1] - 1))
    assert theirs.values[2] == pytest.approx(100 * (profile.medium[1] / profile.medium[0] - 1))


def test_the_uns_line_is_drawn_relative_to_ours(profile: study.Profile):
    chart = study.chart_difference(profile)
    ours, theirs = chart.courses
    assert not ours.values.any()
    assert theirs.values == pytest.approx(100 * (profile.medium / profile.median - 1))
    _, lower, upper = chart.band
    assert (lower < 0).all()
    assert (upper > 0).all()
    assert f"{theirs.values[-1]:+.1f}" in chart.description


def test_a_chart_is_light_and_has_a_text_alternative(profile: study.Profile):
    charts = [
        study.chart_history(profile),
        study.chart_growth(profile),
        study.chart_difference(profile),
    ]
    for chart in charts:
        svg = chart.svg()
        assert len(svg) < 30_000
        assert profile.name in chart.description
        assert svg == chart.svg()


@pytest.mark.parametrize("width", [WIDTH, NARROW])
def test_no_figure_beside_an_axis_is_cut_off(profile: study.Profile, width: float):
    for chart in (study.chart_history(profile), study.chart_growth(profile), study.chart_difference(profile)):
        figure = chart.draw(width)
        with house_style():
            figure.draw_without_rendering()
        (axes,) = figure.axes
        low, high = axes.get_ylim()
        for place, text in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
            assert text.get_window_extent().x0 >= 0 or not low <= place <= high, text.get_text()
        for text in axes.get_legend().get_texts():
            assert 0 <= text.get_window_extent().x0 < text.get_window_extent().x1 <= figure.bbox.x1, text.get_text()
