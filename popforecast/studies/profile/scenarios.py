"""What would change a forecast: the same model, shown another past.

Each scenario changes one thing that is known or could be, and runs the profile's own model again; nothing is assumed
about the future. An aggregate's countries are changed together. They are questions to the model, not forecasts.
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
    """What the model says of another past.

    Attributes
    ----------
    label : str
    meaning : str
        What is changed, in a sentence.
    population : ndarray, shape (m,)
        Persons at the profile's years.
    """

    label: str
    meaning: str
    population: Array


def imagine(profile: Profile) -> tuple[Scenario, ...]:
    r"""Run a profile's model on other pasts.

    Returns
    -------
    tuple of Scenario
        **Growth as before**: the last five years grew like the five before them. **Growth of the region**: in the last
        five years the location grew like its region (left out for the world). **Five years ago**: the last five years
        are not known yet. **Base revised**: the last estimate is off by as much as that of the edition before was, by
        what this edition says of the same year (countries that both define alike).

    Notes
    -----
    In the first two the last estimate stays, and earlier ones move with the growth between them: the history is
    :math:`\log y'_{T-k} = \log y_T - \sum_{j<k} g'_{T-j}`. The model is fitted anew to the panel so changed.

    Examples
    --------
    >>> from popforecast.studies.profile import make_profile
    >>> [scenario.label for scenario in imagine(make_profile("Nigeria"))]
    ['growth as before', 'growth of Western Africa', 'five years ago', 'base revised as before']
    """
    return tuple(_imagine_all(profile))


def tabulate_scenarios(profile: Profile, scenarios: tuple[Scenario, ...]) -> pd.DataFrame:
    """Return each scenario's population, and how far it lies from our forecast, for people."""
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
    """Return how far a scenario lies above our forecast in a year, in percent; NaN where either is no population.

    A plain autoregression may fall below zero, and a share of less than nobody says nothing.
    """
    theirs, ours = profile.at(scenario.population, year), profile.at(profile.median, year)
    return 100 * (theirs / ours - 1) if min(theirs, ours) > 0 else np.nan


def change_growth(panel: Panel, rows: NDArray[np.intp], growth: Array) -> Panel:
    """Return the panel with other growth in the last steps of some rows; their last figures stay.

    Parameters
    ----------
    panel : Panel
        All populations above zero.
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
    # The location's own row, and those of its countries.
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
    """Return what the profile's model says of a panel, at the profile's years."""
    whole = _predict(panel, profile.forecast.model, int(profile.years[-1]))
    return whole[panel.locations.index.get_loc(profile.code), -len(profile.years) :]


def _forget(profile: Profile) -> Array:
    """Return what the profile's model would have said five years ago, at the profile's years."""
    whole = _predict_forgetful(str(profile.panel.revision), profile.forecast.model, int(profile.years[-1]))
    return whole[profile.panel.locations.index.get_loc(profile.code), -len(profile.years) :]


@lru_cache(maxsize=2)
def _predict_forgetful(revision: str, model: Model, last: int) -> Array:
    """Predict all locations without the last years: the same for every profile."""
    panel = load_panel(revision)
    return _predict(panel.until(panel.origin - RECENT), model, last)


def _predict(panel: Panel, model: Model, last: int) -> Array:
    horizon = (last - panel.origin) // panel.step
    return predict_panel(panel, model.fit(panel), horizon, (), FINAL).prediction.population


def _find_previous(revision: str) -> str:
    return [name for name in sorted(REVISIONS | VINTAGES) if name < revision][-1]


@lru_cache(maxsize=2)
def _measure_factors(revision: str) -> dict[Hashable, float]:
    """Return by what factor an edition changed the last figures of the one before, where both define them alike."""
    base = pair(load_panel(_find_previous(revision)), load_panel(revision)).measure_base()
    return np.exp(base["log_revision"]).to_dict()
