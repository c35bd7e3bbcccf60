"""Options shared by several commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from popforecast.cli.parsing import Parsed
from popforecast.question import PARAMETERS, Question, split_group
from popforecast.text import capitalise

Command = TypeVar("Command", bound=Callable[..., Any])

TYPES = {"integer": int, "number": float}


def make_option(field: str, **given: Any) -> Callable[[Command], Command]:
    """Return the option for a parameter in the table of parameters; the command receives it by its field name."""
    row = PARAMETERS[field]
    known = {"type": TYPES.get(row.schema["type"]), "multiple": row.most > 1, "help": row.description}
    return click.option(f"--{row.name}", field, **known | given)


def _make_choice(field: str, **given: Any) -> Callable[[Command], Command]:
    row = PARAMETERS[field]
    return make_option(field, default=row.default, show_default=True, help=f"{capitalise(row.expected)}.", **given)


def _leave_default(context: click.Context, option: click.Parameter, value: str) -> str | None:
    """Return None for the default, so that the panel decides: the default shown applies to UN revisions only."""
    is_default = context.get_parameter_source(str(option.name)) is click.core.ParameterSource.DEFAULT
    return None if is_default else value


revision_option = _make_choice("revision")
model_option = _make_choice("model", callback=_leave_default)
from_option = make_option("start", metavar="YEAR", help="First year. Default: the first after the last estimate.")
to_option = make_option("end", metavar="YEAR", help="Last year. Default: ten years later.")
fertility_option, migration_option, mortality_option = map(make_option, ("fertility", "migration", "mortality"))
level_option = make_option("levels", help="Coverage of an interval in percent; may be repeated.")
format_option = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True
)

# Options that differ in requests to an app, which has its own defaults and accepts groups.
ASKED: dict[str, dict[str, Any]] = {
    "groups": {
        "type": Parsed("group", split_group),
        "metavar": "NAME:MEMBER,...",
        "help": "Your own group, forecast as the sum of its members; may be repeated.",
    },
    "start": {"required": True, "metavar": "YEAR", "help": None},
    "end": {"required": True, "metavar": "YEAR", "help": None},
    "model": {"help": "Default: the app's."},
    "revision": {"help": "Default: the app's."},
    "levels": {"help": "Coverage of an interval in percent; may be repeated."},
}


def take_question(command: Command) -> Command:
    """Return the command with an option for each parameter of a question except the locations."""
    for field in reversed(Question.rows()):
        if field != "locations":
            command = make_option(field, **ASKED.get(field, {}))(command)
    return command


npz_path = click.Path(dir_okay=False, path_type=Path)
folder_path = click.Path(file_okay=False, path_type=Path)
