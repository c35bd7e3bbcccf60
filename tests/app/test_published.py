"""The reports on the site: each whole, between the site's own head and foot, and nothing else of the disk."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import popforecast as pf
from app.pages import published
from app.pages.published import read_parts
from popforecast.reports import series
from popforecast.reports.site import Site

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.name for path in (ROOT / "reports").glob("*.html") if path.name != "index.html")
FIGURES = sorted(path.name for path in (ROOT / "reports").glob("*.svg"))


class Elements(HTMLParser):
    """All start tags of a page, as pairs of name and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.all if name == tag]


def read_text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_there_are_reports_to_publish() -> None:
    assert len(PAGES) >= 5


@pytest.mark.parametrize("name", ["", *PAGES])
def test_a_report_is_whole_between_the_head_and_the_foot_of_the_site(client: FlaskClient, name: str) -> None:
    response = client.get(f"/reports/{name}")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    page, source = response.text, (ROOT / "reports" / (name or "index.html")).read_text(encoding="utf-8")
    parts = read_parts(source)
    assert parts["main"].strip() in page
    assert parts["foot"].strip() in page
    assert f"<title>{parts['title']} · popforecast</title>" in page
    assert f'<body class="{parts["kind"]}">' in page
    home = client.get("/").text
    navigation = re.compile(r'<nav aria-label="Main">.*?</nav>', re.DOTALL)
    assert read_text(navigation.search(page)[0]) == read_text(navigation.search(home)[0])
    assert page.count("<main") == page.count('<header class="masthead"') == page.count("<footer") == 1


@pytest.mark.parametrize("name", ["", *PAGES])
def test_nothing_of_a_report_is_blocked_by_the_content_policy(client: FlaskClient, name: str) -> None:
    response = client.get(f"/reports/{name}")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    elements = Elements(response.text)
    assert elements.find("style") == []
    assert all("src" in attributes for attributes in elements.find("script"))
    inline = [tag for tag, names in elements.all for name in names if name == "style" or name.startswith("on")]
    assert inline == []
    assert [a["src"] for _, a in elements.all if not (a.get("src") or "/").startswith("/")] == []


@pytest.mark.parametrize("name", ["", *PAGES])
def test_every_link_of_a_report_leads_somewhere_on_the_site(client: FlaskClient, name: str) -> None:
    links = {link["href"] for link in Elements(client.get(f"/reports/{name}").text).find("a")}
    for link in links:
        if link and not link.startswith(("#", "http")):
            address = link if link.startswith("/") else f"/reports/{link}"
            assert client.get(address, follow_redirects=True).status_code == 200, link


def test_the_index_has_one_address(client: FlaskClient) -> None:
    for path in ("/reports", "/reports/index.html"):
        response = client.get(path)
        assert response.status_code == 308
        assert response.headers["Location"].endswith("/reports/")


def test_a_reader_of_citations_finds_what_a_page_is_and_where_it_comes_from(client: FlaskClient) -> None:
    report = client.get("/reports/2-validate-ar.html").text
    forecast = client.get("/forecast?location=NGA&from=2030&to=2035").text
    for page, title, source in (
        (report, "2. Validate the plain autoregression", "World Population Prospects: wpp2019, 1950 to 2020"),
        (forecast, "Population of Nigeria, 2030–2035", "United Nations, Department of Economic and Social Affairs"),
    ):
        cited = {meta["name"]: meta["content"] for meta in Elements(page).find("meta") if "name" in meta}
        assert cited["DC.title"] == title
        assert cited["DC.source"].startswith(source)
        assert cited["DC.creator"] == f"popforecast {pf.__version__}"
        assert "CC BY 3.0 IGO" in cited["DC.rights"]
        assert cited["DC.description"]
    assert cited["DC.identifier"].startswith("http://localhost/forecast?location=566&from=2030&to=2035")


