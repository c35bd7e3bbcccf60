"""Diagnostics as HTML: equations, residuals, backtest errors and code."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from html import escape

import numpy as np

from popforecast.evaluation.record import FIRST_ORIGIN, HORIZONS, LEVELS, UNRECORDED, tell_coverage
from popforecast.explorer.addresses import write_code
from popforecast.explorer.equations import write_equation
from popforecast.explorer.residuals import Residuals, find_residuals, list_tests
from popforecast.explorer.state import Query, name_location
from popforecast.explorer.views import frame_table
from popforecast.models.base import Model
from popforecast.session import get_session, get_vintage_record
from popforecast.text import format_percent

SIGNIFICANCE = 0.05


def write_equations(query: Query) -> str:
    """Return the fitted equation of each model for each location, as HTML."""
    return "".join(
        f"<h3>{_label(query, model, code)}</h3>{write_equation(query.look_ahead(model), code)}"
        for code in query.locations
        for model in query.models
    )


def list_residuals(query: Query) -> dict[str, Residuals]:
    """Return residuals by the name of the line; lines without residuals are omitted."""
    found = {
        _label(query, model, code): find_residuals(query.look_ahead(model), code)
        for code in query.locations
        for model in query.models
    }
    return {name: residuals for name, residuals in found.items() if residuals is not None}


def write_residuals(residuals: dict[str, Residuals]) -> str:
    """Return an HTML table of the size of residuals and the results of three tests."""
    if not residuals:
        return '<p class="hint">Sums are not fitted, so they have no residuals: choose a country, or ar1.</p>'
    headings = "".join(f'<th scope="col">{text}</th>' for text in ("Line", "Residuals", "Size", "Tests"))
    rows = [
        f'<tr><th scope="row">{name}</th><td>{len(these.years)} {"past errors" if these.past else "residuals"}, '
        f"{these.years[0]} to {these.years[-1]}</td><td>{format_percent(_measure(these), 3)}</td>"
        f"<td>{_write_tests(these)}</td></tr>"
        for name, these in residuals.items()
    ]
    caption = (
        "Residuals in percent of the population; size is the root mean square. For models whose fit leaves no "
        "residuals, the table shows past errors: forecasts one year ahead at past origins, five years apart."
    )
    return frame_table(headings, rows, "pf-record", "Residuals", caption)


def write_record(query: Query) -> str:
    """Return an HTML table of backtest errors on final data, by model and location, with real-time coverage."""
    levels = [f"{level:g}%" for level in LEVELS]
    headings = '<th scope="col">Line</th>' + "".join(
        f'<th scope="col">{horizon} year{"s" * (horizon > 1)}<small>error; within {", ".join(levels)}</small></th>'
        for horizon in HORIZONS
    )
    rows = [
        f'<tr><th scope="row">{_label(query, model, code)}</th>{_write_scores(query, model, code)}</tr>'
        for code in query.locations
        for model in query.models
    ]
    caption = (
        f"Median absolute error and coverage of the {' and '.join(levels)} intervals, in percent, for forecasts from "
        f"every origin since {FIRST_ORIGIN}. Final data: the figures available at the time had not yet been revised, "
        f"which flatters every model. {tell_coverage(get_vintage_record())}"
    )
    untested = " ".join(UNRECORDED.get((query.revision, model.name), "") for model in query.models).strip()
    return frame_table(headings, rows, "pf-record", "Backtest", f"{caption} {untested}".strip())


def write_recipe(query: Query) -> str:
    """Return the code that reproduces the numbers shown, as HTML."""
    return (
        f'<pre class="pf-code" tabindex="0" role="region" aria-label="Code"><code>{escape(write_code(query))}'
        "</code></pre>"
    )


def _label(query: Query, model: Model, code: Hashable) -> str:
    return escape(f"{name_location(query.revision, code)}, {model.name}")


def _measure(residuals: Residuals) -> float:
    return float(np.sqrt(np.mean(residuals.percent**2)))


def _write_tests(residuals: Residuals) -> str:
    tests = list_tests(residuals)
    if not tests:
        return "too few for tests" if residuals.values.std() else "no test: all residuals are equal"
    return "<br>".join(
        f"{name}: p {_say(p)}, {finding if p < SIGNIFICANCE else 'not rejected'}" for name, finding, p in tests
    )


def _write_scores(query: Query, model: Model, code: Hashable) -> str:
    record = get_session(query.revision).measure(model)
    rows = record[record["location_code"] == code].set_index("horizon").to_dict("index")
    cells = [_write_score(rows[horizon]) if horizon in rows else "–" for horizon in HORIZONS]
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _write_score(row: Mapping[Hashable, float]) -> str:
    held = " and ".join(f"{row[f'coverage_{level}']:.0f}%" for level in LEVELS)
    return f"{format_percent(row['median_ape'])}<small>{held} of {row['n']:.0f}</small>"


def _say(p: float) -> str:
    return "&lt; 0.001" if p < 0.001 else f"= {p:.3f}"
