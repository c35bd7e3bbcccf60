"""Who reads figures that the UN has replaced since is told so, everywhere, until the update is applied."""

from __future__ import annotations

import datetime
import io
import json
from dataclasses import replace
from html import unescape
from urllib.parse import urlsplit

import pandas as pd
import pytest
from flask.testing import FlaskClient

import popforecast as pf
from app import create_app
from app.settings import Settings
from popforecast.cli.printing import write_forecast
from popforecast.explorer.views import write_notes
from popforecast.panel import Update
from popforecast.studies import preparation, profile
from popforecast.studies.findings.preparation import tell_updates
from popforecast.wpp import editions, outdated

TOLD = "the UN replaced this series on 19 January 2026; the figures here are the earlier ones"
HOLDING = "it includes Togo, whose series the UN replaced on 19 January 2026; the figures here are the earlier ones"
ASKED = "location=TGO&location=914&location=900&from=2023&to=2025&model=naive"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(rate_limits=False)).test_client()


def list_noted(fc: pf.Forecast) -> dict[object, str]:
    return {note.location_code: note.text for note in fc.notes if "UN replaced" in note.text}


def apply(panel: pf.Panel, *updates: tuple[str, tuple[int, ...]]) -> pf.Panel:
    applied = tuple(Update(date, locations, "0" * 64) for date, locations in updates)
    return replace(panel, updates=applied)


# Who is told ----------------------------------------------------------------------------------------------------


def test_known_updates_are_of_revisions_dates_and_countries_that_there_are() -> None:
    for known in outdated.load_known():
        panel = pf.load_panel(known.revision)
        assert datetime.date.fromisoformat(known.date).year >= pf.REVISIONS[known.revision].edition
        assert set(known.locations) <= set(panel.countries().locations.index)
        assert known.locations
        assert known.what
        assert urlsplit(known.source).netloc.endswith("un.org")


@pytest.mark.parametrize("model", ["panel-ar", "naive", "ar1"])
def test_the_country_is_noted_and_sums_of_which_it_is_a_hundredth(wpp2024: pf.Panel, model: str) -> None:
    noted = list_noted(pf.forecast(wpp2024, None, 2024, 2024, model))
    assert noted.pop(768) == TOLD
    togo, members = wpp2024.select("Togo").values[0, -1], editions.load_members("wpp2024")
    now = dict(zip(wpp2024.locations.index, wpp2024.values[:, -1], strict=True))
    assert set(noted) == {code for code, held in members.items() if 768 in held and togo >= 0.01 * now[code]}
    assert set(noted) == {914, 1500}
    assert set(noted.values()) == {HOLDING}


def test_a_group_of_ones_own_is_noted_by_the_same_rule(wpp2024: pf.Panel) -> None:
    groups = {"Coast": ["TGO", "BEN"], "With India": ["TGO", "IND"], "Others": ["GHA", "BEN"]}
    assert list_noted(pf.forecast(wpp2024, ["BEN"], 2024, 2024, "naive", groups=groups)) == {"Coast": HOLDING}


def test_history_alone_is_noted_and_any_part_of_the_revision(wpp2024: pf.Panel) -> None:
    assert list_noted(pf.forecast(wpp2024, ["TGO"], 1990, 2000, "naive")) == {768: TOLD}
    assert list_noted(pf.forecast(wpp2024.select(["TGO", "BEN"]), None, 2024, 2024, "naive")) == {768: TOLD}
    assert list_noted(pf.forecast(wpp2024.until(2015), ["TGO"], 2016, 2016, "naive")) == {768: TOLD}


def test_other_revisions_and_figures_of_ones_own_are_not_noted(wpp2019: pf.Panel, wpp2024: pf.Panel) -> None:
    own = pf.Panel(wpp2024.values, wpp2024.years, wpp2024.locations)
    for panel in (wpp2019, own):
        assert not list_noted(pf.forecast(panel, ["TGO", 914], model="naive"))


