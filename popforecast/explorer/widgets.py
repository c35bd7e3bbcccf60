"""The widgets of the explorer: they gather a query, and show its answer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

import ipywidgets as widgets

import popforecast.models as models
from popforecast.errors import PopforecastError, RepeatedLocationError
from popforecast.explorer import views
from popforecast.explorer.queries import (
    MOST_LOCATIONS,
    Query,
    check_count,
    find_location,
    get_panel,
    list_options,
    name_location,
)
from popforecast.forecasting import Forecast
from popforecast.sources import REVISIONS

AnyWidget = TypeVar("AnyWidget", bound=widgets.DOMWidget)

DEFAULT_END = 2050
LEVELS = ((80.0, 95.0), (50.0,), (80.0,), (90.0,), (95.0,))


class Explorer(widgets.VBox):
    """Controls, and the chart and table that follow them; made by :func:`popforecast.explorer.build`.

    Attributes
    ----------
    query : Query
        What is asked now.
    forecast : Forecast or None
        The answer on show; None while there is an error instead.

    Raises
    ------
    PopforecastError
        If what is chosen at first is not valid.
    """

    def __init__(
        self,
        locations: tuple[Hashable, ...],
        start: int | None,
        end: int | None,
        model: str,
        revision: str,
        levels: tuple[float, ...],
    ) -> None:
        panel = get_panel(revision)
        start = panel.origin + 1 if start is None else start
        end = max(start, DEFAULT_END) if end is None else end
        codes = tuple(panel.index.find_all(locations))
        self.query = Query(codes, start, end, models.get(model).name, revision, levels)
        self.forecast: Forecast | None = None

        self.search = widgets.Combobox(
            description="Add a location", placeholder="Name, ISO3 or code", continuous_update=False
        )
        self.complaint = widgets.HTML()
        self.chips = tuple(_mark(widgets.Button(), "pf-chip") for _ in range(MOST_LOCATIONS))
        self.start = widgets.IntText(start, description="From")
        self.end = widgets.IntText(end, description="To")
        self.model = widgets.Dropdown(options=list(models.MODELS), value=self.query.model, description="Model")
        editions = [(f"{it.edition} (estimates to {get_panel(it.name).origin})", it.name) for it in REVISIONS.values()]
        self.revision = widgets.Dropdown(options=editions, value=revision, description="Revision")
        choices = dict.fromkeys((tuple(sorted(map(float, levels))), *LEVELS))
        self.levels = widgets.Dropdown(
            options=[(views.write_levels(choice), choice) for choice in choices], description="Interval"
        )
        self.error = widgets.HTML()
        self.heading, self.table, self.notes, self.source = (widgets.HTML() for _ in range(4))
        self.chart = _mark(widgets.Output(), "pf-chart")
        super().__init__([widgets.HTML(views.write_style()), self._lay_out()])
        _mark(self, "pf-explorer")

        self.search.observe(self._choose, "value")
        for position, chip in enumerate(self.chips):
            chip.on_click(lambda _, position=position: self._remove(position))
        for control in (self.start, self.end, self.model, self.revision, self.levels):
            control.observe(self._follow, "value")
        self._follow()

    def _lay_out(self) -> widgets.Box:
        period = _mark(widgets.Box([self.start, self.end]), "pf-period")
        locations = widgets.VBox([self.search, self.complaint, _mark(widgets.HBox(self.chips), "pf-chips")])
        fields = [locations, period, self.model, self.revision, self.levels]
        self.result = widgets.VBox([self.heading, self.chart, self.notes, self.table, self.source])
        columns = [_mark(widgets.VBox(fields), "pf-controls", "card"), widgets.VBox([self.error, self.result])]
        return _mark(widgets.Box(columns), "pf-columns")

    def _choose(self, _: Any) -> None:
        text = self.search.value.strip()
        self.complaint.value = ""
        if not text:
            return
        try:
            code = find_location(self.revision.value, text)
            if code in self.query.locations:
                raise RepeatedLocationError(f"{name_location(self.query.revision, code)} is chosen already")
            check_count((*self.query.locations, code))
        except PopforecastError as error:
            self.complaint.value = views.write_error(error)
            return
        self.search.value = ""
        self._ask((*self.query.locations, code))

    def _remove(self, position: int) -> None:
        chosen = self.query.locations
        self._ask(chosen[:position] + chosen[position + 1 :])

    def _follow(self, _: Any = None) -> None:
        self._ask(self.query.locations)

    def _ask(self, locations: tuple[Hashable, ...]) -> None:
        self.query = Query(
            locations, self.start.value, self.end.value, self.model.value, self.revision.value, self.levels.value
        )
        self.search.options = tuple(list_options(self.query.revision))
        self._show_chips([name_location(self.query.revision, code) for code in locations])
        try:
            self._show(self.query.answer())
        except PopforecastError as error:
            self._show_error(error)

    def _show_chips(self, names: Sequence[str]) -> None:
        for chip, name in zip_longest(self.chips, names):
            chip.layout.display = "none" if name is None else None
            chip.description, chip.tooltip = f"{name} ✕", f"Remove {name}"

    def _show(self, forecast: Forecast) -> None:
        self.forecast = forecast
        self.error.value = ""
        self.heading.value = views.write_heading(forecast)
        self.chart.outputs = ({"output_type": "display_data", "data": views.draw_chart(forecast), "metadata": {}},)
        self.notes.value = views.write_notes(forecast)
        self.table.value = views.write_table(forecast)
        self.source.value = views.write_source(forecast)
        self.result.layout.display = None

    def _show_error(self, error: PopforecastError) -> None:
        self.forecast = None
        self.error.value = views.write_error(error)
        self.result.layout.display = "none"


def show_error(error: PopforecastError) -> widgets.VBox:
    """Return a widget that shows an error as a sentence, in the explorer's style."""
    parts = [widgets.HTML(views.write_style()), widgets.HTML(views.write_error(error))]
    return _mark(widgets.VBox(parts), "pf-explorer")


def _mark(widget: AnyWidget, *names: str) -> AnyWidget:
    for name in names:
        widget.add_class(name)
    return widget
