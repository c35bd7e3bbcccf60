"""Where a view is found again: an address leads back to it, and so does the code that gives its numbers."""

from __future__ import annotations

import ast
import re
from html import unescape
from itertools import combinations
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

import popforecast as pf
from popforecast.explorer.addresses import link_to_app, read_address, write_address, write_code
from popforecast.explorer.state import Query
from popforecast.explorer.widgets import Explorer
from tests.explorer.reading import read_table


def run_code(code: str) -> Any:
    """What the last line of the code gives, as a notebook cell would show it."""
    *first, last = ast.parse(code).body
    names: dict[str, Any] = {}
    exec(compile(ast.Module(first, []), "code", "exec"), names)
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), "code", "eval"), names)


QUERIES = [
    Query((566, 900), 2030, 2035, (pf.models.get("panel-ar"),), "wpp2024", (80.0, 95.0)),
    Query((392,), 1990, 2100, (pf.AR(3, "ct", "log"), pf.AR(1), pf.AR("aic", "c")), "wpp2019", (62.5,), "log"),
    Query((4, 8, 12, 16), 2024, 2024, (pf.models.get("ar"), pf.models.get("naive")), "wpp2024", (50.0,), "indexed"),
]


@pytest.mark.parametrize("query", QUERIES)
def test_an_address_leads_back_to_its_query(query: Query) -> None:
    assert read_address(write_address(query), QUERIES[0]) == query


def test_no_two_views_share_an_address() -> None:
    addresses = [write_address(query) for query in QUERIES]
    assert not any(a == b for a, b in combinations(addresses, 2))


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("location=Nigria", "nearest: Nigeria"),
        ("location=NGA&location=566", "given twice"),
        ("location=" + "&location=".join(map(str, range(9))), "names 9 locations: expected at most 8"),
        ("model=magic", "expected one of ar1"),
        ("model=AR(9,c)", "expected one of ar1"),
        ("model=AR(0,n)", "No lags and no trend"),
        ("model=ar1&model=naive&model=drift&model=ar", "names 4 models: expected at most 3"),
        ("model=ar1&model=ar1", "chosen twice"),
        ("from=2030.7", "is not a whole year"),
        ("from=2030&from=2031", "has from 2 times"),
        ("from=2040&to=2030", 'must not be later than "To"'),
        ("to=2101", "out of range"),
        ("level=100", "expected a coverage in percent between 0 and 100"),
        ("level=NaN", "at most one decimal"),
        ("revision=wpp1066", "expected one of wpp2019, wpp2024"),
        ("scale=cubic", "expected one of absolute, log, indexed"),
        ("colour=red", "expected location"),
        ("x" * 5000, "expected at most 4,000"),
        ("location=%ff%00<script>", "No location"),
    ],
)
def test_an_address_that_asks_in_vain_is_a_sentence_over_what_was_on_show(
    page: Explorer, address: str, sentence: str
) -> None:
    before = page.query, page.table.value
    page.follow(address)
    assert sentence in unescape(page.warning.value)
    assert "<script>" not in page.warning.value
    assert (page.query, page.table.value) == before
    page.end.value = "2034"
    assert page.warning.value == ""


def test_an_address_sets_every_control(page: Explorer) -> None:
    page.follow("location=NGA&from=2040&to=2041&model=ar1&model=AR(2,ct,log)&revision=wpp2024&level=62.5&scale=indexed")
    assert page.query == read_address(write_address(page.query), QUERIES[0])
    assert (page.start.value, page.end.value, page.revision.value) == ("2040", "2041", "wpp2024")
    assert (page.levels.value, page.scale.value) == ((62.5,), "indexed")
    assert [picker.choose() for picker in page.models] == [pf.AR(1), pf.AR(2, "ct", "log"), None]
    assert page.chips[0].description == "Nigeria ✕"
    assert len(read_table(page)) == 3


@pytest.mark.parametrize("query", QUERIES)
def test_the_code_gives_the_numbers_on_show(query: Query) -> None:
    made = run_code(write_code(query))
    forecasts = made if isinstance(made, list) else [made]
    assert write_code(query).count("\n") == 2
    for ours, theirs in zip(query.answer(), forecasts, strict=True):
        np.testing.assert_allclose(ours.population, theirs.population, rtol=1e-9)
        assert ours.levels == tuple(map(float, theirs.levels))
        for level in theirs.levels:
            np.testing.assert_allclose(ours.upper[float(level)], theirs.upper[level], rtol=1e-9)


def test_the_web_app_is_linked_where_there_is_one(page: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POPFORECAST_APP_URL", raising=False)
    assert link_to_app(page.query, page.query.models[0]) is None
    monkeypatch.setenv("POPFORECAST_APP_URL", "https://example.org/app/")
    page.models[1].kind.value = "AR"
    (link,) = re.findall(r'href="(https://example.org[^"]*)"', page.source.value)
    address = urlsplit(unescape(link))
    assert address.path == "/app/forecast"
    assert parse_qs(address.query) == {
        **{"location": ["900", "901"], "from": ["2030"], "to": ["2035"], "model": ["ar1"]},
        **{"revision": ["wpp2019"], "level": ["80", "95"]},
    }
    for number, wrong in enumerate(("javascript:alert(1)", "http://[::1", "http://ada:secret@[::1", "secret@nowhere")):
        monkeypatch.setenv("POPFORECAST_APP_URL", wrong)
        page.end.value = str(2034 - number)
        assert "POPFORECAST_APP_URL is" in page.error.value
        assert "secret" not in page.error.value


def test_a_password_of_the_web_app_is_in_no_link(page: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POPFORECAST_APP_URL", "https://ada:secret@example.org/app/")
    assert str(link_to_app(page.query, page.query.models[0])).startswith("https://example.org/app/forecast?")
