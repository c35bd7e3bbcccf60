"""Aggregates and groups: sums of their countries, with intervals from joint past errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from popforecast.models.base import Array
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen
from popforecast.panel.groups import Membership

# Weight of the prior, in independent outcomes. Not tuned: values from 2 to 8 give similar coverage.
PRIOR_OUTCOMES = 4

# Past log errors are limited to this, a factor of e**3 = 20; larger ones are faults in the data.
MOST_ERROR = 3.0

# Maximum log distance; exp of slightly more overflows.
FARTHEST = 700.0


@dataclass(frozen=True, eq=False)
class PastErrors(Frozen):
    """Forecast errors at past origins, for n countries, o origins and h horizons.

    Attributes
    ----------
    errors : ndarray, shape (n, o, h)
        Log of outcome over forecast; NaN where the outcome is unknown.
    scale_then : ndarray, shape (n, o, h) or broadcastable to it
        Error scales at past origins.
    scale_now : ndarray, shape (n, h) or broadcastable to it
        Error scales at the current origin.
    horizons : ndarray, shape (h,)
        Steps ahead, increasing, from 1.
    spacing : float
        Steps between origins.
    """

    errors: Array
    scale_then: Array
    scale_now: Array
    horizons: NDArray[np.int64]
    spacing: float = 1

    def rescale(self) -> Array:
        """Return the errors rescaled to the current error scale, shape (n, o, h)."""
        now = np.broadcast_to(self.scale_now, (self.errors.shape[0], self.errors.shape[2]))[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            today = self.errors / self.scale_then * now
        return np.clip(np.where(np.isfinite(today), today, np.nan), -MOST_ERROR, MOST_ERROR)


def is_whole(panel: Panel) -> bool:
    """Whether all figures of a panel are whole numbers."""
    return bool((panel.values == np.rint(panel.values)).all())


def measure_shares(panel: Panel, membership: Membership) -> Array:
    """Return the remainder of each aggregate outside its countries at the origin, as a share of their sum."""
    now = panel.values[:, -1]
    total = membership.matrix.astype(np.float64) @ now[membership.country_rows]
    return np.divide(now[membership.aggregate_rows], total, out=np.ones_like(total), where=total > 0) - 1


def sum_members(population: Array, membership: Membership, shares: Array, whole: bool = True) -> Array:
    r"""Return the forecasts of aggregates as sums of their countries.

    .. math:: \hat Y_{h} = \sum_i \langle \hat y_{ih} \rangle + \langle s \sum_i \langle \hat y_{ih} \rangle \rangle

    where :math:`\langle \cdot \rangle` rounds to whole persons: a printed aggregate is exactly the sum of its printed
    countries and a remainder with a constant share s, so that the forecast continues the history without a jump.

    Parameters
    ----------
    population : ndarray, shape (n, h)
        Point forecasts of the membership's countries.
    membership : Membership
    shares : ndarray, shape (a,)
        As returned by :func:`measure_shares`.
    whole : bool
        Whether to round to whole persons; panels in other units are not rounded.

    Returns
    -------
    ndarray, shape (a, h)

    Examples
    --------
    >>> from popforecast.panel.groups import Membership
    >>> both = Membership((1, 2), (0,), np.array([1, 2]), np.array([0]), np.array([[True, True]]))
    >>> sum_members(np.array([[1000.4], [2000.4]]), both, np.array([0.001]))
    array([[3003.]])
    """
    listed = np.rint(population) if whole else population
    total = membership.matrix.astype(np.float64) @ listed
    remainder = shares[:, None] * total
    return total + (np.rint(remainder) if whole else remainder)


def add_widths(population: Array, widths: Mapping[float, Array], matrix: NDArray[np.bool_]) -> dict[float, Array]:
    r"""Return log half-widths of aggregates for perfectly correlated errors of their countries.

    The bounds are the sums of the countries' bounds, with half-widths :math:`-\log \sum_i w_i e^{-l_i}` below and
    :math:`\log \sum_i w_i e^{u_i}` above: the extremes that are possible within all countries' intervals.

    Parameters
    ----------
    population : ndarray, shape (n, h)
        Forecasts of the countries.
    widths : dict of float to ndarray, shape (2, n, h)
        Log half-widths of the countries below and above, by level in percent.
    matrix : ndarray of bool, shape (a, n)

    Returns
    -------
    dict of float to ndarray, shape (2, a, h)

    Examples
    --------
    >>> both = np.array([[True, True]])
    >>> widths = {80: np.log([[[2.0], [1.0]], [[3.0], [1.0]]])}
    >>> add_widths(np.array([[1.0], [3.0]]), widths, both)[80].round(4).tolist()
    [[[0.1335]], [[0.4055]]]
    """
    # Computed once for all levels, because this takes most of the time.
    weights = _weigh(population, matrix)
    return {level: np.swapaxes(_add(weights, width), -1, -2) for level, width in widths.items()}


def combine_widths(
    population: Array, widths: Mapping[float, Array], matrix: NDArray[np.bool_], past: PastErrors
) -> dict[float, Array]:
    r"""Return log half-widths of aggregates.

    With :math:`w_i` the country's share of the aggregate's forecast and :math:`c_i = w_i s_i q` its current spread (s
    its error scale, q the root mean square of all countries' scaled errors at that horizon):

    1. The joint error of the aggregate at each past origin is :math:`J_o = \log \sum_i w_i e^{x_{io}}`, with
       :math:`x_{io}` the country's rescaled error: common errors add up, independent ones cancel.
    2. :math:`\kappa^2 = \overline{J^2} / (\sum c_i)^2` is the share of the spread that is left after cancelling: 1 for
       perfectly correlated errors, about 1/n for independent ones. Joint errors are few and overlap, so estimates are
       shrunk towards that of the horizon before, :math:`(\nu \hat\kappa^2 + 4 \kappa^2_{before}) / (\nu + 4)`, and for
       the first, towards :math:`\rho + (1 - \rho) \sum c_i^2 / (\sum c_i)^2` with :math:`\rho` the average correlation
       of the panel's countries. As a share, it is limited to 1. :math:`\nu` is the number of non-overlapping outcomes
       times :math:`1 - \theta`: if one country dominates (:math:`\theta = \sum c_i^4 / (\sum c_i^2)^2` near 1), joint
       errors are uninformative, and its own calibration counts.
    3. The width is :math:`\kappa` times a mixture: the width for perfect correlation (:func:`add_widths`, with the
       countries' tails), with weight :math:`\max(\theta, \kappa^4)`, and the normal width :math:`z \sum c_i` (the limit
       for many independent errors) with the remaining weight. :math:`\theta` and :math:`\kappa^4` are the shares of
       kurtosis that remain in a sum. Both parts grow with the level, so intervals are nested.
    4. Widths do not shrink with the horizon, and never exceed the first part of step 3, the sums of the countries'
       bounds. Horizons without known outcomes use the last known q and :math:`\kappa`; without any, errors are treated
       as perfectly correlated.

    Horizons must be complete from the first: a width depends on earlier horizons, never on later ones.

    Parameters
    ----------
    population : ndarray, shape (n, h)
    widths : dict of float to ndarray, shape (2, n, h)
        Log half-widths of the countries below and above their forecasts, by level in percent.
    matrix : ndarray of bool, shape (a, n)
    past : PastErrors

    Returns
    -------
    dict of float to ndarray, shape (2, a, h)
    """
    weights = _weigh(population, matrix)
    today = past.rescale()
    now = np.broadcast_to(past.scale_now, population.shape)
    scaled = np.divide(today, now[:, None], out=np.full_like(today, np.nan), where=now[:, None] > 0)
    usual = _root_mean_square(scaled)
    known = np.isfinite(usual)
    # Widths have shape (2, h, a) here.
    added = {level: _add(weights, width) for level, width in widths.items()}
    if not known.any():
        return {level: np.swapaxes(width, -1, -2) for level, width in added.items()}
    # The horizon whose root mean square is used for each: its own, the last known before it, or the first known.
    latest = np.maximum.accumulate(np.where(known, np.arange(len(known)), known.argmax()))
    spread = weights * now.T[:, None]
    parts = divide(spread, spread.sum(axis=2, keepdims=True))
    squares = np.sum(parts**2, axis=2)
    concentration = divide(np.sum(parts**4, axis=2), squares**2)
    together = spread.sum(axis=2) * np.fmax.accumulate(usual)[latest][:, None]
    joint, outcomes = _join_errors(weights, matrix, today, past)
    rho = _correlate(scaled[:, :, 0])
    prior = rho + (1 - rho) * squares[0]
    left = _shrink(divide(joint, together**2), outcomes * (1 - concentration), prior)
    shape = np.maximum(concentration, left**2)
    combined = {}
    for level, whole in added.items():
        normal = NormalDist().inv_cdf(0.5 + level / 200) * together
        mixed = np.maximum.accumulate(np.sqrt(left) * (shape * whole + (1 - shape) * normal), axis=1)
        combined[level] = np.swapaxes(np.minimum(mixed, whole), -1, -2)
    return combined


def _weigh(population: Array, matrix: NDArray[np.bool_]) -> Array:
    """Return the share of each country in each aggregate, shape (h, a, n)."""
    held = matrix * population.T[:, None]
    return divide(held, held.sum(axis=2, keepdims=True))


def _add(weights: Array, widths: Array) -> Array:
    """Return half-widths of sums, shape (2, h, a), for perfectly correlated members with widths (2, n, h)."""
    below, above = np.minimum(widths, FARTHEST)
    down, up = (np.einsum("han,nh->ha", weights, change) for change in (np.expm1(-below), np.expm1(above)))
    with np.errstate(divide="ignore"):
        return np.minimum(np.stack([-np.log1p(np.maximum(down, -1)), np.log1p(up)]), FARTHEST)


def _join_errors(weights: Array, matrix: NDArray[np.bool_], today: Array, past: PastErrors) -> tuple[Array, Array]:
    """Return the mean square of joint errors, and the number that do not overlap, both of shape (h, a)."""
    by_horizon = today.transpose(2, 0, 1)
    lost = np.isnan(by_horizon)
    joint = np.log1p(weights @ np.expm1(np.where(lost, 0, by_horizon)))
    seen = ~(matrix.astype(np.float64) @ lost > 0)
    count = seen.sum(axis=2)
    mean_square = divide(np.sum(np.where(seen, joint**2, 0), axis=2), count)
    return mean_square, count * np.minimum(1, past.spacing / past.horizons)[:, None]


def _correlate(scaled: Array) -> float:
    """Return the average correlation between countries of scaled errors (n, o), between 0 and 1."""
    scaled = scaled[:, np.isfinite(scaled).all(axis=0)]
    n, o = scaled.shape
    square = np.mean(scaled**2) if o else 0.0
    if n < 2 or not square:
        return 1.0
    return float(np.clip((n * np.mean(scaled.mean(axis=0) ** 2) / square - 1) / (n - 1), 0, 1))


def _shrink(estimate: Array, outcomes: Array, prior: Array) -> Array:
    shrunk = np.empty_like(estimate)
    for h, (here, seen) in enumerate(zip(estimate, outcomes, strict=True)):
        prior = np.minimum((seen * here + PRIOR_OUTCOMES * prior) / (seen + PRIOR_OUTCOMES), 1)
        shrunk[h] = prior
    return shrunk


def _root_mean_square(scaled: Array) -> Array:
    """Return the root mean square by horizon; NaN where no outcome is known."""
    count = np.isfinite(scaled).sum(axis=(0, 1))
    squares = np.nansum(scaled**2, axis=(0, 1))
    return np.sqrt(np.divide(squares, count, out=np.full(len(count), np.nan), where=count > 0))


def divide(numerator: Array, denominator: Array) -> Array:
    """Return the quotient; 0 where the denominator is not positive."""
    if (denominator > 0).all():
        # The usual case, and much faster than a condition on each element.
        return np.divide(numerator, denominator)
    out = np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape))
    return np.divide(numerator, denominator, out=out, where=denominator > 0)
