"""The pages: whole without JavaScript, the same figures as everywhere, and errors that a person understands."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

import popforecast as pf
from app import create_app
from popforecast.panel.locations import load_aliases, normalise

Table = dict[int, tuple[int, int]]


class Elements(HTMLParser):
    """All start tags of a page, as pairs of name and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def find(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.all if name == tag and wanted.items() <= attributes.items()]


def test_the_known_table_is_on_the_page(client: FlaskClient, known_query: str, known_table: Table) -> None:
    page = client.get(f"/forecast?{known_query}").text
    for year, (world, more) in known_table.items():
        start = page.index(f'<th scope="row">{year} ')
        cells = page[start : page.index("</tr>", start)].split("<td>")[1:]
        assert [cell.partition("<small>")[0] for cell in cells] == [f"{world:,},000", f"{more:,},000"]


def test_the_page_says_where_its_figures_come_from(client: FlaskClient, known_query: str) -> None:
    page = client.get(f"/forecast?{known_query}").text
    checksum = pf.load_panel("wpp2019").checksum[:12]
    for text in ("wpp2019", checksum, "ar1", pf.__version__, "CC BY 3.0 IGO", "explosive (largest root 1.0061)"):
        assert text in page


def test_the_page_links_to_the_json_and_csv_of_exactly_its_query(client: FlaskClient, known_query: str) -> None:
    links = [a["href"] for a in Elements(client.get(f"/forecast?{known_query}").text).find("a")]
    query = "location=900&location=901&from=2030&to=2035&model=ar1&revision=wpp2019&level=80&level=95"
    for path in ("/api/v1/forecast", "/api/v1/forecast.csv"):
        assert f"{path}?{query}" in links
        assert client.get(f"{path}?{query}").data == client.get(f"{path}?{known_query}").data


def test_years_up_to_the_origin_are_marked_in_words(client: FlaskClient) -> None:
    page = client.get("/forecast?location=World&from=2019&to=2022&revision=wpp2019").text.partition('id="figures"')[2]
    assert page.count("<small>estimate</small>") == 2
    assert page.count("<small>forecast</small>") == 2
    assert '<th scope="row">2020 <small>estimate</small></th>' in page
    assert "Years up to 2020" in " ".join(page.split())


def test_a_form_posted_goes_on_to_its_address(client: FlaskClient) -> None:
    data = {"location": ["NGA", "World"], "from": "2030", "to": "2035", "level": "80"}
    response = client.post("/forecast", data=data)
    assert response.status_code == 303
    assert response.location == (
        "/forecast?location=566&location=900&from=2030&to=2035&model=cohort&revision=wpp2024&level=80"
    )
    assert client.get(response.location).status_code == 200


@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_the_whole_revision_fits_an_address(client: FlaskClient, revision: str) -> None:
    codes = pf.load_panel(revision).locations.index.tolist()
    response = client.post("/forecast", data={"location": codes, "revision": revision, "level": list(range(91, 100))})
    assert response.status_code == 303
    assert len(response.location) < 7000
    page = client.get(response.location).text
    assert f"{len(codes) - 2} more" in page


@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_the_form_offers_every_location_once(client: FlaskClient, revision: str) -> None:
    boxes = Elements(client.get(f"/?revision={revision}").text).find("input", name="location")
    codes = [int(box["value"]) for box in boxes]
    assert sorted(codes) == sorted(pf.load_panel(revision).locations.index)


def test_the_form_is_filled_with_the_defaults(client: FlaskClient) -> None:
    elements = Elements(client.get("/").text)
    assert [elements.find("input", name=name)[0]["value"] for name in ("from", "to")] == ["2030", "2050"]
    assert [option["value"] for option in elements.find("option") if "selected" in option] == ["cohort", "wpp2024"]
    levels = elements.find("input", name="level")
    assert [level["value"] for level in levels if "checked" in level] == ["80", "95"]


def test_aliases_and_codes_find_a_place_in_the_browser(client: FlaskClient) -> None:
    searches = [item["data-search"] for item in Elements(client.get("/").text).find("li") if "data-search" in item]
    assert [search for search in searches if {"cote d ivoire", "civ", "ivory coast", "384"} <= set(search.split("|"))]
    assert sum("|" in search for search in searches) == 297
    assert "|south korea" in "".join(searches)
    terms = {term for search in searches for term in search.split("|")}
    countries = pf.load_panel("wpp2024").locations["iso3"].dropna()
    assert {normalise(alias) for iso3 in countries for alias in load_aliases().get(iso3, ())} <= terms


def test_the_forecast_page_holds_the_fields_as_they_were_filled_in(client: FlaskClient, known_query: str) -> None:
    elements = Elements(client.get(f"/forecast?{known_query}&level=85&scale=log").text)
    assert [box["value"] for box in elements.find("input", name="level") if "checked" in box] == ["85"]
    assert [option["value"] for option in elements.find("option") if "selected" in option] == ["ar1", "wpp2019"]
    hidden = [(field["name"], field["value"]) for field in elements.find("input", type="hidden")]
    assert hidden == [("location", "900"), ("location", "901"), ("scale", "log")]


