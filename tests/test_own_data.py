"""Locations of unequal years: each is forecast from its own origin, and nobody has to care."""

from __future__ import annotations

import io
import random
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import popforecast as pf
from popforecast.cli import main
from popforecast.errors import ModelError, PanelError, YearError
from popforecast.text import format_population
from tests.soak.files import ROOT, attack

SHORT, ENDED, WHOLE = "Nigeria", "Japan", "France"


@pytest.fixture(scope="module")
def europe(wpp2024: pf.Panel) -> pf.Panel:
    countries = wpp2024.countries()
    return countries.take(np.arange(0, len(countries), 5))


@pytest.fixture(scope="module")
def uneven(europe: pf.Panel) -> pf.UnevenPanel:
    """The same panel, of which some begin in 1970 and some end in 2015."""
    frame = europe.to_frame()
    place = frame["location_code"].map({code: i for i, code in enumerate(europe.locations.index)})
    late, ended = (place % 4 == 1) & (frame["year"] < 1970), (place % 4 == 2) & (frame["year"] > 2015)
    return pf.Panel.from_frame(frame[~late & ~ended], name="location")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(2, 5)), min_size=1, max_size=6), st.randoms())
def test_every_figure_is_in_one_rectangle_and_nothing_else_is(
    spans: list[tuple[int, int]], chance: random.Random
) -> None:
    rows = [
        {"location_code": f"L{i}", "year": 2000 + start + j, "population": chance.randrange(10**6)}
        for i, (start, length) in enumerate(spans)
        for j in range(length)
    ]
    chance.shuffle(rows)
    panel = pf.Panel.from_frame(pd.DataFrame(rows))
    parts = panel.panels if isinstance(panel, pf.UnevenPanel) else (panel,)
    found = [row for part in parts for row in part.to_frame().drop(columns="location").to_dict("records")]
    key = lambda row: (row["location_code"], row["year"])  # noqa: E731
    assert sorted(found, key=key) == sorted(rows, key=key)
    assert len({(part.years[0], part.years[-1]) for part in parts}) == len(parts)


def test_equal_years_stay_a_panel(europe: pf.Panel) -> None:
    assert isinstance(pf.Panel.from_frame(europe.to_frame()), pf.Panel)


def test_each_location_is_forecast_from_its_own_origin(uneven: pf.UnevenPanel) -> None:
    forecast = pf.forecast(uneven, model="damped-growth")
    first = forecast.to_frame().groupby("location_code", sort=False)["year"].min()
    last = {code: part.origin for part in uneven.panels for code in part.locations.index}
    assert first.to_dict() == {code: year + 1 for code, year in last.items()}
    assert first.index.tolist() == uneven.locations.index.tolist()
    assert set(last.values()) == {2015, 2023}


@pytest.mark.parametrize("model", ["ar1", "panel-ar", "damped-growth"])
def test_a_location_learns_from_all_that_have_its_years(uneven: pf.UnevenPanel, europe: pf.Panel, model: str) -> None:
    ended = next(part for part in uneven.panels if part.origin == 2015)
    then = europe.until(2015)
    begun = [c for p in uneven.panels if p.years[0] == 1950 for c in p.locations.index]
    known = pf.Panel.from_frame(then.select([code for code in europe.locations.index if code in begun]).to_frame())
    code = ended.locations.index[0]
    expected = pf.forecast(known, code, 2016, 2030, model).to_frame()
    made = pf.forecast(uneven, code, 2016, 2030, model).to_frame()
    columns = ["population", "lower_80", "upper_80", "lower_95", "upper_95"]
    assert made[columns].to_numpy(float) == pytest.approx(expected[columns].to_numpy(float), rel=1e-6)


def test_a_subset_never_changes_a_number(uneven: pf.UnevenPanel) -> None:
    whole = pf.forecast(uneven, start=2024, end=2030).to_frame()
    codes = uneven.locations.index[[7, 2, 5]].tolist()
    some = pf.forecast(uneven, codes, 2024, 2030).to_frame()
    expected = pd.concat([whole[whole["location_code"] == code] for code in codes], ignore_index=True)
    pd.testing.assert_frame_equal(some, expected)


def test_every_form_says_whose_origin_is_which(uneven: pf.UnevenPanel) -> None:
    forecast = pf.forecast(uneven, start=2014, end=2018, model="ar1")
    rows = pd.read_csv(io.StringIO(forecast.to_csv()))
    assert ((rows["year"] <= rows["origin"]) == (rows["variant"] == "estimates")).all()
    assert rows.groupby("origin")["checksum"].nunique().tolist() == [1, 2]
    table = forecast.to_table()
    assert table.loc["2018"].str.contains("estimates").sum() == (rows.query("year == 2018")["origin"] == 2023).sum()
    assert len(forecast.to_dict()["forecasts"]) == len(rows) == forecast.population.size


