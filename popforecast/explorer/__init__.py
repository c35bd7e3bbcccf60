"""The explorer: choose locations, models, years, revision and levels, and see charts, tables and diagnostics.

It is a widget for notebooks; ``python -m popforecast.explorer`` serves it as a web page with Voilà.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from popforecast.errors import InputError, PopforecastError
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.models import choose, get_several
from popforecast.models.base import Model
from popforecast.models.levels import check_levels
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
    """Return the explorer, a widget that is displayed in a notebook cell.

    On a Voilà page, the query string of its address overrides these arguments.

    Parameters
    ----------
    locations : iterable of code, ISO3, name or alias
        Locations selected initially.
    start, end : int, optional
        Initial first and last year of the table (default: from the year after the last estimate to 2050).
    model : str, Model, or several, optional
        Up to three models to compare: names, or autoregressions such as ``AR(2, "ct")`` (default: the model chosen by
        :func:`popforecast.models.choose`).
    revision : str
        Name of a revision.
    levels : sequence of float
        Nominal coverage of the intervals, in percent.

    Returns
    -------
    Explorer or VBox
        A widget; for invalid arguments it shows an error message instead of chart and table.

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
