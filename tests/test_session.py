"""A session makes each thing once, whatever threads ask for it, and keeps no error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import popforecast as pf
from popforecast.session import FORM_LEVELS, MOST_OTHERS, get_session, remember


@pytest.fixture(scope="module")
def session() -> pf.Session:
    return pf.Session("wpp2019")


def ask_at_once(ask: Callable[[], object], threads: int = 8) -> list[object]:
    """What each of several threads got that asked at the same moment: an answer, or the error."""
    barrier = threading.Barrier(threads)

    def wait_and_ask() -> object:
        barrier.wait()
        try:
            return ask()
        except ValueError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return [future.result() for future in [pool.submit(wait_and_ask) for _ in range(threads)]]


def test_threads_that_ask_for_the_same_compute_it_once() -> None:
    asked = []

    @remember()
    def compute(key: str) -> str:
        asked.append(key)
        threading.Event().wait(0.05)
        return key * 2

    assert (ask_at_once(lambda: compute("x")), asked) == (["xx"] * 8, ["x"])


def test_threads_that_ask_for_different_things_wait_for_none_but_their_own() -> None:
    barrier = threading.Barrier(2)

    @remember()
    def meet(key: str) -> int:
        return barrier.wait(timeout=10)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(meet, "ab")) == [0, 1]


def test_an_error_reaches_all_who_wait() -> None:
    @remember()
    def fail() -> None:
        threading.Event().wait(0.02)
        raise ValueError("no")

    assert [str(error) for error in ask_at_once(fail)] == ["no"] * 8


def test_an_error_is_not_kept() -> None:
    attempts = []

    @remember()
    def fail_once(key: str) -> str:
        attempts.append(key)
        if len(attempts) == 1:
            raise ValueError(key)
        return key

    with pytest.raises(ValueError, match="x"):
        fail_once("x")
    assert [fail_once("x"), fail_once("x"), len(attempts)] == ["x", "x", 2]


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    asked = []

    @remember(2)
    def compute(key: str) -> str:
        asked.append(key)
        return key

    for key in "abacab":
        compute(key)
    assert "".join(asked) == "abcb"


def test_threads_get_one_outlook_and_one_fit_that_it_is_made_of() -> None:
    session = pf.Session("wpp2019")
    outlooks = ask_at_once(lambda: session.outlook("drift"), threads=4)
    assert len(set(map(id, outlooks))) == 1
    assert session.outlook("drift").fitted is session.fit("drift")


@pytest.mark.parametrize("levels", [(), (80,), (50, 95), FORM_LEVELS])
def test_one_outlook_serves_all_levels_of_the_form(session: pf.Session, levels: tuple[float, ...]) -> None:
    assert session.outlook("naive", levels) is session.outlook("naive")


def test_outlooks_for_other_levels_are_kept_up_to_four(session: pf.Session) -> None:
    first = session.outlook("ar1", (61,))
    assert session.outlook("ar1", (61.0,)) is first
    for level in range(62, 62 + MOST_OTHERS):
        session.outlook("ar1", (level,))
    assert session.outlook("ar1", (61,)) is not first
    assert session.outlook("ar1") is session.outlook("ar1", (50,))


def test_it_gives_what_the_functions_give(session: pf.Session) -> None:
    panel = pf.load_panel("wpp2019")
    ours = session.outlook().forecast(["World", "NGA"], 2030, 2035, [80])
    theirs = pf.forecast(panel, ["World", "NGA"], 2030, 2035, levels=[80])
    pd.testing.assert_frame_equal(ours.to_frame(), theirs.to_frame())
    pd.testing.assert_frame_equal(session.record, pf.load_record("wpp2019"))
    assert session.panel.checksum == panel.checksum
    assert session.membership.countries == session.outlook().membership.countries


def test_each_table_is_read_once(session: pf.Session) -> None:
    assert session.record is session.record
    assert session.membership is session.membership
    assert pf.Session("wpp2019").medium is None
    later = pf.Session("wpp2024")
    assert later.medium is later.medium


def test_two_sessions_share_nothing() -> None:
    one, other = pf.Session("wpp2019"), pf.Session("wpp2019")
    assert one.outlook("naive") is not other.outlook("naive")
    assert get_session("wpp2019") is not one
    earlier, later = (get_session(name).outlook("naive").panel.origin for name in ("wpp2019", "wpp2024"))
    assert (earlier, later) == (2020, 2023)


def test_a_panel_of_ones_own_has_forecasts_and_a_backtest_but_no_tables_of_the_un() -> None:
    values = 1000 * 1.01 ** np.arange(60) * np.arange(1, 4)[:, None]
    panel = pf.Panel(values, np.arange(1960, 2020), pd.DataFrame({"name": ["Arda", "Bree", "Dale"]}))
    session = pf.Session(panel)
    assert session.panel is panel
    assert session.outlook("naive").forecast("Arda", 2025, 2025).population.shape == (1, 1)
    assert (session.medium, session.membership.aggregates) == (None, ())
    assert session.measure("naive").columns.tolist() == pf.load_record().columns.tolist()
    assert session.measure("naive") is session.measure("naive")
    with pytest.raises(pf.PopforecastError, match=r"no track record .*wpp2019, wpp2024: use measure\(model\) to"):
        _ = session.record


def test_a_named_model_is_measured_as_embedded_and_one_of_ones_own_alike(session: pf.Session) -> None:
    embedded, computed = session.measure("ar1"), pf.Session(session.panel).measure(pf.AR())
    keys = ["location_code", "horizon"]
    both = embedded.merge(computed, on=keys, suffixes=("", "_computed"))
    assert len(both) == len(embedded) == len(computed)
    for name in ("n", "mape", "median_ape", "coverage_80", "coverage_95"):
        np.testing.assert_allclose(both[name], both[f"{name}_computed"], atol=0.011)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: pf.Session("wpp1999"), "no revision 'wpp1999': expected one of wpp2019, wpp2024"),
        (lambda: pf.Session(pf.load_panel("wpp2019").to_frame()), "expected a Panel, got DataFrame"),
        (lambda: pf.Session("wpp2019").fit("ar9"), "no model 'ar9'"),
        (lambda: pf.Session("wpp2019").outlook("ar1", (120,)), "120"),
    ],
)
def test_what_there_is_not_is_said(make: Callable[[], object], said: str) -> None:
    with pytest.raises(pf.PopforecastError, match=said):
        make()
