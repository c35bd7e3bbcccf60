"""Fertility: recent changes fade, high fertility declines, low fertility recovers slightly."""

from __future__ import annotations

import numpy as np

from popforecast.models.base import Array
from popforecast.models.cohort.past import Past
from popforecast.models.regression import regress_absolutely

# Level of the kink in the regressions, and lower limit, in children per woman.
LEVEL, LEAST = 1.6, 0.8

# Residuals below which errors are squared, in children per woman. The second, of the original specification, is too
# small for 40 rounds to converge: coefficients then depend on the rounding errors of the processor.
EXACT, EXACT_ORIGINAL = 6e-4, 2e-4

# Years of past origins in the training data, and of history they need.
WINDOW, WARM_UP = 25, 10


def forecast_fertility(
    past: Past, steps: int, half_life: float | None = 10.0, mended: bool = True
) -> tuple[Array, Array, Array]:
    r"""Return children per woman by five-year step, shape (n, steps), and the coefficients.

    With F(u) the mean of five years before u, f(u) the last year's, :math:`x^+` and :math:`x^-` what lies above and
    below 1.6 children:

    .. math::
       F(u+5) - f(u) &= b_1 (f(u) - F(u)) + b_2 (F(u) - F(u-5)) + b_3 f(u)^+ + b_4 f(u)^- \\
       F(u+5) - F(u) &= c_1 (F(u) - F(u-5)) + c_2 F(u)^+ + c_3 F(u)^-

    The first holds for the first step, the second, iterated, for later ones. Both are learnt by least absolute
    deviations from all countries at past origins of the last 30 years; an origin counts half for each `half_life`
    years that its outcome is old, as low fertility has not recovered of late as it once did.

    Parameters
    ----------
    past : Past
    steps : int
    half_life : float or None
        None: all past origins count alike. No constant matters more for 2100 than this one, and totals of the past
        cannot decide it.

    References
    ----------
    Alkema, L. et al. (2011). Probabilistic projections of the total fertility rate for all countries. *Demography* 48,
    815-839, for the UN's own model, whose decline and recovery these regressions replace.
    """
    now, last, exact = past.now, past.fertility, EXACT if mended else EXACT_ORIGINAL
    known = range(now - 5, max(WARM_UP, now - 5 - WINDOW) - 1, -1 if past.is_annual else -5)
    if not len(known):
        return np.repeat(last[:, -1:], steps, axis=1), np.zeros(4), np.zeros(3)

    def mean(at: int) -> Array:
        return last[:, at - 5 : at].mean(axis=1)

    def describe_first(at: int) -> Array:
        year, level = last[:, at - 1], mean(at)
        return np.stack([year - level, level - mean(at - 5), *_part(year)], axis=1)

    def describe(level: Array, before: Array) -> Array:
        return np.stack([level - before, *_part(level)], axis=1)

    recent = [1.0 if half_life is None else 0.5 ** ((now - 5 - at) / half_life) for at in known]
    weights = np.repeat(recent, len(last))
    first = regress_absolutely(
        np.concatenate([describe_first(at) for at in known]),
        np.concatenate([mean(at + 5) - last[:, at - 1] for at in known]),
        exact,
        weights,
    )
    later = regress_absolutely(
        np.concatenate([describe(mean(at), mean(at - 5)) for at in known]),
        np.concatenate([mean(at + 5) - mean(at) for at in known]),
        exact,
        weights,
    )
    before, level = mean(now), np.maximum(last[:, -1] + describe_first(now) @ first, LEAST)
    path = [level]
    for _ in range(steps - 1):
        before, level = level, np.maximum(level + describe(level, before) @ later, LEAST)
        path.append(level)
    return np.stack(path, axis=1), first, later


def _part(children: Array) -> tuple[Array, Array]:
    return np.maximum(children - LEVEL, 0), np.minimum(children - LEVEL, 0)
