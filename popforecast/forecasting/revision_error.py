"""Intervals in real time: the UN rewrites its base figures, and an outcome is what a later revision will publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from popforecast.forecasting.risk import describe_risk, reach_quantiles, scale_errors
from popforecast.models.base import Array, LogPrediction
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen, freeze
from popforecast.wpp.editions import DEFAULT_REVISION, REVISIONS, VINTAGES, find_edition, load_panel
from popforecast.wpp.pairing import pair

# Base figures are rounded and rebased by more than forecasts are; a revision below this is none.
LUCK = 1e-3

FOLDS = 5


@dataclass(frozen=True, eq=False)
class RevisionSpread(Frozen):
    r"""How far base figures are revised, for locations like this one.

    The log revision of a base figure is taken to be :math:`e^{x' b} q`, with x and q as in
    :class:`popforecast.forecasting.calibration.Calibration`, estimated over countries from vintages and a later
    revision.

    Attributes
    ----------
    slope : ndarray, shape (3,)
    quantiles : ndarray
        Of the scaled revisions, at :data:`popforecast.forecasting.risk.PROBABILITIES`.
    """

    slope: Array
    quantiles: Array

    def reach(self, risk: Array, level: float) -> Array:
        """Return how far base figures may be off below and above, in logs, shape (2, n, 1), for features (n, 3)."""
        scale = np.exp(risk @ self.slope)[:, None]
        return np.stack([scale * side for side in reach_quantiles(self.quantiles, level)])


def learn_spread(histories: Sequence[tuple[Array, Array]]) -> RevisionSpread:
    """Learn from pairs of features (n, 3) and log revisions (n,): log of the figure now over the figure then."""
    risk = np.concatenate([features for features, _ in histories])
    revisions = np.concatenate([revision for _, revision in histories])
    return RevisionSpread(*scale_errors(revisions, risk, np.ones(len(revisions)), LUCK))


def measure_revisions(earlier: Panel, later: Panel) -> tuple[NDArray[np.object_], Array, Array]:
    """Return the countries that two revisions share, their features in the earlier, and their log revisions.

    Examples
    --------
    >>> codes, risk, revisions = measure_revisions(load_panel("wpp2012"), load_panel("wpp2024"))
    >>> risk.shape, float(np.median(np.abs(revisions)).round(3))
    ((198, 3), 0.02)
    """
    pairing = pair(earlier, later)
    countries = earlier.countries()
    rows = countries.locations.index.get_indexer(pairing.earlier.locations.index)
    revisions = pairing.measure_base()["log_revision"].to_numpy()
    return pairing.earlier.locations.index.to_numpy(), describe_risk(countries)[-1][rows], revisions


@lru_cache(maxsize=1)
def measure_vintages() -> tuple[tuple[NDArray[np.object_], Array, Array], ...]:
    """Measure how the latest revision changed each embedded vintage, once: what is embedded does not change."""
    truth = load_panel(DEFAULT_REVISION)
    measured = tuple(measure_revisions(load_panel(name), truth) for name in VINTAGES)
    freeze(*(array for vintage in measured for array in vintage))
    return measured


@lru_cache(maxsize=1)
def learn_from_vintages() -> RevisionSpread:
    """Learn from all embedded vintages against the latest revision."""
    return learn_spread([vintage[1:] for vintage in measure_vintages()])


def list_published(panel: Panel) -> list[str]:
    """Return the embedded editions that were published before a panel's own, and whose base year it has.

    Examples
    --------
    >>> [list_published(load_panel(name)) for name in ("wpp2010", "wpp2012", "wpp2019")]
    [[], ['wpp2010'], ['wpp2010', 'wpp2012']]
    """
    own = find_edition(panel)
    if own is None:
        return []
    before = sorted(name for name, edition in (VINTAGES | REVISIONS).items() if edition.edition < own.edition)
    return [name for name in before if load_panel(name).origin in panel.years]


def learn_as_published(panel: Panel) -> RevisionSpread | None:
    """Learn from the revisions that a panel's own edition made of earlier ones: all that was published by then.

    None where no earlier edition is embedded.
    """
    histories = [measure_revisions(load_panel(name), panel)[1:] for name in list_published(panel)]
    return learn_spread(histories) if histories else None


def widen(prediction: LogPrediction, spread: RevisionSpread, risk: Array) -> LogPrediction:
    r"""Add the revision of the base figure to intervals of growth.

    The two errors are independent in the model, so half-widths add as variances do, on each side and in logs:
    :math:`\sqrt{w^2 + v^2}`.

    Parameters
    ----------
    prediction : LogPrediction
        With the intervals of growth, shape (n, horizon).
    spread : RevisionSpread
    risk : ndarray, shape (n, 3)
        Features of the locations at the origin.
    """
    widths = {level: np.hypot(width, spread.reach(risk, level)) for level, width in prediction.widths.items()}
    return LogPrediction(prediction.population, widths)


def widen_crossfitted(prediction: LogPrediction, risk: Array, revisions: Array) -> LogPrediction:
    """Widen each country's intervals by what the revisions of other countries teach: five folds by order of code.

    Vintages share one truth, so a country's own revision must not widen its own interval where coverage is scored.

    Parameters
    ----------
    prediction : LogPrediction
        Shape (n, horizon), the countries in the order of their codes or in any order fixed beforehand.
    risk, revisions : ndarray, shapes (n, 3) and (n,)
        As :func:`measure_revisions` returns them.
    """
    folds = np.arange(len(revisions)) % FOLDS
    widths = {level: np.empty_like(width) for level, width in prediction.widths.items()}
    for fold in range(FOLDS):
        inside = folds == fold
        spread = learn_spread([(risk[~inside], revisions[~inside])])
        for level, width in widen(prediction.take(inside), spread, risk[inside]).widths.items():
            widths[level][:, inside] = width
    return LogPrediction(prediction.population, widths)


def list_past_revisions(codes: Sequence[object], spread: RevisionSpread) -> tuple[Array, Array]:
    """Return the log revisions of countries in each vintage, and the scale of each there, both of shape (n, v).

    A country that a vintage does not have, or defines differently, is taken to have been revised like the others on
    average, so that what was revised in common stays in common.
    """
    revisions, scales = np.zeros((len(codes), len(VINTAGES))), np.ones((len(codes), len(VINTAGES)))
    for i, (known, risk, revised) in enumerate(measure_vintages()):
        scale = dict(zip(known.tolist(), np.exp(risk @ spread.slope), strict=True))
        scaled = {code: change / scale[code] for code, change in zip(known.tolist(), revised, strict=True)}
        usual = float(np.mean(list(scaled.values())))
        scales[:, i] = [scale.get(code, 1.0) for code in codes]
        revisions[:, i] = [scaled.get(code, usual) * scale.get(code, 1.0) for code in codes]
    return revisions, scales
