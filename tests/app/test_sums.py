"""Every surface tells what a sum holds beyond its countries, and when a forecast falls below zero."""

from __future__ import annotations

from flask.testing import FlaskClient

import popforecast as pf
from popforecast.wpp.editions import load_members

WORLD = "location=World&from=2030&to=2031"
FALLING = "location=Montserrat&from=2024&to=2100&model=ar1"


def test_countries_and_remainder_of_the_json_add_up_to_the_world(client: FlaskClient) -> None:
    answer = client.get(f"/api/v1/forecast?{WORLD}").json
    countries = load_members("wpp2024")[900]
    listed = pf.forecast(pf.load_panel("wpp2024"), list(countries), 2030, 2031).to_frame()
    sums = listed.groupby("year")["population"].sum()
    remainder = {row["year"]: row["persons"] for row in answer["remainder"]}
    assert {row["year"]: row["population"] for row in answer["forecasts"]} == {
        year: int(sums[year]) + persons for year, persons in remainder.items()
    }


def test_page_tells_the_remainder_of_a_sum_and_none_of_a_country(client: FlaskClient) -> None:
    answer = client.get(f"/api/v1/forecast?{WORLD}").json
    persons = answer["remainder"][-1]["persons"]
    page = client.get(f"/forecast?{WORLD}").text
    assert f"in 2031, World is {persons:,} above the sum of its countries" in page
    assert "the sum of its countries" not in client.get("/forecast?location=NGA&from=2030&to=2031").text


def test_fall_below_zero_is_on_the_page_in_the_json_and_in_the_csv(client: FlaskClient) -> None:
    rows = client.get(f"/api/v1/forecast?{FALLING}").json["forecasts"]
    first = next(row["year"] for row in rows if row["population"] < 0)
    said = f"falls below zero from {first}"
    assert said in client.get(f"/forecast?{FALLING}").text
    assert f"Falls below zero in {first}" in client.get(f"/forecast?{FALLING}").text
    assert any(said in note["text"] for note in client.get(f"/api/v1/forecast?{FALLING}").json["notes"])
    assert said in client.get(f"/api/v1/forecast.csv?{FALLING}").text
    milestones = client.get("/api/v1/milestones?location=Montserrat&model=ar1").json["milestones"]
    assert [row["year"] for row in milestones if row["kind"] == "below-zero"] == [first]


def test_page_tells_no_remainder_that_its_table_could_not_show(client: FlaskClient) -> None:
    fc = pf.forecast(pf.load_panel("wpp2024"), "Polynesia", 2030, 2030)
    assert 0 < abs(fc.list_remainders()["persons"][0]) < 100
    assert "differ slightly" not in client.get("/forecast?location=Polynesia&from=2030&to=2030").text
