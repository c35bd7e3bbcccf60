"""Validation of the plain autoregression: agreement with statsmodels, roots and residuals."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from popforecast.errors import ModelError
from popforecast.evaluation import reference
from popforecast.evaluation.diagnostics import list_tests
from popforecast.forecasting import forecast_all
from popforecast.models.ar import AR, ROOT_TOLERANCE, TRENDS, regress
from popforecast.models.base import Array
from popforecast.panel import Panel
from popforecast.panel.years import last_year
from popforecast.readers import THOUSAND
from popforecast.text import format_populations
from popforecast.wpp.editions import find_edition, load_panel

SIGNIFICANCE = 0.05

# Locations shown for a UN revision: World, more developed regions, Nigeria, India, Germany and Japan.
SHOWN = (900, 901, 566, 356, 276, 392)

# Relative differences are reported in these coarse steps. Below the first, they are rounding errors that depend on the
# processor; above the last, they are real.
AGREEMENTS = (1e-9, 1e-5)

ROOT_EDGES = (0, 0.95, 0.98, 1.0, 1.005, 1.01, 1.02, np.inf)


def tabulate_fit(panel: Panel, model: AR) -> pd.DataFrame:
    """Return the coefficients, residual standard deviation and largest root of every location.

    Returns
    -------
    DataFrame
        One row per location: constant and sigma in persons, trend in persons per step, lags, root, explosive.

    Examples
    --------
    >>> import popforecast as pf
    >>> tabulate_fit(pf.load_panel("wpp2019").select("World"), AR())[["lag 1", "root"]].round(4).values.tolist()
    [[1.0061, 1.0061]]
    """
    names = ["constant", "trend", *(f"lag {lag}" for lag in range(1, _count_lags(model) + 1))]
    arrays = model.fit(panel).arrays
    table = pd.DataFrame(arrays["coefficients"], panel.locations["name"].rename("location"), names)
    table = table.drop(columns=[name for i, name in enumerate(names[:2]) if i not in TRENDS[model.trend]])
    table["sigma"] = np.sqrt(arrays["variance"])
    table["root"] = arrays["root"]
    table["explosive"] = np.where(arrays["root"] > 1 + ROOT_TOLERANCE, "yes", "no")
    return table


def write_fit(fit: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a fit for display: persons with separators, lags and roots to four decimals."""
    persons = [column for column in ("constant", "trend", "sigma") if column in fit]
    return fit.assign(**{column: format_populations(fit[column]) for column in persons}).round(4)


def compare_with_statsmodels(panel: Panel, model: AR, horizon: int) -> pd.DataFrame:
    """Return the largest relative differences from statsmodels ``AutoReg``, fitted to every location.

    Constant series are omitted: their regressors are collinear, so their coefficients are not unique.

    Returns
    -------
    DataFrame
        For coefficients, sigma, forecast and both bounds of the 95% interval: the largest difference over all locations
        and steps, relative to the largest value of that kind in the series, and its location.
    """
    from statsmodels.tsa.api import AutoReg

    panel, lags = leave_out_constant(panel, model), _count_lags(model)
    ours = regress(panel.values, lags, model.trend)
    path = model.fit(panel).predict(horizon, [95])
    pairs: dict[str, list[tuple[Array, Array]]] = {}
    for i, series in enumerate(panel.values):
        theirs = AutoReg(series, lags, model.trend).fit()
        t = len(series)
        prediction = theirs.get_prediction(t, t + horizon - 1)
        interval = prediction.conf_int(alpha=0.05)
        for what, mine, other in (
            ("coefficients", ours.coefficients[i], theirs.params),
            ("sigma", np.sqrt(ours.variance[i : i + 1]), np.sqrt(np.array([theirs.sigma2]))),
            ("forecast", path.population[i], prediction.predicted_mean),
            ("lower bound, 95%", path.lower[95][i], interval[:, 0]),
            ("upper bound, 95%", path.upper[95][i], interval[:, 1]),
        ):
            pairs.setdefault(what, []).append((mine, np.asarray(other)))
    rows = []
    for what, series in pairs.items():
        differences = [np.abs(mine - other).max() / np.abs(other).max() for mine, other in series]
        worst = int(np.argmax(differences))
        rows.append((what, len(series), max(differences), panel.locations["name"].iloc[worst]))
    columns = ["number", "series", "largest relative difference", "found in"]
    return pd.DataFrame(rows, columns=columns).set_index("number")


