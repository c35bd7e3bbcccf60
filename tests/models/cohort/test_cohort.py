"""The model cohort as the others are: origins, panels without components, notes and stored fits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.errors import ModelError, ScaleError
from popforecast.models.cohort import WITHOUT, Cohort
from popforecast.models.cohort.past import fill_gaps
from popforecast.models.cohort.totals import fill_years


@pytest.fixture(scope="module")
def panel() -> pf.Panel:
    return pf.load_panel("wpp2024").countries()


@pytest.fixture(scope="module")
def fitted(panel: pf.Panel) -> pf.Fitted:
    return pf.fit(panel, Cohort())


def test_errors_at_past_origins_are_those_of_an_independent_computation(panel: pf.Panel) -> None:
    """Mean and median absolute error, percent, 1, 5, 10, 20 and 30 years after 1988, and 5 after 2003 and 2018."""
    expected = {
        (1988, 1): (0.197, 0.065),
        (1988, 5): (2.821, 1.111),
        (1988, 10): (6.331, 2.979),
        (1988, 20): (13.168, 7.395),
        (1988, 30): (19.668, 12.274),
        (2003, 5): (1.819, 0.802),
        (2003, 20): (9.010, 5.199),
        (2018, 5): (1.830, 0.901),
    }
    model, origins = Cohort(5), sorted({origin for origin, _ in expected})
    paths = dict(zip(origins, model.estimate_each(panel, origins), strict=True))
    for (origin, horizon), both in expected.items():
        forecast = model.predict(paths[origin], horizon, ()).population[:, -1]
        error = 100 * np.abs(forecast / panel.values[:, origin + horizon - 1950] - 1)
        assert (error.mean(), np.median(error)) == pytest.approx(both, abs=0.02)


@pytest.mark.parametrize("origin", [1960, 1987, 2023])
def test_a_past_origin_sees_no_later_figure(panel: pf.Panel, origin: int) -> None:
    then = panel.until(origin)
    (many,) = Cohort().estimate_each(panel, [origin])
    alone = Cohort().estimate(pf.Panel(then.values, then.years, then.locations, attached=then.components))
    for name, array in alone.items():
        np.testing.assert_array_equal(many[name], array, err_msg=name)


def test_years_after_the_origin_join_on_without_a_jump(panel: pf.Panel, fitted: pf.Fitted) -> None:
    path = np.log(fitted.model.predict(fitted.arrays, 80, ()).population)
    growth = np.diff(np.column_stack([np.log(panel.values[:, -2:]), path]), axis=1)
    assert np.median(np.abs(growth[:, 1] - growth[:, 0])) < 2e-3
    assert np.abs(np.diff(growth[:, 5:], axis=1)).max() < 0.02


def test_every_fifth_year_is_a_step_of_the_projection(panel: pf.Panel, fitted: pf.Fitted) -> None:
    projection = Cohort().project(panel)
    population = fitted.model.predict(fitted.arrays, 80, ()).population
    assert population[:, 4::5] == pytest.approx(projection.totals[:, 1:17], rel=1e-9)


def test_beyond_the_projection_growth_stays(fitted: pf.Fitted) -> None:
    log = np.log(fitted.model.predict(fitted.arrays, 200, ()).population)
    growth = np.diff(log[:, 79:], axis=1)
    assert np.abs(growth - growth[:, :1]).max() < 1e-9


def test_places_without_components_are_forecast_by_panel_ar_and_say_so() -> None:
    panel = pf.load_panel("wpp2019").countries()
    ours, other = pf.fit(panel, Cohort()), pf.fit(panel, pf.PanelAR())
    lacking = ~panel.codes.isin(panel.components.codes)
    assert lacking.sum() == 34
    path, expected = (each.model.predict(each.arrays, 80, ()).population for each in (ours, other))
    np.testing.assert_allclose(path[lacking], expected[lacking], rtol=1e-12)
    assert {note.location_code for note in ours.notes(80) if note.text == WITHOUT} == set(panel.codes[lacking])


@pytest.mark.parametrize(
    "change",
    [
        lambda panel: panel.take(np.arange(29)),
        lambda panel: panel.until(1959),
        lambda panel: pf.Panel(panel.values, panel.years, panel.locations),
        lambda panel: pf.Panel(
            panel.values[:, 10:], panel.years[10:], panel.locations, attached=pf.load_components("wpp2024")
        ),
        lambda panel: pf.Panel(
            panel.values[:, ::2], panel.years[::2], panel.locations, attached=pf.load_components("wpp2024")
        ),
    ],
    ids=["few places", "few years", "no components", "another first year", "every other year"],
)
def test_what_cannot_be_projected_is_panel_ar(panel: pf.Panel, change) -> None:
    given = change(panel)
    ours, other = Cohort(), pf.PanelAR()
    arrays = ours.estimate(given)
    assert not arrays["projected"].any()
    path, expected = ours.predict(arrays, 30, ()), other.predict(other.estimate(given), 30, ())
    np.testing.assert_allclose(path.population, expected.population, rtol=1e-12)


def test_own_components_are_projected_as_those_of_an_edition(panel: pf.Panel) -> None:
    own = pf.Panel(panel.values, panel.years, panel.locations).with_components(panel.components)
    np.testing.assert_array_equal(Cohort().estimate(own)["totals"], Cohort().estimate(panel)["totals"])


def test_a_vintage_is_projected_in_steps_of_five_years() -> None:
    panel = pf.load_panel("wpp2012").countries()
    fc = pf.forecast(panel, end=2050, start=2015, model=Cohort())
    world = fc.population.sum(axis=0)
    assert 7.2e9 < world[0] < 7.45e9
    assert 9.2e9 < world[-1] < 10.2e9
    assert (fc.lower[95] < fc.population).all()


def test_a_forecast_is_of_the_whole_panel_whoever_asks_for_a_part(panel: pf.Panel, fitted: pf.Fitted) -> None:
    whole = pf.load_panel("wpp2024")
    fc = pf.forecast(whole, ["World", "JPN", "NGA"], 2024, 2100, Cohort())
    alone = pf.forecast(panel, ["JPN", "NGA"], 2024, 2100, fitted)
    assert fc.population[1:] == pytest.approx(alone.population, rel=1e-9)
    countries = fitted.model.predict(fitted.arrays, 77, ()).population.round().sum(axis=0)
    assert fc.population[0] == pytest.approx(countries, rel=1e-6)
    assert (np.diff(np.log(fc.upper[80][0] / fc.population[0])) > -1e-9).all()


def test_a_fit_is_stored_and_loaded(panel: pf.Panel, fitted: pf.Fitted, tmp_path: Path) -> None:
    path = pf.save_fit(fitted, tmp_path / "cohort.npz")
    loaded = pf.load_fit(path, panel)
    assert loaded.model == Cohort()
    np.testing.assert_array_equal(loaded.arrays["totals"], fitted.arrays["totals"])


def test_unknown_early_rates_change_as_those_of_others() -> None:
    components = pf.load_components("wpp2010")
    lacking = np.isnan(components.mortality[:, 0, 0, 0])
    assert 0 < lacking.sum() < len(lacking)
    filled = fill_gaps(components)
    assert not np.isnan(filled.mortality).any()
    assert not np.isnan(filled.fertility_by_age).any()
    # Infants died more often in 1950 than in 1990, where that is not known, too.
    assert (filled.mortality[lacking, :, 0, 0] > filled.mortality[lacking, :, 0, 8]).all()


def test_growth_between_steps_is_that_of_constant_growth() -> None:
    totals = np.exp(0.01 * np.arange(0, 90, 5))[None]
    assert fill_years(np.log(totals), np.array([0.01]), 100)[0] == pytest.approx(0.01 * np.arange(1, 101))


@pytest.mark.parametrize("half_life", [0, -5, float("nan")])
def test_a_half_life_is_above_zero(half_life: float) -> None:
    with pytest.raises(ModelError, match=r"half_life .*: expected years above 0, such as 10, or None"):
        Cohort(half_life)


def test_series_without_ages_are_refused_on_large_scale(tmp_path: Path) -> None:
    with pytest.raises(ScaleError, match="cohort needs ages, births and deaths, which are not in partitions"):
        pf.scale.forecast(tmp_path / "in", tmp_path / "out", id="id", model="cohort")


def test_the_command_line_forecasts_by_it() -> None:
    asked = ["forecast", "Japan", "--from", "2050", "--to", "2050", "--model", "cohort", "--format", "csv"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0
    row = pd.read_csv(io.StringIO(result.output)).iloc[0]
    assert (row["model"], row["intervals"]) == ("cohort", "real-time")
    assert row["lower_95"] < 105e6 < row["population"] < 106e6 < row["upper_95"]
