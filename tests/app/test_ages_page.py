"""Ages on the forecast page: of one location, the module's figures, whole without a script, and light."""

from __future__ import annotations

import gzip
import html
import re

import pytest
from flask.testing import FlaskClient

import popforecast as pf
from popforecast.panel.age_ratios import share_ages
from popforecast.question import Question

KOREA = "/forecast?location=KOR&to=2050"

# A pyramid, another chart and their tables, with the pyramids of every fifth year: compressed, as much as an icon.
MOST_BYTES, MOST_COMPRESSED = 75_000, 20_000


@pytest.fixture(scope="module")
def page(client: FlaskClient) -> str:
    answer = client.get(KOREA)
    assert answer.status_code == 200
    return answer.text


@pytest.fixture(scope="module")
def fc() -> pf.Forecast:
    return Question.read({"location": ["KOR"], "to": ["2050"]}).answer()


def find_data(page: str, name: str) -> str:
    return html.unescape(re.search(rf'<figure[^>]* data-{name}="([^"]*)"', page)[1])


def read_table(page: str, caption: str) -> list[list[str]]:
    table = next(part for part in re.findall(r"<table.*?</table>", page, re.DOTALL) if f'id="{caption}"' in part)
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub("<[^>]+>", "", cell).split()) for cell in row] for row in cells]


def test_the_table_has_men_and_women_of_the_origin_and_the_last_year(page: str, fc: pf.Forecast) -> None:
    headings, *rows = read_table(page, "ages-caption")
    assert headings == ["Age", "Men, 2023", "Women, 2023", "Men, 2050", "Women, 2050"]
    assert [rows[0][0], rows[-1][0], len(rows)] == ["100+", "0–4", 21]
    counted = fc.count_ages([2023, 2050], 410)
    for k, row in enumerate(reversed(rows)):
        expected = [counted[year][sex, k] for year in (2023, 2050) for sex in (0, 1)]
        assert [int(cell.replace(",", "")) for cell in row[1:]] == pytest.approx(expected, abs=500)


def test_the_data_has_every_fifth_year_from_which_a_script_draws(page: str, fc: pf.Forecast) -> None:
    years = [int(year) for year in find_data(page, "years").split()]
    assert years == [*range(1950, 2021, 5), 2023, *range(2025, 2101, 5)]
    rows = find_data(page, "persons").split(";")
    size = int(find_data(page, "size"))
    persons = [int(count) * size for count in rows[years.index(2050)].split()]
    counted = fc.count_ages([2050], 410)[2050]
    assert persons == pytest.approx(counted.ravel(), abs=size / 2)
    assert float(find_data(page, "old").split()[years.index(2050)]) == round(share_ages(counted), 1)


def test_the_share_of_the_old_is_said(page: str, fc: pf.Forecast) -> None:
    then, now = (share_ages(persons) for persons in fc.count_ages([2023, 2050], 410).values())
    words = " ".join(re.sub("<[^>]+>", "", page).split())
    assert f"{then:.1f}% of the population were 65 or older in 2023; {now:.1f}% in 2050." in words


def test_births_deaths_and_migration_stand_in_a_table(page: str, fc: pf.Forecast) -> None:
    rows = {row[0]: row[1:] for row in read_table(page, "flows-caption")}
    flows = fc.components().set_index("year").loc[2050]
    figures = [int(cell.replace(",", "").replace("−", "-")) for cell in rows["2050 forecast"]]
    assert figures == pytest.approx(flows[["births", "deaths", "net_migration"]].tolist(), abs=500)
    assert rows["1950 estimate"]


def test_other_years_are_links_without_a_script(client: FlaskClient, page: str) -> None:
    nav = re.search(r'aria-label="Year of the age pyramid">(.*?)</nav>', page, re.DOTALL)[1]
    links = {int(year): html.unescape(url) for url, year in re.findall(r'href="([^"]+)" data-year="(\d+)"', nav)}
    assert list(links) == [2030, 2050, 2075, 2100]
    assert all(url.endswith("#ages") for url in links.values())
    there = client.get(links[2075].partition("#")[0]).text
    assert "age pyramid of 2075 (forecast)" in there


def test_the_csv_links_have_the_figures(client: FlaskClient, page: str) -> None:
    links = [html.unescape(url) for url in re.findall(r'href="(/api/v1/(?:ages|components)\.csv[^"]*)"', page)]
    assert len(links) == 2
    for link in links:
        assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "location=KOR&location=JPN",
        "location=KOR&model=panel-ar",
        "location=AND&revision=wpp2019&to=2040",
        "group=Both:KOR,JPN&location=NGA",
    ],
)
def test_several_locations_or_a_location_without_ages_have_no_pyramid(client: FlaskClient, query: str) -> None:
    page = client.get(f"/forecast?{query}")
    assert page.status_code == 200
    assert "pyramid" not in page.text
    assert "ages.js" not in page.text


@pytest.mark.parametrize(
    "query",
    [
        "location=World&to=2100",
        "group=Both:KOR,JPN",
        "location=TKL",
        "location=JPN&revision=wpp2019",
        "location=KOR&from=1960&to=1963",
        "location=KOR&from=2023&to=2023",
        "location=JPN&revision=wpp2019&from=1990&to=2000",
    ],
)
def test_every_single_location_and_year_has_a_pyramid(client: FlaskClient, query: str) -> None:
    page = client.get(f"/forecast?{query}")
    assert page.status_code == 200
    assert page.text.count('class="pyramid ') == 2


def test_the_cautions_about_ages_are_among_the_notes(client: FlaskClient) -> None:
    assert "labour migrants" in client.get("/forecast?location=ARE&to=2050").text
    assert "labour migrants" not in client.get("/forecast?location=ARE&to=2033").text
    assert "assumes returns as after past exoduses" in client.get("/forecast?location=UKR&to=2030").text


def test_the_page_stays_light(page: str) -> None:
    assert len(page.encode()) < MOST_BYTES
    assert len(gzip.compress(page.encode())) < MOST_COMPRESSED
