"""The UN's medium variant, for comparison with forecasts from the same edition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from popforecast.errors import PanelError
from popforecast.models.base import Prediction
from popforecast.panel import Panel
from popforecast.wpp.editions import find_edition, load_projections
from popforecast.wpp.pairing import Pairing

NOT_PROJECTED = "not projected by the UN"


def find_projections(panel: Panel) -> pd.DataFrame | None:
    """Return the UN's own projections in a panel's edition; None if there are none or the panel was truncated."""
    edition = find_edition(panel)
    if edition is None or not edition.has_projections:
        return None
    projections = load_projections(edition.name)
    # The UN's projections used later data than a truncated panel has, so a comparison would be unfair.
    return projections if projections["year"].min() == panel.origin + panel.step else None


def add_medium(
    pairing: Pairing, projections: pd.DataFrame | None, years: list[int], levels: Sequence[float]
) -> tuple[Pairing, Prediction | None]:
    """Return the pairing reduced to countries projected by the UN, and the UN's projections of them.

    Raises
    ------
    PanelError
        If the projections lack one of the years or all countries.
    """
    if projections is None:
        return pairing, None
    wide = projections[projections["year"].isin(years)].pivot(index="location_code", columns="year")
    wide = wide.reindex(pairing.earlier.locations.index)
    if "population" not in wide or not set(years) <= set(wide["population"]):
        raise PanelError(f"the projections lack one of the years {years}: expected a population for each")
    missing = wide[["population"]].isna().any(axis=1)
    if missing.all():
        raise PanelError(f"the projections include no country of {pairing.earlier!r}")
    figures = wide[~missing]
    lost = pairing.earlier.locations[missing][["name"]].set_axis(["location"], axis=1).assign(reason=NOT_PROJECTED)
    kept = np.flatnonzero(~missing)
    pairing = Pairing(pairing.earlier.take(kept), pairing.later.take(kept), pd.concat([pairing.excluded, lost]))
    stated = [level for level in levels if {f"lower_{level:g}", f"upper_{level:g}"} <= set(projections)]
    lower, upper = (
        {level: figures[f"{side}_{level:g}"].to_numpy(float) for level in stated} for side in ("lower", "upper")
    )
    return pairing, Prediction(figures["population"].to_numpy(float), lower, upper)
