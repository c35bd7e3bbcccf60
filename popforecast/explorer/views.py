"""HTML of forecasts in the explorer: heading, table, notes and sources."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from popforecast.charts.forecast import Chart
from popforecast.charts.style import COLOURS
from popforecast.charts.svg.drawing import draw_layout
from popforecast.charts.svg.framing import NARROW, WIDE
from popforecast.explorer.addresses import link_to_app, write_address
from popforecast.explorer.charts import chart_answer, label_line
from popforecast.explorer.state import Query
from popforecast.forecasting.result import Forecast, choose_roundings
from popforecast.panel.locations import disambiguate
from popforecast.text import INTERVALS, Rounding, join_words, write_sentence
from popforecast.wpp.citation import LICENCE, LICENCE_URL

STYLE = Path(__file__).with_name("explorer.css")
SHARED_STYLE = Path(__file__).parents[1] / "theme" / "style.css"


def write_style() -> str:
    """Return a style element with the shared style sheet, limited to the explorer, and its own styles."""
    shared = SHARED_STYLE.read_text(encoding="utf-8").replace(":root", ":scope")
    return f"<style>@scope (.pf-explorer) {{{shared}}}</style>{write_own_style()}"


def write_own_style() -> str:
    """Return a style element with only the explorer's styles; Voilà pages already include the shared sheet."""
    colours = "".join(f".pf-chip:nth-child({i}){{--series:{colour}}}" for i, colour in enumerate(COLOURS, 1))
    return f"<style>{STYLE.read_text(encoding='utf-8')}{colours}</style>"


def write_preview(messages: str, forecasts: Sequence[Forecast], query: Query) -> str:
    """Return the HTML shown until the scripts of the Voilà page are loaded: messages, static chart and table.

    It reserves space for controls and tabs, so that the layout does not shift when the explorer replaces it.
    """
    parts = [messages]
    if forecasts:
        chart = chart_answer(forecasts, query.scale)
        drawings = "".join(draw_layout(chart, layout, with_data=False) for layout in (WIDE, NARROW))
        parts += [write_heading(chart), f'<div class="pf-chart">{drawings}</div>', write_notes(forecasts)]
        parts += [f'<div class="pf-tabs">{write_table(forecasts)}</div>', write_source(forecasts, query)]
    return (
        f'{write_own_style()}<div class="pf-preview"><div class="pf-explorer"><div class="pf-columns">'
        '<div class="pf-controls card"><p class="hint">The controls load with the scripts of this page.</p></div>'
        f'<div class="pf-results">{"".join(f"<div>{part}</div>" for part in parts)}</div></div></div></div>'
    )


def write_heading(chart: Chart) -> str:
    """Return the heading of chart and table, and the text alternative of the chart, as HTML."""
    return f'<h2>{escape(chart.title)}</h2><p class="spoken">{escape(chart.description)}</p>'


def write_error(error: Exception) -> str:
    """Return an error as an HTML alert, which screen readers announce.

    Examples
    --------
    >>> write_error(ValueError("no location 'Nigria'"))
    '<p class="alert" role="alert">No location &#x27;Nigria&#x27;.</p>'
    """
    return f'<p class="alert" role="alert">{escape(write_sentence(str(error)))}</p>'


def write_table(forecasts: Sequence[Forecast]) -> str:
    """Return the HTML table of population by year and line, with bounds; estimates are marked."""
    first = forecasts[0]
    roundings = [choose_roundings(forecast) for forecast in forecasts]
    columns = [
        (forecast, i, rounding[i], _head(forecasts, forecast, code))
        for i, code in enumerate(first.locations.index)
        for forecast, rounding in zip(forecasts, roundings, strict=True)
    ]
    headings = "".join(f'<th scope="col">{text}</th>' for text in ("Year", *(head for *_, head in columns)))
    rows = []
    for j, year in enumerate(first.years):
        is_past = year <= first.origin
        cells = "".join(
            f"<td>{_write_figure(forecast, i, rounding, j, is_past)}</td>" for forecast, i, rounding, _ in columns
        )
        head = f"{year}{'<small>estimate</small>' if is_past else ''}"
        rows.append(f'<tr{" class=past" if is_past else ""}><th scope="row">{head}</th>{cells}</tr>')
    caption = f"Population at 1 July; {_describe_period(forecasts)}"
    return frame_table(headings, rows, "figures", "Figures", caption)


