"""Controls of the explorer: a model with its parameters, and a year."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import ipywidgets as widgets

import popforecast.models as models
from popforecast.explorer.state import LAGS, MOST_LAGS, OWN
from popforecast.models.ar import AR
from popforecast.models.base import Model

AnyWidget = TypeVar("AnyWidget", bound=widgets.DOMWidget)

NONE = "none"
TRENDS = (("constant", "c"), ("constant and linear trend", "ct"), ("linear trend", "t"), ("none", "n"))
TRANSFORMS = (("level", "level"), ("log", "log"), ("growth", "growth"))
ORDERS = tuple((f"chosen by {lags.upper()}" if isinstance(lags, str) else str(lags), lags) for lags in LAGS)


class ModelPicker(widgets.VBox):
    """Control for a named model, or an autoregression with chosen lags, trend and transform.

    Parameters
    ----------
    description : str
        The label.
    may_be_none : bool
        Whether the choice may be empty.
    """

    def __init__(self, description: str, may_be_none: bool) -> None:
        kinds = [(NONE, NONE)] if may_be_none else []
        kinds += [(name, name) for name in models.MODELS] + [("AR with your own order", OWN)]
        self.kind = widgets.Dropdown(options=kinds, description=description)
        self.lags = widgets.Dropdown(options=ORDERS, value=2, description="Lags")
        self.trend = widgets.Dropdown(options=TRENDS, description="Trend")
        self.transform = widgets.Dropdown(options=TRANSFORMS, description="Transform")
        self.parameters = mark(widgets.Box([self.lags, self.trend, self.transform]), "pf-parameters")
        super().__init__([self.kind, self.parameters])
        self.kind.observe(self._fold, "value")
        self._fold()

    def choose(self) -> Model | None:
        """Return the chosen model.

        Raises
        ------
        ModelError
            If the autoregression has neither lags nor trend.
        """
        if self.kind.value == OWN:
            return AR(self.lags.value, self.trend.value, self.transform.value, MOST_LAGS)
        return None if self.kind.value == NONE else models.get(self.kind.value)

    def show(self, model: Model | None) -> None:
        """Set the controls to a model."""
        if model is None:
            self.kind.value = NONE
        elif model.name in models.MODELS:
            self.kind.value = model.name
        else:
            self.lags.value, self.trend.value, self.transform.value = (
                getattr(model, field) for field in ("lags", "trend", "transform")
            )
            self.kind.value = OWN

    def watch(self, call: Callable[[Any], None]) -> None:
        """Call a function when a model or a parameter changes."""
        for control in (self.kind, self.lags, self.trend, self.transform):
            control.observe(call, "value")

    def _fold(self, _: Any = None) -> None:
        self.parameters.layout.display = None if self.kind.value == OWN else "none"


def write_year(description: str) -> widgets.Text:
    """Return a text field for a year; a number field would silently change 2030.7 to 2030."""
    return widgets.Text(description=description, continuous_update=False)


def mark(widget: AnyWidget, *names: str) -> AnyWidget:
    """Add CSS classes to a widget and return it."""
    for name in names:
        widget.add_class(name)
    return widget
