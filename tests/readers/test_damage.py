"""Any damage to a file is an error that names the row and the value."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import popforecast as pf
from popforecast.errors import PanelError, ReadError
from popforecast.readers import read_long
from tests.readers.samples import PERSONS, YEARS, Rows, assert_same_world, long_rows, to_text, wide_rows


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
        pf.read_wpp(write(rows))
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
        pf.read_wpp(write(rows))
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
            panel = pf.read_wpp(write(content[:length])).panel
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
            pf.read_wpp(write(content[:length], "table.csv.gz"))


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
            pf.read_wpp(write(content[:length]))


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3), st.sampled_from(["wide", "long"]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_anywhere_are_read_or_refused(write: Callable[..., Path], place: int, junk: bytes, form: str) -> None:
    """Whatever is overwritten: a panel, or an error of ours; never another kind of failure."""
    content = to_text(wide_rows() if form == "wide" else long_rows()).encode()
    place %= len(content)
    try:
        reading = pf.read_wpp(write(content[:place] + junk + content[place + len(junk) :]))
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
        pf.read_wpp(write(content))


def test_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"absent\.csv cannot be read"):
        pf.read_wpp(tmp_path / "absent.csv")
    with pytest.raises(ReadError, match="cannot be read"):
        pf.read_wpp(tmp_path)


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
        read_long(write(text), id="id", time="year", value="pop")
