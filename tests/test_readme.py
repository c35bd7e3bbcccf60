"""The README: what it promises can be run."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from popforecast.cli import main

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


def test_every_command_is_shown() -> None:
    assert {command[1] for command in commands("popforecast")} >= set(main.commands)
