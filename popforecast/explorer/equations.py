"""Equation of a fitted model for one location, with estimated coefficients, as HTML."""

from __future__ import annotations

from collections.abc import Hashable
from html import escape

import numpy as np

from popforecast.forecasting.outlook import Outlook
from popforecast.models.ar import AR
from popforecast.models.base import Arrays, Fitted
from popforecast.models.growth import DampedGrowth, Drift, Naive
from popforecast.models.guarded_ar import LARGEST_ROOT, GuardedAR
from popforecast.models.panel_ar import PanelAR
from popforecast.text import format_population

# Symbol and meaning of the dependent variable, by the transform of an autoregression.
SYMBOLS = {
    "level": ("y", "y is population, persons"),
    "log": ("x", "x is the natural logarithm of population"),
    "growth": ("g", "g is growth: the change of the natural logarithm of population"),
}
DIGITS = 8


def write_equation(outlook: Outlook, code: Hashable) -> str:
    """Return the forecast equation of a location and the meaning of its symbols, as HTML.

    Examples
    --------
    >>> import popforecast as pf
    >>> outlook = pf.forecast_all(pf.load_panel("wpp2019"), "naive")
    >>> write_equation(outlook, 566)
    '<p class="pf-equation">log y<sub>T+h</sub> = log y<sub>T</sub></p><p class="hint">...</p>'
    """
    panel, membership = outlook.panel, outlook.membership
    if membership is not None and code in membership.aggregates:
        members = int(membership.matrix[membership.aggregates.index(code)].sum())
        return f'<p class="pf-equation">The sum of the forecasts of its {members} countries.</p>'
    row = panel.codes.tolist().index(code)
    equation, meaning = _write(outlook.fitted, row, int(panel.years[0]))
    return f'<p class="pf-equation">{equation}</p><p class="hint">{meaning}</p>'


def _write(fitted: Fitted, row: int, first: int) -> tuple[str, str]:
    model, arrays = fitted.model, fitted.arrays
    last = f"T = {fitted.origin}"
    if isinstance(model, AR):
        return _write_autoregression(arrays, row, model.transform, first)
    if isinstance(model, GuardedAR):
        equation, meaning = _write_autoregression(arrays, row, "growth", first)
        tamed = "" if arrays["root"][row] <= LARGEST_ROOT else f", reduced to {LARGEST_ROOT}"
        return equation, f"{meaning}{tamed}. No forecast exceeds the range of growth ever observed."
    if isinstance(model, Naive):
        return "log y<sub>T+h</sub> = log y<sub>T</sub>", f"y is population, {last}: no change."
    if isinstance(model, Drift):
        return _write_drift(model, arrays, row, fitted)
    if isinstance(model, DampedGrowth):
        growth = _say_log(arrays["growth"][row])
        equation = f"log y<sub>T+h</sub> = log y<sub>T</sub> + {growth} ({model.damping:g} + {model.damping:g}² + … + "
        return equation + f"{model.damping:g}<sup>h</sup>)", f"y is population, {last}: last growth, fading out."
    if isinstance(model, PanelAR):
        return _write_knots(model, arrays, row, last)
    return escape(repr(model)), "This model has no equation in one line."


def _write_drift(model: Drift, arrays: Arrays, row: int, fitted: Fitted) -> tuple[str, str]:
    change = float(arrays["change"][row])
    if model.transform == "level":
        change *= float(np.exp(arrays["last"][row]))
    y, size = ("log y", f"{abs(change):.6f}") if model.transform == "log" else ("y", f"{abs(change):,.0f}")
    steps = "years" if fitted.step == 1 else f"steps of {fitted.step} years"
    equation = f"{y}<sub>T+h</sub> = {y}<sub>T</sub> {'−' if change < 0 else '+'} {size} h"
    return equation, (
        f"y is population, T = {fitted.origin}, h counts {steps}: the mean change over the whole past. No forecast "
        "exceeds the range of growth ever observed."
    )


def _write_autoregression(arrays: Arrays, row: int, transform: str, first: int) -> tuple[str, str]:
    symbol, meaning = SYMBOLS[transform]
    constant, trend, *phi = arrays["coefficients"][row]
    terms = [(constant, "")] if constant else []
    terms += [(trend, " t")] if trend else []
    terms += [(weight, f" {symbol}<sub>t−{lag}</sub>") for lag, weight in enumerate(phi, 1) if weight]
    right = " ".join(_sign(weight, i == 0) + _say(weight) + rest for i, (weight, rest) in enumerate(terms))
    parts = [meaning]
    if trend:
        parts.append(f"t is 1 in {first + (transform == 'growth')}")
    deviation = float(np.sqrt(arrays["variance"][row]))
    said = f"{format_population(deviation)} persons" if transform == "level" else f"{deviation:.3g}"
    parts += [f"the standard deviation of e is {said}", f"the largest root is {arrays['root'][row]:.4f}"]
    return f"{symbol}<sub>t</sub> = {right or '0'} + e<sub>t</sub>", "; ".join(parts)


def _write_knots(model: PanelAR, arrays: Arrays, row: int, last: str) -> tuple[str, str]:
    knots = arrays["knots"]
    if not len(knots):
        growth = f"{100 * np.expm1(arrays['growth'][row]):.4f}%".replace("-", "−")
        return f"growth starts at {growth} a year and fades", f"{last}."
    means = ", ".join(
        f"ḡ<sub>{knot}</sub> = {_say_log(rise / knot)}" for knot, rise in zip(knots, arrays["rise"][row], strict=True)
    )
    return (
        f"log y<sub>T+h</sub> = log y<sub>T</sub> + h ḡ<sub>h</sub>, with {means}",
        f"y is population, {last}; ḡ is the mean change of log y per step over the first h steps, estimated from all "
        "countries together: the mean of the middle three of five component forecasts. Between these steps it is "
        f"interpolated; after {knots[-1]} steps growth fades by {100 * (1 - model.damping):g}% a year. No forecast "
        "exceeds the range of growth ever observed.",
    )


def _say(value: float) -> str:
    return f"{abs(value):,.{DIGITS}g}".replace("e-0", " × 10⁻")


def _sign(value: float, is_first: bool) -> str:
    return ("−" if value < 0 else "") if is_first else ("− " if value < 0 else "+ ")


def _say_log(value: float) -> str:
    # A change in logarithms is not shown as a percentage.
    return f"{value:.6f}".replace("-", "−")
