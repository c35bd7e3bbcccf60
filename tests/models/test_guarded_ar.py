"""ar: the plain autoregression where nothing is wild, and a guard where something is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.errors import ModelError
from popforecast.models.guarded_ar import LARGEST_ROOT, GuardedAR, tame


def make_panel(values: np.ndarray, first: int = 1950, step: int = 1) -> pf.Panel:
    years = range(first, first + step * values.shape[1], step)
    return pf.Panel(values, years, pd.DataFrame({"name": [f"Place {i}" for i in range(len(values))]}))


def simulate(phi: list[float], n: int = 30, t: int = 74, mean: float = 0.015) -> pf.Panel:
    """A panel whose growth is an autoregression around a mean."""
    rng = np.random.default_rng(8)
    growth = np.full((n, t + 50), mean)
    for s in range(len(phi), t + 50):
        past = growth[:, s - len(phi) : s][:, ::-1] - mean
        growth[:, s] = mean + past @ np.array(phi) + rng.normal(0, 0.002, n)
    return make_panel(1e6 * np.exp(np.cumsum(growth[:, 50:], axis=1)))


def test_where_nothing_is_wild_it_is_the_plain_autoregression_of_growth() -> None:
    panel = simulate([0.5, 0.2])
    ours, plain = GuardedAR().fit(panel), pf.AR("bic", "c", "growth").fit(panel)
    assert (plain.arrays["root"] < LARGEST_ROOT).all()
    low, high = np.log(panel.values.min()), np.log(panel.values.max())
    assert high - low > 0
    for key in ("coefficients", "root", "tail"):
        assert ours.arrays[key] == pytest.approx(plain.arrays[key], rel=1e-9)
    assert ours.predict(20, ()).population == pytest.approx(plain.predict(20, ()).population)
    assert ours.notes(20) == ()


def test_on_the_worlds_countries_the_calm_ones_are_untouched(wpp2024: pf.Panel) -> None:
    ours, plain = GuardedAR().fit(wpp2024), pf.AR("bic", "c", "growth").fit(wpp2024)
    noted = [wpp2024.locations.index.get_loc(note.location_code) for note in ours.notes(10)]
    calm = np.setdiff1d(np.arange(len(wpp2024)), noted)
    assert len(calm) > 200
    growing, free = (each.model.predict(each.arrays, 10, ()).population[calm] for each in (ours, plain))
    assert growing == pytest.approx(free)


def largest_roots(coefficients: np.ndarray) -> np.ndarray:
    """The oracle: roots of the characteristic polynomial z^p - phi_1 z^(p-1) - ... - phi_p."""
    return np.array([np.abs(np.roots([1, *-phi])).max(initial=0) for phi in coefficients[:, 2:]])


@pytest.mark.parametrize(
    "phi", [[1.3], [-1.2], [0.9, 0.3], [1.6, -0.9, 0.5], [0, 0, 0, 0, 1.1], [0.5, 0, -0.9, 0, 0.99], [0.99]]
)
def test_wild_roots_are_pulled_back_to_the_largest_allowed(phi: list[float]) -> None:
    coefficients = np.array([[0.01, 0.0, *phi]])
    root = largest_roots(coefficients)
    assert root[0] > LARGEST_ROOT
    tamed = tame({"coefficients": coefficients, "root": root}, np.array([0.02]))["coefficients"]
    assert largest_roots(tamed) == pytest.approx(LARGEST_ROOT)
    # The fixed point of the recursion is the mean of the past.
    assert tamed[0, 0] / (1 - tamed[0, 2:].sum()) == pytest.approx(0.02)


def test_no_root_of_the_world_is_above_the_largest_allowed(wpp2024: pf.Panel) -> None:
    fitted = GuardedAR().fit(wpp2024)
    roots = largest_roots(fitted.arrays["coefficients"])
    assert roots.max() <= LARGEST_ROOT + 1e-9
    wild = fitted.arrays["root"] > LARGEST_ROOT
    assert wild.any()
    assert roots[wild] == pytest.approx(LARGEST_ROOT)
    flagged = {note.location_code for note in fitted.notes(1) if "reduced" in note.text}
    assert flagged == set(wpp2024.locations.index[wild])


def test_tamed_growth_tends_to_the_mean_of_the_past() -> None:
    """Growth that speeds up: the plain model follows it, ours turns to the mean."""
    growth = 0.001 * 1.05 ** np.arange(60)
    panel = make_panel(np.exp(10 + np.cumsum([growth], axis=1)))
    fitted = GuardedAR().fit(panel)
    assert "to 0.98" in fitted.notes(5)[0].text
    path = np.diff(fitted.model.accumulate(fitted.arrays, 1000)[0])
    assert path[-1] == pytest.approx(np.diff(np.log(panel.values[0])).mean(), rel=1e-3)
    explosive = pf.AR("bic", "c", "growth").fit(panel).predict(100, ()).population
    assert (fitted.predict(100, ()).population[0, -1] < explosive[0, -1]) or np.isinf(explosive[0, -1])


@pytest.mark.parametrize("years", [3, 4, 5])
def test_without_years_for_lags_growth_is_its_mean_and_a_note_says_so(years: int) -> None:
    panel = make_panel(np.array([[100.0, 103.0, 105.0, 104.0, 110.0][:years]]))
    fitted = GuardedAR().fit(panel)
    assert [note.text for note in fitted.notes(1)] == ["too few years for lags: mean growth is used instead"]
    growth = np.log(panel.values[0, -1] / 100) / (years - 1)
    assert np.log(fitted.predict(1, ()).population[0, 0] / panel.values[0, -1]) == pytest.approx(growth)


@pytest.mark.parametrize("years", range(6, 30))
def test_short_panels_have_fewer_lags(years: int) -> None:
    panel = simulate([0.5], t=years)
    arrays = GuardedAR().fit(panel).arrays
    assert arrays["tail"].shape[1] == min(5, (years - 2) // 4)


@pytest.mark.parametrize("step", [5, 10])
def test_coarse_panels_can_be_fitted_with_intervals(step: int) -> None:
    """Its past origins have few years before them, down to three."""
    values = simulate([0.5], n=40, t=15).values
    fitted = pf.fit(make_panel(values, step=step), "ar")
    assert fitted.calibration is not None


def test_two_years_are_too_few() -> None:
    with pytest.raises(ModelError, match="three years or more, got 2"):
        GuardedAR().fit(make_panel(np.array([[1.0, 2.0]])))


@pytest.mark.parametrize("lags", [0, -1, 2.0, True, "5", None])
def test_impossible_most_lags_are_refused(lags: object) -> None:
    with pytest.raises(ModelError, match="max_lags"):
        GuardedAR(lags)


def test_name_states_unusual_lags() -> None:
    assert GuardedAR().name == "ar"
    assert GuardedAR(2).name == "ar(2)"
