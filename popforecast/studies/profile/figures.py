"""One location: its forecast as far as it goes, the UN's beside it, and how good such forecasts have been."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.forecasting.outlook import Outlook
from popforecast.forecasting.result import Forecast
from popforecast.models import DEFAULT_MODEL
from popforecast.models.base import Array
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen
from popforecast.panel.years import last_year
from popforecast.session import get_session, get_vintage_record
from popforecast.text import VINTAGE_NAMES, format_percent, format_populations, round_in_full, sign
from popforecast.wpp.editions import DEFAULT_REVISION, get_edition, get_revision

# The years that tables show and sentences speak of; the charts have all.
YEARS = (2030, 2040, 2050, 2075, 2100)
MIDDLE = 2050

LEVEL = 80

# Years that count as of late: those that scenarios change.
RECENT = 5

# Set beside the model's own errors.
YARDSTICKS = ("ar1", "naive")


@dataclass(frozen=True, eq=False, repr=False)
class Profile(Frozen):
    """A location, forecast from the year after the origin to the last year that can be asked for.

    Attributes
    ----------
    code : hashable
    outlook : Outlook
        The forecast of the whole panel, of which this is one location's part.
    forecast : Forecast
        Of this location alone.
    medium : ndarray, shape (m,), or None
        The UN's medium variant at the forecast's years, in persons; None where it is not embedded.
    """

    code: Hashable
    outlook: Outlook
    forecast: Forecast
    medium: Array | None

    @property
    def panel(self) -> Panel:
        """The figures of all locations."""
        return self.outlook.panel

    @property
    def name(self) -> str:
        """What the revision calls the location."""
        return str(self.forecast.locations["name"].iloc[0])

    @property
    def history(self) -> Array:
        """Estimates, persons, shape (t,)."""
        return self.forecast.history.common().values[0]

    @property
    def years(self) -> NDArray[np.int64]:
        """The forecast's years."""
        return self.forecast.years

    @property
    def median(self) -> Array:
        """Our forecast at those years, persons."""
        return self.forecast.population[0]

    @cached_property
    def difference(self) -> Array | None:
        """How far ours lies above the UN's medium variant, in percent of the latter; NaN where ours is below zero."""
        if self.medium is None:
            return None
        return np.where(self.median >= 0, 100 * (self.median / self.medium - 1), np.nan)

    def at(self, values: NDArray[Any], year: int) -> float:
        """Return the entry of a row along the forecast's years."""
        return float(values[np.searchsorted(self.years, year)])

    def __repr__(self) -> str:
        return f"<Profile: {self.name}, {self.forecast!r}>"


def make_profile(location: Hashable, revision: str = DEFAULT_REVISION, model: str = DEFAULT_MODEL) -> Profile:
    """Make the profile of a location.

    The whole panel is forecast once in a process, so that the profiles of many locations cost little more than one.

    Parameters
    ----------
    location : code, ISO3, name or alias
    revision : {"wpp2024", "wpp2019"}
    model : str
        A model's name.

    Raises
    ------
    UnknownLocationError, UnknownRevisionError, UnknownModelError
        If there is no such location, revision or model; the error says which there are.

    Examples
    --------
    >>> make_profile("Nigeria")
    <Profile: Nigeria, <Forecast: 1 locations, 2024 to 2100, panel-ar from 2023, real-time intervals>>
    """
    outlook = get_session(get_revision(revision).name).outlook(model)
    panel = outlook.panel
    code = panel.index.find(location)
    forecast = outlook.forecast(code, panel.origin + panel.step, last_year(panel), DEFAULT_LEVELS)
    return Profile(code, outlook, forecast, _find_medium(revision, code, forecast.years))


