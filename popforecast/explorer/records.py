"""How good the models on show would have been: the embedded record, or a backtest of a model of one's own."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from popforecast.evaluation.backtesting import backtest
from popforecast.evaluation.record import FIRST_ORIGIN, HORIZONS, load_record, load_vintage_record
from popforecast.explorer.queries import MOST_OUTLOOKS, get_panel
from popforecast.explorer.specifications import is_named
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.models.base import Model


def find_record(revision: str, model: Model) -> pd.DataFrame:
    """Return the errors of a model for every location, as :func:`popforecast.load_record` has them.

    Examples
    --------
    >>> import popforecast as pf
    >>> find_record("wpp2024", pf.AR(2, "ct")).query("location_code == 566")[["horizon", "n"]].values.tolist()
    [[1, 35], [5, 31], [10, 26], [20, 16]]
    """
    if is_named(model):
        record = _load(revision)
        return record[record["model"] == model.name]
    return _measure(revision, model)


@lru_cache(maxsize=1)
def find_vintage_record() -> pd.DataFrame:
    """Return the errors on what was known then, as :func:`popforecast.load_vintage_record` has them."""
    return load_vintage_record()


@lru_cache(maxsize=2)
def _load(revision: str) -> pd.DataFrame:
    return load_record(revision)


@lru_cache(maxsize=MOST_OUTLOOKS)
def _measure(revision: str, model: Model) -> pd.DataFrame:
    panel = get_panel(revision)
    origins = [int(year) for year in panel.years if FIRST_ORIGIN <= year < panel.origin]
    errors = backtest(panel, [model], origins, HORIZONS, DEFAULT_LEVELS).errors
    held = {
        f"coverage_{level}": 100.0 * errors["outcome"].between(errors[f"lower_{level}"], errors[f"upper_{level}"])
        for level in DEFAULT_LEVELS
    }
    groups = errors.assign(**held).groupby(["location_code", "model", "horizon"], sort=False, observed=True)
    measures = {"n": ("ape", "size"), "mape": ("ape", "mean"), "median_ape": ("ape", "median")}
    measures |= {name: (name, "mean") for name in held}
    return groups.agg(**measures).round(2).reset_index()
