"""Pairs of revisions: countries with the same definition in both, and revisions of the base-year population."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from popforecast.data import read_facts
from popforecast.errors import PanelError, YearError
from popforecast.panel import Panel, describe_years
from popforecast.panel.frozen import Frozen


@dataclass(frozen=True, eq=False)
class Pairing(Frozen, tables=("excluded",)):
    """The countries common to two revisions.

    Attributes
    ----------
    earlier, later : Panel
        These countries in each revision, in the same order, with the years of that revision.
    excluded : DataFrame
        Countries of either revision that were left out, indexed by code: location and reason.
    """

    earlier: Panel
    later: Panel
    excluded: pd.DataFrame

    def measure_base(self) -> pd.DataFrame:
        r"""Return the revision of the base-year population: that of the last year of the earlier revision.

        Returns
        -------
        DataFrame
            Indexed by code: location, region, then and now (persons in that year, according to the earlier and the
            later revision), ape (percent of `now`) and log_revision, :math:`\log(\text{now} / \text{then})`.
        """
        then, now = self.earlier.values[:, -1], take_years(self.later, [self.earlier.origin])[:, 0]
        if (then <= 0).any() or (now <= 0).any():
            name = self.earlier.locations["name"][(then <= 0) | (now <= 0)].iloc[0]
            raise PanelError(f"{name} has population 0 in {self.earlier.origin}: expected one above zero")
        return (
            self.earlier.locations[["name", "region"]]
            .rename(columns={"name": "location"})
            .assign(then=then, now=now, ape=100 * np.abs(then - now) / now, log_revision=np.log(now / then))
        )


@cache
def load_wholes() -> Mapping[Hashable, int]:
    """Return the country that formerly included a territory now listed separately, by code of the territory.

    The definition of the country differs between two revisions if only the later one lists the territory.

    Examples
    --------
    >>> load_wholes()[412]
    688
    """
    table = read_facts("counted-with.csv", part=int, part_name=str, whole=int, whole_name=str)
    return {part: whole for part, _, whole, _ in table}


def pair(earlier: Panel, later: Panel, alike: bool = True) -> Pairing:
    """Return the countries common to two revisions, and those excluded.

    A code stands for the same territory in both, unless the later revision lists separately a part that the earlier
    one included (:func:`load_wholes`), as with Kosovo and Serbia.

    Parameters
    ----------
    earlier, later : Panel
    alike : bool
        Whether to leave out countries that the revisions define differently; if False, all common codes are kept.

    Raises
    ------
    PanelError
        If they have no country in common.

    Examples
    --------
    >>> import popforecast as pf
    >>> pairing = pair(pf.load_panel("wpp2012"), pf.load_panel("wpp2024"))
    >>> len(pairing.later), pairing.excluded["reason"][688]
    (198, 'counted with Kosovo (under UNSC res. 1244) in wpp2012')
    """
    before, after = earlier.countries(), later.countries()
    reasons = _explain_absent(before, after) | (_explain_redefined(before, after) if alike else {})
    codes = [code for code in before.locations.index if code not in reasons]
    if not codes:
        raise PanelError(f"{before!r} and {after!r} have no country in common that both define in the same way")
    names = after.locations["name"].to_dict() | before.locations["name"].to_dict()
    excluded = pd.DataFrame(
        {"location": [names[code] for code in reasons], "reason": list(reasons.values())},
        index=pd.Index(list(reasons), name="code"),
    )
    kept = [panel.take(panel.locations.index.get_indexer(pd.Index(codes))) for panel in (before, after)]
    return Pairing(kept[0], kept[1], excluded)


def take_years(panel: Panel, years: Sequence[int]) -> np.ndarray:
    """Return the panel's figures for these years, shape (n, years).

    Raises
    ------
    YearError
        If the panel does not have one of them.
    """
    absent = [year for year in years if year not in panel.years]
    if absent:
        raise YearError(f"{absent[0]} is not a year of {panel!r}, which has {describe_years(panel.years)}")
    return panel.values[:, np.searchsorted(panel.years, years)]


def _explain_absent(before: Panel, after: Panel) -> dict[Hashable, str]:
    reasons = {}
    for code in before.locations.index.difference(after.locations.index, sort=False):
        parts = _list_parts(code, after.locations["name"])
        reasons[code] = f"divided into {parts} in {_title(after)}" if parts else f"not in {_title(after)}"
    for code in after.locations.index.difference(before.locations.index, sort=False):
        whole = before.index.names.get(load_wholes().get(code))
        reasons[code] = f"counted with {whole} in {_title(before)}" if whole else f"not in {_title(before)}"
    return reasons


def _explain_redefined(before: Panel, after: Panel) -> dict[Hashable, str]:
    new = after.locations["name"][~after.locations.index.isin(before.locations.index)]
    return {
        code: f"counted with {_list_parts(code, new)} in {_title(before)}"
        for code in before.locations.index.intersection(after.locations.index, sort=False)
        if _list_parts(code, new)
    }


def _list_parts(code: Hashable, names: pd.Series) -> str:
    return " and ".join(name for part, name in names.items() if load_wholes().get(part) == code)


def _title(panel: Panel) -> str:
    return panel.revision or "the panel"
