"""Preparation of the embedded tables from UN files; run by the notebook ``1-prepare`` for each new revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from popforecast.data import maybe, read_facts
from popforecast.errors import ReadError
from popforecast.panel import COUNTRY, Panel
from popforecast.readers import THOUSAND, Reading, check_total
from popforecast.wpp.editions import load_locations

BOUNDS = ("lower_80", "upper_80", "lower_95", "upper_95")


def add_geography(panel: Panel) -> Panel:
    """Return the panel with the ISO3 code and geographic region of every country, from the M49 classification."""
    known = load_locations("wpp2024")["iso3"].dropna().to_dict() | _load_countries()["iso3"].dropna().to_dict()
    locations = panel.locations.copy()
    country = locations["type"] == COUNTRY
    locations["iso3"] = [known.get(code) if is_country else None for code, is_country in country.items()]
    regions = [_name_region(_whole(parent)) for parent in locations["parent"]]
    locations["region"] = pd.Series(regions, locations.index, object).where(country, None)
    return replace(panel, locations=locations)


def describe_reading(reading: Reading) -> dict[str, Any]:
    """Return the manifest entry for the source of a table."""
    return {
        "file": reading.source,
        "sha256": reading.sha256,
        "encoding": reading.encoding,
        "series": reading.series,
        "dropped": reading.dropped.to_dict("records"),
    }


def find_anomalies(panel: Panel, most: int = 15, threshold: float = 6.0) -> pd.DataFrame:
    r"""Return the year of the largest growth anomaly, for each country with any.

    Growth in a year is anomalous if it differs from the country's median growth by more than `threshold` robust
    standard deviations, :math:`|g_t - \operatorname{med} g| > k \cdot 1.4826 \operatorname{MAD}(g)`, and by more
    than two percentage points.

    Returns
    -------
    DataFrame
        location_code, location, year, growth and usual (the median), in percent a year; the largest anomaly of each
        country, at most `most` of them, largest first.
    """
    growth = 100 * np.expm1(np.diff(np.log(np.maximum(panel.values, 1)), axis=1) / panel.step)
    # Rounded, so that ties and order are the same on every processor.
    growth = growth.round(9)
    usual = np.median(growth, axis=1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(growth - usual), axis=1, keepdims=True)
    excess = np.abs(growth - usual)
    worst = excess.argmax(axis=1)
    rows = np.arange(len(panel))
    odd = (excess[rows, worst] > threshold * spread[:, 0]) & (excess[rows, worst] > 2)
    table = pd.DataFrame(
        {
            "location_code": panel.locations.index,
            "location": panel.locations["name"].to_numpy(),
            "year": panel.years[1:][worst],
            "growth": growth[rows, worst],
            "usual": usual[:, 0],
        }
    )[odd]
    breaks = (table["growth"] - table["usual"]).abs()
    return table.loc[breaks.sort_values(ascending=False, kind="stable").index].head(most).reset_index(drop=True)


def prepare_wpp2024(folder: str | Path) -> tuple[Panel, pd.DataFrame, dict[str, Any]]:
    """Return the 2024 revision, read from three tables (figures in thousands).

    Parameters
    ----------
    folder : path
        Contains ``estimates_thousands.csv`` (location_code, then a column for each year),
        ``projections_thousands.csv`` (location_code, year, medium, lower80, upper80, lower95, upper95) and
        ``locations.csv`` (location_code, name, type, iso3, subregion_code, region_code, region).

    Returns
    -------
    panel : Panel
    projections : DataFrame
        As returned by :func:`popforecast.wpp.editions.load_projections`.
    source : dict
        The source, for the manifest.
    """
    folder = Path(folder)
    estimates = pd.read_csv(folder / "estimates_thousands.csv", index_col="location_code")
    described = pd.read_csv(folder / "locations.csv", index_col="location_code")
    if not estimates.index.isin(described.index).all():
        lost = estimates.index[~estimates.index.isin(described.index)][0]
        raise ReadError(f"{folder}/locations.csv does not describe location {lost}")
    described = described.loc[estimates.index]
    parents = described["subregion_code"].fillna(described["region_code"]).astype("Int64")
    regions, countries = load_regions(), _load_countries()
    region_parent = [
        regions[code][1] if code in regions and regions[code][1] != code else None for code in described.index
    ]
    top = [None if code == 900 else 900 for code in described.index]
    locations = pd.DataFrame(
        {
            "name": countries["name"].reindex(described.index).fillna(described["name"]),
            "type": described["type"],
            "iso3": described["iso3"].fillna(countries["iso3"]),
            "parent": [_first(*c) for c in zip(parents, region_parent, top, strict=True)],
            "region": described["region"],
        }
    ).astype(object)
    locations = locations.where(locations.notna(), None)
    panel = Panel(_persons(estimates.to_numpy()), estimates.columns.astype(int), locations, "wpp2024")
    check_total(panel, "estimates_thousands.csv")
    projected = pd.read_csv(folder / "projections_thousands.csv")
    projections = projected[["location_code", "year"]].assign(
        population=_persons(projected["medium"]).astype(np.int64),
        **{bound: _persons(projected[bound.replace("_", "")]).astype(np.int64) for bound in BOUNDS},
    )
    source = {
        "file": "tables of the 2024 revision: mid-year means of the published year-end figures",
        "series": len(panel),
        "dropped": [],
    }
    return panel, projections, source


def prepare_vintage(path: str | Path, vintage: str) -> tuple[Panel, pd.DataFrame, dict[str, Any]]:
    """Return a vintage, read from a long table: location_code, year, kind, population_thousands.

    The kinds are ``estimate``, ``medium`` and, if the vintage has bounds, ``lower80`` to ``upper95``. Names, types,
    ISO3 codes and regions follow the M49 classification. A location that has bounds but no medium variant is left
    out of the projections and recorded in the source.

    Parameters
    ----------
    path : path
    vintage : {"wpp2010", "wpp2012"}

    Returns
    -------
    panel, projections, source
        As returned by :func:`prepare_wpp2024`.
    """
    figures = pd.read_csv(path)
    kinds = figures.assign(population=_persons(figures["population_thousands"]).astype(np.int64)).pivot(
        index=["location_code", "year"], columns="kind", values="population"
    )
    estimates = kinds["estimate"].dropna().unstack()
    panel = Panel(estimates.to_numpy(), estimates.columns.to_numpy(), _describe(estimates.index), vintage)
    bounds = {bound: bound.replace("_", "") for bound in BOUNDS if bound.replace("_", "") in kinds}
    columns = {"medium": "population"} | {kind: bound for bound, kind in bounds.items()}
    projections = kinds[list(columns)].rename(columns=columns)
    whole = projections[projections["population"].notna()].astype(np.int64).reset_index().rename_axis(columns=None)
    projected = set(whole["location_code"])
    bare = _describe(pd.Index([code for code in kinds.index.unique("location_code") if code not in projected]))
    source = {
        "file": "five-yearly figures of the edition: estimates to 2010, medium variant from 2015",
        "series": len(panel),
        "dropped": [
            {"code": code, "name": name, "reason": "bounds without a medium variant"}
            for code, name in bare["name"].items()
        ],
    }
    return panel, whole, source


@cache
def load_regions() -> Mapping[int, tuple[str, int]]:
    """Return the M49 regions and subregions by code: name, and code of the region it belongs to (or is).

    Examples
    --------
    >>> load_regions()[910]
    ('Eastern Africa', 903)
    """
    return {
        code: (name, region) for code, name, region in read_facts("m49-regions.csv", code=int, name=str, region=int)
    }


def _name_region(subregion: int) -> str | None:
    regions = load_regions()
    return regions[regions[subregion][1]][0] if subregion in regions else None


def _load_countries() -> pd.DataFrame:
    # Names and ISO3 codes missing from the sources, and former countries of M49 with their subregions.
    text = maybe(str)
    rows = read_facts("m49-countries.csv", code=int, name=text, iso3=text, subregion=maybe(int))
    return pd.DataFrame(rows, columns=["code", "name", "iso3", "parent"], dtype=object).set_index("code")


def _describe(codes: pd.Index) -> pd.DataFrame:
    # Locations no longer listed in WPP 2024 are described as in WPP 2019 or in the list of countries.
    former = _load_countries().dropna(subset="parent")
    former = former.assign(type=COUNTRY, region=former["parent"].map(_name_region))
    known = pd.concat(
        [load_locations("wpp2024"), load_locations("wpp2019"), former[["name", "type", "iso3", "parent", "region"]]]
    )
    known = known[~known.index.duplicated()]
    if not codes.isin(known.index).all():
        raise ReadError(f"location {codes[~codes.isin(known.index)][0]} is not in any revision: expected an M49 code")
    return known.loc[codes]


def _persons(thousands: Any) -> np.ndarray:
    return np.rint(np.asarray(thousands) * THOUSAND)


def _first(*candidates: Any) -> int | None:
    return next((int(c) for c in candidates if c is not None and not pd.isna(c)), None)


def _whole(value: Any) -> int:
    return 0 if value is None or pd.isna(value) else int(value)
