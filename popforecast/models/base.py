"""The protocol of a model: estimate once for the whole panel, then predict to any horizon."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import ModelError
from popforecast.models.levels import DEFAULT_LEVELS, check_level
from popforecast.panel import Panel
from popforecast.panel.frozen import Frozen

if TYPE_CHECKING:
    from popforecast.forecasting.calibration import Calibration

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]
Steps = NDArray[np.integer[Any]]


class Note(NamedTuple):
    """A caution about one location's forecast."""

    location_code: Hashable
    text: str


@dataclass(frozen=True, eq=False)
class Prediction(Frozen):
    """Population after the origin, for every location.

    Attributes
    ----------
    population : ndarray, shape (n, horizon)
        The median, in persons.
    lower, upper : dict of float to ndarray, shape (n, horizon)
        Interval bounds by level.
    """

    population: Array
    lower: Mapping[float, Array]
    upper: Mapping[float, Array]

    def take(
        self, rows: Any = slice(None), steps: Any = slice(None), levels: Iterable[float] | None = None
    ) -> Prediction:
        """Return the prediction for some rows, steps and levels (default: all)."""
        levels = tuple(self.lower if levels is None else levels)
        return Prediction(
            self.population[rows][:, steps],
            {level: self.lower[level][rows][:, steps] for level in levels},
            {level: self.upper[level][rows][:, steps] for level in levels},
        )


@dataclass(frozen=True, eq=False)
class LogPrediction(Frozen):
    """Population after the origin with half-widths in logs, from which intervals in persons are computed.

    Attributes
    ----------
    population : ndarray, shape (n, horizon)
        The median, in persons.
    widths : dict of float to ndarray, shape (2, n, horizon)
        Log distances of the lower and upper bound from the median, by level; never negative.
    """

    population: Array
    widths: Mapping[float, Array]

    def take(self, rows: Any = slice(None), steps: Any = slice(None)) -> LogPrediction:
        """Return the prediction for some rows and steps (default: all)."""
        widths = {level: width[:, rows][..., steps] for level, width in self.widths.items()}
        return LogPrediction(self.population[rows][:, steps], widths)

    def exponentiate(self) -> Prediction:
        """Return the bounds in persons; overflow gives infinity, without a warning.

        Examples
        --------
        >>> wide = LogPrediction(np.array([[100.0, 0.0]]), {80: np.log([[[2.0, 2.0]], [[1.5, 3.0]]])})
        >>> wide.exponentiate().lower[80].round(9).tolist()
        [[50.0, 0.0]]
        """
        signs = np.array([-1, 1])[:, None, None]
        with np.errstate(over="ignore", invalid="ignore"):
            moved = {level: self.population * np.exp(signs * width) for level, width in self.widths.items()}
        # Zero times infinity is not a number.
        sides = {level: np.where(np.isnan(both), self.population, both) for level, both in moved.items()}
        return Prediction(self.population, *({level: both[i] for level, both in sides.items()} for i in (0, 1)))


