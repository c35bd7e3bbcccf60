"""The models, by their names in every interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from popforecast.errors import ModelError, UnknownModelError
from popforecast.models.ar import AR
from popforecast.models.base import Fitted, Model, Note, Prediction
from popforecast.models.cohort import Cohort, knows_ages
from popforecast.models.combination import Combination
from popforecast.models.growth import DampedGrowth, Drift, Naive
from popforecast.models.guarded_ar import GuardedAR
from popforecast.models.panel_ar import PanelAR

if TYPE_CHECKING:
    from popforecast.panel import Panel
    from popforecast.panel.rectangles import UnevenPanel

__all__ = [
    "AR",
    "DEFAULT_MODEL",
    "MODELS",
    "Cohort",
    "Combination",
    "DampedGrowth",
    "Drift",
    "Fitted",
    "GuardedAR",
    "Model",
    "Naive",
    "Note",
    "PanelAR",
    "Prediction",
    "build",
    "choose",
    "get",
    "get_several",
    "specify",
]

MODELS: dict[str, Model] = {
    model.name: model
    for model in (AR(), Naive(), Drift(), DampedGrowth(), GuardedAR(), PanelAR(), Cohort(), Combination())
}

CLASSES: dict[str, Callable[..., Model]] = {type(model).__name__: type(model) for model in MODELS.values()}


# The default models of panels with components, such as the UN's revisions, and of panels of totals only.
BY_AGE, OF_TOTALS = "cohort", "panel-ar"


def choose(panel: Panel | UnevenPanel | None = None) -> str:
    """Return the name of the default model for a panel (default: a revision of the UN).

    Examples
    --------
    >>> import popforecast as pf
    >>> panel = pf.load_panel("wpp2024")
    >>> choose(), choose(panel), choose(panel.select(["NGA", "JPN"]))
    ('cohort', 'cohort', 'panel-ar')
    """
    return BY_AGE if panel is None or knows_ages(panel) else OF_TOTALS


DEFAULT_MODEL = choose()


def get(model: str | Model | None, panel: Panel | UnevenPanel | None = None) -> Model:
    """Return the model with this name; a model is returned unchanged, and None means the default of a panel.

    Raises
    ------
    UnknownModelError
        If there is no such model; the error lists the names.

    Examples
    --------
    >>> get("ar1")
    AR(lags=1, trend='c', transform='level', max_lags=5)
    """
    if isinstance(model, Model):
        return model
    if model is None and panel is not None:
        model = choose(panel)
    if not isinstance(model, str) or model not in MODELS:
        raise UnknownModelError(f"no model {model!r}: expected one of {', '.join(MODELS)}")
    return MODELS[model]


def get_several(names: Iterable[str | Model] | str | Model) -> list[Model]:
    """Return the models with these names.

    Raises
    ------
    UnknownModelError
        If there is no model with one of the names.
    ModelError
        If a model is repeated.

    Examples
    --------
    >>> [model.name for model in get_several("ar1")]
    ['ar1']
    """
    several = names if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    found = [get(name) for name in several]
    if len({model.name for model in found}) < len(found):
        raise ModelError(f"models {', '.join(model.name for model in found)}: expected each model once")
    return found


def specify(model: Model) -> dict[str, Any]:
    """Return the model as plain, JSON-serialisable values.

    Examples
    --------
    >>> specify(Naive())
    {'name': 'naive', 'class': 'Naive', 'parameters': {}}
    """
    return {"name": model.name, "class": type(model).__name__, "parameters": model.parameters}


def build(specification: dict[str, Any]) -> Model:
    """Return the model described by :func:`specify`.

    Examples
    --------
    >>> build(specify(AR(2, "ct"))) == AR(2, "ct")
    True
    """
    name = specification["class"]
    if name not in CLASSES:
        raise UnknownModelError(f"no model class {name!r}: expected one of {', '.join(CLASSES)}")
    return CLASSES[name](**specification["parameters"])
