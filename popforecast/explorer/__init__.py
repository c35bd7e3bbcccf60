"""The explorer: pick locations, period, model, revision and level; chart and table follow.

It is a widget, so it lives in any notebook; ``python -m popforecast.explorer`` serves it as a page, with Voilà.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from popforecast.errors import PopforecastError
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.sources import DEFAULT_REVISION

if TYPE_CHECKING:
    from ipywidgets import VBox

    from popforecast.explorer.widgets import Explorer


def build(
    locations: Iterable[Hashable] = ("World",),
    start: int | None = None,
    end: int | None = None,
    model: str = DEFAULT_MODEL,
    revision: str = DEFAULT_REVISION,
    levels: Sequence[float] = DEFAULT_LEVELS,
) -> Explorer | VBox:
    """Return the explorer, which shows itself in a notebook cell.

    Parameters
    ----------
    locations : iterable of code, ISO3, name or alias
        What is chosen at first.
    start, end : int, optional
        First and last year of the table at first (default: from the year after the last estimate to 2050).
    model, revision : str
        Names of a model and of a revision.
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
    from popforecast.explorer.widgets import Explorer, show_error

    try:
        return Explorer(tuple(locations), start, end, model, revision, tuple(levels))
    except PopforecastError as error:
        return show_error(error)
