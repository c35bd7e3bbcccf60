"""Chart of births, deaths and net migration, by year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.charts.forecast import Chart
from popforecast.charts.lines import Line, choose_unit
from popforecast.models.base import Array
from popforecast.text import capitalise, join_words, say_population


class Flow(NamedTuple):
    """Births, deaths or net migration: past years and persons, then those of the forecast."""

    past: NDArray[Any]
    before: Array
    ahead: NDArray[Any]
    after: Array


def chart_flows(name: str, flows: Mapping[str, Flow], years: int = 1) -> Chart:
    """Return the chart of flows, as estimates and then as forecast.

    Parameters
    ----------
    name : str
        The location.
    flows : mapping of str to Flow
        By name: births, deaths, net migration.
    years : int
        Length of the periods in years.

    Examples
    --------
    >>> past, ahead = np.array([2022, 2023]), np.array([2024, 2025])
    >>> births = Flow(past, np.array([9e3, 8e3]), ahead, np.array([7e3, 6e3]))
    >>> chart_flows("Niue", {"births": births}).description
    'Births of Niue a year. In 2023: births 8,000; in 2025: births 6,000.'
    """
    largest = max(np.abs(part).max(initial=0) for flow in flows.values() for part in (flow.before, flow.after))
    divisor, unit = choose_unit(float(largest))
    lines: list[Line] = []
    ends: dict[int, list[str]] = {}
    for label, flow in flows.items():
        # The forecast starts at the last estimate, so that the line is unbroken.
        ahead = np.concatenate([flow.past[-1:], flow.ahead])
        after = np.concatenate([flow.before[-1:], flow.after])
        lines.append(Line(label, flow.past, flow.before / divisor, ahead, after / divisor, {}))
        for year, persons in dict(zip(ahead[[0, -1]].tolist(), after[[0, -1]].tolist(), strict=True)).items():
            ends.setdefault(year, []).append(f"{label} {say_population(persons)}")
    told = "; ".join(f"in {year}: {', '.join(figures)}" for year, figures in ends.items())
    period = "a year" if years == 1 else f"in {years} years"
    title = f"{capitalise(join_words(list(flows)))} of {name}"
    description = f"{title} {period}. {capitalise(told)}."
    return Chart(title, unit, description, tuple(lines), "absolute")
