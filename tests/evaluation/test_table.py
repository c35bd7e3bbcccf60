"""The table of errors has a row for each outcome that is known, and is measured group by group."""

from __future__ import annotations

import numpy as np
import pandas as pd

import popforecast as pf
from popforecast.evaluation.table import mark_held, score, tabulate
from popforecast.models.base import Prediction

PANEL = pf.Panel([[1, 2, 3], [4, 5, 6]], [2000, 2001, 2002], pd.DataFrame({"name": ["A", "B"]}, index=[7, 8]))
OUTCOME = np.array([[2.0, 4.0], [10.0, np.nan]])
PREDICTION = Prediction(np.array([[3.0, 4.0], [5.0, 6.0]]), {80: OUTCOME - 1}, {80: OUTCOME + 1})


def test_an_outcome_that_is_not_known_has_no_row_and_a_level_that_is_not_stated_no_bounds() -> None:
    errors = tabulate(
        PANEL, OUTCOME, PREDICTION, [80, 95], {"model": "m"}, {"year": [2003, 2004]}, scale=[[1.0], [2.0]]
    )
    assert errors[["model", "location_code", "year", "scale"]].values.tolist() == [
        ["m", 7, 2003, 1.0],
        ["m", 7, 2004, 1.0],
        ["m", 8, 2003, 2.0],
    ]
    assert errors["ape"].tolist() == [50.0, 0.0, 50.0]
    held = mark_held(errors, [80, 95])
    assert held["held_80"].all()
    assert held["held_95"].isna().all()


def test_scores_of_a_level_need_bounds_for_every_forecast() -> None:
    errors = tabulate(PANEL, OUTCOME, PREDICTION, [80, 95], {"model": "m"}, {"year": [2003, 2004]})
    errors.loc[errors["year"] == 2004, ["lower_95", "upper_95"]] = 1.0, 9.0
    scored = score(errors, ["model", "year"], [80, 95])
    assert scored["year"].tolist() == [2003, 2004]
    assert scored["mape"].tolist() == [50.0, 0.0]
    assert scored["coverage_80"].tolist() == [100.0, 100.0]
    assert scored["coverage_95"].isna().tolist() == scored["wis"].isna().tolist() == [True, False]
