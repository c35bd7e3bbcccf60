"""What is made before the first request, and what behind it."""

from __future__ import annotations

import popforecast as pf
from app.query import fit, load_panel
from popforecast.forecasting import DEFAULT_MODEL


def prepare() -> None:
    """Read every revision, and have the default model ready for it.

    Raises
    ------
    PopforecastError
        If data or a stored model are not what they must be; the error says why.
    """
    for revision in pf.REVISIONS:
        load_panel(revision)
        fit(revision, DEFAULT_MODEL)


def prepare_others() -> None:
    """Fit every other model."""
    for revision in pf.REVISIONS:
        for model in pf.models.MODELS:
            fit(revision, model)
