"""The web page's chart of five locations to 2100, both layouts, against one of Matplotlib's; and what it weighs."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from statistics import median

import popforecast as pf
from popforecast.charts.forecast import chart_forecast
from popforecast.charts.svg import draw_chart
from popforecast.forecasting.milestones import find_milestones

from .figure import Figure, compare

LOCATIONS = ["NGA", "IND", "CHN", "USA", "COD"]


def measure() -> list[Figure]:
    """Time preparation and drawing of five locations and of every location, and the search for milestones."""
    panel = pf.load_panel("wpp2024")
    fitted, un = pf.fit(panel, "damped-growth"), pf.load_projections("wpp2024")
    five, all_of_them = (pf.forecast(panel, codes, 2030, 2100, fitted) for codes in (LOCATIONS, None))

    def draw(forecast: pf.Forecast) -> str:
        return draw_chart(chart_forecast(forecast, medium=un))

    weight = len(gzip.compress(draw(five).encode())) / 1000
    return [
        Figure("chart of 5 locations, two layouts", _count_ms(lambda: draw(five), 20), "ms", 30),
        compare("chart beside Matplotlib's", lambda: draw(five), lambda: chart_forecast(five, medium=un).svg(), 10),
        Figure("chart of 5 locations, compressed", weight, "KB", 12),
        Figure(f"chart of {len(panel)} locations", _count_ms(lambda: draw(all_of_them), 5), "ms", 200),
        Figure("milestones of 5 locations", _count_ms(lambda: find_milestones(five), 20), "ms", 5),
    ]


def _count_ms(run: Callable[[], object], times: int) -> float:
    """Return the median of the processor's milliseconds, which other programs on the machine do not lengthen."""
    run()
    taken = []
    for _ in range(times):
        started = time.process_time()
        run()
        taken.append(1e3 * (time.process_time() - started))
    return median(taken)
