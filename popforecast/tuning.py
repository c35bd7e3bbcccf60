"""On which countries our models were chosen and tuned, and which were left alone until all was decided."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Models were chosen and tuned on the first set; the second is looked at once, when all is decided.
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
