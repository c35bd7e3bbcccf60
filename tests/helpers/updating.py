"""Update files of invented figures, in the forms that the UN uses: what the tests of updates share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

import popforecast as pf

ISO3 = {768: "TGO", 288: "GHA", 566: "NGA"}
NAMES = {768: "Togo", 288: "Ghana", 566: "Nigeria"}
VARIANTS = {"Medium": 1.0, "Lower 80 PI": 0.95, "Upper 80 PI": 1.05, "Lower 95 PI": 0.9, "Upper 95 PI": 1.1}

# Thousands in the first year, and how many more in each later one: nobody could take them for the UN's.
TOGO, GHANA = (1_400.125, 92.5), (5_100.5, 391.25)
INVENTED = {768: TOGO, 288: GHANA}


def grow(invented: tuple[float, float], year: int) -> float:
    """Thousands of persons in a year."""
    return invented[0] + invented[1] * (year - 1950)


def write_long(
    path: Path, series: Mapping[int, tuple[float, float]] = INVENTED, origin: int = 2023, last: int | None = 2100
) -> Path:
    """Write the UN's long form: the medium variant of all years, and its bounds after the origin."""
    lines = ["SortOrder,LocID,Notes,ISO3_code,LocTypeName,ParentID,Location,VarID,Variant,Time,PopTotal"]
    for code, invented in series.items():
        start = f"1,{code},,{ISO3[code]},Country/Area,914,{NAMES[code]},2"
        for name, factor in VARIANTS.items():
            years = range(1950 if name == "Medium" else origin + 1, (last or origin) + 1)
            lines += [f"{start},{name},{year},{factor * grow(invented, year):.3f}" for year in years]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_wide(path: Path, series: Mapping[int, tuple[float, float]] = INVENTED, last: int = 2023) -> Path:
    """Write the UN's wide form: estimates under a preamble and a label."""
    years = range(1950, last + 1)
    titles = 'Index,Variant,"Region, subregion, country or area *",Notes,Location code,Type,Parent code'
    lines = ["United Nations,,,,,," + "," * len(years), f"{titles},{','.join(map(str, years))}"]
    lines += ["1,Estimates,AFRICA,,903,Label/Separator,900," + ",".join("..." for _ in years)]
    for code, invented in series.items():
        figures = ",".join(f"{grow(invented, year):.3f}" for year in years)
        lines.append(f"2,Estimates,{NAMES[code]},,{code},Country/Area,914,{figures}")
    path.write_text("\n".join(lines) + "\n")
    return path


def find_series(panel: pf.Panel, code: int) -> np.ndarray:
    """The figures of a location."""
    return panel.values[panel.locations.index.get_loc(code)]
