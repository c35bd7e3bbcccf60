"""The UN's tables: any noise reads the same panel, and nothing is lost in silence."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import popforecast as pf
from popforecast.errors import ReadError
from popforecast.readers import read_long
from tests.helpers.freezing import check_frozen
from tests.readers.samples import HEADER, YEARS, assert_same_world, long_rows, to_text, wide_rows


def test_file_of_2019_is_read_whole_and_equals_the_embedded_table(raw: Path, wpp2019: pf.Panel) -> None:
    reading = pf.read_wpp(raw / "WPP2019_POP_F01_1_TOTAL_POPULATION_BOTH_SEXES.csv", revision="wpp2019")
    assert reading.series == 289
    assert reading.panel.locations.index.tolist() == wpp2019.locations.index.tolist()
    assert reading.panel.locations["name"].tolist() == wpp2019.locations["name"].tolist()
    assert (reading.panel.values == wpp2019.values).all()
    assert reading.panel.checksum == wpp2019.checksum
    check_frozen(reading)
    assert reading.dropped[["row", "code"]].to_numpy().tolist() == [[3, 1803], [11, 1802], [18, 1840], [25, 1828]]
    assert set(reading.dropped["reason"]) == {"a label, without any figure"}


def test_long_sample_of_2022_is_cut_within_a_series_and_says_so(raw: Path) -> None:
    path = raw / "WPP2022_TotalPopulationBySex.sample.csv"
    with pytest.raises(ReadError, match=r"WHO Regions \(1820, .*25 years from 1997 to 2021"):
        pf.read_wpp(path)
    reading = pf.read_wpp(path, incomplete="drop")
    assert reading.panel.years.tolist() == list(range(1950, 2022))
    assert len(reading.panel) + len(reading.dropped) == reading.series == 9
    assert reading.dropped["code"].tolist() == [1820]
    assert reading.panel.select(1111).values[0, 0] == 150_625_448


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
    assert_same_world(pf.read_wpp(write(content)).panel)


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
    reading = pf.read_wpp(write(compress(to_text(table, terminator).encode(encoding))))
    assert_same_world(reading.panel)
    assert reading.panel.locations["iso3"][384] == "CIV"


def test_label_rows_are_reported_with_their_row_and_reason(write: Callable[..., Path]) -> None:
    rows = wide_rows()
    rows[3][5] = "Label/Separator"
    rows.insert(6, ["6", "Estimates", "Nowhere", "", "5", "Country/Area", "900", "...", "...", "..."])
    rows[5][7:] = ["2 533 801", "2 581 348", "2 628 118"]
    dropped = pf.read_wpp(write(rows)).dropped
    assert dropped.to_dict("records") == [
        {"row": 3, "code": 1840, "name": "Geographic regions", "reason": "a label, without any figure"},
        {"row": 4, "code": 638, "name": "Réunion", "reason": "a label, though it has figures"},
        {"row": 7, "code": 5, "name": "Nowhere", "reason": "no figure in any year"},
    ]


def test_parent_is_the_nearest_series_even_where_labels_run_in_a_circle(write: Callable[..., Path]) -> None:
    rows = wide_rows()
    rows[2][6] = "1840"
    assert pf.read_wpp(write(rows)).panel.locations["parent"][638] is None


def test_variant_of_several_must_be_named(write: Callable[..., Path]) -> None:
    rows = wide_rows()
    both = rows + [[*row[:1], "High", *row[2:]] for row in rows[1:]]
    with pytest.raises(ReadError, match="Estimates, High"):
        pf.read_wpp(write(both))
    assert_same_world(pf.read_wpp(write(both), variant="high ").panel)
    with pytest.raises(ReadError, match=r"no variant 'Low'.*Estimates, High"):
        pf.read_wpp(write(both), variant="Low")


def test_past_is_medium_until_the_other_variants_begin(write: Callable[..., Path]) -> None:
    path = write(long_rows(("Medium", "High", "Lower 95 PI", "Median PI"), projected=(2003, 2004)))
    assert pf.read_wpp(path).panel.years.tolist() == YEARS
    assert pf.read_wpp(path, variant="medium").panel.years.tolist() == [*YEARS, 2003, 2004]
    assert pf.read_wpp(path, variant="Medium", until=2003).panel.years.tolist() == [*YEARS, 2003]
    assert pf.read_wpp(path, variant="Median PI").panel.years.tolist() == [2003, 2004]


def test_past_is_estimates_where_the_file_has_them(write: Callable[..., Path]) -> None:
    estimates, medium = long_rows(("Estimates",)), long_rows(("Medium",))
    projections = [[*row[:7], "2003", row[8]] for row in medium[1:] if row[7] == "2002"]
    assert_same_world(pf.read_wpp(write(estimates + projections)).panel)


def test_variant_the_file_lacks_is_named_with_those_it_has(write: Callable[..., Path]) -> None:
    path = write(long_rows(("Medium", "High"), projected=(2003,)))
    with pytest.raises(ReadError, match="no variant 'Low': expected one of Medium, High"):
        pf.read_wpp(path, variant="Low")
    with pytest.raises(ReadError, match="up to 1999"):
        pf.read_wpp(path, until=1999)


def test_geographic_region_is_a_region(write: Callable[..., Path]) -> None:
    rows = [[cell.replace("World", "Geographic region") for cell in row] for row in long_rows()]
    assert pf.read_wpp(write(rows)).panel.locations["type"][900] == "Region"


def test_one_misspelt_variant_does_not_shorten_the_past(write: Callable[..., Path]) -> None:
    rows = long_rows(("Medium", "High"), projected=(2003, 2004))
    rows[2][6] = "Mediun"
    with pytest.raises(ReadError, match=r"row 3: variant 'Mediun' has 2001 but not 2002"):
        pf.read_wpp(write(rows))


def test_incomplete_location_is_an_error_or_reported(write: Callable[..., Path]) -> None:
    rows = [row for row in long_rows() if (row[1], row[7]) != ("638", "2001")]
    with pytest.raises(ReadError, match=r"Réunion \(638, first at row 5\) has no figure for 1 years from 2001"):
        pf.read_wpp(write(rows))
    reading = pf.read_wpp(write([row for row in rows if row[1] != "900"]), incomplete="drop")
    assert reading.dropped["code"].tolist() == [638]
    assert reading.panel.locations.index.tolist() == [384, 4]
    with pytest.raises(ReadError, match="'raise' or 'drop'"):
        pf.read_wpp(write(rows), incomplete="ignore")


def test_a_wide_table_is_read_up_to_a_year(write: Callable[..., Path]) -> None:
    rows = wide_rows()
    rows[2][-1] = "no figure"
    panel = pf.read_wpp(write(rows), until=2001).panel
    assert panel.years.tolist() == [2000, 2001]
    assert_same_world(pf.read_wpp(write(wide_rows()), until=2100).panel)
    with pytest.raises(ReadError, match="no year up to 1999: it begins in 2000"):
        pf.read_wpp(write(rows), until=1999)


def test_an_incomplete_location_of_a_wide_table_is_an_error_or_reported(write: Callable[..., Path]) -> None:
    rows = [row for row in wide_rows() if "900" not in row]
    (gap,) = (row for row in rows if "638" in row)
    gap[-2] = "..."
    with pytest.raises(ReadError, match=r"Réunion \(638\) has no figure for 2001"):
        pf.read_wpp(write(rows))
    reading = pf.read_wpp(write(rows), incomplete="drop")
    assert reading.dropped.query("code == 638")["reason"].tolist() == ["no figure for 1 years from 2001 to 2001"]
    assert 638 not in reading.panel.locations.index
    with pytest.raises(ReadError, match="'raise' or 'drop'"):
        pf.read_wpp(write(rows), incomplete="ignore")


def test_any_long_file_keeps_codes_as_they_are_written(write: Callable[..., Path]) -> None:
    path = write("fips,year,pop,area\n01001,2000,5,NA\n01001,2001,6,NA\n1003,2000,7,\n1003,2001,8,\n")
    panel = read_long(path, id="fips", time="year", value="pop", group="area")
    assert panel.locations.index.tolist() == ["01001", "1003"]
    assert panel.locations["region"].tolist() == ["NA", ""]
    whole = write("id,year,pop\n7,2000,5\n7,2001,6\n")
    assert read_long(whole, id="id", time="year", value="pop").locations.index.tolist() == [7]


def test_any_long_file_knows_namibia_from_nothing(write: Callable[..., Path]) -> None:
    panel = read_long(write("iso2,t,n\nNA,2000,1\nNA,2005,2\nSA,2000,3\nSA,2005,4\n"), id="iso2", time="t", value="n")
    assert panel.locations.index.tolist() == ["NA", "SA"]
    assert panel.step == 5


def test_reading_shows_itself(write: Callable[..., Path]) -> None:
    reading = pf.read_wpp(write(wide_rows()), revision="mine")
    assert repr(reading) == "<Reading of table.csv: <Panel: 4 locations, 2000 to 2002, mine>, 1 rows dropped>"
    assert len(reading.sha256) == 64
    assert isinstance(reading.dropped, pd.DataFrame)