def test_the_navigation_says_where_one_is(client: FlaskClient) -> None:
    assert re.search(r'href="/reports/" aria-current="page"', client.get("/reports/").text)
    assert re.search(r'href="/reports/" aria-current="true"', client.get(f"/reports/{PAGES[0]}").text)
    assert re.search(r'href="/reports/">', client.get("/").text)


@pytest.mark.parametrize("name", ["", PAGES[0], FIGURES[0], "style.css"])
def test_what_did_not_change_is_not_sent_again(client: FlaskClient, name: str) -> None:
    with client.get(f"/reports/{name}") as first:
        assert first.headers["Cache-Control"] == "no-cache"
    with client.get(f"/reports/{name}", headers={"If-None-Match": first.headers["ETag"]}) as again:
        assert (again.status_code, again.data) == (304, b"")
    with client.head(f"/reports/{name}") as head:
        assert (head.status_code, head.data) == (200, b"")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_needs_no_style_that_the_policy_blocks(client: FlaskClient, name: str) -> None:
    with client.get(f"/reports/{name}") as response:
        assert response.mimetype == "image/svg+xml"
        assert "style" not in {name for _, names in Elements(response.text).all for name in names}
        assert "<style" not in response.text


@pytest.mark.parametrize(
    "path",
    [
        "../README.md",
        "%2e%2e/README.md",
        "%2e%2e%2fREADME.md",
        "..%2fREADME.md",
        "%252e%252e%252fREADME.md",
        "..%5cREADME.md",
        "....//README.md",
        "./../README.md",
        "notebooks/../../README.md",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "..%00/README.md",
        "style.css%00.html",
        "style.css/",
        "STYLE.CSS",
        "status.json",
        "notebooks/3-backtest.ipynb",
        "notebooks/.lock",
        "notebooks",
        "\N{RIGHT-TO-LEFT OVERRIDE}lmth.xedni",
        "a" * 3000 + ".html",
    ],
)
def test_nothing_but_pages_figures_and_style_is_published(client: FlaskClient, path: str) -> None:
    response = client.get(f"/reports/{path}", follow_redirects=True)
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "popforecast" in response.text
    assert "Traceback" not in response.text


def test_an_unknown_report_is_named_beside_those_there_are(client: FlaskClient) -> None:
    page = client.get("/reports/6-nothing.html").text
    assert f"no report &#39;6-nothing.html&#39;: expected one of {', '.join(PAGES)}." in page


