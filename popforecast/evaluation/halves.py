"""The two sets of countries: on one, our models were chosen and tuned; the other was looked at once, at the end."""

from __future__ import annotations

import numpy as np
import pandas as pd

TUNING, REPORTED, ALL = "tuning", "reported", "all"


def choose(codes: pd.Index, countries: str) -> np.ndarray:
    """Return which locations belong to the set: those to tune on have an odd quarter of their code.

    Examples
    --------
    >>> choose(pd.Index([4, 8, 12]), "tuning").tolist()
    [True, False, True]
    """
    odd = codes.to_numpy() // 4 % 2 == 1
    return {TUNING: odd, REPORTED: ~odd, ALL: np.ones_like(odd)}[countries]
