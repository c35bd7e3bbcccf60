"""The embedded revisions are what the UN published, and a download replaces nothing until it is proved."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.errors import FetchError, ReadError, UnknownRevisionError
from popforecast.readers.archive import read_archive
from popforecast.wpp import editions, embedded
from popforecast.wpp.tables import write_tables

SIZES = {"wpp2019": 285, "wpp2024": 297}


@pytest.fixture(params=sorted(SIZES))
def panel(request: pytest.FixtureRequest) -> pf.Panel:
    return pf.load_panel(request.param)


# Embedded -------------------------------------------------------------------------------------------------------


def test_every_series_of_the_revision_is_there(panel: pf.Panel) -> None:
    assert len(panel) == SIZES[panel.revision]
    assert panel.years[0] == 1950
    assert panel.origin == {"wpp2019": 2020, "wpp2024": 2023}[panel.revision]
    assert (panel.locations["type"] == "Country/Area").sum() == {"wpp2019": 235, "wpp2024": 236}[panel.revision]


def test_default_revision_is_the_latest() -> None:
    assert pf.load_panel().revision == "wpp2024" == max(pf.REVISIONS)


@pytest.mark.parametrize(
    ("revision", "location", "year", "persons"),
    [
        ("wpp2024", "India", 2023, 1_438_069_596),
        ("wpp2019", "World", 2020, 7_794_799_000),
        ("wpp2019", "World", 1950, 2_536_431_000),
        ("wpp2019", "More developed regions", 2020, 1_273_304_000),
    ],
)
def test_known_figure_is_there_to_the_person(revision: str, location: str, year: int, persons: int) -> None:
    panel = pf.load_panel(revision)
    frame = panel.select(location).to_frame().set_index("year")
    assert frame.loc[year, "population"] == persons


def test_countries_add_up_to_the_world(panel: pf.Panel) -> None:
    world = panel.select("World").values[0]
    assert np.abs(panel.countries().values.sum(axis=0) / world - 1).max() < 1e-5


def test_locations_form_one_tree(panel: pf.Panel) -> None:
    locations = panel.locations
    for code, parent in locations["parent"].items():
        passed = {code}
        while parent is not None:
            assert parent in locations.index
            assert parent not in passed
            passed.add(parent)
            parent = locations["parent"][parent]
        assert passed & {900}, f"{code} is not in the world"


def test_countries_have_a_region_of_the_panel_and_an_iso3_of_their_own(panel: pf.Panel) -> None:
    countries = panel.countries().locations
    regions = set(panel.locations["name"][panel.locations["type"] == "Region"])
    assert set(countries["region"]) == {
        "Africa",
        "Asia",
        "Europe",
        "Latin America and the Caribbean",
        "Northern America",
        "Oceania",
    }
    assert set(countries["region"]) <= regions
    iso3 = countries["iso3"].dropna()
    assert iso3.is_unique
    assert iso3.str.fullmatch("[A-Z]{3}").all()
    # The Channel Islands were one series in 2019, and have no code in ISO 3166.
    assert (
        countries["name"][countries["iso3"].isna()].tolist()
        == {"wpp2019": ["Channel Islands"], "wpp2024": []}[panel.revision]
    )
    assert panel.locations.loc[panel.locations["type"] != "Country/Area", ["iso3", "region"]].isna().all(axis=None)


def test_iso3_means_the_same_place_in_both_revisions(wpp2019: pf.Panel, wpp2024: pf.Panel) -> None:
    before, after = (p.locations["iso3"].dropna().reset_index().set_index("iso3")["code"] for p in (wpp2019, wpp2024))
    both = before.index.intersection(after.index)
    assert len(both) > 230
    assert (before[both] == after[both]).all()


def test_projections_are_consistent(wpp2024: pf.Panel) -> None:
    table = pf.load_projections("wpp2024")
    assert table.columns.tolist() == [
        "location_code",
        "year",
        "population",
        "lower_80",
        "upper_80",
        "lower_95",
        "upper_95",
    ]
    assert set(table["location_code"]) == set(wpp2024.locations.index)
    assert (table.groupby("location_code")["year"].agg(list).map(tuple) == tuple(range(2024, 2101))).all()
    ordered = table[["lower_95", "lower_80", "population", "upper_80", "upper_95"]].to_numpy()
    assert (ordered >= 0).all()
    # Each is rounded to whole persons on its own.
    assert (np.diff(ordered, axis=1) >= -1).all()


def test_projections_continue_the_estimates(wpp2024: pf.Panel) -> None:
    table = pf.load_projections("wpp2024")
    first = table[table["year"] == 2024].set_index("location_code")["population"]
    growth = first[wpp2024.locations.index].to_numpy() / wpp2024.values[:, -1] - 1
    assert np.abs(growth).max() < 0.25
    assert np.median(np.abs(growth)) < 0.02


def test_revision_without_projections_says_which_have_them() -> None:
    with pytest.raises(UnknownRevisionError, match="wpp2024"):
        pf.load_projections("wpp2019")


@pytest.mark.parametrize("name", ["wpp2023", "WPP2024", "", None, 2024, ["wpp2024"], "../wpp2024"])
def test_unknown_revision_names_those_there_are(name: object) -> None:
    for verb in (pf.load_panel, pf.load_projections, editions.load_locations, editions.describe_source, pf.fetch):
        with pytest.raises(UnknownRevisionError, match="wpp2019, wpp2024"):
            verb(name)


def test_tables_are_small_plain_and_as_the_manifest_says() -> None:
    manifest = editions.read_manifest(editions.DATA)
    assert sum(path.stat().st_size for path in editions.DATA.iterdir()) < 5_000_000
    for revision, entry in manifest.items():
        assert entry["licence"] == "CC BY 3.0 IGO"
        assert entry["panel_sha256"] == pf.load_panel(revision).checksum
        for table, checksum in entry["tables"].items():
            path = editions.table_path(editions.DATA, revision, table)
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert hashlib.sha256(content).hexdigest() == checksum
            assert b"\r" not in content
            content.decode("utf-8")


@pytest.mark.parametrize("table", ["wpp2019-estimates.csv", "wpp2024-locations.csv", "revisions.json"])
@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content.replace(b"1", b"2", 1), None])
def test_tampered_table_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, damage: Callable[[bytes], bytes] | None
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(editions.DATA, folder)
    if damage is None:
        (folder / table).unlink()
    elif table == "revisions.json":
        (folder / table).write_bytes(b"{}")
    else:
        (folder / table).write_bytes(damage((folder / table).read_bytes()))
    for module in (editions, embedded):
        monkeypatch.setattr(module, "DATA", folder)
    revision = table[:7] if table.startswith("wpp") else "wpp2019"
    with pytest.raises(ReadError, match="install popforecast again"):
        pf.load_panel(revision)


def test_tables_written_are_the_tables_read(panel: pf.Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = editions.describe_source(panel.revision)
    projections = pf.load_projections(panel.revision) if panel.revision == "wpp2024" else None
    for path in write_tables(panel, tmp_path, source, projections):
        if path.suffix == ".csv":
            assert path.read_bytes() == (editions.DATA / path.name).read_bytes()
    monkeypatch.setattr(editions, "DATA", tmp_path)
    again = pf.load_panel(panel.revision)
    assert again.checksum == panel.checksum
    assert again.locations.equals(panel.locations)


def test_each_revision_says_where_it_comes_from(panel: pf.Panel) -> None:
    revision = editions.get_revision(panel.revision)
    assert revision.url.startswith("https://population.un.org/")
    assert revision.title == f"World Population Prospects {revision.edition}"
    assert "CC BY 3.0 IGO" in revision.citation
    assert editions.describe_source(panel.revision)["series"] >= len(panel)


# Fetched --------------------------------------------------------------------------------------------------------


def long_file(panel: pf.Panel) -> bytes:
    """The UN's long file of a panel, as it is published since 2022: medium variant, and others from the next year."""
    header = "SortOrder,LocID,Notes,ISO3_code,ISO2_code,SDMX_code,LocTypeID,LocTypeName,ParentID,Location,"
    lines = [header + "VarID,Variant,Time,MidPeriod,PopMale,PopFemale,PopTotal,PopDensity"]
    for row, (code, place) in enumerate(panel.locations.iterrows()):
        kind = "Geographic region" if place["type"] == "Region" else place["type"]
        iso3, parent = ("" if pd.isna(place[column]) else place[column] for column in ("iso3", "parent"))
        start = f'{row},{code},,{iso3},,,4,{kind},{parent},"{place["name"]}"'
        for year, persons in zip(panel.years, panel.values[row], strict=True):
            lines.append(f"{start},2,Medium,{year},{year}.5,,,{persons / 1000:.3f},1.5")
        following = f"{panel.origin + 1},{panel.origin + 1}.5,,,{panel.values[row, -1] / 1000:.3f},1.5"
        lines += [f"{start},{variant},{following}" for variant in ("2,Medium", "3,High", "206,Upper 80 PI")]
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module")
def published() -> bytes:
    return long_file(pf.load_panel("wpp2024"))


