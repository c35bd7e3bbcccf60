"""Readers: any noise reads the same panel, any damage is an error that names the row, nothing is lost in silence."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import popforecast as pf
from popforecast.errors import PanelError, ReadError
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


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows, text or bytes as a file of the name given."""

    def write(content: Rows | str | bytes, name: str = "table.csv") -> Path:
        if isinstance(content, list):
            content = to_text(content)
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


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


# The UN's own files ---------------------------------------------------------------------------------------------


def test_file_of_2019_is_read_whole_and_equals_the_embedded_table(raw: Path, wpp2019: pf.Panel) -> None:
    reading = pf.read(raw / "WPP2019_POP_F01_1_TOTAL_POPULATION_BOTH_SEXES.csv", revision="wpp2019")
    assert reading.series == 289
    assert reading.panel.locations.index.tolist() == wpp2019.locations.index.tolist()
    assert reading.panel.locations["name"].tolist() == wpp2019.locations["name"].tolist()
    assert (reading.panel.values == wpp2019.values).all()
    assert reading.panel.checksum == wpp2019.checksum
    assert reading.dropped[["row", "code"]].to_numpy().tolist() == [[3, 1803], [11, 1802], [18, 1840], [25, 1828]]
    assert set(reading.dropped["reason"]) == {"a label, without any figure"}


def test_long_sample_of_2022_is_cut_within_a_series_and_says_so(raw: Path) -> None:
    path = raw / "WPP2022_TotalPopulationBySex.sample.csv"
    with pytest.raises(ReadError, match=r"WHO Regions \(1820, .*25 years from 1997 to 2021"):
        pf.read(path)
    reading = pf.read_un_long(path, incomplete="drop")
    assert reading.panel.years.tolist() == list(range(1950, 2022))
    assert len(reading.panel) + len(reading.dropped) == reading.series == 9
    assert reading.dropped["code"].tolist() == [1820]
    assert reading.panel.select(1111).values[0, 0] == 150_625_448


# Noise ----------------------------------------------------------------------------------------------------------

SPACES = ["", " ", "  ", "\u00a0", "\u2007", "\u2009", "\u202f", "\t", "\u3000"]
ENCODINGS = ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"]


@st.composite
def noisy_files(draw: st.DrawFn) -> bytes:
    """The same world, as people save, sort and mail it."""
    encoding = draw(st.sampled_from(ENCODINGS))
    spaces = [space for space in SPACES if encoding.startswith("utf") or space in ("", " ", "  ", "\u00a0", "\t")]
    dots = ["...", "..", ""] + (["…"] if encoding != "latin-1" else [])
    random_ = draw(st.randoms(use_true_random=False))

    def pad(cell: str) -> str:
        return random_.choice(spaces) + cell + random_.choice(spaces)

    def space_out(cell: str) -> str:
        inner = random_.choice([space for space in spaces if space])
        return random_.choice(dots) if cell in dots else cell.strip().replace(" ", random_.choice([inner, ""]))

    header, *rows = wide_rows()
    body = [[pad(space_out(cell)) if place >= len(HEADER) else pad(cell) for place, cell in enumerate(r)] for r in rows]
    for number in range(random_.randint(0, 3)):
        label = ["9", "Estimates", f"Label {number}", "", str(5000 + number), "Label/Separator", "900", *["..."] * 3]
        body.insert(random_.randrange(len(body) + 1), label)
    random_.shuffle(body)
    order = random_.sample(range(len(header)), len(header))
    table = [[row[place] for place in order] for row in [header, *body]]
    preamble = random_.choice([[], [["United Nations"]], [["United Nations"], [], ["Population, 1 July", "x"]]])
    text = to_text(preamble + table, random_.choice(["\n", "\r\n", "\r"]))
    content = text.encode(encoding)
    return gzip.compress(content) if draw(st.booleans()) else content


@given(noisy_files())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_noise_reads_the_same_panel(write: Callable[..., Path], content: bytes) -> None:
    assert_same_world(pf.read(write(content)).panel)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("terminator", ["\n", "\r\n", "\r"])
def test_long_form_reads_the_same_panel(
    write: Callable[..., Path], terminator: str, encoding: str, compress: Callable
) -> None:
    header, *rows = long_rows(("Medium", "High", "Upper 80 PI"), projected=(2003, 2004))
    rows = [[f"\u00a0{cell} " for cell in row] for row in rows]
    random.Random(1).shuffle(rows)
    order = random.Random(2).sample(range(len(header)), len(header))
    table = [[row[place] for place in order] for row in [header, *rows]]
    reading = pf.read(write(compress(to_text(table, terminator).encode(encoding))))
    assert_same_world(reading.panel)
    assert reading.panel.locations["iso3"][384] == "CIV"


