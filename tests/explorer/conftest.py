"""What tests of the explorer share: one with two locations, and one with three models beside each other."""

from __future__ import annotations

import pytest

from popforecast import explorer
from popforecast.explorer.widgets import Explorer


@pytest.fixture
def page() -> Explorer:
    return explorer.build(["World", "More developed regions"], 2030, 2035, model="ar1", revision="wpp2019")


@pytest.fixture
def several() -> Explorer:
    return explorer.build(["NGA", "JPN"], 2030, 2040, ["panel-ar", "ar1", "AR(2, ct)"])