def test_a_backtest_scores_every_location_within_its_years(uneven: pf.UnevenPanel) -> None:
    backtest = pf.backtest(uneven, ["ar1", "naive"], [1975, 2000, 2010], [1, 10])
    counted = backtest.errors.query("model == 'naive'").groupby(["origin", "horizon"]).size().to_dict()
    n = len(uneven)
    ended = sum(len(part) for part in uneven.panels if part.origin == 2015)
    begun = sum(len(part) for part in uneven.panels if part.years[0] == 1950)
    expected = {(1975, 1): begun, (1975, 10): begun, (2000, 1): n, (2000, 10): n, (2010, 1): n, (2010, 10): n - ended}
    assert counted == expected
    assert backtest.scores(uneven.locations.index[0])["n"].max() == 3
    with pytest.raises(YearError, match="1800"):
        pf.backtest(uneven, ["naive"], [1800])


def test_a_group_is_the_sum_of_members_with_the_same_years(uneven: pf.UnevenPanel) -> None:
    part = uneven.panels[0]
    members = part.locations.index[:3].tolist()
    both = pf.forecast(uneven, members, 2024, 2030, "damped-growth", groups={"Three": members})
    rows = both.to_frame().pivot(index="year", columns="location_code", values="population")
    assert (rows["Three"] == rows[members].sum(axis=1)).all()
    other = uneven.panels[1].locations.index[0]
    with pytest.raises(PanelError, match="same first and last year"):
        pf.forecast(uneven, groups={"Mixed": [members[0], other]})


def test_what_needs_one_panel_says_how_to_get_it(uneven: pf.UnevenPanel) -> None:
    for verb in (pf.fit, pf.forecast_all):
        with pytest.raises(PanelError, match=r"\.common\(\)"):
            verb(uneven)
    common = uneven.common()
    assert (common.years[0], common.origin, len(common)) == (1970, 2015, len(uneven))
    assert common.locations.index.tolist() == uneven.locations.index.tolist()
    fitted = pf.fit(common, "ar1")
    with pytest.raises(ModelError, match="pass the model's name instead"):
        pf.forecast(uneven, model=fitted)


def test_select_and_until_keep_what_they_should(uneven: pf.UnevenPanel) -> None:
    assert isinstance(uneven.select(uneven.panels[1].locations.index.tolist()), pf.Panel)
    then = uneven.until(1960)
    assert then.origin == 1960
    assert len(then) == sum(len(part) for part in uneven.panels if part.years[0] == 1950)
    assert len(uneven.to_frame()) == sum(part.values.size for part in uneven.panels)


def test_damaged_copies_of_real_files_give_no_traceback_and_no_silently_wrong_panel() -> None:
    outcome = attack(200)
    assert outcome.faults == []
    assert outcome.read + outcome.refused == 200
    assert min(outcome.read, outcome.refused) > 10


def test_the_tutorial_runs_as_it_is() -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(ROOT / "notebooks" / "your-panel.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or "def " in cell.source or "class " in cell.source for cell in code)
    done = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = "\n".join(str(output) for cell in done.cells if cell.cell_type == "code" for output in cell.outputs)
    assert "UnevenPanel: 6 locations, 1950 to 2023, from 1950 to 1975 until 2018 to 2023" in shown
    assert "DACH" in shown


@pytest.mark.kernel
def test_the_commands_of_the_tutorial_do_what_it_does(tmp_path: Path) -> None:
    """They are run on the tutorial's own file, as they stand in its last cell."""
    nbformat = pytest.importorskip("nbformat")
    cells = nbformat.read(ROOT / "notebooks" / "your-panel.ipynb", as_version=4).cells
    made: dict[str, Any] = {}
    exec(next(cell.source for cell in cells if cell.cell_type == "code"), made)
    commands = cells[-1].source.split("```sh\n")[1].split("```")[0].splitlines()
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(command.replace("/path/to/orte.csv", "orte.csv").replace("orte.csv", str(made["path"])))
        if words[1] == "report":
            words += ["--output", str(tmp_path)]
        result = CliRunner().invoke(main, words[1:])
        assert result.exit_code == 0, result.output
        if words[1] == "forecast":
            whole = pf.read_panel(made["path"], "kennung", "jahr", "personen", "region", "ort")
            (austria,) = pf.forecast(whole, "Austria", 2026, 2026).to_frame()["population"]
            assert format_population(austria) in result.output
    made["folder"].cleanup()
