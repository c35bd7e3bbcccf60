"""The validation: our autoregression held against statsmodels, as the report shows it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.evaluation import reference
from popforecast.studies import validation


@pytest.mark.parametrize(("lags", "trend"), [(1, "c"), (1, "n"), (2, "c"), (1, "ct")])
def test_statsmodels_agrees(wpp2019, lags, trend):
    some = wpp2019.select(wpp2019.locations.index[::12].tolist())
    table = validation.compare_with_statsmodels(some, pf.AR(lags, trend), 15)
    largest = table["largest relative difference"]
    # With a trend, statsmodels' own coefficients are known to some eight digits only.
    assert largest.pop("coefficients") < 1e-6
    assert largest.max() < 1e-8


def test_a_difference_that_rounding_makes_is_told_as_agreement_and_nowhere(wpp2019):
    compared = validation.compare_with_statsmodels(wpp2019, pf.AR(), 15)
    written = validation.write_agreement(compared)
    assert set(written["largest relative difference"]) == {"better than 1e-9"}
    assert set(written["found in"]) == {"–"}
    # Another processor rounds otherwise: ten times the difference, or a tenth, at another place, reads the same.
    for factor in (0.1, 10):
        other = compared.assign(**{"found in": "Fiji"})
        other["largest relative difference"] *= factor
        assert validation.write_agreement(other).equals(written)


def test_a_true_difference_is_told_with_its_place(wpp2019):
    compared = validation.compare_with_statsmodels(wpp2019.select(["World", "FJI"]), pf.AR(), 5)
    compared.loc["forecast", ["largest relative difference", "found in"]] = 0.0123, "Fiji"
    written = validation.write_agreement(compared).loc["forecast"]
    assert written.tolist() == [2, "0.01", "Fiji"]
    assert validation.say_agreement(float("nan")) == "nan"


def test_a_series_that_never_changes_is_left_out_of_the_comparison(wpp2019):
    table = validation.compare_with_statsmodels(wpp2019.select(["World", "VAT"]), pf.AR(), 5)
    assert (table["series"] == 1).all()


def test_the_known_table_comes_out_to_the_digit():
    table = validation.check_known_table()
    assert table.loc[2030].tolist() == ["8,745,733,000", "1,304,051,000", "to the digit"]
    assert table.loc[2035].tolist() == ["9,243,217,000", "1,317,530,000", "to the digit"]


def test_another_table_is_refused(monkeypatch):
    known = reference.load_known_table().assign(World=range(1, 7))
    monkeypatch.setattr(reference, "load_known_table", lambda: known)
    with pytest.raises(pf.PopforecastError, match="gives 8,745,733 thousand for World in 2030, expected 1"):
        validation.check_known_table()


def test_the_share_of_explosive_roots_is_that_of_the_flags(wpp2019):
    fits = validation.tabulate_fit(wpp2019, pf.AR())
    assert (fits["explosive"] == "yes").sum() == len(pf.AR().fit(wpp2019).notes())


def test_roots_are_counted_once_each(wpp2019):
    roots = validation.tabulate_fit(wpp2019, pf.AR())["root"]
    counts = validation.count_roots(roots)
    assert counts.sum() == len(roots)
    assert validation.count_roots(pd.Series([1 + 1e-12, 1.001, 3.0])).tolist() == [0, 0, 1, 1, 0, 0, 1]


def test_residuals_of_a_true_autoregression_pass_about_as_often_as_they_should():
    random = np.random.default_rng(1)
    values = np.full((200, 300), 1e6)
    for t in range(1, values.shape[1]):
        values[:, t] = 2e5 + 0.8 * values[:, t - 1] + random.normal(0, 1e4, 200)
    panel = pf.Panel(values, range(1700, 2000), pd.DataFrame(index=range(200)))
    assert validation.diagnose_residuals(panel, pf.AR())["rejected, percent"].between(1, 11).all()


@pytest.mark.parametrize("model", [pf.AR("aic"), pf.AR(0), pf.AR(1, "c", "log")])
def test_only_a_plain_autoregression_on_levels_is_validated(wpp2019, model):
    with pytest.raises(pf.PopforecastError, match="expected an autoregression on levels"):
        validation.tabulate_fit(wpp2019, model)


def test_a_fit_is_written_for_people(wpp2019):
    written = validation.write_fit(validation.tabulate_fit(wpp2019.select("World"), pf.AR(1, "ct")))
    assert list(written.columns) == ["constant", "trend", "lag 1", "sigma", "root", "explosive"]
    assert written["constant"].iloc[0].count(",") >= 1
