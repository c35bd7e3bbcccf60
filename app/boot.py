"""What is made before the first request, and what behind it."""

from __future__ import annotations

import popforecast as pf
from app.outlooks import look_ahead
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.sources import DEFAULT_REVISION


def prepare() -> None:
    """Make what the form asks for until somebody changes it: the default model's forecast of the newest revision.

    Raises
    ------
    PopforecastError
        If data or the stored model are not what they must be; the error says why.
    """
    look_ahead(DEFAULT_REVISION, DEFAULT_MODEL, DEFAULT_LEVELS)


def prepare_others() -> None:
    """Make all other forecasts, so that only the questions of the first seconds ever wait for one."""
    for revision in reversed(pf.REVISIONS):
        for model in pf.models.MODELS:
            look_ahead(revision, model, DEFAULT_LEVELS)