class Server(http.server.ThreadingHTTPServer):
    """A real server on the loopback.

    ``answer`` is what it sends, ``announced`` the length it claims, ``authorization`` what it was told last.
    """

    answer: bytes = b""
    status: int = 200
    announced: int | None = None
    authorization: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/WPP2024_TotalPopulationBySex.csv.gz"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.authorization = self.headers.get("Authorization")
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(self.server.announced or len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("compress", [gzip.compress, bytes])
def test_published_file_is_fetched_and_reads_as_the_revision(
    server: Server, published: bytes, tmp_path: Path, compress: Callable, capfd: pytest.CaptureFixture
) -> None:
    wpp2024 = pf.load_panel("wpp2024")
    server.answer = compress(published)
    path = pf.fetch("wpp2024", tmp_path / "cache", server.url)
    assert path.read_bytes() == server.answer
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    panel = pf.read_wpp(path, revision="wpp2024").panel
    assert panel.checksum == wpp2024.checksum
    assert panel.countries().locations["iso3"].tolist() == wpp2024.countries().locations["iso3"].tolist()
    assert capfd.readouterr() == ("", "")


def test_cache_may_be_named_by_the_environment(
    server: Server, published: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POPFORECAST_CACHE", str(tmp_path / "mine"))
    server.answer = gzip.compress(published)
    assert pf.fetch("wpp2024", url=server.url).parent == tmp_path / "mine"


def update(panel: pf.Panel, country: str, factor: float) -> pf.Panel:
    """The panel with another series of a country, and with its aggregates summed anew."""
    values, rows = panel.values.copy(), panel.locations.index.get_indexer
    code = panel.index.find(country)
    holding = [sum_ for sum_, codes in editions.load_members(panel.revision).items() if code in codes]
    values[rows([code, *holding])] += np.rint(values[rows([code])[0]] * (factor - 1))
    return replace(panel, values=values)


def test_file_with_a_series_that_the_un_has_replaced_is_fetched(server: Server, tmp_path: Path) -> None:
    updated = update(pf.load_panel("wpp2024"), "Togo", 0.88)
    server.answer = gzip.compress(long_file(updated))
    assert pf.read_wpp(pf.fetch("wpp2024", tmp_path, server.url), revision="wpp2024").panel.checksum == updated.checksum


def test_file_without_an_update_that_the_tables_have_is_fetched(
    server: Server, published: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wpp2024 = pf.load_panel("wpp2024")
    newer = update(wpp2024, "Togo", 0.88)
    entry = {"date": "2026-01-19", "locations": [768], "sha256": "0" * 64}
    write_tables(newer, tmp_path / "data", {"updates": [entry]}, pf.load_projections("wpp2024"))
    monkeypatch.setattr(editions, "DATA", tmp_path / "data")
    assert pf.load_panel("wpp2024").title == "wpp2024 + update 2026-01-19"
    server.answer = gzip.compress(published)
    path = pf.fetch("wpp2024", tmp_path / "cache", server.url)
    assert pf.read_wpp(path, revision="wpp2024").panel.checksum == wpp2024.checksum


@pytest.mark.parametrize(("country", "factor", "named"), [("Ghana", 0.88, r"\(\d+\) has"), ("Togo", 11, "times the")])
def test_file_with_any_other_series_in_place_is_refused(
    server: Server, tmp_path: Path, country: str, factor: float, named: str
) -> None:
    server.answer = gzip.compress(long_file(update(pf.load_panel("wpp2024"), country, factor)))
    with pytest.raises(FetchError, match=named):
        pf.fetch("wpp2024", tmp_path, server.url)
    assert list(tmp_path.iterdir()) == []


def without(country: str, content: bytes) -> bytes:
    return b"".join(line for line in content.splitlines(keepends=True) if f'"{country}"'.encode() not in line)


# What a server may send instead of the file, and what the error must say of it.
FAILURES: dict[str, tuple[Callable[[bytes], dict], str]] = {
    "not found": (lambda content: {"status": 404, "answer": b"not here"}, "404"),
    "server error": (lambda content: {"status": 503, "answer": b"later"}, "503"),
    "cut on the way": (
        lambda content: {"answer": gzip.compress(content)[:-5000], "announced": len(gzip.compress(content))},
        "Connection broken|IncompleteRead",
    ),
    "cut at the source": (lambda content: {"answer": gzip.compress(content)[:-5000]}, "cut or damaged"),
    "cut plain file": (lambda content: {"answer": content[:1_000_000]}, "cut"),
    "cut plain file at a row": (
        lambda content: {"answer": content[: content.index(b"\n", 1_000_000) + 1]},
        "Expected|expected",
    ),
    "error page": (lambda content: {"answer": b"<!DOCTYPE html>\n<h1>Maintenance</h1>\n"}, "no header"),
    "nothing": (lambda content: {"answer": b""}, "empty"),
    "country lost": (lambda content: {"answer": without("Nigeria", content)}, "row is lost|Nigeria"),
    "small country lost": (lambda content: {"answer": without("Tokelau", content)}, r"lacks Tokelau \(772\)"),
    "other world": (lambda content: {"answer": content.replace(b"8091734", b"9091734")}, "World|sum"),
    "years lost": (
        lambda content: {
            "answer": b"".join(ln for ln in content.splitlines(keepends=True) if b",Medium,1950," not in ln)
        },
        "1951 to 2023",
    ),
    "another revision": (lambda content: {"answer": long_file(pf.load_panel("wpp2019"))}, "lacks Guernsey"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_failed_download_leaves_what_was_there(server: Server, published: bytes, tmp_path: Path, failure: str) -> None:
    answer, named = FAILURES[failure]
    for name, value in answer(published).items():
        setattr(server, name, value)
    before = gzip.compress(b"what was fetched before")
    target = tmp_path / "WPP2024_TotalPopulationBySex.csv.gz"
    target.write_bytes(before)
    with pytest.raises(FetchError, match=named) as refusal:
        pf.fetch("wpp2024", tmp_path, server.url)
    assert server.url in str(refusal.value)
    assert f"{target} is unchanged" in str(refusal.value)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_failed_first_download_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(FetchError, match="no file was saved"):
        pf.fetch("wpp2024", tmp_path, server.url)
    assert list(tmp_path.iterdir()) == []


def test_server_that_is_away_is_a_failed_download(tmp_path: Path) -> None:
    with Server(("127.0.0.1", 0), Handler) as server:
        url = server.url
    with pytest.raises(FetchError, match="could not be fetched"):
        pf.fetch("wpp2024", tmp_path, url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1/x.csv", "file:///etc/hostname", "http://"])
def test_address_that_is_none_is_a_failed_download(tmp_path: Path, url: str) -> None:
    with pytest.raises(FetchError, match="could not be fetched"):
        pf.fetch("wpp2024", tmp_path, url)


@pytest.mark.parametrize(
    "url",
    ["http://ada:secret@127.0.0.1:9/x.csv", "ada:secret@nowhere/x.csv", "http://ada:secret@[::1", "http://ada:secret@"],
)
def test_a_password_in_an_address_is_in_no_error_of_a_download(tmp_path: Path, url: str) -> None:
    with pytest.raises(FetchError, match="could not be fetched") as caught:
        pf.fetch("wpp2024", tmp_path, url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


def test_a_password_in_an_address_is_sent(server: Server, published: bytes, tmp_path: Path) -> None:
    server.answer = gzip.compress(published)
    pf.fetch("wpp2024", tmp_path, server.url.replace("http://", "http://ada:secret@"))
    assert server.authorization == f"Basic {base64.b64encode(b'ada:secret').decode()}"


def test_folder_that_cannot_be_written_is_a_failed_download(server: Server, published: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    server.answer = gzip.compress(published)
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FetchError, match="no file was saved"):
            pf.fetch("wpp2024", folder, server.url)
    assert json.dumps((tmp_path / "file").read_text()) == '"in the way"'


# Fetched from the archive ---------------------------------------------------------------------------------------

MEMBER = "WPP2000_TotalPopulationBySex.csv"


def make_zip(member: str = MEMBER) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(member, "LocID,Location,Variant,Time,PopTotal\n4,Arda,Medium,1995,20\n4,Arda,Medium,2000,21\n")
    return content.getvalue()


def test_a_revision_of_the_archive_is_fetched_whole_with_a_note_that_no_checksum_is_known(
    server: Server, tmp_path: Path
) -> None:
    server.answer = make_zip()
    run = CliRunner().invoke(main, ["fetch", "wpp2000", "--folder", str(tmp_path), "--url", server.url])
    path = tmp_path / "WPP2000-CSV-data.zip"
    assert run.stdout.split() == [str(path)]
    assert run.stderr.startswith("note: no checksum of this file is known")
    assert path.read_bytes() == server.answer
    assert read_archive(path).panel.values.tolist() == [[20000, 21000]]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ({"status": 404, "answer": b"not here"}, "404"),
        ({"answer": b"<!DOCTYPE html>"}, "no zip archive, or is cut or damaged"),
        ({"answer": make_zip()[:-20]}, "no zip archive, or is cut or damaged"),
        ({"answer": make_zip().replace(b"Arda", b"Erda", 1)}, f"its member {MEMBER} is damaged"),
        ({"answer": make_zip()[:90], "announced": len(make_zip())}, "Connection broken|IncompleteRead"),
        ({"answer": make_zip("Notes.txt")}, "it has Notes.txt: expected a table of population"),
    ],
)
def test_a_failed_download_from_the_archive_leaves_what_was_there(
    server: Server, tmp_path: Path, answer: dict, named: str
) -> None:
    for name, value in answer.items():
        setattr(server, name, value)
    target = tmp_path / "WPP2000-CSV-data.zip"
    target.write_bytes(b"before")
    with pytest.raises(FetchError, match=f"World Population Prospects 2000 could not be fetched .*({named})"):
        pf.fetch("wpp2000", tmp_path, server.url)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"before"]


def test_without_a_network_fetching_from_the_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"could not be fetched from http://127.0.0.1:9/.*; no file was saved"):
        pf.fetch("wpp1992", tmp_path, "http://127.0.0.1:9/WPP1992-CSV-data.zip")
