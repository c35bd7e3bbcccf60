"""Anyone's file: a known panel in any dialect reads back equal, and what cannot be read is one sentence."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import popforecast as pf
from popforecast.errors import ReadError
from popforecast.readers import read_own

Figures = dict[str, dict[int, float]]
COLUMNS = {"id": "id", "time": "year", "value": "pop"}
PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "mine.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def figures_of(panel: pf.Panel | pf.UnevenPanel) -> Figures:
    parts = panel.panels if isinstance(panel, pf.UnevenPanel) else [panel]
    return {
        str(code): dict(zip(part.years.tolist(), values, strict=True))
        for part in parts
        for code, values in zip(part.locations.index, part.values.tolist(), strict=True)
    }


# Any dialect ----------------------------------------------------------------------------------------------------

NAMES = ["01001", "Réunion", "São Tomé", "NA", "Île; de, France", 'the "North"', "x|y", "nan", "A b"]


@st.composite
def panels(draw: st.DrawFn) -> Figures:
    step = draw(st.sampled_from([1, 1, 5, 10]))
    base = draw(st.integers(1800, 1990))
    codes = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    known = {}
    for code in codes:
        start, length = draw(st.integers(0, 3)), draw(st.integers(2, 6))
        figures = draw(st.lists(st.integers(1, 2_000_000_000), min_size=length, max_size=length))
        known[code] = {base + step * (start + i): float(figure) for i, figure in enumerate(figures)}
    return known


@st.composite
def dialects(draw: st.DrawFn) -> dict:
    decimal = draw(st.sampled_from([".", ","]))
    return {
        "decimal": decimal,
        "thousands": draw(st.sampled_from(["", " ", "\u00a0", "'", "," if decimal == "." else "."])),
        "places": draw(st.sampled_from([0, 0, 1, 2])),
        "delimiter": draw(st.sampled_from([",", ";", "\t", "|"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
        "pack": draw(st.sampled_from(list(PACK))),
        "quote": draw(st.booleans()),
        "terminator": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "preamble": draw(st.sampled_from([[], [["Source", "a, b; c"], []], [["My figures"], [], ["2024"]]])),
        "date": draw(st.sampled_from(["{}", "{}", "{}-01-01", "01.07.{}", "{}.0", "{}0101"])),
        "wide": draw(st.booleans()),
        "shuffle": draw(st.randoms(use_true_random=False)),
    }


def spell(figure: float, dialect: dict) -> str:
    text = f"{figure:,.{dialect['places']}f}"
    return text.translate(str.maketrans({",": dialect["thousands"], ".": dialect["decimal"]}))


def to_bytes(known: Figures, dialect: dict) -> bytes:
    if dialect["wide"]:
        years = sorted({year for series in known.values() for year in series})
        rows = [["id", "note", *map(str, years)]]
        rows += [
            [code, "x y", *(spell(series[y], dialect) if y in series else "" for y in years)]
            for code, series in known.items()
        ]
    else:
        body = [
            [code, dialect["date"].format(year), "x y", spell(figure, dialect)]
            for code, series in known.items()
            for year, figure in series.items()
        ]
        dialect["shuffle"].shuffle(body)
        rows = [["id", "year", "note", "pop"], *body]
    file = io.StringIO()
    quoting = csv.QUOTE_ALL if dialect["quote"] else csv.QUOTE_MINIMAL
    writer = csv.writer(file, delimiter=dialect["delimiter"], quoting=quoting, lineterminator=dialect["terminator"])
    writer.writerows([*dialect["preamble"], *rows])
    return PACK[dialect["pack"]](file.getvalue().encode(dialect["encoding"]))


@given(panels(), dialects())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_known_panel_in_any_dialect_reads_back_equal(
    write: Callable[..., Path], known: Figures, dialect: dict
) -> None:
    path = write(to_bytes(known, dialect), "mine.csv" + dialect["pack"])
    columns = {"id": "id"} if dialect["wide"] else COLUMNS
    if could_be_either(known, dialect):
        # Where every figure can be read in two ways, nothing but being told can decide.
        with pytest.raises(ReadError, match="pass decimal="):
            pf.read_panel(path, **columns)
        columns = columns | {"decimal": dialect["decimal"]}
    assert figures_of(pf.read_panel(path, **columns)) == known


def could_be_either(known: Figures, dialect: dict) -> bool:
    """Whether some figure is 12,345, and none tells what its mark means."""
    if dialect["places"] or dialect["thousands"] not in (",", "."):
        return False
    figures = [figure for series in known.values() for figure in series.values()]
    return any(1000 <= figure < 10**6 for figure in figures) and not any(figure >= 10**6 for figure in figures)


def test_ids_keep_their_zeros_and_order(write: Callable[..., Path]) -> None:
    path = write("id,year,pop\n36001,2000,1\n36001,2001,2\n01001,2000,3\n01001,2001,4\n")
    assert pf.read_panel(path, **COLUMNS).locations.index.tolist() == ["36001", "01001"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_group_and_name_are_kept(write: Callable[..., Path], quote: str) -> None:
    path = write("id,year,pop,area,label\n" + f"A,2000,1,{quote}north{quote},Ay\n" + "A,2001,2,north,Ay\n")
    panel = pf.read_panel(path, **COLUMNS, group="area", name="label")
    assert panel.locations[["name", "region"]].to_numpy().tolist() == [["Ay", "north"]]


def test_rows_can_be_chosen(write: Callable[..., Path]) -> None:
    path = write("id,sex,year,pop\nA,T,2000,3\nA,F,2000,1\nA,T,2001,5\nA,F,2001,2\n")
    assert figures_of(pf.read_panel(path, **COLUMNS, where={"sex": "F"})) == {"A": {2000: 1, 2001: 2}}


# Downloads ------------------------------------------------------------------------------------------------------

WORLD_BANK = (
    '\ufeff"Data Source","World Development Indicators",\n\n"Last Updated Date","2024-06-28",\n\n'
    '"Country Name","Country Code","Indicator Name","Indicator Code","1960","1961","1962",\n'
    '"Aruba","ABW","Population, total","SP.POP.TOTL","54608","55811","56682",\n'
    '"Not classified","INX","Population, total","SP.POP.TOTL","","","",\n'
    '"West Bank and Gaza","PSE","Population, total","SP.POP.TOTL","","55811","56682",\n'
)
EUROSTAT = (
    "freq,unit,geo\\TIME_PERIOD\t2000 \t2001 \t2002 \n"
    "A,NR,AT\t8002186 \t8020946 b\t8063640 \nA,NR,DE\t: \t82259540 p\t82440309 ep\n"
)
DATABANK = (
    "Country Name,Country Code,Series Name,Series Code,1960 [YR1960],1961 [YR1961]\n"
    "Aruba,ABW,P,SP,54608,55811\nFoo,FOO,P,SP,..,..\n,,,,,\n,,,,,\n"
    "Data from database: World Development Indicators\nLast Updated: 06/28/2024\n"
)


def test_world_bank_download_is_read_at_first_try(write: Callable[..., Path]) -> None:
    reading = read_own(write(WORLD_BANK))
    assert figures_of(reading.panel) == {
        "ABW": {1960: 54608, 1961: 55811, 1962: 56682},
        "PSE": {1961: 55811, 1962: 56682},
    }
    assert reading.panel.locations["name"].tolist() == ["Aruba", "West Bank and Gaza"]
    assert reading.dropped.to_dict("records") == [
        {"row": 7, "code": "INX", "name": "Not classified", "reason": "no figure in any year"}
    ]


def test_databank_export_is_read_without_its_notes(write: Callable[..., Path]) -> None:
    assert figures_of(pf.read_panel(write(DATABANK))) == {"ABW": {1960: 54608, 1961: 55811}}


def test_eurostat_download_is_read_without_its_flags(write: Callable[..., Path]) -> None:
    assert figures_of(pf.read_panel(write(EUROSTAT, "demo.tsv"))) == {
        "AT": {2000: 8002186, 2001: 8020946, 2002: 8063640},
        "DE": {2001: 82259540, 2002: 82440309},
    }


def test_two_units_in_one_download_must_be_told_apart(write: Callable[..., Path]) -> None:
    path = write(EUROSTAT + "A,PC,AT\t1 \t2 \t3 \n", "demo.tsv")
    with pytest.raises(
        ReadError, match=r"line 4: 'AT' stands a second time .*unit 'PC' instead of 'NR'.*--where unit=NR"
    ):
        pf.read_panel(path)
    assert len(pf.read_panel(path, where={"unit": "NR"}).locations) == 2


def test_the_un_wide_table_is_read_as_any_wide_table(raw: Path, wpp2019: pf.Panel) -> None:
    reading = read_own(raw / "WPP2019_POP_F01_1_TOTAL_POPULATION_BOTH_SEXES.csv", id="Country code")
    assert (reading.panel.values * 1000 == wpp2019.values).all()
    assert len(reading.dropped) == 4


# Parquet --------------------------------------------------------------------------------------------------------


def known_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(f"{i:05d}", 1950 + j) for i in range(40) for j in range(i % 3, 30)]
    frame = pd.DataFrame(rows, columns=["fips", "year"])
    return frame.assign(pop=rng.integers(1, 10**6, len(frame)))


@pytest.mark.parametrize("cut", [1, 7, 64, 1000])
def test_a_series_cut_by_row_groups_and_files_is_whole(tmp_path: Path, cut: int) -> None:
    pytest.importorskip("pyarrow")
    frame = known_frame()
    expected = {
        code: dict(zip(rows["year"].tolist(), map(float, rows["pop"]), strict=True))
        for code, rows in frame.groupby("fips")
    }
    frame.to_parquet(tmp_path / "one.parquet", row_group_size=cut)
    folder = tmp_path / "many"
    folder.mkdir()
    for number, start in enumerate(range(0, len(frame), max(cut, 50))):
        frame.iloc[start : start + max(cut, 50)].to_parquet(folder / f"part.{number}.parquet")
    for path in (tmp_path / "one.parquet", folder):
        assert figures_of(pf.read_panel(path, "fips", "year", "pop")) == expected


def test_damaged_parquet_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path, empty = tmp_path / "mine.parquet", tmp_path / "nothing"
    empty.mkdir()
    known_frame().to_parquet(path)
    content = path.read_bytes()
    for damaged in (content[:-20], content[: len(content) // 2], b"PAR1" + bytes(100)):
        path.write_bytes(damaged)
        with pytest.raises(ReadError, match=r"mine.parquet is no whole Parquet file"):
            pf.read_panel(path, "fips", "year", "pop")
    with pytest.raises(ReadError, match=r"without any \.parquet file"):
        pf.read_panel(empty, "fips", "year", "pop")


# Bad input ------------------------------------------------------------------------------------------------------


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


BAD: dict[str, tuple[str | bytes, list[str]]] = {
    "duplicate": ("id,year,pop\nA,2000,1\nA,2001,2\nA,2000,3\n", ["line 4", "'A'", "2000", "line 2"]),
    "gap": ("id,year,pop\nA,2000,1\nA,2001,1\nA,2003,2\n", ["'A'", "no figure in 2002", "drop"]),
    "mixed steps": (
        "id,year,pop\nA,2000,1\nA,2001,1\nA,2002,2\nA,2003,2\nB,2000,1\nB,2005,1\nB,2010,1\n",
        ["'B'", "5 years apart", "most have 1"],
    ),
    "off the grid": (
        "id,year,pop\nA,2000,1\nA,2005,1\nA,2010,1\nB,2002,1\nB,2007,1\nC,2000,1\nC,2005,1\n",
        ["'B'", "2002", "grid"],
    ),
    "one year": ("id,year,pop\nA,2000,1\nA,2001,1\nB,2000,1\n", ["'B'", "one figure, for 2000"]),
    "only one year": ("id,year,pop\nA,2000,1\nB,2000,1\n", ["'A'", "2000", "two years"]),
    "no number": ("id,year,pop\nA,2000,1\nA,2001,about 2\n", ["line 3", "'A'", "2001", "'about 2'"]),
    "negative": ("id,year,pop\nA,2000,1\nA,2001,-2\n", ["line 3", "'A'", "'-2'", "negative"]),
    "infinite": ("id,year,pop\nA,2000,1\nA,2001,inf\n", ["line 3", "'inf'"]),
    "empty": ("", ["mine.csv is empty"]),
    "blank": ("\n\n  \n", ["mine.csv is empty"]),
    "header only": ("id,year,pop\n", ["header", "no rows"]),
    "zip": (zipped("a/pop.csv"), ["zip", "unpack", "a/pop.csv"]),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), ["Excel", "save the sheet as CSV"]),
    "xls": (b"\xd0\xcf\x11\xe0" + bytes(600), ["Excel", "CSV"]),
    "pdf": (b"%PDF-1.7 ...", ["PDF"]),
    "web page": ("<!DOCTYPE html><html>", ["web page"]),
    "json": ('[{"id": "A"}]', ["JSON"]),
    "bytes": (bytes(range(256)) * 10, ["NUL bytes"]),
    "cut gzip": (gzip.compress(b"id,year,pop\nA,2000,1\n" * 99)[:40], ["cut or damaged"]),
    "damaged gzip": (b"\x1f\x8b" + b"garbage" * 9, ["cut or damaged"]),
    "months": ("id,year,pop\nA,2000-01,1\nA,2000-02,2\n", ["line 3", "'2000-02'", "one figure a year"]),
    "no year": ("id,year,pop\nA,soon,1\nA,2001,2\n", ["line 2", "'soon'", "no year"]),
    "other column": ("id,year,population\nA,2000,1\n", ["no column 'pop'", "'population'", "line 1"]),
    "column twice": ("id,year,pop,pop\nA,2000,1,1\n", ["twice"]),
    "no id": ("id,year,pop\nA,2000,1\n,2001,2\n", ["line 3", "no id"]),
    "short row": ("id,year,pop\nA,2000,1\nA,2001\n", ["line 3", "2 cells", "expected 3"]),
    "long row": ("id,year,pop\nA,2000,1,234\n", ["line 2", "4 cells", "quotes"]),
    "cut": ("id,year,pop\nA,2000,123\nA,2001,12", ["line 3", "'12'", "line end"]),
    "open quote": ('id,year,pop\n"A,2000,1\nA,2001,2\n', ["line"]),
    "either mark": ('id,year,pop\nA,2000,"1,234"\nA,2001,"1,235"\n', ["'1,234'", "1234", "1.234", "decimal"]),
    "one odd mark": (
        'id,year,pop\nA,2000,"1,234,567"\nA,2001,"1,234"\nA,2002,"1234,5"\n',
        ["line 4", "'1234,5'"],
    ),
    "encoded twice": ("id,year,pop\nRÃ©union,2000,1\nRÃ©union,2001,2\n", ["'RÃ©union'", "'Réunion'", "line 2"]),
    "two regions": ("id,year,pop,g\nA,2000,1,n\nA,2001,2,s\n", ["line 3", "'A'", "'s'", "'n'"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_one_sentence_that_says_where(write: Callable[..., Path], case: str) -> None:
    content, named = BAD[case]
    with pytest.raises(ReadError) as refusal:
        pf.read_panel(write(content), **COLUMNS, group="g" if case == "two regions" else None)
    assert all(part in str(refusal.value) for part in ["mine.csv", *named]), str(refusal.value)


def test_zero_is_a_figure_that_models_of_growth_refuse_by_name(write: Callable[..., Path]) -> None:
    panel = pf.read_panel(write("id,year,pop\nA,2000,1\nA,2001,0\nA,2002,3\n"), **COLUMNS)
    with pytest.raises(pf.PopforecastError, match="A has population 0 in 2001"):
        pf.forecast(panel)


def test_locations_with_gaps_can_be_left_out_and_are_reported(write: Callable[..., Path]) -> None:
    path = write("id,year,pop\nA,2000,1\nA,2002,1\nB,2000,3\nB,2001,4\nC,2001,9\n")
    reading = read_own(path, **COLUMNS, incomplete="drop")
    assert figures_of(reading.panel) == {"B": {2000: 3, 2001: 4}}
    assert reading.dropped[["row", "code"]].to_numpy().tolist() == [[2, "A"], [6, "C"]]


@pytest.mark.parametrize("start", [b"", b"id,year,pop\nA,2000,1\nA,2001,2\n"])
@pytest.mark.parametrize("filler", [b"\x07\x01\x00\xff", b"lorem ipsum\n", b"x"])
def test_two_gigabytes_of_garbage_are_refused_without_being_read(tmp_path: Path, start: bytes, filler: bytes) -> None:
    path = tmp_path / "mine.csv"
    with path.open("wb") as file:
        file.write(start + filler * (1 << 20))
        file.truncate(2 << 30)
    begun = time.process_time()
    with pytest.raises(ReadError, match=r"mine\.csv"):
        pf.read_panel(path, **COLUMNS)
    assert time.process_time() - begun < 5
