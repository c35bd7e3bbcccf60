"""The countries that make up each aggregate of a revision: derived from public lists, verified by the figures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from popforecast.data import read_facts
from popforecast.panel import COUNTRY, Panel

Members = dict[Hashable, tuple[Hashable, ...]]

CHINA = "CHN HKG MAC TWN"

# The Vatican has no series of its own in 2024, and never had 1,000 inhabitants.
UNLISTED = 1000.0


def find_members(panel: Panel) -> Members:
    """Return the countries of each aggregate, in the panel's order, where the figures confirm them.

    The lists of all known editions are tried, and the one with the best fit is kept. An aggregate that equals the
    sum of none of them, up to rounding (:func:`prove_members`), is left out.

    Examples
    --------
    >>> from popforecast.wpp.editions import load_panel
    >>> find_members(load_panel("wpp2024"))[927]
    (36, 554)
    """
    countries = set(panel.locations.index[panel.locations["type"] == COUNTRY])
    aggregates = [code for code in panel.locations.index if code not in countries]
    found: dict[Hashable, tuple[float, tuple[Hashable, ...]]] = {}
    for lists in load_lists().values() if countries else ():
        derived = derive_members(panel, lists)
        proof = prove_members(panel, {code: derived[code] for code in aggregates if derived.get(code)})
        for code, gap in proof.loc[proof["proven"], "gap"].items():
            if code not in found or gap < found[code][0]:
                found[code] = gap, derived[code]
    return {code: found[code][1] for code in aggregates if code in found}


def list_holding(members: Members, codes: Iterable[Hashable]) -> list[Hashable]:
    """Return the aggregates that include any of the countries.

    Examples
    --------
    >>> list_holding({0: (1, 2), 9: (3,)}, [2])
    [0]
    """
    wanted = set(codes)
    return [aggregate for aggregate, countries in members.items() if not wanted.isdisjoint(countries)]


@cache
def load_lists() -> Mapping[str, Mapping[int, Sequence[str]]]:
    """Load the ISO3 codes of development groups and income classes, by edition and group; 0: not classified by income.

    The lists are those of the UN and the World Bank at the time, so they differ between editions. High income is the
    remainder after the other classes.

    Examples
    --------
    >>> load_lists()["wpp2024"][2090]
    ['BOL', 'PRY']
    """
    lists: dict[str, dict[int, Sequence[str]]] = {}
    table = read_facts("groupings.csv", editions=str.split, code=int, name=str, countries=str.split)
    for editions, code, _, countries in table:
        for edition in editions:
            lists.setdefault(edition, {})[code] = countries
    return lists


@cache
def load_joins() -> Mapping[int, Sequence[int]]:
    """Return the parts of each aggregate that is a union of others, by code; nested unions come first.

    Examples
    --------
    >>> load_joins()[1833]
    [912, 922]
    """
    joins = read_facts("joins.csv", code=int, name=str, parts=str.split)
    return {code: [int(part) for part in parts] for code, _, parts in joins}


def derive_members(panel: Panel, lists: Mapping[int, Sequence[str]]) -> Members:
    """Return the countries of every aggregate that can be derived from parent codes, lists and unions of these.

    Parameters
    ----------
    panel : Panel
    lists : mapping of int to sequence of str
        ISO3 codes of the groups in one edition, as returned by :func:`load_lists`.
    """
    locations = panel.locations
    country = locations.index[locations["type"] == COUNTRY]
    iso3 = {locations["iso3"][code]: code for code in country}
    everyone = frozenset(country)
    sets: dict[Hashable, frozenset[Hashable]] = {code: frozenset([code]) for code in country}
    sets[900] = everyone
    sets |= _follow_parents(locations, country)
    sets |= {code: frozenset(iso3[c] for c in countries if c in iso3) for code, countries in lists.items()}
    sets[1503] = everyone - _join(sets, (1500, 1501, 1502, 1518, 0))
    for code, parts in load_joins().items():
        sets[code] = sets.get(code) or _join(sets, parts)
    sets[902] = everyone - sets[901]
    sets[934] = sets[902] - sets[941]
    sets[948] = sets[902] - {iso3.get(c) for c in CHINA.split()}
    return {code: tuple(c for c in country if c in members) for code, members in sets.items()}


def prove_members(panel: Panel, members: Mapping[Hashable, Iterable[Hashable]]) -> pd.DataFrame:
    r"""Compare every aggregate with the sum of its countries, in every year.

    The remainder :math:`r_t = y_t - \sum_i y_{it}` must be explained by rounding and by countries without a series
    (`UNLISTED`): :math:`-b \le r_t \le b + 1000` in every year, with :math:`b = 2 u \sqrt{n + 1}` for n countries
    rounded to u persons each. This is seven standard deviations of a sum of uniform rounding errors, or five where
    year-end figures and their means were both rounded.

    Returns
    -------
    DataFrame, indexed by aggregate
        name, countries (their number), least and most (the smallest and largest remainder, in persons), gap (its root
        mean square), bound (b) and proven.
    """
    unit = 1000.0 if (panel.values % 1000 == 0).all() else 1.0
    row = {code: i for i, code in enumerate(panel.locations.index)}
    table = []
    for code, countries in members.items():
        rows = [row[c] for c in countries]
        remainder = panel.values[row[code]] - panel.values[rows].sum(axis=0)
        bound = 2 * unit * np.sqrt(len(rows) + 1)
        table.append(
            {
                "aggregate": code,
                "name": panel.index.names[code],
                "countries": len(rows),
                "least": remainder.min(),
                "most": remainder.max(),
                "gap": float(np.sqrt(np.mean(remainder**2))),
                "bound": bound,
                "proven": bool((remainder >= -bound).all() and (remainder <= bound + UNLISTED).all()),
            }
        )
    columns = ["aggregate", "name", "countries", "least", "most", "gap", "bound", "proven"]
    return pd.DataFrame(table, columns=columns).astype({"proven": bool}).set_index("aggregate")


def _follow_parents(locations: pd.DataFrame, country: pd.Index) -> dict[Hashable, frozenset[Hashable]]:
    below: dict[Hashable, set[Hashable]] = {}
    named = {name: code for code, name in locations["name"][locations["type"] == "Region"].items()}
    for code in country:
        region = named.get(locations["region"][code])
        if region is not None:
            below.setdefault(region, set()).add(code)
        parent = locations["parent"][code]
        while parent is not None and parent in locations.index:
            below.setdefault(parent, set()).add(code)
            parent = locations["parent"][parent]
    return {code: frozenset(countries) for code, countries in below.items()}


def _join(sets: Mapping[Hashable, frozenset[Hashable]], parts: Iterable[Hashable]) -> frozenset[Hashable]:
    return frozenset().union(*(sets.get(part, frozenset()) for part in parts))
