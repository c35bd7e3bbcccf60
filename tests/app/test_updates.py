"""From the UN's file to every answer: an update applied to the tables that a whole installation carries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import popforecast as pf
from popforecast.wpp import editions
from tests.helpers.updating import TOGO, find_series, grow, write_long

ROOT = Path(__file__).parents[2]
ASKED = "location=TGO&location=900&from=2023&to=2024&model=naive"

# What an installation answers, asked as anybody would ask it.
QUESTIONS = f"""
import json
from app import create_app
from app.api.http import name_release
from app.settings import Settings
from popforecast.studies.profile import describe_source, make_profile, tell_forecast

client = create_app(Settings(rate_limits=False)).test_client()
answer = client.get("/api/v1/forecast?{ASKED}")
profile = make_profile("Togo", model="naive")
print(json.dumps({{
    "release": name_release("wpp2024"),
    "other release": name_release("wpp2019"),
    "tag": answer.headers["ETag"],
    "answer": answer.json,
    "csv": client.get("/api/v1/forecast.csv?{ASKED}").text,
    "page": client.get("/forecast?{ASKED}").text,
    "picture": client.get("/forecast.svg?{ASKED}").text,
    "version": client.get("/version").json,
    "profile": tell_forecast(profile),
    "medium": None if profile.medium is None else profile.medium.tolist(),
    "footer": describe_source(profile),
}}))
"""


class Installation:
    """A copy of the code and its tables, run as others run it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("popforecast", "app", "notebooks"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))

    @property
    def data(self) -> Path:
        return self.folder / "popforecast" / "data"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=environ, capture_output=True, text=True, timeout=240
        )

    def update(self, file: Path) -> subprocess.CompletedProcess[str]:
        parameters = ["-p", "update", str(file), "-p", "write_to", str(self.data)]
        return self.run("-m", "popforecast", "report", "1-prepare", *parameters, "--output", str(file.parent / "pages"))

    def ask(self) -> dict[str, Any]:
        done = self.run("-c", QUESTIONS)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def list_figures(answer: Mapping[str, Any]) -> dict[tuple[int, int], int]:
    return {(row["location_code"], row["year"]): row["population"] for row in answer["answer"]["forecasts"]}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"))


def test_an_update_reaches_every_answer_and_no_earlier_one_is_served(
    installation: Installation, tmp_path: Path
) -> None:
    before = installation.ask()
    assert before["answer"]["notes"][0]["location"] == "Togo"

    # As the UN may publish it first: estimates alone, so nothing is left of its projections.
    past = write_long(tmp_path / "2026-01-19.csv", {768: TOGO}, last=None)
    done = installation.update(past)
    assert done.returncode == 0, done.stderr
    (made,) = (tmp_path / "pages").glob("1-prepare.*.html")
    page = made.read_text()
    assert "The update of 19 January 2026 replaced Togo." in page
    assert "9,304,337" in page
    assert f"{round(1000 * grow(TOGO, 2023)):,}" in page
    assert "wpp2024 + update 2026-01-19, 1950 to 2023" in page
    first = installation.ask()
    assert first["medium"] is None

    # Then whole, under a later date.
    done = installation.update(write_long(tmp_path / "2026-02-01.csv", {768: TOGO}))
    assert done.returncode == 0, done.stderr
    second = installation.ask()
    assert second["medium"][0] == round(1000 * grow(TOGO, 2024))

    old = pf.load_panel("wpp2024")
    change = round(1000 * grow(TOGO, 2023)) - int(find_series(old, 768)[-1])
    source = "wpp2024 + update 2026-01-19"
    for answer, expected in ((first, source), (second, f"{source} + update 2026-02-01")):
        figures = list_figures(answer)
        assert figures[768, 2023] == round(1000 * grow(TOGO, 2023))
        assert figures[900, 2023] == int(find_series(old, 900)[-1]) + change
        assert (
            answer["answer"]["provenance"]["source"] == answer["version"]["revisions"]["wpp2024"]["source"] == expected
        )
        for form in ("csv", "page", "picture", "footer"):
            assert expected in answer[form], form
        for form in ("csv", "page", "profile"):
            assert "the UN replaced" not in answer[form], form
        assert answer["answer"]["notes"] == []
    for part in ("tag", "release"):
        assert len({answer[part] for answer in (before, first, second)}) == 3
    assert before["other release"] == second["other release"]

    # What is embedded for other figures is refused until it is made anew.
    panel = pf.load_panel("wpp2024", installation.data)
    with pytest.raises(pf.PopforecastError, match="fit it to this panel"):
        pf.load_fit(installation.data / "wpp2024-panel-ar.npz", panel)
    assert pf.forecast(panel, ["TGO"], 2024, 2024).provenance["checksum"] == panel.checksum
    assert editions.read_manifest(installation.data)["wpp2019"] == editions.read_manifest(editions.DATA)["wpp2019"]


def test_a_refused_update_changes_nothing(installation: Installation, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in installation.data.iterdir() if path.is_file()}
    for name, origin, named in (
        ("2026-07-11.csv", 2025, "expected those of wpp2024, 1950 to 2023: it may belong to another edition"),
        ("no-date.csv", 2023, "the name contains no date"),
    ):
        done = installation.update(write_long(tmp_path / name, {768: TOGO}, origin))
        assert done.returncode == 1
        assert named in done.stderr
    assert {path.name: path.read_bytes() for path in installation.data.iterdir() if path.is_file()} == before
