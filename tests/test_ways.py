"""Every way to the same question gives the same medians and the same bounds."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.errors import LevelError
from popforecast.forecasting.outlook import UNCALIBRATED
from tests.helpers.freezing import check_frozen

LEVELS = (50, 80, 95, 99.9)

# All models on the latest revision. An earlier one takes the same ways: of the models whose intervals are calibrated,
# the one with an embedded fit stands for all, and beside it the one whose intervals are analytic.
ASKED_OF = [
    *(("wpp2024", name) for name in pf.models.MODELS),
    *(("wpp2019", name) for name in (pf.models.DEFAULT_MODEL, "ar1")),
]

# Nigeria, a sum, and a place where bounds are wide.
ASKED = ["NGA", "World", "TKL"]


def list_ways(panel: pf.Panel, name: str, folder: Path) -> Iterator[tuple[str, pf.models.Prediction]]:
    """Yield every way to forecast a panel to 2100, and the path that it gives."""
    model, horizon = pf.models.get(name), 2100 - panel.origin
    fitted, estimated = pf.fit(panel, name), model.fit(panel)
    loaded, bare = (
        pf.load_fit(pf.save_fit(fit, folder / f"{i}.npz"), panel) for i, fit in enumerate((fitted, estimated))
    )
    models = {
        "by its name": name,
        "by a specification": model,
        "from pf.fit": fitted,
        "from its own fit": estimated,
        "from a file": loaded,
        "from a file of its own fit": bare,
    }
    for way, given in models.items():
        yield f"forecast, {way}", pf.forecast(panel, None, None, 2100, given, LEVELS).path
        yield f"forecast_all, {way}", pf.forecast_all(panel, given, LEVELS).forecast(end=2100).path
        if isinstance(given, pf.Fitted):
            yield f"predict, {way}", given.predict(horizon, LEVELS)


def test_the_models_that_stand_for_all_are_of_both_kinds() -> None:
    assert {revision for revision, _ in ASKED_OF} == set(pf.REVISIONS)
    for revision in pf.REVISIONS:
        names = [name for other, name in ASKED_OF if other == revision]
        assert {pf.models.get(name).calibrated for name in names} == {True, False}


@pytest.mark.parametrize(("revision", "name"), ASKED_OF)
def test_every_way_to_a_forecast_gives_the_same(revision: str, name: str, tmp_path: Path) -> None:
    panel = pf.load_panel(revision)
    # The first is how most ask: by the model's name.
    (_, expected), *others = list_ways(panel, name, tmp_path)
    for way, path in others:
        np.testing.assert_allclose(path.population, expected.population, rtol=1e-9, err_msg=way)
        for level in LEVELS:
            np.testing.assert_allclose(path.lower[level], expected.lower[level], rtol=1e-9, atol=1e-9, err_msg=way)
            np.testing.assert_allclose(path.upper[level], expected.upper[level], rtol=1e-9, err_msg=way)


@pytest.mark.parametrize("name", pf.models.MODELS)
@pytest.mark.parametrize("revision", pf.REVISIONS)
def test_the_command_line_gives_the_same_by_name_and_from_a_file(revision: str, name: str, tmp_path: Path) -> None:
    panel = pf.load_panel(revision)
    path = pf.save_fit(pf.models.get(name).fit(panel), tmp_path / "model.npz")
    expected = pf.forecast(panel, ASKED, 2030, 2100, name, LEVELS).to_frame()
    levels = [option for level in LEVELS for option in ("--level", str(level))]
    asked = ["forecast", *ASKED, "--from", "2030", "--to", "2100", "--revision", revision, "--format", "csv", *levels]
    for how in (["--model", name], ["--fitted", str(path)]):
        told = CliRunner().invoke(main, [*asked, *how])
        assert told.exit_code == 0, told.output
        rows = pd.read_csv(io.StringIO(told.stdout))
        figures = [column for column in expected if column.startswith(("population", "lower", "upper"))]
        # Printed in whole persons: the last may be rounded the other way.
        np.testing.assert_allclose(rows[figures], expected[figures].astype(float), rtol=1e-9, atol=1)


def test_a_fit_predicts_what_the_forecast_says(wpp2024: pf.Panel) -> None:
    """Sums of countries, past errors and later revisions: Nigeria 329.7 to 428.0 million in 2050, the World 9.65."""
    path = pf.fit(wpp2024).predict(27)
    nigeria, world = wpp2024.rows(["NGA", "World"])
    assert path.lower[80][nigeria, -1] == pytest.approx(329.7e6, rel=2e-3)
    assert path.upper[80][nigeria, -1] == pytest.approx(428.0e6, rel=2e-3)
    assert path.population[world, -1] == pytest.approx(9.648e9, rel=1e-3)


def test_a_fit_without_calibration_is_calibrated_on_the_way_and_nothing_else_is_said(wpp2024: pf.Panel) -> None:
    estimated = pf.PanelAR().fit(wpp2024)
    assert estimated.calibration is None
    for asked in (
        pf.forecast(wpp2024, ASKED, 2030, 2050, estimated),
        pf.forecast_all(wpp2024, estimated).forecast(ASKED),
    ):
        assert not [note for note in asked.notes if UNCALIBRATED in note.text]
    assert estimated.calibration is None


def test_too_few_past_origins_are_said_where_it_is_so() -> None:
    places = pd.DataFrame({"name": ["One", "Two"]}, index=["A", "B"])
    panel = pf.Panel([[10.0, 11.0, 12.5, 13.0], [7.0, 7.5, 7.4, 7.6]], range(2000, 2004), places)
    for given in ("drift", pf.Drift().fit(panel), pf.fit(panel, "drift")):
        assert [note.text for note in pf.forecast(panel, model=given).notes] == [UNCALIBRATED] * 2


def test_what_a_fit_holds_is_read_only(wpp2024: pf.Panel) -> None:
    fitted = pf.fit(wpp2024, "drift")
    check_frozen(fitted)


def test_a_fit_can_be_sent_to_another_process(wpp2024: pf.Panel) -> None:
    fitted = pf.fit(wpp2024, "drift")
    sent = pickle.loads(pickle.dumps(fitted))
    assert (sent.model, sent.checksum, sent.codes) == (fitted.model, fitted.checksum, fitted.codes)
    assert np.array_equal(sent.calibration.quantiles, fitted.calibration.quantiles)


@pytest.mark.parametrize("levels", [0, (80, 80), "80", (100,)])
def test_a_fit_refuses_levels_that_are_none(wpp2024: pf.Panel, levels: object) -> None:
    with pytest.raises(LevelError):
        pf.fit(wpp2024, "naive").predict(5, levels)


def test_notes_name_locations_by_codes_that_json_takes(wpp2024: pf.Panel) -> None:
    notes = pf.fit(wpp2024, "ar1").notes()
    assert notes
    assert {type(note.location_code) for note in notes} == {int}
