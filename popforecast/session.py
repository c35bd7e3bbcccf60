"""What is made of a panel once and shared by all who ask: fits, outlooks, track records, the UN's projection."""

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
from popforecast.forecasting.coherence import match_members
from popforecast.forecasting.outlook import Outlook
from popforecast.models import Fitted, Model
from popforecast.models.base import check_levels
from popforecast.panel import Panel, check_panel
from popforecast.panel.groups import Membership
from popforecast.wpp.editions import DEFAULT_REVISION, REVISIONS, find_edition, load_panel, load_projections

if TYPE_CHECKING:
    import pandas as pd

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# What forms offer; one outlook of a model serves every choice among them.
FORM_LEVELS = (50.0, 80.0, 90.0, 95.0, 99.0)

# An outlook for other levels takes a megabyte or two, and a moment.
MOST_OTHERS = 4

# The named models are always kept, and of the reader's own the latest.
MOST_MODELS = len(models.MODELS) + 10

# Making an outlook takes several times the memory of keeping it: one at a time in a process.
_making = threading.Lock()


def remember(most: float = math.inf) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Return a decorator: a function keeps its `most` latest results, and two threads never compute the same at once.

    Whoever asks for what another thread is computing waits for it; :func:`functools.lru_cache` would compute it twice.
    An error is not kept: who waited tries in turn.

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
    """A panel with all that is computed from it or published beside it, each made once; threads may share it.

    Parameters
    ----------
    source : str or Panel
        The name of a revision or vintage, or a panel of your own.

    Attributes
    ----------
    panel : Panel

    Raises
    ------
    UnknownRevisionError, ReadError, PanelError
        If there is no such revision, its tables are damaged, or the source is no panel.

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
        """Name the panel."""
        return f"<Session: {self.panel!r}>"

    @property
    def membership(self) -> Membership:
        """Which countries make up each aggregate of the panel."""
        return self._match_members()

    @property
    def medium(self) -> pd.DataFrame | None:
        """The UN's medium variant, as :func:`popforecast.load_projections` has it; None where there is none."""
        edition = find_edition(self.panel)
        return self._load_projections(edition.name) if edition and edition.has_projections else None

    @property
    def record(self) -> pd.DataFrame:
        """How accurate each named model has been, as :func:`popforecast.load_record` has it.

        Raises
        ------
        ModelError
            If none is embedded, as for a panel of one's own.
        """
        if self._revision not in REVISIONS:
            raise ModelError(
                f"no track record is embedded for {self.panel!r}, only for the revisions {', '.join(REVISIONS)}: "
                "measure(model) makes one"
            )
        return self._load_record(self._revision)

    def fit(self, model: str | Model | None = None) -> Fitted:
        """Return a model fitted to the panel, as :func:`popforecast.fit` does."""
        return self._fit(models.resolve(model, self.panel))

    def outlook(self, model: str | Model | None = None, levels: Sequence[float] = DEFAULT_LEVELS) -> Outlook:
        """Return a model's forecast of the whole panel: one outlook holds all levels that forms offer.

        Parameters
        ----------
        model : str or Model
        levels : sequence of float
            Those that the outlook must hold. Of outlooks for levels that are not all in :data:`FORM_LEVELS`, the
            latest four are kept.
        """
        specification, levels = models.resolve(model, self.panel), check_levels(levels)
        if set(levels) <= set(FORM_LEVELS):
            return self._forecast_for_form(specification)
        return self._forecast_for_others(specification, levels)

    def measure(self, model: str | Model | None = None) -> pd.DataFrame:
        """Return how accurate a model would have been for each location: from the record, or by a backtest.

        Examples
        --------
        >>> import popforecast as pf
        >>> scores = pf.Session("wpp2024").measure(pf.AR(2, "ct"))
        >>> scores.query("location_code == 566")[["horizon", "n"]].values.tolist()
        [[1, 35], [5, 31], [10, 26], [20, 16]]
        """
        specification = models.resolve(model, self.panel)
        if self._revision in REVISIONS and models.MODELS.get(specification.name) == specification:
            return self.record[self.record["model"] == specification.name]
        return self._measure(specification)

    def _forecast(self, model: Model, levels: tuple[float, ...]) -> Outlook:
        fitted = self._fit(model)
        with _making:
            return forecast_all(self.panel, fitted, levels)


@remember()
def get_session(revision: str) -> Session:
    """Return the one session of a revision in this process.

    Examples
    --------
    >>> get_session("wpp2019") is get_session("wpp2019")
    True
    """
    return Session(revision)


@remember()
def check_tables() -> int:
    """Check every embedded table once, and return how many there are.

    Raises
    ------
    ReadError
        If one is absent or altered.
    """
    return check_embedded()


@remember()
def get_vintage_record() -> pd.DataFrame:
    """Return what :func:`popforecast.load_vintage_record` loads, read once."""
    return records.load_vintage_record()


def prepare() -> None:
    """Check all that is embedded, and make what surfaces show of every revision: about a second's work.

    Raises
    ------
    PopforecastError
        If data or the stored model are not what they must be; the error says why.
    """
    check_tables()
    get_vintage_record()
    for session in map(get_session, REVISIONS):
        # Read here, and kept.
        _ = session.record, session.medium
        for model in models.MODELS:
            session.outlook(model)
    # Matplotlib, for downloads, is loaded once and not in each process.
    get_session(DEFAULT_REVISION).outlook().forecast(["World"], levels=DEFAULT_LEVELS).plot().png()
