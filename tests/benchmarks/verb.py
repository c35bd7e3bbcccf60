"""The whole ``forecast`` verb with intervals against a loop over statsmodels' predictions with theirs."""

from __future__ import annotations

import warnings

import popforecast as pf

from .figure import Figure, compare

LEVELS = (80, 95)


def measure() -> list[Figure]:
    """Compare forecasts of every series of the 2019 revision, 2021 to 2035, at two levels."""
    from statsmodels.tsa.ar_model import AutoReg

    panel = pf.load_panel("wpp2019")
    first = len(panel.years)

    def loop() -> None:
        for series in panel.values:
            prediction = AutoReg(series, lags=1).fit().get_prediction(first, first + 14)
            for level in LEVELS:
                prediction.conf_int(alpha=1 - level / 100)

    with warnings.catch_warnings():
        # The Vatican's population hardly changes, and statsmodels says so of its design matrix.
        warnings.simplefilter("ignore")
        name = f"forecast() of {len(panel)} series with intervals"
        return [compare(name, lambda: pf.forecast(panel, None, 2021, 2035, "ar1", LEVELS), loop, asked=100)]
