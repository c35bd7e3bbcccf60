"""The figures that the explorer draws: what Plotly takes, made without it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import popforecast as pf
from popforecast.charts.plotly import describe_figure
from popforecast.explorer import charts
from popforecast.explorer.residuals import find_residuals
from popforecast.session import get_session


@pytest.mark.parametrize("scale", ["absolute", "log", "indexed"])
def test_plotly_finds_nothing_wrong_and_changes_nothing(wpp2024: pf.Panel, scale: str) -> None:
    chart = pf.forecast(wpp2024, ["NGA", "JPN"], 2030, 2050).plot(scale)
    made = json.loads(chart.plotly().to_json())
    ours = json.loads(json.dumps(describe_figure(chart)))
    assert made["data"] == ours["data"]
    assert {name: made["layout"][name] for name in ours["layout"]} == ours["layout"]


def test_plotly_finds_nothing_wrong_with_residuals() -> None:
    import plotly.graph_objects as go

    residuals = find_residuals(get_session("wpp2024").outlook(pf.AR(1)), 566)
    assert residuals is not None
    bundle = charts.draw_residuals({"Nigeria, ar1": residuals})[charts.PLOTLY]
    assert json.loads(go.Figure(bundle["data"], bundle["layout"]).to_json())["data"] == bundle["data"]


def test_numbers_without_an_end_are_null(wpp2024: pf.Panel) -> None:
    chart = pf.forecast(wpp2024, ["NGA"], 2030, 2050, levels=[]).plot()
    (line,) = chart.lines
    chart = replace(chart, lines=(replace(line, median=np.where(line.ahead > 2040, np.inf, line.median)),))
    described = json.loads(json.dumps(describe_figure(chart), allow_nan=False))
    median = next(trace for trace in described["data"] if trace["x"][-1] == 2050)
    assert median["y"].count(None) == 10


def test_a_kernel_that_shows_a_chart_has_no_need_of_plotly() -> None:
    script = "import sys; from popforecast import explorer; print(len(explorer.build(['NGA']).chart.outputs)); "
    script += "print('plotly' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False", "False"]