def test_the_forecast_page_leads_back_to_the_whole_form_as_it_was_filled_in(
    client: FlaskClient, known_query: str
) -> None:
    links = [a["href"] for a in Elements(client.get(f"/forecast?{known_query}&level=85&scale=log").text).find("a")]
    back = next(link for link in links if link and link.startswith("/?location="))
    elements = Elements(client.get(back).text)
    assert [field["value"] for field in elements.find("input", name="scale")] == ["log"]
    assert [box["value"] for box in elements.find("input") if "checked" in box] == ["900", "901", "85"]
    assert [option["value"] for option in elements.find("option") if "selected" in option] == ["ar1", "wpp2019"]
    assert [elements.find("input", name=name)[0]["value"] for name in ("from", "to")] == ["2030", "2035"]


def test_the_form_sends_no_empty_fields_into_the_address(client: FlaskClient) -> None:
    response = client.get("/forecast?location=NGA&find=guinea&group=&group=+&from=2030&to=2031&scale=log")
    assert response.status_code == 303
    assert response.location == (
        "/forecast?location=566&from=2030&to=2031&model=cohort&revision=wpp2024&level=80&level=95&scale=log"
    )


def test_the_buttons_of_the_form_work_without_a_script(client: FlaskClient) -> None:
    def ticked(query: str) -> list[str | None]:
        page = client.get(f"/?{query}")
        assert page.status_code == 200
        return sorted(
            str(box["value"]) for box in Elements(page.text).find("input", name="location") if "checked" in box
        )

    assert ticked("location=NGA&select=Northern+America") == ["124", "304", "566", "60", "666", "840"]
    assert ticked("location=NGA&find=guinea&select=Africa") == ["226", "324", "566", "624"]
    assert ticked("location=NGA&location=CAN&clear=Northern+America") == ["566"]
    assert ticked("location=NGA&location=CAN&clear=everything") == []


def test_what_is_found_without_a_script_is_shown_alone(client: FlaskClient) -> None:
    page = client.get("/?location=NGA&find=ivory").text
    listed = [item for item in Elements(page).find("li") if "data-search" in item]
    assert [item["data-search"].split("|")[1] for item in listed if "hidden" not in item] == ["cote d ivoire"]
    assert "1 location found" in page


def test_every_example_is_a_forecast(client: FlaskClient) -> None:
    links = [a["href"] for a in Elements(client.get("/").text).find("a", **{"class": "pill"})]
    assert len(links) == 6
    assert [client.get(link).status_code for link in links] == [200] * 6


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("location=Wurld", "location", "No location &#39;Wurld&#39; in wpp2024; nearest: World"),
        ("", "location", "No location was chosen"),
        ("location=World&from=2036&to=2035", "from", "(2036) must not be later than &#34;To&#34; (2035)"),
        ("location=World&to=2101", "to", "To 2101 is out of range: expected a year from 1950 to 2100"),
        ("location=World&from=soon", "from", "From &#39;soon&#39; is not a whole year"),
        ("location=World&model=x", "model", "expected one of ar1, naive, drift"),
        ("location=World&revision=x", "revision", "expected one of wpp2019, wpp2024"),
        ("location=World&level=200", "level", "between 0 and 100"),
        ("location=World&from=1&from=2", "from", "From was given 2 times"),
    ],
)
def test_a_wrong_query_shows_the_form_with_the_fault(client: FlaskClient, query: str, field: str, words: str) -> None:
    response = client.get(f"/forecast?{query}")
    assert response.status_code == 400
    assert response.mimetype == "text/html"
    elements = Elements(response.text)
    assert len(elements.find("div", role="alert")) == 1
    assert words in response.text
    marked = [tag for tag, attributes in elements.all if attributes.get("aria-describedby") == f"fault-{field}"]
    assert len(marked) == 1
    assert elements.find("p", id=f"fault-{field}")
    assert elements.find("a", href=f"#field-{field}")


def test_what_was_right_in_a_wrong_query_is_kept(client: FlaskClient) -> None:
    query = {"location": ["NGA", "Wurld"], "from": "soon", "to": "2050", "model": "drift", "revision": "wpp2019"}
    response = client.post("/forecast", data=query)
    assert response.status_code == 400
    elements = Elements(response.text)
    assert [box["value"] for box in elements.find("input", name="location") if "checked" in box] == ["566"]
    assert [elements.find("input", name=name)[0]["value"] for name in ("from", "to")] == ["soon", "2050"]
    assert [option["value"] for option in elements.find("option") if "selected" in option] == ["drift", "wpp2019"]


