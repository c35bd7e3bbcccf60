"""The explorer as it looks before its scripts are there: its widgets as plain HTML, and its chart as a picture."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from popforecast.charts.forecast import Chart
from popforecast.charts.svg.drawing import draw_layout
from popforecast.charts.svg.framing import NARROW, WIDE


def write_preview(explorer: widgets.DOMWidget, chart: Chart | None) -> str:
    """Write a widget as HTML that looks like it: same classes, same places, and controls that do not answer.

    So who waits for the scripts, or has none, can read chart and figures already.

    Parameters
    ----------
    explorer : DOMWidget
        With all that it holds; what is hidden is left out.
    chart : Chart or None
        What is drawn in place of an output.

    Examples
    --------
    >>> write_preview(widgets.HTML("<h2>Nigeria</h2>"), None)
    '<div class="widget-html"><div class="widget-html-content"><h2>Nigeria</h2></div></div>'
    """
    if explorer.layout.display == "none":
        return ""
    match explorer:
        case widgets.HTML():
            kind, inner = "widget-html", f'<div class="widget-html-content">{explorer.value}</div>'
        case widgets.Output():
            kind, inner = "widget-output", _draw(chart)
        case widgets.Tab():
            kind, inner = "widget-tab", _write_tabs(explorer, chart)
        case widgets.Box():
            kind, inner = "widget-box", "".join(write_preview(child, chart) for child in explorer.children)
        case widgets.Button():
            return (
                f'<button class="{_name("widget-button", explorer)}" disabled>{escape(explorer.description)}</button>'
            )
        case _:
            kind = "widget-inline-hbox"
            inner = f'<label class="widget-label">{escape(explorer.description)}</label>{_write_field(explorer)}'
    return f'<div class="{_name(kind, explorer)}">{inner}</div>'


def _name(kind: str, widget: widgets.DOMWidget) -> str:
    return " ".join((kind, *widget._dom_classes))


def _draw(chart: Chart | None) -> str:
    return "" if chart is None else "".join(draw_layout(chart, layout, with_data=False) for layout in (WIDE, NARROW))


def _write_tabs(tabs: widgets.Tab, chart: Chart | None) -> str:
    chosen = tabs.selected_index or 0
    titles = "".join(
        f'<li class="lm-TabBar-tab{" lm-mod-current" * (i == chosen)}">{escape(tabs.get_title(i))}</li>'
        for i in range(len(tabs.children))
    )
    return (
        f'<div class="lm-TabBar"><ul class="lm-TabBar-content">{titles}</ul></div>'
        f'<div class="widget-tab-contents">{write_preview(tabs.children[chosen], chart)}</div>'
    )


def _write_field(widget: widgets.DOMWidget) -> str:
    name = f'aria-label="{escape(widget.description)}"'
    if isinstance(widget, widgets.Dropdown):
        return f"<select {name} disabled><option>{escape(str(widget.label))}</option></select>"
    return f'<input {name} value="{escape(widget.value)}" placeholder="{escape(widget.placeholder)}" disabled>'
