"""Real-time intervals, which allow for revisions of base figures: outcomes are figures as later revised by the UN."""

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

# Offset before logs. It is larger than for forecasts, because rounding alone changes base figures more.
LUCK = 1e-3

FOLDS = 5


@dataclass(frozen=True, eq=False)
class RevisionSpread(Frozen):
    r"""The distribution of revisions of base figures, by features of the location.

    The log revision of a base figure is modelled as :math:`e^{x' b} q`, with x and q as in
    :class:`popforecast.forecasting.calibration.Calibration`, estimated across countries from vintages and a later
    revision.

    Attributes
    ----------
    slope : ndarray, shape (3,)
    quantiles : ndarray
        Quantiles of the scaled revisions, at :data:`popforecast.forecasting.risk.PROBABILITIES`.
    """

    slope: Array
    quantiles: Array

    def reach(self, risk: Array, level: float) -> Array:
        """Return lower and upper half-widths for base figures, in logs, shape (2, n, 1), from features (n, 3)."""
        scale = np.exp(risk @ self.slope)[:, None]
        return np.stack([scale * side for side in reach_quantiles(self.quantiles, level)])


def learn_spread(histories: Sequence[tuple[Array, Array]]) -> RevisionSpread:
    """Return the distribution estimated from pairs of features (n, 3) and log revisions (n,): log(later / earlier)."""
    risk = np.concatenate([features for features, _ in histories])
    revisions = np.concatenate([revision for _, revision in histories])
    return RevisionSpread(*scale_errors(revisions, risk, np.ones(len(revisions)), LUCK))


def measure_revisions(earlier: Panel, later: Panel) -> tuple[NDArray[np.object_], Array, Array]:
    """Return the countries in both revisions, their features in the earlier one, and their log revisions.

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
    """Return the revisions of each embedded vintage by the latest revision, cached because they are constant."""
    truth = load_panel(DEFAULT_REVISION)
    measured = tuple(measure_revisions(load_panel(name), truth) for name in VINTAGES)
    freeze(*(array for vintage in measured for array in vintage))
    return measured


@lru_cache(maxsize=1)
def learn_from_vintages() -> RevisionSpread:
    """Return the distribution estimated from all embedded vintages and the latest revision."""
    return learn_spread([vintage[1:] for vintage in measure_vintages()])


def list_published(panel: Panel) -> list[str]:
    """Return the embedded editions published before a panel's edition whose base year is in the panel.

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
    """Return the distribution estimated only from revisions known when a panel's edition was published.

    None if no earlier edition is embedded.
    """
    histories = [measure_revisions(load_panel(name), panel)[1:] for name in list_published(panel)]
    return learn_spread(histories) if histories else None


def widen(prediction: LogPrediction, spread: RevisionSpread, risk: Array) -> LogPrediction:
    r"""Return a prediction whose intervals of growth also allow for revisions of base figures.

    The model treats the two errors as independent, so squared half-widths add up, on each side and in logs:
    :math:`\sqrt{w^2 + v^2}`.

    Parameters
    ----------
    prediction : LogPrediction
        Prediction with intervals of growth, shape (n, horizon).
    spread : RevisionSpread
    risk : ndarray, shape (n, 3)
        Features of the locations at the origin.
    """
    widths = {level: np.hypot(width, spread.reach(risk, level)) for level, width in prediction.widths.items()}
    return LogPrediction(prediction.population, widths)


def widen_crossfitted(prediction: LogPrediction, risk: Array, revisions: Array) -> LogPrediction:
    """Return intervals widened by the revisions of other countries only, in five folds by order of code.

    A country's own revision must not affect its interval, because coverage is scored against the same later figures.

    Parameters
    ----------
    prediction : LogPrediction
        Shape (n, horizon), with the countries sorted by code or in any other predetermined order.
    risk, revisions : ndarray, shapes (n, 3) and (n,)
        As returned by :func:`measure_revisions`.
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
    """Return log revisions of countries by vintage and their scales, both of shape (n, v).

    Countries that a vintage lacks or defines differently get the mean scaled revision of the others, which preserves
    the common part of the revisions.
    """
    revisions, scales = np.zeros((len(codes), len(VINTAGES))), np.ones((len(codes), len(VINTAGES)))
    for i, (known, risk, revised) in enumerate(measure_vintages()):
        scale = dict(zip(known.tolist(), np.exp(risk @ spread.slope), strict=True))
        scaled = {code: change / scale[code] for code, change in zip(known.tolist(), revised, strict=True)}
        usual = float(np.mean(list(scaled.values())))
        scales[:, i] = [scale.get(code, 1.0) for code in codes]
        revisions[:, i] = [scaled.get(code, usual) * scale.get(code, 1.0) for code in codes]
    return revisions, scales
