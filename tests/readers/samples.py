"""A small world in the forms of the UN's files, as rows that a test may change."""

from __future__ import annotations

import csv
import io

import numpy as np

import popforecast as pf
from popforecast.readers import WORLD

YEARS = [2000, 2001, 2002]
HEADER = ["Index", "Variant", "Region, subregion, country or area *", "Notes", "Country code", "Type", "Parent code"]

# A world of three countries that add up, with two kinds of label row; the largest stands last, as in the UN's file.
PLACES = [
    ("WORLD", 900, "World", 0, ["2 536 431", "2 584 034", "2 630 862"]),
    ("Geographic regions", 1840, "Label/Separator", 900, ["...", "..", ""]),
    ("Réunion", 638, "Country/Area", 1840, ["248", "  254", "260"]),
    ("Côte d'Ivoire", 384, "Country/Area", 1840, ["2 630", "2 686", "2 744"]),
    ("Elsewhere", 4, "Country/Area", 1840, ["2 533 553", "2 581 094", "2 627 858"]),
]
PERSONS = {
    900: [2_536_431_000, 2_584_034_000, 2_630_862_000],
    638: [248_000, 254_000, 260_000],
    384: [2_630_000, 2_686_000, 2_744_000],
    4: [2_533_553_000, 2_581_094_000, 2_627_858_000],
}

Rows = list[list[str]]


def wide_rows() -> Rows:
    rows = [[*HEADER, *map(str, YEARS)]]
    for position, (name, code, kind, parent, figures) in enumerate(PLACES, start=1):
        rows.append([str(position), "Estimates", name, "", str(code), kind, str(parent), *figures])
    return rows


def long_rows(variants: tuple[str, ...] = ("Medium",), projected: tuple[int, ...] = ()) -> Rows:
    rows = [["SortOrder", "LocID", "ISO3_code", "LocTypeName", "ParentID", "Location", "Variant", "Time", "PopTotal"]]
    iso3 = {638: "REU", 384: "CIV", 4: "AFG"}
    for name, code, kind, parent, _ in PLACES:
        if code not in PERSONS:
            continue
        parent_cell = "900" if parent else ""
        for variant in variants:
            years = [*YEARS, *projected] if variant in ("Medium", "Estimates") else list(projected)
            for year in years:
                persons = PERSONS[code][min(year - 2000, 2)]
                described = [iso3.get(code, ""), kind, parent_cell, name, variant]
                rows.append(["", str(code), *described, str(year), f"{persons / 1000:.3f}"])
    return rows


def to_text(rows: Rows, terminator: str = "\n") -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator=terminator).writerows(rows)
    return file.getvalue()


def assert_same_world(panel: pf.Panel) -> None:
    assert set(panel.locations.index) == set(PERSONS)
    assert panel.years.tolist() == YEARS
    for code, persons in PERSONS.items():
        assert panel.select(code).values[0].tolist() == persons
    assert panel.locations["name"][638] == "Réunion"
    assert panel.locations["type"][WORLD] == "World"
    assert panel.locations["parent"].astype(object).replace(np.nan, None).to_dict() == {
        900: None,
        638: 900,
        384: 900,
        4: 900,
    }