def write_agreement(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return a comparison with statsmodels for display, without rounding errors that depend on the processor.

    Returns
    -------
    DataFrame
        One row per number: series, largest relative difference and, if it is real, where it was found.

    Examples
    --------
    >>> columns = ["series", "largest relative difference", "found in"]
    >>> compared = pd.DataFrame([(2, 4e-12, "Congo"), (2, 0.2, "Fiji")], ["sigma", "forecast"], columns)
    >>> write_agreement(compared).values.tolist()
    [[2, 'better than 1e-9', '–'], [2, '0.2', 'Fiji']]
    """
    differences = agreement["largest relative difference"]
    return pd.DataFrame(
        {
            "series": agreement["series"],
            "largest relative difference": differences.map(say_agreement),
            "found in": agreement["found in"].where(~(differences <= AGREEMENTS[-1]), "–"),
        }
    )


def say_agreement(difference: float) -> str:
    """Describe a relative difference in steps that rounding errors do not cross.

    Examples
    --------
    >>> say_agreement(7e-11), say_agreement(3e-7), say_agreement(0.04)
    ('better than 1e-9', 'better than 1e-5', '0.04')
    """
    bound = next((bound for bound in AGREEMENTS if difference <= bound), None)
    return f"{difference:.1g}" if bound is None else f"better than {bound:.0e}".replace("e-0", "e-")


def diagnose_residuals(panel: Panel, model: AR) -> pd.DataFrame:
    """Return the share of series whose residuals fail each test.

    Returns
    -------
    DataFrame
        One row per test: the meaning of a rejection, the number of series and the percent rejected at the 5% level.
        About 5% would be rejected if the residuals were as the model assumes.
    """
    panel, lags = leave_out_constant(panel, model), _count_lags(model)
    residuals = regress(panel.values, lags, model.trend).residuals
    columns = ["test", "what a rejection means", "p"]
    tests = pd.DataFrame([test for series in residuals for test in list_tests(series, lags)], columns=columns)
    groups = tests.assign(rejected=tests["p"] < SIGNIFICANCE).groupby(columns[:2], sort=False)["rejected"]
    table = pd.DataFrame({"series": groups.size(), "rejected, percent": 100 * groups.mean()})
    return table.reset_index(columns[1])


def count_roots(roots: pd.Series) -> pd.Series:
    """Return the number of series by range of their largest root.

    Examples
    --------
    >>> count_roots(pd.Series([0.5, 1.0, 1.015])).to_dict()["0.98 to 1.00"]
    1
    """
    # A root that equals one up to rounding is not explosive.
    ranges = pd.cut(roots.where(np.abs(roots - 1) > ROOT_TOLERANCE, 1.0), list(ROOT_EDGES), include_lowest=True)
    labels = [_name_range(low, high) for low, high in itertools.pairwise(ROOT_EDGES)]
    return ranges.cat.rename_categories(labels).value_counts(sort=False)


def check_known_table() -> pd.DataFrame:
    """Return the reproduced reference table: AR(1) with constant on the 2019 revision.

    Returns
    -------
    DataFrame
        Forecasts of the two locations by year, rounded to thousands, and whether both match the published table.

    Raises
    ------
    ModelError
        If a figure differs.
    """
    made = reference.check_known_table(forecast_all(load_panel(reference.KNOWN_REVISION), reference.KNOWN_MODEL))
    return made.apply(lambda column: format_populations(THOUSAND * column)).assign(matches="to the digit")


def choose_shown(panel: Panel, locations: Sequence[Hashable]) -> list[Hashable]:
    """Return the codes of the locations to show: those given, or a default selection, or the first of the panel.

    Examples
    --------
    >>> import popforecast as pf
    >>> choose_shown(pf.load_panel("wpp2019"), ["JPN"]), choose_shown(pf.load_panel("wpp2019"), [])[:3]
    ([392], [900, 901, 566])
    >>> choose_shown(pf.load_panel("wpp2019").select(["Malta", "Iceland"]), [])
    [470, 352]
    """
    usual = [code for code in SHOWN if code in panel.locations.index] if find_edition(panel) else []
    chosen = list(locations) or usual or panel.locations.index[: len(SHOWN)].tolist()
    return panel.select(chosen).locations.index.tolist()


def choose_last(panel: Panel, end: int, usual: int = 2050) -> int:
    """Return the last year of a close-up: the later of `usual` and `end`, as far as the panel can be forecast.

    Examples
    --------
    >>> import popforecast as pf
    >>> choose_last(pf.load_panel("wpp2019"), 2035), choose_last(pf.load_panel("wpp2019"), 2060)
    (2050, 2060)
    """
    last = min(max(end, usual), last_year(panel))
    return last - (last - panel.origin) % panel.step


def leave_out_constant(panel: Panel, model: AR) -> Panel:
    """Return the panel without constant series, whose regressors are collinear."""
    past = panel.values[:, : -_count_lags(model)]
    return panel.select(panel.locations.index[past.max(axis=1) > past.min(axis=1)].tolist())


def _count_lags(model: AR) -> int:
    if not isinstance(model.lags, int) or model.lags < 1 or model.transform != "level":
        raise ModelError(f"{model!r}: expected an autoregression on levels with a fixed number of lags, 1 or more")
    return model.lags


def _name_range(low: float, high: float) -> str:
    if low == 0:
        return f"up to {high:.2f}"
    return f"above {low:.2f}" if np.isinf(high) else f"{low:g} to {high:g}" if high > 1 else f"{low:.2f} to {high:.2f}"
