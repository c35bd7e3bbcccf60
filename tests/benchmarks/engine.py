"""The batched AR against a loop over statsmodels: fit and forecast of every series of the 2019 revision."""

from __future__ import annotations

import warnings

import popforecast as pf

from .figure import Figure, compare

HORIZON = 15


def measure() -> list[Figure]:
    """Compare fit and point forecast."""
    from statsmodels.tsa.ar_model import AutoReg

    panel = pf.load_panel("wpp2019")
    first, last = len(panel.years), len(panel.years) + HORIZON - 1

    def loop() -> None:
        for series in panel.values:
            AutoReg(series, lags=1).fit().predict(first, last)

    with warnings.catch_warnings():
        # The Vatican's population hardly changes, and statsmodels says so of its design matrix.
        warnings.simplefilter("ignore")
        name = f"AR fit and forecast of {len(panel)} series"
        return [compare(name, lambda: pf.AR().fit(panel).predict(HORIZON), loop, asked=200)]