@pytest.mark.parametrize(
    ("updates", "noted"),
    [
        ([("2026-01-19", (768,))], False),
        ([("2026-01-19", (768, 288)), ("2026-03-01", (288,))], False),
        ([("2026-03-01", (768,))], False),
        ([("2025-03-01", (768,))], True),
        ([("2026-01-19", (288,))], True),
    ],
)
def test_the_note_goes_when_that_update_of_the_country_or_a_later_one_is_applied(
    wpp2024: pf.Panel, updates: list[tuple[str, tuple[int, ...]]], noted: bool
) -> None:
    fc = pf.forecast(apply(wpp2024, *updates), ["TGO", 914], 2024, 2024, "naive")
    assert set(list_noted(fc)) == ({768, 914} if noted else set())


# Where they are told --------------------------------------------------------------------------------------------


def test_every_form_of_a_forecast_has_the_note(wpp2024: pf.Panel) -> None:
    fc = pf.forecast(wpp2024, ["TGO", 914, 900], 2023, 2025, model="naive")
    assert fc.to_dict()["notes"][0] == {"location_code": 768, "location": "Togo", "text": TOLD}
    rows = pd.read_csv(io.StringIO(fc.to_csv())).groupby("location_code")["note"].unique().map(list)
    assert (rows[768], rows[914]) == ([TOLD], [HOLDING])
    assert pd.isna(rows[900][0])
    for text in (write_forecast(fc), unescape(write_notes([fc])), fc._repr_html_()):
        assert f"Western Africa: {HOLDING}" in text.replace("<strong>", "").replace("</strong>", "")
        assert TOLD in text


def test_all_notes_of_a_location_stand_in_its_rows(wpp2024: pf.Panel) -> None:
    fc = pf.forecast(wpp2024, ["TGO"], 2023, 2025, model="ar1")
    (note,) = pd.read_csv(io.StringIO(fc.to_csv()))["note"].unique()
    assert note == "; ".join(note.text for note in fc.notes)
    assert note.startswith(f"{TOLD}; explosive")


def test_page_and_api_have_the_note(client: FlaskClient) -> None:
    page = client.get(f"/forecast?{ASKED}").text
    assert f"<strong>Togo:</strong> {TOLD}." in page
    assert f"<strong>Western Africa:</strong> {HOLDING}." in page
    answer = client.get(f"/api/v1/forecast?{ASKED}").json
    assert [(note["location"], note["text"]) for note in answer["notes"]] == [
        ("Togo", TOLD),
        ("Western Africa", HOLDING),
    ]
    csv = pd.read_csv(io.StringIO(client.get(f"/api/v1/forecast.csv?{ASKED}").text))
    assert csv.columns[-3:].tolist() == ["citation", "source", "note"]
    assert csv.set_index("location")["note"].dropna().to_dict() == {"Togo": TOLD, "Western Africa": HOLDING}
    when = client.get("/api/v1/milestones?location=TGO&model=ar1").json
    assert TOLD in [note["text"] for note in when["notes"]]
    csv = pd.read_csv(io.StringIO(client.get("/api/v1/milestones.csv?location=TGO&model=ar1").text))
    assert csv.columns[-3:].tolist() == ["citation", "source", "note"]
    assert csv["note"].str.startswith(TOLD).all()


def test_every_answer_with_figures_names_its_source(client: FlaskClient) -> None:
    for name in (
        "forecast?location=TGO&from=2024&to=2024",
        "milestones?location=TGO",
        "backtest?location=TGO",
        "vintages?location=TGO",
    ):
        assert client.get(f"/api/v1/{name}").json["provenance"]["source"] == "wpp2024"
        csv = pd.read_csv(io.StringIO(client.get(f"/api/v1/{name.replace('?', '.csv?')}").text))
        assert set(csv["source"]) == {"wpp2024"}
    assert client.get("/version").json["revisions"]["wpp2019"]["source"] == "wpp2019"


def test_reports_say_it() -> None:
    said = profile.tell_forecast(profile.make_profile("Togo", model="naive"))
    assert said.endswith(f"T{TOLD[1:]}.")
    assert profile.tell_forecast(profile.make_profile("Western Africa", model="naive")).endswith(f"I{HOLDING[1:]}.")
    assert "replaced" not in profile.tell_forecast(profile.make_profile("Benin", model="naive"))
    assert tell_updates(preparation.open_revision("wpp2024")) == (
        "Not applied: on 19 January 2026 the UN replaced the series of Togo."
    )
    assert json.dumps(preparation.tabulate_update(preparation.open_revision("wpp2024"))) == "null"
