"""What no interval of a sum may be: what the tests of sums and their benchmark share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from popforecast.models import Prediction
from popforecast.panel.groups import Membership

ROUNDING = 1e-9


class Faults(NamedTuple):
    """Bounds that cross another or the forecast, bounds beyond those of all members together, and bounds in all."""

    crossing: int
    wider: int
    of: int


def count_faults(prediction: Prediction, membership: Membership) -> Faults:
    """Count what no interval of a sum may be, up to rounding, and a person where members are printed whole."""
    rows, levels = membership.aggregate_rows, sorted(prediction.lower)
    point = prediction.population[rows]
    lower, upper = (
        np.stack([bounds[level][rows] for level in levels]) for bounds in (prediction.lower, prediction.upper)
    )
    chain = np.concatenate([lower[::-1], point[None], upper])
    # What is no number is counted, too.
    crossing = ~(chain[1:] >= chain[:-1] * (1 - ROUNDING))
    members = membership.country_rows

    def add(values: np.ndarray) -> np.ndarray:
        # A product would make no number of a bound without end that is no part of the sum.
        return np.where(membership.matrix[..., None], values[members], 0).sum(axis=1)

    whole = add(prediction.population)
    # A sum that is printed as nobody is no share of its members.
    scale = np.divide(point, whole, out=np.ones_like(point), where=(whole > 0) & (point > 0))
    least, most = (
        np.stack([scale * add(bounds[level]) for level in levels]) for bounds in (prediction.lower, prediction.upper)
    )
    wider = (lower < least * (1 - ROUNDING) - 1) | (upper > most * (1 + ROUNDING) + 1)
    return Faults(int(crossing.sum()), int(wider.sum()), chain.size)
