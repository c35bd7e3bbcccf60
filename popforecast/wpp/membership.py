"""Which countries make up each aggregate of a revision: derived from public lists, proved by the figures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from popforecast.panel import COUNTRY, Panel

Members = dict[Hashable, tuple[Hashable, ...]]

# The least developed, landlocked and small island countries, and the World Bank's income classes, as each edition used
# them: its own lists of the time, so they differ. High income is what the other classes leave.
_LANDLOCKED = {
    2087: "BDI BFA BWA CAF ETH LSO MLI MWI NER RWA SSD SWZ TCD UGA ZMB ZWE",
    2088: "AFG ARM AZE BTN KAZ KGZ LAO MNG NPL TJK TKM UZB",
    2089: "MDA MKD",
    2090: "BOL PRY",
}
_ISLANDS = {
    2091: "ABW AIA ATG BHS BLZ BMU BRB CUB CUW CYM DMA DOM GLP GRD GUY HTI JAM KNA LCA MSR MTQ PRI SUR SXM TCA TTO VCT "
    "VGB VIR",
    2092: "ASM COK FJI FSM GUM KIR MHL MNP NCL NIU NRU PLW PNG PYF SLB TLS TON TUV VUT WSM",
    2093: "COM CPV GNB MDV MUS SGP STP SYC",
}
_LEAST_DEVELOPED = (
    "AFG AGO BDI BEN BFA BGD CAF COD COM DJI ERI ETH GIN GMB GNB HTI KHM KIR LAO LBR LSO MDG MLI MMR MOZ MRT MWI NER "
    "NPL RWA SDN SEN SLB SLE SOM SSD STP TCD TGO TLS TUV TZA UGA YEM ZMB"
)
LISTS: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "wpp2019": {
            941: f"{_LEAST_DEVELOPED} BTN VUT",
            **_LANDLOCKED,
            # Guadeloupe still counted Saint Barthélemy and Saint Martin; Bahrain was listed until 2021.
            **_ISLANDS,
            2091: f"{_ISLANDS[2091]} BLM MAF",
            2093: f"{_ISLANDS[2093]} BHR",
            1500: "AFG BDI BEN BFA CAF COD COM ERI ETH GIN GMB GNB HTI LBR MDG MLI MOZ MWI NER NPL PRK RWA SEN SLE SOM "
            "SSD SYR TCD TGO TJK TZA UGA YEM ZWE",
            1501: "AGO BGD BOL BTN CIV CMR COG CPV DJI EGY FSM GEO GHA HND IDN IND KEN KGZ KHM KIR LAO LKA LSO MAR MDA "
            "MMR MNG MRT NGA NIC PAK PHL PNG PSE SDN SLB SLV STP SWZ TLS TUN UKR UZB VNM VUT XKX ZMB",
            1502: "ALB ARM ASM AZE BGR BIH BLR BLZ BRA BWA CHN COL CRI CUB DMA DOM DZA ECU FJI GAB GNQ GRD GTM GUY IRN "
            "IRQ JAM JOR KAZ LBN LBY LCA MDV MEX MHL MKD MNE MUS MYS NAM NRU PER PRY ROU RUS SRB SUR THA TKM TON TUR "
            "TUV VCT VEN WSM ZAF",
            1518: "AIA BES BLM COK ESH FLK GLP GUF MSR MTQ MYT NIU REU SHN SPM TKL VAT WLF",
        },
        "wpp2024": {
            941: _LEAST_DEVELOPED,
            **_LANDLOCKED,
            **_ISLANDS,
            1500: "AFG BDI BFA CAF COD ERI ETH GMB GNB LBR MDG MLI MOZ MWI NER PRK RWA SDN SLE SOM SSD SYR TCD TGO UGA "
            "YEM",
            1501: "AGO BEN BGD BOL BTN CIV CMR COG COM CPV DJI DZA EGY FSM GHA GIN HND HTI IND IRN JOR KEN KGZ KHM KIR "
            "LAO LBN LKA LSO MAR MMR MNG MRT NGA NIC NPL PAK PHL PNG SEN SLB STP SWZ TJK TLS TUN TZA UKR UZB VNM VUT "
            "WSM ZMB ZWE",
            1502: "ALB ARG ARM AZE BGR BIH BLR BLZ BRA BWA CHN COL CRI CUB DMA DOM ECU FJI GAB GEO GNQ GRD GTM IDN IRQ "
            "JAM KAZ LBY LCA MDA MDV MEX MHL MKD MNE MUS MYS NAM PER PLW PRY PSE RUS SLV SRB SUR THA TKM TON TUR TUV "
            "VCT XKX ZAF",
            1518: "AIA BES COK ESH FLK MSR NIU SHN TKL VEN VAT WLF",
            # Guadeloupe alone is in none of the edition's income groups.
            0: "GLP",
        },
    }
)

# Aggregates that join others, in an order in which each stands after its parts.
JOINS: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        947: (910, 911, 913, 914), 1834: (910, 911, 913, 914), 1833: (912, 922), 921: (5500, 5501), 1831: (5500, 5501),
        1832: (906, 920), 1830: (904,), 1836: (927,), 1835: (928, 954, 957), 918: (905,), 917: (908,),
        1829: (905, 908), 5502: (905, 908, 927), 5505: (904, 905), 901: (905, 908, 927, 392),
        1636: (2087, 2088, 2089, 2090), 1637: (2091, 2092, 2093), 1517: (1501, 1502), 1859: (1500, 1501, 1502),
        5503: (1502, 1503), 5504: (1500, 1501),
    }
)  # fmt: skip
CHINA = "CHN HKG MAC TWN"

# The Vatican has no series of its own in 2024, and never had 1,000 inhabitants.
UNLISTED = 1000.0


def find_members(panel: Panel) -> Members:
    """Return the countries of every aggregate whose figures prove them, in the panel's order.

    The lists of every known edition are tried, and the one that fits best is kept; an aggregate that none of them
    adds up to, to the rounding (:func:`prove_members`), is left out.

    Examples
    --------
    >>> from popforecast.wpp.editions import load_panel
    >>> find_members(load_panel("wpp2024"))[927]
    (36, 554)
    """
    countries = set(panel.locations.index[panel.locations["type"] == COUNTRY])
    aggregates = [code for code in panel.locations.index if code not in countries]
    found: dict[Hashable, tuple[float, tuple[Hashable, ...]]] = {}
    for lists in LISTS.values() if countries else ():
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


def derive_members(panel: Panel, lists: Mapping[int, str]) -> Members:
    """Return the countries of every aggregate that the tree of parents, the lists and their joins can name.

    Parameters
    ----------
    panel : Panel
    lists : mapping of int to str
        ISO3 codes of the classes of one edition, as in `LISTS`.
    """
    locations = panel.locations
    country = locations.index[locations["type"] == COUNTRY]
    iso3 = {locations["iso3"][code]: code for code in country}
    everyone = frozenset(country)
    sets: dict[Hashable, frozenset[Hashable]] = {code: frozenset([code]) for code in country}
    sets[900] = everyone
    sets |= _follow_parents(locations, country)
    sets |= {code: frozenset(iso3[c] for c in text.split() if c in iso3) for code, text in lists.items()}
    sets[1503] = everyone - _join(sets, (1500, 1501, 1502, 1518, 0))
    for code, parts in JOINS.items():
        sets[code] = sets.get(code) or _join(sets, parts)
    sets[902] = everyone - sets[901]
    sets[934] = sets[902] - sets[941]
    sets[948] = sets[902] - {iso3.get(c) for c in CHINA.split()}
    return {code: tuple(c for c in country if c in members) for code, members in sets.items()}


def prove_members(panel: Panel, members: Mapping[Hashable, Iterable[Hashable]]) -> pd.DataFrame:
    r"""Compare every aggregate with the sum of its countries, in every year.

    What remains, :math:`r_t = y_t - \sum_i y_{it}`, may be no more than rounding allows and a place without a series
    (`UNLISTED`) holds: :math:`-b \le r_t \le b + 1000` in every year, with :math:`b = 2 u \sqrt{n + 1}` for n
    countries rounded to u persons each: seven standard deviations of a sum of uniform rounding errors, five where
    year-ends and their mean were both rounded.

    Returns
    -------
    DataFrame, indexed by aggregate
        name, countries (how many), least and most (persons that no listed country holds, over the years), gap (root
        mean square of that), bound (b) and proven.
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
                "name": panel.locations["name"][code],
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
