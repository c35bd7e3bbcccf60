"""Membership: the countries that make up each aggregate, and user-defined groups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError, RepeatedLocationError, shorten
from popforecast.panel.frozen import Frozen
from popforecast.panel.panel import COUNTRY, Panel

GROUP = "Group"
EXAMPLE = "{'Home': ['NGA', 356]}"

# Aggregates that differ from the sum of their countries by more than this share are not their sum.
MOST_REMAINDER = 0.01


@dataclass(frozen=True, eq=False)
class Membership(Frozen):
    """The countries of each aggregate or group of a panel, without nesting.

    Attributes
    ----------
    countries, aggregates : tuple
        Codes of n countries and a aggregates.
    country_rows, aggregate_rows : ndarray
        Their row numbers in the panel.
    matrix : ndarray of bool, shape (a, n)
        Whether the country belongs to the aggregate.
    alone : tuple
        Codes of aggregates whose countries are unknown or not all in the panel; they are forecast like countries.
    """

    countries: tuple[Hashable, ...]
    aggregates: tuple[Hashable, ...]
    country_rows: NDArray[np.intp]
    aggregate_rows: NDArray[np.intp]
    matrix: NDArray[np.bool_]
    alone: tuple[Hashable, ...] = ()

    def take(self, rows: NDArray[np.intp]) -> Membership:
        """Return the membership of some aggregates, by row number."""
        aggregates = tuple(self.aggregates[row] for row in rows)
        return Membership(
            self.countries, aggregates, self.country_rows, self.aggregate_rows[rows], self.matrix[rows], self.alone
        )


def build_membership(panel: Panel, members: Mapping[Hashable, Iterable[Hashable]]) -> Membership:
    """Return the membership of the aggregates in a panel.

    Parameters
    ----------
    panel : Panel
        Any panel; if no location has the type of a country, all locations without members count as countries.
    members : mapping of code to codes
        As :func:`popforecast.wpp.editions.load_members` returns it; empty for panels of other figures.

    Examples
    --------
    >>> places = pd.DataFrame({"name": ["All", "A", "B"]}, index=[0, 1, 2])
    >>> membership = build_membership(Panel([[9, 10], [4, 5], [5, 5]], [2000, 2001], places), {0: (1, 2)})
    >>> membership.aggregates, membership.countries, membership.matrix.tolist()
    ((0,), (1, 2), [[True, True]])
    """
    codes = panel.locations.index.tolist()
    kinds = panel.locations["type"] == COUNTRY
    country = np.array([code not in members for code in codes]) if not kinds.any() else kinds.to_numpy()
    country_rows = np.flatnonzero(country)
    column = {codes[row]: i for i, row in enumerate(country_rows)}
    now = panel.values[:, -1]
    aggregates, rows, lists, alone = [], [], [], []
    for row in np.flatnonzero(~country):
        own = list(members.get(codes[row], ()))
        listed = [column[code] for code in own if code in column]
        total = now[country_rows[listed]].sum() if listed and len(listed) == len(own) else 0.0
        if total > 0 and abs(now[row] / total - 1) <= MOST_REMAINDER:
            aggregates.append(codes[row])
            rows.append(row)
            lists.append(np.bincount(listed, minlength=len(column)) > 0)
        else:
            alone.append(codes[row])
    matrix = np.array(lists, dtype=bool).reshape(len(lists), len(column))
    return Membership(
        tuple(column), tuple(aggregates), country_rows, np.array(rows, dtype=np.intp), matrix, tuple(alone)
    )


def check_groups(groups: object) -> dict[str, list[Hashable]]:
    """Return user-defined groups as lists of members by name; None means no groups, and a string one member.

    Names and members are not checked against a panel.

    Raises
    ------
    PanelError
        If groups is not a mapping, a name is not a string, or members are not codes and names.

    Examples
    --------
    >>> check_groups({"My markets": ("NGA", 356), "Home": "Austria"})
    {'My markets': ['NGA', 356], 'Home': ['Austria']}
    >>> check_groups(["NGA"])
    Traceback (most recent call last):
    popforecast.errors.PanelError: groups is a list: expected a dict of members by name, such as {'Home': ['NGA', 356]}
    """
    if groups is None:
        return {}
    if not isinstance(groups, Mapping):
        raise PanelError(f"groups is {_name_type(groups)}: expected a dict of members by name, such as {EXAMPLE}")
    return {_check_name(name): _list_members(name, members) for name, members in groups.items()}


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise PanelError(f"a group has the name {shorten(repr(name))}: expected a text")
    return name


def _list_members(name: str, members: object) -> list[Hashable]:
    if isinstance(members, str):
        return [members]
    if isinstance(members, Mapping | bytes | pd.DataFrame) or not (members is None or isinstance(members, Iterable)):
        raise PanelError(
            f"group {shorten(name)!r} is {_name_type(members)}: expected a list of members, such as {EXAMPLE}"
        )
    listed = list(members) if members is not None else []
    if not listed:
        raise PanelError(f"group {shorten(name)!r} has no member: expected at least one code, ISO3 code, name or alias")
    for member in listed:
        if not _is_code(member):
            raise PanelError(
                f"group {shorten(name)!r} has the member {shorten(repr(member))}: expected a code, ISO3 code, name or "
                "alias"
            )
    return listed


def _is_code(member: Any) -> bool:
    if pd.api.types.is_scalar(member) and pd.isna(member):
        return False
    return pd.api.types.is_hashable(member) and not isinstance(member, bool)


def _name_type(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def add_groups(
    panel: Panel, membership: Membership, groups: Mapping[str, Iterable[Hashable]]
) -> tuple[Panel, Membership]:
    """Append user-defined groups as locations: the name is the code, and the history is the sum of the members.

    Fit models to the panel without groups: their figures add no information.

    Parameters
    ----------
    panel : Panel
    membership : Membership
        Of the panel.
    groups : mapping of str to codes, ISO3 codes or names
        ``{"My markets": ["NGA", 356, "Central America"]}``; an aggregate represents its countries.

    Raises
    ------
    PanelError
        If a group has no members, no name or the name of a location, or the countries of a member are unknown.
    UnknownLocationError
        If a member is not in the panel.
    RepeatedLocationError
        If a country would be counted twice.
    """
    groups = check_groups(groups)
    named = [_resolve_group(panel, membership, name, members) for name, members in groups.items()]
    if not named:
        return panel, membership
    values = np.array([panel.values[rows].sum(axis=0) for rows, _ in named])
    places = pd.DataFrame({"name": list(groups), "type": GROUP}, index=list(groups))
    return panel.append(values, places), Membership(
        membership.countries,
        (*membership.aggregates, *groups),
        membership.country_rows,
        np.append(membership.aggregate_rows, len(panel) + np.arange(len(named))),
        np.vstack([membership.matrix, np.array([row for _, row in named])]),
        membership.alone,
    )


def _resolve_group(
    panel: Panel, membership: Membership, name: str, members: list[Hashable]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    _check_group_name(panel, name)
    rows = panel.rows(members)
    counts = np.zeros(len(membership.countries), dtype=np.int64)
    for row in rows:
        counts += _expand(panel, membership, name, int(row))
    if (counts > 1).any():
        twice = membership.country_rows[counts.argmax()]
        holding = [
            panel.locations["name"].iloc[r] for r in rows if _expand(panel, membership, name, int(r))[counts > 1][0]
        ]
        raise RepeatedLocationError(
            f"group {name!r} counts {panel.locations['name'].iloc[twice]} twice, in {' and in '.join(holding)}: "
            "expected each country once"
        )
    return rows, counts > 0


def _expand(panel: Panel, membership: Membership, name: str, row: int) -> NDArray[np.bool_]:
    if row in membership.country_rows:
        return membership.country_rows == row
    if row not in membership.aggregate_rows:
        place = f"{panel.locations['name'].iloc[row]} ({panel.locations.index[row]})"
        raise PanelError(
            f"group {name!r} has the member {place}, whose countries are not all known: expected countries"
        )
    return membership.matrix[np.flatnonzero(membership.aggregate_rows == row)[0]]


def _check_group_name(panel: Panel, name: str) -> None:
    if panel.index.has(name):
        code = panel.index.find(name)
        raise PanelError(
            f"group {name!r} has the name of a location, {panel.index.names[code]} ({code}): expected another name"
        )
