"""What the app holds in memory: panels, fitted models and forecasts of whole panels, each made once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import popforecast as pf
from popforecast.evaluation.integrity import check_embedded
from popforecast.panel.groups import Membership, build_membership
from popforecast.wpp.editions import get_revision, load_members

if TYPE_CHECKING:
    import pandas as pd

# What the form offers; one outlook of a revision and model serves every choice among them.
FORM_LEVELS = (50, 80, 90, 95, 99)

# An outlook for other levels takes a megabyte or two, and a moment.
MOST_OTHERS = 4

# What is made needs several times the memory of what is kept: one at a time.
_making = threading.Lock()

Function = TypeVar("Function", bound=Callable[..., Any])


def remember(most: int | None = None) -> Callable[[Function], Function]:
    """Make a function keep its `most` latest results, and compute none twice: who comes meanwhile waits for the first.

    :func:`functools.lru_cache` lets two threads compute the same at once. An error is raised for all who waited, and is
    not kept.

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

    def decorate(function: Function) -> Function:
        kept: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        lock = threading.Lock()

        @wraps(function)
        def recall(*key: Hashable) -> Any:
            with lock:
                future = kept.get(key)
                is_first = future is None
                if future is None:
                    future = kept[key] = Future()
                kept.move_to_end(key)
                while most is not None and len(kept) > most:
                    kept.popitem(last=False)
            if is_first:
                try:
                    future.set_result(function(*key))
                except BaseException as error:
                    with lock:
                        kept.pop(key, None)
                    future.set_exception(error)
            return future.result()

        return recall  # type: ignore[return-value]

    return decorate


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
def load_panel(revision: str) -> pf.Panel:
    """Return the panel of a revision, read once."""
    return pf.load_panel(revision)


@remember()
def load_membership(revision: str) -> Membership:
    """Return which countries make up the aggregates of a revision, proved once."""
    return build_membership(load_panel(revision), load_members(revision))


@remember()
def fit(revision: str, model: str) -> pf.Fitted:
    """Return the model fitted to a revision, once: the default model's fit is kept beside the figures.

    Where what is kept there disagrees with the figures or the version, the model is fitted anew, and the log says why.
    """
    return pf.fit(load_panel(revision), model)


@remember()
def load_record(revision: str) -> pd.DataFrame:
    """Return how good each model has been for each location of a revision, read once."""
    return pf.load_record(revision)


@remember()
def load_medium(revision: str) -> pd.DataFrame | None:
    """Return the UN's medium variant of a revision, read once; None where there is none."""
    return pf.load_projections(revision) if get_revision(revision).has_projections else None


@remember()
def load_vintage_record() -> pd.DataFrame:
    """Return our errors and the UN's on what was known then, read once."""
    return pf.load_vintage_record()


def look_ahead(revision: str, model: str, levels: tuple[float, ...]) -> pf.Outlook:
    """Return the forecast of a whole revision that holds these levels: made once for all that the form offers.

    Examples
    --------
    >>> look_ahead("wpp2019", "ar1", (80, 95)) is look_ahead("wpp2019", "ar1", (50,))
    True
    """
    if set(levels) <= set(FORM_LEVELS):
        return _look_ahead_for_form(revision, model)
    return _look_ahead_for_others(revision, model, levels)


@remember()
def _look_ahead_for_form(revision: str, model: str) -> pf.Outlook:
    return pf.forecast_all(load_panel(revision), fit(revision, model), FORM_LEVELS)


@remember(MOST_OTHERS)
def _look_ahead_for_others(revision: str, model: str, levels: tuple[float, ...]) -> pf.Outlook:
    with _making:
        return pf.forecast_all(load_panel(revision), fit(revision, model), levels)
