"""Widgets of the explorer: controls for the query, and the display of its forecasts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import ipywidgets as widgets

from popforecast.charts.lines import SCALES
from popforecast.errors import PopforecastError, RepeatedLocationError
from popforecast.explorer import evidence, views
from popforecast.explorer.addresses import is_page, read_address, read_year
from popforecast.explorer.ages import write_ages
from popforecast.explorer.charts import chart_answer, draw_answer, draw_residuals
from popforecast.explorer.controls import ModelPicker, mark, write_year
from popforecast.explorer.state import (
    MOST_LINES,
    MOST_MODELS,
    Query,
    check_count,
    find_location,
    list_options,
    name_location,
)
from popforecast.forecasting.result import Forecast
from popforecast.models.levels import DEFAULT_LEVELS
from popforecast.session import get_session
from popforecast.wpp.editions import REVISIONS

LEVELS = (tuple(map(float, DEFAULT_LEVELS)), (50.0,), (80.0,), (90.0,), (95.0,))
MODEL_LABELS = ("Model", "Compare with", "and")
SCALE_LABELS = {"absolute": "linear", "log": "log", "indexed": "last estimate = 100"}


class Explorer(widgets.VBox):
    """Controls with a chart and tabs that update; built by :func:`popforecast.explorer.build`.

    Parameters
    ----------
    query : Query
        Initial query.

    Attributes
    ----------
    query : Query
        Last query that could be read.
    forecasts : tuple of Forecast
        Forecasts shown, one per model; empty if an error is shown.
    """

    def __init__(self, query: Query) -> None:
        self.query = query
        self.forecasts: tuple[Forecast, ...] = ()
        self._is_setting = False
        self._build_controls(query)
        self._build_results()
        columns = [mark(widgets.VBox(self._list_controls()), "pf-controls", "card"), self._lay_out_results()]
        super().__init__([widgets.HTML(views.write_style()), mark(widgets.Box(columns), "pf-columns")])
        mark(self, "pf-explorer")
        self._watch()
        self.show_query(query)

    def show_query(self, query: Query) -> None:
        """Set all controls to a query and show its forecasts."""
        with self._setting():
            self.start.value, self.end.value = str(query.start), str(query.end)
            self.revision.value, self.scale.value = query.revision, query.scale
            if query.levels not in [value for _, value in self.levels.options]:
                self.levels.options = (*self.levels.options, (views.write_levels(query.levels), query.levels))
            self.levels.value = query.levels
            for picker, model in zip_longest(self.models, query.models):
                picker.show(model)
        self._ask(query.locations)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """Return the output of a cell: the widget and, for Voilà pages, a preview until scripts are loaded."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        if is_page():
            messages = self.warning.value + self.error.value
            bundle["text/html"] = views.write_preview(messages, self.forecasts, self.query)
        return bundle

    def follow(self, address: str) -> None:
        """Show the query of an address; if it is invalid, keep the current view and show a warning."""
        if not address:
            return
        try:
            query = read_address(address, self.query)
            query.answer()
        except PopforecastError as error:
            self.warning.value = views.write_error(error)
            return
        self.show_query(query)

    def _build_controls(self, query: Query) -> None:
        self.search = widgets.Combobox(
            description="Add a location", placeholder="Name, ISO3 or code", continuous_update=False
        )
        self.complaint = widgets.HTML()
        self.chips = tuple(mark(widgets.Button(), "pf-chip") for _ in range(MOST_LINES))
        self.basket = mark(widgets.HBox(self.chips), "pf-chips")
        self.start, self.end = write_year("From"), write_year("To")
        self.models = tuple(ModelPicker(MODEL_LABELS[i], may_be_none=i > 0) for i in range(MOST_MODELS))
        editions = [
            (f"{it.edition} (estimates to {get_session(it.name).panel.origin})", it.name) for it in REVISIONS.values()
        ]
        self.revision = widgets.Dropdown(options=editions, description="Revision")
        choices = dict.fromkeys((query.levels, *LEVELS))
        self.levels = widgets.Dropdown(
            options=[(views.write_levels(choice), choice) for choice in choices], description="Interval"
        )
        self.scale = widgets.Dropdown(
            options=[(SCALE_LABELS[name], name) for name in SCALES], description="Chart scale"
        )

    def _build_results(self) -> None:
        self.warning, self.error = widgets.HTML(), widgets.HTML()
        self.heading, self.notes, self.source = (widgets.HTML() for _ in range(3))
        self.chart = mark(widgets.Output(), "pf-chart")
        self.table, self.equations, self.residuals, self.record, self.recipe, self.ages = (
            widgets.HTML() for _ in range(6)
        )
        self.residual_chart = widgets.Output()
        residuals = widgets.VBox([self.residual_chart, self.residuals])
        self.tabs = mark(
            widgets.Tab(
                [self.table, self.equations, residuals, self.record, self.recipe, self.ages],
                titles=["Figures", "Equation", "Residuals", "Backtest", "Code", "Ages"],
            ),
            "pf-tabs",
        )
        self._writers: tuple[Callable[[], None], ...] = (
            self._write_table,
            self._write_equations,
            self._write_residuals,
            self._write_record,
            self._write_recipe,
            self._write_ages,
        )

    def _list_controls(self) -> list[widgets.Widget]:
        locations = widgets.VBox([self.search, self.complaint, self.basket])
        period = mark(widgets.Box([self.start, self.end]), "pf-period")
        return [locations, *self.models, period, self.revision, self.levels, self.scale]

    def _lay_out_results(self) -> widgets.VBox:
        self.result = widgets.VBox([self.heading, self.chart, self.notes, self.tabs, self.source])
        return widgets.VBox([self.warning, self.error, self.result])

    def _watch(self) -> None:
        self.search.observe(self._choose, "value")
        for position, chip in enumerate(self.chips):
            chip.on_click(lambda _, position=position: self._remove(position))
        for control in (self.start, self.end, self.revision, self.levels, self.scale):
            control.observe(self._follow, "value")
        for picker in self.models:
            picker.watch(self._follow)
        self.tabs.observe(self._turn, "selected_index")

    @contextmanager
    def _setting(self) -> Iterator[None]:
        """Suspend updates while several controls are set."""
        self._is_setting = True
        try:
            yield
        finally:
            self._is_setting = False

    def _choose(self, _: Any) -> None:
        text = self.search.value.strip()
        self.complaint.value = ""
        if not text:
            return
        try:
            code = find_location(self.revision.value, text)
            if code in self.query.locations:
                raise RepeatedLocationError(f"{name_location(self.query.revision, code)} is already selected")
            check_count((*self.query.locations, code), self.query.models)
        except PopforecastError as error:
            self.complaint.value = views.write_error(error)
            return
        self.search.value = ""
        self._ask((*self.query.locations, code))

    def _remove(self, position: int) -> None:
        chosen = self.query.locations
        self._ask(chosen[:position] + chosen[position + 1 :])

    def _follow(self, _: Any = None) -> None:
        if not self._is_setting:
            self._ask(self.query.locations)

    def _ask(self, locations: tuple[Hashable, ...]) -> None:
        self.query = replace(self.query, locations=locations, revision=self.revision.value)
        self.search.options = tuple(list_options(self.query.revision))
        self._show_chips([name_location(self.query.revision, code) for code in locations])
        self.warning.value = ""
        try:
            self.query = self._read(locations)
            self._show(self.query.answer())
        except PopforecastError as error:
            self._show_error(error)
        except Exception as error:
            # Otherwise Jupyter would only log the error, and the page would not respond.
            self._show_error(PopforecastError(f"something went wrong in popforecast: {type(error).__name__}: {error}"))
            raise

    def _read(self, locations: tuple[Hashable, ...]) -> Query:
        return Query(
            locations,
            read_year(self.start.value, "from"),
            read_year(self.end.value, "to"),
            tuple(model for picker in self.models if (model := picker.choose())),
            self.revision.value,
            self.levels.value,
            self.scale.value,
        )

    def _show_chips(self, names: Sequence[str]) -> None:
        for chip, name in zip_longest(self.chips, names):
            chip.layout.display = "none" if name is None else None
            chip.description, chip.tooltip = f"{name} ✕", f"Remove {name}"

    def _show(self, forecasts: tuple[Forecast, ...]) -> None:
        chart = chart_answer(forecasts, self.query.scale)
        source = views.write_source(forecasts, self.query)
        self.forecasts = forecasts
        # The chart first, because each update is sent as soon as it is set.
        _fill(self.chart, draw_answer(chart))
        self.result.layout.display = None
        self.heading.value = views.write_heading(chart)
        self._turn()
        self.notes.value, self.source.value = views.write_notes(forecasts), source
        (self.basket.add_class if len(forecasts) > 1 else self.basket.remove_class)("pf-several")
        self.error.value = ""

    def _turn(self, _: Any = None) -> None:
        """Update the selected tab; the others are updated when selected."""
        if self.forecasts:
            self._writers[self.tabs.selected_index or 0]()

    def _write_table(self) -> None:
        self.table.value = views.write_table(self.forecasts)

    def _write_equations(self) -> None:
        self.equations.value = evidence.write_equations(self.query)

    def _write_residuals(self) -> None:
        residuals = evidence.list_residuals(self.query)
        self.residuals.value = evidence.write_residuals(residuals)
        if residuals:
            _fill(self.residual_chart, draw_residuals(residuals))
        else:
            self.residual_chart.outputs = ()

    def _write_record(self) -> None:
        self.record.value = evidence.write_record(self.query)

    def _write_recipe(self) -> None:
        self.recipe.value = evidence.write_recipe(self.query)

    def _write_ages(self) -> None:
        self.ages.value = write_ages(self.forecasts)

    def _show_error(self, error: PopforecastError) -> None:
        self.forecasts = ()
        self.error.value = views.write_error(error)
        self.result.layout.display = "none"


def show_error(error: PopforecastError) -> widgets.VBox:
    """Return a widget that shows an error message in the style of the explorer."""
    parts = [widgets.HTML(views.write_style()), widgets.HTML(views.write_error(error))]
    return mark(widgets.VBox(parts), "pf-explorer")


def _fill(output: widgets.Output, data: dict[str, Any]) -> None:
    output.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
