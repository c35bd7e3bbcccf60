"""Ages, births, deaths and migration of one location on the forecast page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from markupsafe import Markup

import popforecast as pf
from app.api.http import link_to
from popforecast.charts.flows import Flow, chart_flows
from popforecast.charts.pyramid import Pyramid, chart_pyramid, choose_rounding, name_age
from popforecast.charts.svg import draw_layout, draw_pyramid, write_data
from popforecast.charts.svg.framing import NARROW, Layout
from popforecast.errors import ModelError
from popforecast.panel.age_ratios import share_ages
from popforecast.panel.components import AGES
from popforecast.panel.years import last_year
from popforecast.question import AgesQuestion, ComponentsQuestion, View
from popforecast.session import get_session
from popforecast.text import format_percent, round_in_full

# Every so many years the page has a pyramid, and the years it links to.
STEP, LINKED = 5, (2030, 2050, 2075, 2100)

# The chart of births, deaths and migration is as wide as the pyramid.
BESIDE = Layout("wide", 560, 440, 13, 110, 4, 6)

# Years between rows of the table of births, deaths and migration.
STRIDE = 10


class AgeGroup(NamedTuple):
    """Men and women of one age group in two years, as text."""

    age: str
    figures: list[str]


class YearOfFlows(NamedTuple):
    """Births, deaths and net migration of one year, as text."""

    year: int
    kind: str
    figures: list[str]


@dataclass(frozen=True)
class Ages:
    """What the page shows of a location's ages.

    Attributes
    ----------
    pyramid : Pyramid
    drawing, flows : Markup
        The pyramid, and the chart of births, deaths and net migration.
    data : dict of str to str
        The pyramids of other years, for the page's script.
    old, old_then : str
        The percentage of people who are 65 or older in the year of the bars, and of the outline.
    unit : str
        Unit of the table.
    groups : list of AgeGroup
        The table: men and women in the years of the outline and of the bars, from the oldest.
    years : list of (int, str)
        Years of the pyramid to choose from, with their addresses.
    table : list of YearOfFlows
    ages_url, flows_url : str
        Addresses of the CSV files.
    """

    pyramid: Pyramid
    drawing: Markup
    flows: Markup
    data: dict[str, str]
    old: str
    old_then: str
    unit: str
    groups: list[AgeGroup]
    years: list[tuple[int, str]]
    table: list[YearOfFlows]
    ages_url: str
    flows_url: str


def describe_ages(view: View, fc: pf.Forecast, far: pf.Forecast) -> Ages | None:
    """Return a location's ages, births, deaths and migration; None for several locations, or without ages.

    Parameters
    ----------
    view : View
    fc : Forecast
        Of the view.
    far : Forecast
        The same up to the last year that can be forecast.
    """
    if len(fc.locations) > 1 or fc.structure is None:
        return None
    code, name = next(iter(fc.locations["name"].items()))
    panel, end = get_session(view.revision).panel, int(fc.years[-1])
    try:
        counted = far.count_ages(
            sorted({*range(int(panel.years[0]), last_year(panel) + 1, STEP), panel.origin, end}), code
        )
    except ModelError:
        return None
    year = max(known for known in counted if known <= end)
    pyramid = chart_pyramid(name, counted, year, panel.origin, panel.origin, whole=True)
    columns = [counted[panel.origin], counted[year]]
    size = choose_rounding(counted)
    flows = fc.list_flows(code)
    # Some editions have no births and deaths of past years: without a forecast, nothing is to be drawn.
    table = _tabulate_flows(flows, fc.origin)
    chart = chart_flows(name, flows, panel.step) if table else None
    return Ages(
        pyramid,
        Markup(draw_pyramid(pyramid)),
        Markup("\n".join(draw_layout(chart, layout, with_data=False) for layout in (BESIDE, NARROW) if chart)),
        write_data(name, counted),
        format_percent(float(share_ages(counted[year])), 1),
        format_percent(float(share_ages(counted[panel.origin])), 1),
        "persons" if size == 1 else f"rounded to {size:,} persons",
        [
            AgeGroup(
                name_age(age), [f"{round(persons[sex, k] / size) * size:,}" for persons in columns for sex in (0, 1)]
            )
            for k, age in reversed(list(enumerate(AGES)))
        ],
        [(each, _link(view, each)) for each in sorted({*LINKED, end}) if each > panel.origin],
        table,
        link_to(
            "api.send_ages_csv",
            AgesQuestion(view.locations, view.start, end, view.revision, groups=view.groups).arguments,
        ),
        link_to(
            "api.send_components_csv",
            ComponentsQuestion(view.locations, view.start, end, view.revision, groups=view.groups).arguments,
        ),
    )


def _link(view: View, year: int) -> str:
    return link_to("pages.show_forecast", replace(view, start=min(view.start, year), end=year).arguments) + "#ages"


def _tabulate_flows(flows: Mapping[str, Flow], origin: int) -> list[YearOfFlows]:
    by_year: dict[int, list[float]] = {}
    for flow in flows.values():
        for years, persons in ((flow.past, flow.before), (flow.ahead, flow.after)):
            for year, value in zip(years.tolist(), persons.tolist(), strict=True):
                by_year.setdefault(year, []).append(value)
    last = max(by_year, default=0)
    whole = {year: values for year, values in by_year.items() if len(values) == len(flows)}
    rounding = round_in_full(value for values in whole.values() for value in values)
    return [
        YearOfFlows(year, "estimate" if year <= origin else "forecast", [rounding.write(persons) for persons in values])
        for year, values in whole.items()
        if year % STRIDE == 0 or year in (origin, last)
    ]
