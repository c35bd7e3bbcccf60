"""Nothing that is embedded is shown unless it is as it was published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from popforecast.errors import ReadError
from popforecast.evaluation import integrity
from popforecast.evaluation.integrity import check_embedded, list_embedded
from popforecast.wpp import outdated
from popforecast.wpp.editions import DATA

TABLES = [name for name, *_ in list_embedded()]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what is embedded, which is checked in its place."""
    monkeypatch.setattr(integrity, "DATA", shutil.copytree(DATA, tmp_path / "data"))
    return integrity.DATA


def test_every_table_that_is_embedded_is_checked() -> None:
    tables = [*DATA.glob("*.csv*"), *DATA.glob("*-components.npz")]
    assert sorted(TABLES) == sorted(path.name for path in tables)
    assert check_embedded() == len(TABLES)


@pytest.mark.parametrize("damage", [lambda content: content[:-2] + b"7\n", lambda content: content + b"\n"])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_was_altered_is_named(data: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    altered = data / name
    before = altered.read_bytes()
    altered.write_bytes(damage(before))
    assert altered.read_bytes() != before
    # A compressed table that was altered cannot even be decompressed.
    said = "cannot be read" if altered.suffix == ".gz" else "does not have the checksum in"
    with pytest.raises(ReadError, match=f"{name} {said}"):
        check_embedded()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_not_there_is_named(data: Path, name: str) -> None:
    (data / name).unlink()
    with pytest.raises(ReadError, match=f"{name} cannot be read"):
        check_embedded()


@pytest.mark.parametrize("manifest", ["revisions.json", "embedding.json"])
@pytest.mark.parametrize("content", ["", "{}", "[]", "nothing"])
def test_a_manifest_that_states_nothing_is_no_proof(data: Path, manifest: str, content: str) -> None:
    (data / manifest).write_text(content)
    with pytest.raises(ReadError, match="cannot be read"):
        check_embedded()


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("wpp2022,2026-01-19,768,a,b", "line 2, revision 'wpp2022': expected one of wpp2019, wpp2024"),
        ("wpp2024,2026-13-19,768,a,b", "line 2, date '2026-13-19': month"),
        ("wpp2024,2026-01-19,TGO,a,b", "line 2, locations 'TGO': invalid"),
        ("wpp2024,2026-01-19,768", "line 2: 3 cells; expected 5"),
    ],
)
def test_an_update_that_is_none_is_named(tmp_path: Path, row: str, named: str) -> None:
    (tmp_path / "updates.csv").write_text(f"revision,date,locations,what,source\n{row}\n")
    with pytest.raises(ReadError, match=f"updates.csv, {named}"):
        outdated.load_known(tmp_path)


def test_track_records_of_other_figures_are_told_apart(data: Path) -> None:
    manifest = json.loads((data / "embedding.json").read_text())
    manifest["panels"]["wpp2019"] = "0" * 64
    (data / "embedding.json").write_text(json.dumps(manifest))
    with pytest.raises(ReadError, match="measured on other figures of wpp2019"):
        check_embedded()
