"""How a forecast by age works: life expectancy, fertility and migration of a projection, and their past errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from popforecast.errors import ModelError
from popforecast.forecasting.result import Forecast
from popforecast.models import Cohort, Model
from popforecast.models.base import Array
from popforecast.models.cohort.lifetable import build_life_table
from popforecast.models.cohort.projection import Projection
from popforecast.panel import Panel
from popforecast.panel.age_ratios import IS_YOUNG, share_ages
from popforecast.panel.components import SPAN, Components

# Five-year steps after the origin at which past projections are scored: 5, 10, 20 and 30 years.
STEPS = (1, 2, 4, 6)

# The first past origin, which has twenty years of data.
FIRST = 1970

MEASURES = {
    "population": "population, percent",
    "births": "births, percent",
    "deaths": "deaths, percent",
    "migration": "net migration, per 1,000 a year",
    "fertility": "children per woman",
    "young": "share below 15, points",
    "old": "share 65 and over, points",
}


def measure_errors(panel: Panel, model: Model | None = None) -> pd.DataFrame:
    """Return the errors of past projections by component, for every country, origin and horizon.

    Each projection uses the data of this revision up to its origin; the outcome is that of the same revision.

    Parameters
    ----------
    panel : Panel
        Annual, with components that state births and deaths by calendar year.
    model : Cohort, optional

    Returns
    -------
    DataFrame
        location_code, origin, horizon (years), then the error of each of `MEASURES`.

    Raises
    ------
    ModelError
        If the model is not ``cohort``, or the panel has no annual births and deaths.
    """
    model, components = Cohort() if model is None else model, panel.components
    if not isinstance(model, Cohort):
        raise ModelError(f"{model.name} forecasts totals only: expected the model cohort")
    if components is None or not len(components.calendar) or not len(model.find_rows(panel)):
        raise ModelError(f"{panel!r} has no births and deaths by calendar year: expected a revision such as wpp2024")
    known = panel.take(model.find_rows(panel))
    last = int(components.years[-1])
    tables = []
    for origin in range(FIRST, last, SPAN):
        projection = model.project(known.until(origin))
        if projection is None:
            continue
        steps = [step for step in STEPS if origin + SPAN * step <= last]
        tables += [_score(known, projection, origin, step) for step in steps]
    return pd.concat(tables, ignore_index=True)


def tabulate_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Return mean absolute errors and, in brackets, medians, by component and years ahead, for display."""
    size = errors.set_index("horizon")[list(MEASURES)].abs().groupby("horizon")
    mean, median = size.mean(), size.median()
    return pd.DataFrame(
        {
            f"{horizon} years": [
                f"{mean.loc[horizon, name]:.2f} ({median.loc[horizon, name]:.2f})" for name in MEASURES
            ]
            for horizon in mean.index
        },
        index=pd.Index(MEASURES.values(), name="mean (median) error"),
    )


def tabulate_components(fc: Forecast) -> pd.DataFrame:
    """Return the components that a forecast of one country assumes in each five years, for display."""
    projection, row = _find(fc)
    origin, persons = fc.history.origin, projection.totals[row]
    middle = (persons[:-1] + persons[1:]) / 2 * SPAN / 1000
    table = pd.DataFrame(
        {
            "children per woman": projection.fertility[row].round(2),
            "births": (projection.births[row] / middle).round(1),
            "deaths": (projection.deaths[row] / middle).round(1),
            "net migration": (projection.migration[row] / middle).round(1),
            "65 and over, percent": share_ages(np.moveaxis(projection.ages[row], -1, 0)[1:]).round(1),
        },
        index=pd.Index([f"{origin + SPAN * step} to {origin + SPAN * (step + 1)}" for step in range(len(middle))]),
    )
    return table.rename_axis("years")


