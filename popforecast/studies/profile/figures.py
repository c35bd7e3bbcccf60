"""Figures of a profile: forecast, UN medium variant and past accuracy of one location."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.evaluation.record import UNRECORDED
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

# Years shown in tables and text; charts show all years.
YEARS = (2030, 2040, 2050, 2075, 2100)
MIDDLE = 2050

LEVEL = 80

# Number of years that count as recent and that scenarios change.
RECENT = 5

# Benchmark models.
YARDSTICKS = ("ar1", "naive")


@dataclass(frozen=True, eq=False, repr=False)
class Profile(Frozen):
    """A location with its forecast from the year after the origin to the last possible year.

    Attributes
    ----------
    code : hashable
    outlook : Outlook
        Forecast of the whole panel.
    forecast : Forecast
        Forecast of this location.
    medium : ndarray, shape (m,), or None
        UN medium variant in the forecast years, in persons; None if it is not embedded.
    """

    code: Hashable
    outlook: Outlook
    forecast: Forecast
    medium: Array | None

    @property
    def panel(self) -> Panel:
        """The panel of all locations."""
        return self.outlook.panel

    @property
    def name(self) -> str:
        """The name of the location in the revision."""
        return str(self.forecast.locations["name"].iloc[0])

    @property
    def history(self) -> Array:
        """Estimates in persons, shape (t,)."""
        return self.forecast.history.common().values[0]

    @property
    def years(self) -> NDArray[np.int64]:
        """The forecast years."""
        return self.forecast.years

    @property
    def median(self) -> Array:
        """Our forecast in those years, in persons."""
        return self.forecast.population[0]

    @cached_property
    def difference(self) -> Array | None:
        """Our forecast minus the UN medium variant, in percent of the latter; NaN where ours is negative."""
        if self.medium is None:
            return None
        return np.where(self.median >= 0, 100 * (self.median / self.medium - 1), np.nan)

    def at(self, values: NDArray[Any], year: int) -> float:
        """Return the value for a year from a row of values by forecast year."""
        return float(values[np.searchsorted(self.years, year)])

    def __repr__(self) -> str:
        return f"<Profile: {self.name}, {self.forecast!r}>"


def make_profile(location: Hashable, revision: str = DEFAULT_REVISION, model: str = DEFAULT_MODEL) -> Profile:
    """Return the profile of a location.

    The forecast of the whole panel is cached, so profiles of further locations take little time.

    Parameters
    ----------
    location : code, ISO3, name or alias
    revision : {"wpp2024", "wpp2019"}
    model : str
        Name of a model.

    Raises
    ------
    UnknownLocationError, UnknownRevisionError, UnknownModelError
        If the location, revision or model is unknown; the error lists valid names.

    Examples
    --------
    >>> make_profile("Nigeria")
    <Profile: Nigeria, <Forecast: 1 locations, 2024 to 2100, cohort from 2023, real-time intervals>>
    """
    outlook = get_session(get_revision(revision).name).outlook(model)
    panel = outlook.panel
    code = panel.index.find(location)
    forecast = outlook.forecast(code, panel.origin + panel.step, last_year(panel), DEFAULT_LEVELS)
    return Profile(code, outlook, forecast, _find_medium(revision, code, forecast.years))


def tabulate_forecast(profile: Profile) -> pd.DataFrame:
    """Return the last estimate and the forecast in some years, with intervals and the UN variant, for display."""
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
    """Return our forecast and the UN medium variant in some years, and whether our interval contains it.

    None if no medium variant is embedded.
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


def tabulate_record(profile: Profile) -> pd.DataFrame | None:
    """Return the backtest errors and coverage of forecasts made this way, by years ahead, in percent.

    Mean errors of ``ar1`` and ``naive`` are included. On final data: see :func:`popforecast.load_record`. None if the
    model is not tested on this revision.
    """
    if (profile.panel.revision, profile.forecast.model.name) in UNRECORDED:
        return None
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
    """Return the errors of the default model and the UN from the 2010 and 2012 editions.

    None if those editions lack the location or define it differently.
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
    """Return the rows of :func:`popforecast.load_record` for this location, with all models."""
    record = get_session(str(profile.panel.revision)).record
    return record[record["location_code"] == profile.code]


def find_vintages(profile: Profile) -> pd.DataFrame:
    """Return the rows of :func:`popforecast.load_vintage_record` for this location."""
    record = get_vintage_record()
    return record[record["location_code"] == profile.code]


def hold_medium(profile: Profile) -> NDArray[np.bool_]:
    """Return whether our interval contains the UN medium variant in each forecast year."""
    lower, upper = profile.forecast.lower[LEVEL][0], profile.forecast.upper[LEVEL][0]
    return (lower <= profile.medium) & (profile.medium <= upper)


def measure_growth(years: NDArray[np.int64], persons: Array, first: int, last: int) -> float:
    """Return the mean annual growth between two years, in percent.

    Examples
    --------
    >>> round(measure_growth(np.array([2000, 2001, 2002]), np.array([100.0, 105.0, 121.0]), 2000, 2002), 9)
    10.0
    """
    then, now = np.searchsorted(years, [first, last])
    return float(100 * np.expm1(np.log(persons[now] / persons[then]) / (last - first)))


def grow_yearly(persons: Array, step: int) -> Array:
    """Return the annual growth in each step, in percent.

    Examples
    --------
    >>> grow_yearly(np.array([100.0, 110.0, 99.0]), 1).round(9).tolist()
    [10.0, -10.0]
    """
    # Growth to a negative value is undefined: NaN.
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * np.expm1(np.diff(np.log(persons)) / step)


def _find_medium(revision: str, code: Hashable, years: NDArray[np.int64]) -> Array | None:
    medium = get_session(revision).medium
    if medium is None:
        return None
    own = medium[medium["location_code"] == code].set_index("year")["population"]
    # An update may omit projections.
    return own.loc[years.tolist()].to_numpy(np.float64) if len(own) else None


def _answer(held: bool | None) -> str:
    return "–" if pd.isna(held) else "yes" if held else "no"
