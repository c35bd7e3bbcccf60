"""What an explorer shows, as a test reads it."""

from __future__ import annotations

import re
from html import unescape

from popforecast.explorer.charts import PLOTLY
from popforecast.explorer.widgets import Explorer


def read_table(page: Explorer) -> list[list[str]]:
    """The rows of the table on show: year and figures, without the bounds below them."""
    html = re.sub(r"<small>.*?</small>", "", page.table.value)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html)
    return [[unescape(text) for text in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def draw(page: Explorer) -> dict:
    (output,) = page.chart.outputs
    return output["data"][PLOTLY]
