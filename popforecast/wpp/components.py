"""The embedded components of the UN's editions, in a compact encoding that loads quickly."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.data import DATA
from popforecast.errors import UnknownRevisionError
from popforecast.panel.components import ANNUAL, MORTALITY_AGES, Components
from popforecast.wpp.embedded import DEFAULT_REVISION, read_checked

# The manifest with their checksums.
MANIFEST = "embedding.json"

# Editions with components, and their last year of estimates.
ORIGINS = {"wpp2008": 2005, "wpp2010": 2010, "wpp2012": 2010, "wpp2019": 2020, "wpp2024": 2023}

# Decimals of each figure; death rates are stored as logarithms in steps of 1/2000, which keeps nearly four digits.
DECIMALS = {
    "fertility": 4,
    "sex_ratio": 3,
    "fertility_by_age": 2,
    "births": 0,
    "deaths": 0,
    "net_migration": 0,
    "tfr": 4,
}
LOG_STEPS = 2000

# M49 codes of countries and areas are below this; regions and other groupings are above.
FIRST_AGGREGATE = 900

# Codes for missing fertility and missing log death rates.
UNKNOWN = -1
UNKNOWN_RATE = -100_000

GRIDS = ("years", "periods", "calendar")


def load_components(revision: str = DEFAULT_REVISION) -> Components:
    """Load the embedded components of an edition: ages, births, deaths and migration of its countries.

    Parameters
    ----------
    revision : {"wpp2024", "wpp2019", "wpp2012", "wpp2010", "wpp2008"}

    Raises
    ------
    UnknownRevisionError
        If none are embedded for it.
    ReadError
        If they are damaged.

    Examples
    --------
    >>> load_components("wpp2024")
    <Components: 236 places, ages 1950 to 2020 by 5, by year to 2023>
    """
    if not isinstance(revision, str) or revision not in ORIGINS:
        raise UnknownRevisionError(f"no components of {revision!r} are embedded: expected one of {', '.join(ORIGINS)}")
    return _load(DATA, revision)


@lru_cache(maxsize=2)
def _load(folder: Path, revision: str) -> Components:
    name = components_name(revision)
    return unpack(read_checked(folder / name, MANIFEST, "files", name), revision)


def components_name(revision: str) -> str:
    """Return the file name of an edition's components."""
    return f"{revision}-components.npz"


def pack(components: Components) -> bytes:
    """Return components encoded as a compressed .npz, which :func:`unpack` decodes.

    Death rates are logarithms, of which the changes are kept. Of ages, only the difference from what the generation
    before makes likely is kept (:func:`forecast_cohorts`), of other series the changes of their changes. The first
    bytes of all numbers stand together, then the second, and so on. All this takes half the space.
    """
    arrays: dict[str, NDArray[Any]] = {"codes": np.array(components.codes)}
    arrays |= {name: getattr(components, name) for name in GRIDS}
    for name, decimals in DECIMALS.items():
        scaled = np.rint(getattr(components, name) * 10**decimals)
        arrays[name] = np.diff(np.diff(np.nan_to_num(scaled, nan=UNKNOWN), prepend=0), prepend=0)
    persons = np.rint(components.ages).astype(np.int64)
    for year in reversed(range(1, persons.shape[-1])):
        persons[..., year] -= forecast_cohorts(persons[..., :year])
    rates = np.rint(LOG_STEPS * np.log(components.mortality))
    arrays |= {"ages": persons, "mortality": np.diff(np.nan_to_num(rates, nan=UNKNOWN_RATE), prepend=0)}
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **{name: _part_bytes(array) for name, array in arrays.items()})
    return content.getvalue()


