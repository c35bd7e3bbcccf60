"""Forecast the population of every country and region from past population, and say how wrong it may be.

>>> import popforecast as pf
>>> panel = pf.load_panel("wpp2019")
>>> fc = pf.forecast(panel, ["World"], start=2030, end=2035, model="ar1")
>>> fc.to_table().iloc[0, 0]
'8,745,733,000'
"""

from popforecast import models, scale
from popforecast.errors import PopforecastError
from popforecast.evaluation import scores
from popforecast.evaluation.backtesting import Backtest, backtest
from popforecast.evaluation.record import load_record, load_vintage_record
from popforecast.evaluation.vintages import Vintages, compare
from popforecast.forecasting import fit, forecast, look_ahead
from popforecast.forecasting.outlook import Outlook
from popforecast.forecasting.result import Forecast
from popforecast.forecasting.store import load, load_fitted, save
from popforecast.models import AR, DampedGrowth, Drift, Fitted, GuardedAR, Model, Naive, PanelAR
from popforecast.panel import Panel
from popforecast.panel.rectangles import Rectangles
from popforecast.readers import Reading, read, read_long, read_panel, read_un_long, read_un_wide
from popforecast.version import __version__
from popforecast.wpp.editions import REVISIONS, load_panel, load_projections
from popforecast.wpp.fetching import fetch

__all__ = [
    "AR",
    "REVISIONS",
    "Backtest",
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
    "Vintages",
    "__version__",
    "backtest",
    "compare",
    "fetch",
    "fit",
    "forecast",
    "load",
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
    "save",
    "scale",
    "scores",
]