def test_label_rows_are_reported_with_their_row_and_reason(write: Callable[..., Path]) -> None:
    rows = wide_rows()
    rows[3][5] = "Label/Separator"
    rows.insert(6, ["6", "Estimates", "Nowhere", "", "5", "Country/Area", "900", "...", "...", "..."])
    rows[5][7:] = ["2 533 801", "2 581 348", "2 628 118"]
    dropped = pf.read(write(rows)).dropped
    assert dropped.to_dict("records") == [
        {"row": 3, "code": 1840, "name": "Geographic regions", "reason": "a label, without any figure"},
        {"row": 4, "code": 638, "name": "Réunion", "reason": "a label, though it has figures"},
        {"row": 7, "code": 5, "name": "Nowhere", "reason": "no figure in any year"},
    ]


def test_parent_is_the_nearest_series_even_where_labels_run_in_a_circle(write: Callable[..., Path]) -> None:
    rows = wide_rows()
    rows[2][6] = "1840"
    assert pf.read(write(rows)).panel.locations["parent"][638] is None


def test_variant_of_several_must_be_named(write: Callable[..., Path]) -> None:
    rows = wide_rows()
    both = rows + [[*row[:1], "High", *row[2:]] for row in rows[1:]]
    with pytest.raises(ReadError, match="Estimates, High"):
        pf.read(write(both))
    assert_same_world(pf.read_un_wide(write(both), variant="high ").panel)
    with pytest.raises(ReadError, match=r"no variant 'Low'.*Estimates, High"):
        pf.read_un_wide(write(both), variant="Low")


# The long form --------------------------------------------------------------------------------------------------


def test_past_is_medium_until_the_other_variants_begin(write: Callable[..., Path]) -> None:
    path = write(long_rows(("Medium", "High", "Lower 95 PI", "Median PI"), projected=(2003, 2004)))
    assert pf.read(path).panel.years.tolist() == YEARS
    assert pf.read_un_long(path, variant="medium").panel.years.tolist() == [*YEARS, 2003, 2004]
    assert pf.read_un_long(path, variant="Medium", until=2003).panel.years.tolist() == [*YEARS, 2003]
    assert pf.read_un_long(path, variant="Median PI").panel.years.tolist() == [2003, 2004]


def test_past_is_estimates_where_the_file_has_them(write: Callable[..., Path]) -> None:
    estimates, medium = long_rows(("Estimates",)), long_rows(("Medium",))
    projections = [[*row[:7], "2003", row[8]] for row in medium[1:] if row[7] == "2002"]
    assert_same_world(pf.read(write(estimates + projections)).panel)


def test_variant_the_file_lacks_is_named_with_those_it_has(write: Callable[..., Path]) -> None:
    path = write(long_rows(("Medium", "High"), projected=(2003,)))
    with pytest.raises(ReadError, match="no variant 'Low': expected one of Medium, High"):
        pf.read_un_long(path, variant="Low")
    with pytest.raises(ReadError, match="up to 1999"):
        pf.read_un_long(path, until=1999)


def test_geographic_region_is_a_region(write: Callable[..., Path]) -> None:
    rows = [[cell.replace("World", "Geographic region") for cell in row] for row in long_rows()]
    assert pf.read(write(rows)).panel.locations["type"][900] == "Region"


def test_one_misspelt_variant_does_not_shorten_the_past(write: Callable[..., Path]) -> None:
    rows = long_rows(("Medium", "High"), projected=(2003, 2004))
    rows[2][6] = "Mediun"
    with pytest.raises(ReadError, match=r"row 3: variant 'Mediun' has 2001 but not 2002"):
        pf.read(write(rows))


def test_incomplete_location_is_an_error_or_reported(write: Callable[..., Path]) -> None:
    rows = [row for row in long_rows() if (row[1], row[7]) != ("638", "2001")]
    with pytest.raises(ReadError, match=r"Réunion \(638, first at row 5\) has no figure for 1 years from 2001"):
        pf.read(write(rows))
    reading = pf.read_un_long(write([row for row in rows if row[1] != "900"]), incomplete="drop")
    assert reading.dropped["code"].tolist() == [638]
    assert reading.panel.locations.index.tolist() == [384, 4]
    with pytest.raises(ReadError, match="'raise' or 'drop'"):
        pf.read_un_long(write(rows), incomplete="ignore")


# Damage ---------------------------------------------------------------------------------------------------------


