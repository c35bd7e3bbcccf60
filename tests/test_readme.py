"""The README: what it promises can be run."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import popforecast as pf
from popforecast.cli import main
from popforecast.evaluation import halves, peers
from popforecast.evaluation.real_time import relate_to_medium
from popforecast.evaluation.vintages import PUBLISHED, UN, Vintages, compare_vintages
from popforecast.studies import standings
from popforecast.studies import vintages as study
from popforecast.text import VINTAGE_NAMES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(program: str) -> list[list[str]]:
    lines = re.findall(rf"^{program} .+$", README, flags=re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def test_the_api_in_five_lines_runs() -> None:
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted >= 5
    assert result.failed == 0


@pytest.mark.parametrize("command", commands("popforecast"), ids=" ".join)
def test_every_command_line_parses(command: list[str]) -> None:
    name, *arguments = command[1:]
    assert main.commands[name].make_context(name, arguments).params


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z]+)", README)) - {"it"}))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)h][^)]*)\)", README))
def test_every_file_it_links_to_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_table_that_it_shows_is_what_the_command_prints() -> None:
    command, shown = re.search(r"```text\n\$ popforecast (.+?)\n(.+?)```", README, re.DOTALL).groups()
    assert CliRunner().invoke(main, shlex.split(command)).output == shown


def test_every_command_is_shown() -> None:
    assert {command[1] for command in commands("popforecast")} >= set(main.commands)


# What it claims -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vintages() -> dict[str, Vintages]:
    return {name: compare_vintages(name) for name in ("wpp2010", "wpp2012")}


def claims() -> str:
    return " ".join(README.split())


def test_coverage_in_real_time_is_what_vintages_score_and_the_one_of_the_time_leads(
    vintages: dict[str, Vintages],
) -> None:
    scores = study.join_scores(vintages).query("basis == 'raw'")
    held = scores.set_index(["source", "intervals", "vintage", "year"])["coverage_95"].sort_index()
    then, since = held["cohort", PUBLISHED], held["cohort", "real-time"]
    assert (
        f"with only the revisions published by then, its 95% intervals contain {then['wpp2012', 2020]:.0f}% of the "
        "outcomes of 2020; after allowing for later revisions of other countries, which could not be known in advance, "
        f"they contain {since['wpp2012', 2020]:.0f}%; the UN's own contain {held[UN, 'stated', 'wpp2012', 2020]:.0f}%."
    ) in claims()
    assert (
        f"coverage is {then.min():.0f} to {then.max():.0f}% ({VINTAGE_NAMES[PUBLISHED]}) and {since.min():.0f} to "
        f"{since.max():.0f}% ({VINTAGE_NAMES['real-time']})"
    ) in claims()


def test_the_ratio_to_the_uns_error_is_what_vintages_score(vintages: dict[str, Vintages]) -> None:
    row = study.relate_to_un(vintages, "cohort").loc[("wpp2012", 2020, "raw")]
    assert row["closer, mean"] == "a tie"
    assert f"is {row['mean, ratio [95%]']} times that of the 2012 edition, a tie" in claims()


def test_the_pooled_ratios_to_the_uns_errors_are_what_vintages_pool() -> None:
    pooled = relate_to_medium().query("vintage == 'all'").set_index("source")
    assert (
        f"its mean error is {pooled['mean']['cohort']:.2f} times theirs and its median error "
        f"{pooled['median']['cohort']:.2f} times (`panel-ar`: {pooled['mean']['panel-ar']:.2f} and "
        f"{pooled['median']['panel-ar']:.2f}; the mean of `cohort` and the UN's medium variant: "
        f"{pooled['mean']['with-un']:.2f} and {pooled['median']['with-un']:.2f})"
    ) in claims()


def test_ratios_to_the_best_peer_are_what_peers_score() -> None:
    errors = peers.list_errors(pf.load_panel("wpp2024").countries(), peers.load_peers(), ["cohort"])
    ratios = standings.bound_ratios(errors, peers.score(errors, reported=True), halves.REPORTED)
    first, *rest = (f"{ratio} {{}} {horizon}{{}} ({ratio.verdict})" for horizon, (_, ratio) in ratios.items())
    *middle, last = (text.format("after", "") for text in rest)
    said = f"{first.format('times theirs after', ' year')}, {', '.join(middle)} and {last}: `5-peers`"
    assert f"its mean error is {said}" in claims()
