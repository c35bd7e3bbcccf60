"""What the explorer shows: a forecast as HTML and as a Plotly figure; plain functions of the forecast."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from popforecast.display import INTERVALS, format_population
from popforecast.forecasting import Forecast
from popforecast.plots import COLOURS
from popforecast.sources import LICENCE, LICENCE_URL, get_revision

PLOTLY = "application/vnd.plotly.v1+json"
STYLE = Path(__file__).with_name("explorer.css")
SHARED_STYLE = Path(__file__).parents[1] / "theme" / "style.css"

# The page is its own toolbar; a double click still resets the view.
PLOTLY_CONFIG = {"responsive": True, "displayModeBar": False, "displaylogo": False}


def draw_chart(forecast: Forecast) -> dict[str, Any]:
    """Return the chart as a MIME bundle: Plotly's JSON, and the text alternative."""
    chart = forecast.plot()
    figure = chart.plotly()
    figure.update_layout(title=None, height=440, margin={"l": 52, "r": 12, "t": 24, "b": 32})
    # Not FigureWidget: it sends 6.8 MB a load, and loses updates.
    return {
        PLOTLY: json.loads(figure.to_json()) | {"config": PLOTLY_CONFIG},
        "text/plain": chart.description,
    }


def write_style() -> str:
    """Return the explorer's style as an element: the shared sheet, kept to the explorer, and its own."""
    shared = SHARED_STYLE.read_text(encoding="utf-8").replace(":root", ":scope")
    colours = "".join(f".pf-chip:nth-child({i}){{--series:{colour}}}" for i, colour in enumerate(COLOURS, 1))
    return f"<style>@scope (.pf-explorer) {{{shared}}}{STYLE.read_text(encoding='utf-8')}{colours}</style>"


def write_heading(forecast: Forecast) -> str:
    """Write the heading over chart and table, and the chart's text alternative."""
    chart = forecast.plot()
    return f'<h2>{escape(chart.title)}</h2><p class="spoken">{escape(chart.description)}</p>'


def write_error(error: Exception) -> str:
    """Write an error as a sentence that screen readers announce.

    Examples
    --------
    >>> write_error(ValueError("no location 'Nigria'"))
    '<p class="alert" role="alert">No location &#x27;Nigria&#x27;.</p>'
    """
    text = str(error).rstrip(".") + "."
    return f'<p class="alert" role="alert">{escape(text[:1].upper() + text[1:])}</p>'


def write_table(forecast: Forecast) -> str:
    """Write the table of years by locations, in whole persons, bounds below; history is marked so."""
    table = forecast.to_table()
    caption = f"Persons, 1 July; {_describe_period(forecast)}"
    headings = "".join(f'<th scope="col">{escape(text)}</th>' for text in ("Year", *table.columns))
    rows = []
    for j, texts in enumerate(table.to_numpy()):
        is_past = forecast.years[j] <= forecast.origin
        year = f"{forecast.years[j]}{'<small>estimate</small>' if is_past else ''}"
        cells = [f"<td>{text}{'' if is_past else _write_bounds(forecast, i, j)}</td>" for i, text in enumerate(texts)]
        rows.append(f'<tr{" class=past" if is_past else ""}><th scope="row">{year}</th>{"".join(cells)}</tr>')
    # A wide table scrolls in its own frame, which the keyboard must reach; the page never scrolls sideways.
    return (
        f'<p class="above-sheet">{escape(caption)}</p><div class="sheet" role="region" aria-label="Figures" '
        f'tabindex="0"><table class="figures"><thead><tr>{headings}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div>"
    )


def write_levels(levels: Sequence[float]) -> str:
    """Write levels of intervals.

    Examples
    --------
    >>> write_levels((80.0, 95.0))
    '80 and 95 %'
    """
    return " and ".join(f"{level:g}" for level in levels) + " %"


def write_notes(forecast: Forecast) -> str:
    """Write what readers must know of single locations, such as an explosive root."""
    names = forecast.locations["name"]
    items = "".join(
        f"<li><strong>{escape(names[note.location_code])}</strong>: {escape(note.text)}.</li>"
        for note in forecast.notes
    )
    return f'<ul class="notes">{items}</ul>' if items else ""


def write_source(forecast: Forecast) -> str:
    """Write where the numbers come from: model, origin, revision, checksum, version, and the UN's attribution."""
    made = forecast.provenance
    parts = (
        f"Model {made['model']}, from the estimates to {made['origin']}",
        f"revision {made['revision']}",
        f"SHA-256 {made['checksum'][:12]}",
        f"popforecast {made['version']}",
    )
    citation = escape(get_revision(made["revision"]).citation)
    linked = citation.replace(LICENCE, f'<a href="{LICENCE_URL}" rel="license noopener" target="_blank">{LICENCE}</a>')
    return f'<p class="pf-source">{escape("; ".join(parts))}.</p><p class="pf-source">Estimates: {linked}</p>'


def _describe_period(forecast: Forecast) -> str:
    origin, intervals = (
        forecast.origin,
        f"small: {write_levels(forecast.levels)}; {INTERVALS[forecast.provenance['intervals']]}",
    )
    if forecast.years[-1] <= origin:
        return "all years are estimates: history, not forecast."
    if forecast.years[0] > origin:
        return f"forecasts from the estimates to {origin}; {intervals}."
    return f"estimates to {origin}, forecasts after; {intervals}."


def _write_bounds(forecast: Forecast, i: int, j: int) -> str:
    several = len(forecast.levels) > 1
    sides = (
        (f"{level:g} %: " if several else "", forecast.lower[level][i, j], forecast.upper[level][i, j])
        for level in forecast.levels
    )
    return "".join(
        f"<small>{mark}{format_population(low)} – {format_population(high)}</small>" for mark, low, high in sides
    )