def change(row: int, column: int, cell: str) -> Callable[[Rows], None]:
    def damage(rows: Rows) -> None:
        rows[row][column] = cell

    return damage


WIDE_DAMAGE = {
    "negative": (change(3, 8, "-254"), ["row 4", "Réunion", "'-254'", "2001"]),
    "text": (change(3, 8, "about 254"), ["row 4", "Réunion", "'about 254'", "2001"]),
    "two points": (change(3, 8, "2.5.4"), ["row 4", "'2.5.4'"]),
    "comma": (change(3, 8, "2,686"), ["row 4", "'2,686'"]),
    "broken groups": (change(4, 8, "26 86"), ["row 5", "'26 86'"]),
    "exponent": (change(4, 8, "2e3"), ["row 5", "'2e3'"]),
    "infinite": (change(4, 8, "inf"), ["row 5", "'inf'"]),
    "nan": (change(4, 8, "nan"), ["row 5", "'nan'"]),
    "error cell": (change(4, 8, "#REF!"), ["row 5", "'#REF!'"]),
    "other digits": (change(4, 8, "٢٦٨٦"), ["row 5"]),
    "missing cell": (change(3, 8, "..."), ["row 4", "Réunion (638)", "2001"]),
    "other figure": (change(5, 8, "2 581 494"), ["2001", "sum", "a row is lost or a figure is wrong"]),
    "text as code": (change(3, 4, "RE"), ["row 4", "'RE'"]),
    "no code": (change(3, 4, ""), ["row 4", "''"]),
    "endless code": (change(3, 4, "9" * 5000), ["row 4"]),
    "text as parent": (change(3, 6, "world"), ["row 4", "'world'"]),
    "text as a label's parent": (change(2, 6, "world"), ["row 3", "'world'"]),
    "no name": (change(3, 2, " "), ["row 4", "no name"]),
    "encoded twice": (change(3, 2, "RÃ©union"), ["row 4", "'RÃ©union'", "'Réunion'", "encoded twice"]),
    "lost letters": (change(3, 2, "R\ufffdunion"), ["row 4", "lost letters"]),
    "saved as ASCII": (change(3, 2, "R?union"), ["row 4", "'R?union'", "lost letters"]),
    "other variant": (change(3, 1, "Estimate"), ["2 variants", "Estimates, Estimate"]),
    "duplicate row": (lambda rows: rows.insert(4, rows[3]), ["row 5", "Réunion (638)", "row 4"]),
    "duplicate code": (change(4, 4, "638"), ["row 5", "638", "row 4"]),
    "duplicate label": (lambda rows: rows.append(rows[2]), ["row 7", "1840", "row 3"]),
    "lost row": (lambda rows: rows.pop(4), ["sum"]),
    "short row": (lambda rows: rows[4].pop(), ["row 5", "9 cells", "expected 10"]),
    "long row": (lambda rows: rows[4].append("1"), ["row 5", "11 cells", "expected 10"]),
    "lost year": (lambda rows: ([row.pop(8) for row in rows] and rows[0].append("2003")) or
                  [row.append("1") for row in rows[1:]], ["regular", "2002"]),
    "misspelt last year": (change(0, 9, "2O02"), ["'2O02'"]),
    "misspelt first year": (change(0, 7, "20000"), ["'20000'"]),
    "year without title": (change(0, 9, ""), ["column 10"]),
    "year twice": (change(0, 9, "2001"), ["2001", "twice"]),
    "code twice": (change(0, 0, "Location code"), ["'Country code' twice"]),
    "no code column": (change(0, 4, "Code"), ["'Country code'"]),
    "no name column": (change(0, 2, "Place"), ["Region, subregion, country or area".lower()]),
    "no years": (lambda rows: [row.__delitem__(slice(7, None)) for row in rows], ["no years"]),
    "header alone": (lambda rows: rows.__delitem__(slice(1, None)), ["no row"]),
    "labels alone": (lambda rows: rows.__delitem__(slice(3, None)) or rows.pop(1), ["no row holds figures"]),
}  # fmt: skip


@pytest.mark.parametrize("damage", WIDE_DAMAGE)
def test_damaged_wide_file_is_refused_with_row_and_value(write: Callable[..., Path], damage: str) -> None:
    apply, named = WIDE_DAMAGE[damage]
    rows = wide_rows()
    apply(rows)
    with pytest.raises(ReadError) as refusal:
        pf.read(write(rows))
    assert "table.csv" in str(refusal.value)
    assert all(part in str(refusal.value) for part in named), str(refusal.value)


