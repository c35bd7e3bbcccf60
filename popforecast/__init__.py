"""Forecast the population of every country and region from past UN totals, with a record of past accuracy.

>>> import popforecast as pf
>>> panel = pf.load_panel("wpp2019")
>>> fc = pf.forecast(panel, ["World"], start=2030, end=2035, model="ar1")
>>> fc.to_table().iloc[0, 0]
'8,745,733,000'
"""

import warnings
from typing import Any

from popforecast import models, readers, scale
from popforecast.errors import PopforecastError
from popforecast.evaluation import scores
from popforecast.evaluation.backtesting import Backtest, backtest
from popforecast.evaluation.record import load_record, load_vintage_record
from popforecast.evaluation.vintages import Vintages, compare_vintages
from popforecast.forecasting import fit, forecast, forecast_all
from popforecast.forecasting.outlook import Outlook
from popforecast.forecasting.result import Forecast
from popforecast.forecasting.store import load_fit, load_fitted, save_fit
from popforecast.models import AR, Cohort, Combination, DampedGrowth, Drift, Fitted, GuardedAR, Model, Naive, PanelAR
from popforecast.panel import Components, Panel
from popforecast.panel.rectangles import UnevenPanel
from popforecast.readers import Reading, read_panel, read_wpp
from popforecast.session import Session
from popforecast.version import __version__
from popforecast.wpp.components import load_components
from popforecast.wpp.editions import REVISIONS, load_panel, load_projections
from popforecast.wpp.fetching import fetch

__all__ = [
    "AR",
    "REVISIONS",
    "Backtest",
    "Cohort",
    "Combination",
    "Components",
    "DampedGrowth",
    "Drift",
    "Fitted",
    "Forecast",
    "GuardedAR",
    "Model",
    "Naive",
    "Outlook",
    "Panel",
    "PanelAR",
    "PopforecastError",
    "Reading",
    "Rectangles",
    "Session",
    "UnevenPanel",
    "Vintages",
    "__version__",
    "backtest",
    "compare",
    "compare_vintages",
    "fetch",
    "fit",
    "forecast",
    "forecast_all",
    "load",
    "load_components",
    "load_fit",
    "load_fitted",
    "load_panel",
    "load_projections",
    "load_record",
    "load_vintage_record",
    "look_ahead",
    "models",
    "read",
    "read_long",
    "read_panel",
    "read_un_long",
    "read_un_wide",
    "read_wpp",
    "save",
    "save_fit",
    "scale",
    "scores",
]

# Deprecated names: the object each returns, and the name to use instead.
_DEPRECATED: dict[str, tuple[Any, str]] = {
    "Rectangles": (UnevenPanel, "UnevenPanel"),
    "compare": (compare_vintages, "compare_vintages"),
    "load": (load_fit, "load_fit"),
    "look_ahead": (forecast_all, "forecast_all"),
    "read": (read_wpp, "read_wpp"),
    "read_long": (readers.read_long, "read_panel"),
    "read_un_long": (readers.read_un_long, "read_wpp"),
    "read_un_wide": (readers.read_un_wide, "read_wpp"),
    "save": (save_fit, "save_fit"),
}


def __getattr__(name: str) -> Any:
    """Return the object of a deprecated name, with a warning at its first use."""
    if name not in _DEPRECATED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found, successor = _DEPRECATED[name]
    warnings.warn(
        f"popforecast.{name} is deprecated and will go in version 1.0: use popforecast.{successor}",
        DeprecationWarning,
        stacklevel=2,
    )
    # Stored in the module, so that the warning appears only once.
    globals()[name] = found
    return found
