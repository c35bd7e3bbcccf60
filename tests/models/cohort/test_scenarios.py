"""What-if scenarios: what is set holds, the rest is estimated as before, and there is no interval."""

from __future__ import annotations

import numpy as np
import pytest

import popforecast as pf
from popforecast.errors import ModelError
from popforecast.models.cohort import Cohort
from popforecast.models.cohort.past import read_past
from popforecast.models.cohort.scenarios import find_replacement


@pytest.fixture(scope="module")
def panel(wpp2024: pf.Panel) -> pf.Panel:
    return wpp2024.countries()


@pytest.fixture(scope="module")
def japan(panel: pf.Panel) -> int:
    return int(panel.codes.get_loc(392))


def test_fertility_is_what_is_set_and_births_follow(panel: pf.Panel, japan: int) -> None:
    usual, two, low, held = (Cohort(fertility=value).project(panel) for value in (None, 2.0, "low", "constant"))
    assert (two.fertility == 2).all()
    assert (usual.fertility - low.fertility)[:, [0, 1, 2, -1]] == pytest.approx(
        np.broadcast_to([0.25, 0.4, 0.5, 0.5], (len(panel), 4)), abs=1e-9
    )
    tfr = panel.components.tfr[japan]
    assert held.fertility[japan] == pytest.approx((tfr[-1] + tfr[-2]) / 2)
    assert two.births[japan, 0] / usual.births[japan, 0] == pytest.approx(2 / usual.fertility[japan, 0])


def test_at_replacement_women_bear_as_many_daughters_as_there_were_women(panel: pf.Panel, japan: int) -> None:
    past = read_past(panel.values, 1950, panel.components)
    replacement = find_replacement(past)
    # Low mortality: a little above two; where many girls die or few are born, more.
    assert 2.05 < replacement[japan] < 2.08
    assert replacement[panel.codes.get_loc(148)] > 2.3
    # With constant mortality and no migration, a population at replacement stops changing once its ages have.
    still = Cohort(fertility="replacement", migration="zero", mortality="constant").project(panel)
    growth = np.log(still.totals[japan, -1] / still.totals[japan, -3]) / 10
    assert abs(growth) < 0.002


def test_migration_is_what_is_set_and_the_world_is_not_balanced(panel: pf.Panel, japan: int) -> None:
    zero, five, held = (Cohort(migration=value).project(panel) for value in ("zero", 5, "constant"))
    assert (zero.migration == 0).all()
    assert five.migration[:, 0] == pytest.approx(0.025 * five.totals[:, 0])
    assert np.ptp(held.migration[japan] / held.totals[japan, :-1]) < 1e-9
    assert five.migration.sum() > 0


def test_constant_mortality_is_that_of_the_last_period(panel: pf.Panel) -> None:
    usual, held = Cohort().project(panel), Cohort(mortality="constant").project(panel)
    assert (held.deaths[:, -1].sum() / held.totals[:, -2].sum()) > (
        usual.deaths[:, -1].sum() / usual.totals[:, -2].sum()
    )


def test_births_deaths_and_migration_add_up_whatever_is_set(panel: pf.Panel) -> None:
    set_all = Cohort(fertility=1.5, migration=-2, mortality="constant").project(panel)
    balance = set_all.births - set_all.deaths + set_all.migration
    assert np.diff(set_all.totals) == pytest.approx(balance, rel=1e-6, abs=1)


def test_there_is_no_interval_and_a_note_says_what_if(wpp2024: pf.Panel) -> None:
    fc = pf.forecast(wpp2024, ["JPN", "World"], 2050, 2060, Cohort(fertility="low"))
    assert (fc.levels, fc.provenance["intervals"], fc.model.name) == ((), "none", "cohort(fertility low)")
    said = next(note.text for note in fc.notes if note.location_code == 392)
    assert said.startswith("what if: fertility low instead")
    assert "lower_80" not in fc.to_frame()
    assert fc.ages().query("location_code == 392 and year == 2060")["population"].sum() == fc.population[0, -1].round()
    with pytest.raises(ModelError, match="without intervals"):
        pf.forecast(wpp2024, "JPN", model=Cohort(fertility="low"), intervals="final")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fertility": 40}, "fertility 40: expected constant, replacement, low or 0 to 12 children per woman"),
        ({"fertility": "high"}, "fertility 'high': expected constant, replacement, low or 0 to 12"),
        ({"fertility": float("nan")}, "fertility nan: expected"),
        (
            {"migration": "none"},
            "migration 'none': expected constant, zero or -100 to 100 net migrants per 1,000 people",
        ),
        ({"migration": True}, "migration True: expected"),
        ({"mortality": 1}, "mortality 1: expected constant"),
    ],
)
def test_a_scenario_that_is_none_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Cohort(**given)