def unpack(content: bytes, edition: str | None = None) -> Components:
    """Return the components encoded by :func:`pack`."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        planes = {name: file[name] for name in file.files}
    grids: dict[str, Any] = {name: _join_bytes(planes.pop(name), -1) for name in ("codes", *GRIDS)}
    n, a, p, c = map(len, grids.values())
    shapes: dict[str, tuple[int, ...]] = {"ages": (n, 2, -1, a), "mortality": (n, 2, -1, p)}
    shapes |= {"fertility_by_age": (n, -1, p), "fertility": (n, p), "sex_ratio": (n, p)} | dict.fromkeys(ANNUAL, (n, c))
    arrays = {name: _join_bytes(array, *shapes[name]) for name, array in planes.items()}
    persons, rates = arrays.pop("ages"), arrays.pop("mortality").cumsum(axis=-1)
    for year in range(1, a):
        persons[..., year] += forecast_cohorts(persons[..., :year])
    figures: dict[str, Any] = {"ages": persons.astype(np.float64)}
    # Rounded, because the last digit of a power differs between machines.
    figures["mortality"] = np.where(rates == UNKNOWN_RATE, np.nan, np.exp(rates / LOG_STEPS).round(9))
    for name, array in arrays.items():
        scaled = array.cumsum(axis=-1).cumsum(axis=-1)
        unknown = (scaled == UNKNOWN) & (name not in ANNUAL)
        figures[name] = np.where(unknown, np.nan, scaled / 10 ** DECIMALS[name])
    return Components(codes=tuple(grids.pop("codes").tolist()), edition=edition, **grids, **figures)


def forecast_cohorts(persons: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the predicted ages five years later from earlier ones, in integers, so that all machines agree.

    Each group is as large a share of the one below it five years ago as the last time; the youngest is as large as it
    was, and with one year before, each is as large as the one below.

    Examples
    --------
    >>> forecast_cohorts(np.array([[100, 120], [90, 80]])).tolist()
    [120, 96]
    """
    last = persons[..., -1]
    moved = last[..., :-1]
    if persons.shape[-1] > 1:
        moved = moved * last[..., 1:] // np.maximum(persons[..., :-1, -2], 1)
    return np.concatenate([last[..., :1], moved], axis=-1)


def _part_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    # The sign is the last bit, so that small numbers need few bits; years come first, because they are most similar.
    whole = np.moveaxis(array.astype(np.int64), -1, 0).ravel()
    plain = np.where(whole < 0, -2 * whole - 1, 2 * whole).astype("<u4")
    return np.ascontiguousarray(plain.view(np.uint8).reshape(-1, 4).T)


def _join_bytes(planes: NDArray[np.uint8], *shape: int) -> NDArray[np.int64]:
    plain = np.ascontiguousarray(planes.T).view("<u4").astype(np.int64)
    whole = (plain >> 1) ^ -(plain & 1)
    return np.ascontiguousarray(np.moveaxis(whole.reshape(shape[-1], *shape[:-1]), 0, -1))


def read_components(folder: Path, revision: str) -> Components:
    """Read an edition's components from long tables: countries only, up to its last year of estimates.

    Parameters
    ----------
    folder : Path
        Holds ages, mortality, fertility and fertility_by_age, and annual where births by year are known, each as
        .csv.gz with the columns of :meth:`Components.from_frames`.
    revision : str
    """
    tables = {path.name.removesuffix(".csv.gz"): pd.read_csv(path) for path in sorted(folder.glob("*.csv.gz"))}
    # Some places are missing from one of the tables.
    whole = set.intersection(*(set(table["location_code"]) for table in tables.values()))
    codes = [code for code in whole if code < FIRST_AGGREGATE]
    tables = {name: table[table["location_code"].isin(codes)] for name, table in tables.items()}
    tables["ages"] = tables["ages"][tables["ages"]["year"] <= ORIGINS[revision]]
    # Some editions split the open age group of some countries further.
    tables["mortality"] = tables["mortality"].query(f"age <= {MORTALITY_AGES[-1]}")
    return Components.from_frames(**tables, edition=revision).until(ORIGINS[revision])
