"""The model combination: its reference figures, and that it is cohort or panel-ar where one of them is all there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import popforecast as pf
from popforecast.errors import ModelError, ScaleError
from popforecast.models.cohort import WITHOUT
from popforecast.models.combination import HELD, Combination

# Computed independently with a half-life of 5 years, from components that are not rounded: persons.
YEARS = (2024, 2028, 2030, 2050, 2075, 2100)
EXPECTED = {
    "CHN": (1_419_255_540, 1_402_441_836, 1_391_788_876, 1_232_572_170, 837_505_113, 471_800_902),
    "KOR": (51_728_078, 51_654_787, 51_492_953, 47_418_576, 33_725_402, 21_044_213),
    "JPN": (123_761_061, 121_412_082, 120_139_698, 106_050_447, 82_902_405, 63_133_450),
    "IND": (1_450_942_110, 1_500_253_984, 1_523_001_594, 1_674_298_659, 1_628_061_079, 1_407_562_146),
    "NGA": (232_717_768, 253_030_820, 263_568_226, 374_185_430, 504_369_452, 585_691_281),
    "USA": (345_377_545, 353_115_194, 356_318_010, 385_232_075, 418_441_916, 444_441_545),
    "DEU": (84_951_808, 86_133_458, 86_493_610, 86_654_252, 80_082_371, 71_409_680),
    "UKR": (37_034_589, 36_628_864, 36_166_279, 29_545_841, 18_920_487, 10_410_939),
    "ARE": (11_009_931, 12_228_855, 12_763_291, 18_097_337, 24_236_585, 28_751_387),
    "NER": (27_039_755, 30_822_283, 32_844_828, 56_175_614, 89_903_954, 117_556_907),
    "TUV": (9_642, 9_017, 8_840, 8_214, 7_704, 6_295),
}
WORLD = (8_163_598_127, 8_443_919_712, 8_577_471_171, 9_700_444_997, 10_197_877_299, 9_926_219_945)


@pytest.fixture(scope="module")
def panel() -> pf.Panel:
    return pf.load_panel("wpp2024").countries()


def compute_path(model: pf.Model, panel: pf.Panel, horizon: int = 80) -> np.ndarray:
    return model.predict(model.estimate(panel), horizon, ()).population


def test_the_figures_are_those_of_an_independent_computation(panel: pf.Panel) -> None:
    path = compute_path(Combination(5), panel)[:, np.array(YEARS) - 2024]
    assert path.sum(axis=0) == pytest.approx(WORLD, rel=0.002)
    found = path[panel.rows(list(EXPECTED))]
    assert found == pytest.approx(np.array(list(EXPECTED.values())), rel=0.002)


def test_errors_at_past_origins_are_those_of_an_independent_computation(panel: pf.Panel) -> None:
    """Mean and median absolute error, percent, 1 to 30 years after 1988, and after 2003 and 2018."""
    expected = {
        (1988, 1): (0.164, 0.049),
        (1988, 5): (2.676, 0.946),
        (1988, 10): (6.130, 2.696),
        (1988, 20): (12.770, 6.510),
        (1988, 30): (19.007, 10.974),
        (2003, 5): (1.611, 0.706),
        (2003, 20): (8.576, 5.081),
        (2018, 5): (1.839, 0.794),
    }
    model, origins = Combination(5), (1988, 2003, 2018)
    paths = dict(zip(origins, model.estimate_each(panel, origins), strict=True))
    for (origin, horizon), both in expected.items():
        forecast = model.predict(paths[origin], horizon, ()).population[:, -1]
        error = 100 * np.abs(forecast / panel.values[:, origin + horizon - 1950] - 1)
        assert (error.mean(), np.median(error)) == pytest.approx(both, abs=0.02)


@pytest.mark.parametrize("origin", [1960, 1987, 2023])
def test_a_past_origin_sees_no_later_figure(panel: pf.Panel, origin: int) -> None:
    (many,) = Combination().estimate_each(panel, [origin])
    for name, array in Combination().estimate(panel.until(origin)).items():
        np.testing.assert_array_equal(many[name], array, err_msg=name)


def test_it_lies_between_the_two_and_their_difference_is_held_beyond_thirty_years(panel: pf.Panel) -> None:
    mixed, ages, totals = (np.log(compute_path(each, panel)) for each in (Combination(), pf.Cohort(), pf.PanelAR()))
    near = slice(None, HELD)
    inside = (mixed >= np.minimum(ages, totals) - 1e-12) & (mixed <= np.maximum(ages, totals) + 1e-12)
    assert inside[:, near].all()
    kept = (mixed - ages)[:, HELD - 1 :]
    assert np.abs(kept - kept[:, :1]).max() < 1e-9


def test_a_country_in_exodus_is_forecast_by_cohort(panel: pf.Panel) -> None:
    arrays = Combination().estimate(panel)
    fled = panel.codes[arrays["fled"] > 0]
    assert 804 in fled
    assert len(fled) == 7
    rows = panel.rows(list(fled))
    np.testing.assert_allclose(compute_path(Combination(), panel)[rows], compute_path(pf.Cohort(), panel)[rows])


def test_places_without_components_are_forecast_by_panel_ar_and_say_so() -> None:
    panel = pf.load_panel("wpp2019").countries()
    ours = Combination().fit(panel)
    lacking = ~panel.codes.isin(panel.components.codes)
    path, expected = compute_path(Combination(), panel), compute_path(pf.PanelAR(), panel)
    np.testing.assert_allclose(path[lacking], expected[lacking], rtol=1e-12)
    assert {note.location_code for note in ours.notes(80) if note.text == WITHOUT} == set(panel.codes[lacking])


def test_a_panel_of_totals_is_forecast_by_panel_ar(panel: pf.Panel) -> None:
    totals = pf.Panel(panel.values, panel.years, panel.locations)
    np.testing.assert_allclose(compute_path(Combination(), totals), compute_path(pf.PanelAR(), totals), rtol=1e-12)


def test_a_vintage_gives_cohort_its_later_weight_from_the_first_step() -> None:
    panel = pf.load_panel("wpp2012").countries()
    mixed, ages, totals = (np.log(compute_path(each, panel, 1)) for each in (Combination(), pf.Cohort(), pf.PanelAR()))
    row = panel.rows(["NGA"])[0]
    assert mixed[row] == pytest.approx(0.75 * ages[row] + 0.25 * totals[row], abs=1e-9)


def test_intervals_are_calibrated_on_its_own_errors_and_aggregates_are_sums() -> None:
    fc = pf.forecast(pf.load_panel("wpp2024"), ["World", "JPN"], 2030, 2050, "combination")
    assert fc.model.calibrated
    assert (fc.lower[95] < fc.population).all()
    assert (fc.population < fc.upper[95]).all()
    with pytest.raises(ModelError, match="combination forecasts totals only"):
        fc.ages()


def test_series_without_ages_are_refused_on_large_scale(tmp_path: Path) -> None:
    with pytest.raises(ScaleError, match="combination needs ages, births and deaths"):
        pf.scale.forecast(tmp_path / "in", tmp_path / "out", id="id", model="combination")


def test_its_half_life_is_checked_and_named() -> None:
    assert (Combination().name, Combination(5).name) == ("combination", "combination(5)")
    with pytest.raises(ModelError, match=r"half_life 0: expected years above 0"):
        Combination(0)
