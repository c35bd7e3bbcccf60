"""Sessions: fits, outlooks, track records and UN projections of a panel, computed once and shared between threads."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from cachetools import LRUCache, cached

import popforecast.evaluation.record as records
import popforecast.models as models
from popforecast.errors import ModelError
from popforecast.evaluation.integrity import check_embedded
from popforecast.forecasting import DEFAULT_LEVELS, fit, forecast_all
from popforecast.forecasting.drivers import explain_difference
from popforecast.forecasting.outlook import Outlook, match_members
from popforecast.models import Fitted, Model
from popforecast.models.levels import check_levels
from popforecast.panel import Panel, check_panel
from popforecast.panel.groups import Membership
from popforecast.wpp.editions import DEFAULT_REVISION, REVISIONS, find_edition, load_panel, load_projections

if TYPE_CHECKING:
    import pandas as pd

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# The levels that forms offer; one outlook per model includes all of them.
FORM_LEVELS = (50.0, 80.0, 90.0, 95.0, 99.0)

# Few outlooks for other levels are kept: each takes a megabyte or two, and is quick to recompute.
MOST_OTHERS = 4

# Room for all named models and the latest ten of the user's own.
MOST_MODELS = len(models.MODELS) + 10

# One outlook is computed at a time, because that takes several times the memory of the result.
_making = threading.Lock()


def remember(most: float = math.inf) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Return a decorator for thread-safe memoisation of the `most` latest results, without duplicate computation.

    A thread waits for a result that another is computing; with :func:`functools.lru_cache` both would compute it.
    Errors are not kept: waiting threads then compute in turn.

    Examples
    --------
    >>> @remember(most=1)
    ... def double(number):
    ...     print("computing", number)
    ...     return 2 * number
    >>> double(3), double(3)
    computing 3
    (6, 6)
    """
    return cached(LRUCache(most), condition=threading.Condition())


class Session:
    """A panel with its fits, forecasts, track records and UN projections, each computed or loaded once; thread-safe.

    Parameters
    ----------
    source : str or Panel
        The name of a revision or vintage, or your own panel.

    Attributes
    ----------
    panel : Panel

    Raises
    ------
    UnknownRevisionError, ReadError, PanelError
        If there is no such revision, its tables are damaged, or the source is not a panel.

    Examples
    --------
    >>> import popforecast as pf
    >>> session = pf.Session("wpp2019")
    >>> session.outlook("ar1").forecast("World", 2030, 2030, levels=[80]).to_table().iloc[0, 0]
    '8,745,733,000'
    >>> session.outlook("ar1") is session.outlook("ar1", levels=[50])
    True
    """

    def __init__(self, source: str | Panel = DEFAULT_REVISION) -> None:
        panel = load_panel(source) if isinstance(source, str) else source
        check_panel(panel)
        self.panel = panel
        self._revision = source if isinstance(source, str) else None
        self._fit = remember(MOST_MODELS)(partial(fit, panel))
        self._measure = remember(MOST_MODELS)(partial(records.measure_model, panel))
        self._forecast_for_form = remember(MOST_MODELS)(partial(self._forecast, levels=FORM_LEVELS))
        self._forecast_for_others = remember(MOST_OTHERS)(self._forecast)
        self._match_members = remember()(partial(match_members, panel))
        self._load_record = remember()(records.load_record)
        self._load_projections = remember()(load_projections)

    def __repr__(self) -> str:
        """Return the representation, which includes that of the panel."""
        return f"<Session: {self.panel!r}>"

    @property
    def membership(self) -> Membership:
        """The countries of each aggregate of the panel."""
        return self._match_members()

    @property
    def medium(self) -> pd.DataFrame | None:
        """The UN's medium variant, as returned by :func:`popforecast.load_projections`; None if there is none."""
        edition = find_edition(self.panel)
        return self._load_projections(edition.name) if edition and edition.has_projections else None

    @property
    def record(self) -> pd.DataFrame:
        """The past accuracy of each named model, as returned by :func:`popforecast.load_record`.

        Raises
        ------
        ModelError
            If no record is embedded, as for your own panel.
        """
        if self._revision not in REVISIONS:
            raise ModelError(
                f"no track record is embedded for {self.panel!r}, only for the revisions {', '.join(REVISIONS)}: "
                "use measure(model) to compute one"
            )
        return self._load_record(self._revision)

    def fit(self, model: str | Model | None = None) -> Fitted:
        """Return a model fitted to the panel, as :func:`popforecast.fit` does."""
        return self._fit(models.get(model, self.panel))

    def outlook(self, model: str | Model | None = None, levels: Sequence[float] = DEFAULT_LEVELS) -> Outlook:
        """Return a model's forecast of the whole panel, computed once for all levels that forms offer.

        Parameters
        ----------
        model : str or Model
        levels : sequence of float
            Levels that the outlook must include. Only the latest four outlooks with levels outside
            :data:`FORM_LEVELS` are kept.
        """
        specification, levels = models.get(model, self.panel), check_levels(levels)
        if set(levels) <= set(FORM_LEVELS):
            return self._forecast_for_form(specification)
        return self._forecast_for_others(specification, levels)

    def measure(self, model: str | Model | None = None) -> pd.DataFrame:
        """Return the past accuracy of a model for each location, from the track record or a backtest.

        Examples
        --------
        >>> import popforecast as pf
        >>> scores = pf.Session("wpp2024").measure(pf.AR(2, "ct"))
        >>> scores.query("location_code == 566")[["horizon", "n"]].values.tolist()
        [[1, 35], [5, 31], [10, 26], [20, 16]]
        """
        specification = models.get(model, self.panel)
        if self._revision in REVISIONS and models.MODELS.get(specification.name) == specification:
            return self.record[self.record["model"] == specification.name]
        return self._measure(specification)

    def _forecast(self, model: Model, levels: tuple[float, ...]) -> Outlook:
        fitted = self._fit(model)
        with _making:
            return forecast_all(self.panel, fitted, levels)


@remember()
def get_session(revision: str) -> Session:
    """Return the session of a revision, shared by the whole process.

    Examples
    --------
    >>> get_session("wpp2019") is get_session("wpp2019")
    True
    """
    return Session(revision)


@remember()
def check_tables() -> int:
    """Check all embedded tables once, and return their number.

    Raises
    ------
    ReadError
        If one is missing or has changed.
    """
    return check_embedded()


@remember()
def get_vintage_record() -> pd.DataFrame:
    """Return the result of :func:`popforecast.load_vintage_record`, loaded once."""
    return records.load_vintage_record()


def prepare() -> None:
    """Check the embedded files and compute the forecasts of every revision in advance, which takes about a second.

    Raises
    ------
    PopforecastError
        If the data or the stored models are invalid; the error states why.
    """
    check_tables()
    get_vintage_record()
    for session in map(get_session, REVISIONS):
        # Properties that load and keep their tables.
        _ = session.record, session.medium
        for model in models.MODELS:
            session.outlook(model)
        # Projects ages, with migration and without, which the first page of them would otherwise wait for.
        world = session.outlook().forecast(["World"], levels=DEFAULT_LEVELS)
        explain_difference(world, 0, int(world.years[0]), medium=1.0)
    # Drawing one chart loads Matplotlib before worker processes are forked, so that it is not loaded in each.
    get_session(DEFAULT_REVISION).outlook().forecast(["World"], levels=DEFAULT_LEVELS).plot().png()