def tabulate_rules(panel: Panel, locations: Sequence[object], models: dict[str, Cohort]) -> pd.DataFrame:
    """Return the forecasts for 2050 and 2100 in millions, by rule and location, for display.

    Parameters
    ----------
    panel : Panel
    locations : sequence of codes or names
    models : dict of str to Cohort
        The rules, by the names of the rows.
    """
    from popforecast.forecasting import forecast

    rows = {}
    for name, model in models.items():
        fc = forecast(panel, list(locations), panel.origin + 1, 2100, model, levels=())
        years = np.searchsorted(fc.years, [2050, 2100])
        rows[name] = {
            f"{place}, {year}": f"{fc.population[i, at] / 1e6:,.1f}"
            for i, place in enumerate(fc.locations["name"])
            for year, at in zip((2050, 2100), years, strict=True)
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule")


def tell_finding(fc: Forecast, year: int) -> str:
    """Return what the forecast of one country says of its ages in a year."""
    name, origin = str(fc.locations["name"].iloc[0]), fc.history.origin
    counted = fc.count_ages([origin, year], fc.locations.index[0])
    then, now = (float(share_ages(counted[at])) for at in (origin, year))
    total, before = counted[year].sum(), counted[origin].sum()
    change = 100 * (total / before - 1)
    flows = fc.components().query("year <= @year")[["births", "deaths", "net_migration"]].sum()
    natural, moved = (flows["births"] - flows["deaths"]) / 1e6, flows["net_migration"] / 1e6
    return (
        f"{name} in {year}: {total / 1e6:,.1f} million people, {abs(change):.0f}% "
        f"{'more' if change > 0 else 'fewer'} than in {origin}; {now:.0f}% of them 65 or older, {then:.0f}% in "
        f"{origin}. Up to then, births minus deaths come to {natural:+,.1f} million, net migration to {moved:+,.1f} "
        "million."
    ).replace("-", "−")


def tell_life(panel: Panel, code: object) -> str:
    """Return the life expectancy in the last period of a country's components; empty if it has none."""
    components = panel.components
    assert components is not None
    own = components.select(pd.Index([code]))
    if own is None:
        return ""
    men, women = build_life_table(own.mortality[..., -1]).expectancy[0]
    first = int(own.periods[-1])
    return (
        f"In {first} to {first + SPAN}, the last period with death rates, life expectancy at birth was {men:.1f} years "
        f"for men and {women:.1f} for women."
    )


def _find(fc: Forecast) -> tuple[Projection, int]:
    if fc.structure is None or len(fc.locations) != 1:
        raise ModelError("expected a forecast of one country by the model cohort")
    code, name = fc.locations.index[0], str(fc.locations["name"].iloc[0])
    rows = fc.structure.find(code, name)
    if len(rows) != 1:
        raise ModelError(f"{name} is a sum of {len(rows)} countries: expected one country")
    return fc.structure.project()[1], int(rows[0])


def _score(panel: Panel, projection: Projection, origin: int, step: int) -> pd.DataFrame:
    """Return the errors of one projection after a number of steps; flows are those of the last step."""
    components = panel.components
    assert components is not None
    end, start = origin + SPAN * step, origin + SPAN * (step - 1)
    total = panel.values[:, int(np.searchsorted(panel.years, end))]
    before = panel.values[:, int(np.searchsorted(panel.years, start))]
    born, died, children = (_sum_years(components, each, start) for each in ("births", "deaths", "tfr"))
    moved = total - before - born + died
    truth = components.ages[..., int(np.searchsorted(components.years, end))]
    ours = projection.ages[..., step]
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = {
            "population": 100 * (projection.totals[:, step] / total - 1),
            "births": 100 * (projection.births[:, step - 1] / born - 1),
            "deaths": 100 * (projection.deaths[:, step - 1] / died - 1),
            "migration": 1000
            * (projection.migration[:, step - 1] / projection.totals[:, step - 1] - moved / before)
            / SPAN,
            "fertility": projection.fertility[:, step - 1] - children / SPAN,
            "young": share_ages(ours, IS_YOUNG) - share_ages(truth, IS_YOUNG),
            "old": share_ages(ours) - share_ages(truth),
        }
    return pd.DataFrame({"location_code": panel.codes, "origin": origin, "horizon": SPAN * step} | errors)


def _sum_years(components: Components, name: str, start: int) -> Array:
    """Return births, deaths or fertility from the middle of one year to that of the fifth year after it."""
    values = getattr(components, name)
    at = int(np.searchsorted(components.calendar, start))
    years = values[:, at : at + SPAN + 1]
    result: Array = (years[:, :-1] + years[:, 1:]).sum(axis=1) / 2
    return result