@dataclass(frozen=True)
class Model(ABC):
    """A named, frozen specification: its fields are its parameters, and it holds no data.

    Attributes
    ----------
    calibrated : bool
        Whether its intervals are calibrated on its own errors at past origins; otherwise they are analytic.
    """

    calibrated: ClassVar[bool] = False

    @property
    def has_intervals(self) -> bool:
        """Whether forecasts have intervals; scenarios set by the user have none."""
        return True

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of this specification in every interface."""

    @abstractmethod
    def estimate(self, panel: Panel) -> Arrays:
        """Estimate all locations at once: arrays with one row per location, or shared by the panel."""

    @abstractmethod
    def predict(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> Prediction:
        """Predict steps 1 to horizon after the origin from estimated arrays."""

    def predict_logs(self, arrays: Arrays, horizon: int, levels: Sequence[float]) -> LogPrediction:
        """Predict with half-widths in logs: here from the bounds, so a model that has them in logs returns those."""
        plain = self.predict(arrays, horizon, levels)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = {level: np.stack([plain.lower[level], plain.upper[level]]) / plain.population for level in levels}
            return LogPrediction(plain.population, {level: np.abs(np.log(ratio)) for level, ratio in ratios.items()})

    def note(self, arrays: Arrays, horizon: int) -> list[tuple[int, str]]:  # noqa: ARG002
        """Return cautions about forecasts to this horizon, as pairs of row and sentence."""
        return []

    def estimate_each(self, panel: Panel, origins: Iterable[int]) -> Iterator[Arrays]:
        """Estimate at each of several origins, from the panel up to that origin only."""
        return (self.estimate(panel.until(int(origin))) for origin in origins)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters as plain values, from which the model can be rebuilt."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def fit(self, panel: Panel) -> Fitted:
        """Estimate the model on every location of the panel; intervals are calibrated when it is used to forecast.

        Raises
        ------
        ModelError
            If the panel is too short, or the estimate is not finite.
        """
        arrays = self.estimate(panel)
        self.check_estimate(panel, arrays)
        return Fitted(self, panel, arrays)

    def check_estimate(self, panel: Panel, arrays: Arrays) -> None:
        """Check that every number of an estimate is finite.

        Raises
        ------
        ModelError
            If one is not; the error names the location.
        """
        for key, array in arrays.items():
            finite = np.isfinite(array)
            if not finite.all():
                row = int(np.argwhere(~finite)[0][0])
                whose = f" for {panel.locations['name'].iloc[row]}" if len(array) == len(panel) else ""
                raise ModelError(
                    f"{self.name} has no finite {key}{whose}: expected series that the model can be estimated on"
                )


@dataclass(frozen=True, eq=False)
class Fitted(Frozen):
    """A model with its estimates from one panel.

    Attributes
    ----------
    model : Model
        The specification.
    panel : Panel
        The panel it was fitted to.
    arrays : mapping of str to ndarray
        The estimates; read-only.
    calibration : Calibration or None
        The calibration of the intervals from past errors; None where they are analytic or not calibrated yet.
        Forecasting calibrates them first (:func:`popforecast.forecasting.calibration.complete`).
    """

    model: Model
    panel: Panel
    arrays: Arrays
    calibration: Calibration | None = None

    @property
    def codes(self) -> list[Hashable]:
        """Location codes, in the order of the rows of the arrays."""
        return self.panel.codes.tolist()

    @property
    def origin(self) -> int:
        """The last year of the panel."""
        return self.panel.origin

    @property
    def step(self) -> int:
        """Years in a step."""
        return self.panel.step

    @property
    def revision(self) -> str | None:
        """The revision of the panel."""
        return self.panel.revision

    @property
    def checksum(self) -> str:
        """The checksum of the panel."""
        return self.panel.checksum

    def predict(self, horizon: int, levels: Sequence[float] = DEFAULT_LEVELS) -> Prediction:
        """Forecast steps 1 to horizon after the origin for every location, as :func:`popforecast.forecast` does.

        For the model alone, without aggregates as sums and calibrated intervals, use ``model.predict(arrays, horizon,
        levels)``.

        Examples
        --------
        >>> import popforecast as pf
        >>> panel = pf.load_panel("wpp2024")
        >>> path, fc = pf.fit(panel, "drift").predict(27), pf.forecast(panel, "World", 2050, 2050, "drift")
        >>> bool(path.upper[80][0, -1].round() == fc.upper[80][0, 0].round())
        True
        """
        # The only upward import: users expect a forecast here, which takes more than the model.
        from popforecast.forecasting import predict

        return predict(self, horizon, levels)

    def notes(self, horizon: int = 1) -> tuple[Note, ...]:
        """Return cautions about forecasts to this horizon, by location."""
        codes = self.codes
        return tuple(Note(codes[row], text) for row, text in self.model.note(self.arrays, horizon))


def normal_quantile(level: float) -> float:
    """Return the half-width of a central normal interval in standard deviations.

    Raises
    ------
    LevelError
        If the level is not between 0 and 100.

    Examples
    --------
    >>> round(normal_quantile(95), 3)
    1.96
    """
    return NormalDist().inv_cdf(0.5 + check_level(level) / 200)


def log_positive(panel: Panel, name: str) -> Array:
    """Return log population, for models that work in growth rates.

    Raises
    ------
    ModelError
        If a population is zero.
    """
    if (panel.values <= 0).any():
        i, j = np.argwhere(panel.values <= 0)[0]
        raise ModelError(
            f"{name} takes logarithms of population, and {panel.locations['name'].iloc[i]} has population 0 in "
            f"{panel.years[j]}: expected every population above zero, or a model that takes zeros, such as ar1"
        )
    return np.log(panel.values)
