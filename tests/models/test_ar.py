"""The batched autoregression, held to statsmodels, to exact arithmetic and to the textbook."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.tsa.ar_model import AutoReg, ar_select_order

import popforecast as pf
from popforecast.errors import ModelError
from popforecast.models.ar import AR, choose_lags, regress, select_lags
from popforecast.models.base import normal_quantile
from popforecast.models.numeric import least_squares

STEPS = 30
LEVELS = (80, 95)
TOLERANCE = 1e-8
GRID = [(lags, trend) for lags in range(1, 6) for trend in ("n", "c", "t", "ct")]


def make_panel(*series: np.ndarray, first: int = 1950) -> pf.Panel:
    values = np.array(series, dtype=float)
    names = pd.DataFrame({"name": [f"Place {i}" for i in range(len(values))]})
    return pf.Panel(values, np.arange(first, first + values.shape[1]), names)


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.max(np.abs(np.asarray(ours) - theirs) / np.abs(theirs)))


def solve_exactly(series: np.ndarray, lags: int, trend: str) -> tuple[list[float], float, list[float]]:
    """Least squares by the normal equations in 60 digits: coefficients, variance, forecast.

    It loses about 20 digits to the condition of the problem, and keeps 40.
    """
    with localcontext(prec=60):
        y = [Decimal(float(v)) for v in series]
        start = len(y)

        def regressors(t: int) -> list[Decimal]:
            deterministic = [Decimal(1)] * ("c" in trend) + [Decimal(t + 1)] * ("t" in trend)
            return deterministic + [y[t - lag] for lag in range(1, lags + 1)]

        rows = [regressors(t) for t in range(lags, start)]
        targets = y[lags:]
        k = len(rows[0])
        system = [
            [sum(row[i] * row[j] for row in rows) for j in range(k)]
            + [sum(row[i] * target for row, target in zip(rows, targets, strict=True))]
            for i in range(k)
        ]
        for i in range(k):
            for below in range(i + 1, k):
                factor = system[below][i] / system[i][i]
                system[below] = [b - factor * a for a, b in zip(system[i], system[below], strict=True)]
        beta = [Decimal(0)] * k
        for i in reversed(range(k)):
            beta[i] = (system[i][k] - sum(system[i][j] * beta[j] for j in range(i + 1, k))) / system[i][i]

        def fitted(row: list[Decimal]) -> Decimal:
            return sum((a * b for a, b in zip(row, beta, strict=True)), Decimal(0))

        variance = sum((target - fitted(row)) ** 2 for row, target in zip(rows, targets, strict=True)) / len(targets)
        for t in range(start, start + STEPS):
            y.append(fitted(regressors(t)))
        return [float(b) for b in beta], float(variance), [float(v) for v in y[start:]]


def oracle(series: np.ndarray, lags: int, trend: str) -> tuple[np.ndarray, float, dict[int, np.ndarray]]:
    """What statsmodels says: forecast, error variance, interval bounds by level.

    AutoReg loses digits where population in persons stands beside a constant of 1, so it gets the series scaled.
    """
    scale = series.mean()
    result = AutoReg(series / scale, lags=lags, trend=trend).fit()
    prediction = result.get_prediction(len(series), len(series) + STEPS - 1)
    bounds = {level: prediction.conf_int(alpha=1 - level / 100) * scale for level in LEVELS}
    return prediction.predicted_mean * scale, result.sigma2 * scale**2, bounds


def varying(panel: pf.Panel) -> Iterator[int]:
    """The rows whose series changes at all: the Holy See's 1,000 persons are no regression problem."""
    return (row for row, series in enumerate(panel.values) if np.ptp(series) > 0)