def frame_table(headings: str, rows: Sequence[str], kind: str, label: str, caption: str) -> str:
    """Return an HTML table in a scrolling frame that can be reached by keyboard."""
    return (
        f'<p class="above-sheet">{escape(caption)}</p><div class="sheet" role="region" aria-label="{escape(label)}" '
        f'tabindex="0"><table class="{kind}"><thead><tr>{headings}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div>"
    )


def write_levels(levels: Sequence[float]) -> str:
    """Return interval levels as text.

    Examples
    --------
    >>> write_levels((80.0, 95.0))
    '80% and 95%'
    """
    return join_words([f"{level:g}%" for level in levels])


def write_notes(forecasts: Sequence[Forecast]) -> str:
    """Return the notes on individual locations, such as an explosive root, as HTML."""
    items = "".join(
        f"<li><strong>{_head(forecasts, forecast, note.location_code)}</strong>: {escape(note.text)}.</li>"
        for forecast in forecasts
        for note in forecast.notes
    )
    return f'<ul class="notes">{items}</ul>' if items else ""


def write_source(forecasts: Sequence[Forecast], query: Query) -> str:
    """Return the sources of the numbers, the UN attribution and links to this view, as HTML."""
    made = forecasts[0].provenance
    names = ", ".join(forecast.model.name for forecast in forecasts)
    parts = (
        f"Model{'s' * (len(forecasts) > 1)} {names}, fitted to estimates up to {made['origin']}",
        f"revision {made['source']}",
        f"SHA-256 {made['checksum'][:12]}",
        f"popforecast {made['version']}",
    )
    citation = escape(str(forecasts[0].citation))
    linked = citation.replace(LICENCE, f'<a href="{LICENCE_URL}" rel="license noopener" target="_blank">{LICENCE}</a>')
    return (
        f'<p class="pf-links">{" ".join(_list_links(query))}</p>'
        f'<p class="pf-source">{escape("; ".join(parts))}.</p><p class="pf-source">Estimates: {linked}</p>'
    )


def _list_links(query: Query) -> list[str]:
    links = [f'<a class="pf-address" href="?{escape(write_address(query))}">Link to this view</a>']
    for model in query.models:
        address = link_to_app(query, model)
        if address:
            which = f" ({escape(model.name)})" if len(query.models) > 1 else ""
            links.append(f'<a href="{escape(address)}" target="_blank" rel="noopener">Open in the web app{which}</a>')
    return links


def _head(forecasts: Sequence[Forecast], forecast: Forecast, code: Hashable) -> str:
    if len(forecasts) > 1:
        return escape(label_line(forecast, code))
    return escape(disambiguate(forecast.locations["name"])[code])


def _describe_period(forecasts: Sequence[Forecast]) -> str:
    first = forecasts[0]
    if first.years[-1] <= first.origin:
        return "all these years are estimates, not forecasts."
    kinds = dict.fromkeys(forecast.provenance["intervals"] for forecast in forecasts)
    held = [
        (f"{', '.join(_name_with(forecasts, kind))}: " if len(kinds) > 1 else "") + INTERVALS[kind] for kind in kinds
    ]
    intervals = f"in small print: {write_levels(first.levels)} ranges; {'; '.join(held)}"
    if first.years[0] > first.origin:
        return f"forecasts from estimates up to {first.origin}; {intervals}."
    return f"estimates up to {first.origin}, then forecasts; {intervals}."


def _name_with(forecasts: Sequence[Forecast], kind: str) -> list[str]:
    return [forecast.model.name for forecast in forecasts if forecast.provenance["intervals"] == kind]


def _write_figure(forecast: Forecast, i: int, rounding: Rounding, j: int, is_past: np.bool_) -> str:
    figure = rounding.write(forecast.population[i, j])
    for level in () if is_past else forecast.levels:
        mark = f"{level:g}%: " if len(forecast.levels) > 1 else ""
        low, high = (rounding.write(side[level][i, j]) for side in (forecast.lower, forecast.upper))
        figure += f"<small>{mark}{low} – {high}</small>"
    return figure
