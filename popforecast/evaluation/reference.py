"""The known table: AR(1) with constant on WPP 2019, computed independently before this project began.

It tests data and arithmetic together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from popforecast.data import read_facts
from popforecast.errors import ModelError
from popforecast.forecasting.outlook import Outlook
from popforecast.readers import THOUSAND

KNOWN_REVISION, KNOWN_MODEL = "wpp2019", "ar1"


def load_known_table() -> pd.DataFrame:
    """Return the known table, in thousands: years by two locations.

    Examples
    --------
    >>> load_known_table().loc[2030].to_dict()
    {'World': 8745733, 'More developed regions': 1304051}
    """
    kinds = dict.fromkeys(("year", "World", "More developed regions"), int)
    return pd.DataFrame(read_facts("known-table.csv", **kinds), columns=list(kinds)).set_index("year")


def forecast_known_table(outlook: Outlook) -> pd.DataFrame:
    """Return a model's forecasts for the years and locations of the known table, in thousands."""
    known = load_known_table()
    made = outlook.forecast(list(known), int(known.index[0]), int(known.index[-1]), ())
    return pd.DataFrame(np.rint(made.population.T / THOUSAND).astype(np.int64), known.index, known.columns)


def check_known_table(outlook: Outlook) -> pd.DataFrame:
    """Return a model's forecasts for the known table, after checking that they equal it.

    Raises
    ------
    ModelError
        If a figure differs; the error names the first.
    """
    made, known = forecast_known_table(outlook), load_known_table()
    wrong = np.argwhere(made.to_numpy() != known.to_numpy())
    if len(wrong):
        year, place = known.index[wrong[0, 0]], known.columns[wrong[0, 1]]
        raise ModelError(
            f"{outlook.model.name} on {outlook.panel.revision} gives {made[place][year]:,} thousand for {place} in "
            f"{year}, expected {known[place][year]:,}: the data or the model has changed"
        )
    return made