@pytest.mark.parametrize(("lags", "trend"), GRID)
@pytest.mark.parametrize("revision", ["wpp2019", "wpp2024"])
def test_forecast_equals_autoreg(revision: str, lags: int, trend: str) -> None:
    """Forecast, variance and bounds within 1e-8; where AutoReg is further off, exact arithmetic sides with us."""
    panel = pf.load_panel(revision)
    if lags > 1 and (lags, trend) != (5, "ct"):
        # A loop over statsmodels is slow: every series with one lag and with the most of everything, else a third.
        panel = panel.take(np.arange((lags + len(trend)) % 3, len(panel), 3))
    fitted = AR(lags, trend).fit(panel)
    ours = fitted.predict(STEPS, LEVELS)
    for row in varying(panel):
        series = panel.values[row]
        mean, variance, bounds = oracle(series, lags, trend)
        assert distance(fitted.arrays["variance"][row], variance) < TOLERANCE, panel.locations["name"].iloc[row]
        apart = distance(ours.population[row], mean)
        if apart < TOLERANCE:
            # A lower bound may pass through zero, where nothing is relative to it: the unit is the forecast then.
            for level in LEVELS:
                for got, expected in ((ours.lower[level][row], 0), (ours.upper[level][row], 1)):
                    off = np.abs(got - bounds[level][:, expected])
                    assert (off <= TOLERANCE * np.maximum(np.abs(got), np.abs(mean))).all()
        else:
            exact = solve_exactly(series, lags, trend)[2]
            assert distance(ours.population[row], exact) < TOLERANCE / 10
            assert distance(ours.population[row], exact) < distance(mean, exact) / 10


@pytest.mark.parametrize(("lags", "trend"), [(1, "c"), (2, "ct"), (5, "n"), (5, "ct")])
def test_estimates_equal_exact_arithmetic(wpp2024: pf.Panel, lags: int, trend: str) -> None:
    """Coefficients, variance and forecast against 60 digits: no cancellation hides in the panel's units."""
    fit = regress(wpp2024.values, lags, trend)
    forecast = AR(lags, trend).fit(wpp2024).predict(STEPS).population
    for row in range(0, len(wpp2024), 9):
        beta, variance, path = solve_exactly(wpp2024.values[row], lags, trend)
        assert fit.coefficients[row] == pytest.approx(beta, rel=1e-7)
        assert fit.variance[row] == pytest.approx(variance, rel=1e-9)
        assert distance(forecast[row], path) < 1e-9


@pytest.mark.parametrize("trend", ["n", "c", "t", "ct"])
def test_coefficients_equal_autoreg(wpp2019: pf.Panel, trend: str) -> None:
    ours = regress(wpp2019.values, 1, trend).coefficients
    for row in list(varying(wpp2019))[::5]:
        scale = wpp2019.values[row].mean()
        theirs = AutoReg(wpp2019.values[row] / scale, lags=1, trend=trend).fit().params
        theirs[: len(trend.replace("n", ""))] *= scale
        assert ours[row] == pytest.approx(theirs, rel=TOLERANCE)


@pytest.mark.parametrize("trend", ["n", "c", "t", "ct"])
@pytest.mark.parametrize("revision", ["wpp2019", "wpp2024"])
def test_lag_choice_equals_ar_select_order(revision: str, trend: str) -> None:
    panel = pf.load_panel(revision)
    chosen = {criterion: select_lags(panel.values, 5, trend, criterion) for criterion in ("aic", "bic")}
    for row in list(varying(panel))[:: 1 if trend == "c" else 3]:
        series = panel.values[row] / panel.values[row].mean()
        # One selection ranks the candidates by each criterion; its table holds them all.
        selection = ar_select_order(series, 5, trend=trend, glob=False)
        for criterion, ranked in (("aic", selection.aic), ("bic", selection.bic)):
            best = min(ranked, key=ranked.get)
            assert chosen[criterion][row] == len(best or ()), panel.locations["name"].iloc[row]


def test_lag_choice_of_a_panel_is_that_of_its_series(wpp2024: pf.Panel) -> None:
    """Series of several orders are fitted together, and each as if it were alone."""
    some = wpp2024.select(["World", "NGA", "JPN", "TKL", "USA", "KWT", "RWA"])
    model = AR("bic", "c")
    chosen = choose_lags(model, some)
    assert len({single.lags for single in chosen}) > 1
    together = model.fit(some).predict(20)
    for row, single in enumerate(chosen):
        alone = single.fit(some.take(np.array([row]))).predict(20)
        assert together.population[row] == pytest.approx(alone.population[0], rel=1e-12)
        assert together.upper[95][row] == pytest.approx(alone.upper[95][0], rel=1e-12)


