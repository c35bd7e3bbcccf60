"""Two sets of countries: one for choosing and tuning our models, the other for a single final evaluation."""

from __future__ import annotations

import numpy as np
import pandas as pd

TUNING, REPORTED, ALL = "tuning", "reported", "all"


def choose(codes: pd.Index, countries: str) -> np.ndarray:
    """Return a mask of the locations in the set; codes of the tuning set give an odd integer when divided by four.

    Examples
    --------
    >>> choose(pd.Index([4, 8, 12]), "tuning").tolist()
    [True, False, True]
    """
    odd = codes.to_numpy() // 4 % 2 == 1
    return {TUNING: odd, REPORTED: ~odd, ALL: np.ones_like(odd)}[countries]
