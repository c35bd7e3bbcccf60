"""The explorer: pick locations, models, period, revision and level; chart, table and what stands behind them follow.

It is a widget, so it lives in any notebook; ``python -m popforecast.explorer`` serves it as a page, with Voilà.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from popforecast.errors import InputError, PopforecastError
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.models import choose, get_several
from popforecast.models.base import Model, check_levels
from popforecast.wpp.editions import DEFAULT_REVISION

if TYPE_CHECKING:
    from ipywidgets import VBox

    from popforecast.explorer.state import Query
    from popforecast.explorer.widgets import Explorer

DEFAULT_END = 2050


def build(
    locations: Iterable[Hashable] = ("World",),
    start: int | None = None,
    end: int | None = None,
    model: str | Model | Iterable[str | Model] | None = None,
    revision: str = DEFAULT_REVISION,
    levels: Sequence[float] = DEFAULT_LEVELS,
) -> Explorer | VBox:
    """Return the explorer, which shows itself in a notebook cell.

    On Voilà's page it shows what the page's address asks for, and these are what the address leaves out.

    Parameters
    ----------
    locations : iterable of code, ISO3, name or alias
        What is chosen at first.
    start, end : int, optional
        First and last year of the table at first (default: from the year after the last estimate to 2050).
    model : str, Model, or several, optional
        Up to three models, side by side: names, or autoregressions such as ``AR(2, "ct")`` (default: what
        :func:`popforecast.models.choose` chooses).
    revision : str
        The name of a revision.
    levels : sequence of float
        Central coverage of the intervals, in percent.

    Returns
    -------
    Explorer or VBox
        A widget. What is not valid it says in a sentence, in place of chart and table.

    Examples
    --------
    >>> explorer = build(["NGA", "Ivory Coast"], 2030, 2035, revision="wpp2019")
    >>> explorer.query.locations
    (566, 384)
    """
    # ipywidgets is an extra, and slow to import.
    from popforecast.explorer.addresses import wait_for_address
    from popforecast.explorer.widgets import Explorer, show_error

    try:
        explorer = Explorer(_gather(locations, start, end, model, revision, levels))
    except PopforecastError as error:
        return show_error(error)
    explorer.follow(wait_for_address())
    return explorer


def _gather(
    locations: Iterable[Hashable],
    start: int | None,
    end: int | None,
    model: str | Model | Iterable[str | Model] | None,
    revision: str,
    levels: Sequence[float],
) -> Query:
    from popforecast.explorer.state import MOST_MODELS, Query, parse_model
    from popforecast.session import get_session

    panel = get_session(revision).panel
    model = choose(panel) if model is None else model
    several = [model] if isinstance(model, str | Model) else model
    models = get_several([parse_model(it) if isinstance(it, str) else it for it in several])
    if not 1 <= len(models) <= MOST_MODELS:
        raise InputError(f"{len(models)} models: expected one to {MOST_MODELS}, side by side")
    start = panel.origin + 1 if start is None else start
    end = max(start, DEFAULT_END) if end is None else end
    codes = tuple(panel.index.find_all(locations))
    return Query(codes, start, end, tuple(models), revision, tuple(map(float, check_levels(levels))))