def test_what_was_asked_for_is_shown_not_run(client: FlaskClient) -> None:
    assert "<script>alert" not in client.get("/reports/<script>alert(1)</script>").text


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The app where there is no checkout: its reports are those of the folder in which it was started."""
    monkeypatch.setattr(published, "FOLDERS", (tmp_path / "site-packages" / "reports", Path("reports")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_reports_a_page_says_how_to_make_them(client: FlaskClient, installed: Path) -> None:
    for path in ("/reports/", f"/reports/{PAGES[0]}"):
        response = client.get(path)
        assert response.status_code == 404
        assert "Run `popforecast report`" in response.text


def test_reports_made_where_the_app_was_started_are_published_at_once(client: FlaskClient, installed: Path) -> None:
    assert client.get("/reports/").status_code == 404
    shutil.copytree(ROOT / "reports", installed / "reports")
    assert client.get("/reports/").status_code == 200
    for name in (PAGES[0], FIGURES[0]):
        with client.get(f"/reports/{name}") as response:
            assert response.status_code == 200


def test_a_page_that_is_no_report_is_not_shown_as_one(client: FlaskClient, installed: Path) -> None:
    shutil.copytree(ROOT / "reports", installed / "reports")
    (installed / "reports" / "note.html").write_text("<title>A note</title><main>of mine</main>")
    response = client.get("/reports/note.html")
    assert response.status_code == 404
    assert "This page is incomplete (kind, foot missing)" in response.text


@pytest.fixture
def profiles(installed: Path) -> Path:
    """Reports with a page for each country, of which one is made so far."""
    shutil.copytree(ROOT / "reports", installed / "reports")
    site = Site(installed / "reports", "country-profile")
    site.open()
    shutil.copy(ROOT / "reports" / "country-profile.html", site.find_page("NGA"))
    site.write_places("Country profile", "countries and areas", series.list_places("wpp2024", "country"))
    return site.folder


def test_a_page_for_each_country_is_published_with_the_field_that_finds_one(
    client: FlaskClient, profiles: Path
) -> None:
    index = client.get("/reports/country-profile/")
    assert (index.status_code, index.mimetype) == (200, "text/html")
    links = [link["href"] for link in Elements(index.text).find("a")]
    assert "NGA.html" in links
    assert "BEL.html" not in links
    assert {"src": "filter.js"} in Elements(index.text).find("script")
    with client.get("/reports/country-profile/filter.js") as script:
        assert script.mimetype == "text/javascript"
    page = client.get("/reports/country-profile/NGA.html")
    assert read_parts((profiles / "NGA.html").read_text(encoding="utf-8"))["main"].strip() in page.text


def test_the_index_of_a_series_has_one_address(client: FlaskClient, profiles: Path) -> None:
    for path in ("/reports/country-profile", "/reports/country-profile/index.html"):
        response = client.get(path)
        assert (response.status_code, response.headers["Location"]) == (308, "/reports/country-profile/")


@pytest.mark.parametrize(
    "path",
    ["country-profile/../3-backtest.html", "country-profile/status.json", "country-profile/x/NGA.html"],
)
def test_nothing_else_of_a_series_is_published(client: FlaskClient, profiles: Path, path: str) -> None:
    (profiles / "status.json").write_text("{}", encoding="utf-8")
    assert client.get(f"/reports/{path}").status_code == 404


def test_a_country_without_a_page_is_named_beside_where_the_others_are(client: FlaskClient, profiles: Path) -> None:
    page = client.get("/reports/country-profile/BEL.html").text
    assert "no report &#39;country-profile/BEL.html&#39;: expected those of /reports/country-profile/." in page


def test_a_forecast_leads_to_the_profiles_that_are_published(client: FlaskClient, profiles: Path) -> None:
    # An answer that was given before is kept: nobody else asks for this level.
    asked = "location=BEL&location=NGA&group=../3-backtest:BEL&from=2030&to=2031&level=76"
    links = [link["href"] for link in Elements(client.get(f"/forecast?{asked}").text).find("a")]
    assert [link for link in links if "country-profile" in link] == ["/reports/country-profile/NGA.html"]


@pytest.mark.parametrize("path", ["secret.html", "secret.svg", "elsewhere/", "elsewhere/secret.html", "NGA.html"])
def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    client: FlaskClient, profiles: Path, tmp_path: Path, path: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    page = (ROOT / "reports" / PAGES[0]).read_text(encoding="utf-8")
    for name in ("index.html", "secret.html", "secret.svg"):
        (outside / name).write_text(page.replace("<title>", "<title>A secret: "), encoding="utf-8")
    folder = profiles.parent
    for name in ("secret.html", "secret.svg"):
        (folder / name).symlink_to(outside / name)
    (folder / "elsewhere").symlink_to(outside, target_is_directory=True)
    (folder / "NGA.html").symlink_to(outside / "secret.html")
    answer = client.get(f"/reports/{path}")
    assert answer.status_code == 404
    assert "A secret" not in answer.text
    # Nor is it named among what there is.
    assert "secret.html," not in client.get("/reports/nothing.html").text
    assert not published.has_report("elsewhere/secret.html")


def test_a_link_that_stays_in_the_folder_and_a_folder_that_is_a_link_are_followed(
    client: FlaskClient, installed: Path
) -> None:
    shutil.copytree(ROOT / "reports", installed / "releases")
    (installed / "reports").symlink_to(installed / "releases", target_is_directory=True)
    (installed / "reports" / "latest.html").symlink_to(PAGES[0])
    for path in ("", PAGES[0], "latest.html"):
        assert client.get(f"/reports/{path}").status_code == 200
