"""What the validation's page says in words: of the model that was asked for, and of no other."""

from __future__ import annotations

import pandas as pd
import pytest

import popforecast as pf
from popforecast.studies import validation
from popforecast.studies.findings.validation import tell_left_out, tell_residuals, tell_validation

WORLD = "8,745,733,000"


def tell(panel: pf.Panel, model: pf.AR) -> str:
    """Say what the page of a model says."""
    fits = validation.tabulate_fit(panel, model)
    agreement = validation.compare_with_statsmodels(panel, model, 5)
    return tell_validation(panel, model, fits, agreement, validation.diagnose_residuals(panel, model))


def test_the_original_model_gives_the_known_table(wpp2019: pf.Panel):
    told = tell(wpp2019, pf.AR())
    assert told.startswith(
        "Our ar1 agrees with statsmodels to better than 1e-9 and reproduces the known table to the digit"
    )
    assert f"(World 2030: {WORLD})." in told


def test_another_model_does_not_and_says_what_it_gives(wpp2019: pf.Panel):
    told = tell(wpp2019, pf.AR(2))
    assert f"it does not reproduce the known table, which is ar1's (World 2030: 8,582,112,000, there {WORLD})" in told


def test_of_other_figures_the_known_table_is_not_spoken_of(wpp2019: pf.Panel, wpp2024: pf.Panel):
    for panel in (wpp2024.select(["World", "Japan"]), wpp2019.select(["World", "Japan"])):
        assert "known table" not in tell(panel, pf.AR())


@pytest.mark.parametrize(
    ("explosive", "rejected", "said"),
    [
        (["no", "no"], 0.0, "None of 2 series has an explosive root, and none of 2 has"),
        (["yes", "no"], 50.0, "1 of 2 series has an explosive root, and 1 of 2 has"),
        (["yes", "yes"], 100.0, "2 of 2 series have an explosive root, and 2 of 2 have"),
    ],
)
def test_none_one_and_all_are_counted(explosive: list[str], rejected: float, said: str, wpp2024: pf.Panel):
    fits = pd.DataFrame({"explosive": explosive})
    agreement = pd.DataFrame({"largest relative difference": [0.25]})
    tests = pd.DataFrame({"series": [2], "rejected, percent": [rejected]})
    told = tell_validation(wpp2024, pf.AR(), fits, agreement, tests)
    assert said in told
    assert told.startswith("Our ar1 differs from statsmodels by up to 0.2.")
    assert ("about as many as by chance" in told) == (rejected < 10)


def test_only_tests_that_reject_more_than_chance_are_named():
    tests = pd.DataFrame(
        {"what a rejection means": ["a is so", "b is so"], "rejected, percent": [95.0, 6.0]}, ["one", "two"]
    )
    assert tell_residuals(tests).startswith("In more series than chance would explain, a is so (95%).")
    assert tell_residuals(tests.tail(1)).startswith("No test rejects")


def test_series_that_never_change_are_named(wpp2019: pf.Panel, wpp2024: pf.Panel):
    assert tell_left_out(wpp2019, pf.AR()) == (
        "Holy See never changes, so it has no unique coefficients and is left out."
    )
    assert tell_left_out(wpp2024, pf.AR()) == ""


def test_a_close_up_ends_where_the_panel_can_be_forecast(wpp2019: pf.Panel):
    assert validation.choose_last(wpp2019, 2015) == 2050
    assert validation.choose_last(wpp2019.until(1960), 2035) <= 2050
    pf.forecast(wpp2019.until(1960), "World", 1961, validation.choose_last(wpp2019.until(1960), 1965), pf.AR())
