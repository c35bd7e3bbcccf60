"""Deprecated names: each works as before, warns once, and names what to use."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

import popforecast as pf
from popforecast import readers

SUCCESSORS = {
    "Rectangles": "UnevenPanel",
    "compare": "compare_vintages",
    "load": "load_fit",
    "look_ahead": "forecast_all",
    "read": "read_wpp",
    "read_long": "read_panel",
    "read_un_long": "read_wpp",
    "read_un_wide": "read_wpp",
    "save": "save_fit",
}

# What still does what it did, and is no other name of its successor.
KEPT = {"read_long", "read_un_long", "read_un_wide"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has used a deprecated name in this process yet."""
    for name in SUCCESSORS:
        monkeypatch.delitem(vars(pf), name, raising=False)


@pytest.mark.parametrize(("old", "new"), SUCCESSORS.items())
def test_an_old_name_works_and_warns_once(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"^popforecast\.{old} is .*: use popforecast\.{new}$") as caught:
        found = getattr(pf, old)
    assert [warning.filename for warning in caught] == [__file__]
    assert found is (getattr(readers, old) if old in KEPT else getattr(pf, new))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(pf, old) is found
        assert getattr(pf, new)


def test_every_old_and_new_name_is_public() -> None:
    assert set(pf.__all__) >= {*SUCCESSORS, *SUCCESSORS.values()}


def test_old_names_are_not_offered() -> None:
    assert not set(SUCCESSORS).intersection(dir(pf))


def test_a_name_that_never_was_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'popforecast' has no attribute 'forcast'"):
        _ = pf.forcast
    assert not hasattr(pf, "forcast")


def test_everything_can_be_imported_at_once_and_each_old_name_warns() -> None:
    program = "from popforecast import *; print(look_ahead is forecast_all)"
    finished = subprocess.run([sys.executable, "-W", "always", "-c", program], capture_output=True, text=True)
    assert (finished.returncode, finished.stdout) == (0, "True\n")
    assert finished.stderr.count("DeprecationWarning: popforecast.") == len(SUCCESSORS)
