"""What every model promises, whichever it is, and what the registry of names does."""

from __future__ import annotations

import json
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast import models
from popforecast.errors import LevelError, ModelError, UnknownModelError
from popforecast.models.base import normal_quantile
from popforecast.models.levels import check_level, check_levels

EVERY = [*models.MODELS.values(), pf.AR(2, "ct"), pf.AR("bic"), pf.AR(1, "c", "log"), pf.AR(1, "n", "growth")]


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.name)
def test_model_predicts_every_location_and_step(wpp2024: pf.Panel, model: pf.Model) -> None:
    fitted = model.fit(wpp2024)
    assert fitted.codes == wpp2024.locations.index.tolist()
    assert (fitted.origin, fitted.step, fitted.revision) == (2023, 1, "wpp2024")
    assert fitted.checksum == wpp2024.checksum
    prediction = fitted.predict(7, (50, 99.5))
    for path in (prediction.population, *prediction.lower.values(), *prediction.upper.values()):
        assert path.shape == (297, 7)
    assert list(prediction.lower) == list(prediction.upper) == [50, 99.5]
    assert fitted.predict(0).population.shape == (297, 0)


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.name)
def test_further_horizon_never_changes_a_nearer_one(wpp2024: pf.Panel, model: pf.Model) -> None:
    fitted = model.fit(wpp2024)
    near, far = fitted.predict(5), fitted.predict(50)
    assert near.population == pytest.approx(far.population[:, :5], rel=1e-9)
    assert near.upper[80] == pytest.approx(far.upper[80][:, :5], rel=1e-9)


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.name)
def test_prediction_is_read_only(wpp2024: pf.Panel, model: pf.Model) -> None:
    prediction = model.fit(wpp2024).predict(3)
    for path in (prediction.population, prediction.lower[80], prediction.upper[95]):
        with pytest.raises(ValueError, match="read-only"):
            path[0, 0] = 0
    with pytest.raises(AttributeError):
        prediction.population = None


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.name)
def test_specification_survives_json(model: pf.Model) -> None:
    assert models.build(json.loads(json.dumps(models.specify(model)))) == model


def test_model_that_cannot_be_estimated_names_the_location() -> None:
    huge = pf.Panel([[1, 2, 3, 4], [1e308, 1e308, 1e308, 1e308]], range(4), pd.DataFrame({"name": ["small", "huge"]}))
    with np.errstate(all="ignore"), pytest.raises(ModelError, match="huge"):
        pf.AR().fit(huge)


@pytest.mark.parametrize("name", ["ar2", "AR1", "", None, 1, ["ar1"], pf.AR])
def test_unknown_model_names_those_there_are(name: object) -> None:
    with pytest.raises(UnknownModelError, match="ar1, naive, drift"):
        models.get(name)


def test_unknown_class_of_model_is_refused() -> None:
    with pytest.raises(UnknownModelError, match="'Oracle'"):
        models.build({"class": "Oracle", "parameters": {}})


@pytest.mark.parametrize("level", [0.001, 1, 50, 80, 95, 99.999, np.float64(80), np.int64(95)])
def test_quantile_is_that_of_the_normal_distribution(level: float) -> None:
    assert normal_quantile(level) == pytest.approx(NormalDist().inv_cdf((1 + level / 100) / 2))


@pytest.mark.parametrize("level", [0, 100, -80, 101, float("nan"), float("inf"), "80", None, True, [80], 80j])
def test_level_that_is_no_coverage_in_percent_is_refused(level: object) -> None:
    with pytest.raises(LevelError, match="expected a coverage in percent between 0 and 100"):
        check_level(level)


def test_levels_come_out_in_order() -> None:
    assert check_levels([95, 80, 50.5]) == (50.5, 80, 95)
    assert check_levels(level for level in (95, 80)) == (80, 95)
    assert check_levels(90) == (90,)
    assert check_levels([]) == ()


@pytest.mark.parametrize("levels", [[80, 80], [80, 80.0], [95, 95.00000001]])
def test_levels_with_one_name_are_refused(levels: list[float]) -> None:
    with pytest.raises(LevelError, match="each level once"):
        check_levels(levels)


@pytest.mark.parametrize("levels", ["95", None, [[80]], ["80"]])
def test_levels_that_are_no_numbers_are_refused(levels: object) -> None:
    with pytest.raises(LevelError):
        check_levels(levels)