LONG_DAMAGE = {
    "negative": (change(5, 8, "-254.000"), ["row 6", "Réunion", "'-254.000'"]),
    "text": (change(5, 8, "many"), ["row 6", "Réunion", "'many'"]),
    "two points": (change(5, 8, "2.5.4"), ["row 6", "'2.5.4'"]),
    "no figure": (change(5, 8, ""), ["row 6", "''"]),
    "infinite": (change(5, 8, "inf"), ["row 6", "'inf'"]),
    "nan": (change(5, 8, "nan"), ["row 6", "'nan'"]),
    "other figure": (change(11, 8, "2581494.000"), ["2001", "sum"]),
    "text as year": (change(5, 7, "soon"), ["row 6", "Time 'soon'"]),
    "year and a half": (change(5, 7, "2001.5"), ["row 6", "'2001.5'"]),
    "other year": (change(5, 7, "1901"), ["no figure"]),
    "text as code": (change(5, 1, "RE"), ["row 6", "LocID 'RE'"]),
    "other code": (change(5, 1, "384"), ["row 9", "384", "2001", "second time"]),
    "text as parent": (change(4, 4, "world"), ["row 5", "'world'"]),
    "no variant": (change(5, 6, ""), ["row 6", "Variant ''"]),
    "no name": (change(4, 5, ""), ["row 5", "no name"]),
    "encoded twice": (change(4, 5, "RÃ©union"), ["row 5", "'Réunion'"]),
    "duplicate row": (lambda rows: rows.insert(5, rows[5]), ["row 7", "Réunion (638)", "2001", "second time"]),
    "lost row": (lambda rows: rows.pop(5), ["Réunion", "no figure for 1 years", "2001"]),
    "lost location": (lambda rows: rows.__delitem__(slice(7, 10)), ["sum"]),
    "short row": (lambda rows: rows[5].pop(), ["row 6", "8 cells", "expected 9"]),
    "long row": (lambda rows: rows[5].append("1"), ["row 6", "10 cells", "expected 9"]),
    "no column": (change(0, 8, "Pop"), ["LocID"]),
    "column twice": (change(0, 0, "Time"), ["'Time' twice"]),
    "header alone": (lambda rows: rows.__delitem__(slice(1, None)), ["no rows"]),
}


@pytest.mark.parametrize("damage", LONG_DAMAGE)
def test_damaged_long_file_is_refused_with_row_and_value(write: Callable[..., Path], damage: str) -> None:
    apply, named = LONG_DAMAGE[damage]
    rows = long_rows()
    apply(rows)
    with pytest.raises(ReadError) as refusal:
        pf.read(write(rows))
    assert "table.csv" in str(refusal.value)
    assert all(part in str(refusal.value) for part in named), str(refusal.value)


