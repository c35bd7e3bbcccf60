"""Scenarios: forecasts of the same model from a different history.

Each scenario changes one feature of the past and refits the model of the profile, without assumptions about the future.
The countries of an aggregate are changed together. Scenarios test the model; they are not forecasts.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.forecasting.outlook import FINAL, predict_panel
from popforecast.models.base import Array, Model
from popforecast.panel import Panel
from popforecast.studies.profile.figures import MIDDLE, RECENT, YEARS, Profile
from popforecast.text import round_in_full, sign
from popforecast.wpp.editions import REVISIONS, VINTAGES, get_edition, load_members, load_panel
from popforecast.wpp.pairing import pair


@dataclass(frozen=True, eq=False)
class Scenario:
    """Forecast of the model from a different history.

    Attributes
    ----------
    label : str
    meaning : str
        The change, as a clause.
    population : ndarray, shape (m,)
        Persons in the years of the profile.
    """

    label: str
    meaning: str
    population: Array


def imagine(profile: Profile) -> tuple[Scenario, ...]:
    r"""Return the scenarios of a profile.

    Returns
    -------
    tuple of Scenario
        **Growth as before**: growth in the last five years equals that of the previous five. **Growth of the region**:
        growth in the last five years equals that of the region (omitted for the world). **Five years ago**: the last
        five years are not used. **Base revised**: the last estimate is revised by the same factor as that of the
        previous edition was (countries that both define alike).

    Notes
    -----
    The first two keep the last estimate and change earlier ones to match the changed growth:
    :math:`\log y'_{T-k} = \log y_T - \sum_{j<k} g'_{T-j}`. The model is refitted to the changed panel.

    Examples
    --------
    >>> from popforecast.studies.profile import make_profile
    >>> [scenario.label for scenario in imagine(make_profile("Nigeria"))]
    ['growth as before', 'growth of Western Africa', 'five years ago', 'base revised as before']
    """
    return tuple(_imagine_all(profile))


def tabulate_scenarios(profile: Profile, scenarios: tuple[Scenario, ...]) -> pd.DataFrame:
    """Return the population of each scenario and the difference from our forecast, for display."""
    years = [year for year in (MIDDLE, YEARS[-1]) if year in profile.years]
    paths = [profile.median, *(scenario.population for scenario in scenarios)]
    rounding = round_in_full([profile.at(path, year) for path in paths for year in years])
    rows = {"our forecast": [text for year in years for text in (rounding.write(profile.at(profile.median, year)), "")]}
    for scenario in scenarios:
        rows[scenario.label] = [
            text
            for year in years
            for text in (rounding.write(profile.at(scenario.population, year)), sign(compare(profile, scenario, year)))
        ]
    columns = [text for year in years for text in (str(year), f"{year}: change, percent")]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("scenario")


def compare(profile: Profile, scenario: Scenario, year: int) -> float:
    """Return the difference between a scenario and our forecast in a year, in percent; NaN if one is not positive.

    A plain autoregression may fall below zero, where percentages have no meaning.
    """
    theirs, ours = profile.at(scenario.population, year), profile.at(profile.median, year)
    return 100 * (theirs / ours - 1) if min(theirs, ours) > 0 else np.nan


def change_growth(panel: Panel, rows: NDArray[np.intp], growth: Array) -> Panel:
    """Return the panel with changed growth in the last steps of some rows; the last values are kept.

    Parameters
    ----------
    panel : Panel
        Panel of positive populations.
    rows : ndarray, shape (r,)
    growth : ndarray, shape (r, k)
        Log growth in each of the last k steps.

    Examples
    --------
    >>> panel = Panel([[100, 200, 400]], [2000, 2001, 2002], pd.DataFrame({"name": ["Arda"]}))
    >>> change_growth(panel, np.array([0]), np.zeros((1, 1))).values.round(9).tolist()
    [[200.0, 400.0, 400.0]]
    """
    log, k = np.log(panel.values[rows]), growth.shape[1]
    changed = np.empty_like(log)
    changed[:, -k - 1 :] = (
        log[:, -1:] - np.cumsum(np.hstack([np.zeros((len(rows), 1)), growth[:, ::-1]]), axis=1)[:, ::-1]
    )
    changed[:, : -k - 1] = log[:, : -k - 1] + (changed[:, -k - 1] - log[:, -k - 1])[:, None]
    values = panel.values.copy()
    values[rows] = np.exp(changed)
    return replace(panel, values=values)


def _imagine_all(profile: Profile) -> Iterator[Scenario]:
    panel, k, origin = profile.panel, RECENT // profile.panel.step, profile.panel.origin
    # The row of the location and the rows of its countries.
    rows = panel.rows([profile.code, *load_members(str(panel.revision)).get(profile.code, ())])
    grown = np.diff(np.log(panel.values), axis=1)
    yield Scenario(
        "growth as before",
        f"growth from {origin - RECENT} to {origin} had been that of {origin - 2 * RECENT} to {origin - RECENT}",
        _run(profile, change_growth(panel, rows, grown[rows, -2 * k : -k])),
    )
    parent = panel.locations["parent"].to_dict()[profile.code]
    if parent is not None:
        region = panel.rows(parent)
        (name,) = panel.locations["name"].iloc[region]
        yield Scenario(
            f"growth of {name}",
            f"growth from {origin - RECENT} to {origin} had been that of {name}",
            _run(profile, change_growth(panel, rows, np.repeat(grown[region, -k:], len(rows), axis=0))),
        )
    yield Scenario("five years ago", f"nothing after {origin - RECENT} were known", _forget(profile))
    factor = _measure_factors(str(panel.revision)).get(profile.code)
    if factor is not None:
        this, before = (
            get_edition(name).edition for name in (str(panel.revision), _find_previous(str(panel.revision)))
        )
        yield Scenario(
            "base revised as before",
            f"the {origin} figure were revised as the {this} edition revised the last figure of the {before} edition, "
            "and the forecast moved with it",
            profile.median * factor,
        )


def _run(profile: Profile, panel: Panel) -> Array:
    """Return the forecast of the profile's model from a panel, in the years of the profile."""
    whole = _predict(panel, profile.forecast.model, int(profile.years[-1]))
    return whole[panel.locations.index.get_loc(profile.code), -len(profile.years) :]


def _forget(profile: Profile) -> Array:
    """Return the forecast of the profile's model without the last five years, in the years of the profile."""
    whole = _predict_forgetful(str(profile.panel.revision), profile.forecast.model, int(profile.years[-1]))
    return whole[profile.panel.locations.index.get_loc(profile.code), -len(profile.years) :]


@lru_cache(maxsize=2)
def _predict_forgetful(revision: str, model: Model, last: int) -> Array:
    """Return the forecast of all locations without the last years; cached for all profiles."""
    panel = load_panel(revision)
    return _predict(panel.until(panel.origin - RECENT), model, last)


def _predict(panel: Panel, model: Model, last: int) -> Array:
    horizon = (last - panel.origin) // panel.step
    return predict_panel(panel, model.fit(panel), horizon, (), FINAL).prediction.population


def _find_previous(revision: str) -> str:
    return [name for name in sorted(REVISIONS | VINTAGES) if name < revision][-1]


@lru_cache(maxsize=2)
def _measure_factors(revision: str) -> dict[Hashable, float]:
    """Return the factors by which an edition revised the last estimates of the previous one, by location."""
    base = pair(load_panel(_find_previous(revision)), load_panel(revision)).measure_base()
    return np.exp(base["log_revision"]).to_dict()
