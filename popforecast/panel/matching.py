"""Check that components match a panel: places, years, and ages that sum to its totals."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from popforecast.errors import PanelError
from popforecast.panel.components import Components

# Tolerance for the sum of ages, because panel totals may be in whole thousands.
SUM_TOLERANCE, SUM_PERSONS = 0.01, 1000


def check_fit(
    components: Components, codes: Iterable[Hashable], years: NDArray[np.int64], totals: NDArray[np.float64]
) -> None:
    """Check that components have the places and years of a panel, and ages that sum to its totals.

    Parameters
    ----------
    components : Components
    codes : iterable
        Codes of the panel's rows.
    years, totals : ndarray, shapes (t,), (n, t)
        Years and figures of the panel.

    Raises
    ------
    PanelError
        If they are not; the error names place, year and what is expected.
    """
    rows = {code: row for row, code in enumerate(codes)}
    strange = [code for code in components.codes if code not in rows]
    if strange:
        raise PanelError(f"components have the code {strange[0]!r}, which the panel does not have: expected its codes")
    if components.years[0] != years[0]:
        raise PanelError(
            f"components begin in {components.years[0]}, but the panel in {years[0]}: expected the same first year"
        )
    common = [(int(np.flatnonzero(years == year)[0]), i) for i, year in enumerate(components.years) if year in years]
    columns, at = (list(each) for each in zip(*common, strict=True))
    stated = totals[[rows[code] for code in components.codes]][:, columns]
    sums = components.ages[..., at].sum(axis=(1, 2))
    apart = np.abs(sums - stated) > np.maximum(SUM_TOLERANCE * stated, SUM_PERSONS)
    if apart.any():
        row, column = np.argwhere(apart)[0]
        raise PanelError(
            f"ages of {components.codes[row]!r} sum to {sums[row, column]:,.0f} in {years[columns[column]]}, but the "
            f"panel has {stated[row, column]:,.0f}: expected the same within {SUM_TOLERANCE:.0%} or "
            f"{SUM_PERSONS:,} persons"
        )
