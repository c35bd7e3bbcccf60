"""Age pyramids, births, deaths and migration in the explorer, as HTML."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from html import escape

from popforecast.charts.forecast import Chart
from popforecast.charts.pyramid import Pyramid
from popforecast.charts.svg import draw_layout, draw_pyramid
from popforecast.charts.svg.framing import NARROW, Layout
from popforecast.errors import PopforecastError
from popforecast.forecasting.result import Forecast

WITHOUT = "Ages need the model cohort, a UN revision, and a place whose ages are published."

# As wide as the pyramid beside it.
BESIDE = Layout("wide", 560, 440, 13, 110, 4, 6)


def write_ages(forecasts: Sequence[Forecast]) -> str:
    """Return the age pyramid of each location in the last year, and its births, deaths and migration, as HTML."""
    return "".join(_write_each(forecasts)) or f'<p class="hint">{WITHOUT}</p>'


def _write_each(forecasts: Sequence[Forecast]) -> Iterator[str]:
    for forecast in forecasts:
        if forecast.structure is None:
            continue
        for code, name in forecast.locations["name"].items():
            figures = "".join(_list_figures(forecast, code))
            if figures:
                yield f'<h3>{escape(str(name))}</h3><div class="twins">{figures}</div>'


def _list_figures(forecast: Forecast, code: Hashable) -> Iterator[str]:
    # A year or place without ages has no figure; the others are shown.
    with suppress(PopforecastError):
        pyramid = forecast.plot_ages(location=code)
        yield _frame(draw_pyramid(pyramid), pyramid)
    with suppress(PopforecastError):
        flows = forecast.plot_components(code)
        yield _frame("".join(draw_layout(flows, layout, with_data=False) for layout in (BESIDE, NARROW)), flows)


def _frame(drawing: str, chart: Pyramid | Chart) -> str:
    return f'<figure class="plot">{drawing}<figcaption>{escape(chart.description)}</figcaption></figure>'