def test_lag_choice_does_not_depend_on_the_unit(wpp2024: pf.Panel) -> None:
    assert (select_lags(wpp2024.values, 5) == select_lags(wpp2024.values / 1e6, 5)).all()


def test_known_table_comes_out_to_the_digit(wpp2019: pf.Panel) -> None:
    forecast = pf.forecast(wpp2019, ["WORLD", "More developed regions"], 2030, 2035, model="ar1")
    thousands = np.rint(forecast.population / 1000).astype(int).tolist()
    assert thousands == [
        [8745733, 8844029, 8942922, 9042415, 9142512, 9243217],
        [1304051, 1306841, 1309584, 1312279, 1314927, 1317530],
    ]


def test_interval_of_ar1_has_the_closed_form(wpp2024: pf.Panel) -> None:
    fitted = AR(1, "c").fit(wpp2024)
    phi, variance = fitted.arrays["coefficients"][:, 2:], fitted.arrays["variance"][:, None]
    h = np.arange(1, STEPS + 1)
    deviation = np.sqrt(variance * (1 - phi ** (2 * h)) / (1 - phi**2))
    ours = fitted.predict(STEPS, (80,))
    assert (ours.upper[80] - ours.lower[80]) / 2 == pytest.approx(normal_quantile(80) * deviation, rel=1e-6)


@pytest.mark.parametrize("transform", ["log", "growth"])
def test_transform_is_autoreg_on_logs_or_their_changes(wpp2024: pf.Panel, transform: str) -> None:
    ours = AR(2, "c", transform).fit(wpp2024).predict(STEPS, LEVELS)
    for row in range(0, len(wpp2024), 12):
        log = np.log(wpp2024.values[row])
        y = log if transform == "log" else np.diff(log)
        result = AutoReg(y, lags=2, trend="c").fit()
        mean = result.predict(len(y), len(y) + STEPS - 1)
        # Weights of the moving average, then summed where the forecast is a sum of changes.
        psi = [1.0, result.params[1]]
        for _ in range(STEPS - 2):
            psi.append(result.params[1] * psi[-1] + result.params[2] * psi[-2])
        if transform == "growth":
            mean, psi = log[-1] + np.cumsum(mean), np.cumsum(psi)
        reach = normal_quantile(80) * np.sqrt(result.sigma2 * np.cumsum(np.square(psi)))
        assert ours.population[row] == pytest.approx(np.exp(mean), rel=TOLERANCE)
        assert ours.lower[80][row] == pytest.approx(np.exp(mean - reach), rel=1e-7)
        assert ours.upper[80][row] == pytest.approx(np.exp(mean + reach), rel=1e-7)


def test_planted_coefficients_are_recovered() -> None:
    generator = np.random.default_rng(1)
    y = np.zeros(4000)
    y[:2] = 1000
    for t in range(2, len(y)):
        y[t] = 50 + 0.02 * (t + 1) + 0.5 * y[t - 1] + 0.3 * y[t - 2] + generator.normal(0, 1)
    constant, slope, first, second = regress(y[None], 2, "ct").coefficients[0]
    assert (first, second) == pytest.approx((0.5, 0.3), abs=0.05)
    assert (constant, slope) == pytest.approx((50, 0.02), rel=0.4)
    assert regress(y[None], 2, "ct").variance[0] == pytest.approx(1, rel=0.1)


def test_series_that_obeys_its_equation_is_continued_without_error() -> None:
    y = [1000.0, 1300.0]
    for t in range(2, 40):
        y.append(20 + 3 * (t + 1) + 0.6 * y[-1] + 0.2 * y[-2])
    ours = AR(2, "ct").fit(make_panel(np.array(y[:25]))).predict(15)
    assert ours.population[0] == pytest.approx(y[25:], rel=1e-9)
    assert ours.upper[95][0] == pytest.approx(y[25:], rel=1e-6)


