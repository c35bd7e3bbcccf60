"""What the tests of the app share: a client, and the table that must come out of every surface."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings

YEARS = range(2030, 2036)
WORLD = [8_745_733, 8_844_029, 8_942_922, 9_042_415, 9_142_512, 9_243_217]
MORE_DEVELOPED = [1_304_051, 1_306_841, 1_309_584, 1_312_279, 1_314_927, 1_317_530]


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    # Hundreds of questions from one address in a minute are what a limit of rate is for.
    app = create_app(Settings(rate_limits=False))
    app.testing = True
    return app.test_client()


@pytest.fixture(scope="session")
def known_table() -> dict[int, tuple[int, int]]:
    """WPP 2019, ar1: WORLD and More developed regions by year, in thousands."""
    return {year: pair for year, *pair in zip(YEARS, WORLD, MORE_DEVELOPED, strict=True)}


@pytest.fixture(scope="session")
def known_query() -> str:
    return "location=WORLD&location=More+developed+regions&from=2030&to=2035&model=ar1&revision=wpp2019"