def test_what_was_typed_is_shown_not_run(client: FlaskClient) -> None:
    page = client.get('/forecast?location=<script>alert(1)</script>&from="><b>&<i>=1').text
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "<i>" not in page


@pytest.mark.parametrize("query", ["revision=x", "revision=", "revision=wpp2019&revision=wpp2024", "colour=red"])
def test_the_form_itself_refuses_what_it_does_not_know(client: FlaskClient, query: str) -> None:
    response = client.get(f"/?{query}")
    assert response.status_code == 400
    assert 'role="alert"' in response.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/forecast", 405)])
def test_other_errors_are_pages(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert response.mimetype == "text/html"
    assert 'role="alert"' in response.text
    assert ("GET" in response.headers.get("Allow", "")) == (status == 405)


def test_a_body_of_10_mb_is_a_413(client: FlaskClient) -> None:
    response = client.post("/forecast", data=b"a" * 10_000_000, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 413
    assert "1,000,000 bytes" in response.text


def test_a_fault_of_our_own_shows_no_traceback() -> None:
    app = create_app()
    app.add_url_rule("/broken", view_func=lambda: 1 / 0)
    app.logger.disabled = True
    response = app.test_client().get("/broken")
    assert response.status_code == 500
    assert "ZeroDivisionError" not in response.text
    app.logger.disabled = False


@pytest.mark.parametrize("path", ["/", "/forecast?location=World", "/nothing"])
def test_nothing_on_a_page_is_inline_or_from_elsewhere(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    elements = Elements(response.text)
    assert not any("style" in attributes or "onclick" in attributes for _, attributes in elements.all)
    sources = [a["src"] for tag, a in elements.all if "src" in a] + [link["href"] for link in elements.find("link")]
    assert sources
    for source in sources:
        assert source.startswith("/")
        with client.get(source) as asset:
            assert asset.status_code == 200


def test_importing_the_app_loads_nothing_heavy() -> None:
    heavy = "{'matplotlib', 'plotly', 'papermill', 'statsmodels', 'dask', 'pooch', 'requests', 'playwright'}"
    code = f"import sys, app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_figures_but_the_latest_are_called_todays(client: FlaskClient) -> None:
    for revision, data in (("wpp2024", "today’s data"), ("wpp2019", "the data of the 2019 edition")):
        page = client.get(f"/forecast?location=NGA&from=2030&to=2031&model=panel-ar&revision={revision}").text
        assert f"<h3>Tested on {data} " in page


def test_the_record_leads_to_the_reports_that_are_published(client: FlaskClient, known_query: str) -> None:
    links = [a["href"] for a in Elements(client.get(f"/forecast?{known_query}").text).find("a")]
    told = [link for link in links if link and link.startswith("/reports/") and link != "/reports/"]
    assert told == ["/reports/4-vintages.html", "/reports/3-backtest.html"]
    assert [client.get(link).status_code for link in told] == [200, 200]


def test_where_no_reports_are_published_nothing_leads_to_them(
    client: FlaskClient, known_query: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app.pages.published.FOLDERS", (tmp_path,))
    # An answer that was given before is kept.
    assert "-vintages.html" not in client.get(f"/forecast?{known_query}&level=77").text


def test_the_page_says_in_its_head_what_a_shared_link_shows(client: FlaskClient) -> None:
    elements = Elements(client.get('/forecast?group="x"><b>:BEL,NLD&from=2030&to=2050').text)
    said = {
        meta.get("property") or meta.get("name"): meta["content"] for meta in elements.find("meta") if "content" in meta
    }
    assert said["og:title"] == 'Population of "x"><b>, 2030–2050'
    assert said["og:description"] == said["description"]
    assert str(said["description"]).startswith("32.32 million in 2050 (80%: ")
    assert str(said["og:image"]).startswith("http://localhost/forecast.png?group=")
    form = Elements(client.get("/").text).find("meta", property="og:title")
    assert [meta["content"] for meta in form] == ["Population forecast"]


@pytest.mark.parametrize("name", ["$$", r"$\frac{a}$", r"$\undefined{", "a\x08b\x1b", "<b>x</b> & y"])
@pytest.mark.parametrize("path", ["/forecast.png", "/forecast.svg", "/embed", "/forecast"])
def test_a_group_may_be_called_anything_in_every_picture(client: FlaskClient, path: str, name: str) -> None:
    response = client.get(path, query_string={"group": f"{name}:NGA,NER", "from": 2030, "to": 2035})
    # A name that a request may not hold is refused in words; none breaks a drawing.
    assert response.status_code in (200, 400)
    if "\x08" not in name:
        assert response.status_code == 200
    if path == "/forecast.svg" and response.status_code == 200:
        texts = [
            "".join(text.itertext()) for text in ElementTree.fromstring(response.text).iter() if "text" in text.tag
        ]
        assert any(text.strip() == name for text in texts)
