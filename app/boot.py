"""What is made before the first request, and what behind it."""

from __future__ import annotations

import popforecast as pf
from app.outlooks import fit, load_panel
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.sources import DEFAULT_REVISION


def prepare() -> None:
    """Read every revision, and have the default model ready for the default one.

    Raises
    ------
    PopforecastError
        If data or a stored model are not what they must be; the error says why.
    """
    for revision in pf.REVISIONS:
        load_panel(revision)
    fit(DEFAULT_REVISION, DEFAULT_MODEL)


def prepare_others() -> None:
    """Fit every other model, so that only the first minutes' questions ever wait for one."""
    for revision in pf.REVISIONS:
        for model in pf.models.MODELS:
            fit(revision, model)
