"""What is made before the first request."""

from __future__ import annotations

import popforecast as pf
from app.outlooks import check_tables, load_medium, load_record, load_vintage_record, look_ahead
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.wpp.editions import DEFAULT_REVISION


def prepare() -> None:
    """Check all that is embedded, make every model's forecast of every revision, and read what stands beside them.

    A second's work.

    Raises
    ------
    PopforecastError
        If data or the stored model are not what they must be; the error says why.
    """
    check_tables()
    load_vintage_record()
    # Matplotlib, for downloads, is loaded here once, not in each worker.
    look_ahead(DEFAULT_REVISION, DEFAULT_MODEL, DEFAULT_LEVELS).forecast(["World"]).plot().png()
    for revision in pf.REVISIONS:
        load_record(revision)
        load_medium(revision)
        for model in pf.models.MODELS:
            look_ahead(revision, model, DEFAULT_LEVELS)
