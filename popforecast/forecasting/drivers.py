"""What drives a forecast by age: births minus deaths, net migration and fertility, beside the UN's forecast."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from popforecast.forecasting.result import Forecast
from popforecast.forecasting.structure import Structure, count_flows
from popforecast.models import Cohort
from popforecast.models.base import Array
from popforecast.panel import Panel
from popforecast.panel.components import SPAN
from popforecast.text import sign

# Differences below this, in percent, are not explained.
ALIKE = 2.0


class Drivers(NamedTuple):
    """What changes a population from the origin to a year; in percent of that at the origin, unless stated.

    Attributes
    ----------
    natural : float
        Births minus deaths.
    migration : float
        Net migration.
    recent : float
        Net migration in the last year before the forecast.
    fertility : float
        Children per woman in the five years of the projection that include the year; NaN for sums of countries.
    closed : float
        Population in the year without any migration from now on, relative to the forecast.
    """

    natural: float
    migration: float
    recent: float
    fertility: float
    closed: float


def find_drivers(structure: Structure, code: Hashable, name: str, path: Array) -> Drivers:
    """Return what drives the forecast of a location.

    Parameters
    ----------
    structure : Structure
    code, name
        The location.
    path : ndarray, shape (2 + horizon,)
        Its totals in the year before the origin, at the origin, and every year after it.

    Raises
    ------
    ModelError
        If no ages are known of the location.
    """
    model, (_, projection) = structure.model, structure.project()
    assert isinstance(model, Cohort)
    _, closed = replace(structure, model=replace(model, migration="zero")).project()
    rows, (births, deaths, migration) = structure.find(code, name), count_flows(structure, code, name, path[1:])
    born, died = projection.before[:, rows].sum(axis=1)
    recent = path[1] - path[0] - born + died
    step = min((len(path) - 3) // SPAN, projection.fertility.shape[1] - 1)
    fertility = projection.fertility[rows[0], step] if len(rows) == 1 else np.nan
    # Between the five-yearly steps, the ratio of the two projections grows steadily.
    ratio = np.log(closed.totals[rows].sum(axis=0) / projection.totals[rows].sum(axis=0))
    without = np.exp(np.interp(len(path) - 2, SPAN * np.arange(len(ratio)), ratio))
    return Drivers(
        100 * (births - deaths).sum() / path[1],
        100 * migration.sum() / path[1],
        100 * recent / path[0],
        fertility,
        float(without),
    )


def explain_difference(fc: Forecast, row: int, year: int, medium: float) -> str:
    """Return what a forecast by age assumes up to a year, and how far that explains its difference from the UN's.

    Empty if the difference is below 2%, or the forecast is not by age.

    Parameters
    ----------
    fc : Forecast
    row : int
        The location's row.
    year : int
        A forecast year.
    medium : float
        The UN's medium variant in that year.

    Examples
    --------
    >>> import popforecast as pf
    >>> fc = pf.forecast(pf.load_panel("wpp2024"), "QAT", 2024, 2050)
    >>> explain_difference(fc, 0, 2050, 3_600_000)[:72]
    'Ours is 53% above the UN medium variant in 2050. It assumes that births '
    """
    history, structure = fc.history, fc.structure
    if structure is None or not isinstance(history, Panel) or history.step != 1 or year <= history.origin:
        return ""
    path = np.append(history.values[row, -2:], fc.path.population[row, : year - history.origin])
    apart = 100 * (path[-1] / medium - 1)
    if abs(apart) < ALIKE:
        return ""
    name = str(history.locations["name"].iloc[row])
    drivers = find_drivers(structure, history.codes[row], name, path)
    without = 100 * (path[-1] * drivers.closed / medium - 1)
    said = (
        f"Ours is {_say(apart)} the UN medium variant in {year}. It assumes that births minus deaths change the "
        f"population of {history.origin} by {sign(drivers.natural)}% and net migration by {sign(drivers.migration)}% "
        f"(in the last year before the forecast: {sign(drivers.recent)}%)"
    )
    if not np.isnan(drivers.fertility):
        said += f", and {drivers.fertility:.1f} children per woman in {year}"
    return f"{said}. With no migration from now on, ours would be {_say(without)} the UN's."


def _say(percent: float) -> str:
    return f"{abs(percent):.0f}% {'above' if percent > 0 else 'below'}" if abs(percent) >= 0.5 else "about as high as"
