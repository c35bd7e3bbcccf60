"""The known table: AR(1) with constant on WPP 2019, which was computed independently before this project began.

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
    """Load the known table, in thousands: years by two locations.

    Examples
    --------
    >>> load_known_table().loc[2030].to_dict()
    {'World': 8745733, 'More developed regions': 1304051}
    """
    kinds = dict.fromkeys(("year", "World", "More developed regions"), int)
    return pd.DataFrame(read_facts("known-table.csv", **kinds), columns=list(kinds)).set_index("year")


def forecast_known_table(outlook: Outlook) -> pd.DataFrame:
    """Return what a model makes of the known table, in thousands: years by two locations."""
    known = load_known_table()
    made = outlook.forecast(list(known), int(known.index[0]), int(known.index[-1]), ())
    return pd.DataFrame(np.rint(made.population.T / THOUSAND).astype(np.int64), known.index, known.columns)


def check_known_table(outlook: Outlook) -> pd.DataFrame:
    """Return what a model makes of the known table, which must be the known figures.

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
            f"{year}, expected {known[place][year]:,}: the data or the model is not what it was"
        )
    return made