@pytest.mark.parametrize(
    ("rows", "encoding"),
    [
        (wide_rows(), "utf-8"),
        (wide_rows(), "latin-1"),
        (wide_rows(), "utf-16"),
        (long_rows(), "utf-8"),
        (long_rows(("Medium", "High"), projected=(2003,)), "utf-8"),
    ],
    ids=["wide", "wide latin-1", "wide utf-16", "long", "long with variants"],
)
def test_file_cut_at_any_byte_is_refused(write: Callable[..., Path], rows: Rows, encoding: str) -> None:
    """Never a figure changed; never a row lost, unless no two countries are left that could fail to add up."""
    content = to_text(rows, "\r\n").encode(encoding)
    row = len(content) // len(rows)
    for length in [*range(0, len(content) - row, 1 + len(content) // 500), *range(len(content) - row, len(content))]:
        try:
            panel = pf.read(write(content[:length])).panel
        except ReadError:
            continue
        if (panel.locations["type"] == "Country/Area").sum() >= 2:
            assert_same_world(panel)
        for place, code in enumerate(panel.locations.index):
            assert panel.values[place, : len(YEARS)].tolist() == PERSONS[code][: len(panel.years)]


def test_compressed_file_cut_at_any_byte_is_refused(write: Callable[..., Path]) -> None:
    content = gzip.compress(to_text(wide_rows()).encode())
    for length in range(len(content)):
        with pytest.raises(ReadError):
            pf.read(write(content[:length], "table.csv.gz"))


def test_file_of_2019_cut_anywhere_is_refused(raw: Path, write: Callable[..., Path]) -> None:
    content = (raw / "WPP2019_POP_F01_1_TOTAL_POPULATION_BOTH_SEXES.csv").read_bytes()
    row_ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    generator = random.Random(3)
    # The last rows are where a cut could pass unseen: within the last figure, and after a whole row.
    lengths = [*generator.sample(range(len(content)), 25), *range(len(content) - 12, len(content)), *row_ends[-12:-1]]
    for length in lengths:
        if length == len(content) - 1 and content.endswith(b"\r\n"):
            continue
        with pytest.raises(ReadError):
            pf.read(write(content[:length]))


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3), st.sampled_from(["wide", "long"]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_anywhere_are_read_or_refused(write: Callable[..., Path], place: int, junk: bytes, form: str) -> None:
    """Whatever is overwritten: a panel, or an error of ours; never another kind of failure."""
    content = to_text(wide_rows() if form == "wide" else long_rows()).encode()
    place %= len(content)
    try:
        reading = pf.read(write(content[:place] + junk + content[place + len(junk) :]))
    except ReadError:
        return
    assert len(reading.panel) + len(reading.dropped) == reading.series


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "empty"),
        (b" \n\n \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (b"\xff\xfe", "empty"),
        (b"PK\x03\x04\x00\x00", "NUL"),
        (b"\x1f\x8b", "gzip"),
        (b"\xff\xfea", "utf-16"),
        (b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n", "no header"),
        (b'{"error": "not found"}\n', "no header"),
        (b'"never closed\n', "CSV"),
        ("Country code,1950,1951\n900,1,2\n".encode("utf-16-le"), "NUL"),
        (b"LocID,Location,Variant,Time,PopTotal\n", "no rows"),
    ],
)
def test_what_is_no_table_is_refused(write: Callable[..., Path], content: bytes, named: str) -> None:
    with pytest.raises(ReadError, match=named):
        pf.read(write(content))


def test_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"absent\.csv cannot be read"):
        pf.read(tmp_path / "absent.csv")
    with pytest.raises(ReadError, match="cannot be read"):
        pf.read(tmp_path)


# Anyone's ---------------------------------------------------------------------------------------------------------


def test_any_long_file_keeps_codes_as_they_are_written(write: Callable[..., Path]) -> None:
    path = write("fips,year,pop,area\n01001,2000,5,NA\n01001,2001,6,NA\n1003,2000,7,\n1003,2001,8,\n")
    panel = pf.read_long(path, id="fips", time="year", value="pop", group="area")
    assert panel.locations.index.tolist() == ["01001", "1003"]
    assert panel.locations["region"].tolist() == ["NA", ""]
    whole = write("id,year,pop\n7,2000,5\n7,2001,6\n")
    assert pf.read_long(whole, id="id", time="year", value="pop").locations.index.tolist() == [7]


def test_any_long_file_knows_namibia_from_nothing(write: Callable[..., Path]) -> None:
    panel = pf.read_long(
        write("iso2,t,n\nNA,2000,1\nNA,2005,2\nSA,2000,3\nSA,2005,4\n"), id="iso2", time="t", value="n"
    )
    assert panel.locations.index.tolist() == ["NA", "SA"]
    assert panel.step == 5


@pytest.mark.parametrize(
    ("text", "error", "named"),
    [
        ("id,year,pop\nA,2000,1\nA,2001\n", PanelError, "row 2"),
        ("id,year,pop\nA,2000,1\nA,2001,2,3\n", ReadError, "CSV"),
        ("id,year,pop\n,2000,1\nA,2001,2\n", PanelError, "row 1: no id"),
        ("id,year,people\nA,2000,1\n", PanelError, "no column 'pop'"),
        ("id;year;pop\nA;2000;1\n", PanelError, "no column 'id'"),
        ("id,year,pop\n", PanelError, "no rows"),
        ("", ReadError, "^table.csv is empty"),
        ("id,year,pop\nA,2000,1,9\nA,2001,2,9\n", ReadError, "more cells than the header, which has 3"),
        ("id,year,pop,pop\nA,2000,1,9\nA,2001,2,9\n", ReadError, "'pop' twice"),
        ('id,year,pop\n"A,2000,1\n', ReadError, "CSV"),
    ],
)
def test_any_long_file_that_is_damaged_is_refused(
    write: Callable[..., Path], text: str, error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        pf.read_long(write(text), id="id", time="year", value="pop")


def test_reading_shows_itself(write: Callable[..., Path]) -> None:
    reading = pf.read(write(wide_rows()), revision="mine")
    assert repr(reading) == "<Reading of table.csv: <Panel: 4 locations, 2000 to 2002, mine>, 1 rows dropped>"
    assert len(reading.sha256) == 64
    assert isinstance(reading.dropped, pd.DataFrame)