def tabulate_forecast(profile: Profile) -> pd.DataFrame:
    """Return the last estimate and the forecast at some years, with intervals and the UN's figure, for people."""
    years = [year for year in YEARS if year in profile.years]
    lower, upper = profile.forecast.lower, profile.forecast.upper
    sides = [profile.median, *(side[level][0] for level in profile.forecast.levels for side in (lower, upper))]
    persons = [profile.at(side, year) for side in sides for year in years]
    rounding = round_in_full([profile.history[-1], *persons])
    rows = {f"{profile.panel.origin} (estimates)": [rounding.write(profile.history[-1]), "", ""]}
    for year in years:
        bounds = (
            rounding.say_range(profile.at(lower[level][0], year), profile.at(upper[level][0], year))
            for level in profile.forecast.levels
        )
        rows[str(year)] = [rounding.write(profile.at(profile.median, year)), *bounds]
    columns = ["our forecast", *(f"{level:g}% interval" for level in profile.forecast.levels)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("year")


def tabulate_difference(profile: Profile) -> pd.DataFrame | None:
    """Return ours and the UN's medium variant at some years, the difference, and whether our interval holds the UN's.

    None where no medium variant is embedded: nothing to show.
    """
    if profile.medium is None or profile.difference is None:
        return None
    held = hold_medium(profile)
    years = [year for year in YEARS if year in profile.years]
    rounding = round_in_full([profile.at(side, year) for side in (profile.median, profile.medium) for year in years])
    rows = {
        str(year): [
            rounding.write(profile.at(profile.median, year)),
            rounding.write(profile.at(profile.medium, year)),
            sign(profile.at(profile.difference, year)),
            "yes" if profile.at(held, year) else "no",
        ]
        for year in years
    }
    columns = ["our forecast", "UN medium", "difference, percent", f"within our {LEVEL}% interval"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("year")


def tabulate_record(profile: Profile) -> pd.DataFrame:
    """Return how good forecasts made this way would have been, by years ahead: errors and outcomes held, in percent.

    Beside the mean error stands that of ``ar1`` and ``naive``. Final data: see :func:`popforecast.load_record`.
    """
    by_model = {name: rows.set_index("horizon") for name, rows in find_record(profile).groupby("model")}
    own = by_model[profile.forecast.model.name]
    table = {
        "forecasts": own["n"].astype(str),
        "mean error": own["mape"].map(format_percent),
        "median error": own["median_ape"].map(format_percent),
        "within 80%": own["coverage_80"].map("{:.0f}%".format),
        "within 95%": own["coverage_95"].map("{:.0f}%".format),
    }
    for name in YARDSTICKS:
        if name != profile.forecast.model.name:
            table[f"mean error of {name}"] = by_model[name]["mape"].map(format_percent)
    return pd.DataFrame(table).rename_axis("years ahead")


def tabulate_vintages(profile: Profile) -> pd.DataFrame | None:
    """Return what the default model and the UN would have missed from the editions of 2010 and 2012.

    None where those editions do not have the location, or define it differently.
    """
    record = find_vintages(profile)
    if record.empty:
        return None
    editions = [str(get_edition(vintage).edition) for vintage in record["vintage"]]
    return pd.DataFrame(
        {
            "year": record["year"].to_numpy(),
            "outcome": format_populations(record["outcome"]),
            "our error": [format_percent(ape) for ape in record["ape"]],
            "UN's error": [format_percent(ape) for ape in record["un_ape"]],
            f"within our 95%, {VINTAGE_NAMES['published']}": [_answer(held) for held in record["published_held_95"]],
            f"within our 95%, {VINTAGE_NAMES['real-time']}": [_answer(held) for held in record["held_95"]],
            "within the UN's 95%": [_answer(held) for held in record["un_held_95"]],
        },
        index=pd.Index(editions, name="edition"),
    )


def find_record(profile: Profile) -> pd.DataFrame:
    """Return the rows of :func:`popforecast.load_record` that are of this location, of every model."""
    record = get_session(str(profile.panel.revision)).record
    return record[record["location_code"] == profile.code]


def find_vintages(profile: Profile) -> pd.DataFrame:
    """Return the rows of :func:`popforecast.load_vintage_record` that are of this location."""
    record = get_vintage_record()
    return record[record["location_code"] == profile.code]


def hold_medium(profile: Profile) -> NDArray[np.bool_]:
    """Return whether our interval holds the UN's medium variant in each of the forecast's years."""
    lower, upper = profile.forecast.lower[LEVEL][0], profile.forecast.upper[LEVEL][0]
    return (lower <= profile.medium) & (profile.medium <= upper)


def measure_growth(years: NDArray[np.int64], persons: Array, first: int, last: int) -> float:
    """Return mean growth per year from one year to another, in percent.

    Examples
    --------
    >>> round(measure_growth(np.array([2000, 2001, 2002]), np.array([100.0, 105.0, 121.0]), 2000, 2002), 9)
    10.0
    """
    then, now = np.searchsorted(years, [first, last])
    return float(100 * np.expm1(np.log(persons[now] / persons[then]) / (last - first)))


def grow_yearly(persons: Array, step: int) -> Array:
    """Return growth per year from each step to the next, in percent.

    Examples
    --------
    >>> grow_yearly(np.array([100.0, 110.0, 99.0]), 1).round(9).tolist()
    [10.0, -10.0]
    """
    # No rate of growth leads below zero: nan.
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * np.expm1(np.diff(np.log(persons)) / step)


def _find_medium(revision: str, code: Hashable, years: NDArray[np.int64]) -> Array | None:
    medium = get_session(revision).medium
    if medium is None:
        return None
    own = medium[medium["location_code"] == code].set_index("year")["population"]
    # An update may leave projections out.
    return own.loc[years.tolist()].to_numpy(np.float64) if len(own) else None


def _answer(held: bool | None) -> str:
    return "–" if pd.isna(held) else "yes" if held else "no"
