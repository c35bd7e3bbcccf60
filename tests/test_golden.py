"""Recorded forecasts, and what others build on: a change is meant, and then it is recorded in the same commit.

``python -m tests.golden`` records anew.
"""

from __future__ import annotations

import numpy as np
import pytest

import popforecast as pf
from tests.golden import FOLDER, TOLERANCE, compute_forecasts, describe_contracts


@pytest.mark.parametrize("name", ["names.txt", "options.txt", "columns.txt", "openapi.json"])
def test_what_others_build_on_is_as_recorded(contracts: dict[str, str], name: str) -> None:
    assert contracts[name] == (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:popforecast:DeprecationWarning")
def test_every_name_of_the_package_is_there() -> None:
    assert [name for name in (FOLDER / "names.txt").read_text().split() if not hasattr(pf, name)] == []


def test_forecasts_of_every_model_edition_and_location_are_as_recorded() -> None:
    with np.load(FOLDER / "forecasts.npz") as file:
        recorded = {name: file[name] for name in file.files}
    computed = compute_forecasts()
    assert computed.keys() == recorded.keys()
    for name, figures in computed.items():
        np.testing.assert_allclose(figures, recorded[name], rtol=TOLERANCE, err_msg=name)


@pytest.fixture(scope="module")
def contracts() -> dict[str, str]:
    return describe_contracts()
