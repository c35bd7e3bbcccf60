"""What stands behind the figures: equations that give them, residuals that statsmodels leaves, a record."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

import popforecast as pf
from popforecast import explorer
from popforecast.evaluation.record import tell_coverage
from popforecast.explorer import evidence
from popforecast.explorer.equations import write_equation
from popforecast.explorer.residuals import find_residuals, list_tests
from popforecast.explorer.widgets import Explorer
from popforecast.session import get_session


def read_numbers(html: str) -> list[float]:
    return [
        float(text.replace(",", "").replace("−", "-").replace("- ", "-"))
        for text in re.findall(r"(?:− ?)?[\d,]*\d(?:\.\d+)?", re.sub(r"<sub>.*?</sub>", "", html))
    ]


def test_the_equation_gives_the_forecast() -> None:
    outlook = get_session("wpp2019").outlook(pf.AR(2, "ct"))
    equation = write_equation(outlook, 900).split("</p>")[0]
    constant, trend, first, second = read_numbers(equation)
    last, before = outlook.panel.select([900]).values[0, [-1, -2]]
    expected = outlook.forecast(900, 2021, 2021).population[0, 0]
    assert constant + trend * (len(outlook.panel.years) + 1) + first * last + second * before == pytest.approx(
        expected, rel=1e-6
    )


@pytest.mark.parametrize("code", [566, 392])
def test_the_equation_of_drift_gives_its_forecast(code: int) -> None:
    for model, bend in ((pf.Drift(), float), (pf.Drift("log"), np.log)):
        outlook = get_session("wpp2024").outlook(model)
        (change,) = read_numbers(write_equation(outlook, code).split("</p>")[0].rpartition("</sub> ")[2].lstrip("+"))
        last = outlook.panel.select([code]).values[0, -1]
        assert bend(last) + 10 * change == pytest.approx(
            bend(outlook.forecast(code, 2033, 2033).population[0, 0]), rel=1e-5
        )


@pytest.mark.parametrize("name", list(pf.models.MODELS))
def test_no_equation_calls_a_change_of_logarithms_a_percentage(name: str) -> None:
    """What is left of a percent sign says by how much growth fades."""
    equation, meaning = write_equation(get_session("wpp2024").outlook(pf.models.get(name)), 566).split("</p>")[:2]
    assert "%" not in equation
    assert "%" not in meaning.replace("fades by 3% a year", "")


@pytest.mark.parametrize("model", [pf.AR(1), pf.AR(1, "c", "log"), pf.AR("bic", "c", "growth"), pf.Drift()])
def test_residuals_in_percent_are_shares_of_the_population_that_came(model: pf.Model) -> None:
    outlook = get_session("wpp2024").outlook(model)
    residuals = find_residuals(outlook, 566)
    assert residuals is not None
    came = outlook.panel.select([566]).values[0, np.searchsorted(outlook.panel.years, residuals.years)]
    on_level = isinstance(model, pf.AR) and model.transform == "level"
    expected = came - residuals.values if on_level else came / np.exp(residuals.values)
    assert residuals.percent == pytest.approx(100 * (came - expected) / came)


def test_an_aggregate_says_whose_sum_it_is() -> None:
    outlook = get_session("wpp2024").outlook(pf.models.get("panel-ar"))
    assert "The sum of the forecasts of its 5 countries." in write_equation(outlook, 905)


@pytest.mark.parametrize("name", list(pf.models.MODELS))
def test_every_model_has_an_equation_and_residuals(name: str) -> None:
    outlook = get_session("wpp2024").outlook(pf.models.get(name))
    assert "pf-equation" in write_equation(outlook, 566)
    residuals = find_residuals(outlook, 566)
    assert residuals is not None
    assert len(residuals.years) == len(residuals.values) == len(residuals.percent) > 5
    assert np.isfinite(residuals.percent).all()


@pytest.mark.parametrize("model", [pf.AR(1), pf.AR(2, "ct"), pf.AR("bic", "c", "growth")])
@pytest.mark.parametrize("code", [566, 392, 900])
def test_the_tests_of_residuals_are_those_of_statsmodels(model: pf.AR, code: int) -> None:
    from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
    from statsmodels.stats.stattools import jarque_bera

    residuals = find_residuals(get_session("wpp2024").outlook(model), code)
    assert residuals is not None
    values = residuals.values
    theirs = [
        acorr_ljungbox(values, [10], model_df=residuals.lags)["lb_pvalue"].iloc[0],
        jarque_bera(values)[1],
        het_arch(values / values.std(), 4, result_object=False)[1],
    ]
    assert [p for _, _, p in list_tests(residuals)] == pytest.approx(theirs, rel=1e-6, abs=1e-12)


def test_residuals_are_what_statsmodels_leaves() -> None:
    from statsmodels.tsa.api import AutoReg

    outlook = get_session("wpp2024").outlook(pf.AR(2, "ct"))
    residuals = find_residuals(outlook, 392)
    assert residuals is not None
    theirs = AutoReg(outlook.panel.select([392]).values[0], 2, "ct").fit()
    np.testing.assert_allclose(residuals.values, theirs.resid, atol=1e-5 * np.abs(theirs.resid).max())
    assert (residuals.years[0], residuals.years[-1]) == (1952, 2023)


def test_a_sum_has_no_residuals_and_says_so() -> None:
    page = explorer.build(["World"])
    page.tabs.selected_index = 2
    assert "so they have no residuals" in page.residuals.value
    page.models[0].kind.value = "ar1"
    assert "Ljung-Box" in page.residuals.value


def test_the_record_is_the_embedded_one_and_a_backtest_for_models_of_ones_own() -> None:
    embedded = get_session("wpp2024").measure(pf.AR(1))
    assert len(embedded) == len(pf.load_record("wpp2024").query("model == 'ar1'"))
    own = get_session("wpp2024").measure(pf.AR(2, "ct")).query("location_code == 392 and horizon == 10").iloc[0]
    panel = pf.load_panel("wpp2024")
    scores = pf.backtest(panel, [pf.AR(2, "ct")], origins=range(1988, 2023), horizons=[10]).scores(392).iloc[0]
    assert (own["n"], own["median_ape"]) == (scores["n"], pytest.approx(scores["median_ape"], abs=0.005))
    assert own["coverage_95"] == pytest.approx(scores["coverage_95"], abs=0.005)


def test_the_backtest_says_that_final_data_flatter(several: Explorer) -> None:
    several.tabs.selected_index = 3
    assert "flatters every model" in several.record.value
    assert tell_coverage(pf.load_vintage_record()) in html.unescape(several.record.value)
    assert several.record.value.count('<th scope="row">') == 6


def test_a_tab_is_written_when_it_is_turned_to_and_follows_then(page: Explorer) -> None:
    assert page.equations.value == ""
    page.tabs.selected_index = 1
    before = page.equations.value
    assert "e<sub>t</sub>" in before
    page.models[0].kind.value = "naive"
    assert page.equations.value != before
    assert evidence.write_recipe(page.query) != page.recipe.value
