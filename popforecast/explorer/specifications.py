"""Models as the explorer writes them, in its address and in code: names, and the plain autoregression of any order."""

from __future__ import annotations

import re

import popforecast.models as models
from popforecast.errors import UnknownModelError, shorten
from popforecast.models.ar import AR, CRITERIA, TRANSFORMS, TRENDS
from popforecast.models.base import Model

# What the search for an order may end with, and what a reader may choose.
MOST_LAGS = 5
LAGS = (*range(MOST_LAGS + 1), *CRITERIA)

# An autoregression of one's own is told from the named models by this word.
OWN = "AR"
PATTERN = re.compile(r"AR\(\s*(\w+)(?:\s+to\s+5)?\s*,\s*(\w+)\s*(?:,\s*(\w+)\s*)?\)")


def parse_model(text: str) -> Model:
    """Return the model that a text names: one of the registered, or a plain autoregression such as ``AR(2, ct, log)``.

    Raises
    ------
    UnknownModelError
        If it names none; the error says what would.
    ModelError
        If it is an autoregression without lags and without trend.

    Examples
    --------
    >>> parse_model("panel-ar").name, parse_model("AR(2, ct)"), parse_model("AR(bic, c, growth)").name
    ('panel-ar', AR(lags=2, trend='ct', transform='level', max_lags=5), 'AR(bic to 5, c, growth)')
    """
    if text in models.MODELS:
        return models.MODELS[text]
    found = PATTERN.fullmatch(text.strip())
    if found:
        lags, trend, transform = found.groups()
        if lags in map(str, LAGS) and trend in TRENDS and transform in (None, *TRANSFORMS):
            return AR(lags if lags in CRITERIA else int(lags), trend, transform or "level", MOST_LAGS)
    raise UnknownModelError(
        f"no model {shorten(text)!r}: expected one of {', '.join(models.MODELS)}, or AR(lags, trend) or "
        f"AR(lags, trend, transform) with lags of {', '.join(map(str, LAGS))}, a trend of {', '.join(TRENDS)} and a "
        f"transform of {', '.join(TRANSFORMS)}"
    )


def write_model(model: Model) -> str:
    """Write a model as an argument of :func:`popforecast.forecast`, as code that makes it.

    Examples
    --------
    >>> write_model(models.get("ar1")), write_model(AR(2, "ct")), write_model(AR("bic", "c", "growth"))
    ("'ar1'", "pf.AR(2, 'ct')", "pf.AR('bic', 'c', 'growth')")
    """
    if is_named(model):
        return repr(model.name)
    if not isinstance(model, AR):
        raise UnknownModelError(f"{model!r} cannot be written as code: expected a named model or an AR")
    plain = AR()
    arguments = [repr(model.lags), repr(model.trend)]
    arguments += [repr(model.transform)] if model.transform != plain.transform else []
    arguments += [f"max_lags={model.max_lags}"] if model.max_lags != plain.max_lags else []
    return f"pf.AR({', '.join(arguments)})"


def is_named(model: Model) -> bool:
    """Return whether every surface knows the model by its name.

    Examples
    --------
    >>> is_named(AR()), is_named(AR(2))
    (True, False)
    """
    return models.MODELS.get(model.name) == model