@pytest.mark.parametrize("trend", ["n", "c", "t", "ct"])
@pytest.mark.parametrize("lags", [1, 3, "aic", "bic"])
def test_constant_series_stays_constant(lags: int | str, trend: str) -> None:
    """The Holy See of 2019: every regressor is the same, and the forecast is what it always was."""
    ours = AR(lags, trend).fit(make_panel(np.full(40, 1000.0), np.full(40, 1e9), np.zeros(40))).predict(30)
    for path in (ours.population, ours.lower[95], ours.upper[95]):
        assert path == pytest.approx(np.repeat([[1000.0], [1e9], [0.0]], 30, axis=1), rel=1e-9)


def test_perfect_fit_takes_the_fewest_lags() -> None:
    doubling = 2.0 ** np.arange(1, 31)
    assert select_lags(doubling[None], 5, "n", "aic").tolist() == [1]


def test_explosive_root_is_flagged_and_only_that(wpp2019: pf.Panel) -> None:
    fitted = pf.models.get("ar1").fit(wpp2019)
    flagged = {note.location_code for note in fitted.notes()}
    explosive = np.abs(fitted.arrays["coefficients"][:, 2]) > 1 + 1e-9
    assert flagged == set(wpp2019.locations.index[explosive])
    assert 900 in flagged
    assert len(wpp2019) / 2 < len(flagged) < len(wpp2019)


def test_explosive_root_of_several_lags_is_the_largest_of_autoreg(wpp2024: pf.Panel) -> None:
    fitted = AR(3, "c").fit(wpp2024)
    for row in range(0, len(wpp2024), 20):
        series = wpp2024.values[row] / wpp2024.values[row].mean()
        roots = AutoReg(series, lags=3, trend="c").fit().roots
        assert fitted.arrays["root"][row] == pytest.approx((1 / np.abs(roots)).max(), rel=1e-6)


def test_growth_beyond_the_computers_numbers_is_infinite_and_silent() -> None:
    """Not a warning, not a NaN: ``filterwarnings = error`` would turn the first into a failure."""
    wild = make_panel(np.exp(1.4 ** np.arange(12)))
    ours = AR(1, "n", "log").fit(wild).predict(150)
    assert np.isinf(ours.population[0, -1])
    assert not np.isnan(ours.population).any()


def test_choosing_series_never_changes_a_number(wpp2024: pf.Panel) -> None:
    whole = AR(2, "ct").fit(wpp2024).predict(STEPS)
    rows = np.array([250, 3, 77])
    part = AR(2, "ct").fit(wpp2024.take(rows)).predict(STEPS)
    assert (whole.population[rows] == part.population).all()
    assert (whole.lower[95][rows] == part.lower[95]).all()


positive_series = st.lists(st.floats(0.8, 1.25), min_size=12, max_size=30).map(
    lambda factors: 1e6 * np.cumprod(factors)
)


@given(positive_series, st.floats(1e-3, 1e6), st.sampled_from(["n", "c", "t", "ct"]), st.integers(1, 3))
def test_scaling_a_series_scales_its_forecast(series: np.ndarray, factor: float, trend: str, lags: int) -> None:
    # A problem without an answer in double precision has no equivariance either.
    assume(np.ptp(series) > 1)
    plain = AR(lags, trend).fit(make_panel(series))
    design = np.column_stack([np.ones(len(series)), np.arange(len(series)), series])
    assume(np.linalg.cond(design / np.abs(design).max(axis=0)) < 1e6)
    assume((np.abs(plain.arrays["root"]) < 1.5).all())
    one, scaled = plain.predict(10), AR(lags, trend).fit(make_panel(series * factor)).predict(10)
    size = np.abs(one.population).max() + np.abs(one.upper[95] - one.population).max()
    for ours, theirs in (
        (one.population, scaled.population),
        (one.lower[95], scaled.lower[95]),
        (one.upper[80], scaled.upper[80]),
    ):
        assert np.abs(ours * factor - theirs).max() <= 1e-6 * size * factor


