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
    assert sorted(TABLES) == sorted([*(path.name for path in DATA.glob("*.csv")), "updates.json"])
    assert check_embedded() == len(TABLES)


@pytest.mark.parametrize("damage", [lambda content: content[:-2] + b"7\n", lambda content: content + b"\n"])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_was_altered_is_named(data: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    altered = data / name
    before = altered.read_bytes()
    altered.write_bytes(damage(before))
    assert altered.read_bytes() != before
    with pytest.raises(ReadError, match=f"{name} is not as it was published"):
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
    ("content", "named"),
    [
        (None, "cannot be read"),
        ("", "cannot be read"),
        ("{}", "no list of updates"),
        ("[7]", "entry 1: revision None: expected one of wpp2019, wpp2024"),
        ('[{"revision": "wpp2024", "date": "2026-13-19", "locations": [768]}]', "entry 1: date '2026-13-19': expected"),
        ('[{"revision": "wpp2024", "date": 2026, "locations": [768]}]', "entry 1: date 2026: expected"),
        ('[{"revision": "wpp2024", "date": "2026-01-19", "locations": ["768"]}]', "expected a list of codes"),
        ('[{"revision": "wpp2024", "date": "2026-01-19"}]', "locations None: expected a list of codes"),
    ],
)
def test_a_list_of_updates_that_is_none_is_named(data: Path, content: str | None, named: str) -> None:
    (data / "updates.json").unlink()
    if content is not None:
        (data / "updates.json").write_text(content)
    with pytest.raises(ReadError, match=f"updates.json.*{named}"):
        outdated.read_known(data)
    with pytest.raises(ReadError, match=r"updates\.json"):
        check_embedded()


def test_track_records_of_other_figures_are_told_apart(data: Path) -> None:
    manifest = json.loads((data / "embedding.json").read_text())
    manifest["panels"]["wpp2019"] = "0" * 64
    (data / "embedding.json").write_text(json.dumps(manifest))
    with pytest.raises(ReadError, match="measured on other figures of wpp2019"):
        check_embedded()
