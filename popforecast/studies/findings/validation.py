"""Text of the notebook ``2-validate-ar``; each sentence is computed from the results of the model."""

from __future__ import annotations

import pandas as pd

from popforecast.evaluation.reference import KNOWN_REVISION, forecast_known_table, load_known_table
from popforecast.forecasting import forecast_all
from popforecast.models.ar import AR
from popforecast.panel import Panel
from popforecast.readers import THOUSAND
from popforecast.studies.validation import (
    AGREEMENTS,
    SIGNIFICANCE,
    leave_out_constant,
    say_agreement,
)
from popforecast.text import format_population, join_words
from popforecast.wpp.editions import load_panel

# Rejections, in percent of series, up to which a test is no evidence against a model: twice the nominal level.
USUAL = 200 * SIGNIFICANCE


def tell_validation(panel: Panel, model: AR, fits: pd.DataFrame, agreement: pd.DataFrame, tests: pd.DataFrame) -> str:
    """Summarise in a sentence whether the implementation is correct and the model adequate.

    Parameters
    ----------
    panel, model
        Panel and fitted model.
    fits, agreement, tests : DataFrame
        Results of `tabulate_fit`, `compare_with_statsmodels` and `diagnose_residuals` of
        :mod:`popforecast.studies.validation`.
    """
    difference = agreement["largest relative difference"].max()
    agrees = "agrees with statsmodels to" if difference <= AGREEMENTS[-1] else "differs from statsmodels by up to"
    explosive = int((fits["explosive"] == "yes").sum())
    return (
        f"Our {model.name} {agrees} {say_agreement(difference)}{_compare_known_table(panel, model)}. "
        f"{explosive or 'None'} of {len(fits)} series {'has' if explosive < 2 else 'have'} an explosive root, and "
        f"{_say_dependent(tests)}."
    )


def tell_residuals(tests: pd.DataFrame) -> str:
    """Describe the residual tests that reject more series than chance would.

    Examples
    --------
    >>> columns = ["what a rejection means", "series", "rejected, percent"]
    >>> tests = pd.DataFrame([["large errors cluster in time", 40, 5.0]], ["ARCH, 4 lags"], columns)
    >>> tell_residuals(tests)
    'No test rejects many more series than chance would: the residuals are close to what the model assumes.'
    """
    shares = tests["rejected, percent"]
    found = [f"{tests['what a rejection means'][test]} ({shares[test]:.0f}%)" for test in tests.index[shares > USUAL]]
    if not found:
        return "No test rejects many more series than chance would: the residuals are close to what the model assumes."
    return f"In more series than chance would explain, {join_words(found)}. The model's intervals assume the opposite."


def tell_left_out(panel: Panel, model: AR) -> str:
    """List the constant series, which cannot be compared; empty if there are none.

    Examples
    --------
    >>> import popforecast as pf
    >>> tell_left_out(pf.load_panel("wpp2019").select(["World", "VAT"]), AR())
    'Holy See never changes, so it has no unique coefficients and is left out.'
    """
    names = panel.locations["name"]
    left = names[~names.index.isin(leave_out_constant(panel, model).locations.index)].tolist()
    if not left:
        return ""
    one = len(left) == 1
    return (
        f"{join_words(left)} never {'changes' if one else 'change'}, so {'it has' if one else 'they have'} no unique "
        f"coefficients and {'is' if one else 'are'} left out."
    )


def _compare_known_table(panel: Panel, model: AR) -> str:
    """Describe whether the model reproduces the reference table; empty if fitted to other data."""
    if panel.checksum != load_panel(KNOWN_REVISION).checksum:
        return ""
    made, known = forecast_known_table(forecast_all(panel, model)), load_known_table()
    first = f"{known.columns[0]} {known.index[0]}"
    ours, published = (format_population(THOUSAND * table.to_numpy()[0, 0]) for table in (made, known))
    if made.equals(known):
        return f" and reproduces the known table to the digit ({first}: {ours})"
    return f"; it does not reproduce the known table, which is {AR().name}'s ({first}: {ours}, there {published})"


def _say_dependent(tests: pd.DataFrame) -> str:
    series, share = int(tests["series"].iloc[0]), float(tests["rejected, percent"].iloc[0])
    rejected = round(series * share / 100)
    said = f"{rejected or 'none'} of {series} {'has' if rejected < 2 else 'have'} residuals that are not independent"
    return (
        f"{said}, {'about as many as by chance' if share <= USUAL else 'although its intervals assume that they are'}"
    )