@given(positive_series, st.sampled_from(["ar1", "naive", "drift"]))
def test_positive_series_never_forecasts_nan(series: np.ndarray, model: str) -> None:
    ours = pf.models.get(model).fit(make_panel(series)).predict(50)
    for path in (ours.population, *ours.lower.values(), *ours.upper.values()):
        assert not np.isnan(path).any()
    assert (ours.lower[95] <= ours.lower[80]).all()
    assert (ours.lower[80] <= ours.population).all()
    assert (ours.population <= ours.upper[80]).all()
    assert (ours.upper[80] <= ours.upper[95]).all()


@given(st.permutations(range(6)), st.sampled_from([AR(), AR(2, "ct"), AR("bic", "c"), pf.Drift(), pf.Naive()]))
def test_permuting_locations_permutes_the_forecast(order: list[int], model: pf.Model) -> None:
    panel = pf.load_panel("wpp2024").select(["World", "NGA", "JPN", "TKL", "USA", "KWT"])
    plain, permuted = (model.predict(model.estimate(each), 20, (80,)) for each in (panel, panel.take(np.array(order))))
    assert permuted.population == pytest.approx(plain.population[order], rel=1e-9)
    assert permuted.upper[80] == pytest.approx(plain.upper[80][order], rel=1e-9)


def test_least_squares_agrees_with_numpy_and_gives_a_dependent_column_nothing() -> None:
    generator = np.random.default_rng(2)
    x = generator.normal(size=(3, 20))
    z = generator.normal(size=(3, 20))
    y = generator.normal(size=(3, 20))
    coefficients, residuals = least_squares([x, z, 2 * x - z], y)
    for row in range(3):
        expected, *_ = np.linalg.lstsq(np.column_stack([x[row], z[row]]), y[row])
        assert coefficients[row] == pytest.approx([*expected, 0], abs=1e-12)
        assert residuals[row] == pytest.approx(y[row] - np.column_stack([x[row], z[row]]) @ expected, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"lags": -1}, "-1"),
        ({"lags": True}, "True"),
        ({"lags": 1.5}, "1.5"),
        ({"lags": "hqic"}, "'hqic'"),
        ({"lags": [1, 3]}, "[1, 3]"),
        ({"lags": None}, "None"),
        ({"trend": "ctt"}, "'ctt'"),
        ({"trend": None}, "None"),
        ({"trend": ["c"]}, "['c']"),
        ({"transform": "sqrt"}, "'sqrt'"),
        ({"lags": "aic", "max_lags": 0}, "max_lags 0"),
        ({"lags": "aic", "max_lags": "5"}, "'5'"),
        ({"lags": 0, "trend": "n"}, "no lags and no trend"),
    ],
)
def test_impossible_specification_is_refused(arguments: dict, named: str) -> None:
    with pytest.raises(ModelError) as refusal:
        AR(**arguments)
    assert named in str(refusal.value)
    assert "expected" in str(refusal.value)


def test_numpy_counts_are_counts() -> None:
    assert AR(np.int64(2)) == AR(2)
    assert type(AR(np.int64(2)).lags) is int


def test_name_tells_specifications_apart() -> None:
    models = [
        AR(),
        AR(2),
        AR(1, "ct"),
        AR(1, "c", "log"),
        AR(1, "c", "growth"),
        AR("aic"),
        AR("bic"),
        AR("bic", max_lags=3),
    ]
    assert models[0].name == "ar1"
    assert len({model.name for model in models}) == len(models)


@pytest.mark.parametrize("model", [AR(3, "ct"), AR("aic", "c"), AR(5, "n", "growth")])
def test_short_panel_is_refused_with_the_number_of_years_it_needs(model: AR) -> None:
    with pytest.raises(ModelError, match=r"too few .* expected \d+"):
        model.fit(make_panel(np.arange(1.0, 7.0)))


@pytest.mark.parametrize("transform", ["log", "growth"])
def test_logarithm_of_zero_is_refused_with_place_and_year(transform: str) -> None:
    with pytest.raises(ModelError, match=r"Place 0 has population 0 in 1952"):
        AR(1, "c", transform).fit(make_panel([3, 2, 0, 4, 5, 6, 7]))
